"""A small true evidence pack: one approved e-mail, from decision to receipt, and the tools to forge it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from dev.verify import TrustRoot, _build_archive, _read_archive
from libs.contracts import merkle
from libs.contracts.canonical import canonical, digest
from libs.contracts.execution import ActionState, Receipt, Settled
from libs.contracts.grant import ROOT_TYPE, b64
from libs.contracts.message import Reason
from libs.contracts.trust import (
    ActionClass,
    Approval,
    ApprovalState,
    ConnectorMode,
    Decision,
    Grant,
    GrantClaims,
    Mode,
    Outcome,
)
from services.trust.ledger.domain.commitments import (
    DECISION,
    OUTCOME,
    approval_data,
    approval_kind,
    decision_data,
    outcome_data,
)
from services.trust.ledger.domain.entry import Entry, seal
from services.trust.ledger.gather import gather
from services.trust.ledger.memory import MemoryLedgerStore
from services.trust.ledger.pack import PackContents, Salted, build_pack, pre_authentication_encoding
from services.trust.ledger.sequencer import Sequencer
from services.trust.ledger.store import EntryFilter
from tests.unit.trust.ledger_promises import KEY, NOON, ORIGIN, TestKey

STATEMENT_KEY = TestKey("statement-1")
GRANT_KEY = TestKey("grant-1")
KEYS: TrustRoot = {
    "statement": {STATEMENT_KEY.kid: STATEMENT_KEY.public_key},
    "checkpoint": {KEY.kid: KEY.public_key},
    "grant": {GRANT_KEY.kid: GRANT_KEY.public_key},
}
TENANT, ACTION, APPROVAL_ID, GRANT_ID, RECEIPT_ID = (UUID(int=number) for number in range(1, 6))
SALT = b"\x05" * 32
PAYLOAD = canonical({"to": "sara@example.com", "subject": "عرض", "body": "السلام عليكم"})
VIEW = canonical({"title": "رسالة إلى سارة", "body": "السلام عليكم"})
POLICY = '@id("sample")\npermit (principal, action, resource);\n'
VERSION = hashlib.sha256(POLICY.encode()).hexdigest()[:16]


def jwks() -> dict[str, Any]:
    return {
        "keys": [
            {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "dealix_use": use, "x": b64(key)}
            for use, keys in KEYS.items()
            for kid, key in keys.items()
        ]
    }


def claims(**changes: Any) -> GrantClaims:
    issued = int(NOON.timestamp())
    return GrantClaims(
        grant_id=GRANT_ID,
        tenant_id=TENANT,
        action_id=ACTION,
        attempt=1,
        audience="execution",
        connector="email_smtp",
        connector_mode=ConnectorMode.SANDBOX,
        operation="send",
        template_version="1",
        payload_digest=digest(SALT, PAYLOAD),
        policy_version=VERSION,
        approval_id=APPROVAL_ID,
        nonce="n-1",
        issued_at=issued,
        expires_at=issued + 60,
    ).evolve(**changes)


def grant(signed: GrantClaims, key: TestKey = GRANT_KEY) -> Grant:
    """The grant, in a batch with two others."""
    text = canonical(signed.model_dump(mode="json")).decode()
    hashes = [merkle.leaf_hash(data) for data in (b"before", text.encode(), b"after")]
    root, paths = merkle.batch_paths(hashes)
    header = b64(canonical({"alg": "EdDSA", "kid": key.kid, "typ": ROOT_TYPE}))
    payload = b64(canonical({"root": root.hex(), "size": 3}))
    jws = f"{header}.{payload}.{b64(key.sign(f'{header}.{payload}'.encode()))}"
    return Grant(claims=text, index=1, size=3, path=tuple(step.hex() for step in paths[1]), root_jws=jws)


def receipt(**changes: Any) -> Receipt:
    return Receipt(
        receipt_id=RECEIPT_ID,
        tenant_id=TENANT,
        action_id=ACTION,
        attempt=1,
        grant_id=GRANT_ID,
        connector="email_smtp",
        operation="send",
        mode="sandbox",
        vendor_id="sandbox-1",
        request_digest="ab" * 32,
        response_digest="cd" * 32,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=1),
    ).evolve(**changes)


def approval(**changes: Any) -> Approval:
    return Approval(
        approval_id=APPROVAL_ID,
        tenant_id=TENANT,
        action_id=ACTION,
        action_type="send_email",
        state=ApprovalState.APPROVED,
        role="sales_manager",
        risk="medium",
        reason="follow-up",
        requester="agent:drafter",
        value_sar=None,
        payload=PAYLOAD.decode(),
        payload_hash=digest(SALT, PAYLOAD),
        view=json.loads(VIEW),
        view_hash=digest(SALT, VIEW),
        policy_version=VERSION,
        requested_at=NOON,
        due_at=NOON + timedelta(hours=4),
        expires_at=NOON + timedelta(hours=8),
        compensation="",
        decided_by="user:7",
        decided_at=NOON,
    ).evolve(**changes)


def decision() -> Decision:
    return Decision(
        decision_id=UUID(int=6),
        tenant_id=TENANT,
        action_id=ACTION,
        attempt=1,
        outcome=Outcome.GRANTED,
        allowed=True,
        mode=Mode.APPROVED_EXECUTE,
        action_class=ActionClass.B,
        reasons=(Reason(code="approved", en="Approved.", ar="تمت الموافقة."),),
        approval_required=True,
        approval_id=APPROVAL_ID,
        policy_version=VERSION,
        audit_event=UUID(int=7),
        proof_impact="approval_collected",
    )


@dataclass
class Story:
    """What happened. Change a part before `pack()` and the operator tells, and signs, something else."""

    claims: GrantClaims
    receipt: Receipt
    approval: Approval | None
    grant: Grant
    approval_step: str = "approved"
    second: Receipt | None = None


def story() -> Story:
    return Story(claims(), receipt(), approval(), grant(claims()))


def settled(done: Receipt) -> Settled:
    return Settled(
        tenant_id=TENANT,
        action_id=ACTION,
        attempt=1,
        action_type="send_email",
        grant_id=GRANT_ID,
        outcome=ActionState.SUCCEEDED,
        receipt=done,
        at=NOON,
    )


async def contents(told: Story, **more: Any) -> PackContents:
    leaf = merkle.leaf_hash(canonical(told.claims.model_dump(mode="json")))
    receipts = [each for each in (told.receipt, told.second) if each is not None]
    steps: list[tuple[str, dict[str, Any]]] = [
        (DECISION, decision_data(decision(), told.claims.payload_digest, (told.claims, leaf))),
        *((OUTCOME, outcome_data(settled(each))) for each in receipts),
    ]
    if told.approval is not None:
        steps.insert(0, (approval_kind(told.approval_step), approval_data(told.approval)))
    entries = [
        Entry(TENANT, kind, "user:7", f"action:{ACTION}", NOON, data, "4bf9", UUID(int=100 + number))
        for number, (kind, data) in enumerate(steps)
    ]
    others = [
        Entry(TENANT, "login", "user:7", "session", NOON, {}, "", UUID(int=200 + number)) for number in range(300)
    ]
    store = MemoryLedgerStore(now=lambda: NOON)
    async with store.transaction([TENANT]):
        await store.append(seal([*others, *entries], random=lambda size: b"\x09" * size))
    sequencer = Sequencer(store, KEY, origin=ORIGIN, now=lambda: NOON)
    await sequencer.drain()
    await sequencer.checkpoint()
    gathered = await gather(store, [EntryFilter(TENANT, target=f"action:{ACTION}")])
    return PackContents(
        scope=f"action:{ACTION}",
        tenant_id=TENANT,
        generated_at=NOON,
        note=gathered.note,
        entries=gathered.entries,
        erased=gathered.erased,
        grants=[told.grant],
        payloads=[Salted(PAYLOAD, SALT)],
        views={APPROVAL_ID: Salted(VIEW, SALT)} if told.approval else {},
        receipts=receipts,
        policies=[POLICY],
        **more,
    )


async def pack(told: Story | None = None) -> bytes:
    return build_pack(await contents(told or story()), STATEMENT_KEY)


def repack(data: bytes, change: Callable[[dict[str, bytes]], None], *, key: TestKey | None = None) -> bytes:
    """The pack with changed files in a sound archive; with `key`, also with a new manifest and statement under that key."""
    files = _read_archive(data)
    change(files)
    if key is not None:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in files.items()
            if name not in {"manifest.json", "statement.dsse.json"}
        }
        files["manifest.json"] = canonical(manifest)
        envelope = json.loads(files["statement.dsse.json"])
        statement = json.loads(base64.b64decode(envelope["payload"]))
        statement["subject"][0]["digest"]["sha256"] = hashlib.sha256(files["manifest.json"]).hexdigest()
        payload = canonical(statement)
        signature = key.sign(pre_authentication_encoding(envelope["payloadType"], payload))
        envelope["payload"] = base64.b64encode(payload).decode()
        envelope["signatures"] = [{"keyid": key.kid, "sig": base64.b64encode(signature).decode()}]
        files["statement.dsse.json"] = canonical(envelope)
    return _build_archive(files)


def edit(files: dict[str, bytes], name: str, **changes: Any) -> None:
    """Change fields of a JSON file."""
    files[name] = canonical({**json.loads(files[name]), **changes})
