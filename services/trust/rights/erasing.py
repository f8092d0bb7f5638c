"""What trust itself holds about a person: shown on request, and erased last. Leaves stay and every proof holds; what they committed to is
gone with its salt. The do-not-contact list stays: it is what keeps an erased person from being written to again."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from libs.contracts.message import Plane
from libs.runtime.erasure import sweep
from services.trust.ledger.store import SqlLedgerStore

_APPROVALS = "tenant_id = $1 and document->'view'->'resource'->>'type' = 'contact' and document->'view'->'resource'->>'id' = $2::uuid::text"

_ABOUT = "tenant_id = $1 and subject = 'contact:' || $2::uuid::text"


async def erase(connection: Any, tenant_id: UUID, contact_id: UUID) -> dict[str, int]:
    """Forget a contact in the caller's transaction. Returns how many of which."""
    c = connection
    asked = await c.fetch(
        f"select approval_id, action_id, document->>'payload' as payload from trust.approvals where {_APPROVALS}",
        tenant_id,
        contact_id,
    )
    approvals = [row["approval_id"] for row in asked]
    decided = await c.fetch(
        "select distinct action_id from trust.decisions where tenant_id = $1 and contact_id = $2", tenant_id, contact_id
    )
    actions = {row["action_id"] for row in (*asked, *decided)}
    counts = {
        "ledger_entries": await _entries(
            c, tenant_id, [f"contact:{contact_id}", *(f"action:{a}" for a in sorted(actions))]
        ),
        "evidence_packs": await _packs(c, tenant_id, {contact_id, *actions}),
    }
    for name, sql in _STATEMENTS.items():
        counts[name] = _count(await c.execute(sql, tenant_id, contact_id))
    counts["edits"] = _count(
        await c.execute(
            "delete from trust.approval_edits where tenant_id = $1 and approval_id = any($2::uuid[])",
            tenant_id,
            approvals,
        )
    )
    texts = {str(to) for row in asked if (to := _read(row["payload"]).get("to")) and len(str(to)) >= 6}
    swept = await sweep(c, Plane.TRUST, tenant_id, sorted(texts, key=len, reverse=True))
    return {name: count for name, count in {**counts, **swept}.items() if count}


_STATEMENTS = {
    # Hashes and ids stay: that there was a request, and what became of it. What it was about is gone, and with the salt its hash is mute.
    "approvals": "update trust.approvals set salt = '', document = document || jsonb_build_object('payload', '{}', 'reason', '', 'view', "
    '(document->\'view\') || \'{"fields": [], "why": "", "contradictions": [], "erased": true}\'::jsonb) where '
    + _APPROVALS,
    "contradictions": f"delete from trust.contradictions where {_ABOUT}",
    "claims": f"delete from trust.claims where {_ABOUT}",
    "consents": "delete from trust.consents where tenant_id = $1 and contact_id = $2",
    "facts": "delete from trust.contact_facts where tenant_id = $1 and contact_id = $2",
}


async def _entries(c: Any, tenant_id: UUID, targets: list[str]) -> int:
    rows = await c.fetch(
        "select entry_id from trust.ledger_entries where tenant_id = $1 and target = any($2::text[]) and erased_at is null",
        tenant_id, targets,
    )  # fmt: skip
    return await SqlLedgerStore(c).erase(tenant_id, [row["entry_id"] for row in rows])


async def _packs(c: Any, tenant_id: UUID, ids: set[UUID]) -> int:
    """Packs that hold something about a contact or its actions, by their ids. A pack is an archive without compression: an id in it can be found."""
    status = await c.execute(
        "update trust.evidence_packs p set body = null, state = 'erased' where tenant_id = $1 and body is not null "
        "and exists (select 1 from unnest($2::text[]) a where position(convert_to(a, 'UTF8') in p.body) > 0)",
        tenant_id, [str(id) for id in ids],
    )  # fmt: skip
    return _count(status)


async def held(connection: Any, tenant_id: UUID, contact_id: UUID) -> dict[str, tuple[dict[str, Any], ...]]:
    """Everything trust holds about a contact, by kind."""
    queries = {
        "consents": "select to_jsonb(t) - 'tenant_id' as row from trust.consents t where tenant_id = $1 and contact_id = $2",
        "claims": f"select to_jsonb(t) - 'tenant_id' as row from trust.claims t where {_ABOUT}",
        "facts": "select to_jsonb(t) - '{tenant_id,email_mac,phone_mac}'::text[] as row from trust.contact_facts t "
        "where tenant_id = $1 and contact_id = $2",
        "approvals": "select jsonb_build_object('approval_id', approval_id, 'action_type', action_type, 'state', state, 'requested_at', "
        f"requested_at, 'decided_at', decided_at, 'payload', document->'payload') as row from trust.approvals where {_APPROVALS}",
        "decisions": "select jsonb_build_object('action_id', action_id, 'effect', effect, 'outcome', outcome, 'mode', mode, 'at', decided_at) "
        "as row from trust.decisions where tenant_id = $1 and contact_id = $2",
        "suppressed": "select jsonb_build_object('reason', s.reason, 'at', s.at) as row from trust.suppressions s join trust.contact_facts f "
        "on f.tenant_id = s.tenant_id and s.mac in (f.email_mac, f.phone_mac) where s.tenant_id = $1 and f.contact_id = $2",
    }  # fmt: skip
    return {
        name: tuple(json.loads(row["row"]) for row in await connection.fetch(sql, tenant_id, contact_id))
        for name, sql in queries.items()
    }


def _read(payload: str | None) -> dict[str, Any]:
    try:
        value = json.loads(payload or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _count(status: Any) -> int:
    return int(str(status).rpartition(" ")[2])
