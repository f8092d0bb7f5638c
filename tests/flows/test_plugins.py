"""Plugins between planes: a hook holds back what trust would grant, and never lets go what trust did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from libs.contracts.catalogue.plugins import HookPoint, HookTerms
from libs.contracts.execution import ActionState
from services.execution.plugins.api import Hook, Seen, Veto
from services.execution.plugins.guard import MAX_TRIES, Guard
from services.execution.plugins.hooks import Hooks, Registered
from tests.flows.world import World, charge, email, notice, world

pytestmark = pytest.mark.asyncio
NO = Veto("room_full", "The room is full.", "القاعة ممتلئة.")
BEFORE = [HookPoint.BEFORE_AUTHORIZE, HookPoint.AFTER_DECISION, HookPoint.BEFORE_DISPATCH]


class Here:
    """Calls hooks in this loop, so that the world's turns count them."""

    async def call(self, hook: Hook, seen: Any, seconds: float) -> object:
        return await hook(seen)


def plug(made: World, point: HookPoint, hook: Hook) -> None:
    hooks = Hooks((Registered("webinar", point, HookTerms(), hook, Here()),))
    made.parts.pipeline.guard = Guard(hooks, made.execution_store, made.clock)


class Answering:
    """A hook that gives its answers one after the other, the last for ever, and keeps what it saw."""

    def __init__(self, *answers: Any) -> None:
        self.answers: Sequence[Any] = answers
        self.saw: list[Seen] = []

    async def __call__(self, seen: Seen) -> Any:
        self.saw.append(seen)
        answer = self.answers[min(len(self.saw), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def closed_grants(made: World) -> list[tuple[str, str]]:
    return [(one.outcome.value, one.error) for one in made.trust_store._tables.closures.values()]


async def test_a_veto_before_authorize_refuses_with_its_reason_and_trust_is_not_asked() -> None:
    async with world() as made:
        plug(made, HookPoint.BEFORE_AUTHORIZE, Answering(NO))
        action = await made.run(notice())
        assert action.state is ActionState.REFUSED
        assert [(r.code, r.ar) for r in action.reasons] == [("room_full", "القاعة ممتلئة.")]
        assert not made.requests and not made.wire.sent


@pytest.mark.parametrize("point", [HookPoint.AFTER_DECISION, HookPoint.BEFORE_DISPATCH])
async def test_a_veto_after_the_decision_sends_nothing_and_closes_the_grant(point: HookPoint) -> None:
    async with world() as made:
        plug(made, point, Answering(NO))
        action = await made.run(notice())
        assert action.state is ActionState.REFUSED and action.reasons[0].code == "room_full"
        assert made.requests and not made.wire.sent
        assert closed_grants(made) == [("not_sent", "room_full")]


@pytest.mark.parametrize("point", BEFORE)
@pytest.mark.parametrize("answer", [RuntimeError("boom"), True, {"outcome": "granted"}])
async def test_a_failing_hook_sends_nothing_is_asked_again_and_then_fails_the_action(
    point: HookPoint, answer: Any
) -> None:
    async with world() as made:
        hook = Answering(answer)
        plug(made, point, hook)
        action = await made.run(notice())
        assert (action.state, action.waiting_for) == (ActionState.ACCEPTED, "plugin")
        for _ in range(MAX_TRIES + 1):
            made.clock.advance(seconds=60)
            await made.settle()
        action = await made.action(action.action_id)
        assert action.state is ActionState.FAILED and action.reasons[0].code == "hook_failed"
        assert len(hook.saw) == MAX_TRIES + 1
        assert not made.wire.sent


@pytest.mark.parametrize("point", BEFORE)
async def test_a_hook_that_recovers_lets_the_action_go_once(point: HookPoint) -> None:
    async with world() as made:
        plug(made, point, Answering(RuntimeError("boom"), None))
        action = await made.run(notice())
        made.clock.advance(seconds=60)
        await made.settle()
        action = await made.action(action.action_id)
        assert action.state is ActionState.SUCCEEDED
        assert len(made.wire.sent) == 1


@pytest.mark.parametrize("point", BEFORE)
@pytest.mark.parametrize("answer", [None, True, {"allowed": True}])
async def test_no_answer_of_a_hook_lets_go_what_needs_people(point: HookPoint, answer: Any) -> None:
    async with world() as made:
        plug(made, point, Answering(answer))
        action = await made.run(charge())
        assert action.state in (ActionState.AWAITING_APPROVAL, ActionState.ACCEPTED)
        assert not made.wire.sent


async def test_what_a_hook_writes_into_its_copy_reaches_nobody() -> None:
    async def forges(seen: Seen) -> None:
        seen.payload["text"] = "forged"

    async with world() as made:
        plug(made, HookPoint.BEFORE_DISPATCH, forges)
        action = await made.run(notice("مرحبا"))
        assert action.state is ActionState.SUCCEEDED
        assert [payload["text"] for payload in made.wire.payloads] == ["مرحبا"]


@pytest.mark.parametrize("answer", [NO, RuntimeError("boom")])
async def test_after_the_outcome_a_hook_changes_nothing(answer: Any) -> None:
    async with world() as made:
        hook = Answering(answer)
        plug(made, HookPoint.AFTER_OUTCOME, hook)
        action = await made.run(notice())
        assert action.state is ActionState.SUCCEEDED
        assert [one.outcome for one in hook.saw] == ["succeeded"]


async def test_one_actions_veto_leaves_its_batch_alone() -> None:
    async def picky(seen: Seen) -> Veto | None:
        return NO if seen.payload["text"] == "no" else None

    async with world() as made:
        plug(made, HookPoint.BEFORE_DISPATCH, picky)
        results = await made.submit(notice("yes"), notice("no"), notice("yes too"))
        states = [(await made.action(one.action_id)).state for one in results]
        assert states == [ActionState.SUCCEEDED, ActionState.REFUSED, ActionState.SUCCEEDED]


async def test_an_approved_action_that_a_hook_stops_stays_stopped() -> None:
    async with world() as made:
        contact = made.contact()
        plug(made, HookPoint.BEFORE_DISPATCH, Answering(NO))
        action = await made.run(email(contact))
        assert action.state is ActionState.AWAITING_APPROVAL
        action = await made.approve(action)
        assert action.state is ActionState.REFUSED and not made.wire.sent
