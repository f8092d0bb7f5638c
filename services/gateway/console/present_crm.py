"""Records of the CRM as the console words them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from libs.contracts import crm
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.places import places
from libs.contracts.catalogue.records import FieldType, RecordField, RecordKind, Stage, records
from libs.contracts.catalogue.sources import sources
from services.gateway.console import pages_crm as pages
from services.gateway.console import views
from services.gateway.console.present import pick
from services.gateway.console.urls import url
from services.gateway.console.views import Event, Fact, Lang

_CHOICES: dict[str, tuple[str, str]] = {
    "no": ("لا", "No"), "yes": ("نعم", "Yes"), "unknown": ("غير معروف", "Unknown"), "created": ("عميل محتمل", "Lead"),
    "needs_review": ("يحتاج مراجعة", "Needs review"), "blocked": ("محظور", "Blocked"), "call": ("مكالمة", "Call"),
    "meeting": ("اجتماع", "Meeting"), "visit": ("زيارة", "Visit"), "email": ("بريد إلكتروني", "E-mail"),
    "whatsapp": ("واتساب", "WhatsApp"), "note": ("ملاحظة", "Note"), "outbound": ("صادر", "Outbound"), "inbound": ("وارد", "Inbound"),
    "open": ("مفتوحة", "Open"), "done": ("منجزة", "Done"), "cancelled": ("ملغاة", "Cancelled"),
}  # fmt: skip
_HAPPENED: dict[str, tuple[str, str, views.Tone]] = {
    "created": ("أُضيف", "Created", "low"), "changed": ("عُدّل", "Changed", "neutral"), "moved": ("انتقلت الصفقة", "Deal moved", "medium"),
    "merged": ("دُمج معه سجل آخر", "Another record merged into it", "medium"), "unmerged": ("تم التراجع عن الدمج", "Merge undone", "medium"),
    "restored": ("تم التراجع عن التعديل", "Change undone", "medium"), "deleted": ("حُذف", "Deleted", "high"),
    "enriched": ("أُكمل من مصدر مسموح", "Filled in from a permitted source", "low"),
    "imported": ("استُورد من ملف", "Imported from a file", "low"), "call": ("مكالمة", "Call", "neutral"),
    "meeting": ("اجتماع", "Meeting", "neutral"), "visit": ("زيارة", "Visit", "neutral"), "email": ("بريد إلكتروني", "E-mail", "neutral"),
    "whatsapp": ("واتساب", "WhatsApp", "neutral"), "note": ("ملاحظة", "Note", "neutral"),
    "draft": ("كُتبت مسودة", "Draft written", "low"), "action": ("قُدّم إجراء", "Action submitted", "medium"),
    "approval": ("طُلبت موافقة", "Approval asked for", "medium"), "message": ("سُجّلت رسالة في الوضع التجريبي", "Message recorded in the sandbox", "low"),
    "entry": ("قيد في دفتر الإثبات", "Entry in the ledger", "neutral"),
}  # fmt: skip
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_AMOUNT = re.compile(r"\d{1,15}\.\d\d")
_LTR = (FieldType.PHONE, FieldType.EMAIL, FieldType.DOMAIN, FieldType.CR, FieldType.VAT)
_INPUTS = {
    FieldType.EMAIL: "email", FieldType.PHONE: "tel", FieldType.INTEGER: "number", FieldType.DATE: "date", FieldType.LONG_TEXT: "long",
    FieldType.CHOICE: "choice",
}  # fmt: skip
_TITLES = ("full_name", "name_ar", "name", "subject", "email", "phone", "interest")
_TITLED = (RecordKind.DEAL, RecordKind.TASK)
_ISOLATED = {True: "\u2066", False: "\u2068"}
"""Left-to-right, and by its first letter: what keeps a number in a sentence from turning round (UAX 9)."""
OWN = "custom."
"""What the inputs of a tenant's own fields begin with."""
PAGES = {RecordKind.ACCOUNT: "account", RecordKind.CONTACT: "contact", RecordKind.LEAD: "lead", RecordKind.DEAL: "deal"}


def kind_word(lang: Lang, kind: RecordKind, *, many: bool = False) -> str:
    rule = records().kinds[kind]
    return pick(lang, rule.many_ar, rule.many_en) if many else pick(lang, rule.ar, rule.en)


def stage_word(lang: Lang, stage: str) -> str:
    rule = records().stages[Stage(stage)]
    return pick(lang, rule.ar, rule.en)


def title(lang: Lang, record: crm.Record) -> str:
    """What a record is called."""
    for name in ("title", *_TITLES) if record.kind in _TITLED else _TITLES:
        if record.values.get(name):
            return str(record.values[name])
    named = record.names.get("contact_id") or record.names.get("account_id")
    return named or kind_word(lang, record.kind)


def heading(lang: Lang, record: crm.Record) -> str:
    """What the record's own page is called: a lead by whom it is, and then by what they want."""
    if record.kind is not RecordKind.LEAD:
        return title(lang, record)
    who = record.names.get("account_id") or record.names.get("contact_id")
    wants = str(record.values.get("interest") or "")
    return " · ".join(part for part in (who, wants) if part) or title(lang, record)


def href(kind: RecordKind, id: Any) -> str:
    """The page of a record; activities and tasks have none of their own."""
    page = "partner" if kind is RecordKind.PARTNER else PAGES.get(kind)
    return url(page, str(id)) if page else ""


def line(lang: Lang, record: crm.Record) -> pages.Line:
    parts = [
        value_word(lang, name, field, record.values[name])
        for name, field in records().kinds[record.kind].fields.items()
        if name in ("city", "email", "phone", "stage", "status", "source", "due_at") and record.values.get(name)
    ]
    if record.names.get("account_id") and record.kind is not RecordKind.ACCOUNT:
        parts.insert(0, record.names["account_id"])
    return pages.Line(title(lang, record), kind_word(lang, record.kind), href(record.kind, record.id), tuple(parts))


def hit(lang: Lang, found: crm.Hit) -> pages.Line:
    return pages.Line(
        found.title,
        kind_word(lang, found.kind),
        href(found.kind, found.id),
        tuple(_subtitle(lang, found.kind, part) for part in found.subtitle.split(" · ")) if found.subtitle else (),
    )


def _subtitle(lang: Lang, kind: RecordKind, part: str) -> str:
    """A part of what stands under a hit: an amount with its currency, a place in the reader's language."""
    if kind is RecordKind.DEAL and _AMOUNT.fullmatch(part):
        return pick(lang, f"{Decimal(part):,.2f} ر.س", f"SAR {Decimal(part):,.2f}")
    return places().shown(part, lang)


def value_word(lang: Lang, name: str, field: RecordField, value: Any) -> str:
    """A value as a person reads it, as text."""
    if value is None:
        return ""
    if name == "stage":
        return stage_word(lang, str(value))
    if name == "source" and value in sources():
        rule = sources()[value]
        return pick(lang, rule.ar, rule.en)
    if name in ("city", "region"):
        return places().shown(str(value), lang)
    if field.type is FieldType.CHOICE and value in _CHOICES:
        return pick(lang, *_CHOICES[value])
    return str(value)


def facts(lang: Lang, record: crm.Record, own: tuple[crm.CustomField, ...]) -> tuple[Fact, ...]:
    out: list[Fact] = []
    for name, field in records().kinds[record.kind].fields.items():
        value = record.values.get(name)
        if value in (None, "") or (field.type is FieldType.REFERENCE and name not in record.names):
            continue
        out.append(_fact(lang, name, field, value, record.names))
    for one in own:
        if record.custom.get(one.key) not in (None, ""):
            out.append(_fact(lang, one.key, _own_field(one), record.custom[one.key], {}))
    return tuple(out)


def _own_field(one: crm.CustomField) -> RecordField:
    """A field of the tenant's own as the catalogue words one; a choice without choices is a text."""
    kind = FieldType.TEXT if one.type is FieldType.CHOICE and not one.choices else one.type
    return RecordField(type=kind, en=one.en, ar=one.ar, choices=one.choices if kind is FieldType.CHOICE else ())


def own_entries(lang: Lang, own: tuple[crm.CustomField, ...], values: Mapping[str, Any]) -> tuple[pages.Entry, ...]:
    """Inputs for the tenant's own fields, named `custom.<key>`."""
    out = []
    for one in own:
        field, value = _own_field(one), values.get(one.key)
        kind, shown = _INPUTS.get(field.type, "text"), "" if value is None else str(value)
        if field.type is FieldType.MOMENT:
            kind = "datetime-local"
            shown = f"{datetime.fromisoformat(shown).astimezone(RIYADH):%Y-%m-%dT%H:%M}" if shown else ""
        ltr = field.type in _LTR or field.type in (FieldType.MONEY, FieldType.INTEGER)
        choices = tuple((choice, choice) for choice in field.choices)
        out.append(pages.Entry(f"{OWN}{one.key}", pick(lang, field.ar, field.en), kind, shown, ltr=ltr, choices=choices))  # fmt: skip
    return tuple(out)


def own_value(sent: str) -> str | None:
    """What an input of an own field holds; a time of a form is Riyadh's, and an empty one empties the field."""
    return f"{sent}+03:00" if _LOCAL.fullmatch(sent) else sent or None


def _fact(lang: Lang, name: str, field: RecordField, value: Any, names: Mapping[str, str]) -> Fact:
    label = pick(lang, field.ar, field.en)
    if field.type is FieldType.REFERENCE:
        return Fact(label, names[name], "name")
    if field.type is FieldType.MONEY:
        return Fact(label, Decimal(str(value)), "money")
    if field.type is FieldType.DATE:
        return Fact(label, date.fromisoformat(value))
    if field.type is FieldType.MOMENT:
        return Fact(label, datetime.fromisoformat(value))
    if field.type is FieldType.INTEGER:
        return Fact(label, int(value), "number")
    return Fact(label, value_word(lang, name, field, value), "ltr" if field.type in _LTR else "name")


def entries(lang: Lang, kind: RecordKind, values: Mapping[str, Any], *names: str) -> tuple[pages.Entry, ...]:
    """Inputs for the fields of a kind; of `names` alone when some are given. References are chosen elsewhere."""
    rule = records().kinds[kind]
    out = []
    for name, field in rule.fields.items():
        if field.fixed or field.type in (FieldType.REFERENCE, FieldType.MOMENT) or (names and name not in names):
            continue
        choices = tuple((choice, pick(lang, *_CHOICES.get(choice, (choice, choice)))) for choice in field.choices)
        value = values.get(name)
        label = pick(lang, field.ar, field.en)
        ltr = field.type in _LTR or field.type in (FieldType.MONEY, FieldType.INTEGER)
        shown = "" if value is None else str(value)
        out.append(pages.Entry(name, label, _INPUTS.get(field.type, "text"), shown, field.required, ltr, choices))
    return tuple(out)


def event(lang: Lang, happening: crm.Happening) -> Event:
    arabic, english, tone = _HAPPENED.get(happening.what, (happening.what, happening.what, "neutral"))
    what = pick(lang, arabic, english)
    kind = RecordKind(happening.kind) if happening.kind in set(RecordKind) else None
    if happening.what == "moved" and happening.detail["after"].get("stage"):
        after = happening.detail["after"].get("stage")
        before = happening.detail["before"].get("stage")
        detail = pick(
            lang,
            f"من {stage_word(lang, before)} إلى {stage_word(lang, after)}",
            f"{stage_word(lang, before)} to {stage_word(lang, after)}",
        )
        if reason := happening.detail.get("reason"):
            detail += pick(lang, f"، السبب: {reason}", f"; reason: {reason}")
    elif happening.what == "changed" and kind is not None:
        detail = _changed(lang, kind, happening.detail["before"], happening.detail["after"])
    elif happening.what == "enriched" and kind is not None:
        detail = _changed(lang, kind, happening.detail.get("before") or {}, happening.detail.get("after") or {})
        origin, _, place = str(happening.detail.get("reason") or "").partition(" ")
        if origin in sources():
            named = pick(lang, sources()[origin].ar, sources()[origin].en)
            detail += pick(lang, f"، المصدر: {named}", f"; source: {named}") + (
                f" ({_ISOLATED[True]}{place}\u2069)" if place else ""
            )
    elif happening.what == "imported":
        detail = pick(lang, f"الصف {happening.detail['row']}", f"row {happening.detail['row']}")
    else:
        detail = str(happening.detail.get("body") or "")
    if kind not in (None, RecordKind.ACTIVITY) and happening.what in ("created", "changed", "deleted"):
        what = f"{what}: {kind_word(lang, kind)}" if kind else what
    said = (str(happening.detail.get("title_ar") or "") if lang == "ar" else "") or happening.title
    if said in _CHOICES:  # a draft is called by its channel
        said = pick(lang, *_CHOICES[said])
    named = f"{what} · {said}" if said else what
    target = href(kind, happening.record_id) if kind and happening.what != "deleted" else ""
    if "how" in happening.detail:
        target = url("lineage", kind=happening.kind, id_=str(happening.record_id))
    return Event(happening.at, named, happening.actor, detail, tone=tone, href=target)


def _changed(lang: Lang, kind: RecordKind, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    fields = records().kinds[kind].fields
    parts = []
    for name in after:
        field = fields.get(name)
        if field is None or field.type is FieldType.REFERENCE:
            continue
        was, now = (_isolated(lang, name, field, one.get(name)) for one in (before, after))
        parts.append(f"{field.ar}: {was} ← {now}" if lang == "ar" else f"{field.en}: {was} → {now}")
    return pick(lang, "، ", ", ").join(parts)


def _isolated(lang: Lang, name: str, field: RecordField, value: Any) -> str:
    text = value_word(lang, name, field, value) or "—"
    return f"{_ISOLATED[field.type in _LTR]}{text}\u2069"


def deal_card(lang: Lang, record: crm.Record) -> pages.DealCard:
    order = list(records().stages)
    stage = Stage(record.values["stage"])
    at = order.index(stage)
    closed = records().stages[stage].closed
    following = order[at + 1] if not closed and order[at + 1] is not Stage.LOST else None
    moves = tuple(
        (
            other.value,
            stage_word(lang, other.value),
            closed or order.index(other) < at or records().stages[other].needs_reason,
        )
        for other in order
        if other is not stage
    )
    amount = record.values.get("amount")
    return pages.DealCard(
        str(record.id), title(lang, record), record.names.get("account_id", ""), href(RecordKind.DEAL, record.id), record.version,
        stage.value, stage_word(lang, stage.value), Decimal(amount) if amount else None, record.values.get("currency") or "SAR",
        following.value if following else "", stage_word(lang, following.value) if following else "", moves,
    )  # fmt: skip


def review_card(lang: Lang, review: crm.Review) -> pages.ReviewCard:
    rows = []
    for name, field in records().kinds[review.kind].fields.items():
        if field.type is FieldType.REFERENCE:
            left, right = review.left.names.get(name, ""), review.right.names.get(name, "")
        else:
            left = value_word(lang, name, field, review.left.values.get(name))
            right = value_word(lang, name, field, review.right.values.get(name))
        if left or right:
            rows.append(pages.Compared(pick(lang, field.ar, field.en), left, right, left == right, field.type in _LTR))
    return pages.ReviewCard(
        str(review.review_id), kind_word(lang, review.kind), title(lang, review.left), title(lang, review.right), str(review.left.id),
        str(review.right.id), href(review.kind, review.left.id), href(review.kind, review.right.id), round(review.score),
        review.why_ar if lang == "ar" else review.why_en, tuple(rows),
    )  # fmt: skip
