"""What planes tell of themselves, on a real PostgreSQL: the newest word stands, what is over goes, and a log that was changed is found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.inbound import ReplyReceived
from libs.contracts.message import PLATFORM, Plane, new_id
from libs.contracts.observed import FactsReported, KeySeen, NumberSeen, TemplateSeen
from libs.contracts.subjects import REPLY_RECEIVED
from libs.runtime.database import Database
from libs.runtime.delivery import handle_once
from libs.runtime.links import Links
from services.trust.compliance.checks import statement
from services.trust.compliance.store import ControlRows
from services.trust.ledger.verifying import LogWatch
from services.trust.observations.handlers import replied as hear_reply
from tests.live.control_fixtures import NOON, Book, carry
from tests.live.control_fixtures_security import ORIGIN, at, day, watched, whatsapp
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = pytest.mark.live
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("observations")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.TRUST) as made:
        yield made


@pytest.fixture
def book(database: Database, admin_url: str) -> Book:
    return Book(database, url=admin_url)


def key(name: str, *, wildcard: bool = False) -> KeySeen:
    return KeySeen(subject=f"key:{name}", person="user:1", personal=True, wildcard=wildcard, roles=("owner",))


def template(status: str) -> TemplateSeen:
    return TemplateSeen(subject="hello/ar", name="hello", language="ar", status=status)


async def kept(book: Book, kind: str) -> dict[str, Any]:
    async with book.database.batch(book.tenant) as work:
        rows = await work.connection.fetch(
            "select subject, document::text as said from trust.observations where kind = $1 order by subject", kind
        )
    return {row["subject"]: row["said"] for row in rows}


async def judged(book: Book, control: str) -> tuple[int, int, int]:
    """Rows, failing, unclear."""
    async with book.database.batch(book.tenant, PLATFORM) as work:
        row = await ControlRows(work.connection, book.tenant).count(statement(control), ([], [], False))
    return row["rows"], row["failing"], row["unclear"]


def report(book: Book, *facts: Any, ago: float = 0, whole: tuple[str, ...] = ()) -> FactsReported:
    return FactsReported(tenant_id=book.tenant, at=NOW - timedelta(minutes=ago), facts=facts, whole=whole)


async def test_an_older_word_never_undoes_a_newer_one(book: Book) -> None:
    await carry(book, Plane.GATEWAY, report(book, template("PAUSED"), ago=1))
    await carry(book, Plane.GATEWAY, report(book, template("APPROVED"), ago=5))
    assert '"PAUSED"' in (await kept(book, "wa_template"))["hello/ar"]


async def test_what_a_whole_report_leaves_out_is_over_and_nothing_else(book: Book) -> None:
    await carry(book, Plane.GATEWAY, report(book, key("a"), key("b"), template("APPROVED"), ago=9))
    await carry(book, Plane.GATEWAY, report(book, key("b", wildcard=True), key("c"), ago=1))
    await carry(book, Plane.GATEWAY, report(book, whole=("api_key",), ago=1))
    assert set(await kept(book, "api_key")) == {"key:b", "key:c"}
    assert set(await kept(book, "wa_template")) == {"hello/ar"}


async def test_one_plane_ends_nothing_of_another_and_one_tenant_nothing_of_another(book: Book) -> None:
    other = Book(book.database, url=book.url)
    await carry(book, Plane.GATEWAY, report(book, key("a"), ago=9))
    await carry(book, Plane.EXECUTION, report(book, whole=("api_key",)))
    await carry(other, Plane.GATEWAY, report(other, whole=("api_key",)))
    assert set(await kept(book, "api_key")) == {"key:a"}
    assert await kept(other, "api_key") == {}


async def test_the_vendors_own_word_on_a_template_counts_from_when_it_came(book: Book) -> None:
    await whatsapp()(book)
    assert await judged(book, "META-WA-1") == (1, 0, 1), "nothing is known of the template"
    await carry(book, Plane.GATEWAY, report(book, template("APPROVED"), ago=9))
    assert await judged(book, "META-WA-1") == (1, 0, 0)
    await book.entry(
        "whatsapp-templates", {"name": "hello", "language": "ar", "status": "DISABLED", "checked_at": at(days=9)}
    )
    assert await judged(book, "META-WA-1") == (1, 0, 0), "an older entry on the register changes nothing"
    await carry(book, Plane.GATEWAY, report(book, template("PAUSED"), ago=1))
    assert await judged(book, "META-WA-1") == (1, 1, 0)
    assert (await judged(book, "META-WA-2"))[1] == 1, "what left after the pause"


async def test_a_numbers_limit_and_quality_come_from_the_vendor_and_hold_together(book: Book) -> None:
    await whatsapp()(book)
    limit = NumberSeen(subject="77/limit", number="77", limit_per_day=250)
    good = NumberSeen(subject="77/quality", number="77", quality="GREEN")
    await carry(book, Plane.GATEWAY, report(book, limit, ago=60 * 24 * 9))
    assert await judged(book, "META-WA-2") == (1, 0, 1), "a limit without a rating of today says nothing"
    await carry(book, Plane.EXECUTION, report(book, good, ago=60 * 30))
    assert await judged(book, "META-WA-2") == (1, 0, 1), "nor does a rating of yesterday"
    await carry(book, Plane.EXECUTION, report(book, good, ago=1))
    assert await judged(book, "META-WA-2") == (1, 0, 0)
    await carry(book, Plane.GATEWAY, report(book, limit.evolve(limit_per_day=0)))
    assert await judged(book, "META-WA-2") == (1, 1, 0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            "update trust.ledger_entries set body = convert_to('{}', 'UTF8') where tenant_id = $1",
            "is not the one that was recorded",
        ),
        ("update trust.ledger_heads set root = sha256('x') where log_id = $1", "another root than the head"),
        ("update trust.ledger_heads set size = size + 1 where log_id = $1", "is missing"),
    ],
)
async def test_a_log_that_was_changed_behind_our_back_is_found(book: Book, change: str, problem: str) -> None:
    await watched(verified=False)(book)
    watch = LogWatch(book.database, ORIGIN)
    assert (await watch.verify(book.tenant)).problem == ""
    connection = await asyncpg.connect(book.url)
    await connection.execute(change, book.tenant)
    await connection.close()
    assert problem in (await watch.verify(book.tenant)).problem
    assert (await judged(book, "NCA-ECC-2-12-3-2"))[1] == 1


async def test_a_checkpoint_of_another_log_or_key_is_found(book: Book) -> None:
    await watched(verified=False)(book)
    assert (
        "not signed by a key of ours" in (await LogWatch(book.database, "another.example").verify(book.tenant)).problem
    )


async def test_a_log_is_read_whole_once_a_day_and_no_oftener(book: Book) -> None:
    await watched()(book)
    async with book.database.batch(book.tenant) as work:
        first = await work.connection.fetchval("select at from trust.observations where kind = 'log_verified'")
    await LogWatch(book.database, ORIGIN).look(book.tenant)
    async with book.database.batch(book.tenant) as work:
        assert await work.connection.fetchval("select at from trust.observations where kind = 'log_verified'") == first
        await work.connection.execute(
            "update trust.observations set at = at - interval '21 hours' where kind = 'log_verified'"
        )
    await LogWatch(book.database, ORIGIN).look(book.tenant)
    async with book.database.batch(book.tenant) as work:
        assert await work.connection.fetchval("select at from trust.observations where kind = 'log_verified'") > first


async def test_days_without_the_log_at_work_are_a_gap(book: Book) -> None:
    await watched()(book)
    await book.entry("retention", {"category": "audit_log", "basis": "law", "keep_days": 400})
    async with book.database.batch(book.tenant) as work:
        for ago in (3, 4):
            said = f'{{"first_at": "{at(days=ago)}", "last_at": "{at(days=ago)}", "size": 1}}'
            await work.connection.execute(
                "insert into trust.observations values ($1, 'trust', 'log_day', $2, now(), $3::jsonb)",
                book.tenant,
                day(ago),
                said,
            )
    assert (await judged(book, "NCA-ECC-2-12-3-5"))[1] == 1, "between three days ago and today nobody saw it at work"


async def test_a_planes_own_connections_say_what_they_are(database: Database) -> None:
    class Settings:
        nats_url, nats_ca = "nats://127.0.0.1:4222", None

    class Own:
        plane, settings = Plane.TRUST, Settings()

    async with database.batch(PLATFORM) as work:
        told = await Links(Own()).read(work)  # type: ignore[arg-type]  # what of the runtime is read
    assert {one.subject for one in told.facts} == {"trust/database", "trust/bus"}
    assert all(one.local and not one.encrypted for one in told.facts if one.kind == "link")
    Settings.nats_url = "nats://10.0.0.9:4222"
    async with database.batch(PLATFORM) as work:
        (bus,) = [one for one in (await Links(Own()).read(work)).facts if one.subject == "trust/bus"]  # type: ignore[arg-type]  # as above
    assert bus.kind == "link" and not bus.local and not bus.encrypted


async def test_free_text_on_whatsapp_needs_what_the_person_wrote_in_the_day_before(book: Book) -> None:
    contact = await book.contact()
    await book.consents(contact, channel="whatsapp")
    await book.sent(contact, effect="send_whatsapp", carried={"template": "", "language": "", "number": "77"})
    assert await judged(book, "META-WA-1") == (1, 0, 1), "whether anybody writes to us at all is not known"
    await replied(book, new_id(), NOON)
    assert await judged(book, "META-WA-1") == (1, 1, 0), "somebody else wrote, not this person"
    await replied(book, contact, NOON - timedelta(hours=25))
    await replied(book, contact, NOON + timedelta(hours=1))
    assert await judged(book, "META-WA-1") == (1, 1, 0), "too early, and too late"
    await replied(book, contact, NOON - timedelta(hours=23))
    assert await judged(book, "META-WA-1") == (1, 0, 0)


async def replied(book: Book, contact: UUID, when: datetime) -> None:
    event = ReplyReceived(tenant_id=book.tenant, contact_id=contact, channel="whatsapp", activity_id=new_id(), at=when)
    await handle_once(book.database, REPLY_RECEIVED, hear_reply, str(new_id()), event.model_dump_json().encode())
