"""What Meta's deliveries say of our own templates and number. Pure.

Source: WhatsApp Business Platform, webhooks reference: message_template_status_update, phone_number_quality_update.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from libs.contracts.observed import NumberSeen, TemplateSeen
from services.gateway.domain.json_body import unfit

MOST = 100
STATES = {
    "APPROVED": "APPROVED", "REINSTATED": "APPROVED", "PENDING": "PENDING", "IN_APPEAL": "PENDING", "REJECTED": "REJECTED",
    "PAUSED": "PAUSED", "DISABLED": "DISABLED", "PENDING_DELETION": "DISABLED", "DELETED": "DISABLED",
}  # fmt: skip
"""What each event leaves a template as. Others, such as a warning, change nothing."""
UNLIMITED = 10**9
_TIER = re.compile(r"TIER_([0-9]{1,6})(K?)")
_NAME = re.compile(r"[a-z0-9_]{1,150}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(_[A-Za-z]{2,4})?")


def told(document: Any, account: str) -> list[TemplateSeen | NumberSeen]:
    """The news in a delivery. What has not the shape that Meta describes is left out: it is no error."""
    if unfit(document) is not None:
        return []
    found: list[TemplateSeen | NumberSeen] = []
    for entry in _list(document, "entry"):
        for change in _list(entry, "changes"):
            value, one = change.get("value"), None
            if isinstance(value, Mapping) and change.get("field") == "message_template_status_update":
                one = _template(value)
            elif isinstance(value, Mapping) and change.get("field") == "phone_number_quality_update":
                found += _number(value, account)
            found += [one] if one is not None else []
    return found[:MOST]


def _template(value: Mapping[str, Any]) -> TemplateSeen | None:
    name, language = value.get("message_template_name"), value.get("message_template_language")
    status = STATES.get(str(value.get("event")))
    if not isinstance(name, str) or not isinstance(language, str) or status is None:
        return None
    if not _NAME.fullmatch(name) or not _LANGUAGE.fullmatch(language):
        return None
    return TemplateSeen(subject=f"{name}/{language}", name=name, language=language, status=status)


def _number(value: Mapping[str, Any], account: str) -> list[NumberSeen]:
    """The limit is the portfolio's, whichever number it is told of (Meta, messaging limits, since October 2025)."""
    limit = _limit(value.get("max_daily_conversations_per_business") or value.get("current_limit"))
    quality = "RED" if value.get("event") == "FLAGGED" else None
    found = [NumberSeen(subject=f"{account}/quality", number=account, quality=quality)] if quality else []
    if limit is not None:
        found.append(NumberSeen(subject=f"{account}/limit", number=account, limit_per_day=limit))
    return found


def _limit(tier: object) -> int | None:
    if tier == "TIER_UNLIMITED":
        return UNLIMITED
    found = _TIER.fullmatch(tier) if isinstance(tier, str) else None
    return int(found[1]) * (1000 if found[2] else 1) if found else None


def _list(value: Any, name: str) -> list[Mapping[str, Any]]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
