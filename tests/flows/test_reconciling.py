"""What execution tells of vendors' own logs, and what it does once trust knows an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.execution import ActionState, Effect, EffectsReply, EffectsRequest
from libs.contracts.message import new_id
from libs.contracts.receipts import OutcomeResolved
from libs.contracts.subjects import LIST_EFFECTS, OUTCOME_RESOLVED
from libs.runtime.testing import FakeClock
from services.execution.connectors.base import Sandbox
from services.execution.errors import OutcomeUnknown
from tests.flows.world import TENANT, RecordingConnector, Wire, notice, vendors, world


class TalkingVendor(RecordingConnector):
    """A vendor whose own log can be read."""

    def __init__(self, wire: Wire, clock: FakeClock, log: list[Effect]) -> None:
        super().__init__("slack", wire, clock)
        self._log = log

    async def list_effects(self, tenant_id: UUID, since: datetime) -> EffectsReply:
        return EffectsReply(checkable=True, items=tuple(e for e in self._log if e.at >= since))


async def test_a_vendors_own_log_is_told_with_what_nobody_asked_for() -> None:
    wire, log = Wire(), list[Effect]()

    def make(_: Sandbox, clock: FakeClock) -> Sequence[Any]:
        log.append(Effect(vendor_id="nobody-asked", action_id=None, at=clock(), operation="post"))
        others = [each for each in vendors(wire, clock) if each.profile.key != "slack"]
        return [*others, TalkingVendor(wire, clock, log)]

    async with world(connectors=make) as made:
        since = made.clock() - timedelta(hours=1)
        told = await made.trust_bus.call(LIST_EFFECTS, EffectsRequest(tenant_id=TENANT, connector="slack", since=since))
        assert (told.checkable, [e.vendor_id for e in told.items]) == (True, ["nobody-asked"])
        silent = await made.trust_bus.call(
            LIST_EFFECTS, EffectsRequest(tenant_id=TENANT, connector="stripe", since=since)
        )
        assert not silent.checkable


async def test_an_unknown_outcome_ends_as_the_vendor_says_and_a_known_one_stays() -> None:
    async with world() as made:
        made.wire.fail_with.append(OutcomeUnknown("lost", "Lost.", "انقطع."))
        made.operating.flags[TENANT] = {"live.slack": True}
        lost, done = await made.run(notice()), await made.run(notice())
        assert (lost.state, done.state) == (ActionState.UNKNOWN, ActionState.SUCCEEDED)
        async with made.trust_bus.database.work(TENANT) as work:
            for action in (lost, done):
                work.emit(
                    OUTCOME_RESOLVED,
                    OutcomeResolved(
                        tenant_id=TENANT, action_id=action.action_id, grant_id=new_id(), outcome=ActionState.NOT_SENT, vendor_id="",
                        at=made.clock(),
                    ),
                )  # fmt: skip
        await made.settle()
        assert (await made.action(lost.action_id)).state is ActionState.NOT_SENT
        assert (await made.action(done.action_id)).state is ActionState.SUCCEEDED
