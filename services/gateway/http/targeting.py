"""Targeting: lists in, ranked opportunities out; who may be contacted, and why not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Header, Query, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from libs.contracts import data, decision, trust
from libs.contracts.catalogue.sources import sources
from libs.contracts.data import ImportStatus
from libs.contracts.decision import Opportunity, RankReply
from libs.contracts.errors import DealixError
from libs.contracts.message import Page, Principal
from libs.contracts.subjects import (
    CONTACTABILITY,
    IMPORT,
    IMPORT_CANCEL,
    IMPORT_REJECTS,
    IMPORT_STATUS,
    IMPORT_UNDO,
    IMPORTS,
    OPPORTUNITIES,
    PREPARE_DRAFT,
    RANK,
)
from services.gateway.domain.rejects import heading, line
from services.gateway.domain.spreadsheet import BOM, lines
from services.gateway.errors import BodyTooLarge, Unprocessable
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import Ids, IdsDep, require
from services.gateway.http.problems import RESPONSES
from services.gateway.http.uploads import file_name, once

router = APIRouter(prefix="/api/v1/targeting", tags=["targeting"], responses=RESPONSES)

Importer = Annotated[Principal, require("import")]
Submitter = Annotated[Principal, require("submit")]
Reader = Annotated[Principal, require("read", reading=True)]
DEMO_ITEMS = 20


class Imported(BaseModel):
    import_id: UUID
    state: str


class Source(BaseModel):
    """A source that a list may have. `risk` is 0 to 100; `handling` what happens to its rows because of it."""

    key: str
    en: str
    ar: str
    risk: int | None
    handling: str
    collection: str


class OpportunityPage(Items[Opportunity]):
    total: int = 0


@router.post("/import", status_code=202, response_model=Imported)
async def start_import(
    who: Importer,
    gateway: GatewayDep,
    ids: IdsDep,
    file: Annotated[UploadFile, File(description="CSV, XLSX, vCard or JSON Lines, up to 200 MB")],
    source: Annotated[str, Form(max_length=50)],
    mapping: Annotated[str | None, Form(max_length=20_000, description="JSON: column to field")] = None,
    dry_run: Annotated[bool, Form()] = False,
    obtained_how: Annotated[str, Form(max_length=500)] = "",
    idempotency_key: Annotated[str | None, Header(max_length=300)] = None,
) -> Any:
    """Import a list of leads. The answer comes before the work: follow it at `/targeting/imports/{id}`."""
    columns = _mapping(mapping)
    given = {"source": source, "mapping": mapping or "", "dry_run": str(dry_run), "how": obtained_how}

    async def begin(made: Ids) -> Imported:
        status = await bring_in(
            gateway, who, made("import"), file, source, columns, dry_run=dry_run, obtained_how=obtained_how
        )
        return Imported(import_id=status.import_id, state=status.state.value)

    route = "POST /api/v1/targeting/import"
    return await once(gateway, who, route, idempotency_key, given, file, begin, ids=ids, status=202)


async def bring_in(
    gateway: Gateway, who: Principal, import_id: UUID, file: UploadFile, source: str, mapping: dict[str, str] | None,
    *, dry_run: bool, obtained_how: str,
) -> ImportStatus:  # fmt: skip
    """Hand a file to the data plane through the object store. The file is on disk here, and in memory never as a whole.

    Raises BodyTooLarge, Unavailable, and what the data plane refuses.
    """
    if file.size is not None and file.size > gateway.settings.import_bytes:
        raise BodyTooLarge(gateway.settings.import_bytes)
    name = f"{who.tenant_id}/{import_id}"
    await file.seek(0)
    size = await gateway.files.put(name, file.file)
    request = data.ImportRequest(
        principal=who, import_id=import_id, object_name=name, file_name=file_name(file.filename), size=size, source=source,
        obtained_how=obtained_how, mapping=mapping, dry_run=dry_run,
    )  # fmt: skip
    try:
        status = await gateway.bus.call(IMPORT, request)
    except DealixError as error:
        if not error.retryable:
            await gateway.files.drop(name)
        raise
    gateway.pulse.nudge(who.tenant_id, "imports")
    return status


def _mapping(text: str | None) -> dict[str, str] | None:
    if not text:
        return None
    wrong = Unprocessable(
        "bad_mapping",
        "mapping is a JSON object from column names to field names.",
        "mapping كائن JSON من أسماء الأعمدة إلى الحقول.",
    )
    try:
        found = json.loads(text)
    except ValueError as error:
        raise wrong from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()) or len(found) > 500:
        raise wrong
    return {str(column): field for column, field in found.items()}


@router.get("/imports")
async def imports(who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[ImportStatus]:
    """Imports of the tenant, the newest first."""
    reply = await gateway.bus.call(IMPORTS, data.ImportsRequest(principal=who, page=paging.page(gateway, who)))
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/imports/{import_id}")
async def import_status(import_id: UUID, who: Reader, gateway: GatewayDep) -> ImportStatus:
    """How far an import is, and what became of its rows."""
    return await gateway.bus.call(IMPORT_STATUS, data.ImportGet(principal=who, import_id=import_id))


@router.get(
    "/imports/{import_id}/rejects.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def rejects(import_id: UUID, who: Reader, gateway: GatewayDep) -> StreamingResponse:
    """The rejected rows with their reasons, as CSV: mend them and import the file again."""
    first = await _rejects(gateway, who, import_id, None)

    async def rows() -> AsyncIterator[str]:
        yield BOM + lines([heading(first.header)])
        reply: data.RejectsReply | None = first
        while reply is not None:
            yield lines(line(first.header, row) for row in reply.rows)
            cursor = reply.next_cursor
            reply = await _rejects(gateway, who, import_id, cursor) if cursor else None

    name = f'attachment; filename="rejects-{import_id}.csv"'
    return StreamingResponse(rows(), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


async def _rejects(gateway: Gateway, who: Principal, import_id: UUID, cursor: str | None) -> data.RejectsReply:
    request = data.RejectsRequest(principal=who, import_id=import_id, page=Page(cursor=cursor, limit=200))
    return await gateway.bus.call(IMPORT_REJECTS, request)


@router.post("/imports/{import_id}/cancel", status_code=202)
async def cancel(import_id: UUID, who: Importer, gateway: GatewayDep) -> ImportStatus:
    """Stop an import that has not been written yet; nothing of it is kept."""
    found = await gateway.bus.call(IMPORT_CANCEL, data.ImportGet(principal=who, import_id=import_id))
    gateway.pulse.nudge(who.tenant_id, "imports")
    return found


@router.post("/imports/{import_id}/undo")
async def undo(import_id: UUID, who: Importer, gateway: GatewayDep) -> data.UndoReply:
    """Take back what an import created and nothing has built upon."""
    found = await gateway.bus.call(IMPORT_UNDO, data.ImportGet(principal=who, import_id=import_id))
    gateway.pulse.nudge(who.tenant_id, "imports", "cards")
    return found


@router.post("/rank")
async def rank(who: Importer, gateway: GatewayDep) -> RankReply:
    """Rank all leads anew and make the day's cards and drafts."""
    found = await gateway.bus.call(RANK, decision.RankRequest(principal=who))
    gateway.pulse.nudge(who.tenant_id, "cards", "approvals")
    return found


@router.get("/opportunities")
async def opportunities(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    tier: Annotated[str | None, Query(pattern="^P[0-3]$")] = None,
    contactability: Annotated[trust.Contactability | None, Query()] = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
) -> OpportunityPage:
    """Ranked leads, the best first, each with the parts of its score and its reasons."""
    request = decision.OpportunitiesRequest(
        principal=who, tier=tier, contactability=contactability.value if contactability else None, q=q or None,
        page=paging.page(gateway, who),
    )  # fmt: skip
    reply = await gateway.bus.call(OPPORTUNITIES, request)
    page = items(gateway, who, reply.items, reply.next_cursor)
    return OpportunityPage(items=page.items, next_cursor=page.next_cursor, total=reply.total)


@router.post("/opportunities/{lead_id}/draft")
async def prepare_draft(lead_id: UUID, who: Submitter, gateway: GatewayDep) -> decision.PrepareDraftReply:
    """A draft for this lead now, outside the day's plan. It waits for approval; asking again makes no second one."""
    found = await gateway.bus.call(PREPARE_DRAFT, decision.PrepareDraft(principal=who, lead_id=lead_id))
    gateway.pulse.nudge(who.tenant_id, "cards", "approvals")
    return found


@router.get("/opportunities/demo")
async def opportunities_demo(gateway: GatewayDep) -> OpportunityPage:
    """The best opportunities of the example tenant, from the running pipeline; people's names are left out."""
    who = gateway.demo_principal()
    reply = await gateway.bus.call(
        OPPORTUNITIES, decision.OpportunitiesRequest(principal=who, page=Page(limit=DEMO_ITEMS))
    )
    return OpportunityPage(items=[o.evolve(contact_name=None) for o in reply.items], total=reply.total)


@router.get("/contactability")
async def contactability(
    who: Reader, gateway: GatewayDep, contact_id: Annotated[list[UUID], Query(min_length=1, max_length=200)]
) -> trust.ContactabilityReply:
    """Whether a contact may be reached, channel by channel, with the reasons. Whoever is not known here is `unknown`."""
    request = trust.ContactabilityRequest(tenant_id=who.tenant_id, contact_ids=tuple(contact_id))
    return await gateway.bus.call(CONTACTABILITY, request)


@router.get("/contactability/demo")
async def contactability_demo(gateway: GatewayDep) -> trust.ContactabilityReply:
    """The same for the contacts of the example tenant's best opportunities."""
    who = gateway.demo_principal()
    best = await gateway.bus.call(
        OPPORTUNITIES, decision.OpportunitiesRequest(principal=who, page=Page(limit=DEMO_ITEMS))
    )
    contacts = tuple(o.contact_id for o in best.items if o.contact_id is not None)
    if not contacts:
        return trust.ContactabilityReply(items=())
    return await gateway.bus.call(
        CONTACTABILITY, trust.ContactabilityRequest(tenant_id=who.tenant_id, contact_ids=contacts)
    )


@router.get("/sources")
async def lead_sources(who: Reader, gateway: GatewayDep) -> Items[Source]:
    """The sources a list may have, and what follows from each."""
    found = [
        Source(
            key=key,
            en=rule.en,
            ar=rule.ar,
            risk=rule.risk,
            handling=rule.handling.value,
            collection=rule.collection.value,
        )
        for key, rule in sources().items()
    ]
    return Items(items=found)
