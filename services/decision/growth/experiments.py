"""Experiments as people see and decide them: the plan before the start, the result from rows once the stop rule is met."""

from __future__ import annotations

from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.experiments import (
    DecideExperiment,
    Experiment,
    ExperimentGet,
    ExperimentsReply,
    ExperimentsRequest,
    ExperimentState,
    StartExperiment,
)
from libs.contracts.message import Principal
from libs.contracts.paging import before, page_of
from libs.runtime.plane import Runtime
from services.decision.cards.watch import Watch
from services.decision.growth.errors import AlreadyDecided, OneAtATime, RuleMet, TooEarly, WhyStopped
from services.decision.growth.reading import all_possible, check, read
from services.decision.growth.store import Trials
from services.decision.growth.trials import entry

MAY_START = frozenset({"owner", "admin", "operator", "approver"})


class Experiments:
    def __init__(self, runtime: Runtime, watch: Watch) -> None:
        self._runtime = runtime
        self._watch = watch

    async def start(self, request: StartExperiment) -> Experiment:
        """Keep the plan; from here on it is fixed. The same id again changes nothing. Raises Forbidden, BadPlan, OneAtATime."""
        who, plan, now = request.principal, request.plan, self._runtime.now()
        _require(who)
        check(plan)
        async with self._runtime.database.batch(who.tenant_id) as work:
            store = Trials(work)
            if await store.add(who.tenant_id, request.experiment_id, plan, who.id, now):
                data = {"metric": plan.metric, "varies": plan.varies.value}
                entry(work, who.tenant_id, who.id, "experiment.started", request.experiment_id, data, now)
                await self._watch.ask(work, who.tenant_id)
            elif await store.get(who.tenant_id, request.experiment_id) is None:
                raise OneAtATime
        return await self.get(ExperimentGet(principal=who, experiment_id=request.experiment_id))

    async def get(self, request: ExperimentGet) -> Experiment:
        async with self._runtime.database.batch(request.principal.tenant_id) as work:
            found = await Trials(work).get(request.principal.tenant_id, request.experiment_id)
            if found is None:
                raise NotFound
            return await read(work, request.principal.tenant_id, found)

    async def page(self, request: ExperimentsRequest) -> ExperimentsReply:
        """The newest first."""
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = await Trials(work).page(tenant, before(request.page), request.page.limit + 1)
            found, more = page_of(rows, request.page.limit, lambda one: one.experiment_id)
            return ExperimentsReply(
                items=tuple([await read(work, tenant, one) for one in found]), next_cursor=more, possible=all_possible()
            )

    async def decide(self, request: DecideExperiment) -> Experiment:
        """Raises Forbidden, NotFound, TooEarly, RuleMet, WhyStopped, AlreadyDecided."""
        who, now = request.principal, self._runtime.now()
        _require(who)
        async with self._runtime.database.batch(who.tenant_id) as work:
            store = Trials(work)
            found = await store.get(who.tenant_id, request.experiment_id)
            if found is None:
                raise NotFound
            after = _after(found.state, request)
            note = request.note.strip()
            if not await store.decided(
                who.tenant_id, request.experiment_id, found.state, after, request.decision, who.id, now, note
            ):
                raise AlreadyDecided
            entry(
                work,
                who.tenant_id,
                who.id,
                "experiment.decided",
                request.experiment_id,
                {"decision": request.decision},
                now,
            )
            await self._watch.ask(work, who.tenant_id)
        return await self.get(ExperimentGet(principal=who, experiment_id=request.experiment_id))


def _after(state: ExperimentState, request: DecideExperiment) -> ExperimentState:
    if state in (ExperimentState.DECIDED, ExperimentState.STOPPED):
        raise AlreadyDecided
    if request.decision == "stop":
        if state is ExperimentState.READY:
            raise RuleMet
        if not request.note.strip():
            raise WhyStopped
        return ExperimentState.STOPPED
    if state is not ExperimentState.READY:
        raise TooEarly
    return ExperimentState.DECIDED


def _require(who: Principal) -> None:
    if not MAY_START & set(who.roles):
        raise Forbidden
