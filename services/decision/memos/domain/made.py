"""What a memo is made from, and the provenance that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from libs.contracts.crm import Record
from libs.contracts.decision import Opportunity
from libs.contracts.errors import Invalid, NotFound
from libs.contracts.forecasts import Ahead, Variance
from libs.contracts.message import Provenance
from libs.contracts.metrics import MetricValue
from libs.contracts.trust import Approval, EvidenceReply
from services.decision.domain.provenance import combined, freshness_hours, local

RULES = Path(__file__).parents[1] / "rules.yaml"
VERSION = "memos-1"
ENGINE = "rules"


class BadInputs(Invalid):
    """Inputs that a memo can't be made from, by field."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        named = ", ".join(f"{name}: {why}" for name, why in list(wrong.items())[:10])
        super().__init__(
            "bad_memo_inputs",
            f"These inputs do not fit: {named}.",
            f"مدخلات غير صالحة: {'، '.join(list(wrong)[:10])}.",
        )
        self.fields = tuple(wrong)


@cache
def rules() -> dict[str, Any]:
    """The numbers that memos are computed with."""
    found: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Evidence:
    """One thing that was read. `weight` is how far it is trusted by itself."""

    source: str
    observed_at: datetime
    weight: float


@dataclass(frozen=True)
class Facts:
    """All that a memo may be made from; what it asked for and is not there is None."""

    tenant_id: UUID
    now: datetime
    stated_by: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    deal: Record | None = None
    opportunity: Opportunity | None = None
    people: int = 0
    activities: int = 0
    approval: Approval | None = None
    pack: EvidenceReply | None = None
    waiting: int = 0
    metrics: Mapping[str, MetricValue] = field(default_factory=dict)
    gap: Variance | None = None
    ahead: Ahead | None = None

    def evidence(self) -> tuple[Evidence, ...]:
        """What was read, each with its time. A figure without data is no evidence."""
        weights = rules()["weights"]
        found: list[Evidence] = []
        if self.inputs:
            found.append(Evidence(f"statement:{self.stated_by}", self.now, weights["statement"]))
        if self.deal is not None:
            found.append(Evidence(f"deal:{self.deal.id}", self.deal.updated_at, weights["record"]))
        if self.opportunity is not None:
            origin = self.opportunity.provenance
            found.append(Evidence(f"lead:{self.opportunity.lead_id}", origin.generated_at, origin.confidence))
        if self.approval is not None:
            found.append(
                Evidence(f"approval:{self.approval.approval_id}", self.approval.requested_at, weights["approval"])
            )
        if self.pack is not None:
            found.append(
                Evidence(f"evidence_pack:{self.pack.pack_id}", self.pack.created_at or self.now, weights["evidence"])
            )
        if self.gap is not None:
            found.append(Evidence(f"forecast:{self.gap.forecast_id}", self.gap.until, weights["metric"]))
        if self.ahead is not None:
            found.append(Evidence(f"forecast:{self.ahead.since:%Y-%m-%d}", self.now, weights["record"]))
        for name, value in self.metrics.items():
            if not value.no_data:
                found.append(Evidence(f"metric:{name}", value.as_of, weights["metric"]))
        return tuple(found)


def provenance(facts: Facts, fields: Mapping[str, Any], *, by: str, trace_id: str) -> Provenance:
    """Confidence is the average trust in the evidence times the share of the memo's fields that have something in them.

    Raises NotFound when there is no evidence at all: a memo about nothing is not made.
    """
    evidence = facts.evidence()
    if not evidence:
        raise NotFound(
            "no_evidence", "There is nothing on record to make this from.", "لا توجد بيانات مسجلة لإعداد هذه المذكرة."
        )
    filled = sum(not _empty(value) for value in fields.values()) / max(1, len(fields))
    trust = sum(one.weight for one in evidence) / len(evidence)
    return local(
        now=facts.now, by=by, engine=ENGINE, version=VERSION, confidence=combined(trust, filled),
        freshness=freshness_hours(facts.now, [one.observed_at for one in evidence]), sources=[one.source for one in evidence], trace_id=trace_id,
    )  # fmt: skip


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | Sequence | Mapping) and not value)
