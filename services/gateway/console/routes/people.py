"""Consent and rights: requests with their clock, consents, the do-not-contact list, and the registers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from libs.contracts import consent, rights, trust
from libs.contracts.catalogue.registers import Register, registers
from libs.contracts.catalogue.words import words
from libs.contracts.errors import DealixError
from libs.contracts.message import Page, new_id
from libs.contracts.rights import RightsKind, RightsRequest, RightsState
from libs.contracts.subjects import (
    CLOSE_RIGHTS,
    CONSENTS,
    ERASE_RIGHTS,
    EXTEND_RIGHTS,
    IDENTIFY_RIGHTS,
    OPEN_RIGHTS,
    REGISTER,
    REGISTER_PUT,
    RIGHTS,
    RIGHTS_REQUEST,
    SUPPRESS,
    SUPPRESSIONS,
    WITHDRAW_CONSENT,
)
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, InputKind, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab
from services.gateway.http.guards import allowed, require

router = APIRouter()

Text = Annotated[str, Form(max_length=2000)]
READING = require("consents", reading=True)
KEEPING = require("consents")
KINDS = {
    "access": ("اطلاع", "Access"), "correction": ("تصحيح", "Correction"), "erasure": ("محو", "Erasure"),
    "portability": ("نقل", "Portability"), "objection": ("اعتراض", "Objection"),
}  # fmt: skip
STATES = {
    "received": ("ورد", "Received"), "identified": ("تحقّقنا من الهوية", "Identified"), "working": ("قيد التنفيذ", "Being carried out"),
    "completed": ("أُنجز", "Completed"), "refused": ("رُفض", "Refused"),
}  # fmt: skip
KIND_OF_FIELD: dict[str, InputKind] = {
    "long": "long", "date": "date", "moment": "datetime-local", "number": "number", "choice": "select", "yes_no": "select",
}  # fmt: skip
LEFT_TO_RIGHT = frozenset({"date", "datetime-local", "number"})
STEPS = {
    **STATES, "extended": ("مُددت المهلة", "Extended"), "erasure_ordered": ("أُمر بالمحو", "Erasure ordered"),
    "erased": ("مُحي ما لدى إحدى الخدمات", "A plane erased"), "exported": ("صُدّرت البيانات", "Exported"), "overdue": ("تجاوز المهلة", "Overdue"),
}  # fmt: skip


@router.get(PATHS["people"], dependencies=[READING])
async def people(desk: DeskDep, tab: Annotated[str, Query(max_length=50)] = "rights") -> Response:
    return await _show(desk, tab)


async def _show(desk: Desk, tab: str, *, error: str = "", status: int = 200) -> Response:
    if tab == "consents":
        sections = [await _consents(desk)]
    elif tab == "suppressions":
        sections = [await _suppressions(desk)]
    elif tab in registers():
        sections = await _register(desk, registers()[tab])
    else:
        tab, sections = "rights", await _requests(desk)
    named = [
        ("rights", desk.say("طلبات الحقوق", "Rights requests")), ("consents", desk.say("الموافقات", "Consents")),
        ("suppressions", desk.say("عدم التواصل", "Do not contact")),
        *((key, desk.say(one.ar, one.en)) for key, one in registers().items()),
    ]  # fmt: skip
    tabs = tuple(Tab(key, label, url("people", tab=key), key == tab) for key, label in named)
    page = DeskPage(
        "people", desk.say("الموافقات والحقوق", "Consent and rights"), tuple(sections), tabs,
        desk.say("الأقسام", "Sections"), error,
    )  # fmt: skip
    return await desk.show(page, status=status)


def _may(desk: Desk) -> bool:
    return getattr(allowed(desk.who, "consents"), "value", "") == "full"


async def _requests(desk: Desk) -> list[Section]:
    found = (await desk.call(RIGHTS, rights.RightsList(principal=desk.who, page=Page(limit=100)))).items
    rows = tuple(
        (
            Cell(desk.say(*KINDS[r.kind.value]), href=url("rights_request", str(r.request_id))), Cell(desk.say(*STATES[r.state.value])),
            Cell(r.received_at, "moment"), Cell(r.due_at, "moment"), Cell(desk.say("متأخر", "Late") if r.late else desk.say("ضمن المهلة", "In time")),
        )
        for r in found
    )  # fmt: skip
    columns = (
        desk.say("الحق", "Right"), desk.say("الحالة", "State"), desk.say("استُلم", "Received"), desk.say("الموعد", "Due"),
        desk.say("المهلة", "Term"),
    )  # fmt: skip
    made = DeskForm(
        "open", url("rights_open"), desk.say("تسجيل الطلب", "Record the request"),
        (
            Input("kind", desk.say("الحق", "Right"), "select", options=tuple((k, desk.say(*v)) for k, v in KINDS.items())),
            Input("contact_id", desk.say("معرّف جهة الاتصال", "Contact's id"), ltr=True),
            Input("identifier", desk.say("البريد أو الرقم الذي ورد منه", "Address or number it came from"), ltr=True),
            Input("details", desk.say("ما طلبه (اختياري)", "What was asked (optional)"), "long", required=False),
        ),
    )  # fmt: skip
    return [
        Section(
            desk.say("الطلبات", "Requests"), desk.say("ثلاثون يومًا من الاستلام، وتمديد واحد.", "Thirty days from receipt, and one extension."),
            columns=columns, rows=rows, empty=desk.say("لا طلبات.", "No requests."),
        ),
        *([Section(desk.say("طلب جديد", "New request"), forms=(made,))] if _may(desk) else []),
    ]  # fmt: skip


async def _consents(desk: Desk) -> Section:
    found = (await desk.call(CONSENTS, trust.ConsentsRequest(principal=desk.who, page=Page(limit=100)))).items
    columns = (
        desk.say("جهة الاتصال", "Contact"), desk.say("الغرض", "Purpose"), desk.say("القناة", "Channel"), desk.say("أُعطيت", "Given"),
        desk.say("الإشعار", "Notice"), desk.say("تنتهي", "Expires"), desk.say("سُحبت", "Withdrawn"), desk.say("الإثبات", "Proof"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(f"contact:{c.contact_id}", "ltr"), _said(desk, "purpose", c.purpose), _said(desk, "consent_channel", c.channel), Cell(c.captured_at, "moment"),
            _said(desk, "notice", c.notice_version), Cell(c.expires_at, "moment"), Cell(c.withdrawn_at, "moment"),
            Cell(desk.say("فتح", "Open"), href=f"/api/v1/consents/{c.consent_id}/proof"),
        )
        for c in found
    )  # fmt: skip
    form = DeskForm(
        "withdraw", url("consent_withdraw"), desk.say("سحب الموافقة", "Withdraw consent"),
        (Input("contact_id", desk.say("معرّف جهة الاتصال", "Contact's id"), ltr=True),), danger=True,
    )  # fmt: skip
    return Section(
        desk.say("الموافقات", "Consents"), desk.say("السحب يوقف ما ينتظر الإرسال فورًا.", "A withdrawal stops at once what waits to be sent."),
        columns=columns, rows=rows, empty=desk.say("لا موافقات مسجّلة.", "No consents on record."), forms=(form,) if _may(desk) else (),
    )  # fmt: skip


def _said(desk: Desk, group: str, value: str) -> Cell:
    """A value of a consent in words; one that nobody named stands as it was recorded."""
    known = words()[group].get(value)
    return Cell(desk.say(known.ar, known.en)) if known else Cell(value, "ltr")


async def _suppressions(desk: Desk) -> Section:
    found = (await desk.call(SUPPRESSIONS, consent.SuppressionsRequest(principal=desk.who, page=Page(limit=100)))).items
    rows = tuple((Cell(s.name, "ltr"), Cell(s.reason), Cell(s.actor, "ltr"), Cell(s.at, "moment")) for s in found)
    form = DeskForm(
        "suppress", url("suppress"), desk.say("إضافة", "Add"),
        (
            Input("identifier", desk.say("بريد أو رقم", "Address or number"), ltr=True),
            Input("reason", desk.say("السبب", "Why")),
        ),
    )  # fmt: skip
    return Section(
        desk.say("قائمة عدم التواصل", "Do-not-contact list"),
        desk.say("القيود بصمات لا يُقرأ منها أصحابها، وتبقى بعد المحو.", "Entries are keyed hashes that name nobody, and survive erasure."),
        columns=(desk.say("القيد", "Entry"), desk.say("السبب", "Why"), desk.say("من", "By"), desk.say("الوقت", "When")),
        rows=rows, empty=desk.say("القائمة فارغة.", "The list is empty."), forms=(form,) if _may(desk) else (),
    )  # fmt: skip


async def _register(desk: Desk, register: Register) -> list[Section]:
    request = rights.RegisterList(principal=desk.who, kind=register.key, page=Page(limit=100))
    found = (await desk.call(REGISTER, request)).items
    names = tuple(dict.fromkeys((register.title, *register.required)))[:5]
    rows = tuple(
        (
            *(Cell(_plain(e.values.get(name), desk)) for name in names), Cell(e.changed_at, "moment"), Cell(e.due_at, "moment"),
            Cell(desk.say("متأخر", "Late") if e.late else ""),
        )
        for e in found
    )  # fmt: skip
    columns = (
        *(desk.say(register.fields[n].ar, register.fields[n].en) for n in names), desk.say("عُدّل", "Changed"),
        desk.say("الموعد", "Due"), desk.say("المهلة", "Term"),
    )  # fmt: skip
    sections = [
        Section(
            desk.say(register.ar, register.en),
            register.source,
            columns=columns,
            rows=rows,
            empty=desk.say("لا قيود.", "No entries."),
        )
    ]
    if _may(desk):
        form = DeskForm(
            f"add-{register.key}",
            url("register", register.key),
            desk.say("إضافة قيد", "Add an entry"),
            _inputs(desk, register),
        )
        sections.append(Section(desk.say("قيد جديد", "New entry"), forms=(form,)))
    return sections


def _inputs(desk: Desk, register: Register) -> tuple[Input, ...]:
    out = []
    for name, field in register.fields.items():
        label = desk.say(field.ar, field.en)
        options: tuple[tuple[str, str], ...] = ()
        kind = KIND_OF_FIELD.get(field.type, "text")
        if field.type == "choice":
            options = tuple((key, desk.say(ar, en)) for key, en, ar in field.options)
        elif field.type == "yes_no":
            options = (("no", desk.say("لا", "No")), ("yes", desk.say("نعم", "Yes")))
        elif field.type == "list":
            label = desk.say(f"{label} (مفصولة بفاصلة)", f"{label} (separated by commas)")
        out.append(Input(name, label, kind, "", name in register.required, kind in LEFT_TO_RIGHT, options))
    return tuple(out)


def _plain(value: object, desk: Desk) -> str:
    if isinstance(value, bool):
        return desk.say("نعم", "Yes") if value else desk.say("لا", "No")
    return "، ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


@router.post(PATHS["register"], dependencies=[KEEPING])
async def register_add(id: str, request: Request, desk: DeskDep) -> Response:
    register = registers().get(id)
    if register is None:
        return await _show(desk, "rights", status=404)
    form, values = await request.form(), dict[str, object]()
    for name, field in register.fields.items():
        text = str(form.get(name, "")).strip()
        if not text:
            continue
        if field.type == "yes_no":
            values[name] = text == "yes"
        elif field.type == "number":
            values[name] = int(text) if text.isdigit() and len(text) < 12 else text
        elif field.type == "list":
            values[name] = [part.strip() for part in text.replace("،", ",").split(",") if part.strip()]
        elif field.type == "moment":
            values[name] = f"{text}:00+03:00" if len(text) == 16 else text
        else:
            values[name] = text
    put = rights.RegisterPut(principal=desk.who, kind=id, entry_id=new_id(), values=values, expected_version=0)
    try:
        await desk.call(REGISTER_PUT, put)
    except DealixError as error:
        return await _show(desk, id, error=desk.error(error), status=error.status)
    return desk.go("people", tab=id)


@router.post(PATHS["consent_withdraw"], dependencies=[KEEPING])
async def withdraw(desk: DeskDep, contact_id: Text) -> Response:
    try:
        request = trust.WithdrawConsent(
            principal=desk.who, tenant_id=desk.who.tenant_id, contact_id=UUID(contact_id.strip())
        )
        await desk.call(WITHDRAW_CONSENT, request)
    except ValueError:
        return await _show(desk, "consents", error=desk.say("المعرّف غير صالح.", "The id is not valid."), status=422)
    except DealixError as error:
        return await _show(desk, "consents", error=desk.error(error), status=error.status)
    return desk.go("people", tab="consents")


@router.post(PATHS["suppress"], dependencies=[KEEPING])
async def suppress(desk: DeskDep, identifier: Text, reason: Text) -> Response:
    if len(identifier.strip()) < 3:
        return await _show(
            desk, "suppressions", error=desk.say("اكتب بريدًا أو رقمًا.", "Write an address or a number."), status=422
        )
    request = trust.SuppressRequest(
        principal=desk.who, tenant_id=desk.who.tenant_id, identifier=identifier.strip()[:254], reason=reason[:500]
    )
    try:
        await desk.call(SUPPRESS, request)
    except DealixError as error:
        return await _show(desk, "suppressions", error=desk.error(error), status=error.status)
    return desk.go("people", tab="suppressions")


@router.post(PATHS["rights_open"], dependencies=[KEEPING])
async def rights_open(desk: DeskDep, kind: Text, contact_id: Text, identifier: Text, details: Text = "") -> Response:
    try:
        request = rights.OpenRights(
            principal=desk.who, request_id=new_id(), kind=RightsKind(kind), contact_id=UUID(contact_id.strip()),
            identifier=identifier.strip()[:254], details=details,
        )  # fmt: skip
        made: RightsRequest = await desk.call(OPEN_RIGHTS, request)
    except ValueError:
        return await _show(
            desk,
            "rights",
            error=desk.say("المعرّف أو العنوان غير صالح.", "The id or the address is not valid."),
            status=422,
        )
    except DealixError as error:
        return await _show(desk, "rights", error=desk.error(error), status=error.status)
    return desk.go("rights_request", str(made.request_id))


@router.get(PATHS["rights_request"], dependencies=[READING])
async def rights_request(id: UUID, desk: DeskDep) -> Response:
    return await _one(desk, id)


async def _one(desk: Desk, id: UUID, *, error: str = "", status: int = 200) -> Response:
    found: RightsRequest = await desk.call(RIGHTS_REQUEST, rights.RightsGet(principal=desk.who, request_id=id))
    facts = (
        (desk.say("الحالة", "State"), Cell(desk.say(*STATES[found.state.value]))),
        (desk.say("جهة الاتصال", "Contact"), Cell(str(found.contact_id), "ltr")),
        (
            desk.say("المرسِل هو صاحب البيانات", "Came from the contact's own address"),
            Cell(_plain(found.identifier_matches, desk)),
        ),
        (desk.say("استُلم", "Received"), Cell(found.received_at, "moment")),
        (desk.say("الموعد", "Due"), Cell(found.due_at, "moment")),
        (desk.say("التفاصيل", "Details"), Cell(found.details)),
    )
    identified = found.state in (RightsState.IDENTIFIED, RightsState.WORKING)
    links = (
        {desk.say("تصدير ما نحفظه عنه", "Export what is held"): f"/api/v1/rights-requests/{id}/export"}
        if identified
        else {}
    )
    sections = [
        Section(desk.say("الطلب", "Request"), facts=facts, links=links if _may(desk) else {}, forms=_forms(desk, found) if _may(desk) else ()),
        Section(
            desk.say("المحو في الخدمات", "Erasure by plane"),
            columns=(desk.say("الخدمة", "Plane"), desk.say("أُنجز", "Done"), desk.say("ما مُحي", "What was erased")),
            rows=tuple(
                (Cell(t.plane.value, "ltr"), Cell(t.done_at, "moment"), Cell(", ".join(f"{k} {v}" for k, v in t.counts.items()), "ltr"))
                for t in found.tasks
            ),
            empty=desk.say("لا مهام.", "No tasks."),
        ),
        Section(
            desk.say("السجل", "History"),
            columns=(desk.say("الوقت", "When"), desk.say("الخطوة", "Step"), desk.say("من", "By"), desk.say("ملاحظة", "Note")),
            rows=tuple(
                (Cell(s.at, "moment"), Cell(desk.say(*STEPS.get(s.step, (s.step, s.step)))), Cell(s.actor, "ltr"), Cell(s.note))
                for s in found.steps
            ),
        ),
    ]  # fmt: skip
    title = desk.say(f"طلب {KINDS[found.kind.value][0]}", f"{KINDS[found.kind.value][1]} request")
    back = desk.say("الموافقات والحقوق", "Consent and rights")
    return await desk.show(
        DeskPage("people", title, tuple(sections), error=error, back=url("people"), back_label=back), status=status
    )


def _forms(desk: Desk, found: RightsRequest) -> tuple[DeskForm, ...]:
    """What may be done next. What the state does not allow is not offered; trust checks it all the same."""
    if found.closed_at is not None or found.state is RightsState.WORKING:
        return ()
    id, out = str(found.request_id), []
    if found.state is RightsState.RECEIVED:
        out.append(DeskForm("identify", url("rights_identify", id), desk.say("تحقّقت من الهوية", "The identity is checked"),
                            (Input("method", desk.say("كيف", "How")), Input("evidence", desk.say("أين الدليل", "Where the evidence is")))))  # fmt: skip
    elif found.kind is RightsKind.ERASURE:
        label = desk.say("كلمة مرورك إن كنت من تحقق من الهوية", "Your password, if you also checked the identity")
        out.append(DeskForm("erase", url("rights_erase", id), desk.say("محو نهائي", "Erase for good"),
                            (Input("password", label, "password", required=False, ltr=True),), danger=True))  # fmt: skip
    else:
        out.append(DeskForm("close", url("rights_close", id), desk.say("إغلاق الطلب", "Close the request"),
                            (Input("note", desk.say("ما أُنجز", "What was done"), "long"),)))  # fmt: skip
    if not found.extended and not found.late:
        out.append(DeskForm("extend", url("rights_extend", id), desk.say("تمديد 30 يومًا", "Extend by 30 days"),
                            (Input("reason", desk.say("السبب", "Why"), "long"),)))  # fmt: skip
    out.append(DeskForm("refuse", url("rights_refuse", id), desk.say("رفض الطلب", "Refuse the request"),
                        (Input("note", desk.say("السند النظامي للرفض", "The ground for it"), "long"),), danger=True))  # fmt: skip
    return tuple(out)


async def _step(desk: Desk, id: UUID, call: object, request: object) -> Response:
    try:
        await desk.call(call, request)
    except DealixError as error:
        return await _one(desk, id, error=desk.error(error), status=error.status)
    return desk.go("rights_request", str(id))


@router.post(PATHS["rights_identify"], dependencies=[KEEPING])
async def identify(id: UUID, desk: DeskDep, method: Text, evidence: Text) -> Response:
    request = rights.IdentifyRights(principal=desk.who, request_id=id, method=method[:200], evidence=evidence[:500])
    return await _step(desk, id, IDENTIFY_RIGHTS, request)


@router.post(PATHS["rights_extend"], dependencies=[KEEPING])
async def extend(id: UUID, desk: DeskDep, reason: Text) -> Response:
    return await _step(desk, id, EXTEND_RIGHTS, rights.ExtendRights(principal=desk.who, request_id=id, reason=reason))


@router.post(PATHS["rights_close"], dependencies=[KEEPING])
async def close(id: UUID, desk: DeskDep, note: Text) -> Response:
    return await _step(desk, id, CLOSE_RIGHTS, rights.CloseRights(principal=desk.who, request_id=id, note=note))


@router.post(PATHS["rights_refuse"], dependencies=[KEEPING])
async def refuse(id: UUID, desk: DeskDep, note: Text) -> Response:
    request = rights.CloseRights(principal=desk.who, request_id=id, refused=True, note=note)
    return await _step(desk, id, CLOSE_RIGHTS, request)


@router.post(PATHS["rights_erase"], dependencies=[KEEPING])
async def erase(id: UUID, desk: DeskDep, password: Text = "") -> Response:
    try:
        if password and desk.caller is not None:
            await desk.gateway.authentication.again(desk.caller.user, password)
    except DealixError as error:
        return await _one(desk, id, error=desk.error(error), status=error.status)
    request = rights.EraseRights(principal=desk.who, request_id=id, reauthenticated=bool(password))
    return await _step(desk, id, ERASE_RIGHTS, request)
