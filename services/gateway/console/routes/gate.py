"""The security gate and those who act: what was found in texts from outside, agents with their trust score, suspend and resume."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import governance, screening
from libs.contracts.catalogue.agents import agents
from libs.contracts.catalogue.skills import skills
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.governance import Kind, TrustScore
from libs.contracts.message import Page
from libs.contracts.screening import FindingState, GateFinding
from libs.contracts.subjects import DECIDE_FINDING, FINDINGS, SET_STANDING, TRUST_SCORE
from services.gateway.console.actors import term, terms
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.routes.compliance import Tone
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab
from services.gateway.http.governance import ShownAgent, shown_agents
from services.gateway.http.guards import allowed, require

router = APIRouter()

READING = require("evidence")
DECIDING = require("approve")
CONTROLLING = require("control")
STATES: dict[str, tuple[str, str, Tone]] = {
    "open": ("محجوز", "In quarantine", "high"), "confirmed": ("مؤكد", "Confirmed", "medium"), "released": ("أُفرج عنه", "Released", "low"),
}  # fmt: skip
ACTING: dict[str, tuple[str, str, Tone]] = {
    "active": ("يعمل", "Active", "low"), "suspended": ("موقوف", "Suspended", "high"), "skill_changed": ("تغيّرت مهارته", "Its skill changed", "high"),
}  # fmt: skip
ENGINES = {
    "template": ("نصوص معتمدة", "Reviewed texts"),
    "rules": ("قواعد", "Rules"),
    "embeddings": ("قواعد ومعنى الجمل بنموذج محلي", "Rules, and the meaning of sentences by a local model"),
    "none": ("لا محرك بعد", "No engine yet"),
}


@router.get(PATHS["gate"], dependencies=[READING])
async def gate(
    desk: DeskDep, state: FindingState | None = None, cursor: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    request = screening.FindingsRequest(principal=desk.who, state=state, page=Page(cursor=cursor or None))
    found: screening.FindingsReply = await desk.call(FINDINGS, request)
    more = url("gate", state=state, cursor=found.next_cursor) if found.next_cursor else ""
    columns = (
        desk.say("الملاحظة", "What"), desk.say("السجل", "Record"), desk.say("الحقل", "Field"), desk.say("بند OWASP", "OWASP item"),
        desk.say("الحالة", "State"), desk.say("الوقت", "When"),
    )  # fmt: skip
    findings = Section(
        desk.say("نصوص محجوزة", "Texts in quarantine"),
        desk.say(
            "وردت هذه النصوص من الخارج. تبقى كما هي، ولا يُنفَّذ إجراء على سجلاتها إلا بموافقة شخص، إلى أن يُفرج عنها.",
            "These texts came from outside. They are kept as they are; until somebody releases one, a person approves each action on its records.",
        ),
        columns=columns, rows=tuple(_finding(desk, one) for one in found.items),
        empty=desk.nothing("findings", chosen=state is not None),
        links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip
    who = await shown_agents(desk.gateway, desk.who)
    heads = (
        desk.say("الوكيل", "Agent"),
        desk.say("المهارة", "Skill"),
        desk.say("المحرك", "Engine"),
        desk.say("الحالة", "State"),
    )
    acting = Section(desk.say("الوكلاء", "Agents"), columns=heads, rows=tuple(_agent(desk, one) for one in who),
        links={desk.say("تشغيل الوكلاء", "Runs of agents"): url("agent_runs")})  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("gate"), state is None),
        *(Tab(k, desk.say(ar, en), url("gate", state=k), state is not None and state.value == k) for k, (ar, en, _) in STATES.items()),
    )  # fmt: skip
    title = desk.say("بوابة الأمان والوكلاء", "Security gate and agents")
    return await desk.show(DeskPage("gate", title, (findings, acting), tabs, desk.say("الحالات", "States")))


def _finding(desk: Desk, one: GateFinding) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state.value]
    return (
        Cell(desk.say(one.ar, one.en), href=url("gate_finding", str(one.finding_id))), Cell(one.subject, "ltr"), Cell(one.field, "ltr"),
        Cell(one.owasp, "ltr"), Cell(desk.say(ar, en), tone=tone), Cell(one.found_at, "moment"),
    )  # fmt: skip


def _agent(desk: Desk, one: ShownAgent) -> tuple[Cell, ...]:
    ar, en, tone = ACTING[one.state]
    return (
        Cell(term(desk.lang, one.agent.id), href=url("gate_agent", one.agent.id)), Cell(one.agent.skill, "ltr"),
        Cell(desk.say(*ENGINES[one.agent.engine])), Cell(desk.say(ar, en), tone=tone),
    )  # fmt: skip


@router.get(PATHS["gate_finding"], dependencies=[READING])
async def finding(id: UUID, desk: DeskDep) -> Response:
    return await _show_finding(desk, id)


async def _show_finding(desk: Desk, id: UUID, *, error: str = "", reason: str = "", status: int = 200) -> Response:
    request = screening.FindingsRequest(principal=desk.who, page=Page(limit=200))
    found: screening.FindingsReply = await desk.call(FINDINGS, request)
    one = next((f for f in found.items if f.finding_id == id), None)
    if one is None:
        raise NotFound
    ar, en, tone = STATES[one.state.value]
    facts = [
        (desk.say("الحالة", "State"), Cell(desk.say(ar, en), tone=tone)), (desk.say("السجل", "Record"), Cell(one.subject, "ltr")),
        (desk.say("الحقل", "Field"), Cell(one.field, "ltr")), (desk.say("المصدر", "Came by"), Cell(one.source, "ltr")),
        (desk.say("بند OWASP", "OWASP item"), Cell(one.owasp, "ltr")), (desk.say("الوقت", "When"), Cell(one.found_at, "moment")),
    ]  # fmt: skip
    if one.decided_by:
        facts += [
            (desk.say("حسمه", "Decided by"), Cell(one.decided_by, "ltr")),
            (desk.say("السبب", "Why"), Cell(one.reason)),
        ]
    forms: tuple[DeskForm, ...] = ()
    if one.state is not FindingState.RELEASED and allowed(desk.who, "approve") is not None:
        why = Input("reason", desk.say("السبب (10 أحرف فأكثر)", "Why (10 characters or more)"), "long", value=reason)
        path = url("gate_decide", str(id))
        forms = (
            DeskForm("release", f"{path}?state=released", desk.say("أفرج عن النص", "Release the text"), (why,)),
            DeskForm("confirm", f"{path}?state=confirmed", desk.say("أبقِه محجوزًا", "Keep it in quarantine"), (why,), quiet=True),
        )  # fmt: skip
    section = Section(desk.say("ما وُجد", "What was found"), facts=tuple(facts), forms=forms)
    page = DeskPage(
        "gate", desk.say(one.ar, one.en), (section,), error=error, back=url("gate"), back_label=desk.say("بوابة الأمان", "Security gate")
    )  # fmt: skip
    return await desk.show(page, status=status)


@router.post(PATHS["gate_decide"], dependencies=[DECIDING])
async def decide(
    id: UUID, desk: DeskDep, state: FindingState, reason: Annotated[str, Form(max_length=2000)] = ""
) -> Response:
    """A person's word on a finding; a refusal is shown beside what was written."""
    if len(reason) < 10:
        said = desk.say("اكتب السبب في 10 أحرف فأكثر.", "Write why in at least 10 characters.")
        return await _show_finding(desk, id, error=said, reason=reason, status=422)
    try:
        await desk.call(
            DECIDE_FINDING,
            screening.DecideFinding(principal=desk.who, finding_id=id, state=state, reason=reason),
        )
    except DealixError as error:
        return await _show_finding(desk, id, error=desk.error(error), reason=reason, status=error.status)
    return desk.go("gate_finding", str(id))


@router.get(PATHS["gate_agent"], dependencies=[READING])
async def agent(id: str, desk: DeskDep) -> Response:
    return await _show_agent(desk, id)


async def _show_agent(desk: Desk, id: str, *, error: str = "", status: int = 200) -> Response:
    one = next((a for a in await shown_agents(desk.gateway, desk.who) if a.agent.id == id), None)
    if one is None:
        raise NotFound
    score: TrustScore = await desk.call(TRUST_SCORE, governance.TrustScoreGet(principal=desk.who, kind="agent", id=id))
    ar, en, tone = ACTING[one.state]
    skill = skills().skills[one.agent.skill]
    facts = (
        (desk.say("الغرض", "Purpose"), Cell(desk.say(one.purpose.ar, one.purpose.en))),
        (desk.say("الحالة", "State"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("المهارة", "Skill"), Cell(one.agent.skill, "ltr")),
        (desk.say("بصمة المهارة", "Hash of the skill"), Cell(skill.hash[:16], "ltr")),
        (desk.say("يجوز له", "It may ask for"), Cell(terms(desk.lang, skill.allowed_effects))),
    )
    forms: tuple[DeskForm, ...] = ()
    reach = allowed(desk.who, "control")
    if reach is not None:
        stopped = one.standing is not None and one.standing.suspended
        why = Input("reason", desk.say("السبب", "Why"))
        verb = desk.say("أعد تشغيله", "Let it act again") if stopped else desk.say("أوقف الوكيل", "Suspend the agent")
        forms = (
            DeskForm(
                "stand",
                f"{url('gate_stand', id)}?suspended={str(not stopped).lower()}",
                verb,
                (why,),
                danger=not stopped,
            ),
        )
    shown = desk.say("لا بيانات", "No data") if score.score is None else f"{score.score:g} / 100"
    thin = desk.say("الصفوف قليلة، فلا أثر لها بعد.", "There are few rows, so it has no effect yet.")
    parts = Section(
        f"{desk.say('درجة الثقة', 'Trust score')}: {shown}",
        f"{desk.say(score.effect_ar, score.effect_en)} {thin if score.state.value == 'thin' else ''}".strip(),
        columns=(desk.say("العامل", "Factor"), desk.say("الوزن", "Weight"), desk.say("من", "Good of"), desk.say("القيمة", "Value")),
        rows=tuple(
            (
                Cell(desk.say(p.ar, p.en)), Cell(f"{p.weight:.0%}", "ltr"), Cell(f"{p.good} / {p.rows}", "ltr"),
                Cell(desk.say("لا بيانات", "No data") if p.value is None else f"{p.value:g}"),
            )
            for p in score.parts
        ),
    )  # fmt: skip
    links = {desk.say("كل مرة سُئل فيها", "Each time it was asked"): url("agent_runs", agent=id)}
    if one.agent.engine != "none" and allowed(desk.who, "submit") is not None:
        links[desk.say("اسأله الآن", "Ask it now")] = url("agent_ask", id)
    about = Section(desk.say("الوكيل", "Agent"), facts=facts, forms=forms, links=links)
    page = DeskPage(
        "gate", term(desk.lang, id), (about, parts), error=error, back=url("gate"), back_label=desk.say("بوابة الأمان والوكلاء", "Security gate and agents")
    )  # fmt: skip
    return await desk.show(page, status=status)


@router.post(PATHS["gate_stand"], dependencies=[CONTROLLING])
async def stand(id: str, desk: DeskDep, suspended: bool, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Suspend an agent or let it act again; a refusal is shown on its page."""
    if id not in agents().agents:
        raise NotFound
    if len(reason) < 3:
        return await _show_agent(desk, id, error=desk.say("اكتب السبب.", "Write why."), status=422)
    request = governance.SetStanding(principal=desk.who, kind=Kind.AGENT, id=id, suspended=suspended, reason=reason)
    try:
        await desk.call(SET_STANDING, request)
    except DealixError as error:
        return await _show_agent(desk, id, error=desk.error(error), status=error.status)
    return desk.go("gate_agent", id)
