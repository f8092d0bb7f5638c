"""An event that a plane can't take is kept, seen by whom it concerns, and taken once when it is handed over again: on real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.dead_letters import DeadLetter, DeadLetterArrived, LetterCause
from libs.contracts.message import Plane, Reason, new_id
from libs.contracts.subjects import DEAD_LETTER_ARRIVED
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.EXECUTION, Plane.DECISION, Plane.DATA, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("dead-events"), *planes) as made:
        yield made


async def tenant(running: Served) -> UUID:
    return UUID(str((await running.http.get(f"{API}/me")).json()["tenant_id"]))


def alarm(of: UUID, code: str) -> DeadLetterArrived:
    at = datetime.now(UTC)
    letter = DeadLetter(
        dead_letter_id=new_id(), tenant_id=of, action_id=new_id(), action_type="slack_notify", connector="slack", cause=LetterCause.FAILED,
        error=Reason(code=code, en="Away.", ar="لا يستجيب."), attempts=3, arrived_at=at,
    )  # fmt: skip
    return DeadLetterArrived(tenant_id=of, letter=letter, aged=False, at=at)


async def told(running: Served, message: DeadLetterArrived) -> None:
    async with running.system.runtime(Plane.EXECUTION).database.work(message.tenant_id) as work:
        work.emit(DEAD_LETTER_ARRIVED, message)


async def dead(running: Served, **where: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        answer = await running.http.get(f"{API}/dead-events", params={"state": "open"})
        assert answer.status_code == 200, answer.text
        found[:] = [one for one in answer.json()["items"] if where.items() <= one.items()]
        return bool(found)

    await eventually(60, there)
    return found


async def cards(running: Served, code: str) -> int:
    items = (await running.http.get(f"{API}/cards/feed", params={"role": "support"})).json()["items"]
    return len([one for one in items if one["context"].get("subject") == f"slack:{code}"])


async def test_an_event_that_fails_to_its_last_delivery_is_kept_and_taken_when_it_is_handed_over_again(
    running: Served,
) -> None:
    """The plane's own table is away for as long as it takes: what every handler may meet."""
    mine = await tenant(running)
    await renamed(running, "cards", "cards_away")
    try:
        await told(running, alarm(mine, "fragile"))
        (one,) = await dead(running, subject=DEAD_LETTER_ARRIVED.subject, plane="decision")
        path = f"{API}/dead-events/{one['dead_event_id']}"
        assert (one["error"], one["attempts"], one["tenant_ids"]) == ("UndefinedTableError", 5, [str(mine)])
        shown = (await running.http.get(path)).json()
        assert shown["shown"] and shown["body"]["letter"]["error"]["code"] == "fragile"
        assert (await running.http.post(f"{path}/replay", json={})).status_code >= 500
        assert (await running.http.get(path)).json()["event"]["state"] == "open"
    finally:
        await renamed(running, "cards_away", "cards")
    assert await cards(running, "fragile") == 0
    done = await running.http.post(f"{path}/replay", json={})
    assert (done.status_code, done.json()["state"]) == (200, "replayed"), done.text
    assert await cards(running, "fragile") == 1
    again = await running.http.post(f"{path}/replay", json={})
    assert (again.status_code, again.json()["code"]) == (409, "dead_event_ended")


async def renamed(running: Served, old: str, new: str) -> None:
    connection = await asyncpg.connect(running.system.servers.admin_url)
    try:
        await connection.execute(f"alter table decision.{old} rename to {new}")
    finally:
        await connection.close()


async def test_an_event_that_nobody_can_read_is_kept_and_its_bytes_are_shown_to_no_tenant(running: Served) -> None:
    jetstream = running.system.runtime(Plane.EXECUTION).bus.client.jetstream()
    await jetstream.publish(DEAD_LETTER_ARRIVED.subject, b"\xff not json", headers={"Nats-Msg-Id": str(new_id())})
    (one,) = await dead(running, error="ValidationError", plane="decision")
    assert (one["tenant_ids"], one["attempts"], one["bytes"]) == ([], 1, 10)
    path = f"{API}/dead-events/{one['dead_event_id']}"
    shown = (await running.http.get(path)).json()
    assert (shown["shown"], shown["body"]) == (False, None)
    for verb, body, status, code in (
        ("discard", {"reason": "old"}, 403, "systems_event"),
        ("replay", {}, 409, "event_unreadable"),
    ):
        texts = set()
        for lang in ("ar", "en"):
            answer = await running.http.post(f"{path}/{verb}", json=body, headers={"Accept-Language": lang})
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
            texts.add(answer.json()["detail"])
        assert len(texts) == 2


async def test_another_tenants_event_is_not_there(running: Served) -> None:
    other = new_id()
    row = (new_id(), [other], b"{}")
    async with running.system.runtime(Plane.OPERATING).database.batch() as work:
        await work.connection.execute(
            "insert into operating.dead_events (dead_event_id, plane, subject, message_id, tenant_ids, error, attempts, trace_id, body) "
            "values ($1, 'data', 'trust.x.v1', 'm', $2, 'E', 5, '', $3)", *row,
        )  # fmt: skip
    listed = (await running.http.get(f"{API}/dead-events")).json()["items"]
    assert str(row[0]) not in {one["dead_event_id"] for one in listed}
    for path, body in (("", None), ("/replay", {}), ("/discard", {"reason": "x"})):
        url = f"{API}/dead-events/{row[0]}{path}"
        answer = await (running.http.get(url) if body is None else running.http.post(url, json=body))
        assert answer.status_code == 404, answer.text
