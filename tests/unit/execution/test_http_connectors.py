"""WhatsApp and Slack: what is composed, and the only addresses that can be reached."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.execution.connectors import slack, whatsapp
from services.execution.connectors.base import Sandbox
from services.execution.connectors.http import AllowList, send
from services.execution.errors import OutcomeUnknown, VendorRejected, VendorUnavailable
from tests.unit.execution.admitting import admitted

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PAYLOAD = {"to": "+966500001234", "body": "مرحبا، إيقاف", "template": "intro", "language": "ar"}


class Answering(httpx.AsyncBaseTransport):
    """Answers every request, or fails as told; keeps what arrived."""

    def __init__(self, outcome: int | Exception = 200) -> None:
        self.outcome = outcome
        self.arrived: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.arrived.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return httpx.Response(self.outcome, headers={"Location": "https://evil.example/"}, request=request)


# Composing -----------------------------------------------------------------------------------------------------------------------


def test_a_template_message_is_what_the_vendor_documents() -> None:
    assert whatsapp.compose(PAYLOAD, "dlx-1") == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+966500001234",
        "biz_opaque_callback_data": "dlx-1",
        "type": "template",
        "template": {
            "name": "intro",
            "language": {"code": "ar"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "مرحبا، إيقاف"}]}],
        },
    }


def test_without_a_template_it_is_a_text() -> None:
    body = whatsapp.compose({"to": "+966500001234", "body": "x"}, "dlx-1")
    assert (body["type"], body["text"]) == ("text", {"body": "x", "preview_url": False})


@pytest.mark.parametrize(
    "change",
    [
        {"to": "0500001234"},
        {"to": "966500001234"},
        {"to": "+٩٦٦٥٠٠٠٠١٢٣٤"},
        {"to": "+966 50"},
        {"to": "+"},
        {"to": ""},
        {"to": None},
        {"to": "+966500001234,+966500001235"},
        {"body": ""},
        {"body": "  "},
        {"body": None},
        {"body": "x" * 1025},
    ],
)
def test_what_the_vendor_would_refuse_is_refused_here(change: dict[str, Any]) -> None:
    with pytest.raises(VendorRejected):
        whatsapp.compose({**PAYLOAD, **change}, "dlx-1")


class Accounts:
    def __init__(self, account: Any) -> None:
        self.account = account

    async def lease(self, _: object) -> Any:
        return self.account


async def test_the_sandbox_gets_the_finished_request_without_the_token() -> None:
    sandbox, one = Sandbox(lambda: AT), admitted("send_whatsapp", PAYLOAD)
    receipt = await whatsapp.WhatsApp(sandbox, Accounts(None), lambda: AT).perform(one)
    (kept,) = sandbox.take(one.claims.grant_id)
    assert kept.request["url"] == "https://graph.facebook.com/v23.0/sandbox/messages"
    assert kept.request["body"]["to"] == PAYLOAD["to"]
    assert "authorization" not in {name.lower() for name in kept.request["headers"]}
    assert (receipt.mode, receipt.vendor_id) == ("sandbox", f"sandbox-{kept.message_id}")


@pytest.mark.parametrize(
    ("connector", "effect", "payload"),
    [(whatsapp.WhatsApp, "send_whatsapp", PAYLOAD), (slack.Slack, "slack_notify", {"text": "x"})],
)
async def test_a_live_grant_without_a_credential_sends_nothing(connector: Any, effect: str, payload: Any) -> None:
    sandbox, one = Sandbox(lambda: AT), admitted(effect, payload, mode="live")
    with pytest.raises(VendorRejected) as raised:
        await connector(sandbox, Accounts(None), lambda: AT).perform(one)
    assert raised.value.code == "no_credential"
    assert sandbox.take(one.claims.grant_id) == []


@pytest.mark.parametrize(
    "path",
    ["@evil.example/services/x", "/services/../api/chat", "/other", ".evil.example/services/x", "/services/a?x=1"],
)
async def test_a_doctored_webhook_path_leads_nowhere(path: str) -> None:
    one = admitted("slack_notify", {"text": "x"}, mode="live")
    with pytest.raises(VendorRejected) as raised:
        await slack.Slack(Sandbox(), Accounts(path), lambda: AT).perform(one)
    assert raised.value.code == "not_allowed"


# Reaching ------------------------------------------------------------------------------------------------------------------------

ALLOWED = "https://graph.facebook.com/v23.0/123/messages"


async def attempt(method: str, url: str, outcome: int | Exception = 200) -> tuple[Answering, httpx.Response]:
    inner = Answering(outcome)
    return inner, await send(AllowList(whatsapp.WhatsApp.allowed, inner), httpx.Request(method, url, json={}))


async def test_the_connectors_own_address_is_reached() -> None:
    inner, response = await attempt("POST", ALLOWED)
    assert (len(inner.arrived), response.status_code) == (1, 200)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", ALLOWED),
        ("DELETE", ALLOWED),
        ("POST", "http://graph.facebook.com/v23.0/123/messages"),
        ("POST", "https://graph.facebook.com:8443/v23.0/123/messages"),
        ("POST", "https://user:pw@graph.facebook.com/v23.0/123/messages"),
        ("POST", "https://graph.facebook.com.evil.example/v23.0/123/messages"),
        ("POST", "https://evil.example/v23.0/123/messages"),
        ("POST", "https://127.0.0.1/v23.0/123/messages"),
        ("POST", "https://graph.facebook.com/v23.0/123/messages/"),
        ("POST", "https://graph.facebook.com/v23.0/123/messages?to=other"),
        ("POST", "https://graph.facebook.com/v23.0/me/accounts"),
        ("POST", "https://graph.facebook.com/v22.0/123/messages"),
        ("POST", "https://graph.facebook.com/v23.0/1/2/messages"),
        ("POST", "https://graph.facebook.com/v23.0/1%2F2/messages"),
        ("POST", "https://graph.facebook.com/v23.0/123/%6Dessages"),
    ],
)
async def test_no_other_address_is_reached(method: str, url: str) -> None:
    inner = Answering()
    with pytest.raises(VendorRejected) as raised:
        await send(AllowList(whatsapp.WhatsApp.allowed, inner), httpx.Request(method, url, json={}))
    assert raised.value.code == "not_allowed"
    assert inner.arrived == []


async def test_a_redirect_is_not_followed() -> None:
    inner, response = await attempt("POST", ALLOWED, 302)
    assert (response.status_code, len(inner.arrived)) == (302, 1)


@pytest.mark.parametrize(
    ("outcome", "error", "sent"),
    [
        (400, VendorRejected, False),
        (401, VendorRejected, False),
        (429, VendorUnavailable, False),
        (503, VendorUnavailable, False),
        (500, OutcomeUnknown, None),
        (502, OutcomeUnknown, None),
        (504, OutcomeUnknown, None),
        (httpx.ConnectError("refused"), VendorUnavailable, False),
        (httpx.ConnectTimeout("slow"), VendorUnavailable, False),
        (httpx.ReadTimeout("slow"), OutcomeUnknown, None),
        (httpx.WriteError("cut"), OutcomeUnknown, None),
        (httpx.RemoteProtocolError("cut"), OutcomeUnknown, None),
    ],
)
async def test_an_outcome_is_what_is_known_of_it(outcome: Any, error: type[Exception], sent: bool | None) -> None:
    with pytest.raises(error) as raised:
        await attempt("POST", ALLOWED, outcome)
    assert raised.value.sent is sent  # type: ignore[attr-defined]


async def test_a_receipt_commits_to_the_request_that_left() -> None:
    from hashlib import sha256

    sandbox, one = Sandbox(lambda: AT), admitted("slack_notify", {"text": "مرحبا"})
    receipt = await slack.Slack(sandbox, Accounts(None), lambda: AT).perform(one)
    body = json.dumps({"text": "مرحبا"}, ensure_ascii=False, separators=(",", ":")).encode()
    assert receipt.request_digest == sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("until", "code"),
    [("2026-11-22T05:59:00+00:00", "too_late"), ("2026-11-22T06:00:00+00:00", "too_late"), ("soon", "payload_incomplete"),
     ("2026-11-22T20:00:00", "payload_incomplete")],
)  # fmt: skip
async def test_a_message_whose_hours_are_over_does_not_leave(until: str, code: str) -> None:
    sandbox = Sandbox(lambda: AT)
    one = admitted("approval_brief_send", {"to": "+966500001234", "body": "x", "not_after": until})
    with pytest.raises(VendorRejected) as raised:
        await whatsapp.WhatsApp(sandbox, Accounts(None), lambda: AT).perform(one)
    assert raised.value.code == code
    assert sandbox.take(one.claims.grant_id) == []


async def test_a_message_within_its_hours_leaves() -> None:
    sandbox = Sandbox(lambda: AT)
    one = admitted(
        "approval_brief_send", {"to": "+966500001234", "body": "x", "not_after": "2026-11-22T09:01:00+03:00"}
    )
    await whatsapp.WhatsApp(sandbox, Accounts(None), lambda: AT).perform(one)
    assert len(sandbox.take(one.claims.grant_id)) == 1
