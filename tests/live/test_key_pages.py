"""Keys of accounts in pages: filed, found again, taken off, and one tenant's alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from services.data.importing.domain.keys import Keys
from services.data.matching.index import KeyIndex
from services.data.matching.keys import BUCKET_BITS, PAGE_KEYS, MatchKeys
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("key_pages")) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.DATA) as made:
        yield made


def found(index: KeyIndex, *keys: int) -> list[UUID]:
    return index.candidates([Keys(keys, ())])


async def test_what_is_filed_is_found_whole_or_by_its_neighbours(database: Database) -> None:
    tenant, accounts = new_id(), [new_id() for _ in range(300)]
    crowd = 7 << BUCKET_BITS
    far = [-(1 << 63), (1 << 63) - 1, -1, 0]
    filed = [(account, [crowd + at, *far[at % 4 : at % 4 + 1]]) for at, account in enumerate(accounts)]
    async with database.batch(tenant) as work:
        await MatchKeys(work).add(tenant, filed)
    async with database.batch(tenant) as work:
        whole = await MatchKeys(work).index(tenant)
        some = await MatchKeys(work).index(tenant, [crowd, far[0]])
        longest = await work.connection.fetchval("select max(cardinality(keys)) from data.key_pages")
    assert longest == PAGE_KEYS
    assert len(whole) == 600
    for index in (whole, some):
        assert found(index, crowd + 123) == [accounts[123]]
        assert found(index, far[0])[-1] == accounts[296]
    assert found(whole, far[1])[0] in accounts
    assert found(some, far[1]) == []


async def test_an_account_filed_anew_is_under_its_new_keys_alone(database: Database) -> None:
    tenant, moved, stays = new_id(), new_id(), new_id()
    async with database.batch(tenant) as work:
        await MatchKeys(work).add(tenant, [(moved, [1, 2]), (stays, [2, 3])])
    async with database.batch(tenant) as work:
        await MatchKeys(work).file(tenant, [(moved, [5, 6])])
    async with database.batch(tenant) as work:
        index = await MatchKeys(work).index(tenant)
        pages = await work.connection.fetch("select keys, accounts from data.key_pages")
    assert found(index, 1) == []
    assert found(index, 2) == [stays]
    assert found(index, 5) == found(index, 6) == [moved]
    assert all(page["keys"] and len(page["keys"]) == len(page["accounts"]) for page in pages)


async def test_a_tenants_keys_are_its_own(database: Database) -> None:
    ours, theirs, account = new_id(), new_id(), new_id()
    async with database.batch(ours) as work:
        await MatchKeys(work).add(ours, [(account, [11])])
    async with database.batch(theirs) as work:
        assert len(await MatchKeys(work).index(theirs)) == 0
        assert len(await MatchKeys(work).index(ours)) == 0
        await MatchKeys(work).file(theirs, [(account, [12])])
    async with database.batch(ours) as work:
        assert found(await MatchKeys(work).index(ours), 11) == [account]
