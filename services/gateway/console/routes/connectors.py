"""Connectors: how each stands, its credential that only goes in, its probe, and the way from the sandbox to the real thing."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from starlette.responses import Response

from libs.contracts import connectors as contract
from libs.contracts import operating
from libs.contracts.catalogue.credentials import CredentialField, credential_fields
from libs.contracts.catalogue.words import word
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.execution import ConnectorInfo
from libs.contracts.prices import SetPrice
from libs.contracts.subjects import (
    CONTROL,
    CONTROLS,
    PROBE_CONNECTOR,
    PUT_CREDENTIAL,
    SET_CONNECTOR,
    SET_FLAG,
    SET_PRICE,
    SWITCH_LIVE,
)
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.price_parts import pricing
from services.gateway.console.routes.compliance import Tone
from services.gateway.console.urls import PATHS, url
from services.gateway.http.connectors import LIVE, standing
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
SETTING_UP = require("users")
PROPOSING = require("propose")
CONTROLLING = require("control")
MODES: dict[str, tuple[str, str, Tone]] = {
    "sandbox": ("تجريبي", "Sandbox", "neutral"), "draft": ("مسودات", "Drafts", "medium"), "live": ("فعلي", "Live", "low"),
}  # fmt: skip
STATUS: dict[str, tuple[str, str, Tone]] = {
    "ok": ("يعمل", "Works", "low"), "degraded": ("متعثّر حاليًا", "Failing just now", "medium"), "error": ("لا يعمل", "Does not work", "high"),
    "unknown": ("غير معروف", "Not known", "neutral"),
}  # fmt: skip


@router.get(PATHS["connectors"], dependencies=[READING])
async def connectors(desk: DeskDep) -> Response:
    found = await standing(desk.gateway, desk.who)
    columns = (
        desk.say("الموصل", "Connector"), desk.say("الوضع", "Mode"), desk.say("الحالة", "Status"), desk.say("مضبوط", "Set up"),
        desk.say("يعبر الحدود", "Crosses a border"), desk.say("آخر فحص", "Probed"),
    )  # fmt: skip
    title = desk.say("الموصلات", "Connectors")
    section = Section(
        title,
        desk.say(
            "ما لم يُفعَّل موصل فعليًا يبقى كل ما يفعله في الصندوق التجريبي.",
            "Until a connector is switched live, all that it does stays in the sandbox.",
        ),
        columns=columns, rows=tuple(_row(desk, one) for one in found),
        links={
            desk.say("الصندوق التجريبي", "Sandbox mailbox"): url("sandbox_mailbox"),
            desk.say("الرسائل المتعذّرة", "Dead letters"): url("dead_letters"),
            desk.say("كل التكاملات", "All integrations"): url("integrations"),
            desk.say("الإضافات", "Plugins"): url("plugins"),
            **({desk.say("الإشعارات البرمجية وSIEM", "Webhooks and SIEM"): url("webhooks")} if allowed(desk.who, "users") else {}),
        },
    )  # fmt: skip
    return await desk.show(DeskPage("connectors", title, (section,)))


def _row(desk: Desk, one: ConnectorInfo) -> tuple[Cell, ...]:
    mode_ar, mode_en, mode = MODES.get(one.mode, (one.mode, one.mode, "neutral"))
    ar, en, tone = STATUS[one.status.value]
    return (
        Cell(_name(desk, one), href=url("connector", one.connector_key)), Cell(desk.say(mode_ar, mode_en), tone=mode),
        Cell(desk.say(ar, en), tone=tone), Cell(_yes(desk, one.registered)), Cell(_yes(desk, one.cross_border)),
        Cell(one.probed_at, "moment"),
    )  # fmt: skip


def _name(desk: Desk, one: ConnectorInfo) -> str:
    return desk.say(one.display_name_ar, one.display_name)


def _yes(desk: Desk, value: bool) -> str:
    return desk.say("نعم", "Yes") if value else desk.say("لا", "No")


@router.get(PATHS["connector"], dependencies=[READING])
async def connector(id: str, desk: DeskDep) -> Response:
    return await _connector(desk, id)


async def _connector(desk: Desk, key: str, *, error: str = "", done: str = "", status: int = 200) -> Response:
    one = next((each for each in await standing(desk.gateway, desk.who) if each.connector_key == key), None)
    if one is None:
        raise NotFound
    controls: operating.ControlListReply = await desk.call(CONTROLS, operating.ControlList(principal=desk.who))
    paused = any(c.paused for c in controls.items if (c.scope, c.target) == ("connector", key))
    sections = [_standing(desk, one, paused)]
    if allowed(desk.who, "users") is not None:
        sections += [_credential(desk, one), _rate(desk, one)]
    sections.append(await pricing(desk, key))
    page = DeskPage(
        "connectors", _name(desk, one), tuple(sections), error=error, done=done, back=url("connectors"),
        back_label=desk.say("الموصلات", "Connectors"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _said(desk: Desk, group: str, value: str) -> Cell:
    known = word(group, value)
    return Cell(desk.say(known.ar, known.en))


def _standing(desk: Desk, one: ConnectorInfo, paused: bool) -> Section:
    mode_ar, mode_en, mode = MODES.get(one.mode, (one.mode, one.mode, "neutral"))
    ar, en, tone = STATUS[one.status.value]
    probe = desk.say(one.probe.ar, one.probe.en) if one.probe else desk.say("لم يُفحص بعد", "Not probed yet")
    facts = [
        (desk.say("الوضع", "Mode"), Cell(desk.say(mode_ar, mode_en), tone=mode)), (desk.say("الحالة", "Status"), Cell(desk.say(ar, en), tone=tone)),
        (desk.say("آخر فحص", "Newest probe"), Cell(probe)), (desk.say("الوقت", "When"), Cell(one.probed_at, "moment")),
        (desk.say("الإيقاف المؤقت", "Paused"), Cell(_yes(desk, paused))), (desk.say("تصنيف البيانات", "Data"), _said(desk, "data_class", one.data_classification)),
        (desk.say("معرفة ما نُفّذ", "Read-back"), _said(desk, "read_back", one.read_back)),
    ]  # fmt: skip
    forms, key = [], one.connector_key
    if allowed(desk.who, "control") is not None:
        label = desk.say("استأنف", "Resume") if paused else desk.say("أوقف مؤقتًا", "Pause")
        command = Input("command", "", "hidden", "resume" if paused else "pause")
        forms.append(DeskForm("control", url("connector_control", key), label, (command,), danger=not paused))
    if allowed(desk.who, "propose") is not None:
        if one.mode == "live":
            forms.append(
                DeskForm("back", url("connector_sandbox", key), desk.say("أعده إلى التجريبي", "Back to the sandbox"))
            )
        elif one.registered:
            why = Input("reason", desk.say("السبب", "Why"), "text", required=False)
            ask = desk.say("اطلب التفعيل الفعلي", "Ask to go live")
            forms.append(DeskForm("live", url("connector_live", key), ask, (why,)))
    return Section(desk.say("كيف حاله", "How it stands"), facts=tuple(facts), forms=tuple(forms))


def _credential(desk: Desk, one: ConnectorInfo) -> Section:
    fields, key = credential_fields().get(one.connector_key, ()), one.connector_key
    facts = ((desk.say("حُفظت", "Stored"), Cell(one.credential_at, "moment")),)
    forms = []
    if fields:
        inputs = tuple(credential_input(desk, field) for field in fields)
        forms.append(DeskForm("credential", url("connector_credential", key), desk.say("احفظ", "Store"), inputs))
    if one.registered:
        forms.append(DeskForm("probe", url("connector_probe", key), desk.say("افحص الآن", "Probe it now")))
    text = desk.say(
        "تُشفَّر عند الحفظ، ولا تُعرض بعده أبدًا.", "It is sealed when you store it, and never shown afterwards."
    )
    return Section(desk.say("بيانات الاعتماد", "Credential"), text, facts=facts, forms=tuple(forms))


def credential_input(desk: Desk, field: CredentialField) -> Input:
    """A value of a connector's credential as a field of a form."""
    kinds: dict[str, Any] = {"text": "text", "secret": "password", "number": "number", "choice": "select"}
    return Input(
        field.name, desk.say(field.ar, field.en), kinds[field.kind], required=not field.optional, ltr=True,
        options=tuple((choice, choice) for choice in field.choices),
    )  # fmt: skip


def _rate(desk: Desk, one: ConnectorInfo) -> Section:
    label = desk.say("أثر فعلي في الدقيقة، على الأكثر", "Live effects a minute, at most")
    form = DeskForm(
        "settings", url("connector_settings", one.connector_key), desk.say("احفظ", "Save"),
        (Input("per_minute", label, "number", str(one.per_minute), ltr=True),),
    )  # fmt: skip
    return Section(desk.say("المعدّل", "Rate"), forms=(form,))


async def _did(desk: Desk, key: str, call: Any, request: Any, done: str) -> Response:
    try:
        await desk.call(call, request)
    except DealixError as error:
        return await _connector(desk, key, error=desk.error(error), status=error.status)
    return await _connector(desk, key, done=done)


@router.post(PATHS["connector_credential"], dependencies=[SETTING_UP])
async def credential(id: str, desk: DeskDep, request: Request) -> Response:
    """Store what was written. A refusal names the field; nothing that was written is shown again."""
    form = await request.form()
    values: dict[str, str | int] = {}
    for field in credential_fields().get(id, ()):
        text = form.get(field.name)
        if isinstance(text, str) and text:
            values[field.name] = int(text) if field.kind == "number" and text.isascii() and text.isdigit() else text
    asked = contract.PutCredential(principal=desk.who, connector=id, values=values)
    return await _did(desk, id, PUT_CREDENTIAL, asked, desk.say("حُفظت. افحصها الآن.", "Stored. Probe it now."))


@router.post(PATHS["connector_probe"], dependencies=[SETTING_UP])
async def probe(id: str, desk: DeskDep) -> Response:
    asked = contract.ProbeConnector(principal=desk.who, connector=id)
    return await _did(desk, id, PROBE_CONNECTOR, asked, desk.say("اكتمل الفحص.", "Probed."))


@router.post(PATHS["connector_settings"], dependencies=[SETTING_UP])
async def settings(id: str, desk: DeskDep, per_minute: Annotated[int, Form(ge=1, le=100_000)]) -> Response:
    asked = contract.SetConnector(principal=desk.who, connector=id, per_minute=per_minute)
    return await _did(desk, id, SET_CONNECTOR, asked, desk.say("حُفظ.", "Saved."))


@router.post(PATHS["connector_live"], dependencies=[PROPOSING])
async def live(id: str, desk: DeskDep, reason: Annotated[str, Form(max_length=2000)] = "") -> Response:
    asked = contract.SwitchLive(principal=desk.who, connector=id, reason=reason)
    done = desk.say("أُرسل الطلب إلى مركز الموافقات، ويلزم أن يعتمده شخصان.", "Asked: two people have to approve it.")
    return await _did(desk, id, SWITCH_LIVE, asked, done)


@router.post(PATHS["connector_sandbox"], dependencies=[PROPOSING])
async def sandbox(id: str, desk: DeskDep) -> Response:
    asked = operating.SetFlag(principal=desk.who, name=f"{LIVE}{id}", value=False)
    return await _did(desk, id, SET_FLAG, asked, desk.say("عاد إلى الصندوق التجريبي.", "Back in the sandbox."))


@router.post(PATHS["connector_control"], dependencies=[CONTROLLING])
async def control(id: str, desk: DeskDep, command: Annotated[str, Form(pattern="^(pause|resume)$")]) -> Response:
    asked = operating.ControlCommand(principal=desk.who, scope="connector", target=id, command=command)
    return await _did(desk, id, CONTROL, asked, desk.say("تم.", "Done."))


@router.post(PATHS["connector_price"], dependencies=[SETTING_UP])
async def price(
    id: str, desk: DeskDep, sar: Annotated[str, Form(max_length=20)] = "", reference: Annotated[str, Form(max_length=500)] = ""
) -> Response:  # fmt: skip
    """Record what one effect costs from now on."""
    try:
        wanted = SetPrice(principal=desk.who, connector=id, sar=Decimal(sar), reference=reference.strip())
    except (ValidationError, ArithmeticError):
        said = desk.say("اكتب السعر بالأرقام، ومرجعه.", "Write the price in digits, and where it is written down.")
        return await _connector(desk, id, error=said, status=422)
    return await _did(desk, id, SET_PRICE, wanted, desk.say("سُجّل السعر.", "The price is recorded."))
