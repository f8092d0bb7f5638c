"""Runs agents: execution says which version a run takes and is told how it ended, and every run is on record.

Without an answer from execution the usual version runs. A version runs only as it was approved and evaluated.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from libs.contracts.agents import AgentVerdict, Conversation, ModelRun
from libs.contracts.canaries import Assigned, AssignRun, CanaryKind, ReportRun, RunOutcome
from libs.contracts.catalogue.agent_versions import AgentVersions, agent_versions
from libs.contracts.catalogue.agents import agents
from libs.contracts.errors import Conflict, DealixError
from libs.contracts.message import new_id
from libs.contracts.subjects import ASSIGN_RUN, REPORT_RUN
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.consumption.meter import Meter

log = logging.getLogger(__name__)

T = TypeVar("T")
USUAL = ""
MODEL = "model"
"""The engine of a run that a model answered."""
ASK_SECONDS = 2.0
"""How long a run waits to hear which version it takes; after that it takes the usual one."""
NO_COST = Decimal("0.00")
"""What a run of a built-in engine costs beside this machine's time: no model is asked."""

Recorder = Callable[[Conversation], Awaitable[None]]


class TextsChanged(Conflict):
    def __init__(self, agent: str) -> None:
        super().__init__(
            "agent_texts_changed",
            f"The texts or rules of {agent} are not those that were approved and evaluated. It waits until they are.",
            f"نصوص الوكيل {agent} أو قواعده تختلف عمّا اعتُمد وقُيّم، وهو متوقف حتى تُعتمد وتُقيَّم من جديد.",
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A run to be recorded: for whom, by whom, how it came about, what went in (only its digest is kept), and the answer's schema."""

    tenant_id: UUID
    by: str
    via: str
    agent: str
    input: Mapping[str, Any]
    schema: str
    run_id: UUID


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a run: its verdict, to whom it was handed and why, and how sure the agent was (0-1)."""

    verdict: AgentVerdict
    code: str = ""
    to: str = ""
    confidence: float = 0.0
    model: ModelRun | None = None
    by_model: bool = False
    engine: str = ""
    """What answered, where it was not the agent's engine of the catalogue alone."""


class Choosing:
    """`versions` is what was approved; another than the catalogue's in tests."""

    def __init__(
        self, runtime: Runtime, record: Recorder, versions: AgentVersions | None = None, meter: Meter | None = None
    ) -> None:
        self._runtime = runtime
        self._bus = runtime.bus
        self._record = record
        self._versions = versions or agent_versions()
        self._unchanged: dict[tuple[str, str], bool] = {}
        self._meter = meter

    async def run(
        self, asked: Asked, work: Callable[[str], Awaitable[T]], ended: Callable[[T], Ended], drawn: str | None = None
    ) -> T:
        """What an agent answers, in the version that this run takes (`USUAL` for the one that every run takes otherwise).

        `drawn` is the version that an experiment gave this run; no canary is asked then.

        An agent has no effect, so that a version of a canary that breaks is answered for by the usual one, and counts as failed.
        A question that cannot be answered by any version says nothing about this one and is not told.
        Raises TextsChanged when the usual version is not what was approved, BudgetSpent, and whatever `work` raises.
        """
        if not self.approved(asked.agent, USUAL):
            raise TextsChanged(asked.agent)
        if self._meter is not None:
            await self._meter.take(asked.tenant_id)
        began = time.perf_counter()
        assigned = await self._assigned(asked) if drawn is None else Assigned(version=self._plain(asked.agent, drawn))
        version = assigned.version
        try:
            answer = await self._in_version(asked.agent, version, work)
        except DealixError:
            raise
        except Exception:  # whatever a version under trial does wrong counts against it, and another one answers
            await self._tell(assigned, asked, RunOutcome.FAILED)
            await self._keep(asked, version, Ended(AgentVerdict.FAILED, "broke"), began, new_id())
            if version == USUAL:
                raise
            log.exception("a version of an agent broke", extra={"ids": {"agent": asked.agent, "version": version}})
            began, version = time.perf_counter(), USUAL
            answer = await work(USUAL)
            await self._keep(asked, version, ended(answer), began, asked.run_id)
            return answer
        came = ended(answer)
        outcome = RunOutcome.REFUSED if came.verdict is AgentVerdict.WITHHELD else RunOutcome.SUCCEEDED
        await self._tell(assigned, asked, outcome)
        await self._keep(asked, version, came, began, asked.run_id)
        return answer

    async def alone(self, asked: Asked, work: Callable[[str], Awaitable[T]], ended: Callable[[T], Ended]) -> T:
        """What an agent answers that has no engine of its own, and so no versions: on record and within the day's budget all the same.

        Raises BudgetSpent, and whatever `work` raises.
        """
        if self._meter is not None:
            await self._meter.take(asked.tenant_id)
        began = time.perf_counter()
        answer = await work(USUAL)
        await self._keep(asked, USUAL, ended(answer), began, asked.run_id)
        return answer

    def approved(self, agent: str, version: str) -> bool:
        """Whether a version is here with exactly the texts that were approved, and passed its evaluation with them.

        Files are read once: they are loaded once too.
        """
        known = self._versions.agents.get(agent)
        name = self.named(agent, version)
        if known is None or name not in known.versions:
            return False
        key = (agent, name)
        if key not in self._unchanged:
            self._unchanged[key] = self._versions.ready(agent, name) and known.versions[name].unchanged()
        return self._unchanged[key]

    def named(self, agent: str, version: str) -> str:
        """The version's own name, also where it is the usual one."""
        known = self._versions.agents.get(agent)
        return known.usual if known is not None and version == USUAL else version

    def _plain(self, agent: str, version: str) -> str:
        """A version as its work takes it: the usual one has no name there."""
        return USUAL if version == self.named(agent, USUAL) else version

    async def _in_version(self, agent: str, version: str, work: Callable[[str], Awaitable[T]]) -> T:
        if not self.approved(agent, version):
            raise RuntimeError(f"{agent} {version} is not here as it was approved")
        return await work(version)

    async def _assigned(self, asked: Asked) -> Assigned:
        request = AssignRun(tenant_id=asked.tenant_id, kind=CanaryKind.AGENT, target=asked.agent, run_id=asked.run_id)
        try:
            return await self._bus.call(ASSIGN_RUN, request, timeout=ASK_SECONDS)
        except DealixError as error:
            log.warning(
                "execution did not say which version to run: %s", error.code, extra={"ids": {"agent": asked.agent}}
            )
            return Assigned()

    async def _tell(self, assigned: Assigned, asked: Asked, outcome: RunOutcome) -> None:
        """A report that is lost leaves a run that does not count."""
        if not assigned.recorded:
            return
        report = ReportRun(tenant_id=asked.tenant_id, run_id=asked.run_id, outcome=outcome)
        try:
            await self._bus.call(REPORT_RUN, report)
        except DealixError as error:
            log.warning("a run could not be reported: %s", error.code, extra={"ids": {"run": str(asked.run_id)}})

    async def _keep(self, asked: Asked, version: str, came: Ended, began: float, id: UUID) -> None:
        took = round((time.perf_counter() - began) * 1000, 3)
        run = Conversation(
                conversation_id=id, tenant_id=asked.tenant_id, at=self._runtime.now(), asked_by=asked.by, via=asked.via, agent=asked.agent,
                version=came.model.prompt_version if came.by_model and came.model else self.named(asked.agent, version),
                engine=MODEL if came.by_model else came.engine or agents().agents[asked.agent].engine, input_digest=_digest(asked.input),
                output_schema=asked.schema, verdict=came.verdict, code=came.code, to=came.to, confidence=came.confidence,
                cost_sar=came.model.cost_sar if came.model else NO_COST, latency_ms=took, trace_id=telemetry.trace_id(), asked_model=came.model,
            )  # fmt: skip
        await self._record(run)
        if self._meter is not None:
            await self._meter.tell(run, asked.input)


def _digest(given: Mapping[str, Any]) -> str:
    """`salt:sha256` over the salt and the input as JSON with sorted names. Without a salt a telephone number could be found by trying them all."""
    salt = secrets.token_bytes(16)
    plain = json.dumps(given, sort_keys=True, ensure_ascii=False, default=str).encode()
    return f"{salt.hex()}:{hashlib.sha256(salt + plain).hexdigest()}"
