"""The CRM's pages: search, records with their timelines, the pipeline board, the review queue."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from libs.contracts import crm
from libs.contracts.catalogue.records import RecordKind, Stage, records
from libs.contracts.errors import DealixError
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import (
    CHANGE_RECORD,
    CREATE_RECORD,
    CUSTOM_FIELDS,
    DECIDE_REVIEW,
    MOVE_DEAL,
    RECORD,
    RECORDS,
    REVIEWS,
    SEARCH,
    UNDO_MERGE,
)
from services.gateway.console import pages_crm as pages
from services.gateway.console import present_crm as present
from services.gateway.console import views
from services.gateway.console.desk import Desk, DeskDep, local
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require
from services.gateway.http.timeline import timeline

router = APIRouter()

K = RecordKind
Reading = require("read", reading=True)
Editing = require("import")
Words = Annotated[str, Form(max_length=1000)]
LONGEST_QUERY = 1000
ON_BOARD = 50
RELATED = {
    K.ACCOUNT: ((K.CONTACT, "account_id"), (K.DEAL, "account_id"), (K.LEAD, "account_id"), (K.TASK, "account_id")),
    K.CONTACT: ((K.LEAD, "contact_id"), (K.DEAL, "contact_id"), (K.TASK, "contact_id")),
    K.LEAD: ((K.DEAL, "lead_id"), (K.TASK, "lead_id")),
    K.DEAL: ((K.TASK, "deal_id"),),
}


async def _list(desk: Desk, kind: RecordKind, limit: int, cursor: str | None = None, **where: str) -> crm.RecordsReply:
    request = crm.ListRecords(principal=desk.who, kind=kind, where=where, page=Page(limit=limit, cursor=cursor))
    found: crm.RecordsReply = await desk.call(RECORDS, request)
    return found


async def _waiting(desk: Desk) -> int:
    reply: crm.ReviewsReply = await desk.call(REVIEWS, crm.ReviewsRequest(principal=desk.who, page=Page(limit=1)))
    return reply.waiting


@router.get(PATHS["crm"], dependencies=[Reading])
async def search(
    desk: DeskDep,
    q: Annotated[str, Query()] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Search over everything; without words, the newest records of a kind."""
    chosen = RecordKind(kind) if kind in set(RecordKind) else None
    lines: tuple[pages.Line, ...] = ()
    error, following = "", ""
    words = q.strip()
    if len(words) > LONGEST_QUERY:
        error = desk.say(
            f"الحد الأقصى للبحث {LONGEST_QUERY} حرف.", f"A search is at most {LONGEST_QUERY} characters long."
        )
        words = ""
    elif words:
        reply = await desk.call(
            SEARCH, crm.SearchRequest(principal=desk.who, q=words, kinds=(chosen,) if chosen else (), limit=50)
        )
        lines = tuple(present.hit(desk.lang, one) for one in reply.items)
    else:
        page = await _list(desk, chosen or K.ACCOUNT, 25, cursor or None)
        lines = tuple(present.line(desk.lang, one) for one in page.items)
        following = url("crm", kind=(chosen or K.ACCOUNT).value, cursor=page.next_cursor) if page.next_cursor else ""
    tabs = [views.Tab("", desk.say("الكل", "All"), url("crm", q=words), chosen is None)] if words else []
    tabs += [
        views.Tab(one.value, present.kind_word(desk.lang, one, many=True), url("crm", q=words, kind=one.value), one is (chosen or (None if words else K.ACCOUNT)))
        for one in RecordKind
        if one is not K.LEAD or not words
    ]  # fmt: skip
    shown = pages.CrmSearchPage(words, tuple(tabs), lines, await _waiting(desk), error, following)
    return await desk.show(shown, status=422 if error else 200)


async def _record(
    desk: Desk, kind: RecordKind, id: UUID, *, error: str = "", status: int = 200, cursor: str | None = None
) -> Response:
    record: crm.Record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=kind, id=id))
    own: crm.CustomFieldsReply = await desk.call(CUSTOM_FIELDS, crm.CustomFieldsRequest(principal=desk.who, kind=kind))
    happened = await timeline(desk.gateway, desk.who, kind, id, Page(limit=40, cursor=cursor))
    related = []
    for other, column in RELATED[kind]:
        found = await _list(desk, other, 20, **{column: str(id)})
        if found.items:
            lines = tuple(present.line(desk.lang, one) for one in found.items)
            related.append(pages.Related(present.kind_word(desk.lang, other, many=True), lines))
    page = pages.RecordPage(
        id=str(id),
        kind=kind.value,
        kind_word=present.kind_word(desk.lang, kind),
        title=present.heading(desk.lang, record),
        version=record.version,
        facts=present.facts(desk.lang, record, own.items),
        entries=(
            *present.entries(desk.lang, kind, record.values),
            *present.own_entries(desk.lang, own.items, record.custom),
        ),
        related=tuple(related),
        events=tuple(present.event(desk.lang, one) for one in happened.items),
        activity=present.entries(desk.lang, K.ACTIVITY, {}, "type", "subject", "body"),
        deal=present.entries(desk.lang, K.DEAL, {}, "title", "amount", "expected_close") if kind is not K.DEAL else (),
        card=present.deal_card(desk.lang, record) if kind is K.DEAL else None,
        may_edit=allowed(desk.who, "import") is not None,
        may_prove=allowed(desk.who, "evidence") is not None,
        may_write=allowed(desk.who, "submit") is not None,
        error=error,
        older_href=f"{present.href(kind, id)}?cursor={_plus(happened.next_cursor)}" if happened.next_cursor else "",
    )
    return await desk.show(page, status=status)


def _plus(cursor: str) -> str:
    return cursor.replace("+", "%2B")


def _add_pages(kind: RecordKind) -> None:
    async def shown(id: UUID, desk: DeskDep, cursor: Annotated[str, Query(max_length=100)] = "") -> Response:
        return await _record(desk, kind, id, cursor=cursor or None)

    async def edited(id: UUID, request: Request, desk: DeskDep) -> Response:
        form = await request.form()
        fields = records().kinds[kind].fields
        values: dict[str, Any] = {name: str(form[name]) or None for name in fields if name in form}
        version = str(form.get("version", ""))
        own = {
            name.removeprefix(present.OWN): present.own_value(str(text))
            for name, text in form.items()
            if name.startswith(present.OWN)
        }
        change = crm.ChangeRecord(
            principal=desk.who,
            kind=kind,
            id=id,
            values=values,
            custom=own,
            version=int(version) if version.isdigit() else None,
        )
        return await _done(desk, kind, id, CHANGE_RECORD, change)

    page = present.PAGES[kind]
    router.add_api_route(PATHS[page], shown, methods=["GET"], dependencies=[Reading])
    router.add_api_route(PATHS[f"{page}_edit"], edited, methods=["POST"], dependencies=[Editing])


async def _done(desk: Desk, kind: RecordKind, id: UUID, call: Any, request: Any) -> Response:
    """Carry a form out and go back to the record; what was refused is said above it."""
    try:
        await desk.call(call, request)
    except DealixError as error:
        return await _record(desk, kind, id, error=desk.error(error), status=error.status)
    return desk.go(present.PAGES[kind], str(id))


for _kind in present.PAGES:
    _add_pages(_kind)


async def _belongs(desk: Desk, kind: RecordKind, id: UUID) -> dict[str, Any]:
    """The references of something that is added to a record: the record itself and what that belongs to."""
    record: crm.Record = await desk.call(RECORD, crm.GetRecord(principal=desk.who, kind=kind, id=id))
    inherited = {
        name: record.values[name] for name in ("account_id", "contact_id", "lead_id") if record.values.get(name)
    }
    return {**inherited, f"{kind.value}_id": str(id)}


@router.post(PATHS["activity_add"], dependencies=[Editing])
async def add_activity(
    id: UUID,
    desk: DeskDep,
    kind: Words,
    type: Words,
    subject: Words,
    body: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Note a call, a meeting or a thought on a record."""
    of = RecordKind(kind) if kind in {one.value for one in present.PAGES} else K.ACCOUNT
    values = {
        **await _belongs(desk, of, id), "type": type, "subject": subject, "body": body or None, "at": desk.gateway.now().isoformat(),
    }  # fmt: skip
    return await _done(
        desk, of, id, CREATE_RECORD, crm.CreateRecord(principal=desk.who, kind=K.ACTIVITY, id=new_id(), values=values)
    )


@router.post(PATHS["deal_add"], dependencies=[Editing])
async def add_deal(
    id: UUID, desk: DeskDep, kind: Words, title: Words, amount: Words = "", expected_close: Words = ""
) -> Response:
    of = RecordKind(kind) if kind in {one.value for one in present.PAGES} else K.ACCOUNT
    values = {
        **await _belongs(desk, of, id), "title": title, "amount": amount or None, "expected_close": expected_close or None,
    }  # fmt: skip
    return await _done(
        desk, of, id, CREATE_RECORD, crm.CreateRecord(principal=desk.who, kind=K.DEAL, id=new_id(), values=values)
    )


async def _board(desk: Desk, *, error: str = "", status: int = 200) -> Response:
    columns = []
    for stage in records().stages:
        found = await _list(desk, K.DEAL, ON_BOARD, stage=stage.value)
        cards = tuple(present.deal_card(desk.lang, one) for one in found.items)
        columns.append(
            pages.BoardColumn(
                stage.value, present.stage_word(desk.lang, stage.value), cards, found.next_cursor is not None
            )
        )
    may = allowed(desk.who, "import") is not None
    return await desk.show(pages.PipelinePage(tuple(columns), await _waiting(desk), may, error), status=status)


@router.get(PATHS["pipeline"], dependencies=[Reading])
async def pipeline(desk: DeskDep) -> Response:
    return await _board(desk)


@router.post(PATHS["deal_move"], dependencies=[Editing])
async def move(
    id: UUID, desk: DeskDep, stage: Words, version: Words = "", reason: Words = "", next: Words = ""
) -> Response:
    """Move a deal by its button or by dragging: the same form."""
    wanted = Stage(stage) if stage in set(Stage) else Stage.NEW
    request = crm.MoveDeal(
        principal=desk.who, id=id, stage=wanted, reason=reason, version=int(version) if version.isdigit() else None
    )
    try:
        await desk.call(MOVE_DEAL, request)
    except DealixError as error:
        return await _board(desk, error=desk.error(error), status=error.status)
    return RedirectResponse(local(next) if next else url("pipeline"), 303)


async def _reviews(desk: Desk, *, cursor: str = "", error: str = "", status: int = 200) -> Response:
    reply: crm.ReviewsReply = await desk.call(
        REVIEWS, crm.ReviewsRequest(principal=desk.who, page=Page(limit=10, cursor=cursor or None))
    )
    merged: crm.ReviewsReply = await desk.call(
        REVIEWS, crm.ReviewsRequest(principal=desk.who, state=crm.ReviewState.MERGED, page=Page(limit=20))
    )
    undoable = tuple(
        pages.Undoable(str(one.merge_id), present.title(desk.lang, one.left))
        for one in merged.items
        if one.merge_id is not None
    )
    page = pages.ReviewsPage(
        cards=tuple(present.review_card(desk.lang, one) for one in reply.items),
        waiting=reply.waiting,
        merged=undoable,
        may_edit=allowed(desk.who, "import") is not None,
        error=error,
        next_href=url("reviews", cursor=reply.next_cursor) if reply.next_cursor else "",
        empty="all_done" if merged.items else "none_yet",
    )
    return await desk.show(page, status=status)


@router.get(PATHS["reviews"], dependencies=[Reading])
async def reviews(desk: DeskDep, cursor: Annotated[str, Query(max_length=100)] = "") -> Response:
    return await _reviews(desk, cursor=cursor)


@router.post(PATHS["review_decide"], dependencies=[Editing])
async def decide(id: UUID, desk: DeskDep, decision: Words, keep_id: Words = "") -> Response:
    request = crm.DecideReview(
        principal=desk.who,
        review_id=id,
        merge=decision == "merge",
        merge_id=new_id(),
        keep_id=UUID(keep_id) if keep_id else None,
    )
    try:
        await desk.call(DECIDE_REVIEW, request)
    except DealixError as error:
        return await _reviews(desk, error=desk.error(error), status=error.status)
    return desk.go("reviews")


@router.post(PATHS["merge_undo"], dependencies=[Editing])
async def undo_merge(id: UUID, desk: DeskDep) -> Response:
    try:
        await desk.call(UNDO_MERGE, crm.UndoMerge(principal=desk.who, merge_id=id))
    except DealixError as error:
        return await _reviews(desk, error=desk.error(error), status=error.status)
    return desk.go("reviews")
