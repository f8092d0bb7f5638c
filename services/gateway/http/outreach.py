"""The buying committee, sender reputation, and a tenant's full export."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from libs.contracts import outreach
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.crm import CustomFieldsRequest
from libs.contracts.message import Principal
from libs.contracts.subjects import COMMITTEE, CUSTOM_FIELDS, EXPORT_PAGE, RECORD_SIGNALS, REPUTATION
from services.gateway.domain.spreadsheet import BOM, lines
from services.gateway.http import bodies
from services.gateway.http.bodies import Items, Moment
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Editor = Annotated[Principal, require("import")]
Administrator = Annotated[Principal, require("users")]

README = """Dealix export.
One pair of files a kind of record: <kind>.jsonl has one JSON object a line with every field, <kind>.csv the same as a table.
Dates and times are ISO 8601 in UTC, money is a decimal in the record's currency (SAR where none is named), ids are UUIDs and are the
same in all files: contacts.account_id is accounts.id. The tenant's own fields are in `custom`, and described in fields.jsonl. Deleted
records are left out.
All of it can be imported again as it stands (`dealix import FILE`): the zip, or one of its files. Records come back under the ids that
they have here; what is there already is not doubled, and only its blanks are filled.
"""


class Signals(bodies.Request):
    channel: Annotated[str, Field(pattern="^(email|whatsapp|sms|phone)$")]
    kind: Annotated[outreach.SignalKind, Field(strict=False)]
    external_ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1, max_length=1000)
    ]
    at: Moment


@router.get("/targeting/committee", tags=["targeting"])
async def committee(
    who: Reader, gateway: GatewayDep, account_id: Annotated[UUID, Query(description="The account")]
) -> outreach.CommitteeReply:
    """Who decides at an account, from Arabic and English job titles, and which parts nobody known holds."""
    return await gateway.bus.call(COMMITTEE, outreach.CommitteeRequest(principal=who, account_id=account_id))


@router.get("/targeting/reputation", tags=["targeting"])
async def reputation(who: Reader, gateway: GatewayDep) -> Items[outreach.ChannelReputation]:
    """How well each channel's messages are received; below 40 of 100 it pauses."""
    return Items(items=(await gateway.bus.call(REPUTATION, outreach.ReputationRequest(principal=who))).items)


@router.post("/targeting/reputation/signals", tags=["targeting"])
async def record_signals(body: Signals, who: Editor, gateway: GatewayDep) -> outreach.SignalsReply:
    """What a provider reports of messages: bounces, complaints, opt-outs, replies. Each counts once by its id."""
    given = outreach.RecordSignals(
        principal=who, channel=body.channel, kind=body.kind, external_ids=tuple(body.external_ids), at=_aware(body.at)
    )
    return await gateway.bus.call(RECORD_SIGNALS, given)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@router.get(
    "/export",
    tags=["data"],
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def export(who: Administrator, gateway: GatewayDep) -> StreamingResponse:
    """Everything the tenant keeps, as a zip of JSON Lines and CSV files. It is made while it is sent; nothing is kept."""
    first = await _page(gateway, who, RecordKind.ACCOUNT, None)  # a refusal comes before the answer begins
    named = f'attachment; filename="dealix-export-{gateway.now().astimezone(RIYADH):%Y-%m-%d}.zip"'
    return StreamingResponse(
        _zip(gateway, who, first), media_type="application/zip", headers={"Content-Disposition": named}
    )


async def _page(gateway: Gateway, who: Principal, kind: RecordKind, cursor: str | None) -> outreach.ExportReply:
    return await gateway.bus.call(EXPORT_PAGE, outreach.ExportRequest(principal=who, kind=kind, cursor=cursor))


class _Sink(io.RawIOBase):
    """Takes what the zip writes, until it is sent."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


async def _zip(gateway: Gateway, who: Principal, first: outreach.ExportReply) -> AsyncIterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        own = (await gateway.bus.call(CUSTOM_FIELDS, CustomFieldsRequest(principal=who))).items
        archive.writestr("fields.jsonl", "".join(f"{field.model_dump_json()}\n" for field in own))
        for kind, rule in records().kinds.items():
            for form in ("jsonl", "csv"):
                with archive.open(f"{rule.plural}.{form}", "w", force_zip64=True) as file:
                    if form == "csv":
                        file.write((BOM + lines([_columns(kind)])).encode())
                    page = (
                        first
                        if kind is RecordKind.ACCOUNT and form == "jsonl"
                        else await _page(gateway, who, kind, None)
                    )
                    while True:
                        file.write(_text(kind, form, page).encode())
                        yield sink.take()
                        if page.next_cursor is None:
                            break
                        page = await _page(gateway, who, kind, page.next_cursor)
    yield sink.take()


def _columns(kind: RecordKind) -> tuple[str, ...]:
    fields = records().kinds[kind].fields
    names = [f"{name.removesuffix('_id')}_name" for name in ("account_id", "contact_id", "deal_id") if name in fields]
    beside = outreach.EXPORTED_BESIDE.get(kind, ())
    return ("id", "version", *fields, *names, "custom", *beside, "created_at", "updated_at")


def _text(kind: RecordKind, form: str, page: outreach.ExportReply) -> str:
    if form == "jsonl":
        return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in page.items)
    rows = ([_cell(item.get(name)) for name in _columns(kind)] for item in page.items)
    return lines(rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else str(value)
