"""Small true packs of a deal, a flow and a control, and ways to lie about them with the operator's own key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.contracts.canonical import canonical
from services.trust.ledger.domain.entry import Entry, seal
from services.trust.ledger.gather import gather
from services.trust.ledger.memory import MemoryLedgerStore
from services.trust.ledger.pack import PackContents, build_pack
from services.trust.ledger.sequencer import Sequencer
from services.trust.scopes.domain import Asked, Scope, ScopeKind, Selected
from tests.unit.trust.ledger_promises import KEY, NOON, ORIGIN
from tests.unit.trust.pack_sample import POLICY, STATEMENT_KEY, TENANT, VERSION

DEAL, OTHER_DEAL, FLOW, OTHER_FLOW, CONTACT = (UUID(int=n) for n in (20, 21, 22, 23, 24))
ONE, TWO, STRANGER = (UUID(int=n) for n in (30, 31, 32))
EVIDENCE = b"%PDF-1.7 the policy"
SHA = hashlib.sha256(EVIDENCE).hexdigest()


def decision(action: UUID, number: int, *, attempt: int = 1, tenant: UUID = TENANT, **said: str) -> Entry:
    data: dict[str, Any] = {
        "decision_id": str(UUID(int=500 + number)), "action_id": str(action), "attempt": attempt, "outcome": "refused", "mode": "blocked",
        "class": "B", "reasons": [], "policy_version": VERSION, "payload_digest": "00" * 32, "approval_id": None, **said,
    }  # fmt: skip
    return Entry(tenant, "decision", "agent:a", f"action:{action}", NOON, data, "", UUID(int=600 + number))


def fact(kind: str, target: str, number: int, **data: Any) -> Entry:
    return Entry(TENANT, kind, "user:7", target, NOON, data, "", UUID(int=600 + number))


DEAL_STORY = (
    fact("deal.created", f"deal:{DEAL}", 0, stage="new"),
    fact("consent.recorded", f"contact:{CONTACT}", 1),
    decision(ONE, 2, about=f"deal:{DEAL}"),
    decision(TWO, 3),
    decision(STRANGER, 4, about=f"deal:{OTHER_DEAL}"),
    fact("deal.moved", f"deal:{DEAL}", 5, stage="open"),
)
FLOW_STORY = (
    fact("flow.started", f"flow:{FLOW}", 0, flow="demo"),
    decision(ONE, 1, run=f"flow:{FLOW}"),
    decision(TWO, 2, run=f"flow:{FLOW}"),
    decision(STRANGER, 3, run=f"flow:{OTHER_FLOW}"),
    fact("flow.completed", f"flow:{FLOW}", 4, flow="demo"),
)
OF_DEAL = Selected(
    Scope(ScopeKind.DEAL, str(DEAL)),
    (Asked("data.deal_records.v1", (f"contact:{CONTACT}",)), Asked("execution.record_actions.v1", (), (ONE, TWO))),
    (ONE,),
)
OF_FLOW = Selected(Scope(ScopeKind.FLOW, str(FLOW)), (Asked("execution.flow_actions.v1", (), (ONE, TWO)),), (ONE, TWO))
OF_CONTROL = Selected(Scope(ScopeKind.CONTROL, "PDPL-12"))
CONTROL_STORY = (
    fact("control.read", "control:PDPL-12", 0, result="fail", before="", rows=3, failing=1, catalogue="1"),
    fact("control.attested", "control:PDPL-12", 1, applies=True, sha256=SHA, valid_until="2027-01-01"),
)
READING = {
    "control_id": "PDPL-12", "result": "fail", "checked_at": "2026-11-21T09:00:00Z", "rows": 3, "failing": 1, "unclear": 0,
    "sample": [str(CONTACT)], "why": {"en": "x", "ar": "س"}, "catalogue_version": "1",
}  # fmt: skip
ATTESTATION = {
    "attestation_id": str(UUID(int=70)), "control_id": "PDPL-12", "applies": True, "statement": "The approved policy",
    "file_name": "policy.pdf", "media_type": "application/pdf", "sha256": SHA, "bytes": len(EVIDENCE), "valid_until": "2027-01-01",
    "attested_by": "user:7", "attested_at": "2026-11-21T09:00:00Z",
}  # fmt: skip


def control_files(**changes: Any) -> dict[str, bytes]:
    about = {
        "control": {"control_id": "PDPL-12"}, "catalogue_version": "1", "readings": [READING], "attestations": [ATTESTATION], **changes
    }  # fmt: skip
    return {"control.json": canonical(about), f"attachments/{SHA}": EVIDENCE}


async def pack_of(
    selected: Selected, story: Sequence[Entry], files: Mapping[str, bytes] | None = None, **changes: Any
) -> bytes:
    """The pack as trust makes it of a log that holds `story`; `changes` are lies in the contents, under the operator's key."""
    tenant = changes.pop("tenant", TENANT)
    store = MemoryLedgerStore(now=lambda: NOON)
    async with store.transaction([tenant]):
        await store.append(seal(story, random=lambda size: b"\x09" * size))
    sequencer = Sequencer(store, KEY, origin=ORIGIN, now=lambda: NOON)
    await sequencer.drain()
    await sequencer.checkpoint()
    gathered = await gather(store, selected.filters(tenant))
    contents = {
        "scope": selected.scope.text, "tenant_id": tenant, "generated_at": NOON, "note": gathered.note, "entries": gathered.entries,
        "erased": gathered.erased, "policies": [POLICY], "selection": selected.manifest(), "documents": files or {},
    }  # fmt: skip
    changed = {name: change(contents[name]) if callable(change) else change for name, change in changes.items()}
    return build_pack(PackContents(**{**contents, **changed}), STATEMENT_KEY)


def without_entries(kind: str) -> Any:
    """The entries but those of a kind."""
    return lambda entries: [one for one in entries if json.loads(one.body)["kind"] != kind]


def without_target(target: str) -> Any:
    return lambda entries: [one for one in entries if json.loads(one.body)["target"] != target]
