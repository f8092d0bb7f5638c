"""Events that a plane could not take: beside the dead letters of actions, and each on a page of its own."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from libs.contracts import dead_events as contract
from libs.contracts.dead_events import DeadEvent, DeadEventDetail, DeadEventState
from libs.contracts.errors import DealixError
from libs.contracts.message import Page
from libs.contracts.subjects import DEAD_EVENT, DEAD_EVENTS, DISCARD_EVENT, REPLAY_EVENT
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tone
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
ACTING = require("submit")
SHOWN = 20
STATES: dict[DeadEventState, tuple[str, str, Tone]] = {
    DeadEventState.OPEN: ("مفتوحة", "Open", "high"), DeadEventState.REPLAYED: ("أُعيد تسليمها", "Handed over again", "low"),
    DeadEventState.DISCARDED: ("مستبعدة", "Discarded", "neutral"),
}  # fmt: skip


async def section(desk: Desk) -> Section | None:
    """What waits, as a part of the page of dead letters; nothing where all is well, or where operating does not answer."""
    request = contract.DeadEventsRequest(principal=desk.who, state=DeadEventState.OPEN, page=Page(limit=SHOWN))
    try:
        found: contract.DeadEventsReply = await desk.call(DEAD_EVENTS, request)
    except DealixError:
        return None
    if not found.items:
        return None
    columns = (
        desk.say("الرسالة", "Event"), desk.say("الخدمة", "Plane"), desk.say("الخطأ", "Error"), desk.say("المحاولات", "Attempts"),
        desk.say("وصلت", "Arrived"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(one.subject, "ltr", url("dead_event", str(one.dead_event_id))), Cell(one.plane.value, "ltr"), Cell(one.error, "ltr"),
            Cell(str(one.attempts), "ltr"), Cell(one.arrived_at, "moment"),
        )
        for one in found.items
    )  # fmt: skip
    return Section(
        desk.say("رسائل داخلية لم تُستلم", "Events that no plane could take"),
        desk.say("محفوظة كما وصلت، وتُسلَّم مرة واحدة مهما أُعيد تسليمها.", "Kept as they came, and taken once however often they are handed over."),
        columns=columns, rows=rows,
    )  # fmt: skip


@router.get(PATHS["dead_event"], dependencies=[READING])
async def dead_event(id: UUID, desk: DeskDep) -> Response:
    return await _page(desk, id)


async def _page(desk: Desk, id: UUID, *, error: str = "", status: int = 200) -> Response:
    found: DeadEventDetail = await desk.call(DEAD_EVENT, contract.DeadEventGet(principal=desk.who, dead_event_id=id))
    event = found.event
    ar, en, tone = STATES[event.state]
    facts = [
        (desk.say("الحالة", "State"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("الخدمة", "Plane"), Cell(event.plane.value, "ltr")),
        (desk.say("الخطأ", "Error"), Cell(event.error, "ltr")),
        (desk.say("المحاولات", "Attempts"), Cell(str(event.attempts), "ltr")),
        (desk.say("وصلت", "Arrived"), Cell(event.arrived_at, "moment")),
        (desk.say("التتبع", "Trace"), Cell(event.trace_id, "ltr")),
    ]
    if found.shown:
        facts.append((desk.say("المحتوى", "Contents"), Cell(json.dumps(found.body, ensure_ascii=False))))
    about = Section(
        desk.say("ما حدث", "What happened"),
        "" if found.shown else desk.say("محتواها لا يخص منشأتك وحدها، فلا يُعرض.", "It is not your tenant's alone, so its contents are not shown."),
        facts=tuple(facts), forms=_forms(desk, event, found.shown),
    )  # fmt: skip
    page = DeskPage(
        "dead_letters", event.subject, (about,), error=error, back=url("dead_letters"),
        back_label=desk.say("الرسائل المتعذّرة", "Dead letters"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _forms(desk: Desk, event: DeadEvent, own: bool) -> tuple[DeskForm, ...]:
    if event.state is not DeadEventState.OPEN or allowed(desk.who, "submit") is None:
        return ()
    key = str(event.dead_event_id)
    replay = DeskForm("replay", url("dead_event_replay", key), desk.say("أعد تسليمها", "Hand it over again"))
    reason = Input("reason", desk.say("السبب", "Why"))
    discard = DeskForm(
        "discard", url("dead_event_discard", key), desk.say("استبعدها", "Discard it"), (reason,), danger=True
    )
    return (replay, discard) if own else (replay,)


@router.post(PATHS["dead_event_replay"], dependencies=[ACTING])
async def replay(id: UUID, desk: DeskDep) -> Response:
    try:
        await desk.call(REPLAY_EVENT, contract.ReplayEvent(principal=desk.who, dead_event_id=id))
    except DealixError as error:
        return await _page(desk, id, error=desk.error(error), status=error.status)
    return desk.go("dead_event", str(id))


@router.post(PATHS["dead_event_discard"], dependencies=[ACTING])
async def discard(id: UUID, desk: DeskDep, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
    if not reason.strip():
        return await _page(desk, id, error=desk.say("اكتب سبب الاستبعاد.", "Write why you discard it."), status=422)
    asked = contract.DiscardEvent(principal=desk.who, dead_event_id=id, reason=reason.strip())
    try:
        await desk.call(DISCARD_EVENT, asked)
    except DealixError as error:
        return await _page(desk, id, error=desk.error(error), status=error.status)
    return desk.go("dead_event", str(id))
