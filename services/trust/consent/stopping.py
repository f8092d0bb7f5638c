"""When a person says stop, what waits for them ends: requests for approval here, actions in execution by an event."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from libs.contracts.catalogue.actions import effects, normalise
from libs.contracts.consent import ContactStopped
from libs.contracts.subjects import CONTACT_STOPPED
from libs.contracts.trust import ApprovalState
from services.trust.approving import finish
from services.trust.store import Unit


async def stop(unit: Unit, tenant_id: UUID, contact_ids: Sequence[UUID], channel: str | None, why: str) -> None:
    """End every pending request for a message to these contacts on `channel` (on any when None), and have execution end the rest."""
    if not contact_ids:
        return
    now = await unit.now()
    for _, approval_id in await unit.consent.waiting_about(tenant_id, contact_ids):
        found = await unit.approval(tenant_id, approval_id, lock=True)
        if found is None or found[0].state is not ApprovalState.PENDING:
            continue
        effect = effects().get(normalise(found[0].action_type))
        if channel is not None and effect is not None and effect.channel not in (channel, None):
            continue
        await finish(unit, found[0], ApprovalState.WITHDRAWN, "system:trust", now, why, "withdrawn", {"why": why})
    for contact_id in contact_ids:
        unit.emit(
            CONTACT_STOPPED,
            ContactStopped(tenant_id=tenant_id, contact_id=contact_id, channel=channel, why=why, at=now),
        )
