"""Why a lead stands where it stands, in Arabic and English, and the opportunity as it is shown.

Sentences name facts and what is missing; they promise nothing and guess nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal

from libs.contracts.arabic import counted
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.sources import sources
from libs.contracts.catalogue.targeting import Targeting
from libs.contracts.decision import Opportunity, Part, WhyNow
from libs.contracts.message import Text
from libs.contracts.trust import Contactability
from services.decision.domain import provenance, untrusted
from services.decision.domain.text import (
    ago_ar,
    ago_en,
    date_ar,
    date_en,
    is_arabic,
    joined_ar,
    joined_en,
    money_ar,
    money_en,
)
from services.decision.targeting.domain.channels import reasons as channel_reasons
from services.decision.targeting.domain.parts import size_of
from services.decision.targeting.domain.rank import Ranked
from services.decision.targeting.domain.signals import Found

_SHOWN_SIGNALS = 3
_FAINT = 0.05
"""A signal with less of it left is history, not a reason."""
_SLIGHT = 5
"""Points of intent or urgency under which a signal is no reason to act."""
_SHOWN_GAPS = 3
_GAPS_FROM = 0.85
"""Confidence from which it no longer helps to say what is missing."""


def opportunity(
    one: Ranked, rules: Targeting, now: datetime, *, trace_id: str = "", policy_version: str = ""
) -> Opportunity:
    """The opportunity of a ranked lead, with its reasons and provenance. Names that can't be shown safely are left out."""
    lead = one.lead
    texts = reasons(one, rules, now)
    channel = channel_reasons(lead, one.advice, rules)
    return Opportunity(
        lead_id=lead.lead_id,
        account_id=lead.account_id,
        contact_id=lead.contact_id,
        account_name=display_name(one),
        account_name_en=_other_name(one),
        contact_name=untrusted.person_name(lead.contact_name).text,
        city=untrusted.label(lead.city).text,
        sector=lead.sector if lead.sector in rules.sectors else untrusted.label(lead.sector).text,
        score=one.score,
        tier=one.tier,
        parts=Part(**one.parts._asdict()),
        why_now=why_now(one, rules, now),
        channel=one.advice.best,
        channel_reasons_ar=tuple(text.ar for text in channel),
        channel_reasons_en=tuple(text.en for text in channel),
        contactability=one.contactability,
        reasons_ar=tuple(text.ar for text in texts),
        reasons_en=tuple(text.en for text in texts),
        committee_role=one.seat.role if one.seat else None,
        source=lead.source,
        estimated_value=None if lead.estimated_value is None else f"{lead.estimated_value:.2f}",
        provenance=provenance.local(
            now=now,
            by="targeting",
            engine="rules",
            version=f"targeting-{rules.version}",
            confidence=one.confidence,
            freshness=one.freshness_hours,
            sources=_sources(one),
            trace_id=trace_id,
            policy_version=policy_version,
        ),
    )


def display_name(one: Ranked) -> str:
    """The account's name as it may be shown; Arabic first. A name that tries to be more than a name is replaced."""
    for name in (one.lead.account_name_ar, one.lead.account_name):
        if name and (shown := untrusted.company_name(name).text):
            return shown
    return "جهة بلا اسم صالح للعرض"


def _other_name(one: Ranked) -> str | None:
    """The name beside the Arabic one, where both are there and it may be shown."""
    arabic, other = one.lead.account_name_ar, one.lead.account_name
    if not arabic or other == arabic or is_arabic(other):
        return None
    return untrusted.company_name(other).text or None


def _sources(one: Ranked) -> tuple[str, ...]:
    lead = one.lead
    read = dict.fromkeys(signal.source for signal in one.reading.signals if signal.told)
    return (f"lead:{lead.lead_id}", f"source:{lead.source}", *read)


def why_now(one: Ranked, rules: Targeting, now: datetime) -> tuple[WhyNow, ...]:
    """The strongest reasons to act now, at most three, each with its date and source. Reasons against are not among them."""
    today = now.astimezone(RIYADH).date()
    shown = []
    for signal in _telling(one, rules):
        text = _signal_text(signal, rules, today)
        shown.append(
            WhyNow(
                signal=signal.key,
                en=text.en,
                ar=text.ar,
                source=signal.source,
                observed_at=None
                if signal.observed_at is None
                else datetime.combine(signal.observed_at, time(), RIYADH),
                strength=round(signal.strength, 3),
            )
        )
    return tuple(shown)


def _telling(one: Ranked, rules: Targeting) -> list[Found]:
    def pull(signal: Found) -> float:
        rule = rules.signals[signal.key] if signal.told else rules.sources[signal.key]
        return signal.strength * max(rule.intent, rule.urgency)

    helping = [s for s in one.reading.signals if not _against(s, rules) and s.strength >= _FAINT and pull(s) >= _SLIGHT]
    return sorted(helping, key=pull, reverse=True)[:_SHOWN_SIGNALS]


def _against(signal: Found, rules: Targeting) -> bool:
    return signal.told and rules.signals[signal.key].against


def _signal_text(signal: Found, rules: Targeting, today: date) -> Text:
    named = rules.signals[signal.key] if signal.told else rules.sources[signal.key]
    if signal.due is not None:
        return Text(en=f"{named.en}: {date_en(signal.due)}", ar=f"{named.ar}: {date_ar(signal.due)}")
    if signal.observed_at is None:
        return Text(en=f"{named.en} (date not recorded)", ar=f"{named.ar} (دون تاريخ مسجّل)")
    days = (today - signal.observed_at).days
    # In brackets and with a verb of its own: "their contract is ending 10 days ago" says nothing about when we heard of it.
    return Text(en=f"{named.en} (noted {ago_en(days)})", ar=f"{named.ar} (سُجّل ذلك {ago_ar(days)})")


def reasons(one: Ranked, rules: Targeting, now: datetime) -> tuple[Text, ...]:
    """What speaks for the lead, what against, and what is not known, in that order."""
    today = now.astimezone(RIYADH).date()
    steps: tuple[Callable[[], Text | None], ...] = (
        lambda: _timing(one, rules, today),
        lambda: _fit(one, rules),
        lambda: _role(one, rules),
        lambda: _value(one),
        lambda: _doubts(one, rules, today),
        lambda: _contact(one, rules),
        lambda: _source(one, rules),
        lambda: _withheld(one),
        lambda: _gaps(one, rules),
    )
    return tuple(text for step in steps if (text := step()) is not None)


def _timing(one: Ranked, rules: Targeting, today: date) -> Text | None:
    texts = [_signal_text(signal, rules, today) for signal in _telling(one, rules)]
    if not texts:
        return None
    return Text(en=f"Why now: {'; '.join(t.en for t in texts)}.", ar=f"لماذا الآن: {'، '.join(t.ar for t in texts)}.")


def _fit(one: Ranked, rules: Targeting) -> Text | None:
    sector = rules.sectors.get(one.lead.sector or "")
    size = size_of(one.lead.employees, rules)
    if sector is None and size is None:
        return None
    facts_en, facts_ar = [], []
    if sector is not None:
        facts_en.append(f"sector {sector.en}")
        facts_ar.append(f"القطاع: {sector.ar}")
    if size is not None and one.lead.employees is not None:
        people = counted(one.lead.employees, one="موظف واحد", two="موظفان", few="موظفين", many="موظفًا", other="موظف")
        facts_en.append(f"{size.en} ({one.lead.employees:,} employees)")
        facts_ar.append(f"{size.ar} ({people})")
    level = _level(one.parts.fit)
    return Text(en=f"{level.en}: {', '.join(facts_en)}.", ar=f"{level.ar}. {'، '.join(facts_ar)}.")


def _level(fit: float) -> Text:
    if fit >= 75:
        return Text(en="Close to your customer profile", ar="قريب من ملف عملائكم المستهدفين")
    if fit >= 55:
        return Text(en="Partly matches your customer profile", ar="يطابق ملف عملائكم جزئيًا")
    return Text(en="Far from your customer profile", ar="بعيد عن ملف عملائكم المستهدفين")


def _role(one: Ranked, rules: Targeting) -> Text | None:
    title = untrusted.label(one.lead.title).text
    if one.seat is None or title is None:
        return None
    role = rules.roles[one.seat.role]
    article = "an" if role.en[0] in "aeiou" else "a"
    return Text(
        en=f"The contact's title ({title}) suggests {article} {role.en}.",
        ar=f"المسمى الوظيفي «{title}»، والدور المرجّح: {role.ar}.",
    )


def _value(one: Ranked) -> Text | None:
    lead = one.lead
    if lead.estimated_value is None:
        return None
    amount = Decimal(lead.estimated_value)
    shown_ar = money_ar(amount) if lead.currency == "SAR" else f"{amount:,.0f} {lead.currency}"
    shown_en = money_en(amount) if lead.currency == "SAR" else f"{lead.currency} {amount:,.0f}"
    if one.percentile is None:
        return Text(
            en=f"Estimated value {shown_en}; not compared, as there is no fixed rate to the riyal.",
            ar=f"القيمة المقدّرة {shown_ar}، ولم تُقارَن بغيرها لعدم وجود سعر صرف ثابت.",
        )
    share = round(one.percentile)
    return Text(
        en=f"Estimated value {shown_en}, higher than about {share}% of your leads with a value.",
        ar=f"القيمة المقدّرة {shown_ar}، أعلى من نحو {share}% من الفرص المعروفة القيمة.",
    )


def _doubts(one: Ranked, rules: Targeting, today: date) -> Text | None:
    against = [s for s in one.reading.signals if s.strength >= _FAINT and _against(s, rules)]
    if not against:
        return None
    texts = [_signal_text(signal, rules, today) for signal in against]
    return Text(
        en=f"Against it: {'; '.join(t.en for t in texts)}.", ar=f"ما يدعو إلى التريّث: {'، '.join(t.ar for t in texts)}."
    )


def _contact(one: Ranked, rules: Targeting) -> Text:
    if one.advice.best is None and one.contactability is not Contactability.BLOCKED:
        return Text(
            en="There is no usable address or number on a channel that is allowed.",
            ar="لا يوجد بريد أو رقم صالح على قناة مسموحة.",
        )
    if one.advice.best is None:
        return Text(en="Nobody may contact this lead on any channel.", ar="لا يجوز التواصل مع هذه الجهة عبر أي قناة.")
    channel = rules.channels[one.advice.best]
    if one.advice.status is Contactability.SAFE:
        return Text(en=f"Contact by {channel.en} is allowed.", ar=f"التواصل عبر {channel.ar} مسموح.")
    if one.advice.status is Contactability.NEEDS_REVIEW:
        return Text(
            en=f"A person must review contact by {channel.en} first.",
            ar=f"التواصل عبر {channel.ar} يحتاج مراجعة بشرية أولًا.",
        )
    return Text(
        en="Contactability is not assessed yet; nothing is sent.",
        ar="لم تُقيَّم إمكانية التواصل بعد، ولا يُرسَل شيء قبل ذلك.",
    )


def _source(one: Ranked, rules: Targeting) -> Text | None:
    rule = sources().get(one.lead.source)
    if rule is None or rule.risk is None:
        return Text(
            en="The source of this data is not reliable; review it before use.",
            ar="مصدر البيانات غير موثّق؛ راجِعه قبل أي استخدام.",
        )
    if rule.risk < 60:
        return None
    return Text(
        en=f"Risky source: {rule.en.lower()} ({rule.risk} of 100).",
        ar=f"مصدر عالي المخاطرة: {rule.ar} ({rule.risk} من 100).",
    )


def _withheld(one: Ranked) -> Text | None:
    if not one.reading.withheld:
        return None
    return Text(
        en="The notes contain text that reads like instructions to the system; they were not used.",
        ar="تحتوي الملاحظات نصًّا يشبه تعليمات موجّهة إلى النظام، فلم تُستخدم.",
    )


def _gaps(one: Ranked, rules: Targeting) -> Text | None:
    missing = sorted((name for name, known in one.known.items() if not known), key=lambda n: -rules.completeness[n])
    if not missing or one.confidence >= _GAPS_FROM:
        return None
    names = [rules.field_names[name] for name in missing[:_SHOWN_GAPS]]
    return Text(
        en=f"Missing: {joined_en([n.en for n in names])}; confidence {one.confidence:.0%}.",
        ar=f"ينقصنا {joined_ar([n.ar for n in names])}؛ درجة الثقة {one.confidence:.0%}.",
    )


def in_arabic(one: Ranked) -> bool:
    """Whether to write to this contact in Arabic: what the lead says, else the script of its names, else Arabic."""
    lead = one.lead
    if lead.language in ("ar", "en"):
        return lead.language == "ar"
    if any(is_arabic(text) for text in (lead.contact_name, lead.title, lead.account_name)):
        return True
    return lead.contact_name is None or lead.account_name_ar is not None
