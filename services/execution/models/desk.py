"""Answers `execution.complete.v1`: picks who is asked by the agent's task and data class, by what is connected, and by the day's budget.

Nothing here decides whether a question may leave: trust does, under whose grant it is asked. What is left out here is what trust would
refuse anyway, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from libs.contracts.canaries import Assigned, AssignRun, CanaryKind, RunOutcome
from libs.contracts.catalogue.agents import Agent, ModelPolicy, agents
from libs.contracts.catalogue.models import Provider, models
from libs.contracts.catalogue.screening import Level
from libs.contracts.completions import Complete, Completed, ModelEntry, Tried
from libs.contracts.message import Reason
from libs.runtime.database import Database
from libs.screening.personal import personal
from libs.screening.screen import screen, strictest
from services.execution.models.asking import Asking
from services.execution.models.domain.costs import Spent, at_most, cost
from services.execution.models.domain.forms import Answer, body
from services.execution.models.errors import BUDGET, BUSY, NO_PROVIDER, SECRET, SILENT, UNKNOWN_AGENT
from services.execution.models.store import ModelRows

log = logging.getLogger(__name__)

OPEN_AT_ONCE = 8
"""Questions of one tenant that may be open in this process."""
LEAST_SECONDS = 1.0
Holds = Callable[[UUID, str], Awaitable[bool]]
Choose = Callable[[AssignRun], Awaitable[Assigned]]
Report = Callable[[UUID, UUID, RunOutcome], Awaitable[None]]
Candidate = tuple[Provider, ModelEntry]


@dataclass(slots=True)
class _Tally:
    """What was tried so far, and what it came to."""

    tried: list[Tried] = field(default_factory=list)
    cost: Decimal = Decimal(0)
    tokens_in: int = 0
    tokens_out: int = 0
    over_budget: bool = False


class Completing:
    """`holds` says whether a provider has a key for a tenant, `choose` which side of a canary a run is on, `report` how a run ended."""

    def __init__(self, database: Database, asking: Asking, holds: Holds, choose: Choose, report: Report) -> None:
        self._database = database
        self._asking = asking
        self._holds = holds
        self._choose = choose
        self._report = report
        self._busy = Counter[UUID]()

    async def complete(self, asked: Complete) -> Completed:
        """The first answer of those that may be asked, in their order. Why there is none is said, never raised."""
        agent = agents().agents.get(asked.agent)
        if agent is None:
            return Completed(reason=UNKNOWN_AGENT)
        if _holds_secrets(asked):
            return Completed(reason=SECRET)
        if self._busy[asked.tenant_id] >= OPEN_AT_ONCE:
            return Completed(reason=BUSY)
        self._busy[asked.tenant_id] += 1
        try:
            return await self._complete(asked, agent)
        finally:
            self._busy[asked.tenant_id] -= 1

    async def versions(self, tenant: UUID, agent: str) -> list[str]:
        """Models that a canary of an agent may name: recorded, connected, able to see its input, and not asked first anyway."""
        known = agents().agents.get(agent)
        if known is None:
            return []
        usual = await self._line(tenant, known, everyone=False)
        found = await self._line(tenant, known, everyone=True)
        return [entry.version for _, entry in found if not usual or entry.version != usual[0][1].version]

    async def _complete(self, asked: Complete, agent: Agent) -> Completed:
        began, clock = time.perf_counter(), asyncio.get_running_loop().time
        until = clock() + asked.seconds
        policy = agents().model_policies[agent.model_policy]
        line = await self._line(asked.tenant_id, agent, everyone=False)
        request = AssignRun(tenant_id=asked.tenant_id, kind=CanaryKind.MODEL, target=agent.id, run_id=asked.run_id)
        assigned = await self._choose(request)
        if assigned.version:
            every = await self._line(asked.tenant_id, agent, everyone=True)
            line = [one for one in every if one[1].version == assigned.version] + line
        if not line:
            return Completed(reason=NO_PROVIDER)
        tally = _Tally()
        for provider, entry in line:
            left = until - clock()
            if left < LEAST_SECONDS:
                break
            answer = await self._one(asked, agent, policy, provider, entry, left, tally)
            if assigned.version and entry.version == assigned.version and answer is None:
                # The canary's model gave nothing: that is its failure, whoever answers instead.
                await self._report(asked.tenant_id, asked.run_id, RunOutcome.FAILED)
            if answer is not None:
                return Completed(
                    text=answer.text, provider=provider.key, model=entry.model, temperature=policy.temperature, tokens_in=tally.tokens_in,
                    tokens_out=tally.tokens_out, cost_sar=tally.cost, latency_ms=round((time.perf_counter() - began) * 1000, 3),
                    tried=tuple(tally.tried), recorded=assigned.recorded,
                )  # fmt: skip
        return Completed(
            tokens_in=tally.tokens_in, tokens_out=tally.tokens_out, cost_sar=tally.cost, tried=tuple(tally.tried), recorded=assigned.recorded,
            latency_ms=round((time.perf_counter() - began) * 1000, 3), reason=_reason(tally),
        )  # fmt: skip

    async def _line(self, tenant: UUID, agent: Agent, *, everyone: bool) -> list[Candidate]:
        """Who is asked, in order: of each provider that may see the agent's input and has a key its usual model, or every model."""
        async with self._database.batch(tenant) as work:
            entries = await ModelRows(work.connection, tenant).entries()
        policy = agents().model_policies[agent.model_policy]
        out: list[Candidate] = []
        for provider in models().asked(agent.model_policy, policy):
            own = [one for one in entries if one.provider == provider.key and (everyone or one.usual)]
            if own and await self._holds(tenant, provider.key):
                out += [(provider, one) for one in own]
        return out

    async def _one(
        self, asked: Complete, agent: Agent, policy: ModelPolicy, provider: Provider, entry: ModelEntry, seconds: float, tally: _Tally
    ) -> Answer | None:  # fmt: skip
        content = body(provider, entry.model, asked, policy.temperature)
        most = at_most(entry, len(content.decode()), asked.most_tokens)
        if not await self._take(asked.tenant_id, most):
            tally.tried.append(Tried(provider=provider.key, code=BUDGET.code))
            tally.over_budget = True
            return None
        facts = {
            "model": entry.model, "data": policy.data, "country": provider.country, "personal": _personal(asked), "most_tokens": asked.most_tokens,
        }  # fmt: skip
        used = most
        try:
            one = await self._asking.ask(
                asked.tenant_id, provider.effect, provider.key, agent.id, content, facts, seconds
            )
            used = _used(entry, most, one.answer, left=one.left)
        finally:
            await self._settle(asked.tenant_id, most, used)
        tally.cost += used.sar
        if one.answer is None:
            tally.tried.append(Tried(provider=provider.key, code=one.code, action_id=one.action_id))
            return None
        tally.tokens_in += one.answer.tokens_in or 0
        tally.tokens_out += one.answer.tokens_out or 0
        return one.answer

    async def _take(self, tenant: UUID, most: Spent) -> bool:
        async with self._database.batch(tenant) as work:
            return await ModelRows(work.connection, tenant).take(most)

    async def _settle(self, tenant: UUID, taken: Spent, used: Spent) -> None:
        if taken == used:
            return
        async with self._database.batch(tenant) as work:
            await ModelRows(work.connection, tenant).settle(taken, used)


def _used(entry: ModelEntry, most: Spent, answer: Answer | None, *, left: bool) -> Spent:
    """What a question came to. What may have been billed and is not known counts as the most that it can be."""
    if answer is None:
        return most if left else Spent(0, Decimal(0))
    if answer.tokens_in is None or answer.tokens_out is None:
        return most
    return Spent(answer.tokens_in + answer.tokens_out, cost(entry, answer.tokens_in, answer.tokens_out))


def _texts(asked: Complete) -> Sequence[str]:
    return (asked.instructions, *(turn.text for turn in asked.turns))


def _personal(asked: Complete) -> bool:
    return any(True for text in _texts(asked) for _ in personal(text))


def _holds_secrets(asked: Complete) -> bool:
    """What the gate would not let leave does not leave to a model either. That a question reads like an order is in its nature."""
    return any(strictest(screen(text, "outbound", ours=True)) is Level.BLOCK for text in _texts(asked))


def _reason(tally: _Tally) -> Reason:
    codes = {one.code for one in tally.tried}
    if tally.over_budget and codes == {BUDGET.code}:
        return BUDGET
    return NO_PROVIDER if codes <= {"sandbox", BUDGET.code} else SILENT
