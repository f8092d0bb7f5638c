"""A tenant's rules: business hours, what may be sent a day, who approves up to which amount, and who is asked next."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from libs.contracts import approvals as contract
from libs.contracts.approvals import CONTACT_CAP, DAILY_CAP, RulesReply, TrustRules
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.roles import Reach, roles
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.subjects import RULES, SET_RULES
from services.gateway.console import present
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, Input, Section
from services.gateway.console.routes.settings import shown
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
KEEPING = require("consents")
# In the order of a Saudi week; the number is Python's weekday.
DAYS = (
    (6, "الأحد", "Sunday"), (0, "الاثنين", "Monday"), (1, "الثلاثاء", "Tuesday"), (2, "الأربعاء", "Wednesday"), (3, "الخميس", "Thursday"),
    (4, "الجمعة", "Friday"), (5, "السبت", "Saturday"),
)  # fmt: skip
RISKS = (("high", "عالية", "High"), ("medium", "متوسطة", "Medium"), ("low", "منخفضة", "Low"))
CHANNELS = {
    "email": ("البريد الإلكتروني", "E-mail"), "whatsapp": ("واتساب", "WhatsApp"), "phone": ("الهاتف", "Phone"),
    "meeting": ("الاجتماعات", "Meetings"), "sms": ("الرسائل القصيرة", "SMS"),
}  # fmt: skip
WRITTEN_OUT = Decimal(10) ** 15
APPROVERS = ("owner", "approver", "compliance_officer")
_LIST = re.compile(r"[\s,،;]+")


class _Wrong(Exception):
    """What was entered is none; `ar` and `en` say which."""

    def __init__(self, ar: str, en: str) -> None:
        super().__init__(en)
        self.ar, self.en = ar, en


def channels() -> tuple[str, ...]:
    """Channels that some effect sends on."""
    return tuple(dict.fromkeys(one.channel for one in effects().values() if one.channel is not None))


@router.get(PATHS["rules"], dependencies=[READING])
async def rules(desk: DeskDep, done: str = "") -> Response:
    return await _show(desk, done=desk.say("حُفظ.", "Saved.") if done else "")


async def _show(desk: Desk, *, error: str = "", done: str = "", status: int = 200) -> Response:
    found: RulesReply = await desk.call(RULES, contract.RulesRequest(principal=desk.who))
    may = allowed(desk.who, "consents") is Reach.FULL
    sections = [part(desk, found, may) for part in (_hours, _caps, _limits, _escalation)]
    facts = (
        (desk.say("الإصدار", "Version"), Cell(str(found.version) if found.version else desk.say("القيم الأصلية", "The defaults"))),
        (desk.say("آخر من غيّرها", "Changed by"), Cell(found.changed_by, "ltr")), (desk.say("الوقت", "When"), Cell(found.changed_at, "moment")),
    )  # fmt: skip
    text = desk.say("كل تغيير يُحفظ إصدارًا جديدًا باسم من أجراه.", "Every change is kept as a new version, with who made it.")  # fmt: skip
    sections.append(Section(desk.say("السجل", "On record"), text, facts=facts))
    title = desk.say("الدوام والحدود والموافقات", "Hours, caps and approvals")
    return await shown(desk, title, *sections, error=error, done=done, status=status)


def _form(desk: Desk, found: RulesReply, part: str, inputs: tuple[Input, ...]) -> tuple[DeskForm, ...]:
    version = Input("version", "", "hidden", str(found.version))
    return (DeskForm(part, url("rules_save", part), desk.say("احفظ", "Save"), (version, *inputs), columns=True),)


def _hours(desk: Desk, found: RulesReply, may: bool) -> Section:
    now = found.rules
    title = desk.say("أوقات الدوام", "Business hours")
    text = desk.say(
        "بتوقيت الرياض. تُحسب المهل والمتابعات بهذه الأوقات، وتُستثنى إجازات المملكة الرسمية من تلقاء نفسها.",
        "By Riyadh's clock. Deadlines and follow-ups run in these hours; the kingdom's public holidays are left out by themselves.",
    )
    days = tuple((str(number), desk.say(ar, en)) for number, ar, en in DAYS)
    if not may:
        named = [label for key, label in days if int(key) in now.days]
        facts = (
            (desk.say("من", "From"), Cell(clock(now.opens_minute), "ltr")), (desk.say("إلى", "To"), Cell(clock(now.closes_minute), "ltr")),
            (desk.say("الأيام", "Days"), Cell(desk.say("، ", ", ").join(named))),
            (desk.say("إجازات خاصة", "Own days off"), Cell(" ".join(day.isoformat() for day in now.closed_on), "ltr")),
        )  # fmt: skip
        return Section(title, text, facts=facts)
    closed = " ".join(day.isoformat() for day in now.closed_on)
    inputs = (
        Input("opens", desk.say("يبدأ الدوام", "Opens"), "time", clock(now.opens_minute), ltr=True),
        Input("closes", desk.say("ينتهي الدوام", "Closes"), "time", clock(now.closes_minute), ltr=True),
        Input("days", desk.say("أيام الدوام", "Working days"), "checks", options=days, chosen=tuple(str(one) for one in now.days)),
        Input("closed_on", desk.say("إجازات المنشأة", "The company's own days off"), "long", closed, False, ltr=True,
              hint=desk.say("تواريخ ميلادية مثل 2026-12-01، بينها مسافة.", "Dates such as 2026-12-01, with a space between them.")),
    )  # fmt: skip
    return Section(title, text, forms=_form(desk, found, "hours", inputs))


def _caps(desk: Desk, found: RulesReply, may: bool) -> Section:
    now = found.rules
    title = desk.say("حدود الإرسال", "Sending caps")
    text = desk.say(
        f"ما زاد على الحد ينتظر اليوم التالي. ما يُترك فارغًا يسري عليه الأصل: في اليوم للقناة {DAILY_CAP}، وللشخص في سبعة أيام {CONTACT_CAP}.",
        f"What is beyond a cap waits for the next day. What is left empty keeps the default: {DAILY_CAP} messages a day on a channel, and {CONTACT_CAP} to a person in seven days.",
    )
    if not may:
        columns = (desk.say("القناة", "Channel"), desk.say("في اليوم", "A day"), desk.say("للشخص في سبعة أيام", "To a person in seven days"))  # fmt: skip
        rows = tuple(
            (Cell(_channel(desk, one)), Cell(str(now.daily_caps.get(one, DAILY_CAP)), "ltr"), Cell(str(now.contact_caps.get(one, CONTACT_CAP)), "ltr"))
            for one in channels()
        )  # fmt: skip
        return Section(title, text, columns=columns, rows=rows)
    inputs: list[Input] = []
    for one in channels():
        daily, each = now.daily_caps.get(one), now.contact_caps.get(one)
        inputs += [
            Input(f"daily.{one}", desk.say(f"{_channel(desk, one)}: في اليوم", f"{_channel(desk, one)}: a day"), "number", "" if daily is None else str(daily), False, ltr=True),
            Input(f"each.{one}", desk.say(f"{_channel(desk, one)}: للشخص في الأسبوع", f"{_channel(desk, one)}: to a person in a week"), "number",
            "" if each is None else str(each), False, ltr=True),
        ]  # fmt: skip
    warm = " ".join(str(one) for one in now.warm_up)
    inputs.append(
        Input("warm_up", desk.say("حدود الأيام الأولى لمرسِل جديد", "Caps of a new sender's first days"), value=warm, required=False, ltr=True,
              hint=desk.say("عدد لكل يوم بالترتيب، مثل 20 50 100.", "One number a day, in order, such as 20 50 100."))
    )  # fmt: skip
    return Section(title, text, forms=_form(desk, found, "caps", tuple(inputs)))


def _limits(desk: Desk, found: RulesReply, may: bool) -> Section:
    now = found.rules
    title = desk.say("صلاحيات الموافقة ومهلها", "Approvals: limits and deadlines")
    text = desk.say(
        "أعلى قيمة يوافق عليها كل دور بالريال، والقيمة التي يلزم فوقها شخصان. ما يُترك فارغًا لا حد له.",
        "The highest value a role may approve, in riyals, and above which value two people must. What is left empty has no limit.",
    )
    if not may:
        rows = tuple(
            (Cell(present.role(desk.lang, key)), Cell(_plain(value), "ltr")) for key, value in now.limits.items()
        )
        quorum = _plain(now.quorum_above_sar)
        facts = ((desk.say("شخصان فوق", "Two people above"), Cell(quorum, "ltr")),)
        return Section(title, text, facts=facts, columns=(desk.say("الدور", "Role"), desk.say("الحد بالريال", "Limit in riyals")), rows=rows)  # fmt: skip
    held = dict.fromkeys((*APPROVERS, *now.limits))
    inputs = [
        Input(f"limit.{key}", desk.say(f"حد {present.role(desk.lang, key)}", f"Limit of: {present.role(desk.lang, key)}"), "number", _plain(now.limits.get(key)),
        False, ltr=True, step="0.01")
        for key in held
    ]  # fmt: skip
    inputs.append(Input("quorum", desk.say("شخصان فوق (ر.س)", "Two people above (SAR)"), "number", _plain(now.quorum_above_sar), False, ltr=True, step="0.01"))  # fmt: skip
    inputs += [
        Input(f"sla.{key}", desk.say(f"مهلة المخاطرة {ar} (دقيقة دوام)", f"{en} risk: answer within (business minutes)"), "number", str(now.sla_minutes.get(key, "")), ltr=True)
        for key, ar, en in RISKS
    ]  # fmt: skip
    return Section(title, text, forms=_form(desk, found, "limits", tuple(inputs)))


def _escalation(desk: Desk, found: RulesReply, may: bool) -> Section:
    now = found.rules
    title = desk.say("من يُسأل إذا انتهت المهلة", "Who is asked when time is up")
    people = tuple((key, desk.say(one.ar, one.en)) for key, one in roles().business_roles.items())
    if not may:
        columns = (desk.say("الدور", "Role"), desk.say("ثم", "Then"))
        rows = tuple(
            (Cell(present.role(desk.lang, one)), Cell(present.role(desk.lang, then)))
            for one, then in now.next_role.items()
        )
        return Section(title, columns=columns, rows=rows)
    nobody = ("", desk.say("لا أحد", "Nobody"))
    inputs = [
        Input(f"next.{key}", desk.say(f"بعد {label}", f"After: {label}"), "select", now.next_role.get(key, ""), False, options=(nobody, *(one for one in people if one[0] != key)))
        for key, label in people
    ]  # fmt: skip
    inputs.append(Input("executive", desk.say("المسؤول الأعلى", "The executive"), "select", now.executive, options=people))  # fmt: skip
    return Section(title, forms=_form(desk, found, "escalation", tuple(inputs)))


@router.post(PATHS["rules_save"], dependencies=[KEEPING])
async def save(id: str, request: Request, desk: DeskDep) -> Response:
    """Change one part of the rules; the others stay as they are. What was changed meanwhile is a conflict, said on the page."""
    part = _PARTS.get(id)
    if part is None:
        raise NotFound
    sent = await request.form()
    found: RulesReply = await desk.call(RULES, contract.RulesRequest(principal=desk.who))
    try:
        changed = TrustRules.model_validate({**dict(found.rules), **part(sent, found.rules)})
        version = int(str(sent.get("version", "")))
        wanted = contract.SetRules(principal=desk.who, rules=changed, expected_version=version)
        if changed != found.rules or version != found.version:
            await desk.call(SET_RULES, wanted)
    except _Wrong as wrong:
        return await _show(desk, error=desk.say(wrong.ar, wrong.en), status=422)
    except (ValidationError, ValueError):
        said = desk.say("في الأرقام ما لا يُقبل.", "One of the numbers is not one that may be.")
        return await _show(desk, error=said, status=422)
    except DealixError as error:
        return await _show(desk, error=desk.error(error), status=error.status)
    return desk.go("rules", done="1")


def _read_hours(sent: FormData, now: TrustRules) -> dict[str, Any]:
    try:
        closed = tuple(sorted({date.fromisoformat(one) for one in _words(sent, "closed_on")}))
    except ValueError as error:
        raise _Wrong("في الإجازات تاريخ غير صالح.", "One of the days off is not a date.") from error
    days = tuple(number for number, _, _ in DAYS if str(number) in sent.getlist("days"))
    return {"opens_minute": minute(sent, "opens"), "closes_minute": minute(sent, "closes"), "days": days, "closed_on": closed}  # fmt: skip


def _read_caps(sent: FormData, now: TrustRules) -> dict[str, Any]:
    daily = {one: count for one in channels() if (count := _count(sent, f"daily.{one}")) is not None}
    each = {one: count for one in channels() if (count := _count(sent, f"each.{one}")) is not None}
    known = set(channels())
    return {
        "daily_caps": {**{one: cap for one, cap in now.daily_caps.items() if one not in known}, **daily},
        "contact_caps": {**{one: cap for one, cap in now.contact_caps.items() if one not in known}, **each},
        "warm_up": tuple(int(one) for one in _words(sent, "warm_up")),
    }


def _read_limits(sent: FormData, now: TrustRules) -> dict[str, Any]:
    held = dict.fromkeys((*APPROVERS, *now.limits))
    limits = {key: amount for key in held if (amount := _amount(sent, f"limit.{key}")) is not None}
    minutes = {key: count for key, _, _ in RISKS if (count := _count(sent, f"sla.{key}")) is not None}
    return {"limits": limits, "quorum_above_sar": _amount(sent, "quorum"), "sla_minutes": {**now.sla_minutes, **minutes}}  # fmt: skip


def _read_escalation(sent: FormData, now: TrustRules) -> dict[str, Any]:
    following = {key: str(sent.get(f"next.{key}") or "") for key in roles().business_roles}
    return {"next_role": {key: then for key, then in following.items() if then}, "executive": str(sent.get("executive", ""))}  # fmt: skip


_PARTS: dict[str, Callable[[FormData, TrustRules], dict[str, Any]]] = {
    "hours": _read_hours, "caps": _read_caps, "limits": _read_limits, "escalation": _read_escalation,
}  # fmt: skip


def clock(at: int) -> str:
    """Minutes since midnight as `09:00`. The end of the day is shown as its last minute, which is all that a time field takes."""
    return "23:59" if at >= 1440 else f"{at // 60:02}:{at % 60:02}"


def minute(sent: FormData, name: str) -> int:
    """A time field as minutes since midnight. Raises _Wrong."""
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)(:\d\d)?", str(sent.get(name, "")))
    if found is None:
        raise _Wrong("اكتب الوقت هكذا: 09:00.", "Write a time as 09:00.")
    at = int(found[1]) * 60 + int(found[2])
    return 1440 if at == 1439 else at


def _words(sent: FormData, name: str) -> list[str]:
    return [one for one in _LIST.split(str(sent.get(name, ""))) if one]


def _count(sent: FormData, name: str) -> int | None:
    text = str(sent.get(name, "")).strip()
    return int(text) if text else None


def _amount(sent: FormData, name: str) -> Decimal | None:
    text = str(sent.get(name, "")).strip()
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", text) is None:
        raise _Wrong("اكتب المبلغ بالأرقام.", "Write the amount in digits.")
    return Decimal(text)


def _plain(amount: Decimal | None) -> str:
    # What the API may have been given is not always written out: an exponent has no end.
    return "" if amount is None else f"{amount:f}" if abs(amount) < WRITTEN_OUT else str(amount)


def _channel(desk: Desk, key: str) -> str:
    return desk.say(*CHANNELS[key]) if key in CHANNELS else key


def _role(desk: Desk, key: str) -> str:
    known = {**roles().system_roles, **roles().business_roles}.get(key)
    return desk.say(known.ar, known.en) if known else key
