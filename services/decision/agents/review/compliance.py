"""compliance_reviewer: what may not be sent, whatever its quality. Trust decides again at the gate; this spares the person."""

from __future__ import annotations

import re
from dataclasses import dataclass

from libs.contracts.trust import Contactability
from services.decision.agents.review import claims
from services.decision.agents.review.content import ComplianceStatus, Content, Finding, Severity
from services.decision.domain.text import fold, stems, words

_OPT_OUT = tuple(tuple(words(fold(phrase))) for phrase in ("إلغاء اشتراك", "إيقاف", "unsubscribe", "stop"))
_SECRETS = re.compile(r"\b(?:SA\d{22}|[12]\d{9}|\d{13,19})\b")
"""An IBAN, a national or residence number (ten digits from 1 or 2), a card number."""


@dataclass(frozen=True, slots=True)
class ComplianceReport:
    """`status` is the strictest of the findings."""

    status: ComplianceStatus
    findings: tuple[Finding, ...]


def review(content: Content) -> ComplianceReport:
    """All violations and doubts of a message.

    Rules: no message to the blocked, WhatsApp only with a recorded opt-in, sender and a way out in every marketing message
    (PDPL Implementing Regulation on direct marketing), no guaranteed outcomes, no pressure, no personal numbers.
    """
    findings = (
        *_addressee(content),
        *_way_out(content),
        *_sender(content),
        *_claims(content),
        *_numbers(content),
    )
    return ComplianceReport(_status(findings), findings)


def _status(findings: tuple[Finding, ...]) -> ComplianceStatus:
    severities = {finding.severity for finding in findings}
    if Severity.VIOLATION in severities:
        return ComplianceStatus.VIOLATION
    return ComplianceStatus.AMBIGUOUS if Severity.DOUBT in severities else ComplianceStatus.CLEAR


def _addressee(content: Content) -> list[Finding]:
    if content.status is Contactability.BLOCKED:
        return [
            _violation(
                "do_not_contact",
                "This contact may not be contacted on this channel.",
                "لا يجوز التواصل مع هذه الجهة عبر هذه القناة.",
            )
        ]
    if content.channel == "whatsapp" and content.status is not Contactability.SAFE:
        return [
            _violation(
                "cold_whatsapp",
                "WhatsApp without a recorded opt-in is cold WhatsApp and is blocked.",
                "الإرسال عبر واتساب دون موافقة مسجّلة يُعد واتساب باردًا، وهو محظور.",
            )
        ]
    if content.status is Contactability.SAFE:
        return []
    return [
        _doubt(
            "contact_review",
            "A person must confirm that this contact may be written to.",
            "يلزم أن يؤكد شخص جواز مراسلة هذه الجهة.",
        )
    ]


def _way_out(content: Content) -> list[Finding]:
    said = [stems(word) for word in words(fold(content.body))]
    for phrase in _OPT_OUT:
        for start in range(len(said) - len(phrase) + 1):
            if all(word in said[start + i] for i, word in enumerate(phrase)):
                return []
    return [
        _violation(
            "opt_out_missing", "The message does not say how to stop messages.", "لا تذكر الرسالة طريقة إيقاف الرسائل."
        )
    ]


def _sender(content: Content) -> list[Finding]:
    body = fold(content.body)
    if any(name.strip() and fold(name) in body for name in content.sender):
        return []
    return [_violation("sender_missing", "The message does not say who sends it.", "لا تذكر الرسالة هوية المرسِل.")]


def _claims(content: Content) -> list[Finding]:
    found: list[Finding] = []
    for claim in claims.find(content.text, "guarantee", names=content.names):
        found.append(
            _violation("guaranteed_result", "Promises a result.", "تَعِد الرسالة بنتيجة مضمونة.", where=claim.clause)
        )
    for claim in claims.find(content.text, "pressure", names=content.names):
        found.append(_doubt("pressure", "Puts pressure on the reader.", "تضغط الرسالة على القارئ.", where=claim.clause))
    for claim in claims.find(content.text, "regulated", names=content.names):
        found.append(
            _doubt(
                "regulated_content",
                "Touches a regulated field.",
                "تتناول الرسالة مجالًا خاضعًا لتنظيم خاص.",
                where=claim.clause,
            )
        )
    if content.channel == "whatsapp":
        for claim in claims.find(content.text, "cold_whatsapp", names=content.names):
            found.append(
                _violation(
                    "cold_whatsapp", "Reads as cold WhatsApp.", "صيغة الرسالة صيغة واتساب بارد.", where=claim.clause
                )
            )
    return found


def _numbers(content: Content) -> list[Finding]:
    body = content.text.replace(content.opt_out_url, "") if content.opt_out_url else content.text
    if _SECRETS.search(fold(body).upper()):
        return [
            _violation(
                "personal_number",
                "Holds what looks like an ID, IBAN or card number.",
                "تحتوي الرسالة ما يشبه رقم هوية أو آيبان أو بطاقة.",
            )
        ]
    return []


def _violation(code: str, en: str, ar: str, where: str = "") -> Finding:
    return Finding(code, Severity.VIOLATION, en, ar, where)


def _doubt(code: str, en: str, ar: str, where: str = "") -> Finding:
    return Finding(code, Severity.DOUBT, en, ar, where)
