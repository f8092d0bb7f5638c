"""Canaries between planes: the version is chosen when the action runs, and on record before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from libs.contracts.canaries import CanaryKind
from libs.contracts.execution import ActionState
from libs.contracts.message import new_id
from services.execution.canaries.domain import Snapshot, Taking
from services.execution.canaries.store import Run
from services.execution.router import catalogue_router
from tests.flows.world import (
    OTHER_TENANT,
    TENANT,
    RecordingConnector,
    Wire,
    World,
    charge,
    item,
    notice,
    world,
)

pytestmark = pytest.mark.asyncio


class SecondSlack(RecordingConnector):
    """The same connector in another version, on a wire of its own."""

    def __init__(self, wire: Wire, clock: Any) -> None:
        super().__init__("slack", wire, clock)
        profile = self.profile
        self.profile = type(profile)("slack", "slack", "slack", "2", ("post",), "internal", False, False, "none")


def canary(made: World, runs: list[Run], percent: int = 100, **changes: Any) -> None:
    fields: dict[str, Any] = {"kind": CanaryKind.CONNECTOR, "target": "slack", "version": "2", "tenant": TENANT}
    fields |= changes
    one = Taking(new_id(), fields["kind"], fields["target"], fields["version"], percent)

    async def record(found: Sequence[Run]) -> None:
        runs.extend(found)

    made.parts.pipeline.canaries.snapshot = Snapshot({fields["tenant"]: (one,)})
    made.parts.pipeline.canaries.recorder = record


def two_slacks(wire: Wire, other: Wire) -> Any:
    return lambda _, clock: [RecordingConnector("slack", wire, clock), SecondSlack(other, clock)]


async def test_a_connectors_canary_carries_the_action_out_and_is_recorded() -> None:
    usual, other, runs = Wire(), Wire(), list[Run]()
    async with world(connectors=two_slacks(usual, other)) as made:
        canary(made, runs)
        action = await made.run(notice())
        assert action.state is ActionState.SUCCEEDED
        assert (len(usual.sent), len(other.sent)) == (0, 1)
        assert [(r.run_id, r.group, r.version) for r in runs] == [(action.action_id, "canary", "2")]


async def test_the_share_is_kept_and_both_groups_are_recorded() -> None:
    usual, other, runs = Wire(), Wire(), list[Run]()
    async with world(connectors=two_slacks(usual, other)) as made:
        canary(made, runs, percent=50)
        await made.submit(*(notice(f"note {n}") for n in range(100)))
        groups = {run.run_id: run.group for run in runs}
        assert {s.action_id for s in other.sent} == {i for i, group in groups.items() if group == "canary"}
        assert {s.action_id for s in usual.sent} == {i for i, group in groups.items() if group == "baseline"}
        assert len(groups) == 100 and usual.sent and other.sent


async def test_another_tenant_is_not_part_of_it() -> None:
    usual, other, runs = Wire(), Wire(), list[Run]()
    async with world(connectors=two_slacks(usual, other)) as made:
        canary(made, runs, tenant=OTHER_TENANT)
        await made.run(notice())
        assert (len(usual.sent), len(other.sent), runs) == (1, 0, [])


async def test_a_version_that_does_not_run_here_is_the_baseline_and_recorded_so() -> None:
    usual, other, runs = Wire(), Wire(), list[Run]()
    async with world(connectors=two_slacks(usual, other)) as made:
        canary(made, runs, version="9")
        action = await made.run(notice())
        assert action.state is ActionState.SUCCEEDED and len(usual.sent) == 1
        assert [(r.group, r.version) for r in runs] == [("baseline", "")]


async def test_a_handlers_canary_runs_the_other_handler() -> None:
    ran, runs = list[str](), list[Run]()
    router = catalogue_router()

    async def second(_: Any, payload: dict[str, Any]) -> dict[str, Any]:
        ran.append(str(payload["text"]))
        return {"version": 2}

    router.register_version("tag", "2", second)
    async with world(router=router) as made:
        canary(made, runs, kind=CanaryKind.HANDLER, target="tag")
        action = await made.run(item("tag", {"text": "hot"}))
        assert action.state is ActionState.SUCCEEDED and ran == ["hot"]
        assert [(r.group, r.version) for r in runs] == [("canary", "2")]


async def test_a_refused_action_counts_and_one_that_waits_for_people_does_not() -> None:
    runs = list[Run]()
    async with world() as made:
        canary(made, runs, target="stripe")
        parked = await made.run(charge())
        assert parked.state is ActionState.AWAITING_APPROVAL and not runs
        refused = await made.run(charge(approval_token=str(new_id())))
        assert refused.state is ActionState.REFUSED
        assert [r.run_id for r in runs] == [refused.action_id]


async def test_when_an_assignment_cannot_be_recorded_nothing_is_sent() -> None:
    usual, other = Wire(), Wire()
    async with world(connectors=two_slacks(usual, other)) as made:
        canary(made, [])

        async def fails(_: Sequence[Run]) -> None:
            raise OSError("the database is away")

        made.parts.pipeline.canaries.recorder = fails
        await made.submit(notice())
        assert not usual.sent and not other.sent
