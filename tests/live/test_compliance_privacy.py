"""The other ways in which controls of privacy turn out: expired evidence, wrong country, a message that came back, a report of bias."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.catalogue.controls import controls
from libs.contracts.compliance import ControlResult
from libs.contracts.message import Plane
from libs.runtime.database import Database
from services.trust.compliance.sweep import Sweep
from tests.live.control_fixtures import Book, Write
from tests.live.control_fixtures_privacy import MORE
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("privacy")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.TRUST) as made:
        yield made


async def sandbox(_: UUID) -> bool:
    return False


@pytest.mark.parametrize(
    ("control", "write", "result"),
    [pytest.param(*case, id=f"{case[0]}-{case[2].value}-{at}") for at, case in enumerate(MORE)],
)
async def test_a_control_says_what_the_rows_say(
    database: Database, control: str, write: Write, result: ControlResult
) -> None:
    book = Book(database)
    await write(book)
    found = await Sweep(database, sandbox).look(book.tenant, controls()[control], "user:1")
    assert found.result is result, found.why
    assert (found.failing > 0) == (result is ControlResult.FAIL) and len(found.sample) == found.failing
