"""`/rights-requests`: what people may ask of whoever holds their data (PDPL art. 4), with its clock, export and erasure."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from libs.contracts import rights
from libs.contracts.message import Plane, Principal
from libs.contracts.rights import PersonRequest, RightsKind, RightsRequest, RightsState
from libs.contracts.subjects import (
    CLOSE_RIGHTS,
    ERASE_RIGHTS,
    EXTEND_RIGHTS,
    HOLDERS,
    IDENTIFY_RIGHTS,
    OPEN_RIGHTS,
    PERSON,
    RIGHTS,
    RIGHTS_REQUEST,
)
from services.gateway.http.bodies import Id, Items, Moment, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import CallerDep, IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/rights-requests", tags=["rights"], responses=RESPONSES)

Keeper = Annotated[Principal, require("consents")]
Reader = Annotated[Principal, require("consents", reading=True)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]


class NewRequest(RequestBody):
    """A person's request, however it came. `identifier` is the address or number under which it came; it is kept as a keyed hash."""

    kind: Annotated[RightsKind, Field(strict=False)]
    contact_id: Id
    identifier: Annotated[str, Field(min_length=3, max_length=254)]
    details: Annotated[str, Field(max_length=2000)] = ""
    received_at: Moment | None = None


class Identity(RequestBody):
    """How the identity was checked, and where the evidence of that is."""

    method: Annotated[str, Field(min_length=1, max_length=200)]
    evidence: Annotated[str, Field(min_length=1, max_length=500)]


class Extension(RequestBody):
    reason: Words


class Answer(RequestBody):
    """What was done, or with `refused` the ground for not doing it."""

    note: Words
    refused: bool = False


class Erasure(RequestBody):
    """`password` proves once more who erases: needed by a person who also checked the identity."""

    password: Annotated[str, Field(min_length=1, max_length=1024)] | None = None


@router.get("")
async def requests(
    who: Reader, gateway: GatewayDep, paging: PagingDep, state: Annotated[RightsState | None, Query()] = None
) -> Items[RightsRequest]:
    """Requests, the newest first."""
    reply = await gateway.bus.call(
        RIGHTS, rights.RightsList(principal=who, state=state, page=paging.page(gateway, who))
    )
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("", status_code=201)
async def receive(body: NewRequest, who: Keeper, gateway: GatewayDep, ids: IdsDep) -> RightsRequest:
    """Record a request; thirty days run from when it was received."""
    request = rights.OpenRights(
        principal=who, request_id=ids("rights"), kind=body.kind, contact_id=body.contact_id, identifier=body.identifier.strip(),
        details=body.details, received_at=body.received_at,
    )  # fmt: skip
    return await gateway.bus.call(OPEN_RIGHTS, request)


@router.get("/{request_id}")
async def one(request_id: UUID, who: Reader, gateway: GatewayDep) -> RightsRequest:
    """One request with its steps, and what each plane has to do for it."""
    return await gateway.bus.call(RIGHTS_REQUEST, rights.RightsGet(principal=who, request_id=request_id))


@router.post("/{request_id}/identify")
async def identify(request_id: UUID, body: Identity, who: Keeper, gateway: GatewayDep) -> RightsRequest:
    """The identity was checked. An objection takes effect with this."""
    request = rights.IdentifyRights(principal=who, request_id=request_id, method=body.method, evidence=body.evidence)
    return await gateway.bus.call(IDENTIFY_RIGHTS, request)


@router.post("/{request_id}/extend")
async def extend(request_id: UUID, body: Extension, who: Keeper, gateway: GatewayDep) -> RightsRequest:
    """Thirty more days, once, before the first term ends."""
    request = rights.ExtendRights(principal=who, request_id=request_id, reason=body.reason)
    return await gateway.bus.call(EXTEND_RIGHTS, request)


@router.post("/{request_id}/close")
async def close(request_id: UUID, body: Answer, who: Keeper, gateway: GatewayDep) -> RightsRequest:
    """Answer the request: done, or refused with its ground."""
    request = rights.CloseRights(principal=who, request_id=request_id, refused=body.refused, note=body.note)
    return await gateway.bus.call(CLOSE_RIGHTS, request)


@router.post("/{request_id}/erase", status_code=202)
async def erase(request_id: UUID, body: Erasure, who: Keeper, caller: CallerDep, gateway: GatewayDep) -> RightsRequest:
    """Erase the person in every plane. It cannot be undone; `tasks` says how far each plane is."""
    if body.password is not None:
        await gateway.authentication.again(caller.user, body.password)
    request = rights.EraseRights(principal=who, request_id=request_id, reauthenticated=body.password is not None)
    return await gateway.bus.call(ERASE_RIGHTS, request)


@router.get("/{request_id}/export")
async def export(request_id: UUID, who: Keeper, gateway: GatewayDep) -> Response:
    """Everything every plane holds about the person, as JSON. That it was made is on record."""
    document = await person_document(gateway, who, request_id)
    return Response(
        json.dumps(document, ensure_ascii=False, indent=2, default=str).encode(),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="person-{request_id}.json"'},
    )


async def person_document(gateway: Gateway, who: Principal, request_id: UUID) -> dict[str, Any]:
    """The answer to a request for access, by plane. A plane that does not answer fails it: an answer with a gap would be a wrong one.

    Trust is asked first: it checks that the identity was, and records the export.
    """
    request = await gateway.bus.call(RIGHTS_REQUEST, rights.RightsGet(principal=who, request_id=request_id))
    asked = PersonRequest(principal=who, contact_id=request.contact_id, request_id=request_id)
    held: dict[str, Any] = {}
    for plane in (Plane.TRUST, *(p for p in HOLDERS if p is not Plane.TRUST)):
        held[plane.value] = dict((await gateway.bus.call(PERSON[plane], asked)).sections)
    return {
        "request_id": str(request_id),
        "kind": request.kind.value,
        "made_at": gateway.now().isoformat(),
        "held": held,
    }
