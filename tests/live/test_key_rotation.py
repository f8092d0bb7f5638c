"""Keys rotate while the system runs: actions go on, old packs verify, and the platform's log has the change."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from libs.contracts.grant import RootCache, read_grant
from libs.contracts.message import PLATFORM, Plane, new_id
from libs.runtime.database import Database
from services.trust.domain.keys import KeysUnusable, LiveKeys, TrustKeys, issue
from services.trust.keys.rotation import KeyBook
from services.trust.ledger.domain.records import EntryFilter
from services.trust.ledger.store import SqlLedgerStore
from tests.flows.world import keys_from
from tests.live.migrated import migrated_postgres, plane_database
from tests.unit.trust.pack_sample import claims

pytestmark = [pytest.mark.live, pytest.mark.asyncio]


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("keys")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.TRUST) as made:
        yield made


def fresh(identifier: TrustKeys | None = None) -> TrustKeys:
    made = keys_from(str(new_id()))
    return replace(made, identifier=identifier.identifier) if identifier else made


def text(keys: TrustKeys, *compromised: str) -> str:
    pairs = {
        use: {"kid": getattr(keys, use).kid, "seed": base64.b64encode(bytes(getattr(keys, use).key)).decode()}
        for use in ("grant", "checkpoint", "statement")
    }
    document = {**pairs, "identifier": base64.b64encode(keys.identifier).decode()}
    return json.dumps({**document, "compromised": {"kids": " ".join(compromised)}})


async def states(book: KeyBook) -> dict[str, str]:
    return {jwk["kid"]: jwk["dealix_state"] for jwk in await book.jwks()}


async def kinds(database: Database, kid: str) -> list[str]:
    async with database.batch(PLATFORM) as work:
        found = await SqlLedgerStore(work.connection).entries(EntryFilter(PLATFORM, target=f"key:{kid}"), 10)
    return [entry.kind for entry in found]


async def test_a_rotation_publishes_before_it_signs_and_keeps_the_old_key(database: Database) -> None:
    old = fresh()
    live = LiveKeys(old)
    book = KeyBook(database, live)
    await book.record(old)
    before = issue([claims()], live.grant)[0]
    new = fresh(old)
    assert await book.adopt(text(new))
    assert live.grant.kid == new.grant.kid
    after = issue([claims()], live.grant)[0]
    published = {jwk["kid"]: base64.urlsafe_b64decode(jwk["x"] + "==") for jwk in await book.jwks()}
    for grant in (before, after):
        assert read_grant(grant, RootCache(published)).grant_id == claims().grant_id
    assert (await states(book))[old.grant.kid] == "retired"
    assert (await states(book))[new.grant.kid] == "current"
    assert "key.rotated" in await kinds(database, new.grant.kid)
    assert not await book.adopt(text(new))


async def test_a_long_lived_signer_signs_with_the_new_key(database: Database) -> None:
    old = fresh()
    live = LiveKeys(old)
    signer = live.signer("checkpoint")
    book = KeyBook(database, live)
    await book.record(old)
    new = fresh(old)
    await book.adopt(text(new))
    assert (signer.kid, signer.public_key) == (new.checkpoint.kid, new.checkpoint.public_key)
    new.checkpoint.key.verify_key.verify(b"x", signer.sign(b"x"))


async def test_a_compromised_key_is_published_as_such(database: Database) -> None:
    old = fresh()
    book = KeyBook(database, LiveKeys(old))
    await book.record(old)
    await book.adopt(text(fresh(old), old.grant.kid))
    assert (await states(book))[old.grant.kid] == "compromised"
    assert "key.compromised" in await kinds(database, old.grant.kid)


@pytest.mark.parametrize("wrong", ["not json", "{}", "another identifier"])
async def test_an_unusable_set_changes_nothing(database: Database, wrong: str) -> None:
    old = fresh()
    live = LiveKeys(old)
    book = KeyBook(database, live)
    await book.record(old)
    with pytest.raises(KeysUnusable):
        await book.adopt(text(fresh()) if wrong == "another identifier" else wrong)
    assert live.current == old
