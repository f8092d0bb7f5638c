"""The ledger as pages show it: its entries, what led to them, the newest checkpoint, and what the sandbox caught."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from libs.contracts import execution, trust
from libs.contracts.catalogue import words
from services.gateway.console import views
from services.gateway.console.actors import connector
from services.gateway.console.present import pick
from services.gateway.console.urls import url
from services.gateway.console.views import Lang


def checkpoint(reply: trust.CheckpointReply) -> views.Checkpoint | None:
    """The newest signed checkpoint; None while nothing is signed."""
    if not reply.note or reply.created_at is None:
        return None
    return views.Checkpoint(reply.origin, reply.size, reply.root, reply.created_at, reply.note, "")


def entry_title(lang: Lang, kind: str) -> str:
    title = words.entry_title(kind)
    return pick(lang, title.ar, title.en)


def ledger_row(lang: Lang, entry: trust.LedgerEntry, names: Mapping[str, str]) -> views.LedgerRow | None:
    """A leaf of the list, with who did it by `names`; None for an entry that has no place in the log yet."""
    if entry.seq is None:
        return None
    tone: views.Tone = "neutral"
    if entry.kind == "decision" and entry.data.get("outcome") == "refused":
        tone = "high"
    elif entry.kind == "outcome" and entry.data.get("outcome") == "succeeded":
        tone = "low"
    return views.LedgerRow(
        entry.seq,
        entry.at,
        entry_title(lang, entry.kind),
        names.get(entry.actor, entry.actor),
        entry.leaf_hash,
        url("evidence_entry", entry.seq),
        tone,
    )


def sandbox_message(lang: Lang, message: execution.SandboxMessage) -> views.SandboxMessage:
    """What would have left, as its recipient would have read it."""
    request = message.request
    headers, body = request.get("headers") or {}, request.get("body")
    text, to = (
        (body, str(headers.get("To", ""))) if isinstance(body, str) else (_text(body), str((body or {}).get("to", "")))
    )
    return views.SandboxMessage(
        id=str(message.message_id),
        at=message.at,
        channel=connector(lang, message.connector),
        connector=message.connector,
        to=to,
        subject=str(headers.get("Subject", "")),
        body=text,
        receipt=f"sandbox-{message.message_id}",
        href=url("evidence", q=f"action:{message.action_id}"),
    )


def _text(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    template = body.get("template") or {}
    parts: Sequence[Any] = [p.get("text") for c in template.get("components", []) for p in c.get("parameters", [])]
    if parts:
        return "\n\n".join(str(part) for part in parts)
    text = body.get("text")
    return str(text.get("body", "")) if isinstance(text, dict) else str(text or "")


class Entry:
    """A canonical ledger entry, read back for its page. Empty where the text was erased."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.kind = str(document.get("kind", ""))
        self.actor = str(document.get("actor", ""))
        self.target = str(document.get("target", ""))
        self.data: dict[str, Any] = document.get("data") or {}
        at = document.get("at")
        self.at = datetime.fromisoformat(at) if isinstance(at, str) else None


def entry_of(text: str) -> Entry:
    return Entry(json.loads(text) if text else {})


def timeline(
    lang: Lang, entries: Sequence[trust.LedgerEntry], current: int, names: Mapping[str, str]
) -> tuple[views.Event, ...]:
    """All that the log says about the same thing, oldest first."""
    return tuple(
        views.Event(
            e.at, entry_title(lang, e.kind), names.get(e.actor, e.actor), _outcome(lang, e.data), e.leaf_hash,
            href=url("evidence_entry", e.seq) if e.seq is not None else "", current=e.seq == current,
        )
        for e in sorted(entries, key=lambda e: e.at)
    )  # fmt: skip


def entry_facts(lang: Lang, entry: Entry) -> tuple[views.Fact, ...]:
    shown = (
        ("outcome", "النتيجة", "Outcome"),
        ("mode", "الوضع", "Mode"),
        ("class", "الفئة", "Class"),
        ("policy_version", "إصدار السياسة", "Policy version"),
    )
    return tuple(
        views.Fact(pick(lang, ar, en), _outcome(lang, entry.data) if key == "outcome" else str(entry.data[key]), "ltr")
        for key, ar, en in shown
        if entry.data.get(key)
    )


def _outcome(lang: Lang, said: Mapping[str, Any]) -> str:
    """What became of it, in words: as trust decided, or as the action ended."""
    value = str(said.get("outcome", ""))
    group = "outcome" if value in words.words()["outcome"] else "action_state"
    found = words.word(group, value)
    return pick(lang, found.ar, found.en)
