"""Memos of the executive room: figures by their metrics' names, approvals and evidence as trust has them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from libs.contracts.errors import NotFound
from libs.contracts.memos import BoardSection, Figure
from libs.contracts.metrics import MetricValue
from services.decision.memos.domain.made import BadInputs, Facts, rules


def _figure(name: str, value: MetricValue) -> Figure:
    return Figure(
        metric=name, unit=value.unit, value=value.value, rows=value.rows, as_of=value.as_of, why_en=value.why_en, why_ar=value.why_ar
    )  # fmt: skip


def _known(facts: Facts, name: str) -> Decimal | None:
    found = facts.metrics.get(name)
    return None if found is None else found.value


def approval_packet(facts: Facts) -> dict[str, Any]:
    """What an approver has to know, from the request as trust keeps it."""
    one = facts.approval
    if one is None:
        raise NotFound
    payload = json.loads(one.payload) if one.payload else {}
    hours = round((one.due_at - one.requested_at).total_seconds() / 3600, 2)
    return {
        "approval_id": one.approval_id, "action": one.action_type,
        "action_class": one.decision.action_class.value if one.decision and one.decision.action_class else "",
        "resource": str(one.view.get("title_en") or one.view.get("title_ar") or ""), "requested_by": one.requester,
        "priority": one.risk if one.risk in ("low", "medium", "high") else "high", "sla_hours": hours,
        "context": payload if isinstance(payload, dict) else {"payload": payload}, "risk_summary": one.reason, "reversibility": one.compensation,
        "payload_hash": one.payload_hash, "view_hash": one.view_hash,
    }  # fmt: skip


def evidence_pack(facts: Facts) -> dict[str, Any]:
    """A pack as trust has it; what people call it is theirs to say."""
    one = facts.pack
    if one is None or one.contents is None:
        raise NotFound
    given, inside = facts.inputs, one.contents
    return {
        "pack_id": one.pack_id, "title": given["title"], "title_ar": given.get("title_ar", ""), "pack_type": given["pack_type"], "scope": one.scope,
        "status": one.state, "contents": {**inside.counts, "erased": inside.erased, "bytes": one.bytes}, "assembler": one.created_by,
        "reviewer": one.reviewed_by, "checkpoint": inside.checkpoint, "cosignatures": inside.cosignatures, "statement": given.get("statement", ""),
    }  # fmt: skip


def executive_snapshot(facts: Facts) -> dict[str, Any]:
    """The rules' figures, those without data included."""
    open_ones = _known(facts, "contradictions_open")
    risks = []
    violations = _known(facts, "violation_rate")
    if violations:
        risks.append(f"{violations:.1%} of decided actions were refused by policy.")
    if open_ones:
        risks.append(f"{int(open_ones)} contradictions are open.")
    return {
        "kpis": tuple(_figure(name, value) for name, value in facts.metrics.items()), "risks": tuple(risks), "pending_decisions": facts.waiting,
        "contradictions": None if open_ones is None else int(open_ones), "as_of": facts.now,
    }  # fmt: skip


def board_pack_draft(facts: Facts) -> dict[str, Any]:
    """Eight sections; a figure without data says why."""
    sections = tuple(
        BoardSection(
            key=one["key"], en=one["en"], ar=one["ar"],
            figures=tuple(_figure(name, facts.metrics[name]) for name in one["figures"] if name in facts.metrics),
        )
        for one in rules()["board"]
    )  # fmt: skip
    return {
        "period": facts.inputs["period"], "sections": sections, "revenue_actual": _known(facts, "revenue_actual"),
        # What was forecast counts before what somebody says it is.
        "revenue_forecast": facts.ahead.expected if facts.ahead else facts.inputs.get("revenue_forecast"), "key_risks": tuple(facts.inputs.get("key_risks", ())),
        "decisions_required": tuple(facts.inputs.get("decisions_required", ())),
    }  # fmt: skip


def exec_weekly_pack(facts: Facts) -> dict[str, Any]:
    """Red with a blocker, amber when approvals were late or actions were refused, green otherwise and only with figures to say so."""
    given = facts.inputs
    blockers = tuple(given.get("blockers", ()))
    on_time, violations = _known(facts, "approval_sla_compliance"), _known(facts, "violation_rate")
    shaky = on_time is None or on_time < Decimal("0.9") or bool(violations)
    return {
        "week_of": given["week_of"], "overall_rag": "red" if blockers else "amber" if shaky else "green",
        "completed": tuple(given.get("completed", ())), "planned": tuple(given.get("planned", ())), "blockers": blockers,
        "synergy_actual": given.get("synergy_actual"), "synergy_target": given.get("synergy_target"),
        "people_update": given.get("people_update", ""), "risk_summary": given.get("risk_summary", ""),
    }  # fmt: skip


def forecast_variance(facts: Facts) -> dict[str, Any]:
    """Of a month, the stored forecast's gap and what it came from. Without a month, against a forecast that somebody states: without an actual
    there is no variance, and no accuracy."""
    name = facts.gap.metric if facts.gap else str(facts.inputs["metric"])
    if name not in facts.metrics:
        raise BadInputs({"metric": "a metric of the dictionary"})
    if facts.gap is not None:
        gap = facts.gap
        causes = tuple(
            f"{part.en}: {part.variance:+,.2f} ({part.deals} deals)" for part in gap.by_timing if part.variance
        )
        return {
            "metric": name, "actual": gap.actual, "forecast": gap.expected, "variance": gap.variance, "root_causes": causes,
            "accuracy": gap.accuracy, "horizon": f"{gap.since:%Y-%m-%d}/{gap.until:%Y-%m-%d}",
        }  # fmt: skip
    if facts.inputs.get("forecast") in (None, ""):
        raise BadInputs({"forecast": "is missing, or the month whose stored forecast is meant"})
    value, forecast = facts.metrics[name], Decimal(str(facts.inputs["forecast"]))
    actual = value.value
    accuracy = None if not actual else round(max(0.0, 1 - abs(float((actual - forecast) / actual))), 4)
    causes = (
        () if actual is None else (f"{value.counted} of {value.rows} records count; {value.excluded} are left out.",)
    )
    return {
        "metric": name, "actual": actual, "forecast": forecast, "variance": None if actual is None else actual - forecast, "root_causes": causes,
        "accuracy": accuracy, "horizon": f"{value.since:%Y-%m-%d}/{value.until:%Y-%m-%d}",
    }  # fmt: skip
