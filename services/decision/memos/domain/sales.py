"""Memos of a lead, a deal and its price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from libs.contracts.decision import Opportunity
from libs.contracts.errors import NotFound
from libs.contracts.memos import HandoffItem, LeadScoreCard, LineItem
from services.decision.memos.domain.made import Facts, rules

ACT, REVIEW = 65, 45


def _deal(facts: Facts) -> Any:
    if facts.deal is None:
        raise NotFound
    return facts.deal


def lead_score_card(facts: Facts) -> dict[str, Any]:
    """The ranking's parts under the names of the card."""
    one = facts.opportunity
    if one is None:
        raise NotFound("lead_not_ranked", "This lead has not been ranked.", "لم يُرتّب هذا العميل المحتمل بعد.")
    return _card(one)


def _card(one: Opportunity) -> dict[str, Any]:
    parts = one.parts
    ready = one.score >= ACT and one.contactability == "safe"
    return {
        "lead_id": one.lead_id, "score": one.score, "tier": one.tier, "signals": tuple(why.en for why in one.why_now if why.en),
        "company_size_score": parts.revenue, "industry_fit_score": parts.fit, "engagement_score": parts.engagement,
        "budget_signal_score": parts.intent, "timing_score": parts.urgency,
        "recommendation": "act" if ready else "review" if one.score >= REVIEW else "wait",
        "reasoning_en": " ".join(one.reasons_en), "reasoning_ar": " ".join(one.reasons_ar),
    }  # fmt: skip


def qualification_memo(facts: Facts) -> dict[str, Any]:
    """Qualified when value, person, date and owner are known; what is missing is the next step."""
    deal, one = _deal(facts), facts.opportunity
    known = {
        "value": deal.values.get("amount"), "decision maker": deal.values.get("contact_id"),
        "expected close": deal.values.get("expected_close"), "owner": deal.values.get("owner"),
    }  # fmt: skip
    missing = [name for name, value in known.items() if value in (None, "")]
    risks = [] if facts.activities else ["No activity is recorded with this deal."]
    if one is not None and one.contactability != "safe":
        risks.append(f"Contactability is {one.contactability}.")
    card = None
    if one is not None:
        fields = _card(one)
        card = LeadScoreCard(tenant_id=facts.tenant_id, provenance=one.provenance, **fields)
    lost = deal.values.get("stage") == "lost"
    return {
        "deal_id": deal.id, "lead_score_card": card,
        "qualification_status": "unqualified" if lost else "incomplete" if missing else "qualified",
        "decision_factors": tuple(f"{name}: {value}" for name, value in known.items() if value not in (None, "")),
        "risks": tuple(risks), "next_steps": tuple(f"Find out the {name}." for name in missing),
        "evidence": tuple(item.source for item in facts.evidence()),
    }  # fmt: skip


def authority(percent: Decimal) -> str:
    """Who may give this discount."""
    return next(str(band["who"]) for band in rules()["discounts"] if percent <= band["up_to"])


def proposal_pack(facts: Facts) -> dict[str, Any]:
    """The total is the lines less the discount; above the manager's limit the discount needs approval."""
    deal = _deal(facts)
    items = tuple(LineItem.model_validate(item) for item in facts.inputs["line_items"])
    percent = Decimal(str(facts.inputs.get("discount_percent", 0)))
    whole = sum((item.quantity * item.unit_price for item in items), Decimal(0))
    given = {
        name: facts.inputs.get(name, "")
        for name in ("title", "title_ar", "value_proposition", "value_proposition_ar", "payment_terms")
    }
    return {
        **given, "deal_id": deal.id, "version": facts.inputs.get("version", 1), "line_items": items,
        "total": (whole * (100 - percent) / 100).quantize(Decimal("0.01")), "discount_percent": percent,
        "discount_requires_approval": percent > 0 and authority(percent) != "manager", "validity_days": facts.inputs.get("validity_days", 21),
    }  # fmt: skip


def pricing_decision_record(facts: Facts) -> dict[str, Any]:
    deal = _deal(facts)
    base, percent = Decimal(str(facts.inputs["base_price"])), Decimal(str(facts.inputs["discount_percent"]))
    who = authority(percent)
    needed = percent > 0 and who != "manager"
    return {
        "deal_id": deal.id, "base_price": base, "final_price": (base * (100 - percent) / 100).quantize(Decimal("0.01")),
        "discount_percent": percent, "discount_reason": facts.inputs["discount_reason"], "approval_required": needed,
        "approval_status": "required" if needed else "not_required", "approved_by": "", "policy_class": who,
    }  # fmt: skip


def handoff_checklist(facts: Facts) -> dict[str, Any]:
    """What delivery needs to begin, each read from the record."""
    deal = _deal(facts)
    values = deal.values
    items = (
        HandoffItem(key="won", en="The deal is won", ar="الصفقة مكسوبة", done=values.get("stage") == "won"),
        HandoffItem(key="value", en="Its value is known", ar="قيمتها معروفة", done=values.get("amount") is not None),
        HandoffItem(
            key="contact",
            en="A contact is named",
            ar="لها جهة اتصال",
            done=bool(values.get("contact_id") or facts.people),
        ),
        HandoffItem(key="owner", en="It has an owner", ar="لها مسؤول", done=bool(values.get("owner"))),
        HandoffItem(key="notes", en="What was agreed is noted", ar="ما اتُّفق عليه مدوّن", done=facts.activities > 0),
    )
    open_items = tuple(item.en for item in items if not item.done)
    return {"deal_id": deal.id, "items": items, "all_complete": not open_items, "blockers": open_items}
