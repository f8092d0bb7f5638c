"""Facts from files of permitted sources: what a file would fill in, taking it in, and each disputed fact beside what the record holds."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import ValidationError
from starlette.responses import Response

from libs.contracts import crm
from libs.contracts.catalogue.enrichment import enrichment as catalogue
from libs.contracts.catalogue.records import FieldType, RecordKind, records
from libs.contracts.catalogue.sources import sources
from libs.contracts.enrichment import (
    DecideFact,
    Enrich,
    Enriched,
    EnrichedFact,
    FactsList,
    FactsListed,
    FactState,
)
from libs.contracts.errors import DealixError
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import DECIDE_FACT, ENRICHED_FACTS, RECORD
from services.gateway.console import present_crm
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Pair, Section, Side
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab, Tone
from services.gateway.http.enrichment import bring, fill_in
from services.gateway.http.guards import allowed, require
from services.gateway.http.uploads import file_name

router = APIRouter()
READING = require("read", reading=True)
TAKING_IN = require("import")
Word = Annotated[str, Form(max_length=500)]
STATES: dict[FactState, tuple[str, str, Tone]] = {
    FactState.DISPUTED: ("ينتظر قرارك", "Waits for you", "high"), FactState.APPLIED: ("أُضيف", "Filled in", "low"),
    FactState.CONFIRMED: ("يوافق السجل", "Agrees", "neutral"), FactState.ACCEPTED: ("قُبل", "Accepted", "low"),
    FactState.REFUSED: ("رُفض", "Refused", "neutral"),
}  # fmt: skip
WOULD: dict[FactState, tuple[str, str, Tone]] = {
    FactState.DISPUTED: ("يخالف السجل، وينتظر قرارك", "Differs, and would wait for you", "high"),
    FactState.APPLIED: ("سيُضاف", "Would be filled in", "low"), FactState.CONFIRMED: ("يوافق السجل", "Agrees", "neutral"),
}  # fmt: skip
ON_PAGE = 20
LEFT_TO_RIGHT = frozenset({FieldType.PHONE, FieldType.EMAIL, FieldType.DOMAIN, FieldType.CR, FieldType.VAT})


@router.get(PATHS["enrichment"], dependencies=[READING])
async def enrichment(
    desk: DeskDep, state: FactState = FactState.DISPUTED, cursor: Annotated[str, Query(max_length=100)] = "",
    record: Annotated[UUID | None, Query()] = None, done: Annotated[str, Query(max_length=40)] = "",
) -> Response:  # fmt: skip
    """Facts in a state, or all of one record; and the form for another file."""
    return await _show(desk, state, cursor, record, done=_done(desk, done))


def _done(desk: Desk, done: str) -> str:
    """What has just happened: a decision, or `filled.disputed` counts of a file."""
    if done in ("accepted", "refused"):
        return desk.say(*{"accepted": ("أخذ مكانه في السجل.", "It took its place in the record."),
            "refused": ("رُفض، وبقي السجل كما هو.", "Refused; the record stays as it is.")}[done])  # fmt: skip
    filled, dot, disputed = done.partition(".")
    if dot and filled.isdigit() and disputed.isdigit():
        return desk.say(f"المعلومات المضافة: {filled}، وما ينتظر قرارك: {disputed}.", f"Filled in: {filled}; waiting for you: {disputed}.")  # fmt: skip
    return ""


async def _show(
    desk: Desk, state: FactState, cursor: str = "", record: UUID | None = None, *, error: str = "", done: str = "", status: int = 200,
    entered: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    request = FactsList(principal=desk.who, record_id=record, state=None if record else state, page=Page(limit=ON_PAGE, cursor=cursor or None))  # fmt: skip
    found: FactsListed = await desk.call(ENRICHED_FACTS, request)
    names = await _names(desk, found.items)
    more = url("enrichment", state=state.value, record=str(record) if record else None, cursor=found.next_cursor) if found.next_cursor else ""  # fmt: skip
    empty = {
        FactState.DISPUTED: ("لا خلاف ينتظر قرارًا.", "No dispute waits for a decision."),
        FactState.APPLIED: ("لم يُضف شيء من ملف بعد.", "Nothing was filled in from a file yet."),
    }.get(state, ("لا شيء بهذه الحالة.", "None in this state."))  # fmt: skip
    listed = Section(
        desk.say("معلومات من ملفات", "Facts from files"),
        desk.say("ما كتبه شخص لا يُستبدل من ملف: ما يخالفه يُعرض بجانبه إلى أن يقرر شخص.",
        "What a person stated is never replaced by a file: what differs stands beside it until a person decides."),
        pairs=tuple(_pair(desk, one, names, STATES[one.state]) for one in found.items), empty=desk.say(*empty),
        links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip
    sections = [listed]
    if allowed(desk.who, "import") is not None:
        sections.append(_upload(desk, entered or {}))
    tabs = tuple(
        Tab(key.value, desk.say(ar, en), url("enrichment", state=key.value), record is None and key is state) for key, (ar, en, _) in STATES.items()
    )  # fmt: skip
    return await _page(desk, tuple(sections), tabs, error=error, done=done, status=status)


async def _page(desk: Desk, sections: tuple[Section, ...], tabs: tuple[Tab, ...] = (), *, error: str = "", done: str = "", status: int = 200) -> Response:  # fmt: skip
    page = DeskPage(
        "targeting", desk.say("إكمال السجلات من الملفات", "Fill in records from files"), sections, tabs, desk.say("الحالات", "States"), error, done,
        url("targeting"), desk.say("الاستهداف", "Targeting"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _upload(desk: Desk, entered: dict[str, str]) -> Section:
    known = catalogue()
    adapters = tuple((key, desk.say(one.ar, one.en)) for key, one in known.adapters.items())
    bases = tuple((key, desk.say(one.ar, one.en)) for key, one in known.bases.items())
    inputs = (
        Input("adapter", desk.say("نوع الملف", "Kind of file"), "select", entered.get("adapter", ""), options=adapters),
        Input("lawful_basis", desk.say("الأساس النظامي", "Lawful basis"), "select", entered.get("lawful_basis", "legitimate_interest"), options=bases),
        Input("obtained_on", desk.say("تاريخ الحصول عليه", "Obtained on"), "date", entered.get("obtained_on", ""), ltr=True),
        Input("licence", desk.say("شروط استخدام المصدر", "Terms of the source"), value=entered.get("licence", ""), required=False,
              hint=desk.say("يلزم للسجل العام.", "Needed for a public register.")),
        Input("file", desk.say("الملف", "File"), "file", accept=".csv,.xlsx,.jsonl",
        hint=desk.say("CSV أو XLSX أو JSON Lines، حتى 2,000 صف و10 ميغابايت.", "CSV, XLSX or JSON Lines; 2,000 rows and 10 MB at most.")),
        Input("once", "", "hidden", str(new_id())),
    )  # fmt: skip
    form = DeskForm("look", url("enrichment_look"), desk.say("اعرض ما سيُضاف", "Show what would be filled in"), inputs, columns=True)  # fmt: skip
    text = desk.say(
        "يُكمل سجلات موجودة ولا يضيف سجلات جديدة. لا يتغيّر شيء قبل أن ترى ما سيُضاف.",
        "It completes records that are there and adds none. Nothing changes before you have seen what would be filled in.",
    )
    return Section(desk.say("ملف جديد", "Another file"), text, forms=(form,), links={desk.say("سياسة المصادر", "Policy of sources"): url("sources")})  # fmt: skip


def _request(
    desk: Desk, once: UUID, name: str, adapter: str, basis: str, licence: str, obtained_on: str, *, dry_run: bool
) -> Enrich:
    """Raises ValueError for a date that is none."""
    return Enrich(
        principal=desk.who, batch_id=once, adapter=adapter, object_name=f"{desk.who.tenant_id}/{once}", file_name=name, lawful_basis=basis,
        licence=licence, obtained_on=date.fromisoformat(obtained_on), dry_run=dry_run,
    )  # fmt: skip


@router.post(PATHS["enrichment_look"], dependencies=[TAKING_IN])
async def look(
    desk: DeskDep, file: Annotated[UploadFile, File()], once: Annotated[UUID, Form()], adapter: Word = "", lawful_basis: Word = "",
    licence: Word = "", obtained_on: Word = "",
) -> Response:  # fmt: skip
    """Read the file and say what would be filled in; nothing is written yet."""
    entered = {"adapter": adapter, "lawful_basis": lawful_basis, "licence": licence, "obtained_on": obtained_on}
    if not file.filename:
        said = desk.say("اختر ملفًا.", "Choose a file.")
        return await _show(desk, FactState.DISPUTED, error=said, status=422, entered=entered)
    name = file_name(file.filename)
    try:
        request = _request(desk, once, name, adapter, lawful_basis, licence, obtained_on, dry_run=True)
        await bring(desk.gateway, desk.who, once, file)
        found = await fill_in(desk.gateway, request)
    except ValueError:
        said = desk.say("التاريخ غير صالح.", "The date is not one.")
        return await _show(desk, FactState.DISPUTED, error=said, status=422, entered=entered)
    except DealixError as error:
        return await _show(desk, FactState.DISPUTED, error=desk.error(error), status=error.status, entered=entered)
    return await _looked(desk, request, found)


async def _looked(desk: Desk, request: Enrich, found: Enriched) -> Response:
    counts = found.facts
    facts = (
        (desk.say("الملف", "File"), Cell(request.file_name)), (desk.say("صفوفه", "Rows"), Cell(f"{found.rows:,}", "ltr")),
        (desk.say("طابقت سجلًا", "Fit a record"), Cell(f"{found.matched:,}", "ltr")),
        (desk.say("معلومات ستُضاف", "Would be filled in"), Cell(f"{counts.get('applied', 0):,}", "ltr")),
        (desk.say("توافق السجل", "Agree with the record"), Cell(f"{counts.get('confirmed', 0):,}", "ltr")),
        (desk.say("تخالف السجل", "Differ from the record"), Cell(f"{counts.get('disputed', 0):,}", "ltr")),
        (desk.say("معروفة من قبل", "Known already"), Cell(f"{counts.get('known', 0):,}", "ltr")),
        (desk.say("صفوف أو خلايا مرفوضة", "Refused rows and cells"), Cell(f"{found.refused:,}", "ltr")),
    )  # fmt: skip
    hidden = (
        ("once", str(request.batch_id)), ("name", request.file_name), ("adapter", request.adapter), ("lawful_basis", request.lawful_basis),
        ("licence", request.licence), ("obtained_on", request.obtained_on.isoformat()),
    )  # fmt: skip
    form = DeskForm(
        "fill", url("enrichment_fill"), desk.say("أضف إلى السجلات", "Fill in the records"), tuple(Input(name, "", "hidden", value) for name, value in hidden)
    )  # fmt: skip
    nothing = not found.found
    about = Section(
        desk.say("لم يتغيّر شيء بعد", "Nothing has changed yet"),
        desk.say("لا جديد في هذا الملف.", "There is nothing new in this file.") if nothing
        else desk.say("هذا ما سيحدث عند الإضافة. ما يخالف السجل لا يُكتب، بل ينتظر قرارك.", "This is what would happen. What differs is not written: it waits for you."),
        facts=facts, forms=() if nothing else (form,),
    )  # fmt: skip
    sections = [about]
    if found.found:
        names = await _names(desk, found.found[:ON_PAGE])
        pairs = tuple(_pair(desk, one, names, WOULD[one.state]) for one in found.found[:ON_PAGE])
        title = desk.say("معلومة معلومة", "Fact by fact")
        more = len(found.found) - len(pairs)
        text = desk.say(f"أول {len(pairs)}، والبقية تظهر بعد الإضافة.", f"The first {len(pairs)}; the others are listed afterwards.") if more > 0 else ""  # fmt: skip
        sections.append(Section(title, text, pairs=pairs))
    if found.refusals:
        columns = (desk.say("الصف", "Row"), desk.say("الحقل", "Field"), desk.say("السبب", "Why"))
        rows = tuple((Cell(str(one.row), "ltr"), Cell(_column(desk, one.field)), Cell(desk.say(one.ar, one.en))) for one in found.refusals)  # fmt: skip
        sections.append(Section(desk.say("ما رُفض، ولماذا", "What was refused, and why"), columns=columns, rows=rows))
    return await _page(desk, tuple(sections))


@router.post(PATHS["enrichment_fill"], dependencies=[TAKING_IN])
async def fill(
    desk: DeskDep, once: Annotated[UUID, Form()], name: Word = "", adapter: Word = "", lawful_basis: Word = "", licence: Word = "",
    obtained_on: Word = "",
) -> Response:  # fmt: skip
    """Take in the file that was looked at. Pressed twice, the second finds the file gone and changes nothing."""
    try:
        request = _request(desk, once, name, adapter, lawful_basis, licence, obtained_on, dry_run=False)
        found = await fill_in(desk.gateway, request)
    except (ValidationError, ValueError):
        said = desk.say("ارفع الملف مرة أخرى.", "Upload the file again.")
        return await _show(desk, FactState.DISPUTED, error=said, status=422)
    except DealixError as error:
        return await _show(desk, FactState.DISPUTED, error=desk.error(error), status=error.status)
    filled, disputed = found.facts.get("applied", 0), found.facts.get("disputed", 0)
    return desk.go("enrichment", state="disputed" if disputed else "applied", done=f"{filled}.{disputed}")


@router.post(PATHS["enrichment_decide"], dependencies=[TAKING_IN])
async def decide(
    id: UUID, desk: DeskDep, word: Annotated[str, Form(pattern="^(accept|refuse)$")], reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:  # fmt: skip
    """A person's word on a disputed fact. Said twice, the second is refused and changes nothing."""
    try:
        decided: EnrichedFact = await desk.call(DECIDE_FACT, DecideFact(principal=desk.who, fact_id=id, accept=word == "accept", reason=reason))  # fmt: skip
    except DealixError as error:
        return await _show(desk, FactState.DISPUTED, error=desk.error(error), status=error.status)
    desk.gateway.pulse.nudge(desk.who.tenant_id, "records")
    return desk.go("enrichment", done=decided.state.value)


# -- one fact ----------------------------------------------------------------------------------------------------------


async def _names(desk: Desk, facts: tuple[EnrichedFact, ...]) -> dict[UUID, str]:
    """What the facts' records are called; one that is gone has no name."""

    async def name(kind: str, id: UUID) -> str:
        try:
            record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=RecordKind(kind), id=id))
        except DealixError:
            return ""
        return present_crm.title(desk.lang, record)

    wanted = {one.record_id: one.kind for one in facts}
    found = await asyncio.gather(*(name(kind, id) for id, kind in wanted.items()))
    return dict(zip(wanted, found, strict=True))


def _pair(desk: Desk, one: EnrichedFact, names: dict[UUID, str], state: tuple[str, str, Tone]) -> Pair:
    kind = RecordKind(one.kind)
    field = records().kinds[kind].fields[one.field]
    ar, en, tone = state
    title = f"{desk.say(field.ar, field.en)} · {names[one.record_id] or present_crm.kind_word(desk.lang, kind)}"
    origin = sources().get(one.source)
    basis = catalogue().bases.get(one.lawful_basis)
    facts = [
        (desk.say("المصدر", "Source"), Cell(desk.say(origin.ar, origin.en) if origin else one.source)), (desk.say("الموضع", "Place"), Cell(one.reference, "ltr")),
        (desk.say("الأساس النظامي", "Lawful basis"), Cell(desk.say(basis.ar, basis.en) if basis else one.lawful_basis)),
        (desk.say("حُصل عليه", "Obtained on"), Cell(one.obtained_on.isoformat(), "ltr")), (desk.say("الثقة", "Confidence"), Cell(f"{one.confidence:.0%}", "ltr")),
    ]  # fmt: skip
    if one.licence:
        facts.append((desk.say("شروط المصدر", "Terms"), Cell(one.licence)))
    if one.decided_by:
        facts += [(desk.say("قرّره", "Decided by"), Cell(one.decided_by, "ltr")), (desk.say("الوقت", "When"), Cell(one.decided_at, "moment"))]  # fmt: skip
        if one.reason:
            facts.append((desk.say("السبب", "Why"), Cell(one.reason)))
    held = present_crm.value_word(desk.lang, one.field, field, one.current)
    brought = present_crm.value_word(desk.lang, one.field, field, one.value)
    drawn: Literal["ltr", "text"] = "ltr" if field.type in LEFT_TO_RIGHT else "text"
    nobody = "" if one.current else desk.say("لم يذكره أحد.", "Nobody stated it.")
    sides = (
        Side(desk.say("في السجل", "In the record"), held, nobody, drawn),
        Side(desk.say("في الملف", "In the file"), brought, "", drawn),
    )
    return Pair(title, sides, desk.say(ar, en), tone, present_crm.href(kind, one.record_id), tuple(facts), _forms(desk, one, state))  # fmt: skip


def _forms(desk: Desk, one: EnrichedFact, state: tuple[str, str, Tone]) -> tuple[DeskForm, ...]:
    if one.state is not FactState.DISPUTED or state is not STATES[FactState.DISPUTED] or allowed(desk.who, "import") is None:  # fmt: skip
        return ()
    id, path = str(one.fact_id), url("enrichment_decide", str(one.fact_id))
    yes, no = Input("word", "", "hidden", "accept"), Input("word", "", "hidden", "refuse")
    why = Input("reason", desk.say("السبب (اختياري)", "Why (optional)"), required=False)
    return (
        DeskForm(f"accept-{id}", path, desk.say("اقبل ما في الملف", "Take the file's"), (yes,)),
        DeskForm(f"refuse-{id}", path, desk.say("أبقِ السجل", "Keep the record's"), (no, why), quiet=True),
    )


def _column(desk: Desk, name: str) -> str:
    """A field of a record in words; several identifiers stay as they are."""
    for kind in (RecordKind.ACCOUNT, RecordKind.CONTACT, RecordKind.LEAD):
        field = records().kinds[kind].fields.get(name)
        if field is not None:
            return desk.say(field.ar, field.en)
    return name
