"""Approvals as people use them: list, look, vote, reject, edit, withdraw. Every step is a ledger entry."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Principal
from libs.contracts.subjects import APPROVAL_DECIDED
from libs.contracts.trust import (
    Approval,
    ApprovalDecided,
    ApprovalRequest,
    ApprovalsReply,
    ApprovalsRequest,
    ApprovalState,
    ApproveRequest,
    RejectRequest,
    ReviseRequest,
    WithdrawRequest,
)
from services.trust.domain import approvals
from services.trust.errors import ApprovalExpired, ApprovalNotPending, StaleHash
from services.trust.ledger.domain.commitments import approval_data, approval_kind
from services.trust.ledger.domain.entry import Entry
from services.trust.paging import before
from services.trust.store import Store, Unit

MAY_READ = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "member"})


class Approving:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, request: ApprovalsRequest) -> ApprovalsReply:
        """A tenant's approvals, newest first."""
        _require(request.principal, MAY_READ)
        async with self._store.unit(request.principal.tenant_id) as unit:
            items = await unit.approvals(
                request.principal.tenant_id,
                request.state.value if request.state else None,
                request.role,
                before(request.page),
                request.page.limit + 1,
            )
        more = len(items) > request.page.limit
        items = items[: request.page.limit]
        return ApprovalsReply(items=tuple(items), next_cursor=str(items[-1].approval_id) if more else None)

    async def show(self, request: ApprovalRequest) -> Approval:
        _require(request.principal, MAY_READ)
        async with self._store.unit(request.principal.tenant_id) as unit:
            approval, _ = await _load(unit, request.principal, request.approval_id)
        return approval

    async def approve(self, request: ApproveRequest) -> Approval:
        """One vote, bound to both hashes. The last vote that is needed makes the approval."""
        async with self._store.unit(request.principal.tenant_id) as unit:
            approval, approvers = await _load(unit, request.principal, request.approval_id, lock=True)
            now = await unit.now()
            voted = frozenset(step.actor for step in approval.history if step.step == "approved")
            complete = approvals.check_vote(approval, request, approvers=approvers, voted=voted, now=now)
            marked = {"self_approved": True} if request.principal.id == approval.requester else {}
            if not complete:
                await unit.add_step(
                    approval.tenant_id, approval.approval_id, request.principal.id, "approved", request.note
                )
                await unit.append(
                    [_entry(approval, approval_kind("voted"), request.principal, now, request.note, marked)]
                )
                return (await _load(unit, request.principal, request.approval_id))[0]
            return await _close(
                unit, approval, ApprovalState.APPROVED, request.principal, now, request.note, "approved", marked
            )

    async def reject(self, request: RejectRequest) -> Approval:
        approvals.require_approver(request.principal)
        async with self._store.unit(request.principal.tenant_id) as unit:
            approval, _ = await _load(unit, request.principal, request.approval_id, lock=True)
            now = await unit.now()
            _pending(approval, now)
            return await _close(
                unit, approval, ApprovalState.REJECTED, request.principal, now, request.reason, "rejected", {}
            )

    async def withdraw(self, request: WithdrawRequest) -> Approval:
        """The requester, or somebody who may approve, takes the request back."""
        async with self._store.unit(request.principal.tenant_id) as unit:
            approval, _ = await _load(unit, request.principal, request.approval_id, lock=True)
            if request.principal.id != approval.requester:
                approvals.require_approver(request.principal)
            now = await unit.now()
            _pending(approval, now)
            return await _close(unit, approval, ApprovalState.WITHDRAWN, request.principal, now, "", "withdrawn", {})

    async def revise(self, request: ReviseRequest) -> Approval:
        """End this request because its payload was edited. The edited payload is submitted anew and asks for a new approval.

        Raises StaleHash when the editor saw another payload.
        """
        _require(request.principal, frozenset({"owner", "admin", "approver", "operator"}))
        async with self._store.unit(request.principal.tenant_id) as unit:
            approval, _ = await _load(unit, request.principal, request.approval_id, lock=True)
            now = await unit.now()
            _pending(approval, now)
            if request.expected_hash != approval.payload_hash:
                raise StaleHash
            changed = sorted(
                name
                for name in {*request.payload, *json.loads(approval.payload)}
                if request.payload.get(name) != json.loads(approval.payload).get(name)
            )
            return await _close(
                unit,
                approval,
                ApprovalState.SUPERSEDED,
                request.principal,
                now,
                "",
                "superseded",
                {"changed_fields": changed},
            )

    async def expire_overdue(self, limit: int = 100) -> int:
        """Deny what nobody answered in time, of all tenants. Returns how many."""
        overdue = await self._store.overdue(limit)
        return sum([await self.expire(tenant, approval_ids) for tenant, approval_ids in overdue.items()])

    async def expire(self, tenant_id: UUID, approval_ids: list[UUID]) -> int:
        """Deny what nobody answered in time. Returns how many."""
        count = 0
        async with self._store.unit(tenant_id) as unit:
            now = await unit.now()
            for approval_id in approval_ids:
                found = await unit.approval(tenant_id, approval_id, lock=True)
                if found is None or found[0].state is not ApprovalState.PENDING or now < found[0].expires_at:
                    continue
                await _finish(unit, found[0], ApprovalState.EXPIRED, "system:trust", now, "", "expired", {})
                count += 1
        return count


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles):
        raise Forbidden


async def _load(unit: Unit, principal: Principal, approval_id: UUID, *, lock: bool = False) -> tuple[Approval, int]:
    found = await unit.approval(principal.tenant_id, approval_id, lock=lock)
    if found is None:
        raise NotFound
    return found


def _pending(approval: Approval, now: datetime) -> None:
    if approval.state is not ApprovalState.PENDING:
        raise ApprovalNotPending(approval.state.value)
    if now >= approval.expires_at:
        raise ApprovalExpired


async def _close(
    unit: Unit,
    approval: Approval,
    state: ApprovalState,
    principal: Principal,
    now: datetime,
    note: str,
    step: str,
    extra: dict[str, Any],
) -> Approval:
    await _finish(unit, approval, state, principal.id, now, note, step, extra)
    return (await _load(unit, principal, approval.approval_id))[0]


async def _finish(
    unit: Unit,
    approval: Approval,
    state: ApprovalState,
    actor: str,
    now: datetime,
    note: str,
    step: str,
    extra: dict[str, Any],
) -> None:
    closed: Approval = approval.evolve(state=state, decided_by=actor, decided_at=now)
    await unit.close_approval(closed, step, note)
    await unit.append([_entry(closed, approval_kind(step), actor, now, note, extra)])
    unit.emit(
        APPROVAL_DECIDED,
        ApprovalDecided(
            approval_id=approval.approval_id,
            tenant_id=approval.tenant_id,
            action_id=approval.action_id,
            state=state,
            decided_by=actor,
            decided_at=now,
        ),
    )


def _entry(
    approval: Approval, kind: str, actor: Principal | str, now: datetime, note: str, extra: dict[str, Any]
) -> Entry:
    """What was decided, over exactly which hashes. A person's free text stays in the approval's history."""
    return Entry(
        tenant_id=approval.tenant_id,
        kind=kind,
        actor=actor if isinstance(actor, str) else actor.id,
        target=f"action:{approval.action_id}",
        at=now,
        data=approval_data(approval, noted=bool(note), **extra),
        trace_id=approval.trace_id,
    )
