"""An action's journey: its spans as trees with times, one tree a trace."""

from __future__ import annotations

from collections.abc import Iterable

from libs.contracts.message import Message
from libs.contracts.operating import SpanRecord


class Step(Message):
    """A span with those that it caused. Times are milliseconds from the beginning of its trace."""

    span_id: str
    plane: str
    name: str
    kind: str
    starts_ms: float
    took_ms: float
    ok: bool
    links: tuple[str, ...]
    children: tuple[Step, ...]


class TraceTree(Message):
    """One trace. `starts_ms` is counted from the beginning of the journey's first trace."""

    trace_id: str
    starts_ms: float
    took_ms: float
    planes: tuple[str, ...]
    roots: tuple[Step, ...]


def trees(spans: Iterable[SpanRecord]) -> tuple[TraceTree, ...]:
    """All traces, the earliest first. A span whose parent is not among them is a root: nothing is left out."""
    by_trace: dict[str, dict[str, SpanRecord]] = {}
    for span in sorted(spans, key=lambda s: (s.start_ns, s.end_ns)):
        by_trace.setdefault(span.trace_id, {}).setdefault(span.span_id, span)
    if not by_trace:
        return ()
    first = min(span.start_ns for found in by_trace.values() for span in found.values())
    made = [_tree(trace_id, found, first) for trace_id, found in by_trace.items()]
    return tuple(sorted(made, key=lambda tree: tree.starts_ms))


def _tree(trace_id: str, found: dict[str, SpanRecord], first: int) -> TraceTree:
    start = min(span.start_ns for span in found.values())
    children: dict[str | None, list[SpanRecord]] = {}
    for span in found.values():
        known = span.parent_id in found and span.parent_id != span.span_id
        children.setdefault(span.parent_id if known else None, []).append(span)

    def step(span: SpanRecord, depth: int) -> Step:
        below = children.get(span.span_id, ()) if depth < 64 else ()
        return Step(
            span_id=span.span_id,
            plane=span.plane.value,
            name=span.name,
            kind=span.kind,
            starts_ms=_ms(span.start_ns - start),
            took_ms=_ms(span.end_ns - span.start_ns),
            ok=span.ok,
            links=span.links,
            children=tuple(step(child, depth + 1) for child in below),
        )

    return TraceTree(
        trace_id=trace_id,
        starts_ms=_ms(start - first),
        took_ms=_ms(max(span.end_ns for span in found.values()) - start),
        planes=tuple(sorted({span.plane.value for span in found.values()})),
        roots=tuple(step(span, 0) for span in children.get(None, ())),
    )


def _ms(ns: int) -> float:
    return round(ns / 1_000_000, 3)
