"""What documents and inbound messages state, beside what is on record: a person confirms each, or dismisses it."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import claims, crm
from libs.contracts.catalogue.claims import claim_keys
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.claims import ClaimSuggestion, SuggestionState
from libs.contracts.errors import DealixError
from libs.contracts.knowledge import DocumentGet
from libs.contracts.message import Page
from libs.contracts.subjects import CLAIM_SUGGESTIONS, DECIDE_SUGGESTION, DOCUMENT, RECORD
from services.gateway.console import present_crm
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Pair, Section, Side
from services.gateway.console.present_disputes import said_in
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab, Tone
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("evidence")
DECIDING = require("import")
STATES: dict[str, tuple[str, str, Tone]] = {
    "suggested": ("بانتظارك", "Waits for you", "medium"), "confirmed": ("أُكّد", "Confirmed", "low"), "dismissed": ("استُبعد", "Dismissed", "neutral"),
}  # fmt: skip
UNITS = {
    "SAR": ("ر.س", "SAR"), "halala": ("هللة", "halalas"), "days": ("يومًا", "days"), "people": ("شخصًا", "people"), "%": ("%", "%"), "count": ("", ""),
}  # fmt: skip
LONGEST_QUOTE = 600
ON_PAGE = 20


@router.get(PATHS["suggestions"], dependencies=[READING])
async def suggestions(
    desk: DeskDep, state: SuggestionState = SuggestionState.SUGGESTED, cursor: Annotated[str, Query(max_length=100)] = "", done: str = "",
) -> Response:  # fmt: skip
    said = {"confirmed": ("صار ادعاءً باسمك.", "It is a claim of yours now."), "dismissed": ("استُبعد.", "It was dismissed."),
            "opened": ("صار ادعاءً باسمك، وفتح تناقضًا ينتظر الحسم.", "It is a claim of yours now, and it opened a contradiction.")}  # fmt: skip
    return await _show(desk, state, cursor, done=desk.say(*said[done]) if done in said else "")


async def _show(
    desk: Desk, state: SuggestionState, cursor: str = "", *, error: str = "", done: str = "", status: int = 200
) -> Response:
    request = claims.SuggestionsRequest(principal=desk.who, state=state, page=Page(limit=ON_PAGE, cursor=cursor or None))  # fmt: skip
    found: claims.SuggestionsReply = await desk.call(CLAIM_SUGGESTIONS, request)
    pairs = await asyncio.gather(*(_pair(desk, one) for one in found.items))
    more = url("suggestions", state=state.value, cursor=found.next_cursor) if found.next_cursor else ""
    empty = {
        "suggested": ("لا اقتراحات تنتظر. ما يُقرأ في المستندات والرسائل الواردة يظهر هنا.", "None waits. What is read in documents and inbound messages appears here."),
        "confirmed": ("لم يُؤكَّد اقتراح بعد.", "None was confirmed yet."), "dismissed": ("لم يُستبعد اقتراح.", "None was dismissed."),
    }  # fmt: skip
    section = Section(
        desk.say("ما ورد في النصوص", "What texts state"),
        desk.say(
            "قرأته قواعد محددة في مستند أو رسالة. لا يُحسب قبل أن يؤكّده شخص، ويُعرض بجانبه ما هو مسجّل.",
            "Read by fixed rules in a document or a message. It counts once a person confirms it; beside it stands what is on record.",
        ),
        pairs=tuple(pairs), empty=desk.say(*empty[state.value]), links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip
    tabs = tuple(
        Tab(key, desk.say(ar, en), url("suggestions", state=key), key == state.value) for key, (ar, en, _) in STATES.items()
    )  # fmt: skip
    page = DeskPage(
        "contradictions", desk.say("ادعاءات مقترحة", "Suggested claims"), (section,), tabs, desk.say("الحالات", "States"), error, done,
        url("contradictions"), desk.say("التناقضات", "Contradictions"),
    )  # fmt: skip
    return await desk.show(page, status=status)


async def _pair(desk: Desk, one: ClaimSuggestion) -> Pair:
    key, (ar, en, tone) = claim_keys()[one.key], STATES[one.state.value]
    subject, href = await _subject(desk, one.subject)
    facts = [(desk.say("الثقة", "Confidence"), Cell(f"{one.confidence:.0%}", "ltr")), (desk.say("قُرئ", "Read"), Cell(one.suggested_at, "moment"))]  # fmt: skip
    if one.decided_by:
        facts += [(desk.say("قرّره", "Decided by"), Cell(one.decided_by, "ltr")), (desk.say("الوقت", "When"), Cell(one.decided_at, "moment"))]  # fmt: skip
        if one.reason:
            facts.append((desk.say("السبب", "Why"), Cell(one.reason)))
    differs = one.contradicts and one.state is SuggestionState.SUGGESTED
    return Pair(
        f"{desk.say(key.ar, key.en)} · {subject}", (await _said(desk, one), _on_record(desk, one)),
        desk.say("يخالف المسجّل", "Differs from the record") if differs else desk.say(ar, en), "high" if differs else tone, href, tuple(facts),
        _forms(desk, one),
    )  # fmt: skip


async def _said(desk: Desk, one: ClaimSuggestion) -> Side:
    """What the text states, in its own words where it is a message, and where it stands."""
    kind, _, id = one.source.partition(":")
    place = _place(desk, one.place)
    label, quote, href = desk.say("ورد في النص", "The text states"), "", ""
    try:
        if kind == "document":
            document = await desk.call(DOCUMENT, DocumentGet(principal=desk.who, document_id=UUID(id)))
            where = desk.say(f"مستند «{document.title}»", f"Document “{document.title}”")
            href = url("knowledge", q=document.title[:200])
        else:
            record: crm.Record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=RecordKind.ACTIVITY, id=UUID(id)))  # fmt: skip
            quote = str(record.values.get("body") or record.values.get("subject") or "")[:LONGEST_QUOTE]
            where = desk.say("رسالة واردة", "An inbound message")
            for field, named in (("deal_id", RecordKind.DEAL), ("lead_id", RecordKind.LEAD), ("contact_id", RecordKind.CONTACT), ("account_id", RecordKind.ACCOUNT)):  # fmt: skip
                if not href and record.values.get(field):
                    href = present_crm.href(named, record.values[field])
    except (DealixError, ValueError):
        where = desk.say("نص لم يعد محفوظًا", "A text that is no longer kept")
    meta = " · ".join(part for part in (where, place) if part)
    return Side(label, _value(desk, one.key, one.value, one.unit), meta, quote=quote, href=href, link=desk.say("افتح المصدر", "Open the source"))  # fmt: skip


def _place(desk: Desk, place: str) -> str:
    word, _, number = place.partition(" ")
    named = {"sentence": ("الجملة", "sentence"), "page": ("الصفحة", "page"), "passage": ("المقطع", "passage")}
    return f"{desk.say(*named[word])} {number}" if word in named else place


def _on_record(desk: Desk, one: ClaimSuggestion) -> Side:
    label = desk.say("المسجّل الآن", "On record now")
    if not one.on_record:
        return Side(label, "", desk.say("لا ادعاء مسجّل بهذا الشأن.", "Nothing is on record of this."))
    newest, *others = one.on_record
    meta = desk.say(f"المصدر: {said_in(desk.lang, newest.source)}", f"Source: {said_in(desk.lang, newest.source)}")
    if others:
        also = desk.say("، ", ", ").join(_value(desk, each.key, each.value, each.unit) for each in others)
        meta += desk.say(f" · ومسجّل أيضًا: {also}", f" · also on record: {also}")
    return Side(label, _value(desk, newest.key, newest.value, newest.unit), meta)


def _value(desk: Desk, key: str, value: str, unit: str) -> str:
    named = claim_keys()[key]
    if value in named.choices:
        en, ar = named.choices[value]
        return desk.say(ar, en)
    if named.type == "number":
        whole, dot, part = value.partition(".")
        value = f"{int(whole):,}{dot}{part}" if whole.lstrip("-").isdigit() else value
    said = desk.say(*UNITS[unit]) if unit in UNITS else unit
    return f"{value}%" if said == "%" else f"{value} {said}".strip()


async def _subject(desk: Desk, subject: str) -> tuple[str, str]:
    """What it is about by its name, and its page; by its kind and the end of its id where it has no record here."""
    kind, _, id = subject.partition(":")
    try:
        named = RecordKind(kind)
        record: crm.Record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=named, id=UUID(id)))
    except (DealixError, ValueError):
        return subject if len(subject) < 30 else f"{kind}:…{id[-12:]}", ""
    return present_crm.title(desk.lang, record), present_crm.href(named, id)


def _forms(desk: Desk, one: ClaimSuggestion) -> tuple[DeskForm, ...]:
    if one.state is not SuggestionState.SUGGESTED or allowed(desk.who, "import") is None:
        return ()
    id, path = str(one.suggestion_id), url("suggestion_decide", str(one.suggestion_id))
    yes, no = Input("word", "", "hidden", "confirm"), Input("word", "", "hidden", "dismiss")
    why = Input("reason", desk.say("السبب (اختياري)", "Why (optional)"), required=False)
    return (
        DeskForm(f"confirm-{id}", path, desk.say("أؤكّد ما ورد", "Confirm it"), (yes,)),
        DeskForm(f"dismiss-{id}", path, desk.say("استبعده", "Dismiss it"), (no, why), quiet=True),
    )


@router.post(PATHS["suggestion_decide"], dependencies=[DECIDING])
async def decide(
    id: UUID,
    desk: DeskDep,
    word: Annotated[str, Form(pattern="^(confirm|dismiss)$")],
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """A person's word. Saying it twice is refused by trust, and changes nothing."""
    request = claims.DecideSuggestion(principal=desk.who, suggestion_id=id, confirm=word == "confirm", reason=reason)
    try:
        decided: claims.SuggestionDecided = await desk.call(DECIDE_SUGGESTION, request)
    except DealixError as error:
        return await _show(desk, SuggestionState.SUGGESTED, error=desk.error(error), status=error.status)
    done = "opened" if decided.contradictions else decided.suggestion.state.value
    return desk.go("suggestions", done=done)
