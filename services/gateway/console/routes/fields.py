"""The tenant's own fields: added to a kind of record, worded in both languages, taken away again."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Query
from pydantic import ValidationError
from starlette.responses import Response

from libs.contracts import crm
from libs.contracts.catalogue.records import FieldType, RecordKind
from libs.contracts.errors import DealixError
from libs.contracts.subjects import CUSTOM_FIELDS, DROP_CUSTOM_FIELD, SAVE_CUSTOM_FIELD
from services.gateway.console import present_crm
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, Input, Section
from services.gateway.console.routes.settings import shown
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
SETTING_UP = require("users")
Word = Annotated[str, Form(max_length=100)]
TYPES = {
    FieldType.TEXT: ("نص قصير", "Short text"), FieldType.LONG_TEXT: ("نص طويل", "Long text"), FieldType.INTEGER: ("عدد", "Number"),
    FieldType.MONEY: ("مبلغ", "Amount"), FieldType.DATE: ("تاريخ", "Date"), FieldType.MOMENT: ("تاريخ ووقت", "Date and time"),
    FieldType.CHOICE: ("اختيار من قائمة", "Choice"), FieldType.EMAIL: ("بريد إلكتروني", "E-mail"), FieldType.PHONE: ("هاتف", "Phone"),
    FieldType.DOMAIN: ("نطاق موقع", "Domain"), FieldType.CR: ("رقم سجل تجاري", "Commercial registration"), FieldType.VAT: ("رقم ضريبي", "VAT number"),
}  # fmt: skip
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@router.get(PATHS["fields"], dependencies=[READING])
async def fields(
    desk: DeskDep,
    kind: Annotated[RecordKind | None, Query()] = None,
    key: Annotated[str, Query(max_length=40)] = "",
    done: str = "",
) -> Response:
    """All of them; with a kind and a key, the form holds that one."""
    found = await _all(desk)
    chosen = next((one for one in found if (one.kind, one.key) == (kind, key)), None)
    return await _show(desk, found, chosen, done=desk.say("حُفظ.", "Saved.") if done else "")


async def _all(desk: Desk) -> tuple[crm.CustomField, ...]:
    reply: crm.CustomFieldsReply = await desk.call(CUSTOM_FIELDS, crm.CustomFieldsRequest(principal=desk.who))
    return reply.items


async def _show(
    desk: Desk, found: tuple[crm.CustomField, ...], entered: crm.CustomField | None, *, error: str = "", done: str = "", status: int = 200,
) -> Response:  # fmt: skip
    may = allowed(desk.who, "users") is not None
    columns = (
        desk.say("السجل", "Record"), desk.say("الحقل", "Field"), desk.say("بالإنجليزية", "In Arabic"), desk.say("النوع", "Type"),
        desk.say("الخيارات", "Choices"), desk.say("الرمز", "Key"),
    )  # fmt: skip
    listed = Section(
        desk.say("الحقول المضافة", "Fields that were added"),
        desk.say("تظهر في صفحات السجلات والاستيراد والتصدير.", "They are on the records' pages, in imports and in exports."),
        columns=columns, rows=tuple(_row(desk, one, may) for one in found),
        empty=desk.say("لم تُضف حقول بعد. أضف أول حقل من النموذج أدناه.", "None was added yet. Add the first one below.")
        if may else desk.say("لم تُضف حقول بعد.", "None was added yet."),
    )  # fmt: skip
    sections = [listed, *([_form(desk, entered)] if may else [])]
    if may and found:
        sections.append(_dropping(desk, found))
    title = desk.say("الحقول المخصصة", "Custom fields")
    return await shown(desk, title, *sections, error=error, done=done, status=status)


def _row(desk: Desk, one: crm.CustomField, may: bool) -> tuple[Cell, ...]:
    href = url("fields", kind=one.kind.value, key=one.key) if may else ""
    return (
        Cell(present_crm.kind_word(desk.lang, one.kind)), Cell(desk.say(one.ar, one.en), href=href), Cell(desk.say(one.en, one.ar)),
        Cell(desk.say(*TYPES[one.type])), Cell(desk.say("، ", ", ").join(one.choices)), Cell(one.key, "ltr"),
    )  # fmt: skip


def _form(desk: Desk, one: crm.CustomField | None) -> Section:
    kinds = tuple((kind.value, present_crm.kind_word(desk.lang, kind)) for kind in RecordKind)
    types = tuple((key.value, desk.say(*words)) for key, words in TYPES.items())
    inputs = (
        Input("kind", desk.say("السجل", "Record"), "select", one.kind.value if one else "account", options=kinds),
        Input("type", desk.say("النوع", "Type"), "select", one.type.value if one else "text", options=types),
        Input("ar", desk.say("اسمه بالعربية", "Its name in Arabic"), value=one.ar if one else ""),
        Input("en", desk.say("اسمه بالإنجليزية", "Its name in English"), value=one.en if one else "", ltr=True),
        Input("key", desk.say("رمزه", "Its key"), value=one.key if one else "", ltr=True,
              hint=desk.say("حروف إنجليزية صغيرة وأرقام وشرطة سفلية، مثل branch_code. لا يتغيّر بعد الحفظ.",
                  "Small letters, digits and underscores, such as branch_code. It stays as it is.")),
        Input("choices", desk.say("الخيارات، لنوع الاختيار فقط", "Choices, for a choice only"), "long", "\n".join(one.choices) if one else "", False,
              hint=desk.say("خيار في كل سطر.", "One a line.")),
    )  # fmt: skip
    title = desk.say("تعديل الحقل", "Change the field") if one else desk.say("حقل جديد", "A new field")
    return Section(title, forms=(DeskForm("field", url("fields"), desk.say("احفظ", "Save"), inputs, columns=True),))


def _dropping(desk: Desk, found: tuple[crm.CustomField, ...]) -> Section:
    options = tuple((f"{one.kind.value}.{one.key}", f"{present_crm.kind_word(desk.lang, one.kind)} · {desk.say(one.ar, one.en)}") for one in found)  # fmt: skip
    which = Input("field", desk.say("الحقل", "Field"), "select", options=options)
    text = desk.say("يختفي الحقل من الصفحات، ويبقى ما كُتب فيه محفوظًا مع السجل.", "It leaves the pages; what was written in it stays with the record.")  # fmt: skip
    form = DeskForm("drop", url("field_drop"), desk.say("احذف الحقل", "Remove the field"), (which,), danger=True)
    return Section(desk.say("حذف حقل", "Remove a field"), text, forms=(form,))


@router.post(PATHS["fields"], dependencies=[SETTING_UP])
async def save(
    desk: DeskDep, kind: Annotated[RecordKind, Form()], type: Annotated[FieldType, Form()], ar: Word = "", en: Word = "", key: Word = "",
    choices: Annotated[str, Form(max_length=12_000)] = "",
) -> Response:  # fmt: skip
    """Add a field, or change one of that key: the same form twice is one field."""
    key = key.strip()
    wanted = tuple(dict.fromkeys(line.strip()[:100] for line in choices.splitlines() if line.strip()))
    entered = crm.CustomField.model_construct(kind=kind, key=key, type=type, en=en.strip(), ar=ar.strip(), choices=wanted)  # fmt: skip
    if not _KEY.fullmatch(key) or not ar.strip() or not en.strip():
        said = desk.say(
            "اكتب الاسم باللغتين، والرمز بحروف إنجليزية صغيرة يبدأ بحرف.",
            "Write the name in both languages, and a key of small letters that begins with one.",
        )
        return await _show(desk, await _all(desk), entered, error=said, status=422)
    try:
        field = crm.CustomField(kind=kind, key=key, type=type, en=en.strip(), ar=ar.strip(), choices=wanted)
        await desk.call(SAVE_CUSTOM_FIELD, crm.SaveCustomField(principal=desk.who, field=field))
    except ValidationError:
        said = desk.say("الخيارات مئة على الأكثر.", "There are a hundred choices at most.")
        return await _show(desk, await _all(desk), entered, error=said, status=422)
    except DealixError as error:
        return await _show(desk, await _all(desk), entered, error=desk.error(error), status=error.status)
    return desk.go("fields", done="1")


@router.post(PATHS["field_drop"], dependencies=[SETTING_UP])
async def drop(desk: DeskDep, field: Annotated[str, Form(max_length=60)]) -> Response:
    kind, _, key = field.partition(".")
    try:
        wanted = crm.DropCustomField(principal=desk.who, kind=RecordKind(kind), key=key)
        await desk.call(DROP_CUSTOM_FIELD, wanted)
    except ValueError:
        said = desk.say("لا يوجد حقل كهذا.", "There is no such field.")
        return await _show(desk, await _all(desk), None, error=said, status=422)
    except DealixError as error:
        return await _show(desk, await _all(desk), None, error=desk.error(error), status=error.status)
    return desk.go("fields", done="1")
