"""What an entry's `data` says so that grants, approvals and receipts are bound to the log.

The offline verifier reads exactly these keys. An entry that names a grant, a view or a receipt obliges an evidence pack to
contain it; a grant, view or receipt that no entry names makes the pack fail.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

from libs.contracts.canonical import canonical
from libs.contracts.execution import Receipt, Settled
from libs.contracts.trust import Approval, Decision, Evaluation, GrantClaims

DECISION = "decision"
OUTCOME = "outcome"
APPROVAL = "approval"
"""Kinds of approval entries are `approval.` and the step: `approval.requested`, `approval.approved`, …"""


def approval_kind(step: str) -> str:
    return f"{APPROVAL}.{step}"


def decision_data(decision: Decision, payload_digest: str, grant: tuple[GrantClaims, bytes] | None) -> dict[str, Any]:
    """Of a decision entry. `grant` is the claims and their leaf hash in the batch's tree, where one was given."""
    data: dict[str, Any] = {
        "decision_id": str(decision.decision_id),
        "action_id": str(decision.action_id),
        "attempt": decision.attempt,
        "outcome": decision.outcome.value,
        "mode": decision.mode.value,
        "class": decision.action_class.value,
        "reasons": [reason.code for reason in decision.reasons],
        "policy_version": decision.policy_version,
        "payload_digest": payload_digest,
        "approval_id": str(decision.approval_id) if decision.approval_id else None,
    }
    if grant is not None:
        claims, leaf_hash = grant
        data["grant_id"] = str(claims.grant_id)
        data["grant_leaf"] = leaf_hash.hex()
    return data


RECORDS = frozenset({"account", "deal", "task"})
"""Records that an entry names as what it is about. People are not among them, nor what a client may call a resource: an entry holds no
personal data beside its subject's."""


def belonging(asked: Evaluation) -> dict[str, str]:
    """Of a decision entry: `run`, the flow that asked for the action, and `about`, the record of `RECORDS` that it concerns.

    What is gathered for a flow or a deal rests on these: the leaf commits to them at the moment of the decision.
    """
    data = {"run": asked.run_id} if asked.run_id.startswith("flow:") else {}
    if asked.resource.type in RECORDS and (id := _uuid(asked.resource.id)):
        data["about"] = f"{asked.resource.type}:{id}"
    return data


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def approval_data(approval: Approval, **more: Any) -> dict[str, Any]:
    """Of an approval entry: the hashes that were shown and decided on. `more` adds what the step itself says."""
    return {
        "approval_id": str(approval.approval_id),
        "action_id": str(approval.action_id),
        "state": approval.state.value,
        "payload_hash": approval.payload_hash,
        "view_hash": approval.view_hash,
        "policy_version": approval.policy_version,
        "decided_by": approval.decided_by,
        **more,
    }


def outcome_data(settled: Settled) -> dict[str, Any]:
    """Of an outcome entry: it closes the grant and commits to the receipt, where there is one."""
    data: dict[str, Any] = {
        "action_id": str(settled.action_id),
        "attempt": settled.attempt,
        "closes_grant": str(settled.grant_id),
        "outcome": settled.outcome.value,
        "error": settled.error,
    }
    if settled.receipt is not None:
        data["receipt_id"] = str(settled.receipt.receipt_id)
        data["receipt_hash"] = receipt_hash(settled.receipt)
    return data


def receipt_bytes(receipt: Receipt) -> bytes:
    """The canonical form of a receipt, as packs hold it. One from before `sent` was kept has the bytes that it always had."""
    document = receipt.model_dump(mode="json")
    if not document["sent"]:
        del document["sent"]
    return canonical(document)


def receipt_hash(receipt: Receipt) -> str:
    """SHA-256 of the canonical receipt in hex. Its random ids and digests are salt enough."""
    return sha256(receipt_bytes(receipt)).hexdigest()
