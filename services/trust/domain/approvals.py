"""Approvals: what a person is shown, and when a vote counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.canonical import canonical, digest
from libs.contracts.catalogue.actions import Effect
from libs.contracts.catalogue.claims import claim_keys
from libs.contracts.catalogue.words import word
from libs.contracts.claims import Claim, Contradiction
from libs.contracts.errors import Forbidden
from libs.contracts.message import Principal, PrincipalKind, Reason
from libs.contracts.trust import Approval, ApprovalState, ApproveRequest, Evaluation
from services.trust.errors import AlreadyVoted, ApprovalExpired, ApprovalNotPending, SelfApproval, StaleHash
from services.trust.screening.domain.payload import Finding
from services.trust.screening.domain.payload import shown as shown_findings

LIFETIME = timedelta(days=7)
ROLES = {"high": "ceo", "medium": "sales_manager", "low": "sales_manager"}
MAY_APPROVE = frozenset({"owner", "approver"})

_COMPENSATION = {
    "R0": ("Nothing to undo.", "لا شيء يحتاج تراجعًا."),
    "R1": ("It can be undone.", "يمكن التراجع عنه."),
    "R2": ("It can be undone in part.", "يمكن التراجع عنه جزئيًا."),
    "R3": ("It cannot be undone.", "لا يمكن التراجع عنه."),
}


def view(
    evaluation: Evaluation, effect: Effect, payload: dict[str, Any], reasons: tuple[Reason, ...], payload_hash: str,
    contradictions: tuple[Contradiction, ...] = (), findings: Sequence[Finding] = (),
) -> dict[str, Any]:  # fmt: skip
    """The one document that every channel renders: all of the payload, nothing shortened, and what policy says of it."""
    undo_en, undo_ar = _COMPENSATION[effect.reversibility]
    return {
        "version": "view/1",
        "action_type": evaluation.action_type,
        "title_en": effect.en,
        "title_ar": effect.ar,
        "risk": effect.risk,
        "reversibility": effect.reversibility,
        "connector": effect.connector,
        "resource": {"type": evaluation.resource.type, "id": evaluation.resource.id},
        "requested_by": evaluation.subject.name or evaluation.subject.id,
        "why": evaluation.reason,
        "fields": [_field(name, value) for name, value in sorted(payload.items()) if not _is_rows(name, value)]
        + [row for name, value in sorted(payload.items()) if _is_rows(name, value) for row in _rows(name, value)],
        "reasons": [{"code": r.code, "en": r.en, "ar": r.ar} for r in reasons],
        "contradictions": [_both(one) for one in contradictions],
        "compensation_en": undo_en,
        "compensation_ar": undo_ar,
        "if_nobody_answers_en": "It expires and nothing is sent.",
        "if_nobody_answers_ar": "تنتهي المهلة ولا يُرسل شيء.",
        "payload_sha256": payload_hash,
        **({"screening": shown_findings(findings)} if findings else {}),
    }


def _field(name: str, value: Any, label: str | None = None, before: str = "") -> dict[str, Any]:
    called = word("payload_field", label or name)
    return {"name": name, "label_en": f"{before}{called.en}", "label_ar": f"{before}{called.ar}", "value": value}


def _is_rows(name: str, value: Any) -> bool:
    return (
        name == "messages" and isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
    )


def _rows(name: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages of a sequence, numbered from 1, each with every field of its own and of its payload."""
    out = []
    for number, one in enumerate(messages):
        place, before = f"{name}[{number}]", f"{number + 1}. "
        payload = one.get("payload")
        inner = payload if isinstance(payload, dict) else {}
        own = {key: value for key, value in one.items() if key != "payload" or not inner}
        out += [_field(f"{place}.{key}", value, key, before) for key, value in own.items()]
        out += [_field(f"{place}.payload.{key}", value, key, before) for key, value in sorted(inner.items())]
    return out


def _both(contradiction: Contradiction) -> dict[str, Any]:
    """A contradiction as people are shown it: both claims whole, with who says so."""
    return {
        "contradiction_id": str(contradiction.contradiction_id),
        "kind": contradiction.kind.value,
        "severity": contradiction.severity,
        "subject": contradiction.subject,
        "claims": [_said(claim) for claim in contradiction.claims],
    }


def _said(claim: Claim) -> dict[str, str]:
    key = claim_keys()[claim.key]
    en, ar = key.choices.get(claim.value, (claim.value, claim.value))
    return {
        "key": claim.key, "label_en": key.en, "label_ar": key.ar, "value": claim.value, "value_en": en, "value_ar": ar,
        "unit": claim.unit, "source": claim.source, "recorded_by": claim.recorded_by, "recorded_at": claim.recorded_at.isoformat(),
    }  # fmt: skip


def request(
    approval_id: UUID,
    evaluation: Evaluation,
    effect: Effect,
    payload: dict[str, Any],
    reasons: tuple[Reason, ...],
    *,
    payload_hash: str,
    policy_version: str,
    now: datetime,
    due_at: datetime,
    expires_at: datetime,
    approvers: int,
    supersedes: UUID | None = None,
    contradictions: tuple[Contradiction, ...] = (),
    findings: Sequence[Finding] = (),
) -> Approval:
    """A pending approval of exactly this payload and this view."""
    shown = view(evaluation, effect, payload, reasons, payload_hash, contradictions, findings)
    value = payload.get("value_sar") or payload.get("amount") or payload.get("estimated_value_sar")
    return Approval(
        approval_id=approval_id,
        tenant_id=evaluation.tenant_id,
        action_id=evaluation.action_id,
        action_type=evaluation.action_type,
        state=ApprovalState.PENDING,
        role=ROLES[effect.risk],
        risk=effect.risk,
        reason=evaluation.reason,
        requester=evaluation.subject.id,
        value_sar=str(value) if value is not None else None,
        payload=evaluation.payload,
        payload_hash=payload_hash,
        view=shown,
        view_hash=digest(bytes.fromhex(evaluation.salt), canonical(shown)),
        policy_version=policy_version,
        requested_at=now,
        due_at=due_at,
        expires_at=expires_at,
        compensation=_COMPENSATION[effect.reversibility][0],
        supersedes=supersedes,
        trace_id=evaluation.trace_id,
        approvers=approvers,
    )


def check_vote(
    approval: Approval,
    vote: ApproveRequest,
    *,
    approvers: int,
    voted: frozenset[str],
    votes: int,
    giver: str,
    now: datetime,
) -> bool:
    """Whether this vote completes the approval; False when a second person is still needed.

    Raises ApprovalNotPending, ApprovalExpired, Forbidden, SelfApproval, StaleHash or AlreadyVoted: in that order, so that nobody
    without the right learns whether a hash was right. `voted` is everybody whose right has been used in the `votes` so far, `giver`
    whoever lent the right for this one.
    """
    principal = vote.principal
    require_approver(principal)
    if approval.state is not ApprovalState.PENDING:
        raise ApprovalNotPending(approval.state.value)
    if now >= approval.expires_at:
        raise ApprovalExpired
    if principal.id == approval.requester and not _may_approve_own(approval, vote, approvers):
        raise SelfApproval
    if (vote.payload_hash, vote.view_hash) != (approval.payload_hash, approval.view_hash):
        raise StaleHash
    if principal.id in voted or giver in voted:
        raise AlreadyVoted
    return votes + 1 >= max(1, approvers)


def _may_approve_own(approval: Approval, vote: ApproveRequest, approvers: int) -> bool:
    """Whether a tenant's single person may approve an own request: an owner who has just signed in again, and only what one person
    may approve and what can be undone."""
    undoable = approval.view.get("reversibility") in ("R0", "R1", "R2")
    return vote.reauthenticated and approvers == 1 and undoable and "owner" in vote.principal.roles


def require_approver(principal: Principal) -> None:
    """Only people approve: a user with a role that may.

    Raises Forbidden.
    """
    if principal.kind is not PrincipalKind.USER or not MAY_APPROVE & set(principal.roles):
        raise Forbidden
