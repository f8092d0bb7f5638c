"""`/claims` and `/contradictions`: what is said of a subject, and what of it can't both hold."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.contracts import claims
from libs.contracts.catalogue.claims import ClaimKey, claim_keys
from libs.contracts.claims import (
    Claim,
    ClaimSuggestion,
    Contradiction,
    ContradictionState,
    SuggestionDecided,
    SuggestionState,
)
from libs.contracts.message import Principal
from libs.contracts.subjects import (
    ACKNOWLEDGE,
    CLAIM_SUGGESTIONS,
    CONTRADICTION,
    CONTRADICTIONS,
    DECIDE_SUGGESTION,
    RECORD_CLAIMS,
    RESOLVE,
)
from services.gateway.http.bodies import Body, Id, Items, Moment, PagingDep, Word, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["trust"], responses=RESPONSES)

Recorder = Annotated[Principal, require("import")]
Reader = Annotated[Principal, require("evidence")]
Decider = Annotated[Principal, require("approve")]


class ClaimFields(Body):
    """What is said of a subject (`deal:…`, `product:…`). `GET /claims/keys` lists what may be said, in which units."""

    subject: claims.Subject
    key: Word
    value: Annotated[str | int | float, Field(description="a number may come as a number or as text")]
    unit: Annotated[str, Field(max_length=20)] = ""
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    source: Annotated[str, Field(min_length=1, max_length=200)]
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0


class OneClaim(ClaimFields, RequestBody):
    pass


class ManyClaims(RequestBody):
    items: Annotated[list[ClaimFields], Field(min_length=1, max_length=100)]


class Recorded(BaseModel):
    """The claims as recorded, and the contradictions that they opened."""

    claims: tuple[Claim, ...]
    contradictions: tuple[Contradiction, ...]


class Keys(BaseModel):
    items: list[ClaimKey]


class Decision(RequestBody):
    """Which claim stands, and why; without `standing_claim_id` both are accepted."""

    standing_claim_id: Id | None = None
    reason: Annotated[str, Field(min_length=10, max_length=2000)]


@router.get("/claims/keys")
async def keys(who: Reader) -> Keys:
    """Everything that may be claimed: its type, units, tolerance, and of which subjects."""
    return Keys(items=list(claim_keys().values()))


@router.post("/claims", status_code=201)
async def record(body: OneClaim | ManyClaims, who: Recorder, gateway: GatewayDep, ids: IdsDep) -> Recorded:
    """Record one claim, or several (`items`), all or none. What they contradict opens at once."""
    given = body.items if isinstance(body, ManyClaims) else [body]
    made = tuple(
        claims.NewClaim(claim_id=ids(f"claim:{at}"), **{**dict(one), "value": str(one.value)})
        for at, one in enumerate(given)
    )
    reply = await gateway.bus.call(RECORD_CLAIMS, claims.RecordClaims(principal=who, claims=made))
    return Recorded(claims=reply.claims, contradictions=reply.contradictions)


class Note(RequestBody):
    reason: Annotated[str, Field(max_length=2000)] = ""


@router.get("/claims/suggestions")
async def suggestions(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    state: Annotated[SuggestionState | None, Query()] = None,
    subject: Annotated[str | None, Query(max_length=140)] = None,
) -> Items[ClaimSuggestion]:
    """What documents and inbound messages state, the newest first. Nothing of it counts before a person confirms it."""
    request = claims.SuggestionsRequest(principal=who, state=state, subject=subject, page=paging.page(gateway, who))
    reply = await gateway.bus.call(CLAIM_SUGGESTIONS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/claims/suggestions/{suggestion_id}/confirm")
async def confirm(suggestion_id: UUID, body: Note, who: Recorder, gateway: GatewayDep) -> SuggestionDecided:
    """Make it a claim of yours, read in that source. What it contradicts opens at once."""
    request = claims.DecideSuggestion(principal=who, suggestion_id=suggestion_id, confirm=True, reason=body.reason)
    return await gateway.bus.call(DECIDE_SUGGESTION, request)


@router.post("/claims/suggestions/{suggestion_id}/dismiss")
async def dismiss(suggestion_id: UUID, body: Note, who: Recorder, gateway: GatewayDep) -> SuggestionDecided:
    """Say that the text does not state that, or that it does not matter."""
    request = claims.DecideSuggestion(principal=who, suggestion_id=suggestion_id, confirm=False, reason=body.reason)
    return await gateway.bus.call(DECIDE_SUGGESTION, request)


@router.get("/contradictions")
async def contradictions(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    state: Annotated[ContradictionState | None, Query()] = None,
    subject: Annotated[str | None, Query(max_length=140)] = None,
) -> Items[Contradiction]:
    """Contradictions with both claims, the newest first."""
    request = claims.ContradictionsRequest(principal=who, state=state, subject=subject, page=paging.page(gateway, who))
    reply = await gateway.bus.call(CONTRADICTIONS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/contradictions/{contradiction_id}")
async def contradiction(contradiction_id: UUID, who: Reader, gateway: GatewayDep) -> Contradiction:
    request = claims.ContradictionGet(principal=who, contradiction_id=contradiction_id)
    return await gateway.bus.call(CONTRADICTION, request)


@router.post("/contradictions/{contradiction_id}/acknowledge")
async def acknowledge(contradiction_id: UUID, who: Decider, gateway: GatewayDep) -> Contradiction:
    """Say that somebody looks into it. What concerns it goes on waiting for a person."""
    return await gateway.bus.call(ACKNOWLEDGE, claims.Acknowledge(principal=who, contradiction_id=contradiction_id))


@router.post("/contradictions/{contradiction_id}/resolve")
async def resolve(contradiction_id: UUID, body: Decision, who: Decider, gateway: GatewayDep) -> Contradiction:
    """Decide which claim stands, or accept both. Only a person may, and nobody for an own claim."""
    request = claims.Resolve(
        principal=who, contradiction_id=contradiction_id, standing_claim_id=body.standing_claim_id, reason=body.reason
    )
    return await gateway.bus.call(RESOLVE, request)
