"""What a claim is worth beside its receipt, and which of a vendor's effects were granted. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.execution import ActionState, Effect, Receipt
from libs.contracts.receipts import ToolVerdict, Verification

GRACE = timedelta(minutes=2)
"""How long an effect may be in a vendor's log before its outcome is told, and an outcome before its effect is listed."""

DONE = frozenset({"succeeded", "sent", "done", "created", "charged", "ok"})
NOT_DONE = frozenset({"failed", "not_sent", "refused", "rejected"})
_COVERED = (
    "connector",
    "operation",
    "mode",
    "vendor_id",
    "attempt",
    "request_digest",
    "response_digest",
    "cost_sar",
    "retries",
)


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant for a connector, and what its outcome says, if there is one."""

    grant_id: UUID
    action_id: UUID
    outcome: str | None
    vendor_id: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the vendor's log says of a grant whose outcome was unknown."""

    granted: Granted
    outcome: ActionState
    vendor_id: str


@dataclass(frozen=True, slots=True)
class Match:
    matched: Mapping[UUID, str]
    """Vendor ids by grant."""
    orphans: tuple[Effect, ...]
    waiting: int
    resolved: tuple[Resolution, ...]


def verify(claim: Mapping[str, Any], receipt: Receipt | None, *, vendor: str) -> ToolVerdict:
    """Compare a claim with its receipt, word by word: no word is understood that is not on the list, so that "was not sent" never
    passes for "sent". `vendor` is `confirmed`, `absent` or `unchecked`.

    A claim without a receipt is unverified, whatever it says.
    """
    outcome = str(claim.get("outcome", "")).strip().casefold()
    if outcome not in DONE | NOT_DONE:
        return ToolVerdict(verification=Verification.UNVERIFIED, why="claim_not_understood", receipt=receipt)
    if receipt is None:
        return ToolVerdict(verification=Verification.UNVERIFIED, why="no_receipt")
    if outcome in NOT_DONE:
        return ToolVerdict(
            verification=Verification.CONTRADICTED, why="receipt_says_done", differing=("outcome",), receipt=receipt
        )
    stated = {name: value for name, value in claim.items() if name != "outcome"}
    actual = receipt.model_dump(mode="json")
    differing = tuple(sorted(n for n, v in stated.items() if n in _COVERED and str(actual[n]) != str(v)))
    if differing:
        return ToolVerdict(
            verification=Verification.CONTRADICTED, why="receipt_differs", differing=differing, receipt=receipt
        )
    if vendor == "absent":
        return ToolVerdict(verification=Verification.CONTRADICTED, why="vendor_has_none", receipt=receipt)
    beyond = tuple(sorted(stated.keys() - set(_COVERED)))
    if beyond:
        return ToolVerdict(
            verification=Verification.PARTIALLY_VERIFIED, why="beyond_receipt", differing=beyond, receipt=receipt
        )
    if vendor == "unchecked":
        return ToolVerdict(verification=Verification.PARTIALLY_VERIFIED, why="vendor_not_asked", receipt=receipt)
    return ToolVerdict(verification=Verification.VERIFIED, why="vendor_confirms", receipt=receipt)


def match(granted: Sequence[Granted], effects: Sequence[Effect], *, now: datetime, complete: bool = True) -> Match:
    """Match a vendor's own log with the grants for its connector.

    An effect belongs to the grant whose receipt has its vendor id, else to one of its action that has no receipt yet. A grant is for
    one effect: a second one of the same action is nobody's. What nobody granted is an orphan once it is older than the grace. That an
    effect is missing says something only where the log was read as a whole (`complete`).
    """
    by_vendor = {g.vendor_id: g for g in granted if g.vendor_id}
    open_by_action: dict[UUID, list[Granted]] = {}
    for one in granted:
        if not one.vendor_id and one.outcome not in ("not_sent", "failed"):
            open_by_action.setdefault(one.action_id, []).append(one)
    matched: dict[UUID, str] = {}
    orphans, waiting, resolved = [], 0, []
    for effect in sorted(effects, key=lambda e: e.at):
        found = by_vendor.get(effect.vendor_id)
        if found is None and effect.action_id is not None and open_by_action.get(effect.action_id):
            found = open_by_action[effect.action_id].pop(0)
            if found.outcome == "unknown":
                resolved.append(Resolution(found, ActionState.SUCCEEDED, effect.vendor_id))
        if found is not None:
            matched[found.grant_id] = effect.vendor_id
        elif now - effect.at < GRACE:
            waiting += 1
        else:
            orphans.append(effect)
    for one in granted:
        late = one.closed_at is not None and now - one.closed_at >= GRACE
        if complete and one.outcome == "unknown" and late and one.grant_id not in matched:
            resolved.append(Resolution(one, ActionState.NOT_SENT, ""))
    return Match(matched, tuple(orphans), waiting, tuple(resolved))
