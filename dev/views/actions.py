"""Actions: one in full with its timeline, and lists."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from dev.messages import Lang
from dev.terminal import Cell, facts, plain, table, toned, when
from dev.views.job import heading
from dev.words import word

Json = Mapping[str, Any]


def listing(lang: Lang, items: Sequence[Json]) -> RenderableType:
    rows = [
        (
            plain(a.get("action_id")),
            plain(a.get("action_type")),
            plain(class_of(a)),
            toned(word("action_state", a.get("state"), lang), a.get("state")),
            when(_last(a)),
        )
        for a in items
    ]
    headings = [("action", "المعرّف"), ("type", "النوع"), ("class", "الصنف"), ("state", "الحالة"), ("since", "منذ")]
    return table(lang, headings, rows, whole=[0])


def class_of(action: Json) -> str:
    return str(action.get("class") or action.get("action_class") or "")


def _last(action: Json) -> object:
    timeline = action.get("timeline") or ()
    return timeline[-1].get("at") if timeline else None


def in_full(lang: Lang, action: Json) -> RenderableType:
    """An action with its reasons, receipt and timeline."""
    ar = lang == "ar"
    resource = action.get("resource") or {}
    receipt = action.get("receipt") or {}
    about: list[tuple[str, Cell]] = [
        ("المعرّف" if ar else "action", plain(action.get("action_id"))),
        ("النوع" if ar else "type", plain(action.get("action_type"))),
        ("الصنف" if ar else "class", plain(class_of(action))),
        ("الحالة" if ar else "state", toned(word("action_state", action.get("state"), lang), action.get("state"))),
        ("بانتظار" if ar else "waits for", word("plane", action.get("waiting_for"), lang)),
        ("يخص" if ar else "about", plain(f"{resource.get('type')}:{resource.get('id')}") if resource else ""),
        ("طلبه" if ar else "requested by", plain(action.get("requested_by"))),
        ("المحاولة" if ar else "attempt", str(action.get("attempt") or "")),
        ("الموافقة" if ar else "approval", plain(action.get("approval_id"))),
        ("التصريح" if ar else "grant", plain(action.get("grant_id"))),
        ("الإيصال" if ar else "receipt", _receipt(lang, receipt)),
        ("إصدار السياسة" if ar else "policy version", plain(action.get("policy_version"))),
        ("التتبع" if ar else "trace", plain(action.get("trace_id"))),
    ]
    parts: list[RenderableType] = [facts([pair for pair in about if pair[1]])]
    if reasons := action.get("reasons"):
        lines = [Text(f"  {plain(r.get(lang))} ({plain(r.get('code'))})") for r in reasons]
        parts += [heading(lang, "Reasons", "الأسباب"), *lines]
    if payload := action.get("payload"):
        pretty = plain(json.dumps(payload, ensure_ascii=False, indent=2), lines=True)
        parts += [heading(lang, "Payload", "الحمولة"), Text(pretty, overflow="fold")]
    if timeline := action.get("timeline"):
        steps = [
            (
                when(s.get("at"), seconds=True),
                toned(word("action_state", s.get("state"), lang), s.get("state")),
                plain(s.get("detail")),
            )
            for s in timeline
        ]
        headings = [("time", "الوقت"), ("state", "الحالة"), ("", "")]
        parts += [heading(lang, "Timeline", "التسلسل"), table(lang, headings, steps)]
    return Group(*parts)


def _receipt(lang: Lang, receipt: Json) -> str:
    if not receipt:
        return ""
    mode = word("mode", receipt.get("mode"), lang)
    return plain(f"{receipt.get('connector')} · {mode} · {receipt.get('vendor_id')}")
