"""The outreach writer's local provider (engine=template): reviewed texts, filled with facts that have a source.

A draft is fully rendered; nothing is filled in later. Wording varies by lead and is the same each time for the same lead. Two
reviewers read every draft before anyone sees it; what must not be sent is not written, and the reason is handed to a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.contracts.catalogue.agents import agents, reason
from libs.contracts.catalogue.sources import sources
from libs.contracts.catalogue.targeting import Targeting
from libs.contracts.data import TenantProfile
from libs.contracts.decision import FIRST, Draft, DraftReview
from libs.contracts.message import Provenance, Reason, TenantId
from libs.contracts.trust import Contactability
from services.decision.agents.outreach.material import Material, Sender, gather
from services.decision.agents.outreach.purposes import Purpose, purposes
from services.decision.agents.outreach.texts import Greetings, Language, Texts, Tone, texts
from services.decision.agents.review import compliance, quality
from services.decision.agents.review.content import ComplianceStatus, Content, Finding, Verdict
from services.decision.domain import provenance
from services.decision.domain.text import is_arabic
from services.decision.targeting.domain.rank import Ranked
from services.decision.targeting.domain.signals import stopped

AGENT = "outreach_writer"
CHANNELS = ("email", "whatsapp")

_REASONS = {
    "do_not_contact": (
        "This contact may not be contacted on this channel.",
        "لا يجوز التواصل مع هذه الجهة عبر هذه القناة.",
    ),
    "asked_to_stop": ("They asked us to stop writing.", "طلبت هذه الجهة إيقاف الرسائل."),
    "cold_whatsapp": ("WhatsApp needs a recorded opt-in.", "المراسلة عبر واتساب تتطلب موافقة مسجّلة."),
    "not_assessed": ("Trust has not assessed this contact yet.", "لم تُقيَّم إمكانية التواصل مع هذه الجهة بعد."),
    "no_channel": ("There is no channel on which a message can be written.", "لا توجد قناة تُكتب لها رسالة."),
    "no_contact": ("The lead has no contact to write to.", "لا توجد جهة اتصال لهذا العميل المحتمل."),
    "source_needs_review": (
        "Nobody writes to leads of this source before a review.",
        "لا تُكتب رسائل لجهات من هذا المصدر قبل مراجعته.",
    ),
    "poor_quality": ("The text did not pass the quality review.", "لم يجتز النص مراجعة الجودة."),
}


@dataclass(frozen=True, slots=True)
class Withheld:
    """There is no draft. `reasons` say why, and `to` is the role that should look at it."""

    reasons: tuple[Reason, ...]
    to: str = "sales_manager"


def sender_of(profile: TenantProfile, language: Language, offer: str = "") -> Sender:
    """A tenant as the sender of a message in `language`. A person's name in the other script is left out, not transliterated;
    what it sells is said in the message's own language or not at all."""
    company = profile.name_ar if language == "ar" else profile.name_en
    return Sender(
        company=company,
        person=profile.sender_name if is_arabic(profile.sender_name) == (language == "ar") else company,
        email=profile.sender_email,
        opt_out_url=profile.opt_out_url,
        offer=offer or (profile.offer_ar if language == "ar" else profile.offer_en),
    )


def write(
    one: Ranked,
    profile: TenantProfile,
    rules: Targeting,
    now: datetime,
    *,
    draft_id: UUID,
    channel: str | None = None,
    language: Language | None = None,
    tone: Tone | None = None,
    offer: str = "",
    purpose: str = FIRST,
    basis: tuple[str, ...] = (),
    version: str = "",
    trace_id: str = "",
) -> Draft | Withheld:
    """A draft for a ranked lead, or why there is none.

    Channel, language and tone follow from the lead unless given; a channel that is given is still refused when trust blocks it.
    `basis` names the records that a follow-up or an answer rests on; `version` other texts than the usual ones.
    """
    permitted = _permitted(one, channel or one.advice.best, rules)
    if isinstance(permitted, Withheld):
        return permitted
    chosen, contact_id = permitted
    material = _gathered(one, profile, rules, language, tone, offer)
    subject, body = render(material, chosen, one.lead.lead_id, purpose, version)
    content = Content(
        channel=chosen,
        language=material.language,
        subject=subject,
        body=body,
        status=one.lead.status(chosen),
        sender=(material.sender.company, material.sender.person, material.sender.email),
        names=material.names,
        opt_out_url=material.sender.opt_out_url,
    )
    used = (*material.used(chosen, content.text), *basis)
    checked, rated = compliance.review(content), quality.review(content)
    found = (*checked.findings, *rated.findings)
    if checked.status is ComplianceStatus.VIOLATION or rated.verdict is Verdict.FAIL:
        return _handed_over(one, chosen, found)
    return Draft(
        draft_id=draft_id,
        tenant_id=profile.tenant_id,
        lead_id=one.lead.lead_id,
        contact_id=contact_id,
        channel=chosen,
        language=material.language,
        subject=subject,
        body=body,
        facts_used=used,
        qa_score=rated.score,
        findings=tuple(dict.fromkeys((*(finding.code for finding in found), *material.withheld))),
        purpose=purpose,
        reviews=reviews(checked, rated),
        provenance=_provenance(one, material, used, rated.score, profile.tenant_id, now, version, trace_id),
    )


def _gathered(
    one: Ranked, profile: TenantProfile, rules: Targeting, language: Language | None, tone: Tone | None, offer: str
) -> Material:
    # The sender's name depends on the language, which follows from the lead.
    probe = gather(one, sender_of(profile, language or "ar", offer), rules, language, tone)
    if probe.language == (language or "ar"):
        return probe
    return gather(one, sender_of(profile, probe.language, offer), rules, probe.language, tone)


def _provenance(
    one: Ranked,
    material: Material,
    used: tuple[str, ...],
    score: float,
    tenant_id: TenantId,
    now: datetime,
    version: str,
    trace_id: str,
) -> Provenance:
    """Confidence: that of the lead's facts, of the text, and of the form of address."""
    sure = 1.0 if material.address and material.address.gender else 0.95 if material.address else 0.9
    return provenance.local(
        now=now,
        by=AGENT,
        engine="template",
        version=texts(material.language, version).version,
        confidence=provenance.combined(one.confidence, score / 100, sure),
        freshness=one.freshness_hours,
        sources=(f"tenant:{tenant_id}", f"lead:{one.lead.lead_id}", *used),
        trace_id=trace_id,
    )


def _permitted(one: Ranked, channel: str | None, rules: Targeting) -> tuple[str, UUID] | Withheld:
    """The channel and the contact that may be written to, or why there are none. Whatever is not clearly allowed is refused."""
    if stopped(one.reading, rules):
        return _withheld("asked_to_stop", to="compliance")
    if channel is None or channel not in CHANNELS:
        return _withheld("do_not_contact" if one.contactability is Contactability.BLOCKED else "no_channel")
    if one.lead.contact_id is None:
        return _withheld("no_contact")
    status = one.lead.status(channel)
    if status is Contactability.BLOCKED:
        return _withheld("cold_whatsapp" if channel == "whatsapp" else "do_not_contact")
    if channel == "whatsapp" and status is not Contactability.SAFE:
        return _withheld("cold_whatsapp")
    if status not in (Contactability.SAFE, Contactability.NEEDS_REVIEW):
        return _withheld("not_assessed")
    if one.lead.source not in texts("ar").opening or one.lead.source not in sources():
        return _withheld("source_needs_review")
    return channel, one.lead.contact_id


def _withheld(code: str, to: str = "sales_manager") -> Withheld:
    en, ar = _REASONS[code]
    return Withheld((Reason(code=code, en=en, ar=ar),), to)


def _handed_over(one: Ranked, channel: str, found: Sequence[Finding]) -> Withheld:
    """Reasons from what the reviewers found, to whom the catalogue's escalation rules say."""
    codes = [finding.code for finding in found]
    rule = agents().agents[AGENT].escalation({"contactability": one.lead.status(channel), "findings": codes})
    reasons = [Reason(code=finding.code, en=finding.en, ar=finding.ar) for finding in found]
    return Withheld((reason(rule), *reasons) if rule else tuple(reasons), rule.to if rule else "sales_manager")


def reviews(checked: compliance.ComplianceReport, rated: quality.QualityReport) -> tuple[DraftReview, ...]:
    """What both reviewers said, for whoever decides on the draft."""
    return (
        DraftReview(
            reviewer="qa_reviewer", verdict=rated.verdict.value, score=rated.score, findings=_said(rated.findings)
        ),
        DraftReview(
            reviewer="compliance_reviewer", verdict=checked.status.value, findings=_said(checked.findings)
        ),
    )  # fmt: skip


def _said(findings: Sequence[Finding]) -> tuple[Reason, ...]:
    return tuple(Reason(code=one.code, en=one.en, ar=one.ar) for one in findings)


def render(
    material: Material, channel: str, lead_id: UUID, purpose: str = FIRST, version: str = ""
) -> tuple[str | None, str]:
    """Subject (e-mail only) and body. WhatsApp bodies are three paragraphs without line breaks inside, as templates' parameters must be."""
    words = texts(material.language, version)
    return _Rendering(words, material, channel, lead_id, purposes(material.language).of(purpose)).message()


@dataclass(frozen=True, slots=True)
class _Rendering:
    words: Texts
    material: Material
    channel: str
    lead_id: UUID
    purpose: Purpose | None = None
    """None for a first message; otherwise what is said and asked instead of how we came to write."""

    def message(self) -> tuple[str | None, str]:
        return (None, self._whatsapp()) if self.channel == "whatsapp" else (self._subject(), self._email())

    def _email(self) -> str:
        tone, words = self.material.tone, self.words
        formal = tone == "formal"
        paragraphs = [
            self._greeting(words.greeting.formal if formal else words.greeting.warm),
            " ".join(part for part in (self._introduction(formal), *self._why()) if part),
            self._middle(),
            self._ask(),
            "\n".join((self._pick("closing", getattr(words.closing, tone)), *self._signature())),
            self._filled(words.opt_out.email),
        ]
        return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)

    def _whatsapp(self) -> str:
        words = self.words
        return "\n\n".join(
            (
                f"{_sentence(self._greeting(words.greeting.short))} {self._introduction(False)}",
                " ".join(
                    part
                    for part in (*self._why(), *(() if self.purpose else (self._offer(), self._topic())), self._ask())
                    if part
                ),
                self._filled(words.opt_out.whatsapp),
            )
        )

    def _greeting(self, greetings: Greetings) -> str:
        who = self.material.address
        kind = greetings.company if self.material.company else greetings.nobody
        if who is not None:
            kind = greetings.named if who.call else greetings.unsure
        return self._pick("greeting", kind)

    def _introduction(self, formal: bool) -> str:
        sender, words = self.material.sender, self.words.introduction
        alone = sender.person in ("", sender.company)
        if formal:
            return self._pick("introduction", words.formal_company if alone else words.formal_person)
        return self._pick("introduction", words.company if alone else words.person)

    @property
    def _tone(self) -> Tone:
        """WhatsApp is warm whoever reads it: a letter's formulas read as a copy there."""
        return "warm" if self.channel == "whatsapp" else self.material.tone

    def _opening(self) -> str:
        return self._pick("opening", getattr(self.words.opening[self.material.source], self._tone))

    def _why(self) -> tuple[str, ...]:
        if self.purpose is not None:
            return (self._pick("say", self.purpose.said(self._tone).say),)
        return self._opening(), self._mention()

    def _middle(self) -> str:
        parts = (self._angle(),) if self.purpose else (self._offer(), self._topic(), self._angle())
        return " ".join(part for part in parts if part)

    def _mention(self) -> str:
        signal = self.material.signal
        return self._pick("mention", self.words.signals[signal].say) if signal else ""

    def _ask(self) -> str:
        if self.purpose is not None:
            return self._pick("ask", self.purpose.said(self._tone).ask)
        signal = self.material.signal
        variants = self.words.signals[signal].ask if signal else getattr(self.words.ask, self._tone)
        return self._pick("ask", variants)

    def _offer(self) -> str:
        return self._pick("offer", self.words.offer) if self.material.sender.offer else ""

    def _topic(self) -> str:
        return self._pick("topic", self.words.topic) if self.material.topic else ""

    def _angle(self) -> str:
        return self._pick("angle", self.words.angle[self.material.group])

    def _subject(self) -> str:
        if self.purpose is not None:
            return self._pick("subject", self.purpose.subject)
        signal = self.material.signal
        own = self.words.subject_signals.get(signal) if signal else None
        subject = self._pick("subject", own or self.words.subject[self.material.source])
        return subject if len(subject) <= quality.SUBJECT_LIMIT else self.words.subject["own_crm"][0]

    def _signature(self) -> tuple[str, ...]:
        sender = self.material.sender
        lines = (
            (sender.company, sender.email)
            if sender.person == sender.company
            else (sender.person, sender.company, sender.email)
        )
        return tuple(line for line in lines if line)

    def _pick(self, part: str, variants: tuple[str, ...]) -> str:
        """One of several equal wordings: by the lead and the part, so that parts vary independently."""
        digest = hashlib.sha256(f"{self.lead_id}:{part}".encode()).digest()
        return self._filled(variants[digest[0] % len(variants)])

    def _filled(self, template: str) -> str:
        return template.format_map(self.material.fill)


def _sentence(greeting: str) -> str:
    """A greeting before a sentence on the same line: English begins that one with a capital, which no comma may precede."""
    return f"{greeting[:-1]}." if greeting.endswith(",") else greeting
