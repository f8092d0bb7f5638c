"""Bad input is the client's error, a silent plane is 503, and nothing of what was sent comes back in a refusal."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from libs.contracts.errors import Busy, Conflict, NotFound
from libs.contracts.subjects import ACTION, APPROVALS, SUBMIT
from libs.runtime.testing import Disturbance
from tests.unit.gateway.fake_site import Site, open_site, problem

ID = "01900000-0000-7000-8000-000000000000"
GOOD = {"action_type": "summarize", "resource": {"type": "lead", "id": "1"}, "payload": {"a": 1}}


async def post(site: Site, body: object, **headers: str) -> httpx.Response:
    owner = await site.bearer("owner")
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await site.client.post(
        "/api/v1/actions", content=content, headers={"Content-Type": "application/json", **owner, **headers}
    )


@pytest.mark.parametrize("body", [b"{", b"{'a': 1}", b"\xff\xfe", b'{"a": }', b"[" * 100_000])
async def test_malformed_json_is_400(site: Site, body: bytes) -> None:
    response = await post(site, body)
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b'"text"', b"1",
        {}, {**GOOD, "extra": 1}, {**GOOD, "payload": "text"}, {**GOOD, "payload": None}, {**GOOD, "action_type": 5},
        {**GOOD, "action_type": ""}, {**GOOD, "action_type": "a" * 101}, {**GOOD, "reason": False},
        {**GOOD, "resource": {"type": "lead"}}, {**GOOD, "resource": {"type": "lead", "id": 1}},
        {**GOOD, "approval_token": 7}, {**GOOD, "state": "granted"}, {**GOOD, "class": "A"}, {**GOOD, "tenant_id": ID},
        {**GOOD, "action_id": ID}, {"items": []}, {"items": [GOOD] * 1001}, {"items": [GOOD, {}]}, {"items": GOOD},
        {**GOOD, "payload": {"a": "x\x00y"}}, {**GOOD, "payload": {"\x00": 1}}, {**GOOD, "payload": {"a": 2**53}},
        b'{"action_type":"a","resource":{"type":"l","id":"1"},"payload":{"a":NaN}}',
        b'{"action_type":"a","resource":{"type":"l","id":"1"},"payload":{"a":"\\ud800"}}',
        b'{"action_type":"a","resource":{"type":"l","id":"1"},"payload":' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
    ],
)  # fmt: skip
async def test_a_body_that_does_not_fit_is_422_and_reaches_no_plane(site: Site, body: object) -> None:
    problem(await post(site, body), 422, "invalid_request")
    assert site.planes.asked == []


async def test_a_refusal_names_the_field_and_does_not_repeat_what_was_sent(site: Site) -> None:
    response = await post(
        site, {**GOOD, "action_type": 966501234567, "resource": {"type": "lead", "phone": "+966501234567"}}
    )
    found = problem(response, 422, "invalid_request")
    assert {e["field"] for e in found["errors"]} == {"action_type", "resource.id", "resource.phone"}
    assert "966501234567" not in response.text.replace("resource.phone", "")


async def test_detail_is_arabic_for_those_who_prefer_it(site: Site) -> None:
    arabic = problem(await post(site, {}, **{"Accept-Language": "ar-SA,ar;q=0.9,en;q=0.8"}), 422, "invalid_request")
    english = problem(await post(site, {}, **{"Accept-Language": "en-US,en;q=0.9,ar;q=0.1"}), 422, "invalid_request")
    assert arabic["detail"] == "الطلب لا يطابق ما يقبله هذا العنوان."
    assert english["detail"].isascii()
    assert {e["message"] for e in arabic["errors"]} == {"هذا الحقل مطلوب."}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404), ("GET", "/nothing", 404), ("DELETE", "/api/v1/actions", 405), ("PUT", "/api/v1/me", 405),
        ("GET", "/api/v1/actions/not-an-id", 422), ("GET", "/api/v1/proof-ledger/entries/-1/proof", 422),
        ("GET", "/api/v1/actions?limit=0", 422), ("GET", "/api/v1/actions?limit=201", 422), ("GET", "/api/v1/actions?limit=x", 422),
        ("GET", "/api/v1/actions?state=sent", 422), ("GET", "/api/v1/actions?cursor=x", 422),
        ("GET", "/api/v1/proof-ledger/consistency?from=5&to=2", 422), ("GET", "/api/v1/proof-ledger/consistency?from=5", 422),
        ("GET", "/api/v1/cards/feed?role=nobody", 422), ("GET", "/api/v1/targeting/contactability", 422),
        ("GET", "/api/v1/connectors/%2e%2e%2f", 404), ("GET", "/api/v1/connectors/UPPER", 422),
        ("GET", "/api/v1/audit?kind=%00", 400), ("GET", "/api/v1/actions/%00", 400), ("GET", f"/api/v1/traces/{'g' * 32}", 422),
    ],
)  # fmt: skip
async def test_a_wrong_address_is_the_clients_error(site: Site, method: str, path: str, status: int) -> None:
    response = await site.client.request(method, path, headers=await site.bearer("owner"))
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert site.planes.asked == []


async def test_a_silent_plane_is_503_and_says_which(site: Site) -> None:
    site.planes.hub.disturb(SUBMIT, Disturbance.SILENT)
    response = await post(site, GOOD)
    found = problem(response, 503, "timeout")
    assert found["waiting_for"] == "execution"
    assert int(response.headers["retry-after"]) > 0


async def test_a_reply_that_cannot_be_read_is_503(site: Site) -> None:
    site.planes.hub.disturb(APPROVALS, Disturbance.GARBLED)
    response = await site.client.get("/api/v1/approvals", headers=await site.bearer("owner"))
    problem(response, 503, "timeout")


async def test_too_much_work_is_429_with_a_time_to_come_back(site: Site) -> None:
    site.planes.answer(SUBMIT, Busy())
    response = await post(site, GOOD)
    problem(response, 429, "busy")
    assert int(response.headers["retry-after"]) >= 1


async def test_what_a_plane_refuses_comes_through_with_its_code_and_both_languages(site: Site) -> None:
    site.planes.answer(SUBMIT, Conflict("stale_hash", "It has changed.", "تغيّر الطلب."))
    assert problem(await post(site, GOOD), 409, "stale_hash")["detail"] == "It has changed."
    assert problem(await post(site, GOOD, **{"Accept-Language": "ar"}), 409, "stale_hash")["detail"] == "تغيّر الطلب."
    site.planes.answer(ACTION, NotFound())
    problem(await site.client.get(f"/api/v1/actions/{ID}", headers=await site.bearer("owner")), 404, "not_found")


async def test_a_failure_inside_a_plane_says_nothing_about_it(site: Site) -> None:
    site.planes.answer(SUBMIT, ValueError("row of sara@example.sa"))
    response = await post(site, GOOD)
    problem(response, 500, "internal")
    assert "sara" not in response.text


async def test_a_database_that_is_gone_is_503_and_opens_nothing(site: Site) -> None:
    owner = await site.bearer("owner")
    site.store.down = ConnectionRefusedError("db.internal:5432")
    for response in (
        await site.client.post("/api/v1/actions", json=GOOD, headers=owner),
        await site.client.get("/api/v1/me", headers=owner),
        await site.sign_in("a@a.example"),
    ):
        problem(response, 503, "unavailable")
        assert "5432" not in response.text
    assert site.planes.asked == []


async def test_an_error_nobody_foresaw_is_500_without_a_word_of_its_text(site: Site) -> None:
    owner = await site.bearer("owner")
    site.store.down = RuntimeError("password of sara@example.sa")
    response = await site.client.get("/api/v1/me", headers=owner)
    problem(response, 500, "internal")
    assert "sara" not in response.text


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(site: Site) -> None:
    owner = await site.bearer("owner")
    sent = 0

    async def endless() -> object:
        nonlocal sent
        while True:
            sent += 65536
            yield b"x" * 65536
            await asyncio.sleep(0)

    declared = await site.client.post(
        "/api/v1/actions", content=b"x", headers={**owner, "Content-Length": str(3 * 1024**2)}
    )
    problem(declared, 413, "body_too_large")
    response = await site.client.post("/api/v1/actions", content=endless(), headers=owner)  # type: ignore[arg-type]  # an async generator
    problem(response, 413, "body_too_large")
    assert sent < 4 * 1024 * 1024


async def test_every_answer_carries_its_trace_and_the_security_headers(site: Site) -> None:
    owner = await site.bearer("owner")
    for path in ("/healthz", "/api/v1/me", "/api/v1/nothing", "/docs"):
        response = await site.client.get(path, headers=owner)
        assert "X-Trace-Id" in response.headers
        assert response.headers["x-content-type-options"] == "nosniff"
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "server" not in response.headers


async def test_a_clients_trace_goes_on_through_the_planes(site: Site) -> None:
    from libs.runtime import telemetry

    telemetry.start()
    trace = "0af7651916cd43dd8448eb211c80319c"
    response = await site.client.get("/healthz", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert response.headers["x-trace-id"] == trace
    other = await site.client.get("/healthz")
    assert len(other.headers["x-trace-id"]) == 32
    assert other.headers["x-trace-id"] != trace
    for broken in ("x", "00-0-0-0", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"):
        assert (await site.client.get("/healthz", headers={"traceparent": broken})).status_code == 200


async def test_limits_are_settings() -> None:
    site = await open_site(gateway_body_mb=1)
    response = await site.client.post(
        "/api/v1/actions", content=b"x" * (1024 * 1024 + 1), headers=await site.bearer("owner")
    )
    problem(response, 413, "body_too_large")


@pytest.mark.parametrize("run_id", [f"flow:{ID}", "flow:", f"compensates:{ID}"])
async def test_nobody_submits_in_the_name_of_a_flow_or_an_undoing(site: Site, run_id: str) -> None:
    """A run that execution itself names carries what its flow was granted: a sequence's approval."""
    for body in ({**GOOD, "run_id": run_id}, {"items": [GOOD, {**GOOD, "run_id": run_id}]}):
        for lang in ("ar", "en"):
            problem(await post(site, body, **{"Accept-Language": lang}), 422, "run_id_reserved")
    assert site.planes.requests(SUBMIT) == []
