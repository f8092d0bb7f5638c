"""Facts about records from files of permitted sources, and people's word on disputed ones."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Header, Query, UploadFile
from pydantic import Field

from libs.contracts.catalogue.enrichment import Adapter, enrichment
from libs.contracts.enrichment import DecideFact, Enrich, Enriched, EnrichedFact, FactsList, FactState
from libs.contracts.errors import DealixError
from libs.contracts.message import Principal
from libs.contracts.subjects import DECIDE_FACT, ENRICH, ENRICHED_FACTS
from services.gateway.errors import BodyTooLarge
from services.gateway.http import bodies
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import Ids, IdsDep, require
from services.gateway.http.problems import RESPONSES
from services.gateway.http.uploads import file_name, once

router = APIRouter(prefix="/api/v1/targeting/enrichment", tags=["targeting"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Importer = Annotated[Principal, require("import")]
BYTES = 10 * 1024**2


class Word(bodies.Request):
    accept: bool
    reason: Annotated[str, Field(max_length=1000)] = ""


@router.get("/adapters")
async def adapters(who: Reader) -> Items[Adapter]:
    """Which files are understood: their source, the lawful bases that may be named, what finds a record and what is filled in."""
    return Items(items=tuple(enrichment().adapters.values()))


@router.post("", response_model=Enriched)
async def enrich(
    who: Importer,
    gateway: GatewayDep,
    ids: IdsDep,
    file: Annotated[UploadFile, File(description="CSV, XLSX or JSON Lines; 2,000 rows and 10 MB at most")],
    adapter: Annotated[str, Form(max_length=50)],
    lawful_basis: Annotated[str, Form(max_length=50)],
    obtained_on: Annotated[date, Form(description="When the file was obtained")],
    licence: Annotated[str, Form(max_length=500, description="The terms of the source, where it has any")] = "",
    dry_run: Annotated[bool, Form(description="Say what would be filled in, and change nothing")] = False,
    idempotency_key: Annotated[str | None, Header(max_length=300)] = None,
) -> Any:
    """Fill in records from a file. What a person stated is never overwritten: what differs waits for a person. Twice is once."""
    _refuse_too_large(file)
    given = {
        "adapter": adapter, "basis": lawful_basis, "obtained_on": obtained_on.isoformat(), "licence": licence,
        "dry_run": str(dry_run),
    }  # fmt: skip

    async def enriched(made: Ids) -> Enriched:
        batch_id = made("enrichment")
        name = await bring(gateway, who, batch_id, file)
        wanted = Enrich(
            principal=who, batch_id=batch_id, adapter=adapter, object_name=name, file_name=file_name(file.filename), lawful_basis=lawful_basis,
            licence=licence, obtained_on=obtained_on, dry_run=dry_run,
        )  # fmt: skip
        try:
            return await fill_in(gateway, wanted)
        finally:
            if dry_run:
                await gateway.files.drop(name)

    route = "POST /api/v1/targeting/enrichment"
    return await once(gateway, who, route, idempotency_key, given, file, enriched, ids=ids)


async def bring(gateway: Gateway, who: Principal, batch_id: UUID, file: UploadFile) -> str:
    """Put the file where data reads it; its name there. Raises BodyTooLarge."""
    _refuse_too_large(file)
    name = f"{who.tenant_id}/{batch_id}"
    await file.seek(0)
    await gateway.files.put(name, file.file)
    return name


def _refuse_too_large(file: UploadFile) -> None:
    if file.size is not None and file.size > BYTES:
        raise BodyTooLarge(BYTES)


async def fill_in(gateway: Gateway, request: Enrich) -> Enriched:
    """Have data read the file, or only look. A refused file is forgotten. Raises what data refuses."""
    try:
        reply = await gateway.bus.call(ENRICH, request)
    except DealixError as error:
        if not error.retryable:
            await gateway.files.drop(request.object_name)
        raise
    if not request.dry_run:
        gateway.pulse.nudge(request.principal.tenant_id, "records")
    return reply


@router.get("/facts")
async def facts(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    record_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[FactState | None, Query()] = None,
) -> Items[EnrichedFact]:
    """Facts with their source, lawful basis, time and confidence, newest first."""
    wanted = FactsList(principal=who, record_id=record_id, state=state, page=paging.page(gateway, who))
    reply = await gateway.bus.call(ENRICHED_FACTS, wanted)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/facts/{fact_id}/decision")
async def decide(fact_id: UUID, body: Word, who: Importer, gateway: GatewayDep) -> EnrichedFact:
    """Accept a disputed fact, or refuse it; either is kept with who said so."""
    wanted = DecideFact(principal=who, fact_id=fact_id, accept=body.accept, reason=body.reason)
    reply = await gateway.bus.call(DECIDE_FACT, wanted)
    gateway.pulse.nudge(who.tenant_id, "records")
    return reply
