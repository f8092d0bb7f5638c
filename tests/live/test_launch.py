"""Launch gates on real servers, in an installation for production: read from what is there, attested by people, and held to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.business_time import RIYADH
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    patch = pytest.MonkeyPatch()
    patch.setenv("DEALIX_ENVIRONMENT", "production")
    try:
        async with served(tmp_path_factory.mktemp("launch")) as made:
            yield made
    finally:
        patch.undo()


async def gate(site: Served, key: str) -> dict[str, Any]:
    answer = await site.http.get(f"{API}/go-live/{key}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def until(days: int) -> str:
    return (datetime.now(RIYADH) + timedelta(days=days)).date().isoformat()


def word(**changes: Any) -> dict[str, Any]:
    said = {"statement": "The duty officer got the test alert by e-mail at 10:04.", "expires_on": until(30)}
    return {**said, **changes}


async def test_every_gate_is_read_and_what_nobody_knows_does_not_pass(site: Served) -> None:
    found = (await site.http.get(f"{API}/go-live")).json()
    assert (found["environment"], found["enforced"], found["next_cursor"]) == ("production", True, None)
    results = {one["gate"]: one["result"] for one in found["items"]}
    assert len(results) == 24
    for key in ("own_secrets", "plane_credentials", "row_security", "models_classified"):
        assert results[key] == "pass", key
    for key in ("restore_tested", "signing_keys_backed_up", "dpo", "rights_contact", "alert_route", "support_hours"):
        assert results[key] == "unknown", key
    assert sum(found["counts"].values()) == 24
    assert all(one["blocks"] == (one["blocking"] and one["result"] != "pass") for one in found["items"])


async def test_readiness_is_computed_and_names_what_holds_it_down(site: Served) -> None:
    found = (await site.http.get(f"{API}/launch-readiness")).json()
    assert found["ready"] is False
    assert found["earned"] + sum(one["points"] for one in found["reasons"]) == found["points"]
    assert found["score"] == 100 * found["earned"] // found["points"]
    keys = [one["key"] for one in found["reasons"] if one["kind"] == "gate"]
    matrix = (await site.http.get(f"{API}/go-live")).json()["items"]
    assert set(keys) == {one["gate"] for one in matrix if one["result"] != "pass"}


async def test_no_connector_goes_live_while_a_gate_is_open(site: Served) -> None:
    values = {"path": "/services/T00000000/B00000000/abcdefghijklmnop"}
    stored = await site.http.post(f"{API}/connectors/slack/credential", json={"values": values})
    assert stored.status_code == 200, stored.text
    asked = await site.http.post(f"{API}/connectors/slack/live", json={"reason": "pilot"})
    assert asked.status_code == 202, asked.text

    async def refused() -> bool:
        action = (await site.http.get(f"{API}/actions/{asked.json()['action_id']}")).json()
        assert action["state"] in ("accepted", "refused"), action
        return "go_live_gate_open" in {reason["code"] for reason in action["reasons"]}

    await eventually(20, refused)
    assert (await site.http.get(f"{API}/connectors/slack")).json()["mode"] == "sandbox"


async def test_a_persons_word_counts_is_kept_and_is_on_the_ledger(site: Served) -> None:
    answer = await site.http.post(f"{API}/go-live/alert_route/attest", json=word(), headers={"Idempotency-Key": "a-1"})
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert (said["result"], said["blocks"], said["attestation"]["role"]) == ("pass", False, "owner")
    again = await site.http.post(f"{API}/go-live/alert_route/attest", json=word(), headers={"Idempotency-Key": "a-1"})
    assert again.json()["attestation"] == said["attestation"]
    assert len((await gate(site, "alert_route"))["attestations"]) == 1

    async def noted() -> bool:
        entries = (await site.http.get(f"{API}/audit", params={"limit": 200})).json()["items"]
        return any(one["kind"] == "launch.gate_attested" and one["target"] == "gate:alert_route" for one in entries)

    await eventually(20, noted)
    back = await site.http.post(f"{API}/go-live/alert_route/attest", json=word(holds=False))
    assert (back.json()["result"], len(back.json()["attestations"])) == ("fail", 2)


@pytest.mark.parametrize(
    ("key", "changes", "status", "code"),
    [
        ("row_security", {}, 409, "gate_read_from_records"),
        ("no_such_gate", {}, 404, "unknown_gate"),
        ("alert_route", {"expires_on": until(91)}, 422, "attestation_term"),
        ("alert_route", {"expires_on": until(-1)}, 422, "attestation_term"),
        ("alert_route", {"statement": "ok"}, 422, None),
    ],
)
async def test_a_word_that_does_not_count_is_refused_in_both_languages(
    site: Served, key: str, changes: dict[str, Any], status: int, code: str | None
) -> None:
    path = f"{API}/go-live/{key}/attest"
    answer = await site.http.post(path, json=word(**changes))
    assert answer.status_code == status, answer.text
    if code is not None:
        assert answer.json()["code"] == code
        arabic = await site.http.post(path, json=word(**changes), headers={"Accept-Language": "ar"})
        assert any("؀" <= letter <= "ۿ" for letter in arabic.json()["detail"])


async def test_a_program_attests_nothing(site: Served) -> None:
    key = await site.http.post(f"{API}/api-keys", json={"name": "k", "scopes": ["read", "propose", "control"]})
    headers = {"Authorization": f"Bearer {key.json()['api_key']}"}
    answer = await site.http.post(f"{API}/go-live/support_hours/attest", json=word(), headers=headers)
    assert answer.status_code == 403, answer.text
    assert (await gate(site, "support_hours"))["attestations"] == []


@asynccontextmanager
async def by_hand(site: Served, statement: str, undo: str) -> AsyncIterator[None]:
    """Somebody with the administrator's login changes the database, and then puts it back."""
    admin = await asyncpg.connect(site.system.servers.admin_url)
    try:
        await admin.execute(statement)
        yield
    finally:
        await admin.execute(undo)
        await admin.close()


async def test_what_is_changed_by_hand_in_the_database_opens_its_gate(site: Served) -> None:
    table = "data.contacts"
    for what in ("disable row level security", "no force row level security"):
        undo = f"alter table {table} enable row level security, force row level security"
        async with by_hand(site, f"alter table {table} {what}", undo):
            found = await gate(site, "row_security")
            assert (found["result"], found["blocks"]) == ("fail", True)
            assert table in found["why"]["en"]
    assert (await gate(site, "row_security"))["result"] == "pass"


async def test_a_role_that_passes_row_security_opens_its_gate(site: Served) -> None:
    role = "dealix_data"
    async with by_hand(site, f"alter role {role} bypassrls", f"alter role {role} nobypassrls"):
        found = await gate(site, "plane_credentials")
        assert (found["result"], role in found["why"]["en"]) == ("fail", True)
    assert (await gate(site, "plane_credentials"))["result"] == "pass"


async def test_records_that_people_keep_close_gates(site: Served) -> None:
    contact = {"duty": "rights", "name": "Privacy office", "address": "privacy@ofoq.example", "since": "2026-01-01"}
    for values, result in ((contact, "unknown"), ({**contact, "published_at": "https://ofoq.example/privacy"}, "pass")):
        kept = await site.http.post(f"{API}/registers/duty-contacts", json={"values": values})
        assert kept.status_code in (200, 201), kept.text
        assert (await gate(site, "rights_contact"))["result"] == result
    assert (await gate(site, "breach_contact"))["result"] == "unknown"
