"""Runs of agents a day and tenant: at 100 % nobody runs, and a person answers (OWASP LLM06, consumption)."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any

from libs.contracts.errors import Busy
from libs.contracts.message import TenantId
from libs.contracts.observed import UsageFact
from libs.runtime.database import Database

_NAMESPACE = uuid.UUID("5a9f3c1e-7f0d-5d49-9a51-0f6f7a1c2b44")
# The day is Riyadh's: that is when people begin a new one.
_TODAY = "(now() at time zone 'Asia/Riyadh')::date"
_TAKE = f"""
insert into decision.agent_usage as u (tenant_id, day, runs, budget) values ($1, {_TODAY}, 1, $2)
on conflict (tenant_id, day) do update set runs = u.runs + 1, budget = excluded.budget where u.runs < excluded.budget
returning day
"""
_REFUSED = f"""
insert into decision.agent_usage as u (tenant_id, day, runs, refused, budget) values ($1, {_TODAY}, 0, 1, $2)
on conflict (tenant_id, day) do update set refused = u.refused + 1, budget = excluded.budget
"""


class BudgetSpent(Busy):
    """Today's runs are used up."""

    def __init__(self, budget: int) -> None:
        super().__init__(
            f"Today's {budget:,} runs of agents are used up; a person answers until tomorrow.",
            f"استُهلكت عمليات الوكلاء لهذا اليوم ({budget:,})، ويتولى الرد شخص حتى الغد.",
        )
        self.code = "agent_budget_spent"


class Budget:
    """Counts in the database, so that all replicas share one budget and a restart forgets nothing."""

    def __init__(self, database: Database, runs_a_day: int) -> None:
        self._database = database
        self.runs_a_day = runs_a_day

    async def take(self, tenant_id: TenantId) -> None:
        """Take one run. Raises BudgetSpent, which is counted too."""
        async with self._database.batch(tenant_id) as work:
            if self.runs_a_day > 0 and await work.connection.fetchval(_TAKE, tenant_id, self.runs_a_day) is not None:
                return
            await work.connection.execute(_REFUSED, tenant_id, self.runs_a_day)
        raise BudgetSpent(self.runs_a_day)


async def usage_fact(connection: Any, tenant_id: TenantId, cost: Decimal) -> UsageFact | None:
    """Today's use as trust is told; `cost` is added to the day's. None before anything ran."""
    row = await connection.fetchrow(
        f"update decision.agent_usage set cost_sar = cost_sar + $2 where tenant_id = $1 and day = {_TODAY} returning *",
        tenant_id,
        cost,
    )
    if row is None:
        return None
    return UsageFact(
        subject=day_id(tenant_id, row["day"]), day=row["day"], runs=row["runs"], refused=row["refused"], budget=row["budget"],
        cost_sar=row["cost_sar"],
    )  # fmt: skip


def day_id(tenant_id: TenantId, day: date) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{tenant_id}/{day.isoformat()}")
