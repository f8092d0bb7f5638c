"""`Idempotency-Key`: one effect however often a request comes, and nothing at all when that cannot be kept (weakness 10)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from libs.contracts.errors import Busy
from libs.contracts.execution import ActionState, SubmitReply, SubmitResult
from libs.contracts.subjects import SUBMIT
from libs.runtime.testing import Disturbance
from tests.unit.gateway.fake_site import PASSWORD, Site, problem, profile

BODY = {"action_type": "summarize", "resource": {"type": "lead", "id": "1"}, "payload": {"a": 1}}


def accept(request: Any) -> SubmitReply:
    return SubmitReply(
        results=tuple(SubmitResult(action_id=i.action_id, state=ActionState.ACCEPTED) for i in request.items)
    )


async def submit(site: Site, who: dict[str, str], key: str | None, body: Any = BODY) -> httpx.Response:
    headers = {**who, **({"Idempotency-Key": key} if key is not None else {})}
    return await site.client.post("/api/v1/actions", json=body, headers=headers)


async def test_the_same_key_and_body_give_the_first_answer_and_one_effect(site: Site) -> None:
    site.planes.answer(SUBMIT, accept)
    owner = await site.bearer("owner")
    first = await submit(site, owner, "k")
    again = await submit(site, owner, "k")
    assert first.status_code == again.status_code == 202
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    assert len(site.planes.requests(SUBMIT)) == 1


async def test_without_a_key_each_request_is_one_of_its_own(site: Site) -> None:
    site.planes.answer(SUBMIT, accept)
    owner = await site.bearer("owner")
    ids = {(await submit(site, owner, None)).json()["action_id"] for _ in range(3)}
    assert len(ids) == 3


async def test_the_same_key_with_another_body_is_refused(site: Site) -> None:
    site.planes.answer(SUBMIT, accept)
    owner = await site.bearer("owner")
    await submit(site, owner, "k")
    problem(await submit(site, owner, "k", {**BODY, "payload": {"a": 2}}), 422, "idempotency_mismatch")
    assert len(site.planes.requests(SUBMIT)) == 1


async def test_a_request_in_work_holds_its_key(site: Site) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Any) -> SubmitReply:
        started.set()
        await go_on.wait()
        return accept(request)

    bus = next(b for b in site.planes.hub.buses if SUBMIT.subject in b.call_handlers)
    bus.call_handlers[SUBMIT.subject] = (SUBMIT, slow)
    owner = await site.bearer("owner")
    first = asyncio.create_task(submit(site, owner, "k"))
    await started.wait()
    waiting = await submit(site, owner, "k")
    problem(waiting, 409, "idempotency_in_progress")
    assert int(waiting.headers["retry-after"]) >= 1
    go_on.set()
    assert (await first).status_code == 202


@pytest.mark.parametrize("other", ["tenant", "principal", "route"])
async def test_a_key_belongs_to_a_tenant_a_principal_and_a_route(site: Site, other: str) -> None:
    site.planes.answer(SUBMIT, accept)
    owner = await site.bearer("owner")
    first = (await submit(site, owner, "k")).json()["action_id"]
    if other == "route":
        response = await site.client.post("/api/v1/targeting/rank", json={}, headers={**owner, "Idempotency-Key": "k"})
        problem(response, 404, "not_found")  # the fake plane's answer, not a replay
        return
    who = await site.bearer("owner", tenant=profile("theirs") if other == "tenant" else site.tenant)
    response = await submit(site, who, "k", {**BODY, "payload": {"a": 9}})
    assert response.status_code == 202
    assert response.json()["action_id"] != first
    keys = [item.idempotency_key for request in site.planes.requests(SUBMIT) for item in request.items]
    assert len(set(keys)) == 2


async def test_a_repetition_after_a_lost_reply_is_the_same_action(site: Site) -> None:
    site.planes.answer(SUBMIT, accept)
    site.planes.hub.disturb(SUBMIT, Disturbance.REPLY_LOST, times=1)
    owner = await site.bearer("owner")
    problem(await submit(site, owner, "k"), 503, "timeout")
    assert (await submit(site, owner, "k")).status_code == 202
    first, second = (request.items[0] for request in site.planes.requests(SUBMIT))
    assert first.action_id == second.action_id
    assert first.idempotency_key == second.idempotency_key


async def test_items_of_a_repeated_batch_are_the_same_actions_and_differ_from_each_other(site: Site) -> None:
    site.planes.answer(SUBMIT, accept)
    site.planes.hub.disturb(SUBMIT, Disturbance.REPLY_LOST, times=1)
    owner = await site.bearer("owner")
    for _ in range(2):
        await submit(site, owner, "k", {"items": [BODY, BODY, BODY]})
    first, second = ([i.action_id for i in request.items] for request in site.planes.requests(SUBMIT))
    assert first == second
    assert len(set(first)) == 3
    assert {i.version for i in first} == {7}


async def test_passing_troubles_are_not_kept(site: Site) -> None:
    owner = await site.bearer("owner")
    site.planes.answer(SUBMIT, Busy())
    problem(await submit(site, owner, "k"), 429, "busy")
    site.planes.answer(SUBMIT, accept)
    assert (await submit(site, owner, "k")).status_code == 202


async def test_a_refusal_for_good_is_kept(site: Site) -> None:
    owner = await site.bearer("owner")
    first = await submit(site, owner, "k", {"action_type": "x"})
    again = await submit(site, owner, "k", {"action_type": "x"})
    problem(first, 422, "invalid_request")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == first.content


async def test_with_the_record_gone_nothing_is_done(site: Site) -> None:
    """It fails closed."""
    site.planes.answer(SUBMIT, accept)
    owner = await site.bearer("owner")
    reserve = site.store.reserve

    async def gone(*_: Any) -> Any:
        raise ConnectionRefusedError

    site.store.reserve = gone  # type: ignore[method-assign]  # only this part of the database fails
    problem(await submit(site, owner, "k"), 503, "unavailable")
    assert site.planes.requests(SUBMIT) == []
    site.store.reserve = reserve  # type: ignore[method-assign]  # and comes back
    assert (await submit(site, owner, "k")).status_code == 202


async def test_a_replica_that_died_in_the_middle_leaves_its_key_to_the_next(site: Site) -> None:
    site.planes.answer(SUBMIT, accept)
    owner = await site.bearer("owner")
    keep, release = site.store.keep_answer, site.store.release

    async def dies(*_: Any) -> None:
        raise asyncio.CancelledError

    site.store.keep_answer = site.store.release = dies  # type: ignore[method-assign,assignment]  # the process ends here
    with pytest.raises(asyncio.CancelledError):
        await submit(site, owner, "k")
    site.store.keep_answer, site.store.release = keep, release  # type: ignore[method-assign]  # another replica
    problem(await submit(site, owner, "k"), 409, "idempotency_in_progress")
    site.clock.advance(minutes=3)
    assert (await submit(site, owner, "k")).status_code == 202
    first, second = (request.items[0].action_id for request in site.planes.requests(SUBMIT))
    assert first == second


async def test_a_new_keys_secret_is_sealed_in_the_record(site: Site) -> None:
    owner = await site.bearer("owner")
    body = {"name": "etl", "scopes": ["read"]}
    made = await site.client.post("/api/v1/api-keys", json=body, headers={**owner, "Idempotency-Key": "k"})
    again = await site.client.post("/api/v1/api-keys", json=body, headers={**owner, "Idempotency-Key": "k"})
    assert made.json()["api_key"] == again.json()["api_key"]
    assert made.json()["api_key"].encode() not in b"".join(k.answer or b"" for k in site.store._idempotency.values())


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\u00e9"])
async def test_an_unusable_key_is_refused(site: Site, key: str) -> None:
    owner = await site.bearer("owner")
    headers = httpx.Headers({**owner, "Idempotency-Key": key}, encoding="utf-8")
    problem(await site.client.post("/api/v1/actions", json=BODY, headers=headers), 400, "bad_idempotency_key")
    assert site.planes.asked == []


async def test_a_quoted_key_is_the_same_key(site: Site) -> None:
    """The draft sends a structured-field string, most clients the bare text."""
    site.planes.answer(SUBMIT, accept)
    owner = await site.bearer("owner")
    await submit(site, owner, "k-1")
    assert (await submit(site, owner, '"k-1"')).headers["idempotent-replayed"] == "true"


async def test_a_forged_form_cannot_use_up_a_key(site: Site) -> None:
    await site.user("owner", email="s@a.example")
    await site.sign_in("s@a.example", PASSWORD)
    refused = await submit(site, {}, "k")
    problem(refused, 403, "csrf_failed")
    site.planes.answer(SUBMIT, accept)
    token = (await site.client.get("/api/v1/me")).json()["csrf_token"]
    assert (await submit(site, {"X-CSRF-Token": token}, "k")).status_code == 202
