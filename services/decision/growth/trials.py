"""Experiments at work: which arm a first message takes, what became of those reached, and when the stop rule is met.

An experiment sends nothing. It says how a draft is written that would be written anyway; the draft goes through trust and people like any.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.decision import FIRST
from libs.contracts.experiments import ExperimentState, Varies
from libs.contracts.learning import OutcomesRequest, Touch
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.subjects import AUDITED, OUTCOMES
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.decision.growth.domain.trial import counts, drawn, may_take_part, over
from services.decision.growth.store import Kept, Trials
from services.decision.targeting.domain.rank import Ranked

BATCH = 5000


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a draft is written because of an experiment."""

    experiment_id: UUID
    varies: Varies
    arm: str

    def version(self) -> str | None:
        return self.arm if self.varies is Varies.MESSAGE else None

    def manner(self) -> dict[str, Any]:
        """What of the writer's choices is given."""
        return {} if self.varies is Varies.MESSAGE else {self.varies.value: self.arm}


class Following:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def treatment(self, tenant: UUID, one: Ranked, purpose: str) -> Treatment | None:
        """The arm of a lead's account in the experiment that runs, and put down that it is; None where none runs or it may take no part.

        The draw is on record before anything is written, so that what becomes of the draft can't change who is in which arm."""
        if purpose != FIRST:
            return None
        now = self._runtime.now()
        async with self._runtime.database.batch(tenant) as work:
            store = Trials(work)
            found = next(iter(await store.in_state(tenant, ExperimentState.RUNNING)), None)
            if (
                found is None
                or now >= ends_at(found)
                or not may_take_part(found.plan, one)
                or one.lead.contact_id is None
            ):
                return None
            arm = drawn(found.experiment_id, one.lead.account_id, found.plan.arms)
            await store.enrol(
                tenant, found.experiment_id, one.lead.account_id, one.lead.lead_id, one.lead.contact_id, arm, now
            )
        return Treatment(found.experiment_id, found.plan.varies, arm)

    async def follow(self, tenant: UUID) -> list[Kept]:
        """Read what became of those reached, put down whose stop rule is met, and answer with those that wait for a decision.

        Raises what data answers."""
        async with self._runtime.database.batch(tenant) as work:
            running = await Trials(work).in_state(tenant, ExperimentState.RUNNING)
        for one in running:
            await self._settle(tenant, one)
        async with self._runtime.database.batch(tenant) as work:
            return await Trials(work).in_state(tenant, ExperimentState.READY)

    async def _settle(self, tenant: UUID, one: Kept) -> None:
        now, plan = self._runtime.now(), one.plan
        touches = await self._touches(tenant, one, now)
        async with self._runtime.database.batch(tenant) as work:
            store = Trials(work)
            await store.came(tenant, one.experiment_id, touches, now - timedelta(days=plan.answer_days))
            subjects = await store.subjects(tenant, one.experiment_id)
            if not over(plan, one.started_at, subjects, now):
                return
            outcome = {arm: counts(subjects, arm) for arm in plan.arms}
            if await store.met(tenant, one.experiment_id, now, outcome):
                entry(
                    work, tenant, "plane:decision", "experiment.ended", one.experiment_id, {"metric": plan.metric}, now
                )

    async def _touches(self, tenant: UUID, one: Kept, now: datetime) -> list[Touch]:
        async with self._runtime.database.batch(tenant) as work:
            drafts = await Trials(work).unsettled(tenant, one.experiment_id)
        who = Principal(id="plane:decision", kind=PrincipalKind.SYSTEM, tenant_id=tenant, roles=("operator",))
        found: list[Touch] = []
        for begin in range(0, len(drafts), BATCH):
            asked = OutcomesRequest(
                principal=who, since=one.started_at, until=min(now, ends_at(one)), reply_days=one.plan.answer_days,
                drafts=tuple(drafts[begin : begin + BATCH]), drafts_only=True, most=BATCH,
            )  # fmt: skip
            found += (await self._runtime.bus.call(OUTCOMES, asked)).touches
        return found


def ends_at(one: Kept) -> datetime:
    """Nobody is drawn or reached for it any more from then on; whoever was reached still has time to answer."""
    return one.started_at + timedelta(days=one.plan.max_days)


def entry(work: BatchWork, tenant: UUID, by: str, kind: str, id: UUID, data: dict[str, Any], at: datetime) -> None:
    """A line of the ledger, in the transaction that it tells of."""
    work.emit(
        AUDITED[Plane.DECISION],
        AuditRecorded(
            entry_id=new_id(), tenant_id=tenant, kind=kind, actor=by, target=f"experiment:{id}", at=at, data=data,
            trace_id=telemetry.trace_id(),
        ),
    )  # fmt: skip
