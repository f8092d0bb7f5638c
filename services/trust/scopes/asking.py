"""Finds what belongs to a flow or a deal: in the ledger first, then by asking the planes that own its actions and records."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from libs.contracts.scopes import DealRecordsRequest, FlowActionsRequest, RecordActionsRequest
from libs.contracts.subjects import DEAL_RECORDS, FLOW_ACTIONS, RECORD_ACTIONS
from libs.runtime.bus import Bus
from services.trust.ledger.errors import PackTooLarge
from services.trust.ledger.limits import MAX_ENTRIES
from services.trust.scopes.domain import Asked, Scope, ScopeKind, Selected

# A decision's entry says which flow asked for it and which record it is about; both stay beside the entry once its text is erased.
_SAID = """
select distinct substr(target, 8)::uuid as action_id from trust.ledger_entries
where tenant_id = $1 and (run = any($2::text[]) or about = any($2::text[])) and target like 'action:%' order by 1 limit $3
"""


async def ask(bus: Bus, tenant: UUID, scope: Scope) -> tuple[Asked, ...]:
    """What other planes say belongs to a scope; nothing where none knows it. No reply is an error: a pack never leaves out silently.

    Raises PackTooLarge, CallTimeout.
    """
    if scope.kind is ScopeKind.FLOW:
        flow = await bus.call(FLOW_ACTIONS, FlowActionsRequest(tenant_id=tenant, flow_id=scope.id))
        if flow.cut:
            raise PackTooLarge
        names = tuple(f"flow:{one}" for one in flow.flows)
        return (Asked(FLOW_ACTIONS.subject, names, flow.actions),) if flow.known else ()
    if scope.kind is ScopeKind.DEAL:
        deal = await bus.call(DEAL_RECORDS, DealRecordsRequest(tenant_id=tenant, deal_id=scope.id))
        names = deal.records
        done = await bus.call(RECORD_ACTIONS, RecordActionsRequest(tenant_id=tenant, records=(scope.text, *names)))
        if deal.cut or done.cut:
            raise PackTooLarge
        told = Asked(RECORD_ACTIONS.subject, actions=done.actions)
        return (Asked(DEAL_RECORDS.subject, names), told) if deal.known else (told,) if done.actions else ()
    return ()


async def select(connection: Any, tenant: UUID, scope: Scope, asked: tuple[Asked, ...]) -> Selected:
    """The same with what the ledger itself says. Raises PackTooLarge."""
    first = Selected(scope, asked)
    if first.manifest() is None:
        return first
    rows = await connection.fetch(_SAID, tenant, list(first.names), MAX_ENTRIES + 1)
    if len(rows) > MAX_ENTRIES:
        raise PackTooLarge
    return Selected(scope, asked, tuple(row["action_id"] for row in rows))
