"""Experiments read: which plans can be carried out, what arms are called, and what an experiment says now."""

from __future__ import annotations

from uuid import UUID

from libs.contracts.catalogue.agent_versions import agent_versions
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.experiments import Experiment, ExperimentPlan, ExperimentState, PossibleArm, Varies
from libs.contracts.message import Text
from libs.runtime.database import BatchWork
from services.decision.agents.outreach.writer import AGENT as WRITER
from services.decision.growth.domain.chance import per_arm
from services.decision.growth.domain.trial import CHANNELS, counts, judged, shown
from services.decision.growth.errors import BadPlan
from services.decision.growth.store import Kept, Trials
from services.decision.growth.trials import ends_at

_NAMES = {
    "ar": Text(en="Arabic", ar="العربية"), "en": Text(en="English", ar="الإنجليزية"),
    "formal": Text(en="Formal", ar="رسمية"), "warm": Text(en="Warm", ar="ودّية"),
}  # fmt: skip


def check(plan: ExperimentPlan) -> None:
    """Raises BadPlan for one that could not be carried out, or would show nothing."""
    if plan.arms[0] == plan.arms[1] or plan.baseline == plan.detects:
        raise BadPlan(
            "Two different arms and two different shares are needed.", "يلزم خياران مختلفان ونسبتان مختلفتان."
        )
    countable = sorted(name for name, rule in metrics().items() if "arm" in rule.dimensions)
    if plan.metric not in countable:
        raise BadPlan(
            f"The dictionary counts {', '.join(countable)} by arm, and not {plan.metric}.",
            f"المؤشرات التي يحسبها القاموس لكل طرف: {'، '.join(countable)}، وليس منها {plan.metric}.",
        )
    possible = possible_arms(plan.varies)
    if strange := [arm for arm in plan.arms if arm not in possible]:
        raise BadPlan(
            f"{strange[0]} can't be tried here. Possible: {', '.join(possible)}.",
            f"لا تمكن تجربة {strange[0]} هنا. الممكن: {'، '.join(possible)}.",
        )


def possible_arms(varies: Varies) -> tuple[str, ...]:
    """What an arm may be: for a message the versions that were approved and evaluated."""
    match varies:
        case Varies.MESSAGE:
            known = agent_versions()
            return tuple(one for one in known.agents[WRITER].versions if known.ready(WRITER, one))
        case Varies.CHANNEL:
            return CHANNELS
        case Varies.LANGUAGE:
            return ("ar", "en")
        case Varies.TONE:
            return ("formal", "warm")


def all_possible() -> tuple[PossibleArm, ...]:
    """Every arm that a plan may have, with its name."""
    return tuple(
        PossibleArm(varies=varies, key=arm, name=arm_name(varies, arm))
        for varies in Varies
        for arm in possible_arms(varies)
    )


def arm_name(varies: Varies, arm: str) -> Text:
    if varies is Varies.CHANNEL and (named := targeting().channels.get(arm)) is not None:
        return Text(en=named.en, ar=named.ar)
    return _NAMES.get(arm, Text(en=arm, ar=arm))


async def read(work: BatchWork, tenant: UUID, kept: Kept) -> Experiment:
    """One that ended as the stop rule found it; else from the rows as they are, without who answered."""
    plan = kept.plan
    needed = per_arm(plan.baseline, plan.detects)
    told = kept.outcome is not None
    outcome = kept.outcome
    if outcome is None:
        subjects = await Trials(work).subjects(tenant, kept.experiment_id)
        outcome = {arm: counts(subjects, arm) for arm in plan.arms}
    first, second = (outcome[arm] for arm in plan.arms)
    result, said = (
        judged(plan, first, second) if told else (None, _unfinished(kept, min(first.counted, second.counted)))
    )
    arms = tuple(shown(arm, arm_name(plan.varies, arm), outcome[arm], told=told) for arm in plan.arms)
    return Experiment(
        experiment_id=kept.experiment_id, plan=plan, state=kept.state, started_by=kept.started_by, started_at=kept.started_at,
        ends_at=ends_at(kept), needed=needed, underpowered=plan.sample_size < needed, arms=(arms[0], arms[1]), result=result, said=said,
        met_at=kept.met_at, decision=kept.decision, decided_by=kept.decided_by, decided_at=kept.decided_at, note=kept.note,
    )  # fmt: skip


def _unfinished(kept: Kept, least: int) -> Text:
    if kept.state is ExperimentState.STOPPED:
        return Text(
            en="Stopped before its stop rule was met: it has no result.",
            ar="أُوقفت قبل تحقق قاعدة التوقف، فلا نتيجة لها.",
        )
    return Text(
        en=f"Not known yet: {least} of {kept.plan.sample_size} contacts count in the smaller arm.",
        ar=f"لا يُعرف بعد. المحتسبون في الطرف الأصغر: {least} من {kept.plan.sample_size}.",
    )
