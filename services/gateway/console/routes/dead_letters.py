"""Dead letters: what ended without its effect, with all that a person needs to try again, correct or close it."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import dead_letters as contract
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.words import word
from libs.contracts.dead_letters import DeadLetter, DeadLetterDetail, LetterState
from libs.contracts.errors import DealixError
from libs.contracts.message import Page
from libs.contracts.subjects import DEAD_LETTER, DEAD_LETTERS, DISCARD_LETTER, REPLAY_LETTER, RESUBMIT_LETTER
from services.gateway.console.actors import connector
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.routes import dead_events
from services.gateway.console.routes.compliance import Tone
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
ACTING = require("submit")
STATES: dict[str, tuple[str, str, Tone]] = {
    "open": ("مفتوحة", "Open", "high"), "replayed": ("أُعيدت محاولتها", "Tried again", "low"),
    "resubmitted": ("قُدّمت من جديد", "Submitted anew", "low"), "discarded": ("مستبعدة", "Discarded", "neutral"),
}  # fmt: skip
CAUSES = {
    "failed": ("رفض المزوّد أو تعذّر الوصول إليه", "The vendor refused, or stayed away"),
    "undecidable": ("تعذّر اتخاذ قرار بشأنها", "No decision could be made on it"),
    "broken": ("يقع خطأ عند تنفيذها", "Working on it raises an error"),
    "not_sent": ("تبيّن أنها لم تخرج", "It turned out never to have left"),
}


@router.get(PATHS["dead_letters"], dependencies=[READING])
async def dead_letters(
    desk: DeskDep, state: LetterState | None = None, cursor: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    request = contract.DeadLettersRequest(principal=desk.who, state=state, page=Page(cursor=cursor or None))
    found: contract.DeadLettersReply = await desk.call(DEAD_LETTERS, request)
    columns = (
        desk.say("الإجراء", "What"), desk.say("الموصل", "Connector"), desk.say("الخطأ", "Error"), desk.say("المحاولات", "Attempts"),
        desk.say("الحالة", "State"), desk.say("وصلت", "Arrived"),
    )  # fmt: skip
    more = url("dead_letters", state=state, cursor=found.next_cursor) if found.next_cursor else ""
    title = desk.say("الرسائل المتعذّرة", "Dead letters")
    section = Section(
        title,
        desk.say(
            "إجراءات انتهت دون أثر. لم يُفقد منها شيء، ولا يُعاد منها شيء قبل أن تقرر.",
            "Actions that ended without their effect. Nothing of them is lost, and nothing is tried again before you decide.",
        ),
        columns=columns, rows=tuple(_row(desk, one) for one in found.items),
        empty=desk.say("لا رسائل متعذّرة.", "No dead letters."), links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("dead_letters"), state is None),
        *(
            Tab(key, desk.say(ar, en), url("dead_letters", state=key), state is not None and state.value == key)
            for key, (ar, en, _) in STATES.items()
        ),
    )
    also = await dead_events.section(desk)
    sections = (section,) if also is None else (also, section)
    return await desk.show(DeskPage("dead_letters", title, sections, tabs, desk.say("الحالات", "States")))


def _row(desk: Desk, one: DeadLetter) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state.value]
    return (
        Cell(_what(desk, one), href=url("dead_letter", str(one.dead_letter_id))), Cell(one.connector, "ltr"),
        Cell(desk.say(one.error.ar, one.error.en)), Cell(str(one.attempts), "ltr"), Cell(desk.say(ar, en), tone=tone),
        Cell(one.arrived_at, "moment"),
    )  # fmt: skip


def _what(desk: Desk, one: DeadLetter) -> str:
    effect = effects().get(one.action_type)
    return desk.say(effect.ar, effect.en) if effect else one.action_type


@router.get(PATHS["dead_letter"], dependencies=[READING])
async def dead_letter(id: UUID, desk: DeskDep) -> Response:
    return await _letter(desk, id)


async def _letter(desk: Desk, id: UUID, *, error: str = "", payload: str = "", status: int = 200) -> Response:
    request = contract.DeadLetterGet(principal=desk.who, dead_letter_id=id)
    found: DeadLetterDetail = await desk.call(DEAD_LETTER, request)
    page = DeskPage(
        "dead_letters", _what(desk, found.letter), (_about(desk, found), _attempts(desk, found), _deciding(desk, found, payload)),
        error=error, back=url("dead_letters"), back_label=desk.say("الرسائل المتعذّرة", "Dead letters"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _about(desk: Desk, found: DeadLetterDetail) -> Section:
    letter = found.letter
    ar, en, tone = STATES[letter.state.value]
    facts = [
        (desk.say("الحالة", "State"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("السبب", "Cause"), Cell(desk.say(*CAUSES[letter.cause.value]))),
        (desk.say("الخطأ", "Error"), Cell(desk.say(letter.error.ar, letter.error.en))),
        (desk.say("المحاولات", "Attempts"), Cell(str(letter.attempts), "ltr")),
        (desk.say("الموصل", "Connector"), Cell(connector(desk.lang, letter.connector))),
        (desk.say("التتبع", "Trace"), Cell(letter.trace_id, "ltr")),
    ]
    if letter.new_action_id is not None and letter.state is LetterState.RESUBMITTED:
        href = url("evidence", q=f"action:{letter.new_action_id}")
        facts.append((desk.say("الإجراء الجديد", "New action"), Cell(str(letter.new_action_id), "ltr", href)))
    if letter.ended_by:
        facts.append((desk.say("أغلقها", "Closed by"), Cell(letter.ended_by, "ltr")))
    if letter.note:
        facts.append((desk.say("ملاحظة", "Note"), Cell(letter.note)))
    return Section(desk.say("ما حدث", "What happened"), facts=tuple(facts))


def _step(desk: Desk, state: str) -> str:
    named = word("action_state", state)
    return desk.say(named.ar, named.en)


def _attempts(desk: Desk, found: DeadLetterDetail) -> Section:
    columns = (desk.say("الوقت", "When"), desk.say("الحالة", "State"), desk.say("التفصيل", "Detail"))
    rows = tuple(
        (Cell(step.at, "moment"), Cell(_step(desk, step.state)), Cell(step.detail, "ltr"))
        for step in found.action.timeline
    )
    return Section(desk.say("المحاولات كلها", "Every attempt"), columns=columns, rows=rows)


def _deciding(desk: Desk, found: DeadLetterDetail, payload: str) -> Section:
    title, letter = desk.say("ماذا تفعل", "What to do"), found.letter
    if letter.state is not LetterState.OPEN or allowed(desk.who, "submit") is None:
        return Section(title, desk.say("لا شيء يُنتظر منك هنا.", "Nothing is asked of you here."))
    key, text = str(letter.dead_letter_id), payload or json.dumps(found.action.payload, ensure_ascii=False, indent=2)
    forms = (
        DeskForm("replay", url("dead_letter_replay", key), desk.say("أعد المحاولة كما هي", "Try it again as it is")),
        DeskForm(
            "resubmit", url("dead_letter_resubmit", key), desk.say("قدّمها إجراءً جديدًا", "Submit it as a new action"),
            (Input("payload", desk.say("المحتوى", "Payload"), "long", text, ltr=True),),
        ),
        DeskForm(
            "discard", url("dead_letter_discard", key), desk.say("استبعدها", "Discard it"),
            (Input("reason", desk.say("السبب", "Why"), "text"),), danger=True,
        ),
    )  # fmt: skip
    return Section(
        title,
        desk.say(
            "إعادة المحاولة تبقي الموافقة كما هي. أما المحتوى المعدّل فإجراء جديد يُقرَّر من جديد.",
            "Trying again keeps the approval that it has. A changed payload is a new action, decided anew.",
        ),
        forms=forms,
    )


@router.post(PATHS["dead_letter_replay"], dependencies=[ACTING])
async def replay(id: UUID, desk: DeskDep) -> Response:
    try:
        await desk.call(REPLAY_LETTER, contract.ReplayLetter(principal=desk.who, dead_letter_id=id))
    except DealixError as error:
        return await _letter(desk, id, error=desk.error(error), status=error.status)
    return desk.go("dead_letter", str(id))


@router.post(PATHS["dead_letter_resubmit"], dependencies=[ACTING])
async def resubmit(id: UUID, desk: DeskDep, payload: Annotated[str, Form(max_length=300_000)]) -> Response:
    """Submit what was written; what is wrong with it is shown beside it."""
    try:
        values = json.loads(payload)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        said = desk.say("اكتب المحتوى كائن JSON صحيحًا.", "Write the payload as one JSON object.")
        return await _letter(desk, id, error=said, payload=payload, status=422)
    try:
        await desk.call(RESUBMIT_LETTER, contract.ResubmitLetter(principal=desk.who, dead_letter_id=id, payload=values))
    except DealixError as error:
        return await _letter(desk, id, error=desk.error(error), payload=payload, status=error.status)
    return desk.go("dead_letter", str(id))


@router.post(PATHS["dead_letter_discard"], dependencies=[ACTING])
async def discard(id: UUID, desk: DeskDep, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
    if not reason.strip():
        said = desk.say("اكتب سبب الاستبعاد.", "Write why you discard it.")
        return await _letter(desk, id, error=said, status=422)
    try:
        await desk.call(
            DISCARD_LETTER, contract.DiscardLetter(principal=desk.who, dead_letter_id=id, reason=reason.strip())
        )
    except DealixError as error:
        return await _letter(desk, id, error=desk.error(error), status=error.status)
    return desk.go("dead_letter", str(id))
