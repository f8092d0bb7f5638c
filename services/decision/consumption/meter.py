"""Counts every run of an agent against the day's budget, and tells trust of it: never what was asked or answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from libs.contracts.agents import AgentVerdict, Conversation
from libs.contracts.catalogue.agents import agents
from libs.contracts.catalogue.models import LOCAL, models
from libs.contracts.message import Plane, TenantId
from libs.contracts.observed import AgentRunFact, DecisionFacts
from libs.contracts.subjects import OBSERVED
from libs.runtime.database import Database
from libs.screening.personal import personal
from libs.screening.screen import texts
from services.decision.consumption.budget import Budget, usage_fact

BUILT_IN = frozenset({"template", "rules"})
"""Engines that ask no model."""
UNFIT = "bad_output"


class Meter:
    def __init__(self, database: Database, now: Callable[[], datetime], runs_a_day: int) -> None:
        self._database = database
        self._now = now
        self._budget = Budget(database, runs_a_day)

    async def take(self, tenant_id: TenantId) -> None:
        """Before a run. Raises BudgetSpent."""
        await self._budget.take(tenant_id)

    async def tell(self, run: Conversation, given: Mapping[str, Any]) -> None:
        """After a run, with what went in: only whether it held personal data travels."""
        async with self._database.batch(run.tenant_id) as work:
            usage = await usage_fact(work.connection, run.tenant_id, run.cost_sar)
            facts = (run_fact(run, given), *((usage,) if usage is not None else ()))
            work.emit(OBSERVED[Plane.DECISION], DecisionFacts(tenant_id=run.tenant_id, facts=facts, at=self._now()))


def run_fact(run: Conversation, given: Mapping[str, Any]) -> AgentRunFact:
    """What controls look at: who answered, where, and whether numbers or addresses of people went in."""
    asked = run.asked_model
    provider = (
        asked.provider if asked is not None and asked.provider else LOCAL if run.engine in BUILT_IN else run.engine
    )
    known = models().providers.get(provider)
    return AgentRunFact(
        subject=run.conversation_id, agent=run.agent, provider=provider, abroad=known is None or known.country != models().home,
        personal=any(True for _, text in texts(dict(given)) for _ in personal(text)),
        purpose=agents().agents[run.agent].model_policy, fits=not (run.verdict is AgentVerdict.FAILED and run.code == UNFIT),
    )  # fmt: skip
