"""Which version of an agent a run takes: execution says, and is told how it ended. Without an answer the usual version runs."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from libs.contracts.canaries import Assigned, AssignRun, CanaryKind, ReportRun, RunOutcome
from libs.contracts.catalogue.agent_versions import AgentVersions, agent_versions
from libs.contracts.errors import Conflict, DealixError
from libs.contracts.message import new_id
from libs.contracts.subjects import ASSIGN_RUN, REPORT_RUN
from libs.runtime.plane import Runtime

log = logging.getLogger(__name__)

T = TypeVar("T")
USUAL = ""
ASK_SECONDS = 2.0
"""How long a run waits to hear which version it takes; after that it takes the usual one."""


class TextsChanged(Conflict):
    def __init__(self, agent: str) -> None:
        super().__init__(
            "agent_texts_changed",
            f"The texts or rules of {agent} are not those that were approved. It waits until they are approved again.",
            f"نصوص الوكيل {agent} أو قواعده تختلف عمّا اعتُمد، وهو متوقف حتى تُعتمد من جديد.",
        )


class Choosing:
    """`versions` is what was approved; another than the catalogue's in tests."""

    def __init__(self, runtime: Runtime, versions: AgentVersions | None = None) -> None:
        self._bus = runtime.bus
        self._versions = versions or agent_versions()
        self._unchanged: dict[tuple[str, str], bool] = {}

    async def run(
        self,
        tenant_id: UUID,
        agent: str,
        work: Callable[[str], Awaitable[T]],
        *,
        refused: Callable[[T], bool],
        run_id: UUID | None = None,
    ) -> T:
        """What an agent answers, in the version that this run takes (`USUAL` for the one that every run takes otherwise).

        An agent has no effect, so that a version of a canary that breaks is answered for by the usual one, and counts as failed.
        A question that cannot be answered by any version says nothing about this one and is not told.
        Raises TextsChanged when the usual version is not what was approved, and whatever it raises itself.
        """
        if not self.approved(agent, USUAL):
            raise TextsChanged(agent)
        run = run_id or new_id()
        assigned = await self._assigned(tenant_id, agent, run)
        try:
            answer = await self._in_version(agent, assigned.version, work)
        except DealixError:
            raise
        except Exception:
            await self._tell(assigned, tenant_id, run, RunOutcome.FAILED)
            if assigned.version == USUAL:
                raise
            log.exception("a version of an agent broke", extra={"ids": {"agent": agent, "version": assigned.version}})
            return await work(USUAL)
        await self._tell(assigned, tenant_id, run, RunOutcome.REFUSED if refused(answer) else RunOutcome.SUCCEEDED)
        return answer

    def approved(self, agent: str, version: str) -> bool:
        """Whether a version is here with exactly the texts that were approved. Files are read once: they are loaded once too."""
        known = self._versions.agents.get(agent)
        name = known.usual if known is not None and version == USUAL else version
        if known is None or name not in known.versions:
            return False
        key = (agent, name)
        if key not in self._unchanged:
            self._unchanged[key] = known.versions[name].unchanged()
        return self._unchanged[key]

    async def _in_version(self, agent: str, version: str, work: Callable[[str], Awaitable[T]]) -> T:
        if not self.approved(agent, version):
            raise RuntimeError(f"{agent} {version} is not here as it was approved")
        return await work(version)

    async def _assigned(self, tenant_id: UUID, agent: str, run_id: UUID) -> Assigned:
        request = AssignRun(tenant_id=tenant_id, kind=CanaryKind.AGENT, target=agent, run_id=run_id)
        try:
            return await self._bus.call(ASSIGN_RUN, request, timeout=ASK_SECONDS)
        except DealixError as error:
            log.warning("execution did not say which version to run: %s", error.code, extra={"ids": {"agent": agent}})
            return Assigned()

    async def _tell(self, assigned: Assigned, tenant_id: UUID, run_id: UUID, outcome: RunOutcome) -> None:
        """A report that is lost leaves a run that does not count."""
        if not assigned.recorded:
            return
        try:
            await self._bus.call(REPORT_RUN, ReportRun(tenant_id=tenant_id, run_id=run_id, outcome=outcome))
        except DealixError as error:
            log.warning("a run could not be reported: %s", error.code, extra={"ids": {"run": str(run_id)}})
