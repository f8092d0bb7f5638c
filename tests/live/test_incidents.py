"""Incidents open and end by what is seen, once however many replicas look; what people write is their tenant's, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.incidents import (
    Incident,
    IncidentGet,
    IncidentKind,
    IncidentsRequest,
    NoteIncident,
    ReportIncident,
    Severity,
)
from libs.contracts.message import Page, Plane, Principal, new_id
from libs.contracts.slos import SloCount, SloCounted, SloLevel
from libs.runtime.database import Database
from libs.runtime.plane import Runtime
from services.operating.incidents.desk import IncidentEnded, Incidents, SystemEndsIt
from services.operating.objectives.desk import ObjectivesDesk
from tests.live.migrated import emptied, migrated_postgres, plane_database

pytestmark = [pytest.mark.live, pytest.mark.asyncio]
TENANT, OTHER = new_id(), new_id()


class OwnRuntime:
    """As much of a running plane as incidents use."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("incidents")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    await emptied(admin_url, Plane.OPERATING)
    async with plane_database(admin_url, Plane.OPERATING) as made:
        yield made


@pytest.fixture
def desk(database: Database) -> Incidents:
    return replica(database)


def replica(database: Database) -> Incidents:
    runtime = OwnRuntime(database)
    return Incidents(cast(Runtime, runtime), ObjectivesDesk(database, runtime.now))


def who(*roles: str, tenant: UUID = TENANT) -> Principal:
    return Principal(id="user:1", kind="user", tenant_id=tenant, roles=roles)


async def listed(desk: Incidents, tenant: UUID = TENANT, **asked: Any) -> list[Incident]:
    return list((await desk.page(IncidentsRequest(principal=who("member", tenant=tenant), **asked))).items)


async def watch(database: Database, seconds: int, *, answering: bool) -> None:
    """The watch over heartbeats has seen this for so long."""
    async with database.batch() as work:
        await work.connection.execute(
            "insert into operating.watches (watch_id, since, seen_at, answering, planes) values ($1, now() - $2 * interval '1 second', now(), $3, $4)",
            new_id(), seconds, answering, [] if answering else ["trust", "data"],
        )  # fmt: skip


async def failing(database: Database, bad: int) -> None:
    count = SloCount(name="authorize_availability", good=1000, bad=bad)
    told = SloCounted(plane=Plane.TRUST, process=str(bad), at=datetime.now(UTC), counts=(count,))
    await ObjectivesDesk(database, lambda: datetime.now(UTC)).hear(told)


async def test_silent_planes_are_one_incident_until_they_answer(database: Database, desk: Incidents) -> None:
    await watch(database, 5, answering=False)
    await desk.look()
    assert await listed(desk) == [], "a restart is no incident"
    await watch(database, 40, answering=False)
    async with database.batch() as work:
        await work.connection.execute("delete from operating.watches where since > now() - interval '30 seconds'")
    await asyncio.gather(*(replica(database).look() for _ in range(3)))
    (found,) = await listed(desk)
    assert (found.kind, found.severity, found.ended_at, found.own) == (IncidentKind.OUTAGE, Severity.PAGE, None, False)
    assert [one.incident_id for one in await listed(desk, OTHER)] == [found.incident_id], "it is everybody's"
    await watch(database, 1, answering=True)
    await desk.look()
    assert (await listed(desk, open=True), len(await listed(desk, open=False))) == ([], 1)
    detail = await desk.show(IncidentGet(principal=who("member"), incident_id=found.incident_id))
    assert [one.kind for one in detail.timeline] == ["opened", "ended"]
    assert "Data, Trust" in detail.timeline[0].en
    assert "لا رد من" in detail.timeline[0].ar


async def test_a_burning_objective_is_an_incident_with_what_was_released_about_then(
    database: Database, desk: Incidents
) -> None:
    await failing(database, 100)
    async with database.batch() as work:
        await work.connection.execute("insert into operating.releases (plane, version) values ('trust', '9.9.9')")
    await desk.look()
    await desk.look()
    (found,) = await listed(desk)
    assert (found.kind, found.subject, found.severity) == (
        IncidentKind.OBJECTIVE,
        "authorize_availability",
        Severity.PAGE,
    )
    detail = await desk.show(IncidentGet(principal=who("member"), incident_id=found.incident_id))
    assert sorted(one.kind for one in detail.timeline) == ["opened", "release"]
    assert any("9.9.9" in one.en for one in detail.timeline)


async def test_an_objective_that_nobody_reads_any_more_is_not_said_to_be_over(
    database: Database, desk: Incidents
) -> None:
    objectives = ObjectivesDesk(database, lambda: datetime.now(UTC))

    async def lag(value: float, plane: Plane = Plane.TRUST) -> None:
        levels = (SloLevel(name="outbox_lag", value=value),)
        await objectives.hear(SloCounted(plane=plane, process="a", at=datetime.now(UTC), levels=levels))
        await desk.look()

    await lag(5000)
    async with database.batch() as work:
        await work.connection.execute("update operating.slo_levels set over_since = over_since - interval '11 minutes'")
    await lag(5000)
    assert [one.subject for one in await listed(desk, open=True)] == ["outbox_lag"]
    async with database.batch() as work:
        await work.connection.execute("update operating.slo_levels set at = at - interval '3 minutes'")
    await desk.look()
    await lag(3, Plane.DATA)
    assert len(await listed(desk, open=True)) == 1, "the plane that was above it is silent, whatever others read"
    await lag(3)
    assert await listed(desk, open=True) == []


async def test_what_people_write_is_seen_by_their_tenant_alone(database: Database, desk: Incidents) -> None:
    await failing(database, 100)
    await desk.look()
    (system,) = await listed(desk)
    await desk.note(
        NoteIncident(principal=who("operator"), incident_id=system.incident_id, note="We are looking at it")
    )
    own = await desk.report(ReportIncident(principal=who("owner"), title="A lost laptop", note="Left in a taxi"))
    assert own.incident.own
    ours = await desk.show(IncidentGet(principal=who("member"), incident_id=system.incident_id))
    theirs = await desk.show(IncidentGet(principal=who("member", tenant=OTHER), incident_id=system.incident_id))
    assert [one.kind for one in ours.timeline] == ["opened", "note"]
    assert [one.kind for one in theirs.timeline] == ["opened"]
    with pytest.raises(NotFound):
        await desk.show(IncidentGet(principal=who("owner", tenant=OTHER), incident_id=own.incident.incident_id))
    with pytest.raises(NotFound):
        await desk.note(
            NoteIncident(principal=who("owner", tenant=OTHER), incident_id=own.incident.incident_id, note="x")
        )
    async with database.batch() as work:
        kinds = await work.connection.fetch("select convert_from(body, 'utf8')::jsonb->>'kind' as kind from outbox")
    assert sorted(row["kind"] for row in kinds) == ["incident.noted", "incident.reported"]


async def test_people_end_their_own_and_the_system_its_own(database: Database, desk: Incidents) -> None:
    await failing(database, 100)
    await desk.look()
    (system,) = await listed(desk)
    with pytest.raises(SystemEndsIt):
        await desk.note(NoteIncident(principal=who("owner"), incident_id=system.incident_id, note="Enough", end=True))
    own = (await desk.report(ReportIncident(principal=who("owner"), title="x"))).incident.incident_id
    ended = await desk.note(NoteIncident(principal=who("owner"), incident_id=own, note="Found again", end=True))
    assert ended.incident.ended_at is not None
    with pytest.raises(IncidentEnded):
        await desk.note(NoteIncident(principal=who("owner"), incident_id=own, note="Again", end=True))
    await desk.look()
    assert {one.incident_id for one in await listed(desk, open=True)} == {system.incident_id}


@pytest.mark.parametrize("role", ["member", "auditor", "approver", "api_client"])
async def test_who_may_not_operate_writes_nothing(desk: Incidents, role: str) -> None:
    with pytest.raises(Forbidden):
        await desk.report(ReportIncident(principal=who(role), title="x"))
    with pytest.raises(Forbidden):
        await desk.note(NoteIncident(principal=who(role), incident_id=new_id(), note="x"))


async def test_a_list_goes_on_where_it_ended(desk: Incidents) -> None:
    for at in range(3):
        await desk.report(ReportIncident(principal=who("owner"), title=f"incident {at}"))
    first = await desk.page(IncidentsRequest(principal=who("member"), page=Page(limit=2)))
    rest = await desk.page(IncidentsRequest(principal=who("member"), page=Page(limit=2, cursor=first.next_cursor)))
    assert [one.title.en for one in (*first.items, *rest.items)] == ["incident 2", "incident 1", "incident 0"]
    assert rest.next_cursor is None
