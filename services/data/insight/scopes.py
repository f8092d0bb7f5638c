"""Which records belong to a deal, for evidence about it: what the deal names, and what names the deal."""

from __future__ import annotations

from libs.contracts import subjects
from libs.contracts.scopes import MOST_NAMED, DealRecords, DealRecordsRequest
from libs.runtime.database import Database
from libs.runtime.plane import Runtime

_DEAL = "select account_id, contact_id, lead_id from data.deals where tenant_id = $1 and deal_id = $2"
# What was deleted since is part of what happened.
_ABOUT = """
select 'task:' || task_id as name from data.tasks where tenant_id = $1 and deal_id = $2
union all select 'activity:' || activity_id from data.activities where tenant_id = $1 and deal_id = $2
order by name limit $3
"""


class Scopes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_deal(self, request: DealRecordsRequest) -> DealRecords:
        """The deal's account, contact and lead, and the tasks and activities about it."""
        tenant, deal = request.tenant_id, request.deal_id
        async with self._database.batch(tenant) as work:
            row = await work.connection.fetchrow(_DEAL, tenant, deal)
            if row is None:
                return DealRecords(known=False)
            about = await work.connection.fetch(_ABOUT, tenant, deal, MOST_NAMED + 1)
        named = [
            f"{kind}:{row[f'{kind}_id']}" for kind in ("account", "contact", "lead") if row[f"{kind}_id"] is not None
        ]
        named += [one["name"] for one in about]
        return DealRecords(known=True, records=tuple(named[:MOST_NAMED]), cut=len(named) > MOST_NAMED)


def serve_scopes(runtime: Runtime) -> None:
    runtime.bus.serve(subjects.DEAL_RECORDS, Scopes(runtime.database).of_deal)
