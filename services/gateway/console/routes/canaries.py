"""Canaries: which new version takes a share of the runs, how both groups do, and the way to end it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import RedirectResponse, Response

from libs.contracts import canaries as contracts
from libs.contracts.canaries import Canary, CanaryChange, CanaryState, Counts
from libs.contracts.message import Page
from libs.contracts.subjects import CANARIES, CHANGE_CANARY
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.routes.compliance import Tone
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()

READING = require("read", reading=True)
CHANGING = require("control")
STATES: dict[str, tuple[str, str, Tone]] = {
    "running": ("قائمة", "Running", "medium"), "promoted": ("معتمدة", "Promoted", "low"), "stopped": ("موقوفة", "Stopped", "neutral"),
    "rolled_back": ("أُلغيت تلقائيًا", "Rolled back", "high"),
}  # fmt: skip
KINDS = {
    "handler": ("معالج", "Handler"), "connector": ("موصل", "Connector"), "agent": ("وكيل", "Agent"), "model": ("نموذج", "Model"),
}  # fmt: skip
WHY = {
    "error_rate": ("أخطاء أكثر من البقية", "More errors than the rest"),
    "deny_rate": ("رفض أكثر من البقية", "More denials than the rest"),
}


@router.get(PATHS["canaries"], dependencies=[READING])
async def canaries(desk: DeskDep, cursor: Annotated[str, Query(max_length=100)] = "") -> Response:
    request = contracts.CanariesRequest(principal=desk.who, page=Page(cursor=cursor or None))
    found: contracts.CanariesReply = await desk.call(CANARIES, request)
    columns = (
        desk.say("الهدف", "Target"), desk.say("النوع", "Kind"), desk.say("الإصدار", "Version"), desk.say("النسبة", "Share"),
        desk.say("الحالة", "State"), desk.say("التجريبية", "Canary"), desk.say("البقية", "The rest"), desk.say("بدأت", "Started"),
    )  # fmt: skip
    more = url("canaries", cursor=found.next_cursor) if found.next_cursor else ""
    section = Section(
        desk.say("التجارب الجزئية", "Canaries"),
        desk.say(
            "يأخذ الإصدار الجديد نسبة من التشغيل، ويُلغى تلقائيًا إذا زادت أخطاؤه أو حالات رفضه عن البقية.",
            "A new version takes a share of the runs, and is rolled back by itself when it errs or is denied more often than the rest.",
        ),
        columns=columns, rows=tuple(_row(desk, one) for one in found.items), empty=desk.say("لا توجد تجارب جزئية.", "No canaries."),
        forms=tuple(_stop(desk, one) for one in found.items if one.state in (CanaryState.RUNNING, CanaryState.PROMOTED))
        if allowed(desk.who, "control") else (),
        links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip
    page = DeskPage(
        "policy", desk.say("التجارب الجزئية", "Canaries"), (section,), back=url("policy"), back_label=desk.say("السياسات", "Policy"),
    )  # fmt: skip
    return await desk.show(page)


@router.post(PATHS["canary_stop"], dependencies=[CHANGING])
async def stop(id: UUID, desk: DeskDep, reason: Annotated[str, Form(max_length=2000)] = "") -> Response:
    request = contracts.ChangeCanary(principal=desk.who, canary_id=id, change=CanaryChange.STOP, reason=reason)
    await desk.call(CHANGE_CANARY, request)
    return RedirectResponse(url("canaries"), status_code=303)


def _row(desk: Desk, one: Canary) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state.value]
    state = desk.say(ar, en)
    if one.why in WHY:
        state = f"{state}: {desk.say(*WHY[one.why])}"
    return (
        Cell(one.target, "ltr"), Cell(desk.say(*KINDS[one.kind.value])), Cell(one.version, "ltr"), Cell(f"{one.percent}%", "ltr"),
        Cell(state, tone=tone), _counts(desk, one.canary), _counts(desk, one.baseline), Cell(one.started_at, "moment"),
    )  # fmt: skip


def _counts(desk: Desk, counts: Counts) -> Cell:
    return Cell(
        desk.say(
            f"التشغيلات {counts.runs}، الأخطاء {counts.errors}، الرفض {counts.denied}",
            f"{counts.runs} runs, {counts.errors} errors, {counts.denied} denied",
        )
    )


def _stop(desk: Desk, one: Canary) -> DeskForm:
    reason = Input("reason", desk.say("السبب", "Reason"))
    label = desk.say(f"أوقف {one.target} {one.version}", f"Stop {one.target} {one.version}")
    return DeskForm(f"stop-{one.canary_id}", url("canary_stop", str(one.canary_id)), label, (reason,), danger=True)
