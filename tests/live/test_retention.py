"""Contacts past their term: a request that a person decides on, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.contracts.rights import (
    CloseRights,
    EraseRights,
    RegisterDelete,
    RegisterPut,
    RightsKind,
    RightsList,
    RightsRequest,
    RightsState,
)
from libs.runtime.database import Database
from services.trust.errors import EntryKept
from services.trust.rights.expiring import SYSTEM, Expiry
from services.trust.rights.registers import Registers
from tests.live.control_fixtures import ACTIVITY, Book
from tests.live.control_fixtures_privacy import desk
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = pytest.mark.live
LONG_AGO = (datetime.now(UTC) - timedelta(days=900)).date()
LATELY = (datetime.now(UTC) - timedelta(days=9)).date()


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("retention")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.TRUST) as made:
        yield made


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


async def look(book: Book) -> int:
    async def tenants() -> list[UUID]:
        return [book.tenant]

    return await Expiry(book.database, tenants).look(book.tenant)


async def requests(book: Book) -> list[RightsRequest]:
    return list((await desk(book).list(RightsList(principal=book.who()))).items)


async def rule(book: Book, **changes: Any) -> None:
    await book.entry("retention", {"category": "contact", "basis": "policy", "keep_days": 365, **changes})


async def test_a_contact_past_its_term_gets_one_request_with_a_clock(book: Book) -> None:
    old = await book.contact(obtained_at=LONG_AGO)
    await book.contact(obtained_at=LATELY)
    await book.contact(obtained_at=None)
    await rule(book)
    assert [await look(book), await look(book)] == [1, 0]
    (asked,) = await requests(book)
    assert (asked.contact_id, asked.kind, asked.state) == (old, RightsKind.ERASURE, RightsState.IDENTIFIED)
    assert (asked.identified_by, asked.due_at - asked.received_at) == (SYSTEM, timedelta(days=30))
    async with book.database.batch(book.tenant) as work:
        kinds = await work.connection.fetch("select kind from trust.ledger_entries where actor = $1 order by 1", SYSTEM)
    assert [row["kind"] for row in kinds] == ["rights.identified", "rights.received"]


async def test_nothing_is_asked_without_a_rule_or_under_a_legal_hold(book: Book) -> None:
    await book.contact(obtained_at=LONG_AGO)
    assert await look(book) == 0
    await rule(book, legal_hold=True)
    assert (await look(book), await requests(book)) == (0, [])


async def test_a_person_erases_and_the_machine_alone_never_does(book: Book) -> None:
    await book.contact(obtained_at=LONG_AGO)
    await rule(book)
    await look(book)
    (asked,) = await requests(book)
    async with book.database.batch(book.tenant) as work:
        ordered = "select count(*) from trust.outbox where subject = 'trust.erasure_ordered.v1' and body::text like $1"
        assert await work.connection.fetchval(ordered, f"%{asked.request_id}%") == 0
    begun = await desk(book).erase(EraseRights(principal=book.who(), request_id=asked.request_id))
    assert begun.state is RightsState.WORKING
    assert await look(book) == 0


async def test_whom_a_person_decided_to_keep_is_not_asked_about_again(book: Book) -> None:
    await book.contact(obtained_at=LONG_AGO)
    await rule(book)
    await look(book)
    (asked,) = await requests(book)
    await desk(book).close(
        CloseRights(principal=book.who(), request_id=asked.request_id, refused=True, note="a contract still runs")
    )
    assert await look(book) == 0


async def test_another_tenants_contacts_are_not_asked_about(book: Book, database: Database) -> None:
    other = Book(database)
    await other.contact(obtained_at=LONG_AGO)
    await rule(book)
    assert (await look(book), await requests(other)) == (0, [])


async def test_the_record_of_an_activity_is_not_taken_off_before_its_time(book: Book) -> None:
    kind, entry_id = "processing-activities", new_id()
    kept = Registers(book.database)
    put = RegisterPut(principal=book.who(), kind=kind, entry_id=entry_id, values=ACTIVITY, expected_version=0)
    await kept.put(put)
    async with book.database.batch(book.tenant) as work:
        age = "update trust.registers set created_at = created_at - interval '2 days' where entry_id = $1"
        await work.connection.execute(age, entry_id)
    off = RegisterDelete(principal=book.who(), kind=kind, entry_id=entry_id, expected_version=1)
    with pytest.raises(EntryKept) as refused:
        await kept.delete(off)
    assert (refused.value.code, bool(refused.value.ar)) == ("entry_kept", True)
    await kept.put(put.evolve(values={**ACTIVITY, "ended_on": "2020-01-01"}, expected_version=1))
    await kept.delete(off.evolve(expected_version=2))
