"""An action inside execution: what was asked, and how asking is read."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from libs.contracts.canonical import CanonicalizationError, canonical
from libs.contracts.catalogue.actions import effects, near_forbidden, normalise
from libs.contracts.execution import ActionItem, ActionState
from libs.contracts.message import Principal, Reason
from libs.contracts.trust import ActionClass, Evaluation, ResourceRef

MAX_PAYLOAD_BYTES = 256 * 1024


@dataclass(slots=True)
class Job:
    """One action in work: immutable in what was asked, moved on by the pipeline. `headers` carry the client's trace."""

    tenant_id: UUID
    action_id: UUID
    action_type: str
    effect: str
    resource: ResourceRef
    payload: str
    salt: str
    principal: Principal
    reason: str
    run_id: str
    approval_token: str | None
    idempotency_key: str | None
    headers: dict[str, str]
    trace_id: str
    state: ActionState = ActionState.ACCEPTED
    attempt: int = 1
    epoch: int = 0
    tries: int = 0
    grant_id: UUID | None = None
    connector_mode: str | None = None
    version: str = ""
    """The version of a canary that carries it out; empty for the usual one."""
    payload_dict: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[UUID, UUID]:
        """What names an action: its tenant and its id. Two tenants may choose the same id."""
        return self.tenant_id, self.action_id

    def evaluation(self) -> Evaluation:
        """The question to trust. The effect is the registered one; connector and operation follow from it."""
        effect = effects().get(self.effect)
        return Evaluation(
            tenant_id=self.tenant_id,
            action_id=self.action_id,
            attempt=self.attempt,
            subject=self.principal,
            action_type=self.action_type,
            effect=self.effect,
            connector=effect.connector if effect else None,
            operation=effect.operation if effect else None,
            resource=self.resource,
            payload=self.payload,
            salt=self.salt,
            reason=self.reason,
            run_id=self.run_id,
            approval_token=self.approval_token,
            trace_id=self.trace_id,
        )


def _has_nul(item: ActionItem) -> bool:
    """Whether any text of an action holds a NUL: PostgreSQL stores none, and the action would take its batch down."""
    beside = (item.resource.type, item.resource.id, item.reason, item.run_id, item.approval_token, item.idempotency_key)
    return any("\x00" in text for text in beside if text) or _nul_inside(item.payload)


def _nul_inside(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_nul_inside(key) or _nul_inside(inner) for key, inner in value.items())
    return isinstance(value, list | tuple) and any(_nul_inside(inner) for inner in value)


def read(
    item: ActionItem, principal: Principal, registered: dict[str, str], headers: dict[str, str], trace_id: str
) -> Job | Reason:
    """A job from what a client asked, or the reason why there is none.

    `registered` maps task types to the effects of their handlers: the label in the request chooses a handler and nothing else. A
    name that is, or nearly is, a forbidden one goes on as forbidden, so that trust refuses and records it.
    """
    name = normalise(item.action_type)
    effect = registered.get(name)
    if near_forbidden(name):
        known = effects().get(name)
        effect = known.name if known and known.action_class is ActionClass.C else "destructive_unchecked"
    if effect is None:
        return Reason(
            code="unknown_action_type",
            en="No handler is registered for this action type.",
            ar="لا يوجد معالج مسجّل لهذا النوع من الإجراءات.",
        )
    if _has_nul(item):
        return Reason(
            code="not_text",
            en="A text holds a NUL character, which no system can store as text.",
            ar="أحد النصوص يحتوي محرفًا فارغًا (NUL) لا يمكن حفظه.",
        )
    if "approval_token" in item.payload:
        return Reason(
            code="token_in_payload",
            en="The approval token goes beside the payload.",
            ar="يوضع رمز الموافقة بجانب الحمولة لا داخلها.",
        )
    try:
        payload = canonical(item.payload)
    except CanonicalizationError as error:
        return Reason(
            code="payload_not_json",
            en=f"The payload has no canonical form: {error}.",
            ar="لا يمكن تمثيل الحمولة بصيغة معيارية.",
        )
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Reason(
            code="payload_too_large", en="The payload is larger than 256 KiB.", ar="حجم الحمولة أكبر من 256 كيلوبايت."
        )
    return Job(
        tenant_id=principal.tenant_id,
        action_id=item.action_id,
        action_type=name,
        effect=effect,
        resource=item.resource,
        payload=payload.decode(),
        salt=secrets.token_hex(32),
        principal=principal,
        reason=item.reason,
        run_id=item.run_id,
        approval_token=item.approval_token,
        idempotency_key=item.idempotency_key,
        headers=headers,
        trace_id=trace_id,
    )
