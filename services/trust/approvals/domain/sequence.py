"""One approval over a complete rendered sequence: which of its messages an action is, and whether the approval still holds for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.approvals import TrustRules
from libs.contracts.canonical import canonical
from libs.contracts.outreach import SEQUENCE_APPROVE, SEQUENCE_REFERENCE
from libs.contracts.trust import Approval, ApprovalState
from services.trust.approvals.domain.rights import people_needed, value_of
from services.trust.domain.decide import Prepared

LONGEST = timedelta(days=90)
"""No approval of a sequence holds longer after it was given, whatever its payload says."""
NOT_APPROVED, CHANGED, EXPIRED, USED, TOO_FEW = (
    "sequence_not_approved", "sequence_changed", "sequence_expired", "sequence_message_used", "sequence_needs_more_people",
)  # fmt: skip
"""Why an approval does not stand for a message, in the words that policy looks at."""


def cited(prepared: Prepared) -> UUID | None:
    """The action whose approval an evaluation refers to; None when it refers to no sequence's."""
    token = prepared.evaluation.approval_token or ""
    if not token.startswith(SEQUENCE_REFERENCE):
        return None
    try:
        return UUID(token.removeprefix(SEQUENCE_REFERENCE))
    except ValueError:
        return None


def place(
    approval: Approval | None, prepared: Prepared, used: Mapping[int, UUID], rules: TrustRules, now: datetime
) -> int | str:
    """Which message of an approved sequence an action is, or why it is none.

    `used` says which action each message was used for. The message is found by its content alone: what is not, byte for byte, among
    what people saw was never approved, whatever number it gives itself.
    """
    evaluation = prepared.evaluation
    if approval is None or approval.action_type != SEQUENCE_APPROVE or approval.state is not ApprovalState.APPROVED:
        return NOT_APPROVED
    shown = json.loads(approval.payload)
    of_this = approval.view.get("resource") == {"type": evaluation.resource.type, "id": evaluation.resource.id}
    if not of_this or evaluation.run_id != f"flow:{shown.get('flow_id')}":
        return CHANGED
    if approval.decided_at is None or now >= approval.decided_at + good_for(shown):
        return EXPIRED
    same = [number for number, one in enumerate(_messages(shown)) if _is(one, prepared)]
    if not same:
        return CHANGED
    free = [number for number in same if used.get(number) in (None, evaluation.action_id)]
    if not free:
        return USED
    least = prepared.effect.approvers if prepared.effect else 2
    if approval.approvers < people_needed(least, value_of(prepared.payload), rules):
        return TOO_FEW
    # Its own place first: an action that was decided before keeps it.
    return next((number for number in free if used.get(number) == evaluation.action_id), free[0])


def good_for(shown: Mapping[str, Any]) -> timedelta:
    """How long an approval holds after it was given, as its payload says; nothing where it says nothing that can be read."""
    days = shown.get("good_for_days")
    return min(timedelta(days=days), LONGEST) if type(days) is int and days > 0 else timedelta()


def _messages(shown: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = shown.get("messages")
    return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else []


def _is(message: Mapping[str, Any], prepared: Prepared) -> bool:
    """Whether an action is exactly a message: its kind, its payload, and the hash that stood beside the payload."""
    payload = message.get("payload")
    if message.get("action_type") != prepared.evaluation.action_type or not isinstance(payload, dict):
        return False
    text = canonical(payload)
    named = message.get("payload_sha256")
    return text == prepared.evaluation.payload.encode() and named == hashlib.sha256(text).hexdigest()
