"""The audit trail: who did what to what, by any of its fields, and as a file for other systems."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from libs.contracts import trust
from libs.contracts.message import Page, Principal
from libs.contracts.subjects import LEDGER
from libs.contracts.trust import LedgerEntry
from services.gateway.domain.spreadsheet import BOM, lines
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["proof"], responses=RESPONSES)

Reader = Annotated[Principal, require("evidence")]
Filter = Annotated[str | None, Query(max_length=200)]
Since = Annotated[datetime | None, Query(alias="from", description="entries from this moment on")]
Until = Annotated[datetime | None, Query(alias="to", description="entries before this moment")]
Form = Annotated[Literal["csv", "jsonl"], Query(alias="format")]
COLUMNS = ("seq", "at", "kind", "actor", "target", "trace_id", "entry_id", "leaf_hash", "data")
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
PAGE = 200


def _request(
    who: Principal,
    kind: str | None,
    actor: str | None,
    target: str | None,
    trace_id: str | None,
    since: datetime | None,
    until: datetime | None,
) -> trust.LedgerRequest:
    if any(at is not None and at.tzinfo is None for at in (since, until)):
        raise Unprocessable("no_time_zone", "Times name their time zone.", "يجب أن تذكر الأوقات المنطقة الزمنية.")
    return trust.LedgerRequest(
        principal=who, kind=kind, actor=actor, target=target, trace_id=trace_id, since=since, until=until
    )


@router.get("/audit")
async def audit(
    who: Reader, gateway: GatewayDep, paging: PagingDep, kind: Filter = None, actor: Filter = None, target: Filter = None,
    trace_id: Filter = None, since: Since = None, until: Until = None,
) -> Items[LedgerEntry]:  # fmt: skip
    """Who did what to what, the newest first: the audit trail is the ledger itself."""
    asked = _request(who, kind, actor, target, trace_id, since, until)
    reply = await gateway.bus.call(LEDGER, asked.evolve(page=paging.page(gateway, who)))
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/audit/export", response_class=StreamingResponse)
async def export(
    who: Reader, gateway: GatewayDep, form: Form = "jsonl", kind: Filter = None, actor: Filter = None, target: Filter = None,
    trace_id: Filter = None, since: Since = None, until: Until = None,
) -> StreamingResponse:  # fmt: skip
    """The same as a file of CSV or JSON Lines. The export is itself an entry."""
    asked = _request(who, kind, actor, target, trace_id, since, until)
    first = await gateway.bus.call(LEDGER, asked.evolve(export=form, page=Page(limit=PAGE)))
    headers = {"Content-Disposition": f'attachment; filename="audit.{form}"'}
    return StreamingResponse(_rows(gateway, asked, first, form), media_type=TYPES[form], headers=headers)


async def _rows(
    gateway: Gateway, asked: trust.LedgerRequest, reply: trust.LedgerReply, form: str
) -> AsyncIterator[str]:
    if form == "csv":
        yield BOM + lines([COLUMNS])
    while True:
        if form == "csv":
            yield lines([[_cell(entry, name) for name in COLUMNS] for entry in reply.items])
        else:
            yield "".join(f"{entry.model_dump_json()}\n" for entry in reply.items)
        if reply.next_cursor is None:
            return
        reply = await gateway.bus.call(LEDGER, asked.evolve(page=Page(limit=PAGE, cursor=reply.next_cursor)))


def _cell(entry: LedgerEntry, name: str) -> str:
    value = getattr(entry, name)
    if name == "data":
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)
