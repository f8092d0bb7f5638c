"""Messages of an approved sequence: each may use its own place in the approval, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from libs.contracts.trust import Approval, Outcome
from services.trust.approvals.domain.sequence import cited, place
from services.trust.domain.decide import Prepared
from services.trust.rows import Known, Ruling
from services.trust.store import Unit

Place = tuple[UUID, UUID]
"""A tenant and an approval."""


class _Cited:
    """What one batch refers to, read once, with the places that its own items take."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._approvals: dict[Place, Approval | None] = {}
        self._used: dict[Place, dict[int, UUID]] = defaultdict(dict)

    async def place(self, prepared: Prepared, now: datetime) -> tuple[Approval | None, int | str]:
        """The approval that an item refers to, and the place that it may take there or why none."""
        action_id, tenant = cited(prepared), prepared.evaluation.tenant_id
        if action_id is None:
            return None, place(None, prepared, {}, (await self._unit.desk.rules(tenant)).rules, now)
        if (tenant, action_id) not in self._approvals:
            found = await self._unit.desk.sequence(tenant, action_id)
            self._approvals[tenant, action_id] = found
            if found is not None:
                self._used[tenant, action_id] = await self._unit.desk.sequence_uses(tenant, found.approval_id)
        found, used = self._approvals[tenant, action_id], self._used[tenant, action_id]
        taken = place(found, prepared, used, (await self._unit.desk.rules(tenant)).rules, now)
        if isinstance(taken, int):
            used[taken] = prepared.evaluation.action_id
        return found, taken


async def cite(unit: Unit, prepared: Sequence[Prepared], known: Sequence[Known], now: datetime) -> list[Known]:
    """What is on record, with the sequence's approval for what refers to one. An approval of the very action goes before it."""
    out, batch = list(known), _Cited(unit)
    for n, (p, k) in enumerate(zip(prepared, known, strict=True)):
        if not refers(p) or k.prior is not None:
            continue
        if k.record.approval != "none":
            out[n] = replace(k, record=replace(k.record, token_fits=True))
            continue
        found, taken = await batch.place(p, now)
        standing = "approved" if isinstance(taken, int) else taken
        approval_id = found.approval_id if found is not None and isinstance(taken, int) else None
        record = replace(k.record, approval=standing, approval_id=approval_id, token_fits=True)
        out[n] = replace(k, record=record)
    return out


async def spend(unit: Unit, rulings: Sequence[Ruling], now: datetime) -> None:
    """Take the places of what was granted. Raises ValueError when one was taken meanwhile: then the whole batch is decided again."""
    batch = _Cited(unit)
    for ruling in rulings:
        if not refers(ruling.prepared) or ruling.decision.outcome is not Outcome.GRANTED:
            continue
        found, taken = await batch.place(ruling.prepared, now)
        if found is None or ruling.decision.approval_id != found.approval_id:
            continue  # granted on an approval of its own
        e = ruling.prepared.evaluation
        if not isinstance(taken, int) or not await unit.desk.use_sequence(
            e.tenant_id, found.approval_id, taken, e.action_id
        ):
            raise ValueError("a message of a sequence was used twice at once")


def refers(prepared: Prepared) -> bool:
    return cited(prepared) is not None
