"""Flows through real trust and the recording connectors, on the in-memory bus: what they promise to whoever starts them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.errors import RemoteFault
from libs.contracts.execution import ActionState
from libs.contracts.flows import (
    AgentAnswer,
    AskAgent,
    CommandFlow,
    Flow,
    FlowGet,
    FlowStatus,
    FlowVerb,
    RevisionsRequest,
    SignalFlow,
    StartFlow,
)
from libs.contracts.message import Principal, new_id
from libs.contracts.subjects import (
    ASK_AGENT,
    COMMAND_FLOW,
    FLOW,
    FLOW_REVISIONS,
    FLOW_STALLED,
    SIGNAL_FLOW,
    START_FLOW,
    TASK_REQUESTED,
)
from libs.runtime.testing import Disturbance
from services.execution.flows.backend import LEASE_SECONDS
from tests.flows.world import APPROVER, OTHER_TENANT, REQUESTER, World, email_payload, person, world
from tests.unit.execution.flows.declared import definitions

pytestmark = pytest.mark.asyncio

Answer = Callable[[AskAgent], Awaitable[AgentAnswer]]


async def nobody(request: AskAgent) -> AgentAnswer:
    return AgentAnswer(agent=request.agent, answered=False, to="growth_manager")


@asynccontextmanager
async def flowing(answer: Answer = nobody) -> AsyncIterator[World]:
    async with world(definitions=definitions(), answer=answer) as made:
        yield made


async def start(made: World, name: str, by: Principal = REQUESTER, **given: Any) -> UUID:
    flow_id = new_id()
    await made.gateway.call(START_FLOW, StartFlow(principal=by, flow_id=flow_id, flow=name, input=given))
    await made.settle()
    return flow_id


async def get(made: World, flow_id: UUID, by: Principal = REQUESTER) -> Flow:
    return await made.gateway.call(FLOW, FlowGet(principal=by, flow_id=flow_id))


async def signal(made: World, flow_id: UUID, name: str, by: Principal = REQUESTER, **payload: Any) -> Flow:
    request = SignalFlow(principal=by, flow_id=flow_id, signal_id=new_id(), name=name, payload=payload)
    await made.gateway.call(SIGNAL_FLOW, request)
    await made.settle()
    return await get(made, flow_id, by)


async def tell(made: World, flow_id: UUID, verb: FlowVerb, **fields: Any) -> Flow:
    found = await made.gateway.call(
        COMMAND_FLOW, CommandFlow(principal=REQUESTER, flow_id=flow_id, verb=verb, **fields)
    )
    await made.settle()
    return await get(made, found.flow_id)


def texts(made: World) -> list[str]:
    return [str(one.payload.get("text")) for one in made.wire.sent]


async def test_a_flow_acts_through_trust_and_completes() -> None:
    async with flowing() as made:
        flow_id = await start(made, "two_acts")
        found = await get(made, flow_id)
        assert (found.status, texts(made)) == (FlowStatus.COMPLETED, ["first", "second"])
        evaluated = [e for request in made.requests for e in request.evaluations]
        assert {e.run_id for e in evaluated} == {f"flow:{flow_id}"}


async def test_starting_twice_with_one_id_is_one_flow_and_another_input_is_refused() -> None:
    async with flowing() as made:
        flow_id = await start(made, "branches", word="left")
        again = StartFlow(principal=REQUESTER, flow_id=flow_id, flow="branches", input={"word": "left"})
        assert (await made.gateway.call(START_FLOW, again)).flow_id == flow_id
        with pytest.raises(RemoteFault) as caught:
            await made.gateway.call(START_FLOW, again.evolve(input={"word": "right"}))
        assert (caught.value.code, caught.value.status) == ("flow_id_taken", 409)


async def test_an_act_that_needs_approval_parks_its_flow_until_people_decide() -> None:
    async with flowing() as made:
        contact = made.contact()
        flow_id = await start(made, "mail", contact_id=str(contact.contact_id), letter=email_payload(contact))
        (wait,) = (await get(made, flow_id)).waits
        assert wait.ref is not None
        action = await made.action(wait.ref)
        assert (action.state, texts(made)) == (ActionState.AWAITING_APPROVAL, [])
        await made.approve(action, APPROVER)
        assert (await get(made, flow_id)).waits[0].signal == "later"
        with pytest.raises(RemoteFault) as caught:
            await tell(made, flow_id, FlowVerb.ROLLBACK)
        assert (caught.value.code, caught.value.status) == ("irreversible", 409)


async def test_a_refused_step_stops_its_flow_and_people_are_told() -> None:
    async with flowing() as made:
        flow_id = await start(made, "charges")
        found = await get(made, flow_id)
        assert (found.status, texts(made)) == (FlowStatus.ROLLED_BACK, ["tell", "untell"])


async def test_a_compensation_that_is_refused_needs_attention_and_raises_an_alert() -> None:
    async with flowing() as made:
        flow_id = await start(made, "bad_undo")
        found = await tell(made, flow_id, FlowVerb.ROLLBACK)
        assert (found.status, found.failed_step) == (FlowStatus.NEEDS_ATTENTION, "first")
        assert [one.event.subject for one in made.hub.published if one.event is FLOW_STALLED] == [FLOW_STALLED.subject]
        with pytest.raises(RemoteFault) as caught:
            await tell(made, flow_id, FlowVerb.RESUME)
        assert caught.value.code == "not_in_this_state"


async def test_an_unregistered_action_fails_its_step_and_poisons_nothing() -> None:
    async with flowing() as made:
        flow_id, other = await start(made, "no_such_action"), await start(made, "two_acts")
        found = await get(made, flow_id)
        assert found.error is not None
        assert (found.status, found.error.code) == (FlowStatus.FAILED, "unknown_action_type")
        assert (await get(made, other)).status is FlowStatus.COMPLETED


async def test_an_agent_that_hands_over_becomes_a_task_and_a_persons_answer_goes_on() -> None:
    async with flowing() as made:
        flow_id = await start(made, "asks", word="retail")
        assert (await get(made, flow_id)).waits[0].signal == "plan.answered"
        assert [one for one in made.hub.published if one.event is TASK_REQUESTED]
        found = await signal(made, flow_id, "plan.answered", output={"brief": "b"})
        assert (found.status, found.state["plan"]) == (FlowStatus.COMPLETED, {"brief": "b"})


async def test_a_silent_decision_plane_delays_and_never_fails_a_flow() -> None:
    async def answers(request: AskAgent) -> AgentAnswer:
        return AgentAnswer(agent=request.agent, answered=True, output={"brief": "later"}, confidence=0.9)

    async with flowing(answers) as made:
        made.hub.disturb(ASK_AGENT, Disturbance.SILENT)
        flow_id = await start(made, "asks", word="retail")
        assert (await get(made, flow_id)).status is FlowStatus.RUNNING
        made.hub.calm(ASK_AGENT)
        made.clock.advance(seconds=3)
        await made.settle()
        assert (await get(made, flow_id)).state["plan"] == {"brief": "later"}


async def test_a_child_flow_runs_and_its_parent_rolls_it_back() -> None:
    async with flowing() as made:
        flow_id = await start(made, "parent", word="w")
        (wait,) = (await get(made, flow_id)).waits
        assert wait.ref is not None
        await signal(made, wait.ref, "go", text="on")
        assert (await get(made, flow_id)).waits[0].signal == "end"
        found = await tell(made, flow_id, FlowVerb.ROLLBACK)
        assert found.status is FlowStatus.ROLLED_BACK
        assert (await get(made, wait.ref)).status is FlowStatus.ROLLED_BACK
        assert texts(made) == ["outer", "inner", "undo inner", "undo outer"]


async def test_a_cancelled_parent_cancels_its_child() -> None:
    async with flowing() as made:
        flow_id = await start(made, "parent")
        (wait,) = (await get(made, flow_id)).waits
        assert wait.ref is not None
        await tell(made, flow_id, FlowVerb.CANCEL)
        assert (await get(made, wait.ref)).status is FlowStatus.CANCELLED


async def test_an_early_and_a_repeated_signal_count_once() -> None:
    async with flowing() as made:
        flow_id = await start(made, "splits")
        request = SignalFlow(principal=REQUESTER, flow_id=flow_id, signal_id=new_id(), name="a", payload={"text": "A"})
        for _ in range(2):
            await made.gateway.call(SIGNAL_FLOW, request)
        found = await signal(made, flow_id, "b", text="B")
        assert (found.status, found.state["done"]) == (FlowStatus.COMPLETED, {"both": ["A", "B"]})


@pytest.mark.parametrize(
    ("name", "payload", "code", "status"),
    [
        ("replied", {"text": 7}, "invalid_payload", 422),
        ("replied", {"text": "x", "more": 1}, "invalid_payload", 422),
        ("shouted", {}, "unknown_signal", 422),
        ("$cancel", {}, "unknown_signal", 422),
        ("replied", {"text": "x" * 300_000}, "payload_too_large", 422),
    ],
)
async def test_a_signal_that_does_not_fit_is_refused_in_both_languages(
    name: str, payload: dict[str, Any], code: str, status: int
) -> None:
    async with flowing() as made:
        flow_id = await start(made, "waits")
        with pytest.raises(RemoteFault) as caught:
            await signal(made, flow_id, name, **payload)
        assert (caught.value.code, caught.value.status) == (code, status)
        assert caught.value.ar and caught.value.en != caught.value.ar


async def test_a_signal_to_a_flow_that_has_ended_is_refused() -> None:
    async with flowing() as made:
        flow_id = await start(made, "two_acts")
        with pytest.raises(RemoteFault) as caught:
            await signal(made, flow_id, "first.done")
        assert (caught.value.code, caught.value.status) == ("flow_ended", 409)


@pytest.mark.parametrize("name", ["unknown", "WAITS"])
async def test_an_unknown_flow_is_named(name: str) -> None:
    async with flowing() as made:
        with pytest.raises(RemoteFault, match=name) as caught:
            await start(made, name)
        assert caught.value.code == "unknown_flow"


async def test_another_tenant_and_a_reader_may_neither_see_nor_move_a_flow() -> None:
    async with flowing() as made:
        flow_id = await start(made, "waits")
        with pytest.raises(RemoteFault) as caught:
            await get(made, flow_id, person(9, "owner", tenant=OTHER_TENANT))
        assert caught.value.status == 404
        with pytest.raises(RemoteFault) as caught:
            await signal(made, flow_id, "replied", by=person(8, "auditor"), text="x")
        assert caught.value.status == 403


async def test_a_skip_waits_for_approval() -> None:
    async with flowing() as made:
        flow_id = await start(made, "no_such_action")
        found = await tell(made, flow_id, FlowVerb.SKIP)
        assert found.status is FlowStatus.FAILED
        run = await _run(made, flow_id)
        action = await made.action(run["skipping"]["action_id"])
        assert action.state is ActionState.AWAITING_APPROVAL, action.reasons
        await made.approve(action, APPROVER)
        assert (await get(made, flow_id)).status is FlowStatus.COMPLETED


async def _run(made: World, flow_id: UUID) -> dict[str, Any]:
    reply = await made.gateway.call(FLOW_REVISIONS, RevisionsRequest(principal=REQUESTER, flow_id=flow_id))
    return reply.items[-1].checkpoint


async def test_a_fork_goes_on_from_a_step_under_whoever_asks() -> None:
    async with flowing() as made:
        flow_id = await start(made, "two_acts")
        found = await tell(made, flow_id, FlowVerb.FORK, step="second", new_id=new_id())
        assert (found.flow_id != flow_id, found.status) == (True, FlowStatus.COMPLETED)
        assert texts(made) == ["first", "second", "second"]
        with pytest.raises(RemoteFault) as caught:
            await tell(made, flow_id, FlowVerb.FORK, step="third", new_id=new_id())
        assert caught.value.code == "step_never_ran"


async def test_a_crash_between_effect_and_checkpoint_performs_nothing_twice() -> None:
    """The engine dies after its turn was committed and its action performed, before it saw the outcome."""
    async with flowing() as made:
        engine = made.parts.flows.engine
        await made.gateway.call(START_FLOW, StartFlow(principal=REQUESTER, flow_id=new_id(), flow="two_acts", input={}))
        assert await engine.tick() == 1
        await made.quiet()
        assert texts(made) == ["first"]
        await made.kill()
        made.start()
        made.clock.advance(seconds=LEASE_SECONDS + 1)
        await made.settle()
        assert texts(made) == ["first", "second"]


async def test_the_state_can_be_read_from_every_revision() -> None:
    async with flowing() as made:
        flow_id = await start(made, "branches", word="left")
        reply = await made.gateway.call(FLOW_REVISIONS, RevisionsRequest(principal=REQUESTER, flow_id=flow_id))
        assert [one.seq for one in reply.items] == list(range(1, len(reply.items) + 1))
        assert [one.note for one in reply.items] == ["started", "branched", "checkpoint", "checkpoint", "completed"]
        assert reply.items[2].checkpoint["state"]["done"] == {"went": "left"}
        assert reply.items[1].checkpoint["state"]["done"] == {}
