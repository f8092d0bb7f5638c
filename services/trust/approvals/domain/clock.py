"""The four thresholds of an approval's clock, in Saudi business time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.contracts.approvals import TrustRules
from libs.contracts.business_time import after, between, is_open, public_holidays

__all__ = ["THRESHOLDS", "Threshold", "after", "between", "is_open", "public_holidays", "role_at", "thresholds"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """`share` of the SLA after which `stage` is reached."""

    stage: str
    share: float


THRESHOLDS = (
    Threshold("reminded", 0.5),
    Threshold("warned", 0.8),
    Threshold("escalated", 1.0),
    Threshold("breached", 1.5),
)


def thresholds(start: datetime, risk: str, action_type: str, rules: TrustRules) -> dict[str, datetime]:
    """When each stage of a request's clock is reached."""
    minutes = rules.sla_minutes.get(risk, rules.sla_minutes.get("high", 240))
    any_hour = action_type in rules.any_hour
    return {t.stage: after(start, minutes * t.share, rules, any_hour=any_hour) for t in THRESHOLDS}


def role_at(stage: str, role: str, rules: TrustRules) -> str:
    """Whose queue a request is in once it reaches a stage."""
    if stage == "escalated":
        return rules.next_role.get(role, rules.executive)
    return rules.executive if stage == "breached" else role
