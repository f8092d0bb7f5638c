"""From an evaluation and the facts on record to a question for policy, and from its answer to a decision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.approvals import CONTACT_CAP, DAILY_CAP
from libs.contracts.catalogue.actions import Effect, effects
from libs.contracts.claims import Contradiction
from libs.contracts.message import Plane
from libs.contracts.trust import ActionClass, ConnectorMode, Evaluation, Mode, Outcome
from services.trust.domain.facts import ContactState, quiet_hours, source_policy
from services.trust.domain.policy import Answer, Question
from services.trust.screening.domain.payload import Finding, read, standing

AGENT_BLOCKS = 3
"""Blocked attempts in ten minutes that suspend an agent."""
MANY_PEOPLE = 20
"""People read about in one session after which what leaves needs a person."""
OPT_OUT_WORDS = ("إيقاف", "إلغاء الاشتراك", "unsubscribe", "stop")


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What trust's own tables say about one evaluation at this moment."""

    contact: ContactState | None
    recipient_suppressed: bool
    earlier_attempt_open: bool
    approval: str
    approval_id: UUID | None
    touches_this_week: int
    sent_today: int
    agent_blocks: int = 0
    people_read: int = 0
    """People whose data was read in the same session before."""
    daily_cap: int = DAILY_CAP
    contact_cap: int = CONTACT_CAP
    contested: bool = False
    """Whether the person contests their data and nobody has answered yet."""
    quarantined: bool = False
    """Whether the gate found something in what came in about the resource, and nobody has released it."""
    agent_standing: str = "none"
    """Whether the agent that asks may: `ok`, or what is wrong; `none` for who is no agent."""
    agent_doubted: bool = False
    """Whether the agent's trust score is low."""
    token_fits: bool = False
    """Whether the request's token refers to an unused approval of exactly this, which `approval` then says."""
    contradictions: tuple[Contradiction, ...] = ()
    """What nobody has decided yet about the action's subjects."""
    own_recipient: str = "none"
    """Whether the recipient is one of the tenant's own people who may be written to now; `none` where the effect is not for them."""
    model_call: str = "none"
    """Whether a model may see what it would be asked, for an effect that asks one: `fits`, or what is wrong."""
    refuted: bool = False
    """Whether a person has decided that what the payload says does not stand."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An evaluation with its effect and payload read once."""

    evaluation: Evaluation
    effect: Effect | None
    payload: dict[str, Any]
    digest: str
    findings: tuple[Finding, ...] = ()
    """What the security gate found in the payload and the reason."""

    @property
    def contact_id(self) -> UUID | None:
        """The contact that a message is about; None when the effect has no channel or the resource is no contact."""
        if self.effect is None or self.effect.channel is None or self.evaluation.resource.type != "contact":
            return None
        try:
            return UUID(self.evaluation.resource.id)
        except ValueError:
            return None

    @property
    def recipient(self) -> str:
        to = self.payload.get("to")
        return to if isinstance(to, str) else ""


def prepare(evaluation: Evaluation, digest: str) -> Prepared:
    """Read an evaluation. An unreadable payload becomes an empty one, which no message policy accepts."""
    try:
        payload = json.loads(evaluation.payload)
    except ValueError:
        payload = {}
    payload = payload if isinstance(payload, dict) else {}
    effect = effects().get(evaluation.effect)
    return Prepared(evaluation, effect, payload, digest, read(effect, payload, evaluation.reason))


def question(prepared: Prepared, record: OnRecord, *, recipient_mac: str, live: bool, now: datetime) -> Question:
    """The closed set of facts that policies look at. What the caller asserts is not among them."""
    evaluation, effect = prepared.evaluation, prepared.effect
    if effect is None:
        return Question(
            effect=evaluation.effect,
            principal_kind=evaluation.subject.kind.value,
            action_class="B",
            registered=False,
            tenant_match=_same_tenant(prepared),
            external=True,
            draft_effect=False,
            connector_mode=ConnectorMode.SANDBOX.value,
        )
    base = {
        "effect": effect.name,
        "principal_kind": evaluation.subject.kind.value,
        "action_class": _class(prepared, effect, record),
        "registered": True,
        "tenant_match": _same_tenant(prepared),
        "external": effect.external,
        "draft_effect": effect.draft,
        "connector_mode": ConnectorMode.LIVE.value if live else ConnectorMode.SANDBOX.value,
        "approval": _approval(evaluation, record),
        "earlier_attempt_open": record.earlier_attempt_open,
        "tainted": record.people_read >= MANY_PEOPLE,
        "contradiction": "refuted" if record.refuted else "open" if record.contradictions else "none",
        "screening": standing(prepared.findings),
        "quarantined": record.quarantined,
        "agent_standing": record.agent_standing,
        "agent_doubted": record.agent_doubted,
        "own_recipient": record.own_recipient,
        # An effect that asks a model and that nobody has looked at may not be asked.
        "model_call": "unknown_provider" if effect.model and record.model_call == "none" else record.model_call,
        "suspended": record.agent_blocks >= AGENT_BLOCKS and evaluation.subject.kind.value == "agent",
    }
    if effect.channel is None:
        return Question(**base)  # type: ignore[arg-type]  # the values fit field by field
    contact = record.contact
    return Question(
        **base,  # type: ignore[arg-type]  # as above
        channel=effect.channel,
        purpose=effect.purpose or "",
        facts="known" if contact is not None else "unknown",
        recipient_match=contact is not None and bool(recipient_mac) and contact.mac(effect.channel) == recipient_mac,
        opted_out=contact.opted_out if contact is not None else "unknown",
        suppressed=record.recipient_suppressed,
        contested=record.contested,
        consent=contact.consent(effect.channel) if contact is not None else "none",
        source_policy=source_policy(contact) if contact is not None else "unknown",
        opt_out_text=_has_opt_out(prepared.payload),
        sender_identity=_names_sender(prepared.payload),
        over_daily_cap=record.sent_today >= record.daily_cap,
        over_contact_cap=record.touches_this_week >= record.contact_cap,
        quiet_hours=quiet_hours(now),
    )


def _class(prepared: Prepared, effect: Effect, record: OnRecord) -> str:
    """The effect's class. A contradiction about its subject, a finding of the security gate and a doubted agent raise A to B; nothing lowers it."""
    doubted = (
        record.contradictions or record.quarantined or record.agent_doubted or standing(prepared.findings) != "clean"
    )
    raised = doubted and effect.action_class is ActionClass.A
    return (ActionClass.B if raised else effect.action_class).value


def _same_tenant(prepared: Prepared) -> bool:
    """Whether everything that names a tenant names the same one: who asks, the resource, the payload."""
    evaluation = prepared.evaluation
    tenant = str(evaluation.tenant_id)
    named = [str(evaluation.subject.tenant_id), prepared.payload.get("tenant_id", tenant)]
    if evaluation.resource.type == "tenant":
        named.append(evaluation.resource.id)
    return all(name == tenant for name in named)


def _approval(evaluation: Evaluation, record: OnRecord) -> str:
    token = evaluation.approval_token
    own = record.approval_id is not None and token == str(record.approval_id)
    if token is not None and not own and not record.token_fits:
        # A token is a reference to an approval of exactly this action; anything else is worth nothing, and is said.
        return "token_unknown"
    return record.approval


def _has_opt_out(payload: dict[str, Any]) -> bool:
    body = payload.get("body")
    return isinstance(body, str) and any(word in body.casefold() for word in OPT_OUT_WORDS)


def _names_sender(payload: dict[str, Any]) -> bool:
    name, body = payload.get("from_name"), payload.get("body")
    return isinstance(name, str) and bool(name.strip()) and isinstance(body, str) and name.strip() in body


def outcome(answer: Answer) -> Outcome:
    """Which of the four answers a policy's answer is."""
    if answer.allowed:
        return Outcome.DRAFTED if answer.mode is Mode.SUGGEST_ONLY else Outcome.GRANTED
    return {Mode.APPROVAL_REQUIRED: Outcome.PARKED, Mode.SUGGEST_ONLY: Outcome.DRAFTED}.get(
        answer.mode, Outcome.REFUSED
    )


def connector_mode(answer: Answer, *, live: bool) -> ConnectorMode:
    """Sandbox until the tenant's live flag is on; then a draft effect stays a draft."""
    if not live:
        return ConnectorMode.SANDBOX
    return ConnectorMode.DRAFT if answer.mode is Mode.DRAFT_ONLY else ConnectorMode.LIVE


PROOF_IMPACT = {
    Outcome.GRANTED: "proof_generated",
    Outcome.PARKED: "approval_collected",
    Outcome.DRAFTED: "draft_created",
    Outcome.REFUSED: "risk_blocked",
}
AUDIENCE = f"dealix:{Plane.EXECUTION.value}"
