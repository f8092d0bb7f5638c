"""One delivery with each try of it, and what changes a subscription: its address and events, a range delivered again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from libs.contracts import push as contract
from libs.contracts.errors import DealixError
from libs.contracts.push import DeliveryDetail
from libs.contracts.subjects import CHANGE_SUBSCRIPTION, DELIVERY, REPLAY_RANGE
from services.gateway.console.desk import DeskDep
from services.gateway.console.pages_desk import Cell, DeskPage, Section
from services.gateway.console.routes.webhooks import DELIVERED, MODES, SETTING_UP, show_one
from services.gateway.console.urls import PATHS, url

router = APIRouter()
OUTCOMES = {
    "succeeded": ("وصل", "Delivered"), "failed": ("فشل", "Failed"), "unknown": ("نتيجته غير معروفة", "Outcome unknown"),
    "not_sent": ("لم يُرسل", "Not sent"), "refused": ("رُفض", "Refused"), "expired": ("انتهت المهلة", "Expired"),
    "cancelled": ("أُلغي", "Cancelled"), "drafted": ("مسودة", "Drafted"), "manual": ("ينفّذه شخص", "A person does it"),
}  # fmt: skip


@router.get(PATHS["webhook_delivery"], dependencies=[SETTING_UP])
async def delivery(id: UUID, desk: DeskDep, delivery: Annotated[UUID, Query()]) -> Response:
    """What was sent, when, and how each try ended."""
    request = contract.DeliveryGet(principal=desk.who, subscription_id=id, delivery_id=delivery)
    found: DeliveryDetail = await desk.call(DELIVERY, request)
    one = found.delivery
    ar, en, tone = DELIVERED[one.state.value]
    numbers = "" if one.first_seq is None else f"{one.first_seq}–{one.last_seq}"
    facts = [
        (desk.say("الحالة", "State"), Cell(desk.say(ar, en), tone=tone)), (desk.say("الحدث", "Event"), Cell(one.event_type, "ltr")),
        (desk.say("معرّف الرسالة", "Message id"), Cell(one.message_id, "ltr")), (desk.say("القيود", "Entries"), Cell(numbers, "ltr")),
        (desk.say("الوضع", "Mode"), Cell(desk.say(*MODES[one.mode]) if one.mode in MODES else "")),
        (desk.say("كُتبت", "Made"), Cell(one.created_at, "moment")), (desk.say("المحاولة التالية", "Next try"), Cell(one.due_at if one.ended_at is None else None, "moment")),
        (desk.say("انتهت", "Ended"), Cell(one.ended_at, "moment")),
    ]  # fmt: skip
    if one.replay:
        facts.append((desk.say("إعادة إرسال", "Sent again"), Cell(desk.say("نعم", "Yes"))))
    if one.error is not None:
        facts.append((desk.say("آخر خطأ", "Last error"), Cell(desk.say(one.error.ar, one.error.en))))
    rows = tuple(
        (
            Cell(str(each.number), "ltr"), Cell(each.started_at, "moment"),
            Cell(desk.say(*OUTCOMES[each.outcome]) if each.outcome in OUTCOMES else desk.say("في الطريق", "On its way")),
            Cell(desk.say(each.error.ar, each.error.en) if each.error else ""),
            Cell(desk.say("الدليل", "Evidence"), href=url("evidence", q=f"action:{each.action_id}")),
        )
        for each in found.tries
    )  # fmt: skip
    columns = (desk.say("المحاولة", "Try"), desk.say("بدأت", "Began"), desk.say("كيف انتهت", "How it ended"), desk.say("الخطأ", "Error"), desk.say("الإثبات", "Proof"))  # fmt: skip
    sections = (
        Section(desk.say("الرسالة", "The message"), facts=tuple(facts)),
        Section(desk.say("المحاولات", "Tries"), columns=columns, rows=rows, empty=desk.say("لم تبدأ محاولة بعد.", "No try has begun yet.")),
    )  # fmt: skip
    page = DeskPage(
        "connectors", desk.say("رسالة إلى نظامك", "A message to your system"), sections, back=url("webhook", str(id)),
        back_label=desk.say("الاشتراك", "The subscription"),
    )  # fmt: skip
    return await desk.show(page)


@router.post(PATHS["webhook_change"], dependencies=[SETTING_UP])
async def change(id: UUID, request: Request, desk: DeskDep) -> Response:
    """Another address, other events, another limit of failures. What was changed meanwhile is a conflict, said on the page."""
    sent = await request.form()
    try:
        wanted = contract.ChangeSubscription(
            principal=desk.who, subscription_id=id, version=int(str(sent.get("version", "0"))), url=str(sent.get("url", "")).strip(),
            event_types=tuple(str(one) for one in sent.getlist("events")), description=str(sent.get("description", "")),
            disable_after=int(str(sent.get("disable_after", "10"))),
        )  # fmt: skip
    except (ValidationError, ValueError):
        said = desk.say("العنوان أو الاختيار غير صالح.", "The address or a choice is not one.")
        return await show_one(desk, id, error=said, status=422)
    try:
        await desk.call(CHANGE_SUBSCRIPTION, wanted)
    except DealixError as error:
        return await show_one(desk, id, error=desk.error(error), status=error.status)
    return desk.go("webhook", str(id))


@router.post(PATHS["webhook_again"], dependencies=[SETTING_UP])
async def again(
    id: UUID, desk: DeskDep, first: Annotated[int, Form(ge=0)], last: Annotated[int, Form(ge=0)], once: Annotated[UUID, Form()]
) -> Response:  # fmt: skip
    """Deliver a range again. The form carries its own id, so that sent twice it is one."""
    wanted = contract.ReplayRange(principal=desk.who, subscription_id=id, replay_id=once, first_seq=first, last_seq=last)  # fmt: skip
    try:
        done: contract.Replaying = await desk.call(REPLAY_RANGE, wanted)
    except DealixError as error:
        return await show_one(desk, id, error=desk.error(error), status=error.status)
    return desk.go("webhook", str(id), queued=done.queued)
