"""Approvals as people use them: list, look, vote, reject, edit, withdraw. Every step is a ledger entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.approvals import ApprovalEscalated, BulkReply, BulkRequest, Edit
from libs.contracts.canonical import CanonicalizationError, canonical
from libs.contracts.errors import DealixError, Forbidden, Invalid, NotFound
from libs.contracts.message import Principal, derived_id
from libs.contracts.paging import before, page_of
from libs.contracts.subjects import APPROVAL_DECIDED, APPROVAL_ESCALATED
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
from services.trust.approvals.domain import clock
from services.trust.approvals.domain.alike import compare
from services.trust.approvals.domain.rights import right_for, value_of, voters
from services.trust.domain import approvals
from services.trust.errors import ApprovalExpired, ApprovalNotPending, BulkRefused, StaleHash
from services.trust.ledger.domain.commitments import approval_data, approval_kind
from services.trust.ledger.domain.entry import Entry
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
        page, more = page_of(items, request.page.limit, lambda one: one.approval_id)
        return ApprovalsReply(items=page, next_cursor=more)

    async def show(self, request: ApprovalRequest) -> Approval:
        _require(request.principal, MAY_READ)
        async with self._store.unit(request.principal.tenant_id) as unit:
            approval, _ = await _load(unit, request.principal, request.approval_id)
        return approval

    async def approve(self, request: ApproveRequest) -> Approval:
        """One vote, bound to both hashes. The last vote that is needed makes the approval."""
        async with self._store.unit(request.principal.tenant_id) as unit:
            return await vote(unit, request)

    async def approve_bulk(self, request: BulkRequest) -> BulkReply:
        """Votes for several requests of one template, each for its own hashes, in one transaction: all of them count, or none.

        Raises NotAlike, and BulkRefused naming the first request whose vote does not count.
        """
        approvals.require_approver(request.principal)
        async with self._store.unit(request.principal.tenant_id) as unit:
            # Always in the same order, so that two of these never wait for each other.
            ordered = sorted({item.approval_id: item for item in request.items}.values(), key=lambda i: i.approval_id)
            compare([(await _load(unit, request.principal, i.approval_id, lock=True))[0] for i in ordered])
            done = []
            for one in ordered:
                wanted = ApproveRequest(principal=request.principal, note=request.note, **dict(one))
                try:
                    done.append(await vote(unit, wanted))
                except DealixError as error:
                    raise BulkRefused(str(one.approval_id), error.en, error.ar) from error
        return BulkReply(items=tuple(done))

    async def reject(self, request: RejectRequest) -> Approval:
        async with self._store.unit(request.principal.tenant_id) as unit:
            return await refuse(unit, request)

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
        """End this request because its payload was edited, and keep the edit in the same transaction: execution takes it from here
        and submits it, however often it has to try. The edited payload asks for an approval of its own. The same edit again
        changes nothing.

        Raises StaleHash when the editor saw another payload.
        """
        _require(request.principal, frozenset({"owner", "admin", "approver", "operator"}))
        tenant = request.principal.tenant_id
        try:
            text = canonical(request.payload).decode()
        except CanonicalizationError as error:
            raise Invalid(
                "payload_not_json", "The payload has no canonical form.", "الحمولة بلا صيغة معيارية."
            ) from error
        async with self._store.unit(tenant) as unit:
            approval, _ = await _load(unit, request.principal, request.approval_id, lock=True)
            made = await unit.desk.edit(tenant, request.approval_id)
            if made is not None and canonical(made.payload).decode() == text:
                return approval
            now = await unit.now()
            _pending(approval, now)
            if request.expected_hash != approval.payload_hash:
                raise StaleHash
            before = json.loads(approval.payload)
            names = {*request.payload, *before}
            changed = sorted(name for name in names if request.payload.get(name) != before.get(name))
            edit = Edit(
                action_id=derived_id(approval.approval_id, text),
                action_type=approval.action_type,
                resource_type=approval.view["resource"]["type"],
                resource_id=approval.view["resource"]["id"],
                payload=request.payload,
                reason=approval.reason if request.reason is None else request.reason,
                editor=request.principal,
            )
            await unit.desk.keep_edit(tenant, approval.approval_id, edit)
            extra = {"changed_fields": changed, "replaced_by_action": str(edit.action_id)}
            return await _close(
                unit, approval, ApprovalState.SUPERSEDED, request.principal, now, "", "superseded", extra
            )

    async def tick(self, limit: int = 100) -> int:
        """Act on the thresholds that clocks have reached, of all tenants. Returns how many."""
        due = await self._store.due_ticks(limit)
        for tenant_id, approval_id, stage in due:
            async with self._store.unit(tenant_id) as unit:
                await _reach(unit, tenant_id, approval_id, stage)
        return len(due)

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
                await finish(unit, found[0], ApprovalState.EXPIRED, "system:trust", now, "", "expired", {})
                count += 1
        return count


async def refuse(unit: Unit, request: RejectRequest, extra: Mapping[str, Any] = {}) -> Approval:
    """Reject within a unit of work; `extra` goes into the ledger entry. Raises Forbidden, NotFound, ApprovalNotPending, ApprovalExpired."""
    approvals.require_approver(request.principal)
    approval, _ = await _load(unit, request.principal, request.approval_id, lock=True)
    now = await unit.now()
    _pending(approval, now)
    state = ApprovalState.REJECTED
    return await _close(unit, approval, state, request.principal, now, request.reason, "rejected", dict(extra))


async def vote(unit: Unit, request: ApproveRequest, extra: Mapping[str, Any] = {}) -> Approval:
    """One vote within a unit of work; `extra` goes into the ledger entry. It raises before it writes."""
    approval, approvers = await _load(unit, request.principal, request.approval_id, lock=True)
    now = await unit.now()
    who = request.principal
    approvals.require_approver(who)
    _pending(approval, now)
    rules = (await unit.desk.rules(who.tenant_id)).rules
    lent = await unit.desk.lent_to(who.tenant_id, who.id)
    right = right_for(approval, who, lent, rules, value_of(json.loads(approval.payload)), now)
    votes = sum(step.step == "approved" for step in approval.history)
    complete = approvals.check_vote(
        approval, request, approvers=approvers, voted=voters(approval), votes=votes, giver=right.giver, now=now
    )
    marked: dict[str, Any] = dict(extra)
    if who.id == approval.requester:
        marked["self_approved"] = True
    if right.giver:
        marked["on_behalf"] = right.giver
    if complete:
        state = ApprovalState.APPROVED
        return await _close(unit, approval, state, who, now, request.note, "approved", marked, right.giver)
    await unit.add_step(approval.tenant_id, approval.approval_id, who.id, "approved", request.note, right.giver)
    await unit.append([_entry(approval, approval_kind("voted"), who, now, request.note, marked)])
    return (await _load(unit, who, request.approval_id))[0]


async def _reach(unit: Unit, tenant_id: UUID, approval_id: UUID, stage: str) -> None:
    """One threshold of one clock: a step of the history, a ledger entry, and from the third on another queue."""
    found = await unit.approval(tenant_id, approval_id, lock=True)
    await unit.desk.drop_ticks(approval_id, [stage])
    if found is None or found[0].state is not ApprovalState.PENDING:
        return
    approval, now = found[0], await unit.now()
    rules = (await unit.desk.rules(tenant_id)).rules
    role = clock.role_at(stage, approval.role, rules)
    await unit.desk.move(tenant_id, approval_id, role, stage)
    await unit.add_step(tenant_id, approval_id, "system:trust", stage, "")
    moved: Approval = approval.evolve(role=role, stage=stage)
    extra = {"from_role": approval.role, "to_role": role, "due_at": approval.due_at.isoformat()}
    await unit.append([_entry(moved, approval_kind(stage), "system:trust", now, "", extra)])
    if role != approval.role:
        unit.emit(
            APPROVAL_ESCALATED,
            ApprovalEscalated(
                approval_id=approval_id, tenant_id=tenant_id, action_id=approval.action_id, from_role=approval.role,
                to_role=role, stage=stage, at=now,
            ),
        )  # fmt: skip


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
    giver: str = "",
) -> Approval:
    await finish(unit, approval, state, principal.id, now, note, step, extra, giver)
    return (await _load(unit, principal, approval.approval_id))[0]


async def finish(
    unit: Unit,
    approval: Approval,
    state: ApprovalState,
    actor: str,
    now: datetime,
    note: str,
    step: str,
    extra: dict[str, Any],
    giver: str = "",
) -> None:
    """Close a request: its state, the step of its history, the ledger entry, and the event that execution and decision hear."""
    closed: Approval = approval.evolve(state=state, decided_by=actor, decided_at=now)
    await unit.close_approval(closed, step, note, giver)
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
