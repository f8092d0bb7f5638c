"""Receipts and reconciliation as people read them, and the check of what somebody claims that a tool did."""

from __future__ import annotations

from typing import Any

from libs.contracts.catalogue.actions import effects
from libs.contracts.errors import Forbidden, Invalid, NotFound
from libs.contracts.execution import Receipt
from libs.contracts.paging import before
from libs.contracts.receipts import (
    OrphanEffect,
    ReconciliationReply,
    ReconciliationRequest,
    ReconciliationRun,
    ToolReceipt,
    ToolReceiptsReply,
    ToolReceiptsRequest,
    ToolVerdict,
    Verification,
    VerifyTool,
)
from libs.runtime.database import Database
from services.trust.bundles.watch import record
from services.trust.receipts.domain import NOT_DONE, verify

READERS = frozenset({"owner", "admin", "auditor", "compliance_officer", "approver", "operator", "api_client"})

_RECEIPTS = """
select g.grant_id, g.action_id, g.outcome, g.receipt::text receipt, g.closed_at, d.effect, d.subject_id, v.vendor_id is not null as seen,
  coalesce((select n.checkable and n.at > g.closed_at + interval '2 minutes' from trust.reconciliations n
            where n.tenant_id = g.tenant_id and n.connector = g.receipt->>'connector'), false) as checked
from trust.grant_closures g join trust.decisions d on d.tenant_id = g.tenant_id and d.grant_id = g.grant_id
left join trust.vendor_views v on v.tenant_id = g.tenant_id and v.grant_id = g.grant_id
where g.tenant_id = $1 and ($2::uuid is null or g.action_id = $2)
  and ($3::uuid is null or (g.closed_at, g.grant_id) < (select closed_at, grant_id from trust.grant_closures where tenant_id = $1 and grant_id = $3))
order by g.closed_at desc, g.grant_id desc limit $4
"""


class UnknownTool(Invalid):
    def __init__(self, tool: str) -> None:
        super().__init__("unknown_tool", f"{tool} is not a registered tool.", "هذه الأداة غير مسجّلة.")


class Receipts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, request: ToolReceiptsRequest) -> ToolReceiptsReply:
        """Outcomes with their receipts and what they are worth, the newest first."""
        _require(request)
        async with self._database.batch(request.principal.tenant_id) as work:
            rows = await work.connection.fetch(
                _RECEIPTS, request.principal.tenant_id, request.action_id, before(request.page), request.page.limit + 1
            )
        items = tuple(_shown(row) for row in rows[: request.page.limit])
        more = len(rows) > request.page.limit
        return ToolReceiptsReply(items=items, next_cursor=str(items[-1].grant_id) if more else None)

    async def verify(self, request: VerifyTool) -> ToolVerdict:
        """What a claim about an action is worth. A contradiction is ledgered. Raises UnknownTool, NotFound."""
        _require(request)
        if request.tool not in effects():
            raise UnknownTool(request.tool)
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            known = await work.connection.fetchval(
                "select effect from trust.decisions where tenant_id = $1 and action_id = $2 limit 1",
                tenant,
                request.action_id,
            )
            if known is None:
                raise NotFound
            rows = await work.connection.fetch(_RECEIPTS, tenant, request.action_id, None, 1)
            if known != request.tool:
                verdict = ToolVerdict(verification=Verification.CONTRADICTED, why="another_tool", differing=("tool",))
            else:
                verdict = verify(
                    request.claim, _receipt(rows[0]) if rows else None, vendor=_vendor(rows[0]) if rows else "unchecked"
                )
            if verdict.verification is Verification.CONTRADICTED:
                fact = {"tool": request.tool, "why": verdict.why, "differing": list(verdict.differing)}
                target = f"action:{request.action_id}"
                await record(work.connection, [(tenant, "tool.contradicted", request.principal.id, target, fact)])
        return verdict

    async def reconciliation(self, request: ReconciliationRequest) -> ReconciliationReply:
        """The newest look at each connector's own log, and every effect that nobody granted."""
        _require(request)
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            runs = await work.connection.fetch(
                "select connector, at, checkable, effects, matched, waiting, orphans, resolved from trust.reconciliations "
                "where tenant_id = $1 order by connector",
                tenant,
            )
            orphans = await work.connection.fetch(
                "select connector, vendor_id, operation, action_id, at, found_at, paused_at is not null as paused "
                "from trust.orphan_effects where tenant_id = $1 order by found_at desc limit 200",
                tenant,
            )
        return ReconciliationReply(
            runs=tuple(ReconciliationRun(**row) for row in runs), orphans=tuple(OrphanEffect(**row) for row in orphans)
        )


def _shown(row: Any) -> ToolReceipt:
    receipt = _receipt(row)
    if row["outcome"] in NOT_DONE and receipt is None and not row["seen"]:
        verdict = ToolVerdict(verification=Verification.PARTIALLY_VERIFIED, why="nothing_done")
        if row["checked"]:
            verdict = ToolVerdict(verification=Verification.VERIFIED, why="vendor_confirms")
    elif row["outcome"] in NOT_DONE and row["seen"]:
        verdict = ToolVerdict(verification=Verification.CONTRADICTED, why="vendor_has_one")
    else:
        verdict = verify({"outcome": row["outcome"]}, receipt, vendor=_vendor(row))
    return ToolReceipt(
        grant_id=row["grant_id"], action_id=row["action_id"], tool=row["effect"], actor=row["subject_id"], claimed=row["outcome"],
        verification=verdict.verification, why=verdict.why, receipt=receipt, closed_at=row["closed_at"],
    )  # fmt: skip


def _receipt(row: Any) -> Receipt | None:
    return Receipt.model_validate_json(row["receipt"]) if row["receipt"] else None


def _vendor(row: Any) -> str:
    return "confirmed" if row["seen"] else "absent" if row["checked"] else "unchecked"


def _require(request: Any) -> None:
    if not READERS & set(request.principal.roles):
        raise Forbidden
