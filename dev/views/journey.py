"""An action's journey: its spans as a tree with times across the planes, each linked trace a tree of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from dev.messages import Lang
from dev.terminal import plain, table, took
from dev.words import word

Json = Mapping[str, Any]


@dataclass(slots=True)
class Node:
    """A span and those it caused, in order of their start."""

    span: Json
    children: list[Node] = field(default_factory=list)

    def walk(self, guide: str = "", own: str = "") -> Iterator[tuple[str, Json]]:
        """Every span below with the lines drawn before its name."""
        yield own, self.span
        for at, child in enumerate(self.children, 1):
            last = at == len(self.children)
            yield from child.walk(f"{guide}{'   ' if last else '│  '}", f"{guide}{'└─ ' if last else '├─ '}")


@dataclass(slots=True)
class Trace:
    trace_id: str
    roots: list[Node]
    start_ns: int
    end_ns: int


def traces(spans: Iterable[Json]) -> list[Trace]:
    """The trees of all traces, earliest first. A span whose parent is not among them is a root: nothing is left out."""
    by_trace: dict[str, dict[str, Node]] = {}
    for span in sorted(spans, key=lambda s: (int(s["start_ns"]), int(s["end_ns"]))):
        by_trace.setdefault(str(span["trace_id"]), {}).setdefault(str(span["span_id"]), Node(span))
    made = []
    for trace_id, nodes in by_trace.items():
        roots: list[Node] = []
        for node in nodes.values():
            parent = nodes.get(str(node.span.get("parent_id") or ""))
            (parent.children if parent is not None and parent is not node else roots).append(node)
        ends = max(int(n.span["end_ns"]) for n in nodes.values())
        made.append(Trace(trace_id, roots, int(next(iter(nodes.values())).span["start_ns"]), ends))
    return sorted(made, key=lambda trace: trace.start_ns)


def trees(lang: Lang, spans: Sequence[Json]) -> list[RenderableType]:
    """One table a trace: plane, span indented below its parent, when it began, how long it took."""
    shown: list[RenderableType] = []
    found = traces(spans)
    for trace in found:
        rows = [
            (
                word("plane", span.get("plane"), lang),
                Text(f"{guide}{plain(span.get('name'))}", style="" if span.get("ok", True) else "red"),
                f"+{took(int(span['start_ns']) - trace.start_ns)}",
                took(int(span["end_ns"]) - int(span["start_ns"])),
                "" if span.get("ok", True) else ("خطأ" if lang == "ar" else "error"),
            )
            for root in trace.roots
            for guide, span in root.walk()
        ]
        planes = len({span.get("plane") for root in trace.roots for _, span in root.walk()})
        later = trace.start_ns - found[0].start_ns
        shown += [
            _title(lang, trace, len(rows), planes, later),
            table(
                lang,
                [("plane", "الخدمة"), ("span", "الخطوة"), ("starts", "البداية"), ("took", "المدة"), ("", "")],
                rows,
                numbers=[2, 3],
            ),
        ]
    return shown


def _title(lang: Lang, trace: Trace, spans: int, planes: int, later: int) -> Text:
    length = took(trace.end_ns - trace.start_ns)
    if lang == "ar":
        text = f"\nتتبع {plain(trace.trace_id)}: خطوات {spans} · خدمات {planes} · {length}"
        return Text(f"{text} · بعد {took(later)}" if later else text, style="bold")
    text = f"\ntrace {plain(trace.trace_id)}: {spans} spans, {planes} planes, {length}"
    return Text(f"{text}, {took(later)} later" if later else text, style="bold")
