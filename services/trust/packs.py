"""Collects what an evidence pack holds: entries with proofs, and the grants, payloads, views, receipts and policies they name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.contracts.canonical import canonical
from libs.contracts.execution import Receipt
from libs.contracts.trust import Approval, Decision, Grant
from services.trust.bundles.store import BundleRows
from services.trust.domain.keys import Keys
from services.trust.ledger.anchors import anchor
from services.trust.ledger.domain.checkpoint import parse_checkpoint
from services.trust.ledger.gather import gather
from services.trust.ledger.pack import PackContents, Salted, build_pack
from services.trust.ledger.store import SqlLedgerStore
from services.trust.ledger.witnesses import WitnessRows, presentable
from services.trust.scopes.domain import Selected


async def assemble(
    connection: Any, tenant_id: UUID, selected: Selected, keys: Keys, documents: Mapping[str, bytes] | None = None
) -> bytes:
    """The pack of what is selected, in the caller's transaction, with `documents` beside it: files by name.

    Raises NotYetProvable while an entry waits for its checkpoint, PackTooLarge beyond the limit.
    """
    # A period may still be going on: its newest entries, which no checkpoint covers yet, are left to the next pack.
    witnesses = WitnessRows(connection, tenant_id)
    await presentable(connection, tenant_id, await SqlLedgerStore(connection).checkpoint(tenant_id))
    cosigned = await witnesses.newest()
    gathered = await gather(
        SqlLedgerStore(connection),
        selected.filters(tenant_id),
        complete=selected.scope.complete,
        cosigned=cosigned.size if cosigned else None,
    )
    data = [json.loads(entry.body)["data"] for entry in gathered.entries]
    grant_ids = [UUID(d["grant_id"]) for d in data if d.get("grant_id")]
    approval_ids = sorted({UUID(d["approval_id"]) for d in data if d.get("approval_id")})
    versions = sorted({d["policy_version"] for d in data if d.get("policy_version")})
    closed = [UUID(d["closes_grant"]) for d in data if d.get("closes_grant")]
    approvals = await connection.fetch(
        "select approval_id, document, salt from trust.approvals where tenant_id = $1 and approval_id = any($2::uuid[])",
        tenant_id, approval_ids,
    )  # fmt: skip
    asked = [(Approval.model_validate_json(row["document"]), bytes.fromhex(row["salt"])) for row in approvals]
    size = parse_checkpoint(gathered.note).size
    contents = PackContents(
        scope=selected.scope.text,
        tenant_id=tenant_id,
        generated_at=await connection.fetchval("select now()"),
        note=gathered.note,
        entries=gathered.entries,
        erased=gathered.erased,
        grants=await _grants(connection, grant_ids),
        payloads=[Salted(a.payload.encode(), salt) for a, salt in asked],
        views={a.approval_id: Salted(canonical(a.view), salt) for a, salt in asked},
        receipts=await _receipts(connection, tenant_id, closed),
        cosignatures=await witnesses.lines(size),
        platform=await anchor(connection, tenant_id, size),
        policies=await BundleRows(connection, tenant_id).texts(versions),
        selection=selected.manifest(),
        documents=documents or {},
    )
    # Setting the readable page takes seconds of one core; the plane goes on deciding meanwhile.
    return await asyncio.to_thread(build_pack, contents, keys.statement)


async def _grants(connection: Any, grant_ids: Sequence[UUID]) -> list[Grant]:
    rows = await connection.fetch("select reply from trust.decisions where grant_id = any($1::uuid[])", list(grant_ids))
    decisions = [Decision.model_validate_json(row["reply"]) for row in rows]
    return [decision.grant for decision in decisions if decision.grant is not None]


async def _receipts(connection: Any, tenant_id: UUID, grant_ids: Sequence[UUID]) -> list[Receipt]:
    rows = await connection.fetch(
        "select receipt from trust.grant_closures where tenant_id = $1 and grant_id = any($2::uuid[]) and receipt is not null",
        tenant_id, list(grant_ids),
    )  # fmt: skip
    return [Receipt.model_validate_json(row["receipt"]) for row in rows]
