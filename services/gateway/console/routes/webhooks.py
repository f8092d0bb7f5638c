"""Webhooks and the SIEM's trail: where the tenant's own systems hear what happened, how each stands, and its log."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from libs.contracts import push as contract
from libs.contracts.errors import DealixError
from libs.contracts.message import Page, new_id
from libs.contracts.push import Delivery, DeliveryState, Subscription, SubscriptionCommand, SubscriptionKind
from libs.contracts.subjects import (
    COMMAND_SUBSCRIPTION,
    DELIVERIES,
    RETRY_DELIVERY,
    ROTATE_SECRET,
    SUBSCRIBE,
    SUBSCRIPTION,
    SUBSCRIPTIONS,
)
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.routes.compliance import Tone
from services.gateway.console.urls import PATHS, url
from services.gateway.console.webhook_parts import changing, event_options
from services.gateway.http.guards import require

router = APIRouter()
SETTING_UP = require("users")
STATES: dict[str, tuple[str, str, Tone]] = {
    "active": ("نشط", "Active", "low"), "paused": ("موقوف", "Paused", "medium"), "disabled": ("معطَّل", "Disabled", "high"),
    "ended": ("منتهٍ", "Ended", "neutral"),
}  # fmt: skip
DELIVERED: dict[str, tuple[str, str, Tone]] = {
    "pending": ("قيد الانتظار", "Pending", "neutral"), "sending": ("في الطريق", "On its way", "neutral"),
    "waiting": ("ينتظر الموافقة", "Waits for approval", "medium"), "delivered": ("وصل", "Delivered", "low"),
    "failed": ("متعذر", "Given up", "high"), "cancelled": ("أُلغي", "Cancelled", "neutral"),
}  # fmt: skip
KINDS = {"webhook": ("إشعار برمجي", "Webhook"), "siem": ("سجل SIEM", "SIEM trail")}
MODES = {"sandbox": ("تجريبي", "Sandbox"), "live": ("فعلي", "Live"), "draft": ("مسودة", "Draft")}
FORMS = (
    ("json", "webhook", "JSON"), ("jsonl", "siem", "SIEM · JSON Lines"), ("cloudevents", "siem", "SIEM · CloudEvents"),
    ("cef", "siem", "SIEM · CEF"),
)  # fmt: skip
COMMANDS = {
    SubscriptionCommand.TEST: ("أرسل رسالة تجربة", "Send a test message"),
    SubscriptionCommand.PAUSE: ("إيقاف مؤقت", "Pause"),
    SubscriptionCommand.RESUME: ("استئناف", "Resume"),
    SubscriptionCommand.END: ("إنهاء الاشتراك", "End the subscription"),
}


@router.get(PATHS["webhooks"], dependencies=[SETTING_UP])
async def webhooks(desk: DeskDep, cursor: Annotated[str, Query(max_length=100)] = "") -> Response:
    return await _list(desk, cursor=cursor)


async def _list(desk: Desk, *, cursor: str = "", error: str = "", status: int = 200) -> Response:
    request = contract.SubscriptionsRequest(principal=desk.who, page=Page(cursor=cursor or None))
    found: contract.SubscriptionsReply = await desk.call(SUBSCRIPTIONS, request)
    columns = (
        desk.say("إلى", "To"), desk.say("النوع", "Kind"), desk.say("الحالة", "State"), desk.say("إخفاقات", "Failures"),
        desk.say("المنتظر", "Waiting"), desk.say("آخر نجاح", "Last success"),
    )  # fmt: skip
    more = url("webhooks", cursor=found.next_cursor) if found.next_cursor else ""
    title = _title(desk)
    listed = Section(
        title,
        desk.say(
            "تستقبل أنظمتك هنا ما يُسجَّل في دفتر الإثبات، موقّعًا بصيغة Standard Webhooks. لا يخرج شيء قبل تفعيل موصل الإشعارات فعليًا.",
            "Your own systems hear here what is recorded in the ledger, signed as Standard Webhooks. Nothing leaves until the webhook connector is live.",
        ),
        columns=columns, rows=tuple(_row(desk, one) for one in found.items), empty=desk.nothing("webhooks"),
        links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip
    page = DeskPage(
        "connectors", title, (listed, _adding(desk)), error=error, back=url("connectors"), back_label=desk.say("الموصلات", "Connectors"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _title(desk: Desk) -> str:
    return desk.say("الإشعارات البرمجية وSIEM", "Webhooks and SIEM")


def _adding(desk: Desk) -> Section:
    inputs = (
        Input("url", desk.say("العنوان (https)", "Address (https)"), ltr=True),
        Input("event", desk.say("ماذا يستقبل", "What it hears"), "select", value="*", options=event_options(desk)),
        Input(
            "form",
            desk.say("الصيغة", "Form"),
            "select",
            value="json",
            options=tuple((n, label) for n, _, label in FORMS),
        ),
        Input("description", desk.say("وصف", "Description"), required=False),
    )
    form = DeskForm("add", url("webhook_add"), desk.say("اشترك", "Subscribe"), inputs)
    return Section(desk.say("اشتراك جديد", "A new subscription"), forms=(form,))


def _row(desk: Desk, one: Subscription) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state.value]
    return (
        Cell(one.url, "ltr", href=url("webhook", str(one.subscription_id))), Cell(desk.say(*KINDS[one.kind.value])),
        Cell(desk.say(ar, en), tone=tone), Cell(f"{one.failures} / {one.disable_after}", "ltr"), Cell(str(one.waiting), "ltr"),
        Cell(one.last_success_at, "moment"),
    )  # fmt: skip


@router.post(PATHS["webhook_add"], dependencies=[SETTING_UP])
async def add(
    desk: DeskDep, url: Annotated[str, Form(max_length=2000)], event: Annotated[str, Form(max_length=100)],
    form: Annotated[str, Form(max_length=20)], description: Annotated[str, Form(max_length=200)] = "",
) -> Response:  # fmt: skip
    kind = next((kind for name, kind, _ in FORMS if name == form), "webhook")
    try:
        request = contract.Subscribe(
            principal=desk.who, subscription_id=new_id(), kind=SubscriptionKind(kind), url=url, event_types=(event,),
            form=contract.Form(form), description=description,
        )  # fmt: skip
        made: contract.SubscriptionMade = await desk.call(SUBSCRIBE, request)
    except DealixError as error:
        return await _list(desk, error=desk.say(error.ar, error.en), status=error.status)
    except (ValidationError, ValueError):
        wrong = desk.say("العنوان أو الاختيار غير صالح.", "The address or a choice is not one.")
        return await _list(desk, error=wrong, status=422)
    return await show_one(desk, made.subscription.subscription_id, secret=made.secret)


@router.get(PATHS["webhook"], dependencies=[SETTING_UP])
async def webhook(
    id: UUID, desk: DeskDep, cursor: Annotated[str, Query(max_length=100)] = "", state: DeliveryState | None = None, queued: int = -1
) -> Response:  # fmt: skip
    done = desk.say(f"أُعيد إلى الانتظار: {queued}.", f"Put in the queue again: {queued}.") if queued >= 0 else ""
    return await show_one(desk, id, cursor=cursor, state=state, done=done)


async def show_one(
    desk: Desk, id: UUID, *, cursor: str = "", state: DeliveryState | None = None, secret: str = "", error: str = "", done: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    """A subscription with its log, and what can be done about it."""
    one: Subscription = await desk.call(SUBSCRIPTION, contract.SubscriptionGet(principal=desk.who, subscription_id=id))
    request = contract.DeliveriesRequest(principal=desk.who, subscription_id=id, state=state, page=Page(cursor=cursor or None))  # fmt: skip
    log: contract.DeliveriesReply = await desk.call(DELIVERIES, request)
    sections = [_about(desk, one), _acting(desk, one), _log(desk, one, log, state), *changing(desk, one)]
    if secret:
        sections.insert(0, _secret(desk, secret))
    page = DeskPage(
        "connectors", desk.say(*KINDS[one.kind.value]), tuple(sections), error=error, done=done, back=url("webhooks"), back_label=_title(desk)
    )  # fmt: skip
    return await desk.show(page, status=status)


def _secret(desk: Desk, secret: str) -> Section:
    return Section(
        desk.say("السر", "The secret"),
        desk.say("انسخه الآن، فلن يظهر مرة أخرى.", "Copy it now: it is not shown again."),
        facts=((desk.say("السر", "Secret"), Cell(secret, "ltr")),),
    )


def _about(desk: Desk, one: Subscription) -> Section:
    ar, en, tone = STATES[one.state.value]
    facts: list[tuple[str, Cell]] = [
        (desk.say("الحالة", "State"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("إلى", "To"), Cell(one.url, "ltr")),
        (desk.say("يستقبل", "Hears"), Cell(", ".join(one.event_types), "ltr")),
        (desk.say("الصيغة", "Form"), Cell(one.form.value, "ltr")),
        (desk.say("إخفاقات متتالية", "Failures in a row"), Cell(f"{one.failures} / {one.disable_after}", "ltr")),
        (desk.say("القيد التالي", "Next entry"), Cell(str(one.cursor), "ltr")),
        (desk.say("المنتظر", "Waiting"), Cell(str(one.waiting), "ltr")),
        (desk.say("آخر نجاح", "Last success"), Cell(one.last_success_at, "moment")),
    ]
    if one.last_error is not None:
        facts.append((desk.say("آخر خطأ", "Last error"), Cell(desk.say(one.last_error.ar, one.last_error.en))))
    if one.resume_at is not None and one.state.value == "active":
        facts.append((desk.say("المحاولة التالية", "Next try"), Cell(one.resume_at, "moment")))
    if one.description:
        facts.append((desk.say("الوصف", "Description"), Cell(one.description)))
    return Section(desk.say("الاشتراك", "The subscription"), facts=tuple(facts))


def _acting(desk: Desk, one: Subscription) -> Section:
    title = desk.say("ماذا تفعل", "What to do")
    if one.state.value == "ended":
        return Section(title, desk.say("انتهى هذا الاشتراك.", "This subscription has ended."))
    state = one.state.value
    offered = [SubscriptionCommand.TEST, SubscriptionCommand.PAUSE if state == "active" else SubscriptionCommand.RESUME]
    forms = [
        DeskForm(
            command.value, url("webhook_command", str(one.subscription_id)), desk.say(*COMMANDS[command]),
            (Input("command", "", "hidden", command.value),), danger=command is SubscriptionCommand.END,
            quiet=command is not SubscriptionCommand.RESUME,
        )
        for command in (*offered, SubscriptionCommand.END)
    ]  # fmt: skip
    rotate = DeskForm(
        "rotate", url("webhook_rotate", str(one.subscription_id)), desk.say("سر جديد", "A new secret"),
        (Input("overlap_hours", desk.say("يوقّع السر القديم معه (ساعات)", "The old one signs too for (hours)"), "number", "24", ltr=True),),
        quiet=True,
    )  # fmt: skip
    return Section(title, forms=(*forms, rotate))


def _log(desk: Desk, one: Subscription, found: contract.DeliveriesReply, state: DeliveryState | None) -> Section:
    columns = (
        desk.say("الحدث", "Event"), desk.say("القيود", "Entries"), desk.say("الحالة", "State"), desk.say("المحاولات", "Tries"),
        desk.say("الوضع", "Mode"), desk.say("الوقت", "Time"),
    )  # fmt: skip
    more = url("webhook", str(one.subscription_id), cursor=found.next_cursor, state=state) if found.next_cursor else ""
    states = (
        ("", desk.say("كل الحالات", "All states")),
        *((key, desk.say(ar, en)) for key, (ar, en, _) in DELIVERED.items()),
    )
    chosen = Input("state", desk.say("الحالة", "State"), "select", state or "", False, options=states)
    only = DeskForm(
        "only", url("webhook", str(one.subscription_id)), desk.say("اعرض", "Show"), (chosen,), get=True, quiet=True
    )
    forms = tuple(_retry(desk, one, each) for each in found.items if each.state.value == "failed")
    return Section(
        desk.say("سجل الإرسال", "Delivery log"), columns=columns, rows=tuple(_delivery(desk, each) for each in found.items),
        empty=desk.say("لا شيء بهذه الحالة.", "None in this state.") if state else desk.say("لم يُرسل شيء بعد.", "Nothing was sent yet."), forms=forms[:10], only=only,
        links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip


def _delivery(desk: Desk, one: Delivery) -> tuple[Cell, ...]:
    ar, en, tone = DELIVERED[one.state.value]
    state = desk.say(ar, en)
    if one.error is not None and one.state.value != "delivered":
        state = f"{state}: {desk.say(one.error.ar, one.error.en)}"
    mode = desk.say(*MODES[one.mode]) if one.mode in MODES else ""
    href = url("webhook_delivery", str(one.subscription_id), delivery=str(one.delivery_id))
    numbers = "" if one.first_seq is None else f"{one.first_seq}–{one.last_seq}"
    return (
        Cell(one.event_type, "ltr", href=href), Cell(numbers, "ltr"), Cell(state, tone=tone), Cell(str(one.attempts), "ltr"),
        Cell(mode), Cell(one.created_at, "moment"),
    )  # fmt: skip


def _retry(desk: Desk, one: Subscription, each: Delivery) -> DeskForm:
    label = desk.say(f"أعد إرسال {each.event_type}", f"Retry {each.event_type}")
    field = Input("delivery_id", "", "hidden", str(each.delivery_id))
    return DeskForm(
        f"retry-{each.delivery_id}", url("webhook_retry", str(one.subscription_id)), label, (field,), quiet=True
    )


@router.post(PATHS["webhook_command"], dependencies=[SETTING_UP])
async def command(id: UUID, desk: DeskDep, command: Annotated[SubscriptionCommand, Form()]) -> Response:
    return await _done(
        desk,
        id,
        COMMAND_SUBSCRIPTION,
        contract.CommandSubscription(principal=desk.who, subscription_id=id, command=command),
    )


@router.post(PATHS["webhook_retry"], dependencies=[SETTING_UP])
async def retry(id: UUID, desk: DeskDep, delivery_id: Annotated[UUID, Form()]) -> Response:
    request = contract.RetryDelivery(principal=desk.who, subscription_id=id, delivery_id=delivery_id)
    return await _done(desk, id, RETRY_DELIVERY, request)


async def _done(desk: Desk, id: UUID, call: Any, request: Any) -> Response:
    try:
        await desk.call(call, request)
    except DealixError as error:
        if error.status != 409:
            raise
        return await show_one(desk, id, error=desk.say(error.ar, error.en), status=409)
    return RedirectResponse(url("webhook", str(id)), status_code=303)


@router.post(PATHS["webhook_rotate"], dependencies=[SETTING_UP])
async def rotate(id: UUID, desk: DeskDep, overlap_hours: Annotated[int, Form(ge=0, le=168)] = 24) -> Response:
    request = contract.RotateSecret(principal=desk.who, subscription_id=id, overlap_hours=overlap_hours)
    try:
        made: contract.SubscriptionMade = await desk.call(ROTATE_SECRET, request)
    except DealixError as error:
        if error.status != 409:
            raise
        return await show_one(desk, id, error=desk.say(error.ar, error.en), status=409)
    return await show_one(desk, id, secret=made.secret)
