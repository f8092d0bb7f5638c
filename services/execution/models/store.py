"""A tenant's models with their prices, its day's budget, and what of it is used, in the caller's transaction."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.models import DayBudget, models
from libs.contracts.completions import ModelEntry, SetModel
from services.execution.models.domain.costs import Spent

# The day is Riyadh's: that is when people begin a new one.
_TODAY = "(now() at time zone 'Asia/Riyadh')::date"
_TAKE = f"""
insert into execution.model_usage as u (tenant_id, day, tokens, sar, calls) values ($1, {_TODAY}, $2, $3, 1)
on conflict (tenant_id, day) do update set tokens = u.tokens + excluded.tokens, sar = u.sar + excluded.sar, calls = u.calls + 1
where u.tokens + excluded.tokens <= $4 and u.sar + excluded.sar <= $5
returning day
"""
_REFUSED = f"""
insert into execution.model_usage as u (tenant_id, day, refused) values ($1, {_TODAY}, 1)
on conflict (tenant_id, day) do update set refused = u.refused + 1
"""


class ModelRows:
    def __init__(self, connection: Any, tenant_id: UUID) -> None:
        self._c = connection
        self._tenant = tenant_id

    async def entries(self) -> tuple[ModelEntry, ...]:
        rows = await self._c.fetch(
            "select provider, model, input_sar, output_sar, usual, reference, set_by, changed_at from execution.models "
            "where tenant_id = $1 order by provider, usual desc, model",
            self._tenant,
        )
        return tuple(ModelEntry.model_validate(dict(row)) for row in rows)

    async def put(self, asked: SetModel) -> None:
        """Keep a model with its price. Of one provider one is the usual one: the first, until another is named."""
        if asked.usual:
            await self._c.execute(
                "update execution.models set usual = false where tenant_id = $1 and provider = $2",
                self._tenant,
                asked.provider,
            )
        await self._c.execute(
            "insert into execution.models (tenant_id, provider, model, input_sar, output_sar, usual, reference, set_by) "
            "values ($1, $2, $3, $4, $5, $6 or not exists (select 1 from execution.models where tenant_id = $1 and provider = $2), $7, $8) "
            "on conflict (tenant_id, provider, model) do update set input_sar = excluded.input_sar, output_sar = excluded.output_sar, "
            "usual = models.usual or excluded.usual, reference = excluded.reference, set_by = excluded.set_by, changed_at = now()",
            self._tenant, asked.provider, asked.model, asked.input_sar, asked.output_sar, asked.usual, asked.reference, asked.principal.id,
        )  # fmt: skip

    async def drop(self, provider: str, model: str) -> bool:
        done: str = await self._c.execute(
            "delete from execution.models where tenant_id = $1 and provider = $2 and model = $3",
            self._tenant,
            provider,
            model,
        )
        return done.endswith(" 1")

    async def budget(self) -> DayBudget:
        row = await self._c.fetchrow(
            "select tokens_a_day, sar_a_day from execution.model_budgets where tenant_id = $1", self._tenant
        )
        return DayBudget.model_validate(dict(row)) if row else models().budget

    async def set_budget(self, budget: DayBudget, by: str) -> None:
        await self._c.execute(
            "insert into execution.model_budgets (tenant_id, tokens_a_day, sar_a_day, set_by) values ($1, $2, $3, $4) on conflict (tenant_id) "
            "do update set tokens_a_day = excluded.tokens_a_day, sar_a_day = excluded.sar_a_day, set_by = excluded.set_by, changed_at = now()",
            self._tenant, budget.tokens_a_day, budget.sar_a_day, by,
        )  # fmt: skip

    async def take(self, most: Spent) -> bool:
        """Take what a question can come to from the day's budget; replicas share it. A question that it does not cover is counted."""
        budget = await self.budget()
        fits = most.tokens <= budget.tokens_a_day and most.sar <= budget.sar_a_day
        limits = (budget.tokens_a_day, budget.sar_a_day)
        if fits and await self._c.fetchval(_TAKE, self._tenant, most.tokens, most.sar, *limits) is not None:
            return True
        await self._c.execute(_REFUSED, self._tenant)
        return False

    async def settle(self, taken: Spent, used: Spent) -> None:
        """Give back what was not used. Over midnight it is given back to the new day, where it can't go below nothing."""
        await self._c.execute(
            f"update execution.model_usage set tokens = greatest(0, tokens - $2), sar = greatest(0, sar - $3) "
            f"where tenant_id = $1 and day = {_TODAY}",
            self._tenant, taken.tokens - used.tokens, taken.sar - used.sar,
        )  # fmt: skip

    async def today(self) -> tuple[Spent, int, int]:
        """What is used of today, in how many questions, and how many were refused for want of it."""
        row = await self._c.fetchrow(
            f"select tokens, sar, calls, refused from execution.model_usage where tenant_id = $1 and day = {_TODAY}",
            self._tenant,
        )
        if row is None:
            return Spent(0, Decimal(0)), 0, 0
        return Spent(row["tokens"], row["sar"]), row["calls"], row["refused"]
