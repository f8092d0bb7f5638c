"""Who may approve what: limits by role and value, a role's own queue, rights that were lent, and how many people it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from libs.contracts.approvals import Delegation, TrustRules
from libs.contracts.message import Principal
from libs.contracts.trust import Approval
from services.trust.domain.approvals import MAY_APPROVE
from services.trust.errors import NotYourQueue, OverLimit

UNKNOWN_VALUE = Decimal("Infinity")
"""A value that nobody can read is above every limit."""
EVERYBODYS = frozenset({"owner"})
"""System roles whose people decide in every queue."""


@dataclass(frozen=True, slots=True)
class Right:
    """A right to approve: a person's own, or one that `giver` lent."""

    roles: tuple[str, ...]
    business_role: str | None
    giver: str = ""


def value_of(payload: Mapping[str, Any]) -> Decimal | None:
    """What a payload is worth in SAR, of a whole sequence its dearest message; None when it names no value, infinite when it names one
    that cannot be read as SAR."""
    messages = payload.get("messages")
    inner = [one.get("payload") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    values = [_worth(one) for one in (payload, *inner) if isinstance(one, dict)]
    return max((one for one in values if one is not None), default=None)


def _worth(payload: Mapping[str, Any]) -> Decimal | None:
    raw = payload.get("value_sar", payload.get("amount"))
    if raw is None:
        return None
    if "value_sar" not in payload and str(payload.get("currency", "SAR")).upper() != "SAR":
        return UNKNOWN_VALUE
    try:
        value = Decimal(str(raw))
    except InvalidOperation:
        return UNKNOWN_VALUE
    return value if value.is_finite() and value >= 0 else UNKNOWN_VALUE


def people_needed(approvers: int, value: Decimal | None, rules: TrustRules) -> int:
    """How many different people must approve: the action's own number, and two above the tenant's limit."""
    above = rules.quorum_above_sar is not None and value is not None and value > rules.quorum_above_sar
    return max(1, approvers, 2 if above else 1)


def limit_of(right: Right, rules: TrustRules) -> Decimal | None:
    """The highest value that a right reaches; None without a limit. The most generous of its approving roles counts, and a business
    role's own limit always holds."""
    ranks = [role for role in right.roles if role in MAY_APPROVE]
    if not ranks:
        return Decimal(0)
    of_roles = [rules.limits.get(role) for role in ranks]
    limit = (
        None
        if any(one is None for one in of_roles)
        else max((one for one in of_roles if one is not None), default=None)
    )
    own = rules.limits.get(right.business_role or "")
    if own is None:
        return limit
    return own if limit is None else min(limit, own)


def in_queue(right: Right, role: str, rules: TrustRules) -> bool:
    """Whether a right reaches a role's queue: its own, and those that escalate to it."""
    if right.business_role is None or EVERYBODYS & set(right.roles) or right.business_role == rules.executive:
        return True
    seen: set[str] = set()
    while role not in seen:
        if role == right.business_role:
            return True
        seen.add(role)
        higher = rules.next_role.get(role)
        if higher is None:
            return False
        role = higher
    return False


def right_for(
    approval: Approval,
    principal: Principal,
    lent: Sequence[Delegation],
    rules: TrustRules,
    value: Decimal | None,
    now: datetime,
) -> Right:
    """The right with which a person may vote: the own one where it reaches, else one that was lent and has not ended.

    Raises NotYourQueue, OverLimit.
    """
    own = Right(principal.roles, principal.business_role)
    rights = [own]
    for one in lent:
        of_this = one.approval_id in (None, approval.approval_id)
        # What the requester may not do, nobody does on the requester's behalf.
        if of_this and one.to_id == principal.id and one.from_id != approval.requester and valid(one, now):
            rights.append(Right(one.from_roles, one.from_business_role, one.from_id))
    reaching = [right for right in rights if in_queue(right, approval.role, rules)]
    if not reaching:
        raise NotYourQueue(approval.role)
    for right in reaching:
        limit = limit_of(right, rules)
        if limit is None or value is None or value <= limit:
            return right
    raise OverLimit


def valid(one: Delegation, now: datetime) -> bool:
    return one.ended_at is None and one.starts_at <= now < one.ends_at


def voters(approval: Approval) -> frozenset[str]:
    """Everybody whose right has been used: who voted, and on whose behalf."""
    return frozenset(
        name for step in approval.history if step.step == "approved" for name in (step.actor, step.on_behalf) if name
    )
