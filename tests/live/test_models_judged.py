"""Both forms that providers speak, put to a mock server that others wrote, as a process of its own: what it takes and answers is theirs."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from libs.contracts.catalogue.models import Provider, models
from libs.contracts.completions import Complete, Turn
from libs.contracts.message import new_id
from services.execution.connectors.base import Sandbox
from services.execution.connectors.model import Model
from services.execution.errors import ConnectorError
from services.execution.gate import Admitted
from services.execution.models.calls import Calls, Question
from services.execution.models.domain import forms
from tests.unit.execution.admitting import TENANT, admitted

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

ANSWER = {"objection": "price", "reply": "نبدأ بتجربة مدفوعة."}
RULES = {
    "version": 1,
    "defaults": {"fallback": "deterministic_echo"},
    "rules": [
        {"name": "busy", "when": {"model_matches": "busy"}, "respond": {"status": 429, "error": "too many"}},
        {"name": "broken", "when": {"model_matches": "broken"}, "respond": {"status": 500, "error": "oh"}},
        {"name": "denied", "when": {"model_matches": "denied"}, "respond": {"status": 401, "error": "who?"}},
        {
            "name": "tool", "when": {"tools_include": "Form"},
            "respond": {"tool_calls": [{"name": "Form", "arguments": ANSWER}]},
        },
        {"name": "chat", "when": {"messages_contain": "السعر"}, "respond": {"content": json.dumps(ANSWER, ensure_ascii=False)}},
    ],
}  # fmt: skip
# The addresses of vendors are the catalogue's; here both forms are spoken to a server of this machine.
OPENAI = models().providers["compatible"]
ANTHROPIC: Provider = models().providers["anthropic"].evolve(base_url="")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def base(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where the mock server answers, up to /v1."""
    rules = tmp_path_factory.mktemp("mock-model") / "rules.yaml"
    rules.write_text(yaml.safe_dump(RULES, allow_unicode=True), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("fakellm")
    process = await asyncio.create_subprocess_exec(
        program, "serve", "--port", str(port), "--config", str(rules),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{port}/_fakellm/stats")
                    break
                except httpx.ConnectError:
                    assert process.returncode is None, "the mock server ended at once"
                    await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        await process.wait()


class Kept:
    def __init__(self, base: str) -> None:
        self._base = base

    async def lease(self, _: Admitted) -> dict[str, Any]:
        return {"base_url": self._base, "api_key": "nobody-s"}


async def ask(base: str, provider: Provider, model: str) -> Question:
    """One granted question over real HTTP, after it was performed."""
    asked = Complete(
        tenant_id=TENANT, run_id=new_id(), agent="objection_handler", instructions="Read what they wrote.",
        turns=(Turn(role="user", text="السعر غالي علينا"),), schema_name="Form", json_schema={"type": "object"},
    )  # fmt: skip
    body, calls = forms.body(provider, model, asked, 0.0), Calls()
    connector = Model(
        provider, Sandbox(), Kept(base), calls, lambda: datetime.now(UTC), {"127.0.0.1"}, chance=lambda: 0.0
    )  # fmt: skip
    granted = admitted(f"model_{provider.key}", {"body_sha256": sha256(body).hexdigest(), "model": model}, mode="live")
    question = Question(TENANT, provider.key, body, asyncio.get_running_loop().time() + 20)
    calls.open(granted.claims.action_id, question)
    receipt = await connector.perform(granted)
    assert (receipt.mode, receipt.connector) == ("live", provider.key)
    return question


@pytest.mark.parametrize("provider", [OPENAI, ANTHROPIC], ids=["chat completions", "messages"])
async def test_a_server_that_others_wrote_understands_the_question_and_its_answer_is_understood(
    base: str, provider: Provider
) -> None:
    question = await ask(base, provider, "made-up-1")
    assert question.answer is not None, question.unreadable
    assert json.loads(question.answer.text) == ANSWER
    assert question.answer.tokens_in and question.answer.tokens_in > 0
    assert question.answer.tokens_out is not None


@pytest.mark.parametrize(
    ("model", "code"), [("busy", "vendor_429"), ("broken", "vendor_500"), ("denied", "vendor_401")]
)
@pytest.mark.parametrize("provider", [OPENAI, ANTHROPIC], ids=["chat completions", "messages"])
async def test_its_refusals_are_told_apart(base: str, provider: Provider, model: str, code: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        await ask(base, provider, model)
    assert caught.value.code == code


async def test_a_server_without_the_operators_word_is_not_reached(base: str) -> None:
    connector = Model(OPENAI, Sandbox(), Kept(base), Calls(), lambda: datetime.now(UTC), ())
    with pytest.raises(ConnectorError) as caught:
        await connector.probe({"base_url": base})
    assert caught.value.code == "endpoint_invalid"
