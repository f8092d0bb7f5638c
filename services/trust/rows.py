"""Rows of trust's tables as values, and values as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from libs.contracts.claims import Contradiction
from libs.contracts.message import PrincipalKind
from libs.contracts.trust import Approval, ApprovalStep, Decision
from services.trust.domain.decide import OnRecord, Prepared
from services.trust.domain.facts import ContactState
from services.trust.domain.policy import Question


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record for one evaluation: a decision already made, or the facts to make one."""

    prior: Decision | None
    record: OnRecord


@dataclass(frozen=True, slots=True)
class Ruling:
    """One decision to be kept, with the question that led to it."""

    prepared: Prepared
    question: Question
    decision: Decision
    grant_id: UUID | None
    contradictions: tuple[Contradiction, ...] = ()


def state_of(row: Any, suppressed: frozenset[str], consents: tuple[tuple[str, str], ...]) -> ContactState:
    return ContactState(
        contact_id=row["contact_id"], email_mac=row["email_mac"], phone_mac=row["phone_mac"], source=row["source"],
        opted_out=row["opted_out"], cold=row["cold"], email_valid=row["email_valid"],
        collected_directly=row["collected_directly"], suppressed=suppressed, consents=consents,
    )  # fmt: skip


NOTHING_KNOWN = Known(None, OnRecord(None, False, False, "none", None, 0, 0))


def is_plain(prepared: Prepared) -> bool:
    """Whether policy looks at no person's facts, no caps and no agent's record for this one."""
    effect = prepared.effect
    return (effect is None or effect.channel is None) and prepared.evaluation.subject.kind is not PrincipalKind.AGENT


def prior_of(row: Any) -> Decision | None:
    return Decision.model_validate_json(row["reply"]) if row["reply"] is not None else None


def approved_of(row: Any) -> tuple[str, UUID | None]:
    """The state of the newest approval of exactly this payload, as policy sees it, and its id."""
    state = {"approved": "approved", "rejected": "rejected", "pending": "pending", None: "none"}.get(
        row["approval_state"], "lapsed"
    )
    if state in ("approved", "pending") and row["lapsed"]:
        state = "lapsed"
    return state, row["approval_id"]


def known_of(row: Any, prepared: Prepared) -> Known:
    channel = prepared.effect.channel if prepared.effect else None
    contact = None
    if row["contact_id"] is not None and channel is not None:
        contact = state_of(row, frozenset(), ((channel, row["consent"]),) if row["consent"] else ())
    approval, approval_id = approved_of(row)
    return Known(
        prior_of(row),
        OnRecord(
            contact=contact,
            recipient_suppressed=row["suppressed"],
            contested=row["contested"],
            earlier_attempt_open=row["earlier_open"],
            approval=approval,
            approval_id=approval_id,
            touches_this_week=row["touches"],
            sent_today=row["sent_today"],
            agent_blocks=row["agent_blocks"],
        ),
    )


@lru_cache(4096)
def document_of(question: Question) -> tuple[bytes, str]:
    """A question's digest, and the JSON that it is the digest of."""
    text = json.dumps(asdict(question), sort_keys=True)
    return sha256(text.encode()).digest(), text


def ruling_row(ruling: Ruling) -> tuple[Any, ...]:
    p, d = ruling.prepared, ruling.decision
    return (
        d.tenant_id, d.action_id, d.attempt, p.digest, d.decision_id, d.outcome.value, d.mode.value, p.evaluation.effect,
        p.evaluation.subject.id, p.contact_id, (p.effect.channel or "") if p.effect else "", ruling.grant_id, d.approval_id,
        d.policy_version, document_of(ruling.question)[0], d.model_dump_json().encode(),
    )  # fmt: skip


def approval_of(row: Any, steps: Sequence[Any]) -> Approval:
    stored = Approval.model_validate_json(row["document"])
    changed: Approval = stored.evolve(
        state=row["state"], decided_by=row["decided_by"], decided_at=row["decided_at"], superseded_by=row["superseded_by"],
        role=row["role"], stage=row["stage"], replaced_by_action=row["replaced_by_action"],
        history=tuple(
            ApprovalStep(at=s["at"], actor=s["actor"], step=s["step"], note=s["note"], on_behalf=s["on_behalf"]) for s in steps
        ),
    )  # fmt: skip
    return changed
