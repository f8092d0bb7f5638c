"""Sequences are riskier than their parts: reading many people's data and then sending something out needs a person."""

from __future__ import annotations

import pytest

from libs.contracts.execution import ActionItem, ActionState
from libs.contracts.message import new_id
from libs.contracts.trust import ResourceRef
from tests.flows.world import AGENT, TENANT, World, item, notice, world


def reading(people: int, run_id: str = "") -> ActionItem:
    return item("summarize", {"lead_ids": [str(new_id()) for _ in range(people)]}, run_id=run_id)


async def leaves(made: World, run_id: str = "", **more: object) -> ActionState:
    return (await made.run(notice(run_id=run_id), **more)).state  # type: ignore[arg-type]  # who asks


async def test_what_leaves_after_a_run_read_many_people_waits_for_a_person_whatever_its_class() -> None:
    async with world() as made:
        assert await leaves(made, "r1") is ActionState.SUCCEEDED
        await made.run(reading(20, "r1"))
        waiting = await made.run(notice(run_id="r1"))
        assert waiting.state is ActionState.AWAITING_APPROVAL
        assert waiting.reasons[0].code == "personal_data_then_export"
        assert (await made.approve(waiting)).state is ActionState.SUCCEEDED


async def test_many_small_readings_of_one_run_add_up() -> None:
    async with world() as made:
        for _ in range(20):
            await made.run(item("summarize", {}, ResourceRef(type="lead", id=str(new_id())), run_id="r1"))
        assert await leaves(made, "r1") is ActionState.AWAITING_APPROVAL


async def test_other_runs_few_people_and_people_outside_a_run_are_left_alone() -> None:
    async with world() as made:
        await made.run(reading(20, "r1"))
        await made.run(reading(19, "r2"))
        await made.run(reading(50))
        assert [await leaves(made, run) for run in ("r2", "r3", "")] == [ActionState.SUCCEEDED] * 3


async def test_an_agent_without_a_run_is_one_session_for_an_hour() -> None:
    async with world() as made:
        await made.run(reading(20), by=AGENT)
        assert await leaves(made, by=AGENT) is ActionState.AWAITING_APPROVAL
        made.clock.advance(hours=2)
        assert await leaves(made, by=AGENT) is ActionState.SUCCEEDED


@pytest.mark.parametrize("order", ["read first", "sent first"])
async def test_a_batch_is_a_sequence_too(order: str) -> None:
    async with world() as made:
        read, sent = reading(20, "r1"), notice(run_id="r1")
        await made.submit(*((read, sent) if order == "read first" else (sent, read)))
        state = (await made.action(sent.action_id)).state
        assert state is (ActionState.AWAITING_APPROVAL if order == "read first" else ActionState.SUCCEEDED)
        assert TENANT
