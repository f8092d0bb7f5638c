"""qa_reviewer: whether a message reads as a careful person would have written it. 0-100, with what cost points."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.decision.agents.review.content import Content, Finding, Severity, Verdict
from services.decision.domain.text import fold, is_arabic, words

PASS_FROM = 80
FAIL_BELOW = 50

_PLACEHOLDER = re.compile(r"[{}\[\]<>]|\bNone\b|\bnull\b|\bTBD\b|\bXX+\b")
_URL = re.compile(r"https?://\S+")
_REPEATED = re.compile(r"\b(\w{2,})\s+\1\b")
_GREETINGS = ("السلام", "السادة", "سعادة", "تحية", "أهلًا", "مرحبًا", "dear", "hello", "hi ", "good ")
_WORD_LIMITS = {"email": (25, 190), "whatsapp": (12, 90)}
_BODY_LIMIT = {"whatsapp": 1024, "email": 6000}
SUBJECT_LIMIT = 70
_SHOUTING = re.compile(r"\b[A-Z]{5,}\b")


@dataclass(frozen=True, slots=True)
class QualityReport:
    score: float
    verdict: Verdict
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Check:
    code: str
    cost: float
    en: str
    ar: str
    fails: Callable[[Content], bool]


def review(content: Content) -> QualityReport:
    """Score a message: each flaw costs its points; under 50 it fails, under 80 it goes back."""
    failed = [check for check in _CHECKS if check.fails(content)]
    score = max(0.0, 100.0 - sum(check.cost for check in failed))
    verdict = Verdict.PASS if score >= PASS_FROM else Verdict.REVISE if score >= FAIL_BELOW else Verdict.FAIL
    return QualityReport(score, verdict, tuple(Finding(c.code, Severity.FLAW, c.en, c.ar) for c in failed))


def _prose(content: Content) -> str:
    return _URL.sub("", content.body)


def _length(content: Content) -> int:
    return len(words(fold(_prose(content))))


def _foreign_links(content: Content) -> bool:
    return any(link.rstrip(".،,") != content.opt_out_url for link in _URL.findall(content.body))


def _wrong_script(content: Content) -> bool:
    """Whether most words of the text are in another script than its language's, names and addresses aside."""
    text = _prose(content)
    for name in (*content.names, *content.sender):
        text = text.replace(name, " ")
    said = [word for word in text.split() if any(c.isalpha() for c in word) and "@" not in word]
    arabic = sum(is_arabic(word) for word in said)
    right = arabic if content.language == "ar" else len(said) - arabic
    return right < 0.8 * len(said)


_CHECKS: tuple[_Check, ...] = (
    _Check(
        "placeholder",
        60,
        "A placeholder was left unfilled.",
        "بقي في النص موضع لم يُملأ.",
        lambda c: _PLACEHOLDER.search(_prose(c)) is not None or _PLACEHOLDER.search(c.subject or "") is not None,
    ),
    _Check(
        "too_long",
        30,
        "Longer than a busy person reads.",
        "أطول مما يُقرأ على عجل.",
        lambda c: _length(c) > _WORD_LIMITS[c.channel][1] or len(c.body) > _BODY_LIMIT[c.channel],
    ),
    _Check(
        "too_short",
        25,
        "Too short to say anything.",
        "أقصر من أن تؤدي المعنى.",
        lambda c: _length(c) < _WORD_LIMITS[c.channel][0],
    ),
    _Check(
        "no_greeting", 15, "No greeting.", "بلا تحية.", lambda c: not c.body.lstrip().casefold().startswith(_GREETINGS)
    ),
    _Check(
        "no_question",
        20,
        "Asks nothing, so nothing will be answered.",
        "لا سؤال فيها، فلا يُنتظر لها رد.",
        lambda c: not {"?", "؟"} & set(c.body),
    ),
    _Check(
        "many_questions",
        10,
        "More than two questions.",
        "أكثر من سؤالين.",
        lambda c: sum(c.body.count(mark) for mark in "?؟") > 2,
    ),
    _Check(
        "subject",
        15,
        "The subject is missing or too long.",
        "العنوان مفقود أو طويل.",
        lambda c: c.channel == "email" and not 0 < len(c.subject or "") <= SUBJECT_LIMIT,
    ),
    _Check("exclamation", 10, "Exclamation marks.", "علامات تعجب.", lambda c: "!" in c.text),
    _Check(
        "shouting",
        10,
        "Words in capitals.",
        "كلمات بأحرف كبيرة.",
        lambda c: c.language == "en" and _SHOUTING.search(_without_names(c)) is not None,
    ),
    _Check(
        "arabic_digits", 5, "Digits other than 0-9.", "أرقام غير 0-9.", lambda c: bool(set("٠١٢٣٤٥٦٧٨٩") & set(c.text))
    ),
    _Check(
        "repeated_word",
        10,
        "A word stands twice in a row.",
        "كلمة مكررة متتالية.",
        lambda c: _REPEATED.search(_without_names(c)) is not None,
    ),
    _Check("foreign_link", 50, "A link other than the way out.", "رابط غير رابط إلغاء الاشتراك.", _foreign_links),
    _Check("wrong_language", 40, "Not in the language it should be in.", "ليست باللغة المطلوبة.", _wrong_script),
)


def _without_names(content: Content) -> str:
    text = _prose(content)
    for name in (*content.names, *content.sender):
        text = text.replace(name, " · ")
    return text
