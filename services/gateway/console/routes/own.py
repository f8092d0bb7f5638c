"""Oneself: password, second factor, WhatsApp number and the hours in which one wants to be written to."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

import segno
from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import Response

from libs.contracts.briefs import DAYS
from libs.contracts.catalogue.roles import roles
from libs.contracts.errors import DealixError
from services.gateway.console.actors import terms
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, Input, Section
from services.gateway.console.routes.rules import clock
from services.gateway.console.routes.settings import shown
from services.gateway.console.urls import PATHS, url
from services.gateway.domain.people import Caller
from services.gateway.http.briefs import HoursView, forget_hours, keep_hours
from services.gateway.http.guards import CallerDep, allowed, require

router = APIRouter()
APPROVING = require("approve")
Secret = Annotated[str, Form(max_length=1024)]
Word = Annotated[str, Form(max_length=40)]
NAMES = {
    "sun": ("الأحد", "Sunday"), "mon": ("الاثنين", "Monday"), "tue": ("الثلاثاء", "Tuesday"), "wed": ("الأربعاء", "Wednesday"),
    "thu": ("الخميس", "Thursday"), "fri": ("الجمعة", "Friday"), "sat": ("السبت", "Saturday"),
}  # fmt: skip
WORKING = ("sun", "mon", "tue", "wed", "thu")
DONE = {
    "password": ("تغيّرت كلمة المرور، وانتهت جلساتك الأخرى.", "The password is changed; your other sessions have ended."),
    "factor": ("فُعّل التحقق بخطوتين.", "The second factor is in force."), "factor_off": ("أُزيل التحقق بخطوتين.", "The second factor is removed."),
    "number_off": ("أُزيل الرقم.", "The number is removed."), "hours": ("حُفظت ساعاتك.", "Your hours are saved."),
    "hours_off": ("لن يُرسل إليك موجز.", "No brief is sent to you any more."),
}  # fmt: skip


@router.get(PATHS["own"])
async def own(desk: DeskDep, caller: CallerDep, done: str = "") -> Response:
    return await _show(desk, caller, done=desk.say(*DONE[done]) if done in DONE else "")


async def _show(desk: Desk, caller: Caller, *first: Section, error: str = "", done: str = "", status: int = 200) -> Response:  # fmt: skip
    """A first password is changed before anything else is offered."""
    user = caller.user
    named = [one for one in caller.principal.roles if one in roles().system_roles]
    facts = (
        (desk.say("الاسم", "Name"), Cell(user.name)), (desk.say("البريد", "E-mail"), Cell(user.email, "ltr")),
        (desk.say("الأدوار", "Roles"), Cell(terms(desk.lang, tuple(named)))),
    )  # fmt: skip
    sections = [*first, Section(desk.say("أنت", "You"), facts=facts), _password(desk, user.must_change)]
    if not user.must_change:
        sections.append(_factor(desk, user.totp_on))
        if allowed(caller.principal, "approve") is not None:
            sections += [await _number(desk, caller), await _hours(desk, caller)]
    return await shown(desk, desk.say("حسابي", "My account"), *sections, error=error, done=done, status=status)


async def _try(desk: Desk, caller: Caller, doing: Awaitable[None], done: str) -> Response:
    try:
        await doing
    except DealixError as error:
        return await _show(desk, caller, error=desk.error(error), status=error.status)
    return desk.go("own", done=done)


# -- password and second factor ----------------------------------------------------------------------------------------


def _password(desk: Desk, must: bool) -> Section:
    text = desk.say("اختر كلمة مرور خاصة بك قبل أي شيء آخر.", "Choose a password of your own before anything else.") if must else ""  # fmt: skip
    inputs = (
        Input("current", desk.say("كلمة المرور الحالية", "Current password"), "password", ltr=True),
        Input("new", desk.say("كلمة المرور الجديدة", "New password"), "password", ltr=True),
    )
    form = DeskForm("password", url("own_password"), desk.say("غيّر كلمة المرور", "Change the password"), inputs, columns=True, quiet=not must)  # fmt: skip
    return Section(desk.say("كلمة المرور", "Password"), text, forms=(form,))


@router.post(PATHS["own_password"])
async def change_password(desk: DeskDep, caller: CallerDep, current: Secret = "", new: Secret = "") -> Response:
    """Choose another password; the other sessions end."""
    return await _try(desk, caller, desk.gateway.people.change_password(caller, current, new), "password")


def _factor(desk: Desk, on: bool) -> Section:
    title = desk.say("التحقق بخطوتين", "Second factor")
    again = Input("password", desk.say("كلمة المرور", "Password"), "password", ltr=True)
    if on:
        remove = DeskForm("factor", url("own_factor"), desk.say("أزل التحقق بخطوتين", "Remove it"), (again, Input("step", "", "hidden", "remove")), danger=True,
            quiet=True)  # fmt: skip
        return Section(title, facts=((desk.say("الحالة", "State"), Cell(desk.say("مفعّل", "On"), tone="low")),), forms=(remove,))  # fmt: skip
    text = desk.say(
        "رمز من ستة أرقام من تطبيق في هاتفك، يُطلب بعد كلمة المرور.",
        "Six digits from an app on your phone, asked for after the password.",
    )
    begin = DeskForm("factor", url("own_factor"), desk.say("ابدأ التفعيل", "Begin"), (again, Input("step", "", "hidden", "begin")), quiet=True)  # fmt: skip
    return Section(title, text, facts=((desk.say("الحالة", "State"), Cell(desk.say("غير مفعّل", "Off"), tone="neutral")),), forms=(begin,))  # fmt: skip


@router.post(PATHS["own_factor"])
async def factor(desk: DeskDep, caller: CallerDep, step: Word, password: Secret = "", code: Word = "") -> Response:
    """Begin, confirm with six digits, or remove. Until it is confirmed nothing changes."""
    people = desk.gateway.people
    if step == "remove":
        return await _try(desk, caller, people.remove_factor(caller, password), "factor_off")
    if step == "confirm":
        return await _try(desk, caller, people.confirm(caller, code.strip()), "factor")
    try:
        secret, uri = await people.enrol(caller, password)
    except DealixError as error:
        return await _show(desk, caller, error=desk.error(error), status=error.status)
    drawing = Markup(segno.make(uri, error="m").svg_inline(scale=5))  # drawn here, from a URI of ours
    digits = Input("code", desk.say("الأرقام الستة من التطبيق", "The six digits from the app"), ltr=True)
    confirm = DeskForm("confirm", url("own_factor"), desk.say("أكّد وفعّل", "Confirm"), (digits, Input("step", "", "hidden", "confirm")))  # fmt: skip
    section = Section(
        desk.say("امسح الرمز ثم أكّده", "Scan it, then confirm"), desk.say("إن تعذّر المسح فاكتب السر في التطبيق.", "Where it can't be scanned, type the secret."),
        facts=((desk.say("السر", "Secret"), Cell(secret, "ltr")),), forms=(confirm,), drawing=drawing,
    )  # fmt: skip
    return await _show(desk, caller, section)


# -- WhatsApp ----------------------------------------------------------------------------------------------------------


async def _number(desk: Desk, caller: Caller) -> Section:
    found = await desk.gateway.hooks.number(caller)
    title = desk.say("رقم واتساب", "WhatsApp number")
    text = desk.say("من هذا الرقم وحده يُقبل ردك على طلبات الموافقة.", "Only from this number does your answer to requests count.")  # fmt: skip
    inputs = (
        Input(
            "number", desk.say("الرقم بالصيغة الدولية", "Number in international form"), ltr=True, hint="+966501234567"
        ),
        Input("password", desk.say("كلمة المرور", "Password"), "password", ltr=True),
    )
    verb = desk.say("سجّل الرقم", "Register it") if found is None else desk.say("استبدل الرقم", "Replace it")
    forms = [DeskForm("number", url("own_number"), verb, inputs, columns=True, quiet=True)]
    if found is None:
        return Section(title, text, forms=tuple(forms))
    plain, one = found
    verified = one.verified_at is not None
    facts = [
        (desk.say("الرقم", "Number"), Cell(plain, "ltr")),
        (desk.say("الحالة", "State"), Cell(desk.say("موثّق", "Verified"), tone="low") if verified else Cell(desk.say("بانتظار الرمز", "Waits for its code"), tone="medium")),
        (desk.say("وُثّق", "Verified at"), Cell(one.verified_at, "moment")),
    ]  # fmt: skip
    if not verified:
        facts.append((desk.say("يصلح الرمز حتى", "The code holds until"), Cell(one.code_until, "moment")))
    forms.append(DeskForm("number-off", url("own_number"), desk.say("أزل الرقم", "Remove it"), (Input("step", "", "hidden", "remove"),), danger=True, quiet=True))  # fmt: skip
    return Section(title, text, facts=tuple(facts), forms=tuple(forms))


@router.post(PATHS["own_number"], dependencies=[APPROVING])
async def number(desk: DeskDep, caller: CallerDep, number: Word = "", password: Secret = "", step: Word = "") -> Response:  # fmt: skip
    """Begin with a number, which counts once its code arrived from it; or forget it."""
    if step == "remove":
        return await _try(desk, caller, desk.gateway.hooks.drop(caller), "number_off")
    try:
        _, code = await desk.gateway.hooks.claim(caller, number.strip(), password)
    except DealixError as error:
        return await _show(desk, caller, error=desk.error(error), status=error.status)
    section = Section(
        desk.say("أرسل هذا الرمز", "Send this code"),
        desk.say("أرسله من رقمك إلى واتساب الشركة خلال 15 دقيقة. لن يظهر مرة أخرى.", "From your number to the company's WhatsApp, within 15 minutes. It is not shown again."),
        facts=((desk.say("الرمز", "Code"), Cell(code, "ltr")),),
    )  # fmt: skip
    return await _show(desk, caller, section)


async def _hours(desk: Desk, caller: Caller) -> Section:
    async with desk.gateway.store.unit(caller.principal.tenant_id) as unit:
        found = await unit.briefs.hours(caller.user.user_id)
    title = desk.say("متى نراسلك", "When you are written to")
    text = desk.say("بتوقيت الرياض. دون ساعات لا يُرسل إليك موجز.", "By Riyadh's clock. Without hours no brief is sent to you.")  # fmt: skip
    days = tuple((key, desk.say(*words)) for key, words in NAMES.items())
    inputs = (
        Input("opens", desk.say("من", "From"), "time", clock(found.opens_minute) if found else "09:00", ltr=True),
        Input("closes", desk.say("إلى", "To"), "time", clock(found.closes_minute) if found else "17:00", ltr=True),
        Input("days", desk.say("الأيام", "Days"), "checks", options=days, chosen=found.days if found else WORKING),
    )
    forms = [DeskForm("hours", url("own_hours"), desk.say("احفظ الساعات", "Save the hours"), inputs, columns=True, quiet=True)]  # fmt: skip
    if found is not None:
        forms.append(DeskForm("hours-off", url("own_hours"), desk.say("لا ترسل إليّ موجزًا", "Send me no briefs"), (Input("step", "", "hidden", "remove"),),
            danger=True, quiet=True))  # fmt: skip
    state = (
        Cell(desk.say("محددة", "Set"), tone="low") if found else Cell(desk.say("لم تُحدد", "Not set"), tone="neutral")
    )
    return Section(title, text, facts=((desk.say("الساعات", "Hours"), state),), forms=tuple(forms))


@router.post(PATHS["own_hours"], dependencies=[APPROVING])
async def hours(request: Request, desk: DeskDep, caller: CallerDep) -> Response:
    sent = await request.form()
    if sent.get("step") == "remove":
        return await _try(desk, caller, forget_hours(desk.gateway, caller), "hours_off")
    closes = str(sent.get("closes", ""))[:5]
    try:
        chosen = [day for day in DAYS if day in sent.getlist("days")]
        # A time field has no 24:00; its last minute stands for the end of the day.
        body = HoursView(
            opens=str(sent.get("opens", ""))[:5], closes="24:00" if closes == "23:59" else closes, days=chosen
        )
    except ValueError:
        said = desk.say("اختر وقتين ويومًا واحدًا على الأقل.", "Choose two times and at least one day.")
        return await _show(desk, caller, error=said, status=422)
    return await _try(desk, caller, keep_hours(desk.gateway, caller, body), "hours")
