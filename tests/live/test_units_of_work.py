"""Who is woken by a unit of work finds what it wrote; one that fails wakes nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text

from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = pytest.mark.live

NOTE = "insert into inbox (consumer, message_id) values ('units', '{}')"


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("units")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.DECISION) as made:
        yield made


class Woken:
    """Counts how often it was woken."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


async def _written(database: Database, id_: UUID) -> bool:
    async with database.batch() as work:
        return bool(await work.connection.fetchval("select 1 from inbox where message_id = $1", str(id_)))


async def test_it_is_woken_once_the_transaction_has_committed(database: Database) -> None:
    woken, one, other = Woken(), new_id(), new_id()
    async with database.work() as work:
        await work.session.execute(text(NOTE.format(one)))
        (await work.batch()).then(woken)  # of the same transaction
        assert (woken.times, await _written(database, one)) == (0, False)
    assert (woken.times, await _written(database, one)) == (1, True)
    async with database.batch() as bare:
        await bare.connection.execute(NOTE.format(other))
        bare.then(woken)
        assert (woken.times, await _written(database, other)) == (1, False)
    assert (woken.times, await _written(database, other)) == (2, True)


async def test_a_transaction_that_fails_wakes_nobody(database: Database) -> None:
    woken, one = Woken(), new_id()
    with pytest.raises(ZeroDivisionError):
        async with database.work() as work:
            await work.session.execute(text(NOTE.format(one)))
            work.then(woken)
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        async with database.batch() as bare:
            await bare.connection.execute(NOTE.format(one))
            bare.then(woken)
            raise ZeroDivisionError
    assert (woken.times, await _written(database, one)) == (0, False)
