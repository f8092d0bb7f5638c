"""The CRM over HTTP: the same routes for every kind of record, made from the catalogue of records."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from libs.contracts import crm
from libs.contracts.catalogue.records import FieldType, RecordField, RecordKind, Stage, records
from libs.contracts.errors import DealixError
from libs.contracts.message import Principal
from libs.contracts.subjects import (
    BULK_CHANGE,
    CHANGE_RECORD,
    CREATE_RECORD,
    DELETE_RECORD,
    MERGE_RECORDS,
    MOVE_DEAL,
    RECORD,
    RECORDS,
    SEARCH,
    UNDO_BULK,
    UNDO_MERGE,
)
from services.gateway.errors import Unprocessable
from services.gateway.http import bodies
from services.gateway.http.bodies import Id, Items, PagingDep, items
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import IdsDep, require
from services.gateway.http.problems import RESPONSES
from services.gateway.http.timeline import timeline as whole_timeline

router = APIRouter(prefix="/api/v1", tags=["crm"], responses=RESPONSES)

Editor = Annotated[Principal, require("import")]
Reader = Annotated[Principal, require("read", reading=True)]
IfMatch = Annotated[str | None, Header(max_length=100, description="The `ETag` that the change is made on.")]

LONGEST_QUERY = 1000
_PLAIN: dict[FieldType, Any] = {FieldType.INTEGER: int, FieldType.MONEY: str | int | float, FieldType.REFERENCE: Id}
_ETAG = re.compile(r'^(?:W/)?"?(\d{1,18})"?$')


class PreconditionUnreadable(DealixError):
    status = 412

    def __init__(self) -> None:
        super().__init__(
            "bad_if_match",
            "If-Match carries the ETag that was given with the record.",
            "ترويسة If-Match تحمل وسم السجل ETag.",
        )


class QueryTooLong(Unprocessable):
    def __init__(self, length: int) -> None:
        super().__init__(
            "query_too_long",
            f"A search is at most {LONGEST_QUERY} characters long; this one has {length}.",
            f"الحد الأقصى لنص البحث {LONGEST_QUERY} حرف، وعدد حروف هذا النص {length}.",
        )


class Shown(BaseModel):
    """A record as clients get it: its fields beside its id, version and times."""

    model_config = ConfigDict(extra="allow")

    id: UUID
    kind: RecordKind
    version: int
    created_at: datetime
    updated_at: datetime
    custom: dict[str, Any] = {}
    names: dict[str, str] = {}


class Move(bodies.Request):
    stage: Annotated[Stage, Field(strict=False)]
    reason: Annotated[str, Field(max_length=1000)] = ""


class Merge(bodies.Request):
    gone_id: Id


class MergeAny(bodies.Request):
    kind: Annotated[RecordKind, Field(strict=False)]
    keep_id: Id
    gone_id: Id


class Merged(BaseModel):
    merge_id: UUID
    record: Shown
    moved: dict[str, int]


class Unmerged(BaseModel):
    merge_id: UUID
    kept: Shown
    restored: Shown


class Bulk(bodies.Request):
    ids: Annotated[list[Id], Field(min_length=1, max_length=1000)]
    values: dict[str, Any] = {}
    custom: dict[str, Any] = {}


def shown(record: crm.Record) -> Shown:
    """A record for clients."""
    return Shown(
        id=record.id, kind=record.kind, version=record.version, created_at=record.created_at, updated_at=record.updated_at,
        custom=record.custom, names=record.names, **record.values,
    )  # fmt: skip


def etag(version: int) -> str:
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version that a change is made on; None where it does not matter. Raises PreconditionUnreadable."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.match(if_match.strip())
    if found is None:
        raise PreconditionUnreadable
    return int(found[1])


def query_of(q: str | None) -> str | None:
    """A search text of a length that makes sense. Raises QueryTooLong."""
    if q is not None and len(q) > LONGEST_QUERY:
        raise QueryTooLong(len(q))
    return q or None


def _annotation(field: RecordField) -> Any:
    plain = _PLAIN.get(field.type, str)
    described = field.en if not field.choices else f"{field.en}: {', '.join(field.choices)}"
    return Annotated[plain | None, Field(description=described)]


def _body(kind: RecordKind, suffix: str) -> type[bodies.Request]:
    fields: dict[str, Any] = {
        name: (_annotation(field), None) for name, field in records().kinds[kind].fields.items() if not field.fixed
    }
    named = f"{kind.value.capitalize()}{suffix}"
    made: type[bodies.Request] = create_model(named, __base__=bodies.Request, **fields, custom=(dict[str, Any], {}))
    return made


def _given(body: bodies.Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the client named, and nothing that it did not."""
    values = body.model_dump(mode="json", exclude_unset=True)
    return values, values.pop("custom", {})


def _add_routes(kind: RecordKind) -> None:
    rule = records().kinds[kind]
    path = f"/{rule.plural}"

    async def listed(
        request: Request, who: Reader, gateway: GatewayDep, paging: PagingDep, q: Annotated[str | None, Query()] = None
    ) -> Items[Shown]:
        where = {k: v for k, v in request.query_params.items() if k not in ("cursor", "limit", "q")}
        wanted = crm.ListRecords(principal=who, kind=kind, where=where, q=query_of(q), page=paging.page(gateway, who))
        reply = await gateway.bus.call(RECORDS, wanted)
        return items(gateway, who, [shown(one) for one in reply.items], reply.next_cursor)

    async def created(body: Any, who: Editor, gateway: GatewayDep, ids: IdsDep, response: Response) -> Shown:
        values, custom = _given(body)
        made = crm.CreateRecord(principal=who, kind=kind, id=ids("record"), values=values, custom=custom)
        record = await gateway.bus.call(CREATE_RECORD, made)
        response.headers["ETag"] = etag(record.version)
        response.headers["Location"] = f"/api/v1{path}/{record.id}"
        _nudge(gateway, who)
        return shown(record)

    async def one(id: UUID, who: Reader, gateway: GatewayDep, response: Response) -> Shown:
        record = await gateway.bus.call(RECORD, crm.GetRecord(principal=who, kind=kind, id=id))
        response.headers["ETag"] = etag(record.version)
        return shown(record)

    async def changed(
        id: UUID, body: Any, who: Editor, gateway: GatewayDep, response: Response, if_match: IfMatch = None
    ) -> Shown:
        values, custom = _given(body)
        wanted = crm.ChangeRecord(
            principal=who, kind=kind, id=id, values=values, custom=custom, version=version_of(if_match)
        )
        record = await gateway.bus.call(CHANGE_RECORD, wanted)
        response.headers["ETag"] = etag(record.version)
        _nudge(gateway, who)
        return shown(record)

    async def deleted(id: UUID, who: Editor, gateway: GatewayDep, if_match: IfMatch = None) -> Response:
        wanted = crm.DeleteRecord(principal=who, kind=kind, id=id, version=version_of(if_match))
        await gateway.bus.call(DELETE_RECORD, wanted)
        _nudge(gateway, who)
        return Response(status_code=204)

    async def bulk(body: Bulk, who: Editor, gateway: GatewayDep, ids: IdsDep) -> crm.BulkChanged:
        wanted = crm.BulkChange(
            principal=who, batch_id=ids("batch"), kind=kind, ids=tuple(body.ids), values=body.values, custom=body.custom
        )
        reply = await gateway.bus.call(BULK_CHANGE, wanted)
        _nudge(gateway, who)
        return reply

    async def timeline(id: UUID, who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[crm.Happening]:
        return await _timeline(gateway, who, kind, id, paging)

    async def merged(id: UUID, body: Merge, who: Editor, gateway: GatewayDep, ids: IdsDep) -> Merged:
        return await _merge(gateway, who, kind, id, body.gone_id, ids("merge"))

    created.__annotations__["body"] = _body(kind, "In")
    changed.__annotations__["body"] = _body(kind, "Patch")
    many, single = rule.many_en, rule.en.lower()
    add = router.add_api_route
    add(path, listed, methods=["GET"], summary=f"{many}, newest first; filters by field", name=f"list_{rule.plural}")
    add(path, created, methods=["POST"], status_code=201, summary=f"Create: {single}", name=f"create_{kind.value}")
    add(f"{path}/bulk", bulk, methods=["POST"], summary=f"One change to many: {single}", name=f"bulk_{rule.plural}")
    add(f"{path}/{{id}}", one, methods=["GET"], summary=f"One: {single}", name=f"get_{kind.value}")
    add(f"{path}/{{id}}", changed, methods=["PATCH"], summary=f"Change: {single}", name=f"change_{kind.value}")
    add(f"{path}/{{id}}", deleted, methods=["DELETE"], status_code=204, summary=f"Delete: {single}", name=f"delete_{kind.value}")  # fmt: skip
    add(f"{path}/{{id}}/timeline", timeline, methods=["GET"], summary=f"What happened: {single}", name=f"timeline_{kind.value}")  # fmt: skip
    if kind in (RecordKind.ACCOUNT, RecordKind.CONTACT, RecordKind.LEAD):
        add(f"{path}/{{id}}/merge", merged, methods=["POST"], summary=f"Merge another into this {single}", name=f"merge_{kind.value}")  # fmt: skip


def _nudge(gateway: Gateway, who: Principal) -> None:
    gateway.pulse.nudge(who.tenant_id, "records")


async def _timeline(
    gateway: Gateway, who: Principal, kind: RecordKind, id: UUID, paging: bodies.Paging
) -> Items[crm.Happening]:
    reply = await whole_timeline(gateway, who, kind, id, paging.page(gateway, who))
    return items(gateway, who, reply.items, reply.next_cursor)


async def _merge(gateway: Gateway, who: Principal, kind: RecordKind, keep: UUID, gone: UUID, merge_id: UUID) -> Merged:
    wanted = crm.MergeRecords(principal=who, kind=kind, merge_id=merge_id, keep_id=keep, gone_id=gone)
    reply = await gateway.bus.call(MERGE_RECORDS, wanted)
    _nudge(gateway, who)
    return Merged(merge_id=reply.merge_id, record=shown(reply.record), moved=reply.moved)


for _kind in RecordKind:
    _add_routes(_kind)


@router.post("/deals/{id}/move")
async def move_deal(
    id: UUID, body: Move, who: Editor, gateway: GatewayDep, response: Response, if_match: IfMatch = None
) -> Shown:
    """Move a deal to a stage; who did it and why stays with the deal."""
    wanted = crm.MoveDeal(principal=who, id=id, stage=body.stage, reason=body.reason, version=version_of(if_match))
    record = await gateway.bus.call(MOVE_DEAL, wanted)
    response.headers["ETag"] = etag(record.version)
    _nudge(gateway, who)
    return shown(record)


@router.post("/merge")
async def merge_any(body: MergeAny, who: Editor, gateway: GatewayDep, ids: IdsDep) -> Merged:
    """Make two records one: the strictest consent wins, and it can be taken back."""
    return await _merge(gateway, who, body.kind, body.keep_id, body.gone_id, ids("merge"))


@router.post("/merges/{merge_id}/undo")
async def undo_merge(merge_id: UUID, who: Editor, gateway: GatewayDep) -> Unmerged:
    """Make them two again; what was changed since stays, and an opt-out given since holds for both."""
    reply = await gateway.bus.call(UNDO_MERGE, crm.UndoMerge(principal=who, merge_id=merge_id))
    _nudge(gateway, who)
    return Unmerged(merge_id=merge_id, kept=shown(reply.kept), restored=shown(reply.restored))


@router.post("/bulk-edits/{batch_id}/undo")
async def undo_bulk(batch_id: UUID, who: Editor, gateway: GatewayDep) -> crm.BulkChanged:
    """Take a bulk edit back, except where somebody has changed the record since."""
    reply = await gateway.bus.call(UNDO_BULK, crm.UndoBulk(principal=who, batch_id=batch_id))
    _nudge(gateway, who)
    return reply


@router.get("/timeline")
async def timeline(
    kind: RecordKind, id: UUID, who: Reader, gateway: GatewayDep, paging: PagingDep
) -> Items[crm.Happening]:
    """What happened with a record and with what belongs to it, newest first."""
    return await _timeline(gateway, who, kind, id, paging)


@router.get("/search")
async def search(
    who: Reader,
    gateway: GatewayDep,
    q: Annotated[
        str, Query(description="Words in Arabic or English; hamza, ta marbuta and diacritics make no difference")
    ],
    kind: Annotated[list[RecordKind] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> Items[crm.Hit]:
    """Search across accounts, contacts, deals, activities and tasks."""
    wanted = crm.SearchRequest(principal=who, q=query_of(q) or "", kinds=tuple(kind or ()), limit=limit)
    return Items(items=(await gateway.bus.call(SEARCH, wanted)).items)
