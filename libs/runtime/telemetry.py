"""Traces, and logs that carry them. One `start()` a process; a tracer a plane.

Spans leave by OTLP when `OTEL_EXPORTER_OTLP_ENDPOINT` is set, and always as signals to the operating plane, which keeps the last
ones so that an action's journey can be shown without other software.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from libs.contracts.message import Message, Plane
from libs.contracts.operating import SpanRecord
from libs.runtime.settings import VERSION

TENANT = "dealix.tenant"
"""Attribute of a span that is one tenant's."""

Sink = Callable[[Plane, tuple[SpanRecord, ...]], None]


class _PlaneExporter(SpanExporter):
    """Hands finished spans, grouped by the plane that made them, to whatever sink the plane has registered."""

    def __init__(self) -> None:
        self.sinks: dict[Plane, Sink] = {}

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        by_plane: dict[Plane, list[SpanRecord]] = {}
        for span in spans:
            scope = span.instrumentation_scope.name if span.instrumentation_scope else ""
            if scope.startswith("dealix."):
                plane = Plane(scope.removeprefix("dealix."))
                by_plane.setdefault(plane, []).append(_record(plane, span))
        for plane, records in by_plane.items():
            sink = self.sinks.get(plane)
            if sink is not None:
                for start in range(0, len(records), 200):
                    sink(plane, tuple(records[start : start + 200]))
        return SpanExportResult.SUCCESS


def _record(plane: Plane, span: ReadableSpan) -> SpanRecord:
    context = span.get_span_context()
    if context is None or span.start_time is None or span.end_time is None:
        raise ValueError("an unfinished span was exported")
    return SpanRecord(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=f"{span.parent.span_id:016x}" if span.parent else None,
        plane=plane,
        name=span.name,
        kind=span.kind.name.lower(),
        start_ns=span.start_time,
        end_ns=span.end_time,
        ok=span.status.is_ok or span.status.is_unset,
        attributes={k: v for k, v in (span.attributes or {}).items() if isinstance(v, (str, int, float, bool))},
        links=tuple(f"{link.context.trace_id:032x}" for link in span.links),
    )


_ids = RandomIdGenerator()
_exporter = _PlaneExporter()
_provider: TracerProvider | None = None


def start(*, ratio: float = 1.0, level: str = "INFO") -> None:
    """Set up tracing and JSON logs, once a process; later calls change nothing."""
    global _provider
    if _provider is not None:
        return
    provider = TracerProvider(
        resource=Resource.create({"service.name": "dealix", "service.version": VERSION}),
        sampler=ParentBased(TraceIdRatioBased(ratio)),
    )
    provider.add_span_processor(BatchSpanProcessor(_exporter, schedule_delay_millis=500, max_queue_size=8192))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        # Only where it is wanted: it takes half a second to import.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _provider = provider
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "asyncio", "faststream", "nats", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def route_spans(plane: Plane, sink: Sink) -> None:
    """Where a plane's finished spans go. The sink is called from the exporter's thread."""
    _exporter.sinks[plane] = sink


def flush() -> None:
    """Hand over spans that are still in the buffer; for shutdown."""
    if _provider is not None:
        _provider.force_flush(2000)


def tracer(plane: Plane) -> trace.Tracer:
    return trace.get_tracer(f"dealix.{plane.value}")


@contextmanager
def span(
    plane: Plane,
    name: str,
    *,
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    parent: otel_context.Context | None = None,
    links: Sequence[trace.Link] = (),
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Iterator[trace.Span]:
    """A span as the current one. When the caller's trace is not sampled nothing is recorded, and nothing is paid for it."""
    current = trace.get_current_span(parent).get_span_context()
    if current.is_valid and not current.trace_flags.sampled:
        token = otel_context.attach(parent) if parent is not None else None
        try:
            yield trace.INVALID_SPAN
        finally:
            if token is not None:
                otel_context.detach(token)
        return
    with tracer(plane).start_as_current_span(
        name,
        context=parent,
        kind=kind,
        links=list(links),
        attributes=dict(attributes or {}),
        # An exception's text may quote a row or a payload, and spans leave this system: its type is all that is kept.
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except Exception as error:  # seen by the span, and raised on
            made.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def name_tenant(span: trace.Span, message: Message) -> None:
    """Say on the span whose it is, where the message is one tenant's: traces are shown to that tenant alone."""
    tenant = getattr(message, "tenant_id", None) or getattr(getattr(message, "principal", None), "tenant_id", None)
    if tenant is not None:
        span.set_attribute(TENANT, str(tenant))


def headers() -> dict[str, str]:
    """The current trace as W3C `traceparent`, for a message's headers."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def current() -> object:
    """What `headers` is made of: the same object for as long as the trace and the span are the same."""
    return otel_context.get_current()


def extract(carrier: dict[str, str] | None) -> otel_context.Context:
    """The trace that a message's headers name; an empty context when they name none."""
    return propagate.extract({k.lower(): v for k, v in (carrier or {}).items()}, context=otel_context.Context())


def unsampled() -> otel_context.Context:
    """A context in which nothing is recorded: for work whose callers' traces are not kept either."""
    hidden = trace.SpanContext(
        _ids.generate_trace_id(), _ids.generate_span_id(), is_remote=True, trace_flags=trace.TraceFlags(0)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(hidden), otel_context.Context())


def trace_id() -> str:
    """The current trace's id in hex, empty outside a trace."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


class JsonFormatter(logging.Formatter):
    """One JSON object a line. Only what code passes on purpose gets in: message, ids in `extra={"ids": …}`, exception type."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage().replace("\r", "\\r").replace("\n", "\\n"),
        }
        if current := trace_id():
            line["trace_id"] = current
        line.update(getattr(record, "ids", {}))
        if record.exc_info and record.exc_info[0] is not None:
            # The text of an exception may quote a row or a payload: type and place only.
            line["exception"] = record.exc_info[0].__name__
            frame = record.exc_info[2]
            while frame is not None and frame.tb_next is not None:
                frame = frame.tb_next
            if frame is not None:
                line["at_line"] = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
        return json.dumps(line, ensure_ascii=False)
