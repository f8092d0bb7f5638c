"""The outreach writer's local provider: reviewed templates, filled with facts that have a source and nothing else.

Names from files are data: what tries to be more than a name is left out. Every draft is read by the compliance and quality
reviewers before anyone sees it; a violation means that there is no draft.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from libs.contracts.catalogue.targeting import Targeting
from libs.contracts.data import Lead, TenantProfile
from libs.contracts.decision import Draft
from services.decision.agents.review import compliance, quality
from services.decision.agents.review.content import ComplianceStatus, Content, Verdict
from services.decision.domain import provenance, untrusted
from services.decision.domain.text import is_arabic
from services.decision.targeting.domain.rank import Ranked

FILE = Path(__file__).with_suffix(".yaml")
CHANNELS = ("email", "whatsapp")


@cache
def _texts() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return document


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a letter may say, and where each piece was read."""

    greeting: str
    account: str
    reason: str
    opening: str
    used: tuple[str, ...]
    names: tuple[str, ...]


def write(
    one: Ranked,
    lead: Lead,
    profile: TenantProfile,
    rules: Targeting,
    now: datetime,
    *,
    draft_id: UUID,
    trace_id: str = "",
) -> Draft | None:
    """A draft for the channel that ranking recommends, in the contact's language. None when there is no such channel, no
    contact, or a reviewer finds a violation: what must not be sent is not written."""
    channel = one.advice.best
    if channel not in CHANNELS or lead.contact_id is None:
        return None
    language = _language(lead)
    facts = _facts(one, lead, rules, language)
    texts = _texts()
    sender = profile.sender_name
    fill = {
        "greeting": facts.greeting,
        "opening": facts.opening,
        "reason": facts.reason,
        "ask": _pick(texts["ask"][language], lead.lead_id),
        "sender": sender,
        "opt_out_url": profile.opt_out_url,
    }
    body = texts[channel][language].format_map(fill)
    subject = (
        _pick(texts["subject"][language], lead.lead_id).format(account=facts.account) if channel == "email" else None
    )
    content = Content(
        channel=channel,
        language=language,
        subject=subject,
        body=body,
        status=one.lead.status(channel),
        sender=(sender,),
        names=facts.names,
        opt_out_url=profile.opt_out_url,
    )
    checked, rated = compliance.review(content), quality.review(content)
    if checked.status is ComplianceStatus.VIOLATION or rated.verdict is Verdict.FAIL:
        return None
    return Draft(
        draft_id=draft_id,
        tenant_id=profile.tenant_id,
        lead_id=lead.lead_id,
        contact_id=lead.contact_id,
        channel=channel,
        language=language,
        subject=subject,
        body=body,
        facts_used=facts.used,
        qa_score=rated.score,
        findings=tuple(finding.code for finding in (*checked.findings, *rated.findings)),
        provenance=provenance.local(
            now=now,
            by="outreach_writer",
            engine="template",
            version=texts["version"],
            confidence=provenance.combined(one.confidence, rated.score / 100),
            freshness=one.freshness_hours,
            sources=facts.used,
            trace_id=trace_id,
        ),
    )


def _language(lead: Lead) -> str:
    """Arabic unless the contact's and the company's names are both written in Latin letters."""
    if lead.language in ("ar", "en"):
        return lead.language
    names = [name for name in (lead.contact_name, lead.account_name) if name]
    return "ar" if not names or any(is_arabic(name) for name in names) else "en"


def _facts(one: Ranked, lead: Lead, rules: Targeting, language: str) -> _Facts:
    texts = _texts()
    used = [f"source:{lead.source}"]
    person = untrusted.person_name(lead.contact_name).text or ""
    company = untrusted.company_name(
        lead.account_name_ar if language == "ar" and lead.account_name_ar else lead.account_name
    ).text
    account = company or ("منشأتكم" if language == "ar" else "your company")
    greeting = texts["greeting"]["named" if person else "unnamed"][language].format(name=person)
    if person:
        used.append("contact_name")
    if company:
        used.append("account_name")
    opening = _pick(texts["opening"].get(lead.source, texts["opening"]["other"])[language], lead.lead_id)
    return _Facts(
        greeting=greeting,
        account=account,
        reason=_reason(one, lead, rules, language, used),
        opening=opening.format(account=account),
        used=tuple(used),
        names=tuple(name for name in (person, company) if name),
    )


def _reason(one: Ranked, lead: Lead, rules: Targeting, language: str, used: list[str]) -> str:
    """What they asked for, where the record says so; else their sector; else what we do."""
    texts = _texts()["reason"]
    for signal in one.reading.signals:
        for key in ("quote", "demo"):
            if signal.source == "notes" and key in signal.key and signal.strength > 0:
                used.append(f"notes:{signal.key}")
                return _pick(texts[key][language], lead.lead_id)
    sector = rules.sectors.get(lead.sector or "")
    if sector is not None:
        used.append("sector")
        name = sector.ar if language == "ar" else sector.en.lower()
        return _pick(texts["sector"][language], lead.lead_id).format(sector=name)
    return _pick(texts["none"][language], lead.lead_id)


def _pick(variants: list[str], lead_id: UUID) -> str:
    return variants[lead_id.int % len(variants)]
