"""The events that make cards, from what the planes report to what the factory needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from libs.contracts.arabic import counted
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.sources import sources
from libs.contracts.catalogue.targeting import Targeting
from libs.contracts.decision import Fact
from libs.contracts.message import Provenance, TenantId, Text
from libs.contracts.trust import Contactability
from services.decision.cards.domain.factory import Happening
from services.decision.domain import provenance, untrusted
from services.decision.domain.text import days_ar, hours_ar, joined_ar, joined_en, money_ar
from services.decision.targeting.domain.explain import display_name, why_now
from services.decision.targeting.domain.plan import DayPlan
from services.decision.targeting.domain.rank import Ranked

_RISKY_SOURCE = 60
VERSION = "cards-1"


def from_opportunity(
    one: Ranked, tenant_id: TenantId, rules: Targeting, now: datetime, origin: Provenance
) -> Happening | None:
    """The card of a ranked lead: write, call or review first. None when nobody may contact it."""
    best = one.advice.best
    if best is None:
        return None
    name = display_name(one)
    channel = rules.channels[best]
    reasons = why_now(one, rules, now)[:2]
    values = {
        "account": Text(en=name, ar=name),
        "channel": Text(en=channel.en, ar=channel.ar),
        "tier": Text(en=one.tier, ar=one.tier),
        "why": Text(en=_sentence("; ".join(r.en for r in reasons)), ar=f"{'، '.join(r.ar for r in reasons)}.")
        if reasons
        else Text(
            en=f"Ranked {one.tier} with {one.score:g} of 100.", ar=f"ضمن الفئة {one.tier} بتقييم {one.score:g} من 100."
        ),
        "doubt": _doubt(one),
    }
    safe = one.contactability is Contactability.SAFE
    event = ("opportunity_call" if best == "phone" else "opportunity_found") if safe else "opportunity_review"
    return Happening(
        event=event,
        tenant_id=tenant_id,
        subject=str(one.lead.lead_id),
        values=values,
        risk=_risk(one),
        provenance=origin,
        facts=_facts(one, rules),
        context={"lead_id": str(one.lead.lead_id), "channel": best, "tier": one.tier, "score": one.score},
        urgency=one.parts.urgency,
        value_sar=_sar(one, rules),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _risk(one: Ranked) -> str:
    rule = sources().get(one.lead.source)
    risky = rule is None or rule.risk is None or rule.risk >= _RISKY_SOURCE
    if one.contactability is Contactability.SAFE:
        return "medium" if risky else "low"
    return "high" if risky else "medium"


def _doubt(one: Ranked) -> Text:
    rule = sources().get(one.lead.source)
    if rule is None or rule.risk is None:
        return Text(en="The source is not reliable.", ar="المصدر غير موثّق.")
    if rule.risk >= _RISKY_SOURCE:
        return Text(en=f"The source is risky: {rule.en.lower()}.", ar=f"المصدر عالي المخاطرة: {rule.ar}.")
    return Text(en="Contact needs a person's review.", ar="التواصل يحتاج مراجعة بشرية.")


def _sar(one: Ranked, rules: Targeting) -> Decimal | None:
    rate = rules.sar_rates.get(one.lead.currency)
    if one.lead.estimated_value is None or rate is None:
        return None
    return (one.lead.estimated_value * rate).quantize(Decimal("0.01"))


def _facts(one: Ranked, rules: Targeting) -> tuple[Fact, ...]:
    facts = [Fact(label_ar="التقييم", label_en="Score", value=f"{one.score:g} / 100 · {one.tier}", ltr=True)]
    sar = _sar(one, rules)
    if sar is not None:
        facts.append(Fact(label_ar="القيمة المقدّرة", label_en="Estimated value", value=money_ar(sar)))
    person = untrusted.person_name(one.lead.contact_name).text
    title = untrusted.label(one.lead.title).text
    if person:
        facts.append(Fact(label_ar="جهة الاتصال", label_en="Contact", value=f"{person}، {title}" if title else person))
    rule = sources().get(one.lead.source)
    facts.append(Fact(label_ar="المصدر", label_en="Source", value=rule.ar if rule else "غير معروف"))
    return tuple(facts)


def from_day_plan(plan: DayPlan, tenant_id: TenantId, now: datetime, origin: Provenance) -> Happening | None:
    """The day's decision: which drafts to prepare. None when nobody may be contacted today."""
    if not plan.drafts:
        return None
    today = now.astimezone(RIYADH).date()
    drafts = len(plan.drafts)
    top = display_name(plan.drafts[0])
    return Happening(
        event="daily_plan",
        tenant_id=tenant_id,
        subject=today.isoformat(),
        values={
            "day": Text(en=today.isoformat(), ar=today.isoformat()),
            "drafts": Text(
                en=f"{drafts} draft{'s' * (drafts != 1)}",
                ar=counted(drafts, one="مسودة واحدة", two="مسودتان", few="مسودات", many="مسودة", other="مسودة"),
            ),
            "drafts_for": Text(
                en=f"for the best {drafts}" if drafts > 1 else "for the best one",
                ar=f"لأفضل {counted(drafts, one='جهة', two='جهتين', few='جهات', many='جهة', other='جهة')}",
            ),
            "prospects": Text(
                en=f"{len(plan.prospects)} lead{'s' * (len(plan.prospects) != 1)}",
                ar=counted(len(plan.prospects), one="جهة واحدة", two="جهتين", few="جهات", many="جهة", other="جهة"),
            ),
            "ranked": Text(en=f"{plan.ranked:,}", ar=f"{plan.ranked:,}"),
            "top": Text(en=top, ar=top),
            "blocked": _blocked(plan),
        },
        risk="low",
        provenance=origin,
        facts=(
            Fact(label_ar="يمكن التواصل معها", label_en="May be contacted", value=f"{plan.safe:,}", ltr=True),
            Fact(label_ar="تحتاج مراجعة", label_en="Needs review", value=f"{plan.review:,}", ltr=True),
            Fact(label_ar="محظورة أو بلا قناة", label_en="Blocked or unreachable", value=f"{plan.blocked:,}", ltr=True),
        ),
        context={"leads": [str(one.lead.lead_id) for one in plan.drafts]},
        urgency=max(one.parts.urgency for one in plan.drafts),
        value_sar=_total(plan),
    )


def _blocked(plan: DayPlan) -> Text:
    if not plan.blocked:
        return Text(en="", ar="")
    return Text(
        en=f"Left out: {plan.blocked:,} blocked or unreachable.",
        ar=f"واستُبعد {counted(plan.blocked, one='سجل واحد', two='سجلان', few='سجلات', many='سجلًا', other='سجل')} لحظر أو لتعذّر الوصول.",
    )


def _total(plan: DayPlan) -> Decimal | None:
    """The estimated value of the plan's drafts together, where all that have a value are in riyals."""
    known = [one.lead.estimated_value for one in plan.drafts if one.lead.currency == "SAR"]
    amounts = [amount for amount in known if amount is not None]
    return sum(amounts, Decimal(0)) if amounts else None


def parties_ar(number: int) -> str:
    """«جهة واحدة»، «جهتان»، «42 جهة»."""
    return counted(number, one="جهة واحدة", two="جهتان", few="جهات", many="جهة", other="جهة")


def from_approval(
    *,
    approval_id: str,
    action_id: str,
    tenant_id: TenantId,
    effect: Text,
    target: str,
    risk: str,
    due_at: datetime,
    expires_at: datetime,
    payload_hash: str,
    view_hash: str,
    value_sar: Decimal | None,
    now: datetime,
    origin: Provenance,
) -> Happening:
    """An approval that waits. The card carries the hashes, so that deciding on it decides on exactly that payload."""
    name = untrusted.company_name(target).text or untrusted.person_name(target).text or "—"
    facts = [Fact(label_ar="بصمة المحتوى", label_en="Payload hash", value=payload_hash[:16], ltr=True)]
    if value_sar is not None:
        facts.insert(0, Fact(label_ar="القيمة", label_en="Value", value=money_ar(value_sar)))
    return Happening(
        event="approval_waiting",
        tenant_id=tenant_id,
        subject=approval_id,
        values={"effect": effect, "target": Text(en=name, ar=name), "due": _until(due_at, now)},
        risk=risk,
        provenance=origin,
        facts=tuple(facts),
        context={
            "approval_id": approval_id,
            "action_id": action_id,
            "payload_hash": payload_hash,
            "view_hash": view_hash,
        },
        value_sar=value_sar,
        deadline=expires_at,
    )


def _until(due: datetime, now: datetime) -> Text:
    hours = round((due - now).total_seconds() / 3600)
    clock = f"{due.astimezone(RIYADH):%H:%M}"
    if hours < 1:
        return Text(en="now", ar="الآن")
    if hours <= 48:
        return Text(
            en=f"within {hours} hour{'s' * (hours != 1)} (at {clock})", ar=f"خلال {hours_ar(hours)} (الساعة {clock})"
        )
    days = round(hours / 24)
    return Text(en=f"within {days} days", ar=f"خلال {days_ar(days)}")


def from_blocked_import(
    *, import_id: str, tenant_id: TenantId, file_name: str, blocked_by: Mapping[str, int], origin: Provenance
) -> Happening | None:
    """Contacts of an import that may not be contacted, by the reason: a source's key. None when there are none."""
    total = sum(blocked_by.values())
    if not total:
        return None
    known = sources()
    parts = sorted(((count, key) for key, count in blocked_by.items() if count), reverse=True)
    named = [
        (
            count,
            known[key].en.lower() if key in known else "other reasons",
            known[key].ar if key in known else "أسباب أخرى",
        )
        for count, key in parts
    ]
    file = untrusted.visible(file_name)[:60] or "—"
    return Happening(
        event="sources_blocked",
        tenant_id=tenant_id,
        subject=import_id,
        values={
            "contacts": Text(en=f"{total:,} contact{'s' * (total != 1)}", ar=parties_ar(total)),
            "file": Text(en=file, ar=file),
            "breakdown": Text(
                en=joined_en([f"{en} ({count:,})" for count, en, _ in named]),
                ar=joined_ar([f"{ar} ({count:,})" for count, _, ar in named]),
            ),
        },
        risk="high",
        provenance=origin,
        facts=tuple(Fact(label_ar=ar, label_en=en, value=f"{count:,}", ltr=True) for count, en, ar in named[:4]),
        context={"import_id": import_id},
    )


def from_stalled_deal(
    *,
    deal_id: str,
    tenant_id: TenantId,
    account: str,
    stage: Text,
    idle_days: int,
    value_sar: Decimal | None,
    origin: Provenance,
    lead_id: UUID | None = None,
) -> Happening:
    """A deal without activity. `lead_id` is whom a follow-up would be written to."""
    name = untrusted.company_name(account).text or "—"
    idle = counted(idle_days, one="يوم واحد", two="يومين", few="أيام", many="يومًا", other="يوم")
    facts = (
        () if value_sar is None else (Fact(label_ar="قيمة الصفقة", label_en="Deal value", value=money_ar(value_sar)),)
    )
    return Happening(
        event="deal_stalled",
        tenant_id=tenant_id,
        subject=deal_id,
        values={"account": Text(en=name, ar=name), "idle": Text(en=f"{idle_days} days", ar=idle), "stage": stage},
        risk="medium",
        provenance=origin,
        facts=facts,
        context={"deal_id": deal_id} | ({"lead_id": str(lead_id)} if lead_id else {}),
        value_sar=value_sar,
    )


def origin(
    *, now: datetime, confidence: float, freshness: float, sources_read: tuple[str, ...], trace_id: str = ""
) -> Provenance:
    """Provenance of a card: what it rests on decides how sure and how fresh it is."""
    return provenance.local(
        now=now,
        by="card_factory",
        engine="rules",
        version=VERSION,
        confidence=confidence,
        freshness=freshness,
        sources=sources_read,
        trace_id=trace_id,
    )
