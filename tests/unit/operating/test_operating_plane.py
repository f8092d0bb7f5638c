"""The operating plane on the in-memory bus, beside an execution plane that may be silent, refuse or know better."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts.errors import RemoteFault
from libs.contracts.execution import ControlReply, ControlRow
from libs.contracts.message import PLATFORM, Plane, Principal, PrincipalKind, new_id
from libs.contracts.operating import (
    ControlCommand,
    ControlList,
    ControlState,
    FlagsRequest,
    HealthReported,
    HealthRequest,
    SetFlag,
    SpanRecord,
    SpansExported,
    TraceRequest,
)
from libs.contracts.subjects import CONTROL, CONTROLS, EXECUTION_CONTROL, FLAGS, HEALTH, PLANES, SET_FLAG, SPANS, TRACE
from libs.contracts.trust import AuditRecorded
from libs.runtime.testing import Disturbance, FakeClock, MemoryBus, MemoryHub
from services.operating.app import wire
from services.operating.memory import MemoryStore
from services.operating.propagation import Propagation
from services.operating.settings import OperatingSettings

pytestmark = pytest.mark.asyncio
OURS, THEIRS = new_id(), new_id()


def principal(*roles: str, tenant: UUID = OURS) -> Principal:
    return Principal(id="user:1", kind=PrincipalKind.USER, tenant_id=tenant, roles=roles)


class Execution:
    """Keeps control rows as the real plane does: an older version changes nothing."""

    def __init__(self, bus: MemoryBus) -> None:
        self.rows: dict[tuple[UUID, str, str], ControlRow] = {}
        self.willing = True
        bus.serve(EXECUTION_CONTROL, self.control)

    async def control(self, row: ControlRow) -> ControlReply:
        key = (row.tenant_id, row.scope, row.target)
        known = self.rows.get(key)
        if self.willing and (known is None or known.version < row.version):
            self.rows[key] = row
        version = self.rows[key].version if key in self.rows else 0
        return ControlReply(acknowledged=version >= row.version, version=version)


class System:
    """Operating, execution, trust and the gateway on one hub."""

    def __init__(self) -> None:
        self.hub = MemoryHub()
        self.clock = FakeClock(datetime.now(UTC))
        self.operating = self.hub.bus(Plane.OPERATING)
        self.store = MemoryStore(self.operating.database, now=self.clock)
        loops, self.flush = wire(self.operating, self.store, OperatingSettings(), now=self.clock)
        assert "control delivery" in loops
        self.delivery = Propagation(self.store, self.operating)
        self.execution = Execution(self.hub.bus(Plane.EXECUTION))
        self.trust = self.hub.bus(Plane.TRUST)
        self.gateway = self.hub.bus(Plane.GATEWAY)

    async def command(
        self, who: Principal, verb: str, scope: str = "connector", target: str = "whatsapp"
    ) -> ControlState:
        return await self.gateway.call(
            CONTROL, ControlCommand(principal=who, scope=scope, target=target, command=verb, reason="test")
        )

    async def controls(self, who: Principal) -> tuple[ControlState, ...]:
        return (await self.gateway.call(CONTROLS, ControlList(principal=who))).items

    def audits(self) -> list[AuditRecorded]:
        return [AuditRecorded.model_validate_json(each.body) for each in self.hub.published]

    async def deliver(self) -> None:
        self.clock.advance(seconds=1)
        await self.delivery.deliver_due()


@pytest.fixture
async def system() -> System:
    made = System()
    await made.hub.start()
    return made


async def test_a_stop_reaches_execution_before_the_command_is_answered(system: System) -> None:
    state = await system.command(principal("operator"), "stop")
    assert (state.paused, state.acknowledged) == (True, {"execution": True})
    assert system.execution.rows[OURS, "connector", "whatsapp"].paused


async def test_a_refused_command_leaves_no_control_and_no_ledger_entry(system: System) -> None:
    for who, verb in (
        (principal("member"), "stop"),
        (principal("compliance_officer"), "resume"),
        (principal(), "pause"),
    ):
        with pytest.raises(RemoteFault) as refused:
            await system.command(who, verb)
        assert refused.value.status == 403
    assert (system.execution.rows, system.audits(), await system.controls(principal("owner"))) == ({}, [], ())


async def test_a_command_is_on_record_with_who_and_why_and_so_is_its_acknowledgement(system: System) -> None:
    await system.command(principal("owner"), "pause", "all", "*")
    commanded, acknowledged = system.audits()
    assert (commanded.kind, commanded.actor, commanded.target) == ("control_commanded", "user:1", "all:*")
    assert commanded.data == {"command": "pause", "reason": "test", "version": 1}
    assert (acknowledged.kind, acknowledged.actor, acknowledged.tenant_id) == (
        "control_acknowledged",
        "plane:execution",
        OURS,
    )


async def test_a_command_that_execution_does_not_hear_stands_and_is_told_again_until_it_does(system: System) -> None:
    system.hub.disturb(EXECUTION_CONTROL, Disturbance.SILENT)
    state = await system.command(principal("owner"), "stop")
    assert (state.paused, state.acknowledged) == (True, {"execution": False})
    await system.deliver()
    assert system.execution.rows == {}
    system.hub.calm(EXECUTION_CONTROL)
    await system.deliver()
    assert system.execution.rows[OURS, "connector", "whatsapp"].paused
    assert (await system.controls(principal("owner")))[0].acknowledged == {"execution": True}
    calls = len(system.hub.calls)
    await system.deliver()
    assert len(system.hub.calls) == calls, "what is acknowledged is not told again"


async def test_an_undelivered_stop_survives_a_restart_of_operating(system: System) -> None:
    system.hub.disturb(EXECUTION_CONTROL, Disturbance.SILENT)
    await system.command(principal("owner"), "stop")
    await system.operating.stop()
    system.hub.calm(EXECUTION_CONTROL)
    restarted = system.hub.bus(Plane.OPERATING)
    wire(restarted, system.store, OperatingSettings(), now=system.clock)
    await restarted.start()
    system.clock.advance(seconds=1)
    await Propagation(system.store, restarted).deliver_due()
    assert system.execution.rows[OURS, "connector", "whatsapp"].paused


async def test_a_lost_reply_is_no_acknowledgement_and_telling_twice_changes_nothing(system: System) -> None:
    system.hub.disturb(EXECUTION_CONTROL, Disturbance.REPLY_LOST, times=1)
    state = await system.command(principal("owner"), "stop")
    assert state.acknowledged == {"execution": False}
    await system.deliver()
    assert system.execution.rows[OURS, "connector", "whatsapp"].version == 1
    assert [a.kind for a in system.audits()] == ["control_commanded", "control_acknowledged"]


async def test_an_unwilling_plane_is_not_shown_as_having_acknowledged(system: System) -> None:
    system.execution.willing = False
    state = await system.command(principal("owner"), "stop")
    assert state.acknowledged == {"execution": False}


async def test_a_stop_prevails_over_a_later_version_that_execution_knows_of(system: System) -> None:
    """Operating was restored from a backup: its next version is older than what execution has, which is a resume."""
    known = ControlRow(tenant_id=OURS, scope="connector", target="whatsapp", paused=False, version=7)
    system.execution.rows[OURS, "connector", "whatsapp"] = known
    state = await system.command(principal("owner"), "stop")
    assert state.acknowledged == {"execution": False}
    await system.deliver()
    assert system.execution.rows[OURS, "connector", "whatsapp"].paused
    assert (await system.controls(principal("owner")))[0].acknowledged == {"execution": True}


async def test_a_tenant_sees_its_own_controls_and_those_of_the_platform_only(system: System) -> None:
    await system.command(principal("owner", tenant=THEIRS), "pause")
    await system.command(principal("owner", tenant=PLATFORM), "stop", "tenant", str(THEIRS))
    await system.command(principal("owner", tenant=PLATFORM), "stop", "all", "*")
    seen = await system.controls(principal("member"))
    assert [(item.scope, item.changed_by) for item in seen] == [("all", "platform")]


async def test_flags_are_read_anew_so_that_an_off_holds_at_once(system: System) -> None:
    async with system.store.unit(OURS) as unit:
        await unit.set_flag(OURS, "live.whatsapp", True, "user:1")
    request = FlagsRequest(tenant_id=OURS)
    before = await system.trust.call(FLAGS, request)
    async with system.store.unit(OURS) as unit:
        await unit.set_flag(OURS, "live.whatsapp", False, "user:1")
    after = await system.trust.call(FLAGS, request)
    assert (before.flags["live.whatsapp"], after.flags["live.whatsapp"]) == (True, False)
    assert after.version > before.version
    assert not (await system.trust.call(FLAGS, FlagsRequest(tenant_id=THEIRS))).flags["live.whatsapp"]


async def test_a_changed_flag_is_in_force_and_in_the_ledger(system: System) -> None:
    changed = await system.gateway.call(
        SET_FLAG, SetFlag(principal=principal("admin"), name="whatsapp_brief", value=False)
    )
    assert changed.flags["whatsapp_brief"] is False
    (entry,) = system.audits()
    assert (entry.kind, entry.target, entry.actor, entry.tenant_id) == (
        "flag_changed",
        "flag:whatsapp_brief",
        "user:1",
        OURS,
    )
    assert (await system.trust.call(FLAGS, FlagsRequest(tenant_id=THEIRS))).flags["whatsapp_brief"] is True


async def test_a_live_flag_goes_off_by_a_word_and_never_on(system: System) -> None:
    async with system.store.unit(OURS) as unit:
        await unit.set_flag(OURS, "live.whatsapp", True, "action:1")
    off = await system.gateway.call(SET_FLAG, SetFlag(principal=principal("owner"), name="live.whatsapp", value=False))
    assert off.flags["live.whatsapp"] is False
    with pytest.raises(RemoteFault) as refused:
        await system.gateway.call(SET_FLAG, SetFlag(principal=principal("owner"), name="live.whatsapp", value=True))
    assert (refused.value.status, refused.value.code) == (403, "live_flag_needs_approval")
    assert not (await system.trust.call(FLAGS, FlagsRequest(tenant_id=OURS))).flags["live.whatsapp"]
    assert [entry.kind for entry in system.audits()] == ["flag_changed"]


def _span(tenant: UUID | None, trace_id: str = "a" * 32) -> SpanRecord:
    return SpanRecord(
        trace_id=trace_id, span_id=new_id().hex[-16:], parent_id=None, plane=Plane.TRUST, name="n", kind="server",
        start_ns=1, end_ns=2, ok=True, attributes={"dealix.tenant": str(tenant)} if tenant else {},
    )  # fmt: skip


async def test_a_trace_shows_a_principal_no_span_of_another_tenant(system: System) -> None:
    ours, theirs, nobodys = _span(OURS), _span(THEIRS), _span(None)
    await system.trust.signal(SPANS, SpansExported(plane=Plane.TRUST, spans=(ours, theirs, nobodys)))
    await system.hub.settle()
    await system.flush()
    reply = await system.gateway.call(TRACE, TraceRequest(principal=principal("member"), trace_ids=("a" * 32,)))
    assert {span.span_id for span in reply.spans} == {ours.span_id, nobodys.span_id}
    with pytest.raises(RemoteFault) as refused:
        await system.gateway.call(TRACE, TraceRequest(principal=principal(), trace_ids=("a" * 32,)))
    assert refused.value.status == 403


async def test_the_board_hears_heartbeats_and_falls_back_to_unknown(system: System) -> None:
    async def board() -> dict[Plane, str]:
        reply = await system.gateway.call(PLANES, HealthRequest())
        return {each.plane: each.status for each in reply.planes}

    assert set((await board()).values()) == {"unknown"}
    beat = HealthReported(
        plane=Plane.TRUST, instance="a", version="1", at=system.clock(), healthy=True, checks={"bus": "ok"}
    )
    await system.trust.signal(HEALTH, beat)
    await system.hub.settle()
    assert (await board())[Plane.TRUST] == "ok"
    system.clock.advance(seconds=timedelta(minutes=1).total_seconds())
    assert (await board())[Plane.TRUST] == "unknown"
