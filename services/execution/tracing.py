"""How a batch of actions is traced: in whose trace it goes on, and what its span says."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context

from libs.runtime import telemetry
from services.execution.domain.actions import Job


def traces(jobs: Sequence[Job]) -> tuple[Context, list[trace.Link]]:
    """The trace to go on in: the client's own when the batch has one, else a new one that links to each."""
    parents = {job.headers.get("traceparent", "") for job in jobs}
    if len(parents) == 1:
        return telemetry.extract(jobs[0].headers), []
    links = []
    for job in jobs[:128]:
        context = trace.get_current_span(telemetry.extract(job.headers)).get_span_context()
        if context.is_valid and context.trace_flags.sampled:
            links.append(trace.Link(context))
    # Nobody's trace is kept: neither is the batch's.
    return (telemetry.extract({}) if links else telemetry.unsampled()), links


def attributes(jobs: Sequence[Job]) -> dict[str, str | int | float | bool]:
    out: dict[str, str | int | float | bool] = {"dealix.count": len(jobs), "dealix.tenant": str(jobs[0].tenant_id)}
    if len(jobs) == 1:
        out |= {
            "dealix.action": str(jobs[0].action_id),
            "dealix.action_type": jobs[0].action_type,
            "dealix.attempt": jobs[0].attempt,
        }
    return out
