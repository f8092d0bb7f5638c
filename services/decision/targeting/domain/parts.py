"""The eight parts of a score, each 0-100, computed from the facts of one lead. What is not known is worth what the catalogue
says for unknown, which is less than an average fact."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from libs.contracts.catalogue.sources import sources
from libs.contracts.catalogue.targeting import Size, SourceSignal, Targeting
from libs.contracts.trust import Contactability
from services.decision.targeting.domain.committee import Seat
from services.decision.targeting.domain.facts import EmailKind, LeadFacts, PhoneKind
from services.decision.targeting.domain.signals import Found


class Parts(NamedTuple):
    """Points of each part, 0-100."""

    fit: float
    intent: float
    urgency: float
    revenue: float
    engagement: float
    quality: float
    compliance: float
    deliverability: float


@dataclass(frozen=True, slots=True)
class ValueScale:
    """Estimated values in SAR of all leads compared, sorted: the percentile of one is its place among them."""

    sorted_sar: tuple[float, ...]

    @classmethod
    def of(cls, leads: Iterable[LeadFacts], catalogue: Targeting) -> ValueScale:
        return cls(tuple(sorted(v for v in (in_sar(lead, catalogue) for lead in leads) if v is not None)))

    def percentile(self, sar: float) -> float:
        """0-100: the share of known values below this one, equal ones counted half."""
        if not self.sorted_sar:
            return 50.0
        below, upto = bisect_left(self.sorted_sar, sar), bisect_right(self.sorted_sar, sar)
        return 100 * (below + upto) / 2 / len(self.sorted_sar)


def in_sar(lead: LeadFacts, catalogue: Targeting) -> float | None:
    """The estimated value for comparing, or None when there is none or its currency has no fixed rate to the riyal."""
    rate = catalogue.sar_rates.get(lead.currency)
    if lead.estimated_value is None or rate is None or lead.estimated_value <= Decimal(0):
        return None
    return float(lead.estimated_value * rate)


def size_of(employees: int | None, catalogue: Targeting) -> Size | None:
    """The band of a number of employees; None where the number is unknown or makes no sense."""
    if employees is None or employees <= 0:
        return None
    return next(size for size in catalogue.sizes if size.upto is None or employees <= size.upto)


def fit(lead: LeadFacts, place: Seat | None, rules: Targeting) -> float:
    """How well sector, size and the contact's role match the customer profile."""
    sector = rules.sectors.get(lead.sector or "")
    size = size_of(lead.employees, rules)
    share = rules.fit_weights
    return (
        share["sector"] * (sector.fit if sector else rules.unknown.sector)
        + share["size"] * (size.fit if size else rules.unknown.size)
        + share["role"] * (place.fit if place else rules.unknown.role)
    )


def signal_points(found: Sequence[Found], rules: Targeting) -> tuple[float, float, float]:
    """Intent, urgency and engagement from signals.

    Several reasons add up without ever passing 100 (the chance that at least one holds); reasons against take their share
    of what there is.
    """
    missing = [1.0, 1.0, 1.0]
    kept = [1.0, 1.0, 1.0]
    for one in found:
        signal = _rule(one, rules)
        against = getattr(signal, "against", False)
        for i, points in enumerate((signal.intent, signal.urgency, signal.engagement)):
            if against:
                kept[i] *= 1 - one.strength * points / 100
            else:
                missing[i] *= 1 - one.strength * points / 100
    return (
        100 * (1 - missing[0]) * kept[0],
        100 * (1 - missing[1]) * kept[1],
        100 * (1 - missing[2]) * kept[2],
    )


def _rule(one: Found, rules: Targeting) -> SourceSignal:
    return rules.signals[one.key] if one.told else rules.sources[one.key]


def engagement(lead: LeadFacts, from_signals: float, today: date, rules: Targeting) -> float:
    """Signals of engagement together with how recently anything happened between us."""
    if lead.last_activity_at is None:
        return from_signals
    recent: float = 0.5 ** (max(0, (today - lead.last_activity_at).days) / rules.engagement_half_life_days)
    return 100 - (100 - from_signals) * (1 - 0.5 * recent)


def known_fields(lead: LeadFacts) -> dict[str, bool]:
    """Which of the fields that make a record complete are known and usable."""
    rule = sources().get(lead.source)
    return {
        "account_name": bool(lead.account_name.strip()),
        "contact_name": bool(lead.contact_name),
        "title": bool(lead.title),
        "email": lead.email not in (EmailKind.ABSENT, EmailKind.INVALID),
        "phone": lead.phone not in (PhoneKind.ABSENT, PhoneKind.INVALID),
        "sector": bool(lead.sector),
        "employees": lead.employees is not None and lead.employees > 0,
        "estimated_value": lead.estimated_value is not None,
        "source": rule is not None and rule.risk is not None,
    }


def quality(lead: LeadFacts, known: dict[str, bool], today: date, rules: Targeting) -> float:
    """Completeness and freshness of the record, less what probable duplicates cost."""
    completeness = 100 * sum(share for name, share in rules.completeness.items() if known[name])
    newest = max(filter(None, (lead.obtained_at, lead.last_activity_at)), default=None)
    # An undated record is as good as one whose age is twice the half-life.
    age = 2 * rules.quality_half_life_days if newest is None else max(0, (today - newest).days)
    fresh: float = 100 * 0.5 ** (age / rules.quality_half_life_days)
    share = rules.quality_weights
    points = share["completeness"] * completeness + share["freshness"] * fresh
    return max(0.0, points - rules.duplicate_penalty * lead.duplicates)


def best_status(lead: LeadFacts, rules: Targeting) -> Contactability:
    """The most permissive state that trust gave any channel; nothing said is `unknown`."""
    value = rules.contactability_value
    return max((lead.status(channel) for channel in rules.channels), key=lambda status: value[status])


def source_risk(lead: LeadFacts, rules: Targeting) -> float:
    """0 (none) to 100; a source that has no stated risk, or that nobody knows, counts as the catalogue says for unknown."""
    rule = sources().get(lead.source)
    return rules.unknown.source_risk if rule is None or rule.risk is None else float(rule.risk)


def compliance(lead: LeadFacts, best: Contactability, rules: Targeting) -> float:
    """How safe it is to contact them at all: 0 when every channel is blocked, whatever the source."""
    if best is Contactability.BLOCKED:
        return 0.0
    share = rules.compliance_weights
    return (
        share["source"] * (100 - source_risk(lead, rules)) + share["contactability"] * rules.contactability_value[best]
    )


def deliverability(lead: LeadFacts, rules: Targeting) -> float:
    """Whether a message would arrive: the better of address and number, with a little for having both."""
    email, phone = rules.email_kinds[lead.email], rules.phone_kinds[lead.phone]
    return min(100.0, 0.85 * max(email, phone) + 0.15 * min(email, phone))
