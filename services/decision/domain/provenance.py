"""Provenance of what the local engines recommend: confidence and freshness are computed from the facts at hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from libs.contracts.agents import ModelRun
from libs.contracts.message import Provenance


def freshness_hours(now: datetime, observed: Iterable[date | datetime | None]) -> float:
    """Age in hours of the newest fact used; what lies in the future counts as now.

    Raises ValueError when no fact has a date: an age that nobody knows must not look like a fresh one.
    """
    moments = [_moment(when) for when in observed if when is not None]
    if not moments:
        raise ValueError("freshness needs at least one dated fact")
    return round(max(0.0, (now - max(moments)).total_seconds() / 3600), 2)


def _moment(when: date | datetime) -> datetime:
    return when if isinstance(when, datetime) else datetime.combine(when, time(), UTC)


def combined(*confidences: float) -> float:
    """Confidence in something that needs each of its inputs to be right: their product, within 0 and 1."""
    product = 1.0
    for confidence in confidences:
        product *= min(1.0, max(0.0, confidence))
    return round(product, 4)


def local(
    *,
    now: datetime,
    by: str,
    engine: str,
    version: str,
    confidence: float,
    freshness: float,
    sources: Iterable[str] = (),
    trace_id: str = "",
    policy_version: str = "",
) -> Provenance:
    """Provenance of a local engine's work (`template` or `rules`): no model was asked, and the record says so."""
    return Provenance(
        generated_at=now,
        generated_by=by,
        model_provider="local",
        model_id=f"engine={engine}",
        prompt_version=version,
        confidence=round(min(1.0, max(0.0, confidence)), 4),
        freshness_hours=freshness,
        trace_id=trace_id,
        sources=tuple(dict.fromkeys(sources)),
        policy_version=policy_version,
    )


def modelled(
    run: ModelRun,
    *,
    now: datetime,
    by: str,
    confidence: float,
    freshness: float,
    sources: Iterable[str] = (),
    trace_id: str = "",
) -> Provenance:
    """Provenance of what a model answered: which one of whom, by which prompt."""
    return Provenance(
        generated_at=now, generated_by=by, model_provider=run.provider, model_id=run.model, prompt_version=run.prompt_version,
        confidence=round(min(1.0, max(0.0, confidence)), 4), freshness_hours=freshness, trace_id=trace_id, sources=tuple(dict.fromkeys(sources)),
    )  # fmt: skip
