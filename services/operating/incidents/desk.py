"""Opens and ends incidents by what is seen, and keeps what people write about them."""

from __future__ import annotations

import asyncio
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.errors import Conflict, Forbidden, NotFound
from libs.contracts.incidents import (
    Incident,
    IncidentDetail,
    IncidentGet,
    IncidentKind,
    IncidentsReply,
    IncidentsRequest,
    NoteIncident,
    ReportIncident,
    Severity,
)
from libs.contracts.message import PLATFORM, Plane, Principal, PrincipalKind, Text, new_id
from libs.contracts.paging import before, page_of
from libs.contracts.slos import SlosRequest
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.operating.domain.incidents import Trouble, objectives, outage, unclear
from services.operating.incidents.rows import IncidentRows
from services.operating.objectives.desk import ObjectivesDesk

EVERY_SECONDS = 15.0
WRITERS = frozenset({"owner", "admin", "operator", "compliance_officer"})
SYSTEM = "system"
SELF = Principal(id="system:operating", kind=PrincipalKind.SYSTEM, tenant_id=PLATFORM, roles=("operator",))
OVER = Text(en="It is over", ar="انتهى الخلل")


class IncidentEnded(Conflict):
    def __init__(self) -> None:
        super().__init__("incident_ended", "This incident is over already.", "انتهى هذا الحادث من قبل.")


class SystemEndsIt(Forbidden):
    """What the system sees is over when it sees so, not when somebody says so."""

    def __init__(self) -> None:
        super().__init__(
            "system_ends_it",
            "The system ends this incident by itself, once what it saw is over.",
            "ينهي النظام هذا الحادث بنفسه عند زوال سببه.",
        )


class Incidents:
    def __init__(self, runtime: Runtime, objectives: ObjectivesDesk) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._objectives = objectives

    # -- what the system sees ----------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Open, worsen and end the system's incidents by what is wrong now. Replicas take turns."""
        standings = (await self._objectives.list(SlosRequest(principal=SELF))).items
        async with self._database.batch(PLATFORM) as work:
            c = work.connection
            await c.execute("select pg_advisory_xact_lock(hashtextextended('operating.incidents', 0))")
            now = await c.fetchval("select now()")
            found = objectives(standings, now)
            last = await c.fetchrow(
                "select since, answering, planes from operating.watches order by since desc, watch_id desc limit 1"
            )
            if (
                last is not None
                and not last["answering"]
                and (silent := outage(last["since"], last["planes"], now)) is not None
            ):
                found.append(silent)
            rows = IncidentRows(c)
            seen = await rows.seen()
            for trouble in found:
                await self._keep(rows, trouble, seen.pop((trouble.kind.value, trouble.subject), None))
            for what in seen.keys() - unclear(standings):
                incident_id, _ = seen[what]
                await rows.add(PLATFORM, incident_id, "ended", SYSTEM, OVER)
                await rows.end(incident_id)

    async def _keep(self, rows: IncidentRows, trouble: Trouble, known: tuple[UUID, str] | None) -> None:
        if known is None:
            incident_id = await rows.open(PLATFORM, trouble, SYSTEM)
            await rows.add(PLATFORM, incident_id, "opened", SYSTEM, trouble.detail, trouble.since)
        elif known[1] == Severity.TICKET and trouble.severity is Severity.PAGE:
            await rows.worsen(known[0], trouble.severity)
            await rows.add(PLATFORM, known[0], "grew", SYSTEM, trouble.detail)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.look()

    # -- people ------------------------------------------------------------------------------------------------------------

    async def page(self, request: IncidentsRequest) -> IncidentsReply:
        """The system's and the tenant's own, the newest first. Raises Forbidden, NotFound for a cursor that is none."""
        who, limit = _reader(request.principal), request.page.limit
        async with self._database.batch(who.tenant_id, PLATFORM) as work:
            found = await IncidentRows(work.connection).page(
                who.tenant_id, open=request.open, before=before(request.page), limit=limit + 1
            )
        items, cursor = page_of(found, limit, lambda one: one.incident_id)
        return IncidentsReply(items=items, next_cursor=cursor)

    async def show(self, request: IncidentGet) -> IncidentDetail:
        """Raises NotFound, for another tenant's as well."""
        who = _reader(request.principal)
        async with self._database.batch(who.tenant_id, PLATFORM) as work:
            return await _detail(IncidentRows(work.connection), who, request.incident_id)

    async def report(self, request: ReportIncident) -> IncidentDetail:
        """Put an incident of the tenant on record, in the ledger too. Raises Forbidden."""
        who = _writer(request.principal)
        async with self._database.batch(who.tenant_id) as work:
            rows = IncidentRows(work.connection)
            now = await work.connection.fetchval("select now()")
            title = Text(en=request.title, ar=request.title)
            trouble = Trouble(IncidentKind.REPORTED, str(new_id()), request.severity, now, title, title)
            incident_id = await rows.open(who.tenant_id, trouble, who.id)
            await rows.add(who.tenant_id, incident_id, "opened", who.id, _words(request.note or request.title))
            self._ledger(work, who, incident_id, "incident.reported")
            return await _detail(rows, who, incident_id)

    async def note(self, request: NoteIncident) -> IncidentDetail:
        """Add a line to a timeline; with `end` the last one of the tenant's own incident.

        Raises Forbidden, NotFound, IncidentEnded, SystemEndsIt.
        """
        who = _writer(request.principal)
        async with self._database.batch(who.tenant_id, PLATFORM) as work:
            rows = IncidentRows(work.connection)
            found = await rows.get(who.tenant_id, request.incident_id, lock=True)
            if found is None:
                raise NotFound
            if request.end:
                if not found.own:
                    raise SystemEndsIt
                if found.ended_at is not None:
                    raise IncidentEnded
                await rows.end(found.incident_id)
            kind = "ended" if request.end else "note"
            await rows.add(who.tenant_id, found.incident_id, kind, who.id, _words(request.note))
            self._ledger(work, who, found.incident_id, "incident.ended" if request.end else "incident.noted")
            return await _detail(rows, who, found.incident_id)

    def _ledger(self, work: BatchWork, who: Principal, incident_id: UUID, kind: str) -> None:
        work.emit(
            subjects.AUDITED[Plane.OPERATING],
            AuditRecorded(
                entry_id=new_id(), tenant_id=who.tenant_id, kind=kind, actor=who.id, target=f"incident:{incident_id}", at=self._runtime.now(),
                data={}, trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip


async def _detail(rows: IncidentRows, who: Principal, incident_id: UUID) -> IncidentDetail:
    found: Incident | None = await rows.get(who.tenant_id, incident_id)
    if found is None:
        raise NotFound
    return IncidentDetail(incident=found, timeline=tuple(await rows.timeline(who.tenant_id, found)))


def _words(text: str) -> Text:
    """A person's words stand as they are, in whichever language they were written."""
    return Text(en=text, ar=text)


def _reader(who: Principal) -> Principal:
    if not who.roles:
        raise Forbidden
    return who


def _writer(who: Principal) -> Principal:
    if not WRITERS & set(who.roles):
        raise Forbidden
    return who


def serve_incidents(runtime: Runtime, objectives: ObjectivesDesk) -> None:
    """Serve incidents, and look for them as long as the plane lives."""
    incidents = Incidents(runtime, objectives)
    runtime.bus.serve(subjects.INCIDENTS, incidents.page)
    runtime.bus.serve(subjects.INCIDENT, incidents.show)
    runtime.bus.serve(subjects.REPORT_INCIDENT, incidents.report)
    runtime.bus.serve(subjects.NOTE_INCIDENT, incidents.note)
    runtime.loop("incidents", incidents.run)
