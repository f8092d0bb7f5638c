"""Claims and contradictions on a real PostgreSQL: the store's promises, two writers at once, erasure; and over HTTP and the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.claims import ContradictionsRequest
from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from services.trust.contradictions.handlers import Contradicting
from services.trust.rights import erasing
from services.trust.store import SqlStore
from tests.live.migrated import migrated_postgres, plane_database
from tests.live.served import Served, served
from tests.unit.trust.contradiction_promises import ContradictionPromises, say, who

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("contradictions")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.TRUST) as made:
        yield made


class TestSqlContradictions(ContradictionPromises):
    @pytest.fixture
    def store(self, database: Database) -> SqlStore:
        return SqlStore(database)


async def test_of_two_claims_written_at_once_the_second_one_sees_the_first(database: Database) -> None:
    tenant, store = new_id(), SqlStore(database)
    replies = await asyncio.gather(say(store, tenant, "1200"), say(store, tenant, "900", by=2))
    assert sum(len(reply.contradictions) for reply in replies) == 1


async def test_erasing_a_person_erases_what_is_claimed_of_them(database: Database) -> None:
    tenant, contact, store = new_id(), new_id(), SqlStore(database)
    for subject in (f"contact:{contact}", "deal:1"):
        for number, owner in enumerate(("user:1", "user:2")):
            await say(store, tenant, owner, subject=subject, by=number, key="owner")
    async with database.batch(tenant) as work:
        held = await erasing.held(work.connection, tenant, contact)
        assert {claim["value"] for claim in held["claims"]} == {"user:1", "user:2"}
        counts = await erasing.erase(work.connection, tenant, contact)
        assert (counts["claims"], counts["contradictions"]) == (2, 1)
        left = await work.connection.fetch("select distinct subject from trust.claims")
    assert [row["subject"] for row in left] == ["deal:1"]
    page = await Contradicting(store).page(ContradictionsRequest(principal=who(tenant)))
    assert [one.subject for one in page.items] == ["deal:1"]


# -- the whole way ------------------------------------------------------------------------------------------------------------------

DIRECTORY: list[Path] = []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    directory = tmp_path_factory.mktemp("contradictions_http")
    async with served(directory) as made:
        DIRECTORY.append(directory)
        yield made


async def _dealix(running: Served, *words: str) -> tuple[int, str]:
    key = json.loads(await asyncio.to_thread((DIRECTORY[0] / "secrets" / "cli.json").read_text))["api_key"]
    environment = {**os.environ, "DEALIX_BASE_URL": str(running.http.base_url), "DEALIX_API_KEY": key}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dev.cli", "contradictions", *words, "--data-dir", str(DIRECTORY[0]), env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 90)
    return process.returncode or 0, out.decode()


@pytest.mark.asyncio(loop_scope="module")
async def test_two_prices_raise_what_is_about_the_product_until_somebody_decides(running: Served) -> None:
    first = {"subject": "product:crm", "key": "price", "value": 1200, "unit": "SAR", "source": "price-list"}
    recorded = await running.http.post("/api/v1/claims", json=first)
    assert (recorded.status_code, recorded.json()["contradictions"]) == (201, []), recorded.text
    code, said = await _dealix(running, "claim", "product:crm", "price", "900", "--source", "old offer", "--lang", "en")
    assert code == 0 and "contradictions opened: 1" in said, said
    (found,) = (await running.http.get("/api/v1/contradictions?state=open")).json()["items"]
    code, said = await _dealix(running, "show", found["contradiction_id"], "--lang", "ar")
    assert code == 0 and "price-list" in said and "old offer" in said, said
    asked = {
        "action_type": "plan", "resource": {"type": "product", "id": "crm"}, "payload": {"action_class": "A"}, "reason": "nothing to see",
    }  # fmt: skip
    waiting = await _submit(running, asked)
    assert (waiting["state"], waiting["action_class"]) == ("awaiting_approval", "B"), waiting
    shown = (await running.http.get(f"/api/v1/approvals/{waiting['approval_id']}")).json()["view"]["contradictions"]
    assert [one["contradiction_id"] for one in shown] == [found["contradiction_id"]]
    standing = next(c["claim_id"] for c in found["claims"] if c["value"] == "1200")
    path = f"/api/v1/contradictions/{found['contradiction_id']}"
    assert (await running.http.post(f"{path}/resolve", json={"reason": "short"})).status_code == 422
    done = await running.http.post(
        f"{path}/resolve", json={"standing_claim_id": standing, "reason": "The list is newer."}
    )
    assert (done.status_code, done.json()["state"]) == (200, "resolved"), done.text
    assert (await _submit(running, asked))["state"] == "succeeded"
    kinds = [e["kind"] for e in (await running.http.get("/api/v1/audit?target=product:crm")).json()["items"]]
    assert kinds == ["contradiction.resolved", "claim.recorded", "contradiction.opened", "claim.recorded"]


async def _submit(running: Served, asked: dict[str, Any]) -> dict[str, Any]:
    answer = await running.http.post("/api/v1/actions", json=asked, headers={"Prefer": "wait=5"})
    assert answer.status_code in (200, 202), answer.text
    found: dict[str, Any] = (await running.http.get(f"/api/v1/actions/{answer.json()['action_id']}")).json()
    return found


@pytest.mark.asyncio(loop_scope="module")
async def test_a_bad_claim_is_said_in_the_readers_language(running: Served) -> None:
    bad = {"subject": "product:crm", "key": "price", "value": "cheap", "source": "x"}
    refused = await running.http.post("/api/v1/claims", json=bad, headers={"Accept-Language": "ar"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_claim")
    assert "السعر" in refused.json()["detail"]
    code, said = await _dealix(running, "claim", "product:crm", "price", "cheap", "--source", "x", "--lang", "en")
    assert code != 0 and "not of the right form" in said
