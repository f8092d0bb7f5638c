"""What growth puts in front of people: an experiment that ended, one worth starting, and what a week shows to be weak; and its buttons."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

from libs.contracts.business_time import RIYADH
from libs.contracts.decision import Card, DecideCard, Fact
from libs.contracts.experiments import DecideExperiment, Experiment, ExperimentPlan, StartExperiment
from libs.contracts.learning import ToStop, WeeklyReport
from libs.contracts.message import Principal, PrincipalKind, Provenance, TenantId
from libs.runtime.plane import Runtime
from services.decision.cards.buttons import Act
from services.decision.cards.domain.factory import Happening
from services.decision.cards.domain.happenings import origin
from services.decision.growth.domain.learn import NAMES, week_of
from services.decision.growth.experiments import Experiments
from services.decision.growth.reading import read
from services.decision.growth.store import Trials
from services.decision.growth.trials import Following
from services.decision.growth.weekly import Weekly


class GrowthCards:
    """Follows the tenant's experiments and keeps the report of the week that is over; what they ask of people becomes cards."""

    events = ("experiment_ended", "experiment_proposed", "outreach_weak")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._following = Following(runtime)
        self._weekly = Weekly(runtime)

    async def happenings(self, tenant_id: UUID) -> list[Happening]:
        """Raises what data answers."""
        now = self._runtime.now()
        ready = await self._following.follow(tenant_id)
        who = Principal(id="plane:decision", kind=PrincipalKind.SYSTEM, tenant_id=tenant_id, roles=("operator",))
        week = week_of(now.astimezone(RIYADH).date()) - timedelta(weeks=1)
        report = await self._weekly.kept(who, week)
        async with self._runtime.database.batch(tenant_id) as work:
            ended = [await read(work, tenant_id, one) for one in ready]
            since = await Trials(work).within(tenant_id, report.until, now, 1)
        made = [_ended(one, tenant_id, now) for one in ended]
        made += [_weak(one, report, tenant_id, now) for one in report.stop]
        if report.proposed is not None and not since:
            made.append(_proposed(report.proposed, report, tenant_id, now))
        return made


class GrowthButtons:
    """What a press does, under the name of whoever pressed."""

    def __init__(self, experiments: Experiments) -> None:
        self._experiments = experiments
        self.acts: dict[str, Act] = {
            "keep_tried": self.keep,
            "revert_tried": self.revert,
            "start_experiment": self.start,
        }

    async def keep(self, card: Card, request: DecideCard) -> str:
        return await self._decide(card, request, "keep")

    async def revert(self, card: Card, request: DecideCard) -> str:
        return await self._decide(card, request, "revert")

    async def start(self, card: Card, request: DecideCard) -> str:
        """The plan as the card held it. Raises Forbidden, BadPlan, OneAtATime."""
        plan = ExperimentPlan.model_validate_json(str(card.context["plan"]))
        asked = StartExperiment(principal=request.principal, experiment_id=uuid5(card.card_id, "start"), plan=plan)
        return f"experiment:{(await self._experiments.start(asked)).experiment_id}"

    async def _decide(self, card: Card, request: DecideCard, decision: Literal["keep", "revert"]) -> str:
        id = UUID(str(card.context["experiment_id"]))
        said = DecideExperiment(
            principal=request.principal, experiment_id=id, decision=decision, note=request.note.strip()[:1000]
        )
        await self._experiments.decide(said)
        return f"experiment:{id}"


def _ended(one: Experiment, tenant_id: TenantId, now: datetime) -> Happening:
    first, second = one.arms
    facts = tuple(
        Fact(label_ar=arm.name.ar, label_en=arm.name.en, value=f"{arm.replied}/{arm.counted}", ltr=True)
        for arm in (first, second)
    )
    return Happening(
        event="experiment_ended", tenant_id=tenant_id, subject=str(one.experiment_id), values={"second": second.name, "result": one.said},
        risk="low", facts=facts, context={"experiment_id": str(one.experiment_id)},
        provenance=origin(now=now, confidence=0.95, freshness=0.0, sources_read=(f"experiment:{one.experiment_id}",)),
    )  # fmt: skip


def _weak(one: ToStop, report: WeeklyReport, tenant_id: TenantId, now: datetime) -> Happening:
    named = NAMES[one.dimension]
    return Happening(
        event="outreach_weak", tenant_id=tenant_id, subject=f"{report.week}:{one.dimension}", values={"what": named, "why": one.why},
        risk="medium", context={"week": str(report.week)}, provenance=_of(report, now),
    )  # fmt: skip


def _proposed(plan: ExperimentPlan, report: WeeklyReport, tenant_id: TenantId, now: datetime) -> Happening:
    return Happening(
        event="experiment_proposed", tenant_id=tenant_id, subject=str(report.week), values={"plan": report.next_said}, risk="low",
        context={"week": str(report.week), "plan": plan.model_dump_json()}, provenance=_of(report, now),
    )  # fmt: skip


def _of(report: WeeklyReport, now: datetime) -> Provenance:
    return origin(
        now=now, confidence=report.provenance.confidence, freshness=report.provenance.freshness_hours, sources_read=(f"weekly_report:{report.week}",)
    )  # fmt: skip
