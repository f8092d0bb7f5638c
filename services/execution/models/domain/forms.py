"""The two forms that providers speak: what is asked becomes a body, and an answer becomes text and counts. No I/O.

`openai` is the chat completions form that most servers offer; `anthropic` is the messages form, where an answer in a given form is the
input of a tool that the model has to use. Sources: the vendors' API references, "Chat completions" and "Messages".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libs.contracts.catalogue.models import Provider
from libs.contracts.completions import Complete

ANTHROPIC_VERSION = "2023-06-01"


class Unreadable(Exception):
    """An answer that is not one of this form, or holds none: the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said. Tokens are its own count; None where it gave none."""

    text: str
    tokens_in: int | None
    tokens_out: int | None


def path(provider: Provider) -> str:
    """Where a question goes, below the provider's address."""
    return "/messages" if provider.shape == "anthropic" else "/chat/completions"


def headers(provider: Provider, key: str) -> dict[str, str]:
    """What says who asks."""
    wanted = {"Content-Type": "application/json", "User-Agent": "Dealix/1"}
    if provider.shape == "anthropic":
        return {**wanted, "anthropic-version": ANTHROPIC_VERSION, **({"x-api-key": key} if key else {})}
    return {**wanted, **({"Authorization": f"Bearer {key}"} if key else {})}


def body(provider: Provider, model: str, asked: Complete, temperature: float) -> bytes:
    """The request's body, the same bytes for the same question: trust's grant names their digest."""
    turns = [{"role": turn.role, "content": turn.text} for turn in asked.turns]
    common: dict[str, Any] = {"model": model, "max_tokens": asked.most_tokens, "temperature": temperature}
    if provider.shape == "anthropic":
        tool = {"name": asked.schema_name, "description": "The answer.", "input_schema": asked.json_schema}
        choice = {"type": "tool", "name": asked.schema_name}
        document = {**common, "system": asked.instructions, "messages": turns, "tools": [tool], "tool_choice": choice}
    else:
        document = {**common, "messages": [{"role": "system", "content": _told(provider, asked)}, *turns]}
        document["response_format"] = _format(provider, asked)
    return json.dumps(document, ensure_ascii=False, sort_keys=True).encode()


def _told(provider: Provider, asked: Complete) -> str:
    if provider.structured == "json_schema":
        return asked.instructions
    form = json.dumps(asked.json_schema, ensure_ascii=False, sort_keys=True)
    return f"{asked.instructions}\n\nAnswer with one JSON object that fits this JSON Schema:\n{form}"


def _format(provider: Provider, asked: Complete) -> dict[str, Any]:
    if provider.structured == "json_object":
        return {"type": "json_object"}
    # Not `strict`: that takes a part of JSON Schema only, and what comes back is checked by the agent's own form anyway.
    return {"type": "json_schema", "json_schema": {"name": asked.schema_name, "schema": asked.json_schema}}


def read(provider: Provider, content: bytes) -> Answer:
    """What a provider answered. Raises Unreadable, also for an answer that was cut off or that the model refused to give."""
    try:
        document = json.loads(content)
    except ValueError as error:
        raise Unreadable("not JSON") from error
    if not isinstance(document, dict):
        raise Unreadable("not an object")
    return _messages(document) if provider.shape == "anthropic" else _completion(document)


def _completion(document: Mapping[str, Any]) -> Answer:
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = first.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    if first.get("finish_reason") in ("length", "content_filter"):
        raise Unreadable(str(first["finish_reason"]))
    if not isinstance(text, str) or not text.strip():
        raise Unreadable("no text")
    return Answer(text, *_counts(document, "prompt_tokens", "completion_tokens"))


def _messages(document: Mapping[str, Any]) -> Answer:
    if document.get("stop_reason") in ("max_tokens", "refusal"):
        raise Unreadable(str(document["stop_reason"]))
    parts = document.get("content")
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and part.get("type") == "tool_use" and isinstance(part.get("input"), dict):
            text = json.dumps(part["input"], ensure_ascii=False)
            return Answer(text, *_counts(document, "input_tokens", "output_tokens"))
    raise Unreadable("no tool use")


def _counts(document: Mapping[str, Any], *names: str) -> tuple[int | None, int | None]:
    usage = document.get("usage")
    found = usage if isinstance(usage, dict) else {}
    first, second = (
        value if isinstance(value := found.get(name), int) and not isinstance(value, bool) and value >= 0 else None
        for name in names
    )
    return first, second
