"""The webhook connector: signed, bound to what was granted, pinned to the address that was judged, and honest about answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook as Judge

from services.execution.connectors.base import Sandbox
from services.execution.connectors.public import PublicTransport
from services.execution.connectors.webhook import MOST_ANSWER, Target, Webhook
from services.execution.errors import VendorRejected
from services.execution.gate import Admitted
from services.execution.push.domain.signing import make_secret
from tests.unit.execution.admitting import admitted

URL = "https://hooks.example/in?key=1"
BODY = b'{"type":"approval.requested"}'
SECRET = make_secret()


class Answering(httpx.AsyncBaseTransport):
    """Answers every request, or fails as told; keeps what arrived."""

    def __init__(
        self, outcome: int | Exception = 200, body: bytes = b"ok", headers: dict[str, str] | None = None
    ) -> None:
        self.outcome, self.body, self.headers = outcome, body, headers or {}
        self.arrived: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.arrived.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return httpx.Response(self.outcome, stream=httpx.ByteStream(self.body), headers=self.headers, request=request)


class Kept:
    """What is on record of the one delivery."""

    def __init__(self, target: Target | None) -> None:
        self.target = target

    async def lease(self, admitted: Admitted) -> Target | None:
        return self.target


def addresses(*found: str) -> Any:
    async def resolver(host: str, port: int) -> list[str]:
        assert (host, port) == ("hooks.example", 443)
        return list(found)

    return resolver


def granted(mode: str = "live", **changes: Any) -> Admitted:
    payload = {
        "delivery_id": "01930000-0000-7000-8000-00000000000c", "message_id": "evt_1", "form": "json", "host": "hooks.example",
        "url_sha256": sha256(URL.encode()).hexdigest(), "body_sha256": sha256(BODY).hexdigest(), **changes,
    }  # fmt: skip
    return admitted("webhook_deliver", payload, mode=mode)


def connector(
    inner: httpx.AsyncBaseTransport, target: Target | None = None, found: tuple[str, ...] = ("8.8.8.8",), **more: Any
) -> Webhook:
    kept = Kept(target or Target(URL, BODY, (SECRET,)))
    return Webhook(
        more.get("sandbox", Sandbox()), kept, lambda: datetime.now(UTC), (),
        lambda: PublicTransport((), inner, addresses(*found)),
    )  # fmt: skip


async def refused(one: Webhook, grant: Admitted) -> str:
    with pytest.raises(VendorRejected) as error:
        await one.perform(grant)
    assert error.value.en
    assert error.value.ar
    return error.value.code


@pytest.mark.asyncio
async def test_a_message_arrives_signed_at_the_address_that_was_judged() -> None:
    inner = Answering(202)
    made = await connector(inner).perform(granted())
    (request,) = inner.arrived
    assert (request.url.host, request.url.raw_path) == ("8.8.8.8", b"/in?key=1")
    assert (request.headers["host"], request.extensions["sni_hostname"]) == ("hooks.example", "hooks.example")
    assert Judge(SECRET).verify(request.content, dict(request.headers)) == json.loads(BODY)
    assert (made.vendor_id, made.mode, made.request_digest) == ("evt_1", "live", sha256(BODY).hexdigest())


@pytest.mark.asyncio
@pytest.mark.parametrize("found", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("::1",), ("169.254.169.254",)])
async def test_a_name_that_leads_inside_is_refused_before_anything_leaves(found: tuple[str, ...]) -> None:
    inner = Answering()
    assert await refused(connector(inner, found=found), granted()) == "endpoint_private"
    assert inner.arrived == []


@pytest.mark.asyncio
async def test_a_name_without_an_address_is_refused() -> None:
    assert await refused(connector(Answering(), found=()), granted()) == "endpoint_unresolved"


@pytest.mark.asyncio
async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    inner = Answering(302, headers={"Location": "https://169.254.169.254/"})
    assert await refused(connector(inner), granted()) == "endpoint_302"
    assert len(inner.arrived) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (500, "endpoint_500"),
        (429, "endpoint_429"),
        (410, "endpoint_410"),
        (404, "endpoint_404"),
        (httpx.ConnectError("x"), "endpoint_unreachable"),
        (httpx.ConnectTimeout("x"), "endpoint_unreachable"),
        (httpx.ReadTimeout("x"), "endpoint_no_answer"),
        (httpx.RemoteProtocolError("x"), "endpoint_no_answer"),
    ],
)
async def test_anything_but_success_is_a_refusal_that_says_what(outcome: int | Exception, code: str) -> None:
    assert await refused(connector(Answering(outcome)), granted()) == code


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("target", "code"),
    [
        (Target("https://hooks.example/elsewhere", BODY, (SECRET,)), "endpoint_changed"),
        (Target(URL, BODY + b" ", (SECRET,)), "content_changed"),
        (Target(URL, BODY, ()), "no_credential"),
    ],
)
async def test_what_was_not_granted_or_is_not_signed_does_not_leave(target: Target, code: str) -> None:
    inner = Answering()
    assert await refused(connector(inner, target), granted()) == code
    assert inner.arrived == []


@pytest.mark.asyncio
async def test_a_delivery_that_is_not_open_any_more_does_not_leave() -> None:
    inner = Answering()
    one = Webhook(Sandbox(), Kept(None), lambda: datetime.now(UTC), (), lambda: inner)
    assert await refused(one, granted()) == "delivery_gone"
    assert (
        await refused(connector(inner), admitted("webhook_deliver", {"form": "json"}, mode="live"))
        == "payload_incomplete"
    )
    assert inner.arrived == []


@pytest.mark.asyncio
async def test_the_sandbox_keeps_a_digest_and_sends_nothing() -> None:
    inner, sandbox, grant = Answering(), Sandbox(), granted(mode="sandbox")
    made = await connector(inner, sandbox=sandbox).perform(grant)
    (caught,) = sandbox.take(grant.claims.grant_id)
    assert inner.arrived == []
    assert made.mode == "sandbox"
    assert "approval.requested" not in json.dumps(caught.request)
    assert caught.request["body"]["sha256"] == sha256(BODY).hexdigest()


@pytest.mark.asyncio
async def test_of_an_answer_without_an_end_only_the_beginning_is_read() -> None:
    made = await connector(Answering(body=b"x" * (2 * MOST_ANSWER))).perform(granted())
    assert made.response_digest == sha256(b"x" * MOST_ANSWER).hexdigest()
