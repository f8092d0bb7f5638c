"""People of the tenant and API keys: who may sign in and with which role, and how far each connected system reaches."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.roles import ALL_SCOPES, roles
from libs.contracts.errors import DealixError, NotFound
from services.gateway.console import present
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.routes.settings import shown
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tone
from services.gateway.domain.people import ApiKey, Caller, User
from services.gateway.http.guards import CallerDep, require
from services.gateway.people import GIVABLE

router = APIRouter()
SETTING_UP = require("users")
EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+")
ON_PAGE = 50
DONE = {
    "changed": ("حُفظ.", "Saved."), "unlock": ("فُتح الحساب.", "The account is open again."),
        "disable": ("أُوقف الحساب، وانتهت جلساته.", "The account is closed; its sessions have ended."),
    "enable": ("عاد الحساب.", "The account is open again."), "revoked": ("أُلغي المفتاح.", "The key is revoked."),
}  # fmt: skip


def _roles(desk: Desk, given: tuple[str, ...]) -> str:
    return desk.say("، ", ", ").join(present.role(desk.lang, one) for one in given)


def _state(desk: Desk, one: User) -> tuple[str, Tone]:
    if one.disabled:
        return desk.say("موقوف", "Closed"), "neutral"
    if one.must_change:
        return desk.say("لم يغيّر كلمته الأولى", "First password not changed yet"), "medium"
    return desk.say("نشط", "Active"), "low"


# -- people ------------------------------------------------------------------------------------------------------------


@router.get(PATHS["users"], dependencies=[SETTING_UP])
async def users(desk: DeskDep, caller: CallerDep, cursor: Annotated[UUID | None, Query()] = None) -> Response:
    return await _users(desk, caller, cursor)


async def _users(
    desk: Desk, caller: Caller, cursor: UUID | None = None, *first: Section, entered: dict[str, str] | None = None, error: str = "", status: int = 200,
) -> Response:  # fmt: skip
    found = await desk.gateway.people.users(caller, cursor, ON_PAGE + 1)
    more, found = len(found) > ON_PAGE, found[:ON_PAGE]
    columns = (
        desk.say("الاسم", "Name"), desk.say("البريد", "E-mail"), desk.say("الأدوار", "Roles"), desk.say("الدور الوظيفي", "Business role"),
        desk.say("التحقق بخطوتين", "Second factor"), desk.say("الحالة", "State"),
    )  # fmt: skip
    rows = []
    for one in found:
        said, tone = _state(desk, one)
        rows.append((
            Cell(one.name, href=url("user", str(one.user_id))), Cell(one.email, "ltr"), Cell(_roles(desk, one.roles)),
            Cell(present.role(desk.lang, one.business_role) if one.business_role else ""), Cell(desk.say("نعم", "Yes") if one.totp_on else desk.say("لا", "No")),
            Cell(said, tone=tone),
        ))  # fmt: skip
    links = {desk.say("المزيد", "More"): url("users", cursor=str(found[-1].user_id))} if more else {}
    listed = Section(desk.say("من يدخل", "Who may sign in"), columns=columns, rows=tuple(rows), links=links)
    had = entered or {}
    inputs = (
        Input("name", desk.say("الاسم", "Name"), value=had.get("name", "")), Input("email", desk.say("البريد", "E-mail"), "email", had.get("email", ""), ltr=True),
        *_choices(desk, tuple(had.get("roles", "").split()), had.get("business_role", "")),
    )  # fmt: skip
    form = DeskForm("user", url("users"), desk.say("أضف الشخص", "Add the person"), inputs, columns=True)
    text = desk.say("تظهر كلمة مرور أولى مرة واحدة، ويغيّرها صاحبها عند أول دخول.", "A first password is shown once; its owner changes it at the first sign-in.")  # fmt: skip
    adding = Section(desk.say("شخص جديد", "Another person"), text, forms=(form,))
    return await shown(desk, desk.say("المستخدمون", "People"), *first, listed, adding, error=error, status=status)


def _choices(desk: Desk, given: tuple[str, ...], business: str) -> tuple[Input, ...]:
    nobody = ("", desk.say("بلا دور وظيفي", "None"))
    return (
        Input("roles", desk.say("الأدوار", "Roles"), "checks", options=tuple((one, present.role(desk.lang, one)) for one in roles().system_roles if one in GIVABLE), chosen=given),
        Input("business_role", desk.say("الدور الوظيفي", "Business role"), "select", business, False,
        options=(nobody, *((one, present.role(desk.lang, one)) for one in roles().business_roles)),
              hint=desk.say("يحدد البطاقات التي تصل إليه.", "It decides which cards reach them.")),
    )  # fmt: skip


def _password(desk: Desk, user: User | str, password: str) -> Section:
    facts = (
        (desk.say("البريد", "E-mail"), Cell(user if isinstance(user, str) else user.email, "ltr")), (desk.say("كلمة المرور الأولى", "First password"), Cell(password, "ltr")),
    )  # fmt: skip
    return Section(desk.say("سلّمها لصاحبها", "Hand it to its owner"), desk.say("انسخها الآن، فلن تظهر مرة أخرى.", "Copy it now: it is not shown again."), facts=facts)  # fmt: skip


@router.post(PATHS["users"], dependencies=[SETTING_UP])
async def add(request: Request, desk: DeskDep, caller: CallerDep) -> Response:
    """Add a person. The same address twice is refused, so a form sent twice makes one."""
    sent = await request.form()
    given = [str(one) for one in sent.getlist("roles")]
    entered = {name: str(sent.get(name) or "").strip() for name in ("name", "email", "business_role")}
    kept = {**entered, "roles": " ".join(given)}
    if not entered["name"] or len(entered["name"]) > 200 or len(entered["email"]) > 254 or not EMAIL.fullmatch(entered["email"]):  # fmt: skip
        said = desk.say("اكتب الاسم وبريدًا صحيحًا.", "Write a name and an e-mail address.")
        return await _users(desk, caller, entered=kept, error=said, status=422)
    try:
        user, password = await desk.gateway.people.add(
            caller, email=entered["email"], name=entered["name"], given=given, business_role=entered["business_role"] or None
        )  # fmt: skip
    except DealixError as error:
        return await _users(desk, caller, entered=kept, error=desk.error(error), status=error.status)
    return await _users(desk, caller, None, _password(desk, user, password))


@router.get(PATHS["user"], dependencies=[SETTING_UP])
async def user(id: UUID, desk: DeskDep, caller: CallerDep, done: str = "") -> Response:
    return await _user(desk, caller, id, done=desk.say(*DONE[done]) if done in DONE else "")


async def _user(desk: Desk, caller: Caller, id: UUID, *first: Section, error: str = "", done: str = "", status: int = 200) -> Response:  # fmt: skip
    one = await desk.gateway.people.user(caller, id)
    said, tone = _state(desk, one)
    facts = (
        (desk.say("البريد", "E-mail"), Cell(one.email, "ltr")), (desk.say("الحالة", "State"), Cell(said, tone=tone)),
        (desk.say("التحقق بخطوتين", "Second factor"), Cell(desk.say("مفعّل", "On") if one.totp_on else desk.say("غير مفعّل", "Off"))),
        (desk.say("أُضيف", "Added"), Cell(one.created_at, "moment")), (desk.say("أضافه", "Added by"), Cell(one.created_by, "ltr")),
    )  # fmt: skip
    inputs = (
        Input("command", "", "hidden", "change"), Input("version", "", "hidden", str(one.version)), Input("name", desk.say("الاسم", "Name"), value=one.name),
        *_choices(desk, one.roles, one.business_role or ""),
    )  # fmt: skip
    path = url("user_command", str(id))

    def button(command: str, ar: str, en: str, *, danger: bool = False, text: tuple[str, str] = ("", "")) -> DeskForm:
        held = (Input("command", "", "hidden", command), Input("version", "", "hidden", str(one.version)))
        return DeskForm(command, path, desk.say(ar, en), held, danger=danger, quiet=True, text=desk.say(*text))

    forms = [
        button("reset", "كلمة مرور أولى جديدة", "A new first password", text=("تنتهي جلساته ويُزال التحقق بخطوتين.", "Their sessions and second factor end.")),
        button("unlock", "افتح حسابًا أقفلته محاولات خاطئة", "Open what wrong attempts have closed"),
    ]  # fmt: skip
    if one.user_id != caller.user.user_id:
        forms.append(button("enable", "أعد الحساب", "Open the account") if one.disabled else button("disable", "أوقف الحساب", "Close the account", danger=True))  # fmt: skip
    change = DeskForm("change", path, desk.say("احفظ", "Save"), inputs, columns=True)
    text = desk.say("من يفقد صلاحية تنتهي جلساته كلها.", "Who loses a right is signed out everywhere.")
    sections = (
        *first, Section(desk.say("الحساب", "The account"), facts=facts), Section(desk.say("الاسم والأدوار", "Name and roles"), text, forms=(change,)),
        Section(desk.say("الدخول", "Sign-in"), forms=tuple(forms)),
    )  # fmt: skip
    page = DeskPage("settings", one.name, sections, error=error, done=done, back=url("users"), back_label=desk.say("المستخدمون", "People"))  # fmt: skip
    return await desk.show(page, status=status)


@router.post(PATHS["user_command"], dependencies=[SETTING_UP])
async def command(
    id: UUID, request: Request, desk: DeskDep, caller: CallerDep, command: Annotated[str, Form(max_length=20)],
    version: Annotated[int, Form(ge=0)] = 0,
) -> Response:  # fmt: skip
    """Change a person, close or open the account, or give a new first password. Raises NotFound for anything else."""
    people, done = desk.gateway.people, command
    try:
        if command == "reset":
            password = await people.reset_password(caller, id)
            return await _user(desk, caller, id, _password(desk, await people.user(caller, id), password))
        if command == "unlock":
            await people.unlock(caller, id)
        elif command in ("disable", "enable"):
            await people.change(caller, id, version, disabled=command == "disable")
        elif command == "change":
            sent, done = await request.form(), "changed"
            name = str(sent.get("name") or "").strip()[:200]
            changes = {"name": name} if name else {}
            given = tuple(str(one) for one in sent.getlist("roles"))
            business = str(sent.get("business_role") or "") or None
            await people.change(caller, id, version, roles=given, business_role=business, **changes)
        else:
            raise NotFound
    except NotFound:
        raise
    except DealixError as error:
        return await _user(desk, caller, id, error=desk.error(error), status=error.status)
    return desk.go("user", str(id), done=done)


# -- keys --------------------------------------------------------------------------------------------------------------


@router.get(PATHS["api_keys"], dependencies=[SETTING_UP])
async def api_keys(desk: DeskDep, caller: CallerDep, cursor: Annotated[UUID | None, Query()] = None, done: str = "") -> Response:  # fmt: skip
    return await _keys(desk, caller, cursor, done=desk.say(*DONE[done]) if done in DONE else "")


async def _keys(desk: Desk, caller: Caller, cursor: UUID | None = None, *first: Section, error: str = "", done: str = "", status: int = 200) -> Response:  # fmt: skip
    found = await desk.gateway.people.keys(caller, cursor, ON_PAGE + 1)
    more, found = len(found) > ON_PAGE, found[:ON_PAGE]
    columns = (
        desk.say("المفتاح", "Key"), desk.say("الحالة", "State"), desk.say("يعمل باسم", "Acts as"), desk.say("نطاقه", "Reaches"),
        desk.say("آخر استخدام", "Last used"), desk.say("ينتهي", "Expires"),
    )  # fmt: skip
    now = desk.gateway.now()
    rows = tuple(_key(desk, one, now) for one in found)
    ends = tuple(
        DeskForm(f"revoke-{one.key_id}", url("api_key_revoke", str(one.key_id)), desk.say(f"ألغِ «{one.name}»", f"Revoke “{one.name}”"), danger=True, quiet=True)
        for one in found if one.revoked_at is None and not one.expired(now)
    )  # fmt: skip
    listed = Section(
        desk.say("المفاتيح", "Keys"), columns=columns, rows=rows, forms=ends,
        empty=desk.say("لا مفاتيح بعد. أنشئ أول مفتاح من النموذج أدناه.", "No keys yet. Make the first one below."),
        links={desk.say("المزيد", "More"): url("api_keys", cursor=str(found[-1].key_id))} if more else {},
    )  # fmt: skip
    capabilities = tuple((key, desk.say(one.ar, one.en)) for key, one in roles().capabilities.items())
    inputs = (
        Input("name", desk.say("لأي نظام؟", "For which system?")),
        Input("expires_on", desk.say("ينتهي في", "Expires on"), "date", required=False, ltr=True, hint=desk.say("فارغ: لا ينتهي.", "Empty: it does not expire.")),
        Input("scopes", desk.say("ما يصل إليه", "What it reaches"), "checks", options=((ALL_SCOPES, desk.say("كل ما يجوز لصاحبه", "All that its owner may")), *capabilities)),
        Input("personal", desk.say("يعمل باسمي أنا، لا باسم نظام مستقل", "It acts as me, not as a system of its own"), "check", ""),
    )  # fmt: skip
    form = DeskForm("key", url("api_keys"), desk.say("أنشئ المفتاح", "Make the key"), inputs, columns=True)
    text = desk.say("يظهر المفتاح مرة واحدة، ولا تُحفظ منه إلا بصمته.", "The key is shown once; only a keyed hash of it is kept.")  # fmt: skip
    adding = Section(desk.say("مفتاح جديد", "Another key"), text, forms=(form,))
    return await shown(desk, desk.say("مفاتيح API", "API keys"), *first, listed, adding, error=error, done=done, status=status)  # fmt: skip


def _key(desk: Desk, one: ApiKey, now: datetime) -> tuple[Cell, ...]:
    state: tuple[str, Tone] = (desk.say("يعمل", "Works"), "low")
    if one.revoked_at is not None:
        state = (desk.say("ملغى", "Revoked"), "neutral")
    elif one.expired(now):
        state = (desk.say("انتهى", "Expired"), "neutral")
    known = roles().capabilities
    named = [desk.say("كل شيء", "Everything") if key == ALL_SCOPES else desk.say(known[key].ar, known[key].en) if key in known else key for key in one.scopes]  # fmt: skip
    return (
        Cell(one.name), Cell(state[0], tone=state[1]), Cell(desk.say("صاحبه", "Its person") if one.personal else desk.say("نظام", "A system")),
        Cell(desk.say("، ", ", ").join(named)), Cell(one.used_at, "moment"), Cell(one.expires_at, "moment"),
    )  # fmt: skip


@router.post(PATHS["api_keys"], dependencies=[SETTING_UP])
async def add_key(request: Request, desk: DeskDep, caller: CallerDep) -> Response:
    """Make a key; it is on this page and on no other."""
    sent = await request.form()
    name, day = str(sent.get("name") or "").strip(), str(sent.get("expires_on") or "").strip()
    try:
        # Until the end of that day in Riyadh.
        until = datetime.combine(datetime.fromisoformat(day), time(23, 59, 59), RIYADH) if day else None
    except ValueError:
        return await _keys(desk, caller, error=desk.say("التاريخ غير صالح.", "The date is not one."), status=422)
    if not name or len(name) > 200:
        return await _keys(
            desk, caller, error=desk.say("اكتب لأي نظام هو.", "Write which system it is for."), status=422
        )
    scopes = [str(one) for one in sent.getlist("scopes")]
    try:
        _, text = await desk.gateway.people.add_key(
            caller, name=name, scopes=scopes, personal=bool(sent.get("personal")), expires_at=until
        )
    except DealixError as error:
        return await _keys(desk, caller, error=desk.error(error), status=error.status)
    once = Section(
        desk.say("المفتاح", "The key"), desk.say("انسخه الآن، فلن يظهر مرة أخرى.", "Copy it now: it is not shown again."),
        facts=((name, Cell(text, "ltr")),),
    )  # fmt: skip
    return await _keys(desk, caller, None, once)


@router.post(PATHS["api_key_revoke"], dependencies=[SETTING_UP])
async def revoke(id: UUID, desk: DeskDep, caller: CallerDep) -> Response:
    await desk.gateway.people.revoke_key(caller, id)
    return desk.go("api_keys", done="revoked")
