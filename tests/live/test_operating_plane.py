"""Operating beside execution and trust on real servers: a stop that holds, and is proved to have been ordered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.operating import ControlCommand, ControlList, HealthRequest, TraceRequest
from libs.contracts.subjects import CONTROL, CONTROLS, LEDGER, PLANES, TRACE
from libs.contracts.trust import LedgerRequest
from libs.runtime import telemetry
from libs.runtime.bus import NatsBus
from libs.runtime.plane import RunningPlane
from services.operating.app import build
from tests.live.harness import System, system

pytestmark = pytest.mark.live
T = TypeVar("T")


def owner(tenant: UUID) -> Principal:
    return Principal(id="user:owner", kind=PrincipalKind.USER, tenant_id=tenant, roles=("owner",), scopes=("*",))


async def until(ask: Callable[[], Awaitable[T]], good: Callable[[T], bool], *, seconds: float = 20) -> T:
    """Ask until the answer is good; the last answer when it never is."""
    answer = await ask()
    for _ in range(int(seconds / 0.1)):
        if good(answer):
            break
        await asyncio.sleep(0.1)
        answer = await ask()
    return answer


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[System, NatsBus]]:
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)  # as root the database server runs under another account
    async with (
        system(tmp_path / "data", Plane.TRUST, Plane.EXECUTION, Plane.OPERATING) as planes,
        planes.bus(Plane.GATEWAY) as bus,
    ):
        yield planes, bus


async def test_a_stop_is_in_force_at_execution_ledgered_and_traceable(running: tuple[System, NatsBus]) -> None:
    planes, bus = running
    tenant = new_id()
    with telemetry.span(Plane.GATEWAY, "test"):
        trace_id = telemetry.trace_id()
        state = await bus.call(
            CONTROL,
            ControlCommand(
                principal=owner(tenant), scope="connector", target="whatsapp", command="stop", reason="drill"
            ),
        )
    assert state.acknowledged == {"execution": True}
    async with planes.runtime(Plane.EXECUTION).database.batch(tenant) as work:
        row = await work.connection.fetchrow("select paused, version from controls where tenant_id = $1", tenant)
    assert (row["paused"], row["version"]) == (True, state.version)

    async def ledger() -> set[str]:
        reply = await bus.call(LEDGER, LedgerRequest(principal=owner(tenant)))
        return {entry.kind for entry in reply.items}

    kinds = {"control_commanded", "control_acknowledged"}
    assert await until(ledger, lambda found: found >= kinds) >= kinds

    async def planes_on_trace(who: UUID) -> set[Plane]:
        reply = await bus.call(TRACE, TraceRequest(principal=owner(who), trace_ids=(trace_id,)))
        return {span.plane for span in reply.spans if span.kind == "server"}

    wanted = {Plane.OPERATING, Plane.EXECUTION}
    assert await until(lambda: planes_on_trace(tenant), lambda found: found >= wanted) >= wanted
    assert await planes_on_trace(new_id()) == set(), "another tenant sees no call of this one"


async def test_a_stop_that_execution_could_not_hear_is_told_after_both_have_restarted(
    running: tuple[System, NatsBus],
) -> None:
    planes, bus = running
    tenant = new_id()
    await planes.planes[Plane.EXECUTION].stop()
    state = await bus.call(CONTROL, ControlCommand(principal=owner(tenant), scope="all", command="stop"))
    assert (state.paused, state.acknowledged) == (True, {"execution": False})
    await planes.planes[Plane.OPERATING].stop()
    again = []
    for plane in (Plane.EXECUTION, Plane.OPERATING):
        old = planes.planes[plane]
        again.append(RunningPlane(plane, build if plane is Plane.OPERATING else old.build, old.runtime.settings))
    for one in again:
        await one.start()
    try:

        async def controls() -> dict[str, bool]:
            reply = await bus.call(CONTROLS, ControlList(principal=owner(tenant)))
            return reply.items[0].acknowledged

        told = await until(controls, lambda acknowledged: acknowledged["execution"])
        assert told == {"execution": True}
        async with again[0].runtime.database.batch(tenant) as work:
            assert await work.connection.fetchval("select paused from controls where tenant_id = $1", tenant)
    finally:
        for one in reversed(again):
            await one.stop()


async def test_the_board_says_ok_of_planes_that_beat_and_unknown_of_those_that_do_not_run(
    running: tuple[System, NatsBus],
) -> None:
    _, bus = running

    async def board() -> dict[Plane, str]:
        reply = await bus.call(PLANES, HealthRequest())
        return {each.plane: each.status for each in reply.planes}

    up = {Plane.TRUST, Plane.EXECUTION, Plane.OPERATING}
    seen = await until(board, lambda statuses: all(statuses[plane] == "ok" for plane in up))
    assert seen == {plane: "ok" if plane in up else "unknown" for plane in Plane}
