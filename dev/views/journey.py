"""An action's journey: its spans as trees with times across the planes, each linked trace a tree of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from dev.messages import Lang
from dev.terminal import plain, table, took
from dev.words import word

Json = Mapping[str, Any]
_HEADINGS = (("plane", "الخدمة"), ("span", "الخطوة"), ("starts", "البداية"), ("took", "المدة"), ("", ""))


def walk(step: Json, guide: str = "", own: str = "") -> Iterator[tuple[str, Json]]:
    """A step and all below it, each with the lines drawn before its name."""
    yield own, step
    below = step.get("children") or ()
    for at, child in enumerate(below, 1):
        last = at == len(below)
        yield from walk(child, f"{guide}{'   ' if last else '│  '}", f"{guide}{'└─ ' if last else '├─ '}")


def steps(trace: Json) -> list[tuple[str, Json]]:
    """All steps of a trace, from the roots down."""
    return [found for root in trace.get("roots") or () for found in walk(root)]


def trees(lang: Lang, traces: Sequence[Json]) -> list[RenderableType]:
    """One table a trace: plane, step indented below what caused it, when it began, how long it took."""
    shown: list[RenderableType] = []
    for trace in traces:
        rows = [
            (
                word("plane", step.get("plane"), lang),
                Text(f"{guide}{plain(step.get('name'))}", style="" if step.get("ok", True) else "red"),
                f"+{took(step.get('starts_ms'))}",
                took(step.get("took_ms")),
                "" if step.get("ok", True) else ("خطأ" if lang == "ar" else "error"),
            )
            for guide, step in steps(trace)
        ]
        shown += [_title(lang, trace, len(rows)), table(lang, _HEADINGS, rows, numbers=[2, 3])]
    return shown


def _title(lang: Lang, trace: Json, count: int) -> Text:
    trace_id, length, later = plain(trace.get("trace_id")), took(trace.get("took_ms")), trace.get("starts_ms")
    planes = len(trace.get("planes") or ())
    if lang == "ar":
        text = f"\nتتبع {trace_id}: خطوات {count} · خدمات {planes} · {length}"
        return Text(f"{text} · بعد {took(later)}" if later else text, style="bold")
    text = f"\ntrace {trace_id}: {count} spans, {planes} planes, {length}"
    return Text(f"{text}, {took(later)} later" if later else text, style="bold")
