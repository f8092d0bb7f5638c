"""Briefs over WhatsApp: what the tenant lets out, where the vendor delivers, and what was sent to whoever looks."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from libs.contracts.catalogue.actions import effects
from libs.contracts.errors import DealixError
from services.gateway.briefs.domain import Kind, Outgoing, Rules, State
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, Input, Section
from services.gateway.console.routes.settings import shown
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tone
from services.gateway.http.briefs import BriefRules, keep_rules
from services.gateway.http.guards import allowed, require
from services.gateway.webhooks.desk import CONNECTORS

router = APIRouter()
READING = require("read", reading=True)
SETTING_UP = require("users")
RISKS = (("low", "منخفضة", "Low"), ("medium", "متوسطة", "Medium"))
LANGUAGES = (("ar", "العربية"), ("en", "English"))
KINDS = {Kind.BRIEF: ("موجز", "Brief"), Kind.ANSWER: ("رد", "Answer")}
STATES: dict[State, tuple[str, str, Tone]] = {
    State.WAITING: ("ينتظر ساعاتك", "Waits for your hours", "medium"), State.SENT: ("سُلّم للإرسال", "Handed over", "low"), State.DROPPED: ("لم يُرسل", "Not sent", "neutral"),
}  # fmt: skip
ON_PAGE = 25


@router.get(PATHS["whatsapp"], dependencies=[READING])
async def whatsapp(
    desk: DeskDep, cursor: Annotated[UUID | None, Query()] = None, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    return await _show(desk, cursor, done=desk.say("حُفظ.", "Saved.") if done else "")


async def _show(desk: Desk, cursor: UUID | None = None, *first: Section, error: str = "", done: str = "", status: int = 200) -> Response:  # fmt: skip
    async with desk.gateway.store.unit(desk.who.tenant_id) as unit:
        rules = await unit.briefs.rules()
    sections = [*first, _rules(desk, rules)]
    if allowed(desk.who, "approve") is not None and desk.caller is not None:
        sections.append(await _messages(desk, cursor))
    if allowed(desk.who, "users") is not None and desk.caller is not None:
        sections.append(await _bindings(desk))
    return await shown(desk, desk.say("موجز واتساب", "WhatsApp briefs"), *sections, error=error, done=done, status=status)  # fmt: skip


def _rules(desk: Desk, now: Rules) -> Section:
    title = desk.say("ماذا يخرج", "What goes out")
    text = desk.say(
        "تصل طلبات الموافقة إلى من يقررها، في الساعات التي اختارها، وعلى رقمه الموثّق. ما كانت مخاطرته عالية لا يخرج أبدًا.",
        "Requests reach the people who decide them, in the hours they chose, on their verified numbers. High risk never goes out.",
    )
    risks = tuple((key, desk.say(ar, en)) for key, ar, en in RISKS)
    links = {desk.say("رقمي وساعاتي", "My number and hours"): url("own")}
    if allowed(desk.who, "users") is None:
        on = desk.say("مفعّل", "On") if now.enabled else desk.say("متوقف", "Off")
        named = desk.say("، ", ", ").join(label for key, label in risks if key in now.risks)
        facts = ((desk.say("الإرسال", "Sending"), Cell(on, tone="low" if now.enabled else "neutral")), (desk.say("المخاطر", "Risks"), Cell(named)))  # fmt: skip
        return Section(title, text, facts=facts, links=links)
    # A request that never waits for a person can't be in a brief.
    waits = tuple((one.name, desk.say(one.ar, one.en)) for one in effects().values() if one.action_class.value == "B" and not one.blocked)  # fmt: skip
    inputs = (
        Input("enabled", desk.say("أرسل الموجز", "Send briefs"), "check", "yes" if now.enabled else ""),
        Input("risks", desk.say("مخاطر تخرج", "Risks that go out"), "checks", options=risks, chosen=now.risks),
        Input("action_types", desk.say("أنواع الإجراءات", "Kinds of action"), "checks", options=waits, chosen=now.action_types,
              hint=desk.say("إن لم تختر شيئًا خرجت كلها.", "When none is ticked, all of them go out.")),
        Input("template", desk.say("قالب واتساب المعتمد", "Template that WhatsApp approved"), value=now.template, ltr=True,
              hint=desk.say("يُستخدم بعد مضي 24 ساعة على آخر رسالة من الشخص.", "Used once 24 hours have passed since the person wrote.")),
        Input("language", desk.say("لغة القالب", "Language of the template"), "select", now.language, options=LANGUAGES),
    )  # fmt: skip
    form = DeskForm("rules", url("whatsapp_rules"), desk.say("احفظ", "Save"), inputs, columns=True)
    changed = ((desk.say("آخر من غيّرها", "Changed by"), Cell(now.changed_by, "ltr")),) if now.changed_by else ()
    return Section(title, text, facts=changed, forms=(form,), links=links)


@router.post(PATHS["whatsapp_rules"], dependencies=[SETTING_UP])
async def set_rules(request: Request, desk: DeskDep) -> Response:
    """Choose what goes out; the same again changes nothing."""
    sent = await request.form()
    try:
        body = BriefRules.model_validate({
            "enabled": bool(sent.get("enabled")), "risks": [str(one) for one in sent.getlist("risks")],
            "action_types": [str(one) for one in sent.getlist("action_types")], "template": str(sent.get("template", "")).strip(),
            "language": str(sent.get("language", "")),
        })  # fmt: skip
    except ValueError:
        said = desk.say(
            "اختر مخاطرة واحدة على الأقل، واسم قالب بحروف إنجليزية صغيرة.",
            "Choose at least one risk, and a template's name in small letters.",
        )
        return await _show(desk, error=said, status=422)
    await keep_rules(desk.gateway, desk.who, body)
    return desk.go("whatsapp", done="1")


async def _messages(desk: Desk, cursor: UUID | None) -> Section:
    """What was sent to whoever looks, or waits for their hours."""
    assert desk.caller is not None
    async with desk.gateway.store.unit(desk.who.tenant_id) as unit:
        found = await unit.briefs.page(desk.caller.user.user_id, cursor, ON_PAGE + 1)
    more, found = len(found) > ON_PAGE, found[:ON_PAGE]
    columns = (desk.say("الرسالة", "Message"), desk.say("الحالة", "State"), desk.say("طلبات فيها", "Requests in it"), desk.say("كُتبت", "Made"),
        desk.say("أُرسلت", "Sent"))  # fmt: skip
    return Section(
        desk.say("ما أُرسل إليك", "What was sent to you"), columns=columns, rows=tuple(_message(desk, one) for one in found),
        empty=desk.nothing("briefs"),
        links={desk.say("الأقدم", "Older ones"): url("whatsapp", cursor=str(found[-1].message_id))} if more else {},
    )  # fmt: skip


def _message(desk: Desk, one: Outgoing) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state]
    href = url("action", str(one.message_id)) if one.state is State.SENT else ""
    return (
        Cell(desk.say(*KINDS[one.kind]), href=href), Cell(desk.say(ar, en), tone=tone), Cell(str(len(one.approvals)), "ltr"),
        Cell(one.created_at, "moment"), Cell(one.sent_at, "moment"),
    )  # fmt: skip


# -- where the vendor delivers -----------------------------------------------------------------------------------------


async def _bindings(desk: Desk) -> Section:
    assert desk.caller is not None
    found = await desk.gateway.hooks.bindings(desk.caller, None, 50)
    columns = (desk.say("الرقم عند المزوّد", "The vendor's id"), desk.say("الحالة", "State"), desk.say("عنوان الاستقبال", "Where it delivers"),
        desk.say("أُضيف", "Added"))  # fmt: skip
    rows = []
    for one in found:
        ended = one.ended_at is not None
        rows.append((
            Cell(one.account, "ltr"), Cell(desk.say("انتهى", "Ended") if ended else desk.say("يستقبل", "Takes deliveries"), tone="neutral" if ended else "low"),
            Cell(f"/api/v1/webhooks/{one.connector}/{one.binding_id}", "ltr"), Cell(one.created_at, "moment"),
        ))  # fmt: skip
    inputs = (
        Input("account", desk.say("معرّف الرقم عند المزوّد", "The vendor's id of the number"), ltr=True, hint="phone_number_id"),
        Input("secret", desk.say("سر التوقيع", "The secret that signs"), "password", ltr=True,
        hint=desk.say("16 حرفًا فأكثر، ولا يُعرض بعد الحفظ.", "16 characters or more; it is never shown again.")),
    )  # fmt: skip
    add = DeskForm("bind", url("whatsapp_bind"), desk.say("استقبل من هذا الرقم", "Take deliveries of it"), inputs, columns=True)  # fmt: skip
    ends = tuple(
        DeskForm(f"end-{one.binding_id}", url("whatsapp_unbind", str(one.binding_id)),
        desk.say(f"أوقف الاستقبال من {one.account}", f"Stop taking deliveries of {one.account}"), danger=True, quiet=True)
        for one in found if one.ended_at is None
    )  # fmt: skip
    return Section(
        desk.say("ما يصل من واتساب", "What comes in from WhatsApp"),
        desk.say("تصل الردود بإشعار يوقّعه المزوّد، وما لم يكن موقّعًا يُرفض.", "Replies arrive as deliveries that the vendor signs; what is not signed is refused."),
        columns=columns, rows=tuple(rows), empty=desk.nothing("inbound"), forms=(add, *ends),
    )  # fmt: skip


@router.post(PATHS["whatsapp_bind"], dependencies=[SETTING_UP])
async def bind(desk: DeskDep, account: Annotated[str, Form(max_length=100)] = "", secret: Annotated[str, Form(max_length=500)] = "") -> Response:  # fmt: skip
    """Let the vendor deliver. The token of its verification request is on this page and on no other."""
    if not account.strip() or len(secret) < 16 or desk.caller is None:
        said = desk.say("اكتب معرّف الرقم، وسرًا من 16 حرفًا فأكثر.", "Write the number's id, and a secret of 16 characters or more.")  # fmt: skip
        return await _show(desk, error=said, status=422)
    (connector,) = CONNECTORS
    try:
        made, token = await desk.gateway.hooks.bind(desk.caller, connector, account.strip(), secret)
    except DealixError as error:
        return await _show(desk, error=desk.error(error), status=error.status)
    facts = (
        (desk.say("عنوان الاستقبال", "Where it delivers"), Cell(f"/api/v1/webhooks/{made.connector}/{made.binding_id}", "ltr")),
        (desk.say("رمز التحقق", "Verification token"), Cell(token, "ltr")),
    )  # fmt: skip
    once = Section(
        desk.say("أعطِ هذين للمزوّد", "Give the vendor both"), desk.say("انسخ الرمز الآن، فلن يظهر مرة أخرى.", "Copy the token now: it is not shown again."), facts=facts
    )  # fmt: skip
    return await _show(desk, None, once)


@router.post(PATHS["whatsapp_unbind"], dependencies=[SETTING_UP])
async def unbind(id: UUID, desk: DeskDep) -> Response:
    if desk.caller is not None:
        try:
            await desk.gateway.hooks.unbind(desk.caller, id)
        except DealixError as error:
            return await _show(desk, error=desk.error(error), status=error.status)
    return desk.go("whatsapp", done="1")
