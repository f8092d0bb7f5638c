"""Engines of qa_reviewer and compliance_reviewer: the same rules that read every draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.contracts.trust import Contactability
from services.decision.agents.asked import NotAsked, Question, Said
from services.decision.agents.review import compliance, quality
from services.decision.agents.review.content import Content, Finding, Severity

CHANNELS = ("email", "whatsapp")


async def judge_quality(asked: Question, version: str) -> Said:
    """Score, flaws and verdict of a text."""
    rated = quality.review(_content(asked.input))
    output = {"score": rated.score, "verdict": rated.verdict.value, "issues": [_issue(one) for one in rated.findings]}
    return Said(output, _decided(rated.findings), {"score": rated.score}, ("text:asked",))


async def judge_compliance(asked: Question, version: str) -> Said:
    """Status of a text, with what speaks against sending it."""
    checked = compliance.review(_content(asked.input))
    output = {
        "status": checked.status.value, "violations": [_issue(one) for one in checked.findings],
        "references": sorted({f"compliance_reviewer:{one.code}" for one in checked.findings}),
    }  # fmt: skip
    return Said(output, _decided(checked.findings), {"status": checked.status.value}, ("text:asked",))


def _decided(findings: tuple[Finding, ...]) -> float:
    """The share of a review's findings that are no matter of judgement; 1.0 without any."""
    return 1.0 - sum(one.severity is Severity.DOUBT for one in findings) / max(1, len(findings))


def _content(given: Mapping[str, Any]) -> Content:
    """Raises NotAsked without a body, and for a channel that has no rules."""
    content = given.get("content")
    asked = content if isinstance(content, dict) else {}
    body = asked.get("body")
    if not isinstance(body, str) or not body:
        raise NotAsked("content.body")
    channel = str(asked.get("channel") or "email")
    if channel not in CHANNELS:
        raise NotAsked("content.channel (email, whatsapp)")
    status, sender = asked.get("status"), asked.get("sender")
    named = [str(part) for part in sender] if isinstance(sender, list | tuple) else []
    return Content(
        channel=channel, language=str(asked.get("language") or "ar"), subject=asked.get("subject") or None, body=body,
        status=Contactability(status) if status in set(Contactability) else Contactability.UNKNOWN,
        sender=tuple(named or ([str(asked["from_name"])] if asked.get("from_name") else [])),
        opt_out_url=str(asked.get("opt_out_url") or ""),
    )  # fmt: skip


def _issue(one: Finding) -> dict[str, str]:
    return {"code": one.code, "severity": one.severity.value, "en": one.en, "ar": one.ar}
