"""References to approvals: opaque, good for one action, bound to tenant, requester, resource and the canonical payload."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from libs.contracts.trust import Approval, ApprovalState, Outcome
from services.trust.approvals.domain.sequence import cited
from services.trust.approvals.store import Token
from services.trust.domain.decide import Prepared
from services.trust.rows import Known, Ruling
from services.trust.store import Unit


def mint() -> str:
    """A new token: 256 random bits."""
    return f"apv_{secrets.token_urlsafe(32)}"


def token_mac(key: bytes, tenant_id: UUID, token: str) -> str:
    """What is kept in a token's place."""
    return hmac.new(key, b"approval-token" + tenant_id.bytes + token.encode(), hashlib.sha256).hexdigest()


async def redeem(
    unit: Unit, key: bytes, prepared: Sequence[Prepared], known: Sequence[Known], now: datetime
) -> list[Known]:
    """What is on record, with the approval that a request's token refers to where it fits. A token that does not changes nothing."""
    out = list(known)
    for n, (p, k) in enumerate(zip(prepared, known, strict=True)):
        text, tenant_id = p.evaluation.approval_token, p.evaluation.tenant_id
        if text is None or k.prior is not None or cited(p) is not None:
            continue
        token = await unit.desk.token(tenant_id, token_mac(key, tenant_id, text))
        if token is None:
            continue
        found = await unit.approval(tenant_id, token.approval_id)
        if (
            found is not None
            and fits(token, found[0], p, now)
            and not await unit.desk.spent(tenant_id, token.approval_id)
        ):
            record = replace(k.record, approval="approved", approval_id=token.approval_id, token_fits=True)
            out[n] = replace(k, record=record)
    return out


def fits(token: Token, approval: Approval, prepared: Prepared, now: datetime) -> bool:
    """Whether a token may stand for the approval of this evaluation."""
    e = prepared.evaluation
    resource = approval.view.get("resource")
    return (
        now < token.expires_at
        and token.used_by in (None, e.action_id)
        and approval.state is ApprovalState.APPROVED
        and approval.requester == e.subject.id
        and approval.action_type == e.action_type
        and resource == {"type": e.resource.type, "id": e.resource.id}
        and approval.payload == e.payload
    )


async def use(unit: Unit, key: bytes, rulings: Sequence[Ruling]) -> None:
    """Spend the tokens of what was granted. Raises ValueError when one was spent meanwhile: then the whole batch is decided again."""
    for ruling in rulings:
        e = ruling.prepared.evaluation
        by_token = e.approval_token is not None and e.approval_token != str(ruling.decision.approval_id)
        if not by_token or e.approval_token is None or ruling.decision.outcome is not Outcome.GRANTED:
            continue
        if ruling.decision.approval_id is None or cited(ruling.prepared) is not None:
            continue
        if not await unit.desk.use_token(e.tenant_id, token_mac(key, e.tenant_id, e.approval_token), e.action_id):
            raise ValueError("an approval token was used twice at once")
