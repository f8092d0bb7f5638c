"""Asking models: the two forms on the wire, what an answer costs, and a connector that asks nothing that was not granted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import httpx
import pytest

from libs.contracts.catalogue.models import Provider, models
from libs.contracts.completions import Complete, ModelEntry, Turn
from libs.contracts.message import new_id
from services.execution.connectors.base import Sandbox
from services.execution.connectors.model import Model
from services.execution.errors import ConnectorError, VendorRejected
from services.execution.gate import Admitted
from services.execution.models.calls import Calls, Question
from services.execution.models.domain import forms
from services.execution.models.domain.costs import at_most, cost
from services.execution.models.errors import ModelSilent
from services.execution.settings import ModelSettings
from tests.unit.execution.admitting import TENANT, admitted

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
ASKED = Complete(
    tenant_id=TENANT, run_id=new_id(), agent="objection_handler", instructions="Read.", turns=(Turn(role="user", text="السعر غالي"),),
    schema_name="Form", json_schema={"type": "object"},
)  # fmt: skip
OPENAI, ANTHROPIC, DEEPSEEK = (models().providers[key] for key in ("openai", "anthropic", "deepseek"))
ENTRY = ModelEntry(provider="openai", model="m-1", input_sar=Decimal(10), output_sar=Decimal(40), usual=True)
CHAT = {
    "choices": [{"message": {"content": '{"a": 1}'}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3},
}
MESSAGES = {
    "content": [{"type": "tool_use", "name": "Form", "input": {"a": 1}}],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 7, "output_tokens": 3},
}


# Forms ---------------------------------------------------------------------------------------------------------------------------


def test_chat_completions_carry_the_instructions_apart_from_the_data_and_the_form_of_the_answer() -> None:
    sent = json.loads(forms.body(OPENAI, "m-1", ASKED, 0.2))
    assert [one["role"] for one in sent["messages"]] == ["system", "user"]
    assert sent["response_format"]["json_schema"] == {"name": "Form", "schema": {"type": "object"}}
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("m-1", 0.2, 1024)


def test_a_server_without_schemas_is_told_the_form_in_words() -> None:
    sent = json.loads(forms.body(DEEPSEEK, "m-1", ASKED, 0.0))
    assert sent["response_format"] == {"type": "json_object"}
    assert "JSON Schema" in sent["messages"][0]["content"]


def test_messages_have_the_model_use_a_tool_whose_input_is_the_answer() -> None:
    sent = json.loads(forms.body(ANTHROPIC, "m-1", ASKED, 0.0))
    assert sent["tool_choice"] == {"type": "tool", "name": "Form"}
    assert sent["system"] == "Read." and sent["tools"][0]["input_schema"] == {"type": "object"}
    assert forms.headers(ANTHROPIC, "k")["x-api-key"] == "k"


@pytest.mark.parametrize(("provider", "document"), [(OPENAI, CHAT), (ANTHROPIC, MESSAGES)])
def test_an_answer_is_its_text_and_the_providers_own_count(provider: Provider, document: dict[str, Any]) -> None:
    read = forms.read(provider, json.dumps(document).encode())
    assert (json.loads(read.text), read.tokens_in, read.tokens_out) == ({"a": 1}, 7, 3)


@pytest.mark.parametrize(
    ("provider", "document"),
    [
        (OPENAI, b"not json"),
        (OPENAI, b"[]"),
        (OPENAI, b"{}"),
        (OPENAI, b'{"choices": [{"message": {"content": null}}]}'),
        (OPENAI, b'{"choices": [{"message": {"content": "{"}, "finish_reason": "length"}]}'),
        (ANTHROPIC, b'{"content": [{"type": "text", "text": "hello"}]}'),
        (ANTHROPIC, b'{"content": [], "stop_reason": "refusal"}'),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(provider: Provider, document: bytes) -> None:
    with pytest.raises(forms.Unreadable):
        forms.read(provider, document)


def test_a_count_that_is_no_number_counts_as_none() -> None:
    read = forms.read(OPENAI, json.dumps({**CHAT, "usage": {"prompt_tokens": True, "completion_tokens": -1}}).encode())
    assert (read.tokens_in, read.tokens_out) == (None, None)


def test_costs_follow_from_the_recorded_price() -> None:
    assert cost(ENTRY, 1_000_000, 500_000) == Decimal("30.000000")
    most = at_most(ENTRY, 2000, 1000)
    assert most.tokens == 2001 and most.sar == cost(ENTRY, 1001, 1000)


def test_the_operators_settings_become_credentials_of_exactly_those_providers() -> None:
    given = ModelSettings(_env_file=None, base_url="http://model.internal/v1", api_key="a", groq_key="g").credentials()
    assert given == {"self_host": {"base_url": "http://model.internal/v1", "api_key": "a"}, "groq": {"api_key": "g"}}
    assert ModelSettings(_env_file=None).credentials() == {}


# The connector -------------------------------------------------------------------------------------------------------------------


class Scripted(httpx.AsyncBaseTransport):
    """Answers by its script, the last of which stays; keeps what arrived."""

    def __init__(self, *script: httpx.Response | Exception) -> None:
        self.script = list(script)
        self.arrived: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.arrived.append(request)
        told = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(told, Exception):
            raise told
        return httpx.Response(told.status_code, headers=told.headers, content=told.content, request=request)


class Kept:
    """Stands where the vault stands."""

    def __init__(self, credential: dict[str, Any] | None) -> None:
        self.credential = credential

    async def lease(self, _: Admitted) -> dict[str, Any] | None:
        return self.credential


def answering(document: Any = CHAT, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=document, headers=headers)


async def asked(
    wire: Scripted,
    *,
    mode: str = "live",
    body: bytes = b"{}",
    seconds: float = 20.0,
    provider: Provider = OPENAI,
    credential: dict[str, Any] | None = None,
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda payload: payload,
) -> tuple[Question, Any]:
    """A question, after the connector has performed what was granted, and the receipt."""
    calls, sandbox = Calls(), Sandbox()
    connector = Model(
        provider, sandbox, Kept({"api_key": "key-1"} if credential is None else credential), calls, lambda: AT, (), lambda: wire,
        chance=lambda: 0.0,
    )  # fmt: skip
    granted = admitted(
        f"model_{provider.key}", change({"body_sha256": sha256(body).hexdigest(), "model": "m-1"}), mode=mode
    )
    question = Question(TENANT, provider.key, body, asyncio.get_running_loop().time() + seconds)
    calls.open(granted.claims.action_id, question)
    return question, await connector.perform(granted)


async def refused(making: Awaitable[Any], code: str, kind: type[ConnectorError] = VendorRejected) -> ConnectorError:
    with pytest.raises(kind) as caught:
        await making
    assert caught.value.code == code
    return caught.value


async def test_a_granted_question_is_asked_once_with_the_key_and_its_answer_is_read() -> None:
    wire = Scripted(answering())
    question, receipt = await asked(wire)
    assert question.answer is not None and json.loads(question.answer.text) == {"a": 1}
    (request,) = wire.arrived
    assert (str(request.url), request.headers["authorization"]) == (
        "https://api.openai.com/v1/chat/completions",
        "Bearer key-1",
    )
    assert (receipt.mode, receipt.retries) == ("live", 0)


async def test_in_the_sandbox_nothing_is_asked_and_the_mailbox_holds_no_text() -> None:
    wire = Scripted(answering())
    body = "سؤال سري".encode()
    question, receipt = await asked(wire, mode="sandbox", body=body)
    assert (wire.arrived, question.answer, receipt.mode) == ([], None, "sandbox")


async def test_another_body_than_the_granted_one_is_not_sent() -> None:
    wire = Scripted(answering())
    await refused(asked(wire, change=lambda payload: {**payload, "body_sha256": "0" * 64}), "question_changed")
    assert wire.arrived == []


async def test_a_question_that_nobody_waits_for_is_not_asked() -> None:
    wire = Scripted(answering())
    connector = Model(OPENAI, Sandbox(), Kept({"api_key": "k"}), Calls(), lambda: AT, (), lambda: wire)
    granted = admitted("model_openai", {"body_sha256": "0" * 64}, mode="live")
    await refused(connector.perform(granted), "question_gone")
    assert wire.arrived == []


async def test_a_grant_for_one_provider_opens_no_question_to_another() -> None:
    calls, wire = Calls(), Scripted(answering())
    connector = Model(OPENAI, Sandbox(), Kept({"api_key": "k"}), calls, lambda: AT, (), lambda: wire)
    granted = admitted("model_openai", {"body_sha256": sha256(b"{}").hexdigest()}, mode="live")
    calls.open(granted.claims.action_id, Question(TENANT, "groq", b"{}", asyncio.get_running_loop().time() + 9))
    await refused(connector.perform(granted), "question_gone")


async def test_without_a_key_nothing_is_asked() -> None:
    wire = Scripted(answering())
    calls = Calls()
    connector = Model(OPENAI, Sandbox(), Kept(None), calls, lambda: AT, (), lambda: wire)
    granted = admitted("model_openai", {"body_sha256": sha256(b"{}").hexdigest()}, mode="live")
    calls.open(granted.claims.action_id, Question(TENANT, "openai", b"{}", asyncio.get_running_loop().time() + 9))
    await refused(connector.perform(granted), "no_credential")
    assert wire.arrived == []


async def test_not_now_is_tried_again_under_the_same_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = list[float]()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("services.execution.connectors.model.asyncio.sleep", sleep)
    wire = Scripted(answering({}, 429, **{"Retry-After": "3"}), httpx.ConnectError("no"), answering())
    question, receipt = await asked(wire)
    assert question.answer is not None and (len(wire.arrived), receipt.retries) == (3, 2)
    assert waits[0] >= 3


async def test_a_wait_that_nobody_has_time_for_is_not_undercut() -> None:
    wire = Scripted(answering({}, 429, **{"Retry-After": "60"}))
    error = await refused(asked(wire), "vendor_429", ModelSilent)
    assert len(wire.arrived) == 1 and isinstance(error, ModelSilent)
    assert (error.retry_after, error.retryable) == (60.0, False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
async def test_what_would_be_refused_again_is_not_asked_again(status: int) -> None:
    wire = Scripted(answering({}, status, Location="https://evil.example/"))
    await refused(asked(wire), f"vendor_{status}")
    assert len(wire.arrived) == 1


async def test_an_answer_without_an_end_is_cut_off() -> None:
    wire = Scripted(httpx.Response(200, content=b"x" * (1024 * 1024 + 1)))
    await refused(asked(wire), "vendor_too_long")


async def test_an_unreadable_answer_is_a_receipt_and_no_answer() -> None:
    question, _ = await asked(Scripted(httpx.Response(200, content=b"<html>")))
    assert (question.answer, question.unreadable) == (None, "not JSON")


async def test_an_address_inside_the_network_is_refused_unless_the_operator_names_it() -> None:
    compatible = models().providers["compatible"]
    calls = Calls()
    connector = Model(compatible, Sandbox(), Kept({"base_url": "https://127.0.0.1/v1"}), calls, lambda: AT, ())
    granted = admitted("model_compatible", {"body_sha256": sha256(b"{}").hexdigest()}, mode="live")
    calls.open(granted.claims.action_id, Question(TENANT, "compatible", b"{}", asyncio.get_running_loop().time() + 9))
    await refused(connector.perform(granted), "endpoint_private")
