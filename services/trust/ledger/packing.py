"""The later states of an evidence pack: `assembling → ready → reviewed → sealed`, each step by a person and in the ledger."""

from __future__ import annotations

from libs.contracts.errors import Conflict, Forbidden, NotFound
from libs.contracts.ledger import PackStep
from libs.contracts.trust import EvidenceReply
from libs.runtime.database import Database
from services.trust.bundles.watch import record

REVIEWERS = frozenset({"owner", "admin", "auditor", "compliance_officer", "approver"})
SEALERS = frozenset({"owner", "auditor", "compliance_officer"})


class PackState(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__("pack_state", f"The pack is {state}.", f"حالة الحزمة لا تسمح بذلك: {state}.")


class OwnPack(Forbidden):
    def __init__(self) -> None:
        super().__init__("own_pack", "Who made a pack may not review it.", "لا يراجع الحزمة من أعدّها.")


class Packing:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def review(self, request: PackStep) -> EvidenceReply:
        """Raises PackState unless it is `ready`, OwnPack for its maker, Forbidden, NotFound."""
        return await self._step(request, REVIEWERS, "ready", "reviewed")

    async def seal(self, request: PackStep) -> EvidenceReply:
        """Raises PackState unless it is `reviewed`, Forbidden, NotFound."""
        return await self._step(request, SEALERS, "reviewed", "sealed")

    async def _step(self, request: PackStep, roles: frozenset[str], before: str, after: str) -> EvidenceReply:
        who, tenant = request.principal, request.principal.tenant_id
        # A key or an agent reads nothing: a step is a person's.
        if not roles & set(who.roles) or who.kind.value != "user":
            raise Forbidden
        async with self._database.batch(tenant) as work:
            row = await work.connection.fetchrow(
                "select scope, state, length(body) size, sha256, created_by, created_at from trust.evidence_packs "
                "where tenant_id = $1 and pack_id = $2 for update",
                tenant,
                request.pack_id,
            )
            if row is None:
                raise NotFound
            if row["state"] != before:
                raise PackState(row["state"])
            if after == "reviewed" and row["created_by"] == who.id:
                raise OwnPack
            await work.connection.execute(
                f"update trust.evidence_packs set state = $3, {after}_by = $4, {after}_at = now(), "
                "note = case when $5 = '' then note else $5 end where tenant_id = $1 and pack_id = $2",
                tenant, request.pack_id, after, who.id, request.note,
            )  # fmt: skip
            fact = {"pack_id": str(request.pack_id), "sha256": row["sha256"], "noted": bool(request.note)}
            await record(work.connection, [(tenant, f"evidence.{after}", who.id, row["scope"], fact)])
        return EvidenceReply(
            pack_id=request.pack_id, state=after, scope=row["scope"], bytes=row["size"], sha256=row["sha256"],
            created_at=row["created_at"],
        )  # fmt: skip
