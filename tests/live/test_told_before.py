"""What planes of the release before this one told, or still tell while they are replaced, counts like what is told now."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from pydantic import ValidationError

from libs.contracts.message import Plane, new_id
from libs.contracts.subjects import OBSERVED, OBSERVED_BEFORE, RECORDED_BEFORE
from libs.runtime.database import Database
from libs.runtime.delivery import handle_once
from libs.runtime.migrate import migrate
from services.trust.observations.handlers import taker, taker_of_records
from tests.live.control_fixtures import Book
from tests.live.migrated import PASSWORDS, migrated_postgres, plane_database

pytestmark = pytest.mark.live
AT = "2026-11-21T06:00:00+00:00"
BOUNCE = {"kind": "bounce", "fact_id": "01930000-0000-7000-8000-000000000001", "channel": "email"}
RUN = {
    "kind": "agent_run", "fact_id": "01930000-0000-7000-8000-000000000002", "agent": "deal_desk", "provider": "local", "abroad": False,
    "personal": True, "purpose": "internal", "fits": True,
}  # fmt: skip
KEY = {
    "kind": "api_key",
    "subject": "key:1",
    "person": "user:1",
    "personal": True,
    "wildcard": True,
    "roles": ["owner"],
}
_WRITTEN = "insert into trust.control_facts (tenant_id, kind, fact_id, plane, at, document) values ($1, $2, $3, $4, now(), $5::jsonb)"


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("before")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.TRUST) as made:
        yield made


@pytest.fixture
def book(database: Database, admin_url: str) -> Book:
    return Book(database, url=admin_url)


async def kept(book: Book) -> dict[tuple[str, str, str], Any]:
    """By plane, kind and subject."""
    async with book.database.batch(book.tenant) as work:
        rows = await work.connection.fetch(
            "select plane, kind, subject, document::text as said from trust.observations"
        )
    return {(row["plane"], row["kind"], row["subject"]): json.loads(row["said"]) for row in rows}


async def deliver_record(book: Book, plane: Plane, *items: dict[str, Any]) -> None:
    body = json.dumps({"tenant_id": str(book.tenant), "items": items, "at": AT}).encode()
    await handle_once(book.database, RECORDED_BEFORE[plane], taker_of_records(plane), str(new_id()), body)


async def test_what_data_and_decision_recorded_is_kept_under_its_id(book: Book) -> None:
    await deliver_record(book, Plane.DATA, BOUNCE)
    await deliver_record(book, Plane.DECISION, RUN)
    assert await kept(book) == {
        ("data", "bounce", BOUNCE["fact_id"]): {"channel": "email"},
        ("decision", "agent_run", RUN["fact_id"]): {
            name: value for name, value in RUN.items() if name not in ("kind", "fact_id")
        },
    }


async def test_a_plane_tells_nothing_that_is_another_planes_in_either_form(book: Book) -> None:
    with pytest.raises(ValidationError):
        await deliver_record(book, Plane.DATA, RUN)
    body = json.dumps({"tenant_id": str(book.tenant), "at": AT, "facts": [KEY], "whole": []}).encode()
    for event in (OBSERVED[Plane.DECISION], OBSERVED_BEFORE[Plane.DECISION]):
        with pytest.raises(ValidationError):
            await handle_once(book.database, event, taker(Plane.DECISION), str(new_id()), body)
    assert await kept(book) == {}


async def test_a_report_in_the_form_before_is_kept_as_one_of_today(book: Book) -> None:
    body = json.dumps({"tenant_id": str(book.tenant), "at": AT, "facts": [KEY], "whole": ["api_key"]}).encode()
    await handle_once(book.database, OBSERVED_BEFORE[Plane.GATEWAY], taker(Plane.GATEWAY), str(new_id()), body)
    assert list(await kept(book)) == [("gateway", "api_key", "key:1")]


async def test_what_a_trust_of_the_release_before_writes_is_carried_over(book: Book) -> None:
    row = (book.tenant, "bounce", BOUNCE["fact_id"], "data", json.dumps(BOUNCE))
    async with book.database.batch(book.tenant) as work:
        await work.connection.execute(_WRITTEN, *row)
    assert await kept(book) == {("data", "bounce", BOUNCE["fact_id"]): {"channel": "email"}}


async def test_an_upgrade_brings_over_what_was_recorded(book: Book, admin_url: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute("drop trigger carry on trust.control_facts; drop function trust.carry_control_fact()")
        await connection.execute(_WRITTEN, book.tenant, "agent_run", RUN["fact_id"], "decision", json.dumps(RUN))
        await connection.execute(
            "delete from trust.observations where tenant_id = any(select tenant_id from trust.control_facts)"
        )
        await connection.execute("update trust.alembic_version set version_num = 'trust_0020_own_people'")
    finally:
        await connection.close()
    await migrate(admin_url, PASSWORDS)
    assert list(await kept(book)) == [("decision", "agent_run", RUN["fact_id"])]
