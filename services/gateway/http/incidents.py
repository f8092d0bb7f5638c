"""`/incidents`: what went wrong, since when, and what was done about it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from libs.contracts import incidents as contract
from libs.contracts.incidents import Incident, IncidentDetail, Severity
from libs.contracts.message import Principal
from libs.contracts.subjects import INCIDENT, INCIDENTS, NOTE_INCIDENT, REPORT_INCIDENT
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/incidents", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Operator = Annotated[Principal, require("control")]


class Report(Body):
    """What happened, in a person's words. A breach of personal data also belongs in `/registers/incidents`, which has the law's clock."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    severity: Literal["page", "ticket"] = "ticket"
    note: Annotated[str, Field(max_length=2000)] = ""


class Line(Body):
    """A line for the timeline; with `end` the incident is over."""

    note: Annotated[str, Field(min_length=1, max_length=2000)]
    end: bool = False


@router.get("")
async def incidents(
    who: Reader, gateway: GatewayDep, paging: PagingDep, open: Annotated[bool | None, Query()] = None
) -> Items[Incident]:
    """Outages and objectives that the system saw, and what the tenant's people reported; the newest first."""
    request = contract.IncidentsRequest(principal=who, open=open, page=paging.page(gateway, who))
    reply = await gateway.bus.call(INCIDENTS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/{incident_id}")
async def incident(incident_id: UUID, who: Reader, gateway: GatewayDep) -> IncidentDetail:
    """One incident with its timeline, releases that were new about that time among it."""
    return await gateway.bus.call(INCIDENT, contract.IncidentGet(principal=who, incident_id=incident_id))


@router.post("", status_code=201)
async def report(body: Report, who: Operator, gateway: GatewayDep) -> IncidentDetail:
    """Put an incident on record."""
    return await gateway.bus.call(
        REPORT_INCIDENT,
        contract.ReportIncident(principal=who, title=body.title, severity=Severity(body.severity), note=body.note),
    )


@router.post("/{incident_id}/notes")
async def note(incident_id: UUID, body: Line, who: Operator, gateway: GatewayDep) -> IncidentDetail:
    """Write into the timeline. Only one's own incident is ended; the system ends what it saw itself."""
    asked = contract.NoteIncident(principal=who, incident_id=incident_id, **body.model_dump())
    return await gateway.bus.call(NOTE_INCIDENT, asked)
