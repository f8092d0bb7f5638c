"""What planes count of objectives is kept over restarts and counted once, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from libs.contracts.errors import Forbidden
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.slos import SloCount, SloCounted, SloLevel, SlosRequest, SloStanding
from libs.runtime.database import Database
from services.operating.objectives.desk import ObjectivesDesk
from tests.live.migrated import emptied, migrated_postgres, plane_database

pytestmark = [pytest.mark.live, pytest.mark.asyncio]
NAME = "authorize_availability"


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("objectives")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    await emptied(admin_url, Plane.OPERATING)
    async with plane_database(admin_url, Plane.OPERATING) as made:
        yield made


def told(process: str, good: int, bad: int, *, level: float | None = None, plane: Plane = Plane.TRUST) -> SloCounted:
    levels = () if level is None else (SloLevel(name="outbox_lag", value=level),)
    counts = (SloCount(name=NAME, good=good, bad=bad), SloCount(name="of_another_release", good=1, bad=0))
    return SloCounted(plane=plane, process=process, at=datetime.now(UTC), counts=counts, levels=levels)


async def found(database: Database, name: str = NAME) -> SloStanding:
    """As a replica that has just started answers: it knows what is on record alone."""
    who = Principal(id="user:1", kind="user", tenant_id=new_id(), roles=("member",))
    reply = await ObjectivesDesk(database, lambda: datetime.now(UTC)).list(SlosRequest(principal=who))
    (one,) = (item for item in reply.items if item.name == name)
    return one


@pytest.fixture
def desk(database: Database) -> ObjectivesDesk:
    return ObjectivesDesk(database, lambda: datetime.now(UTC))


async def test_counts_add_up_over_processes_and_each_is_counted_once(database: Database, desk: ObjectivesDesk) -> None:
    assert (await found(database)).state == "unknown"
    for message in (told("a", 10, 0), told("b", 5, 1), told("a", 30, 2), told("a", 30, 2), told("a", 20, 1)):
        await desk.hear(message)
    standing = await found(database)
    assert (standing.good, standing.bad) == (35, 3), "the same again, and an older one that comes late, add nothing"
    assert standing.since is not None
    assert {window.minutes: (window.good, window.bad) for window in standing.windows}[60] == (35, 3)


async def test_a_process_that_begins_anew_counts_from_zero_and_nothing_is_lost(
    database: Database, desk: ObjectivesDesk
) -> None:
    await desk.hear(told("before", 100, 1))
    await desk.hear(told("after", 3, 0))
    assert (await found(database)).good == 103


async def test_failures_beyond_both_windows_of_an_alert_burn(database: Database, desk: ObjectivesDesk) -> None:
    await desk.hear(told("a", 900, 100))
    standing = await found(database)
    assert standing.state == "burning"
    assert standing.budget_left is not None
    assert standing.budget_left < 0


async def test_a_level_is_breached_once_it_was_too_high_for_its_minutes(
    database: Database, desk: ObjectivesDesk
) -> None:
    await desk.hear(told("a", 1, 0, level=5000))
    await desk.hear(told("b", 1, 0, level=3, plane=Plane.DATA))
    standing = await found(database, "outbox_lag")
    assert (standing.state, [one.over_since is not None for one in standing.readings]) == ("ok", [False, True])
    async with database.batch() as work:
        await work.connection.execute("update operating.slo_levels set over_since = over_since - interval '11 minutes'")
    await desk.hear(told("a", 2, 0, level=6000))
    assert (await found(database, "outbox_lag")).state == "breached", "it is as long above as it was"
    await desk.hear(told("a", 3, 0, level=1))
    assert (await found(database, "outbox_lag")).state == "ok"


async def test_what_nobody_counts_any_more_is_forgotten_and_older_than_thirty_days_does_not_count(
    database: Database, desk: ObjectivesDesk
) -> None:
    await desk.hear(told("a", 10, 0))
    async with database.batch() as work:
        await work.connection.execute("update operating.slo_sums set since = since - interval '30 days 1 hour'")
    await desk.hear(told("a", 11, 0))
    assert (await found(database)).good == 1
    async with database.batch() as work:
        await work.connection.execute("update operating.slo_sums set since = since - interval '2 days'")
        await work.connection.execute("update operating.slo_processes set at = at - interval '2 days'")
    await desk.forget()
    async with database.batch() as work:
        kept = await work.connection.fetchval("select count(*) from operating.slo_sums")
        processes = await work.connection.fetchval("select count(*) from operating.slo_processes")
    assert (kept, processes) == (1, 0)


async def test_a_process_that_lives_on_and_counts_nothing_is_not_counted_once_more(
    database: Database, desk: ObjectivesDesk
) -> None:
    await desk.hear(told("a", 10, 2))
    for hours in (23, 23):
        async with database.batch() as work:
            await work.connection.execute("update operating.slo_processes set at = at - $1 * interval '1 hour'", hours)
        await desk.hear(told("a", 10, 2))
        await desk.forget()
    await desk.hear(told("a", 10, 2))
    standing = await found(database)
    assert (standing.good, standing.bad) == (10, 2)


async def test_nobody_without_a_role_reads_them(desk: ObjectivesDesk) -> None:
    who = Principal(id="user:1", kind="user", tenant_id=new_id(), roles=())
    with pytest.raises(Forbidden):
        await desk.list(SlosRequest(principal=who))
