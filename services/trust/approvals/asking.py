"""Under which terms people are asked: how many of them, until when, and what the request takes the place of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.approvals import TrustRules
from libs.contracts.trust import Approval
from services.trust.approvals.domain import clock
from services.trust.approvals.domain.rights import people_needed, value_of
from services.trust.domain.approvals import LIFETIME
from services.trust.domain.decide import Prepared
from services.trust.store import Unit

GRACE = timedelta(days=1)
"""A request outlives the last threshold of its clock by at least this."""


class Asking:
    """Within one unit of work. Rules are read once a tenant."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._rules: dict[UUID, TrustRules] = {}

    async def rules(self, tenant_id: UUID) -> TrustRules:
        if tenant_id not in self._rules:
            self._rules[tenant_id] = (await self._unit.desk.rules(tenant_id)).rules
        return self._rules[tenant_id]

    async def terms(self, prepared: Prepared, now: datetime) -> dict[str, Any]:
        """`due_at`, `expires_at`, `approvers` and `supersedes` of a request that is about to be made."""
        effect, evaluation = prepared.effect, prepared.evaluation
        if effect is None:
            raise ValueError("nobody is asked about an unregistered effect")
        rules = await self.rules(evaluation.tenant_id)
        stages = clock.thresholds(now, effect.risk, evaluation.action_type, rules)
        return {
            "due_at": stages["escalated"],
            "expires_at": max(now + LIFETIME, stages["breached"] + GRACE),
            "approvers": people_needed(effect.approvers, value_of(prepared.payload), rules),
            "supersedes": await self._unit.desk.edited_from(evaluation.tenant_id, evaluation.action_id),
        }

    async def settle(self, asked: Sequence[Approval]) -> None:
        """Start the clocks of new requests, and point the ones that they take the place of at them."""
        for one in asked:
            rules = await self.rules(one.tenant_id)
            stages = clock.thresholds(one.requested_at, one.risk, one.action_type, rules)
            await self._unit.desk.add_ticks(one.tenant_id, one.approval_id, stages)
            if one.supersedes is not None:
                await self._unit.desk.supersede(one.tenant_id, one.supersedes, one.approval_id)
