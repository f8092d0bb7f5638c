"""Execution's other answers: an action's state, lists, cancelling, the sandbox, connectors, control; and what it hears from trust."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from libs.contracts.approvals import Edit, EditGet
from libs.contracts.catalogue.actions import effects
from libs.contracts.consent import ContactStopped
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.execution import (
    FINAL_STATES,
    Action,
    ActionGet,
    ActionItem,
    ActionsReply,
    ActionsRequest,
    ActionState,
    CancelAction,
    ConnectorsReply,
    ConnectorsRequest,
    ControlReply,
    ControlRow,
    Effect,
    EffectsReply,
    EffectsRequest,
    SandboxReply,
    SandboxRequest,
    StatesReply,
    StatesRequest,
    SubmitReply,
    SubmitRequest,
)
from libs.contracts.paging import before, page_of
from libs.contracts.receipts import OutcomeResolved
from libs.contracts.subjects import EDIT
from libs.contracts.trust import ApprovalDecided, ApprovalState, ResourceRef
from libs.runtime import telemetry
from libs.runtime.bus import Bus
from libs.runtime.database import SessionWork
from services.execution.connectors.base import Connector, ReadsBack
from services.execution.errors import NotCancellable
from services.execution.settling.handlers import never_left
from services.execution.store import Store

MOST_EFFECTS = 1000
LOOK_AGAIN = 0.1
RESTING = FINAL_STATES | {ActionState.AWAITING_APPROVAL, ActionState.UNKNOWN}
SUBMITTERS = frozenset({"owner", "admin", "approver", "operator", "member", "api_client"})
PROPOSERS = frozenset({"owner", "admin", "compliance_officer"})
"""Who asks for policies and live switches (`propose` in `roles.yaml`)."""
Submit = Callable[[SubmitRequest], Awaitable[SubmitReply]]
SANDBOX_READERS = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "member"})


class Queries:
    """What is asked about actions."""

    def __init__(self, store: Store, connectors: Sequence[Connector]) -> None:
        self._store = store
        self._connectors = connectors
        self._watchers: dict[UUID, set[asyncio.Event]] = {}
        self.standing: Callable[[ConnectorsRequest], Awaitable[ConnectorsReply]] | None = None
        """What is on record of each connector; set where there is a vault."""

    def settled(self, action_id: UUID) -> None:
        """Called when this replica has moved an action; wakes whoever waits for it."""
        for event in self._watchers.get(action_id, ()):
            event.set()

    async def action(self, request: ActionGet) -> Action:
        """The action, after waiting up to `wait_seconds` for it to come to rest.

        Raises NotFound, for another tenant's id as well.
        """
        deadline = asyncio.get_running_loop().time() + request.wait_seconds
        event = asyncio.Event()
        self._watchers.setdefault(request.action_id, set()).add(event)
        try:
            while True:
                event.clear()
                found = await self._load(request.principal.tenant_id, request.action_id)
                left = deadline - asyncio.get_running_loop().time()
                if found.state in RESTING or left <= 0:
                    return found
                try:
                    # Another replica may be at work on it: look again now and then.
                    async with asyncio.timeout(min(left, 0.25)):
                        await event.wait()
                except TimeoutError:
                    continue
        finally:
            watchers = self._watchers[request.action_id]
            watchers.discard(event)
            if not watchers:
                del self._watchers[request.action_id]

    async def states(self, request: StatesRequest) -> StatesReply:
        """Where actions stand, after waiting up to `wait_seconds` for all of them to come to rest."""
        tenant, loop = request.principal.tenant_id, asyncio.get_running_loop()
        deadline = loop.time() + request.wait_seconds
        while True:
            async with self._store.unit(tenant) as unit:
                found = await unit.states(tenant, request.action_ids)
            states = tuple(found.get(one) for one in request.action_ids)
            left = deadline - loop.time()
            if left <= 0 or all(state is None or state in RESTING for state in states):
                return StatesReply(states=states)
            await asyncio.sleep(min(left, LOOK_AGAIN))

    async def _load(self, tenant_id: UUID, action_id: UUID) -> Action:
        async with self._store.unit(tenant_id) as unit:
            found = await unit.action(tenant_id, action_id)
        if found is None:
            raise NotFound
        return found

    async def actions(self, request: ActionsRequest) -> ActionsReply:
        tenant = request.principal.tenant_id
        async with self._store.unit(tenant) as unit:
            items = await unit.actions(
                tenant,
                request.state.value if request.state else None,
                before(request.page),
                request.page.limit + 1,
            )
        page, more = page_of(items, request.page.limit, lambda one: one.action_id)
        return ActionsReply(items=page, next_cursor=more)

    async def cancel(self, request: CancelAction) -> Action:
        """Take back an action that has not been dispatched: those may who could have asked for it.

        Raises NotCancellable once it has, or when it has ended.
        """
        who, tenant = request.principal, request.principal.tenant_id
        async with self._store.unit(tenant) as unit:
            found = await unit.action(tenant, request.action_id)
            if found is None:
                raise NotFound
            if not askers(found.action_type) & set(who.roles):
                raise Forbidden
            if not await unit.end(tenant, request.action_id, ActionState.CANCELLED, f"by {request.principal.id}"):
                raise NotCancellable(found.state.value)
        return await self._load(tenant, request.action_id)

    async def sandbox(self, request: SandboxRequest) -> SandboxReply:
        if not SANDBOX_READERS & set(request.principal.roles):
            raise Forbidden
        tenant = request.principal.tenant_id
        async with self._store.unit(tenant) as unit:
            items = await unit.sandbox(tenant, request.connector, before(request.page), request.page.limit + 1)
        page, more = page_of(items, request.page.limit, lambda one: one.message_id)
        return SandboxReply(items=page, next_cursor=more)

    async def connectors(self, request: ConnectorsRequest) -> ConnectorsReply:
        """Every connector as it stands. Without a vault nothing is registered, and without a probe nothing is `ok`."""
        if self.standing is not None:
            return await self.standing(request)
        return ConnectorsReply(
            items=tuple(
                one.profile.info(mode="live" if one.profile.key in request.live else "sandbox", registered=False)
                for one in self._connectors
            )
        )


class Orders:
    """What execution is told: control by operating, approvals by trust, reconciliation by trust."""

    def __init__(
        self, store: Store, wake: asyncio.Event, bus: Bus, submit: Submit, connectors: Mapping[str, Connector]
    ) -> None:
        self._connectors = connectors
        self._store = store
        self._wake = wake
        self._bus = bus
        self._submit = submit
        self.edited: Callable[[SessionWork, ApprovalDecided, Edit, str], Awaitable[None]] = _nobody
        """Who is told that another action took an edited one's place: the run that it belongs to is the last of what is said."""

    async def control(self, row: ControlRow) -> ControlReply:
        """Keep a pause; an older version than the one on record changes nothing."""
        async with self._store.unit(row.tenant_id) as unit:
            version = await unit.set_control(row.tenant_id, row.scope, row.target, row.paused, row.version)
        self._wake.set()
        return ControlReply(acknowledged=version >= row.version, version=version)

    async def approval_decided(self, work: SessionWork, event: ApprovalDecided) -> None:
        """Go on with an approved action as its next attempt, and end one that people turned down."""
        async with self._store.join(work) as unit:
            if event.state is ApprovalState.APPROVED:
                await unit.resume(event.tenant_id, event.action_id, telemetry.trace_id(), telemetry.headers())
            else:
                state = {
                    ApprovalState.EXPIRED: ActionState.EXPIRED,
                    ApprovalState.REJECTED: ActionState.REFUSED,
                }.get(event.state, ActionState.CANCELLED)
                await unit.end(event.tenant_id, event.action_id, state, f"approval {event.state.value}")
            run_id = await unit.run_of(event.tenant_id, event.action_id)
        if event.state is ApprovalState.SUPERSEDED:
            await self.edited(work, event, await self._resubmit(event, run_id), run_id)
        work.then(self._wake.set)

    async def contact_stopped(self, work: SessionWork, event: ContactStopped) -> None:
        """End what waits for a person who said stop. What is dispatched has left; what is granted and not dispatched ends here."""
        async with self._store.join(work) as unit:
            for action_id, effect in await unit.waiting_about(event.tenant_id, str(event.contact_id)):
                known = effects().get(effect)
                if event.channel is None or known is None or known.channel in (event.channel, None):
                    await unit.end(event.tenant_id, action_id, ActionState.CANCELLED, event.why)

    async def _resubmit(self, event: ApprovalDecided, run_id: str) -> Edit:
        """Submit the edit that ended a request. Its action's id follows from the edit, so that doing it again submits nothing twice."""
        edit = await self._bus.call(EDIT, EditGet(tenant_id=event.tenant_id, approval_id=event.approval_id))
        item = ActionItem(
            action_id=edit.action_id,
            action_type=edit.action_type,
            resource=ResourceRef(type=edit.resource_type, id=edit.resource_id),
            payload=edit.payload,
            reason=edit.reason,
            run_id=run_id,
        )
        await self._submit(SubmitRequest(principal=edit.editor, items=(item,)))
        return edit

    async def list_effects(self, request: EffectsRequest) -> EffectsReply:
        """What the sandbox holds, and what the vendor's own log says where it can be read. Where it can't, that is what is said."""
        async with self._store.unit(request.tenant_id) as unit:
            found = await unit.sandbox(request.tenant_id, request.connector, None, MOST_EFFECTS)
        items = tuple(
            Effect(vendor_id=f"sandbox-{m.message_id}", action_id=m.action_id, at=m.at, operation=m.operation)
            for m in found
            if m.at >= request.since
        )
        vendor = self._connectors.get(request.connector)
        complete = len(items) < MOST_EFFECTS
        if isinstance(vendor, ReadsBack):
            told = await vendor.list_effects(request.tenant_id, request.since)
            return EffectsReply(
                checkable=told.checkable, items=(*items, *told.items), complete=complete and told.complete
            )
        return EffectsReply(checkable=bool(items), items=items, complete=complete)

    async def outcome_resolved(self, work: SessionWork, event: OutcomeResolved) -> None:
        """End an action whose outcome was unknown as the vendor's own log says."""
        async with self._store.join(work) as unit:
            if not await unit.resolve_unknown(event.tenant_id, event.action_id, event.outcome, event.vendor_id):
                return
            found = await unit.action(event.tenant_id, event.action_id)
            if found is not None and event.outcome is ActionState.NOT_SENT:
                await never_left(unit, event.tenant_id, found, event.at)


async def _nobody(_: SessionWork, __: ApprovalDecided, ___: Edit, ____: str) -> None:
    """Without flows nobody waits for an action that was edited."""


def askers(action_type: str) -> frozenset[str]:
    """The roles that may ask for actions of a type."""
    effect = effects().get(action_type)
    return PROPOSERS if effect is not None and effect.capability == "propose" else SUBMITTERS
