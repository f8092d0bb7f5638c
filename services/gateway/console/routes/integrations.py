"""Integrations: every other system that Dealix may work with, how far each is here, connecting and disconnecting."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from libs.contracts.errors import DealixError
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Section
from services.gateway.console.routes.connectors import STATUS, credential_input
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab, Tone
from services.gateway.http.guards import allowed, require
from services.gateway.http.integrations import IntegrationView, State, found_one, join, leave, listed

router = APIRouter()
READING = require("read", reading=True)
SETTING_UP = require("users")
STATES: dict[str, tuple[str, str, Tone]] = {
    "live": ("فعلي", "Live", "low"), "connected": ("مربوط، في التجريبي", "Connected, in the sandbox", "medium"),
    "sandbox": ("تجريبي", "Sandbox", "neutral"), "built_in": ("مدمج", "Built in", "low"), "planned": ("لم يُبنَ بعد", "Not built yet", "neutral"),
    "refused": ("مرفوض", "Refused", "high"),
}  # fmt: skip
CATEGORIES = {
    "messaging": ("المراسلة", "Messaging"), "crm": ("إدارة العملاء", "CRM"), "workspace": ("أدوات العمل", "Workspace"),
    "payments": ("المدفوعات", "Payments"), "documents": ("المستندات", "Documents"), "voice": ("المكالمات", "Voice"),
    "research": ("البحث", "Research"), "social": ("الشبكات الاجتماعية", "Social networks"), "enrichment": ("إكمال البيانات", "Enrichment"),
    "agents": ("الوكلاء", "Agents"), "engine": ("محركات المسارات", "Flow engines"), "storage": ("التخزين", "Storage"),
    "observability": ("المراقبة", "Observability"),
}  # fmt: skip
RISKS: dict[str, tuple[str, str, Tone]] = {
    "high": ("عالية", "High", "high"), "medium": ("متوسطة", "Medium", "medium"), "low": ("منخفضة", "Low", "low"),
}  # fmt: skip
RULES: dict[str, tuple[str, str, Tone]] = {
    "allowed": ("مسموح", "Allowed", "low"), "approval_required": ("بموافقة", "With approval", "medium"), "blocked": ("محظور", "Blocked", "high"),
}  # fmt: skip
DATA = {
    "public": ("عامة", "Public"), "internal": ("داخلية", "Internal"), "confidential": ("سرية", "Confidential"), "restricted": ("مقيّدة", "Restricted"),
}  # fmt: skip
DEFAULTS = {
    "sandbox": ("الوضع التجريبي", "The sandbox"), "draft": ("مسودات فقط", "Drafts only"), "off": ("معطّل", "Off"), "local": ("داخل النظام", "Inside the system"),
}  # fmt: skip


@router.get(PATHS["integrations"], dependencies=[READING])
async def integrations(desk: DeskDep, state: Annotated[State | None, Query()] = None) -> Response:
    """The registry by kind; what is refused is listed too, with the reason."""
    every = await listed(desk.gateway, desk.who)
    found = [one for one in every if state in (None, one.state)]
    columns = (
        desk.say("النظام", "System"), desk.say("الحال هنا", "Here"), desk.say("لماذا", "What for"), desk.say("الصحة", "Health"),
        desk.say("المخاطرة", "Risk"),
    )  # fmt: skip
    sections = tuple(
        Section(desk.say(*CATEGORIES.get(category, (category, category))), columns=columns, rows=tuple(_row(desk, one) for one in found if one.category == category))
        for category in dict.fromkeys(one.category for one in found)
    )  # fmt: skip
    if not sections:
        sections = (Section(desk.say("لا شيء بهذه الحال", "None in this state"), desk.say("اختر حالًا أخرى من الأعلى.", "Choose another state above.")),)  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("integrations"), state is None, len(every)),
        *(
            Tab(key, desk.say(*STATES[key][:2]), url("integrations", state=key), state == key, sum(one.state == key for one in every))
            for key in get_args(State)
        ),
    )  # fmt: skip
    title = desk.say("التكاملات", "Integrations")
    page = DeskPage(
        "settings", title, sections, tabs, desk.say("الأحوال", "States"), back=url("settings"), back_label=desk.say("الإعدادات", "Settings")
    )  # fmt: skip
    return await desk.show(page)


def _row(desk: Desk, one: IntegrationView) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state]
    risk_ar, risk_en, risk = RISKS[one.risk_level]
    return (
        Cell(desk.say(one.title.ar, one.title.en), href=url("integration", one.name)), Cell(desk.say(ar, en), tone=tone),
        Cell(desk.say(one.use_case.ar, one.use_case.en)), _health(desk, one), Cell(desk.say(risk_ar, risk_en), tone=risk),
    )  # fmt: skip


def _health(desk: Desk, one: IntegrationView) -> Cell:
    """What the newest probe found. What is not connected has no health: that is no fault, and not "works" either."""
    if one.state in ("planned", "refused", "built_in"):
        return Cell("")
    ar, en, tone = STATUS[one.health.value]
    return Cell(desk.say(ar, en), tone=tone)


@router.get(PATHS["integration"], dependencies=[READING])
async def integration(id: str, desk: DeskDep, done: str = "") -> Response:
    said = {"connected": ("حُفظت بيانات الاعتماد وفُحصت.", "The credential was stored and probed."),
        "disconnected": ("فُصل، ونُسيت بيانات الاعتماد.", "Disconnected; the credential is forgotten.")}  # fmt: skip
    return await _one(desk, id, done=desk.say(*said[done]) if done in said else "")


async def _one(desk: Desk, name: str, *, error: str = "", done: str = "", status: int = 200) -> Response:
    one = await found_one(desk.gateway, desk.who, name)
    sections = [_about(desk, one)]
    if one.scopes:
        sections.append(_scopes(desk, one))
    if (connecting := _connecting(desk, one)) is not None:
        sections.append(connecting)
    page = DeskPage(
        "settings", desk.say(one.title.ar, one.title.en), tuple(sections), error=error, done=done, back=url("integrations"),
        back_label=desk.say("التكاملات", "Integrations"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _about(desk: Desk, one: IntegrationView) -> Section:
    ar, en, tone = STATES[one.state]
    risk_ar, risk_en, risk = RISKS[one.risk_level]
    facts = [
        (desk.say("الحال هنا", "Here"), Cell(desk.say(ar, en), tone=tone)), (desk.say("لماذا", "What for"), Cell(desk.say(one.use_case.ar, one.use_case.en))),
        (desk.say("الصحة", "Health"), _health(desk, one)), (desk.say("آخر فحص", "Probed"), Cell(one.probed_at, "moment")),
    ]  # fmt: skip
    if one.health_reason is not None:
        facts.append((desk.say("ما وجده الفحص", "What the probe found"), Cell(desk.say(one.health_reason.ar, one.health_reason.en))))  # fmt: skip
    crosses = desk.say("نعم", "Yes") if one.cross_border else desk.say("لا", "No")
    facts += [
        (desk.say("المخاطرة", "Risk"), Cell(desk.say(risk_ar, risk_en), tone=risk)),
        (desk.say("تصنيف البيانات", "Data"), Cell(desk.say(*DATA[one.data_classification]))),
        (desk.say("تعبر الحدود", "Crosses a border"), Cell(crosses)),
        (desk.say("الأصل قبل أي قرار", "Before anybody decides"), Cell(desk.say(*DEFAULTS[one.safe_default]))),
    ]  # fmt: skip
    if one.required_env_vars:
        facts.append((desk.say("إعدادات يضبطها المشغّل", "Set by the operator"), Cell(" ".join(one.required_env_vars), "ltr")))  # fmt: skip
    # The registry's note is written in Arabic alone.
    return Section(desk.say("كيف حاله", "How it stands"), one.notes_ar if desk.lang == "ar" else "", facts=tuple(facts))


def _scopes(desk: Desk, one: IntegrationView) -> Section:
    rows = []
    for scope in one.scopes:
        ar, en, tone = RULES[scope.rule]
        rows.append(
            (Cell(desk.say(scope.ar, scope.en)), Cell(desk.say(ar, en), tone=tone), Cell(scope.operation, "ltr"))
        )
    columns = (desk.say("الإجراء", "Action"), desk.say("الحكم", "Rule"), desk.say("اسمه عند المزوّد", "The vendor's name for it"))  # fmt: skip
    return Section(desk.say("ما يجوز عبره", "What may be done through it"), columns=columns, rows=tuple(rows))


def _connecting(desk: Desk, one: IntegrationView) -> Section | None:
    """The forms that connect it, or where to do that instead; None where nothing can be connected."""
    title = desk.say("الربط", "Connecting")
    if one.connector is None or one.state in ("built_in", "planned", "refused"):
        return None
    may = allowed(desk.who, "users") is not None
    if not one.credential:
        links = {desk.say("الإشعارات البرمجية وSIEM", "Webhooks and SIEM"): url("webhooks")} if may else {}
        return Section(title, desk.say("تُضبط الإشعارات اشتراكًا اشتراكًا.", "Subscriptions are set up one by one."), links=links)  # fmt: skip
    links = {desk.say("صفحة الموصل", "The connector's page"): url("connector", one.connector)}
    if not may:
        text = desk.say("يربطه المالك أو مدير النظام.", "The owner or an administrator connects it.")
        return Section(title, text, links=links)
    connected = one.state in ("live", "connected")
    verb = desk.say("استبدل بيانات الاعتماد", "Replace the credential") if connected else desk.say("اربط", "Connect")
    inputs = tuple(credential_input(desk, field) for field in one.credential)
    forms = [DeskForm("connect", url("integration_connect", one.name), verb, inputs, quiet=connected, columns=True)]
    if connected:
        text = desk.say("يعود إلى التجريبي فورًا، وتُنسى بيانات الاعتماد.", "Back to the sandbox at once; the credential is forgotten.")  # fmt: skip
        forms.append(DeskForm("disconnect", url("integration_disconnect", one.name), desk.say("افصل", "Disconnect"), text=text, danger=True))  # fmt: skip
    text = desk.say(
        "تُشفَّر بيانات الاعتماد عند الحفظ ولا تُعرض بعده، ويُفحص الربط فورًا. لا يعمل فعليًا إلا بموافقة من صفحة الموصل.",
        "The credential is sealed when stored and never shown; it is probed at once. It acts for real only after an approval, from the connector's page.",
    )
    return Section(title, text, forms=tuple(forms), links=links)


@router.post(PATHS["integration_connect"], dependencies=[SETTING_UP])
async def connect(id: str, request: Request, desk: DeskDep) -> Response:
    """Store the credential and probe it. What is wrong with it is said on the page; it is not shown again."""
    one = await found_one(desk.gateway, desk.who, id)
    sent = await request.form()
    values: dict[str, str | int] = {}
    for field in one.credential:
        text = str(sent.get(field.name) or "").strip()[:4000]
        if text:
            values[field.name] = int(text) if field.kind == "number" and text.isdigit() else text
    try:
        await join(desk.gateway, desk.who, id, values)
    except DealixError as error:
        return await _one(desk, id, error=desk.error(error), status=error.status)
    return desk.go("integration", id, done="connected")


@router.post(PATHS["integration_disconnect"], dependencies=[SETTING_UP])
async def disconnect(id: str, desk: DeskDep) -> Response:
    try:
        await leave(desk.gateway, desk.who, id)
    except DealixError as error:
        return await _one(desk, id, error=desk.error(error), status=error.status)
    return desk.go("integration", id, done="disconnected")
