"""Growth experiments: what they say, and where a person starts and decides one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from libs.contracts import experiments as contract
from libs.contracts.errors import DealixError, Invalid
from libs.contracts.experiments import Experiment, ExperimentArm, ExperimentPlan, ExperimentState, PossibleArm, Varies
from libs.contracts.learning import Arm
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import DECIDE_EXPERIMENT, EXPERIMENT, EXPERIMENTS, START_EXPERIMENT
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab, Tone
from services.gateway.domain.cursors import wrap
from services.gateway.http.bodies import PagingDep
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
PROPOSING = require("submit")
METRIC = "experiment_reply_rate"
STATES: dict[ExperimentState, tuple[str, str, Tone]] = {
    ExperimentState.RUNNING: ("جارية", "Running", "medium"), ExperimentState.READY: ("تنتظر القرار", "To be decided", "high"),
    ExperimentState.DECIDED: ("حُسمت", "Decided", "low"), ExperimentState.STOPPED: ("أُوقفت", "Stopped", "neutral"),
}  # fmt: skip
VARIES: dict[Varies, tuple[str, str]] = {
    Varies.MESSAGE: ("نص الرسالة", "Message"), Varies.CHANNEL: ("القناة", "Channel"), Varies.LANGUAGE: ("اللغة", "Language"),
    Varies.TONE: ("النبرة", "Tone"),
}  # fmt: skip
DECISIONS = {
    "keep": ("اعتماد المجرَّب", "Keep what was tried"), "revert": ("الرجوع إلى السابق", "Go back"), "stop": ("أُوقفت قبل أوانها", "Stopped early"),
}  # fmt: skip


def tabs(desk: Desk, active: str) -> tuple[Tab, ...]:
    named = (("weekly", "ما تعلّمناه", "What we learnt"), ("experiments", "التجارب", "Experiments"))
    return tuple(Tab(key, desk.say(ar, en), url(key), key == active) for key, ar, en in named)


async def shown(desk: Desk, key: str, title: str, *sections: Section, error: str = "", status: int = 200) -> Response:
    page = DeskPage("weekly", title, sections, tabs(desk, key), desk.say("النمو", "Growth"), error)
    return await desk.show(page, status=status)


def rate_shown(one: Arm | ExperimentArm) -> str:
    if one.rate is None or one.low is None or one.high is None:
        return ""
    return f"{one.rate:.1%} ({one.low:.1%}–{one.high:.1%})"


@router.get(PATHS["experiments"], dependencies=[READING])
async def experiments(desk: DeskDep, paging: PagingDep) -> Response:
    return await _listed(desk, paging.page(desk.gateway, desk.who))


async def _listed(desk: Desk, page: Page | None = None, *, error: str = "", status: int = 200) -> Response:
    asked = contract.ExperimentsRequest(principal=desk.who, page=page or Page())
    found: contract.ExperimentsReply = await desk.call(EXPERIMENTS, asked)
    more = wrap(desk.gateway.keyring, desk.who.tenant_id, found.next_cursor)
    columns = (
        desk.say("الفرضية", "Hypothesis"),
        desk.say("الحالة", "State"),
        desk.say("النتيجة", "Finding"),
        desk.say("تنتهي", "Ends"),
    )
    rows = []
    for one in found.items:
        ar, en, tone = STATES[one.state]
        name = Cell(one.plan.hypothesis, href=url("experiment", str(one.experiment_id)))
        rows.append((name, Cell(desk.say(ar, en), tone=tone), Cell(desk.text(one.said)), Cell(one.ends_at, "moment")))
    section = Section(
        desk.say("التجارب", "Experiments"),
        desk.say(
            "لا ترسل التجربة شيئًا: تختار بالقرعة صيغة رسالة أولى كانت ستُكتب، لمن يجوز التواصل معهم وحدهم.",
            "An experiment sends nothing: it draws how first messages are written that would be written anyway, for those alone who may be contacted.",
        ),
        columns=columns, rows=tuple(rows), links={desk.say("المزيد", "More"): url("experiments", cursor=more)} if more else {},
        empty=desk.say("لا تجارب بعد.", "No experiments yet."),
    )  # fmt: skip
    forms = (_start_form(desk, found.possible),) if allowed(desk.who, "submit") is not None else ()
    begin = (Section(desk.say("ابدأ تجربة", "Start an experiment"), forms=forms),) if forms else ()
    title = desk.say("تجارب النمو", "Growth experiments")
    return await shown(desk, "experiments", title, section, *begin, error=error, status=status)


def _start_form(desk: Desk, possible: Sequence[PossibleArm]) -> DeskForm:
    arms = tuple(
        (f"{one.varies}:{one.key}", f"{desk.say(*VARIES[one.varies])}: {desk.text(one.name)}") for one in possible
    )
    other = arms[1][0] if len(arms) > 1 else ""
    return DeskForm(
        "start", url("experiments"), desk.say("ابدأ", "Start"),
        (
            Input("hypothesis", desk.say("الفرضية", "Hypothesis"), "long"),
            Input("first", desk.say("الحالي", "What is done now"), "select", options=arms),
            Input("second", desk.say("المجرَّب", "What is tried"), "select", other, options=arms, hint=desk.say("من نوع الحالي نفسه.", "Of the same kind.")),
            Input("baseline", desk.say("نسبة الرد الحالية (%)", "Replies now (%)"), "number", step="0.1"),
            Input("detects", desk.say("النسبة المرجوّة (%)", "Replies hoped for (%)"), "number", step="0.1"),
            Input("sample_size", desk.say("جهات لكل طرف", "Contacts an arm"), "number", hint=desk.say("30 على الأقل.", "At least 30.")),
            Input("max_days", desk.say("أقصى مدة بالأيام", "Days at most"), "number", "60"),
        ),
        columns=True, text=desk.say("لا تتغير الخطة بعد البدء، ولا نتيجة قبل قاعدة التوقف.", "The plan is fixed once it starts; no result before the stop rule is met."),
    )  # fmt: skip


@router.post(PATHS["experiments"], dependencies=[PROPOSING])
async def start(
    desk: DeskDep, hypothesis: Annotated[str, Form(max_length=500)],
    first: Annotated[str, Form(max_length=80)], second: Annotated[str, Form(max_length=80)],
    baseline: Annotated[float, Form()], detects: Annotated[float, Form()], sample_size: Annotated[int, Form()], max_days: Annotated[int, Form()],
) -> Response:  # fmt: skip
    """Start one; what is wrong with the plan is told on the same page."""
    (varies, now), (other, tried) = (one.partition(":")[::2] for one in (first, second))
    if varies != other:
        unlike = Invalid("bad_plan", "The two differ in more than one thing: choose two of one kind.", "يختلف الخياران في أكثر من شيء: اختر اثنين من نوع واحد.")  # fmt: skip
        return await _listed(desk, error=desk.error(unlike), status=unlike.status)
    try:
        plan = ExperimentPlan(
            hypothesis=hypothesis.strip(), metric=METRIC, varies=Varies(varies), arms=(now, tried), baseline=baseline / 100,
            detects=detects / 100, sample_size=sample_size, max_days=max_days,
        )  # fmt: skip
        asked = contract.StartExperiment(principal=desk.who, experiment_id=new_id(), plan=plan)
        begun: Experiment = await desk.call(START_EXPERIMENT, asked)
    except ValueError:  # a value that no plan has, or a kind that there is not
        wrong = Invalid(
            "bad_plan",
            "A plan needs a hypothesis of 10 letters, shares between 0 and 100 %, at least 30 contacts an arm, and 7 to 180 days.",
            "تحتاج الخطة فرضية من 10 أحرف، ونسبًا بين 0 و100%، و30 جهة على الأقل لكل طرف، ومدة من 7 إلى 180 يومًا.",
        )
        return await _listed(desk, error=desk.error(wrong), status=wrong.status)
    except DealixError as error:
        return await _listed(desk, error=desk.error(error), status=error.status)
    return desk.go("experiment", str(begun.experiment_id))


@router.get(PATHS["experiment"], dependencies=[READING])
async def experiment(id: UUID, desk: DeskDep) -> Response:
    return await _one(desk, id)


async def _one(desk: Desk, id: UUID, *, error: str = "", status: int = 200) -> Response:
    found: Experiment = await desk.call(EXPERIMENT, contract.ExperimentGet(principal=desk.who, experiment_id=id))
    plan = found.plan
    ar, en, tone = STATES[found.state]
    facts = [
        (desk.say("الحالة", "State"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("ما يتغير", "What varies"), Cell(desk.say(*VARIES[plan.varies]))),
        (desk.say("المؤشر", "Metric"), Cell(plan.metric, "ltr", href=url("metric_rows", plan.metric))),
        (desk.say("ما يُبحث عنه", "What is looked for"), Cell(f"{plan.baseline:.1%} → {plan.detects:.1%}", "ltr")),
        (desk.say("جهات لكل طرف", "Contacts an arm"), Cell(str(plan.sample_size), "ltr")),
        (desk.say("اللازم لكشفه (قوة 80%)", "Needed to find it (power 80%)"), Cell(str(found.needed), "ltr", tone="high" if found.underpowered else "")),
        (desk.say("بدأت", "Started"), Cell(found.started_at, "moment")),
        (desk.say("تنتهي", "Ends"), Cell(found.ends_at, "moment")),
    ]  # fmt: skip
    if found.decision:
        facts.append((desk.say("القرار", "Decision"), Cell(desk.say(*DECISIONS[found.decision]))))
        facts.append((desk.say("بقرار", "By"), Cell(found.decided_by)))
        facts.append((desk.say("ملاحظة", "Note"), Cell(found.note)))
    columns = (
        desk.say("الطرف", "Arm"), desk.say("في القرعة", "Drawn"), desk.say("وصلتهم", "Reached"), desk.say("محتسبون", "Counted"),
        desk.say("ردّوا", "Answered"), desk.say("النسبة ومجالها (95%)", "Share, interval (95%)"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(desk.text(arm.name)), Cell(str(arm.assigned), "ltr"), Cell(str(arm.reached), "ltr"), Cell(str(arm.counted), "ltr"),
            Cell("" if arm.replied is None else str(arm.replied), "ltr"), Cell(rate_shown(arm), "ltr"),
        )
        for arm in found.arms
    )  # fmt: skip
    says = Section(
        desk.say("ما تقوله", "What it says"),
        desk.text(found.said),
        columns=columns,
        rows=rows,
        forms=_forms(desk, found),
    )
    about = Section(desk.say("الخطة", "The plan"), plan.hypothesis, facts=tuple(facts))
    page = DeskPage(
        "weekly", desk.say("تجربة", "Experiment"), (says, about), error=error, back=url("experiments"),
        back_label=desk.say("التجارب", "Experiments"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _forms(desk: Desk, found: Experiment) -> tuple[DeskForm, ...]:
    if allowed(desk.who, "submit") is None or found.state in (ExperimentState.DECIDED, ExperimentState.STOPPED):
        return ()
    ready = found.state is ExperimentState.READY
    options = tuple((key, desk.say(*DECISIONS[key])) for key in (("keep", "revert") if ready else ("stop",)))
    inputs = (
        Input("decision", desk.say("القرار", "Decision"), "select", options[0][0], options=options),
        Input("note", desk.say("السبب", "Why"), required=not ready),
    )
    verb = desk.say("سجّل القرار", "Record the decision") if ready else desk.say("أوقف التجربة", "Stop the experiment")
    return (
        DeskForm(
            "decision", url("experiment_decide", str(found.experiment_id)), verb, inputs, danger=not ready, columns=True
        ),
    )


@router.post(PATHS["experiment_decide"], dependencies=[PROPOSING])
async def decide(
    id: UUID, desk: DeskDep, decision: Annotated[Literal["keep", "revert", "stop"], Form()], note: Annotated[str, Form(max_length=1000)] = ""
) -> Response:  # fmt: skip
    """Put down what was decided; what is wrong with it is told on the same page."""
    wanted = contract.DecideExperiment(principal=desk.who, experiment_id=id, decision=decision, note=note)
    try:
        await desk.call(DECIDE_EXPERIMENT, wanted)
    except DealixError as error:
        return await _one(desk, id, error=desk.error(error), status=error.status)
    return desk.go("experiment", str(id))
