"""Which actions belong to a flow or are about a record, for evidence about it. Trust alone asks; it reads its own ledger beside."""

from __future__ import annotations

from typing import Any

from libs.contracts import subjects
from libs.contracts.scopes import MOST_NAMED, FlowActions, FlowActionsRequest, RecordActions, RecordActionsRequest
from libs.runtime.database import Database
from libs.runtime.plane import Runtime

# A flow starts others to a small depth (`Run.depth`); each is asked for by its parent.
_FLOWS = """
with recursive f as (
  select flow_id from execution.flows where tenant_id = $1 and flow_id = $2
  union select c.flow_id from execution.flows c join f on c.parent_id = f.flow_id where c.tenant_id = $1)
select flow_id from f order by flow_id limit $3
"""
_OF_RUNS = """
select action_id from execution.actions where tenant_id = $1 and run_id = any($2::text[]) order by action_id limit $3
"""
_OF_RECORDS = """
select action_id from execution.actions a join unnest($2::text[]) x on split_part(x, ':', 1) = a.resource_type
and substr(x, length(split_part(x, ':', 1)) + 2) = a.resource_id where a.tenant_id = $1 order by action_id limit $3
"""


class Scopes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_flow(self, request: FlowActionsRequest) -> FlowActions:
        """A flow, the flows that it started, and the actions of all of them."""
        tenant = request.tenant_id
        async with self._database.batch(tenant) as work:
            rows = await work.connection.fetch(_FLOWS, tenant, request.flow_id, MOST_NAMED + 1)
            flows = [row["flow_id"] for row in rows[:MOST_NAMED]]
            if not flows:
                return FlowActions(known=False)
            runs = [f"flow:{one}" for one in flows]
            found = await work.connection.fetch(_OF_RUNS, tenant, runs, MOST_NAMED + 1)
        return FlowActions(
            known=True, flows=tuple(one for one in flows if one != request.flow_id), actions=_ids(found),
            cut=len(rows) > MOST_NAMED or len(found) > MOST_NAMED,
        )  # fmt: skip

    async def of_records(self, request: RecordActionsRequest) -> RecordActions:
        """Actions whose resource is one of the records."""
        async with self._database.batch(request.tenant_id) as work:
            found = await work.connection.fetch(_OF_RECORDS, request.tenant_id, list(request.records), MOST_NAMED + 1)
        return RecordActions(actions=_ids(found), cut=len(found) > MOST_NAMED)


def _ids(rows: Any) -> tuple[Any, ...]:
    return tuple(row["action_id"] for row in rows[:MOST_NAMED])


def serve_scopes(runtime: Runtime) -> None:
    scopes = Scopes(runtime.database)
    runtime.bus.serve(subjects.FLOW_ACTIONS, scopes.of_flow)
    runtime.bus.serve(subjects.RECORD_ACTIONS, scopes.of_records)
