"""Who contests their data is known to every decision about them, from the day they showed who they are until the answer."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.contracts.rights import CloseRights, IdentifyRights, OpenRights, RightsKind
from libs.runtime.database import Database
from services.trust.store import SqlStore
from tests.live.control_fixtures import Book
from tests.live.control_fixtures_privacy import desk
from tests.live.migrated import migrated_postgres, plane_database
from tests.unit.trust.store_promises import prepared

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("contested")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.TRUST) as made:
        yield made


async def contested(book: Book, contact: UUID) -> bool:
    base = prepared(book.tenant)
    asked = base.evaluation.evolve(resource=base.evaluation.resource.evolve(id=str(contact)))
    async with SqlStore(book.database).unit(book.tenant) as unit:
        (known,) = await unit.known([dataclasses.replace(base, evaluation=asked)], [""])
    return known.record.contested


@pytest.mark.parametrize("refused", [False, True])
async def test_a_correction_that_is_open_holds_every_message_to_that_person_alone(
    database: Database, refused: bool
) -> None:
    book = Book(database)
    who, contact, other = book.who(), await book.contact(), await book.contact()
    opened = await desk(book).open(
        OpenRights(principal=who, request_id=new_id(), kind=RightsKind.CORRECTION, contact_id=contact, identifier="a@b.example")
    )  # fmt: skip
    assert not await contested(book, contact)
    await desk(book).identify(
        IdentifyRights(principal=who, request_id=opened.request_id, method="code", evidence="log 4")
    )
    assert (await contested(book, contact), await contested(book, other)) == (True, False)
    await desk(book).close(CloseRights(principal=who, request_id=opened.request_id, refused=refused, note="settled"))
    assert not await contested(book, contact)


async def test_an_access_request_holds_nothing(database: Database) -> None:
    book = Book(database)
    who, contact = book.who(), await book.contact()
    opened = await desk(book).open(
        OpenRights(principal=who, request_id=new_id(), kind=RightsKind.ACCESS, contact_id=contact, identifier="a@b.example")
    )  # fmt: skip
    await desk(book).identify(
        IdentifyRights(principal=who, request_id=opened.request_id, method="code", evidence="log 4")
    )
    assert not await contested(book, contact)
