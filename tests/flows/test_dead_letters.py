"""What ends without its effect waits for a person with all that it takes to try again; nobody else waits for it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from libs.contracts.dead_letters import (
    DeadLetter,
    DeadLetterGet,
    DeadLettersRequest,
    DiscardLetter,
    LetterCause,
    LetterState,
    ReplayLetter,
    ResubmitLetter,
)
from libs.contracts.errors import CallTimeout, DealixError, RemoteFault
from libs.contracts.execution import Action, ActionState, SubmitRequest
from libs.contracts.message import Fault, Principal
from libs.contracts.subjects import (
    AUTHORIZE,
    DEAD_LETTER,
    DEAD_LETTER_ARRIVED,
    DEAD_LETTER_CLOSED,
    DEAD_LETTERS,
    DISCARD_LETTER,
    REPLAY_LETTER,
    RESUBMIT_LETTER,
    SUBMIT,
)
from libs.contracts.trust import AuthorizeReply, AuthorizeRequest
from services.execution.errors import OutcomeUnknown, VendorRejected, VendorUnavailable
from services.execution.traffic.domain import BREAKER_FAILURES
from tests.flows.world import AGENT, OTHER_TENANT, REQUESTER, TENANT, World, email, notice, person, world

pytestmark = pytest.mark.asyncio
UNREACHABLE = ("vendor_unreachable", "The vendor can't be reached.", "تعذّر الوصول.")
STRANGER = person(9, "operator", tenant=OTHER_TENANT)


async def later(made: World, times: int = 1, seconds: float = 120) -> None:
    for _ in range(times):
        made.clock.advance(seconds=seconds)
        await made.settle()


async def letters(made: World, by: Principal = REQUESTER, **fields: Any) -> list[DeadLetter]:
    return list((await made.gateway.call(DEAD_LETTERS, DeadLettersRequest(principal=by, **fields))).items)


async def failed(made: World, asked: Any = None) -> tuple[Action, DeadLetter]:
    """An action whose vendor stayed away until its last try."""
    made.wire.fail_with = [VendorUnavailable(*UNREACHABLE) for _ in range(3)]
    action = await made.run(asked or notice())
    await later(made, 3)
    (letter,) = await letters(made, state=LetterState.OPEN)
    return await made.action(action.action_id), letter


async def test_after_the_last_retry_an_action_is_a_dead_letter_with_its_error_attempts_and_payload(
    world: World,
) -> None:
    action, letter = await failed(world)
    assert (action.state, len(world.wire.sent)) == (ActionState.FAILED, 3)
    assert (letter.action_id, letter.cause, letter.attempts) == (action.action_id, LetterCause.FAILED, 3)
    assert (letter.error.code, letter.error.ar) == ("vendor_unreachable", "تعذّر الوصول.")
    detail = await world.gateway.call(
        DEAD_LETTER, DeadLetterGet(principal=REQUESTER, dead_letter_id=letter.dead_letter_id)
    )
    assert detail.action.payload == {"text": "مرحبا"}
    assert [step.state for step in detail.action.timeline].count("dispatched") == 3
    assert "dead_letter.arrived" in audited(world)


async def test_a_refusal_by_the_vendor_is_not_repeated_and_can_be_corrected(world: World) -> None:
    world.wire.fail_with = [VendorRejected("bad_text", "No.", "لا.")]
    action = await world.run(notice())
    (letter,) = await letters(world)
    assert (action.state, letter.attempts, len(world.wire.sent)) == (ActionState.FAILED, 1, 1)
    ended = await world.gateway.call(
        RESUBMIT_LETTER,
        ResubmitLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id, payload={"text": "أهلًا"}),
    )
    await world.settle()
    assert ended.state is LetterState.RESUBMITTED
    assert ended.new_action_id is not None
    made = await world.action(ended.new_action_id)
    assert (made.state, made.payload) == (ActionState.SUCCEEDED, {"text": "أهلًا"})
    assert [e.action_id for e in world.requests[-1].evaluations] == [ended.new_action_id]
    assert (await world.action(action.action_id)).state is ActionState.FAILED


async def test_an_edit_is_governed_like_any_new_action(world: World) -> None:
    """What is submitted from a letter does not inherit the old action's approval."""
    contact = world.contact()
    asked = await world.run(email(contact))
    world.wire.fail_with = [VendorRejected("no", "No.", "لا.")]
    await world.approve(asked)
    (letter,) = await letters(world)
    payload = {**email(contact).payload, "subject": "آخر"}
    ended = await world.gateway.call(
        RESUBMIT_LETTER, ResubmitLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id, payload=payload)
    )
    await world.settle()
    assert ended.new_action_id is not None
    assert (await world.action(ended.new_action_id)).state is ActionState.AWAITING_APPROVAL
    assert len(world.wire.sent) == 1


async def test_a_replay_is_the_next_attempt_under_the_same_approval_and_with_all_its_tries(world: World) -> None:
    contact = world.contact()
    asked = await world.run(email(contact))
    world.wire.fail_with = [VendorUnavailable(*UNREACHABLE) for _ in range(4)]
    await world.approve(asked)
    await later(world, 4)
    (letter,) = await letters(world)
    await world.gateway.call(REPLAY_LETTER, ReplayLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id))
    await later(world, 3)
    action = await world.action(asked.action_id)
    assert (action.state, len(world.wire.sent)) == (ActionState.SUCCEEDED, 5)
    assert {one.action_id for one in world.wire.sent} == {asked.action_id}
    assert (await letters(world))[0].state is LetterState.REPLAYED


async def test_a_letter_ends_once(world: World) -> None:
    _, letter = await failed(world)
    request = DiscardLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id, reason="obsolete")
    ended = await world.gateway.call(DISCARD_LETTER, request)
    assert (ended.state, ended.note, ended.ended_by) == (LetterState.DISCARDED, "obsolete", REQUESTER.id)
    for call, again in (
        (DISCARD_LETTER, request),
        (REPLAY_LETTER, ReplayLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id)),
        (RESUBMIT_LETTER, ResubmitLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id)),
    ):
        with pytest.raises(DealixError) as raised:
            await world.gateway.call(call, again)  # type: ignore[arg-type]  # each with its own request
        assert (raised.value.code, raised.value.status) == ("dead_letter_ended", 409)
    await later(world, 3)
    assert len(world.wire.sent) == 3


async def test_a_letter_of_another_tenant_is_not_there(world: World) -> None:
    _, letter = await failed(world)
    assert await letters(world, STRANGER) == []
    for call, request in (
        (DEAD_LETTER, DeadLetterGet(principal=STRANGER, dead_letter_id=letter.dead_letter_id)),
        (REPLAY_LETTER, ReplayLetter(principal=STRANGER, dead_letter_id=letter.dead_letter_id)),
        (DISCARD_LETTER, DiscardLetter(principal=STRANGER, dead_letter_id=letter.dead_letter_id, reason="x")),
    ):
        with pytest.raises(DealixError) as raised:
            await world.gateway.call(call, request)  # type: ignore[arg-type]  # each with its own request
        assert raised.value.status == 404


@pytest.mark.parametrize("who", [person(7, "auditor"), person(8, "member"), AGENT])
async def test_who_may_not_act_on_a_letter_changes_nothing(world: World, who: Principal) -> None:
    _, letter = await failed(world)
    with pytest.raises(DealixError) as raised:
        await world.gateway.call(REPLAY_LETTER, ReplayLetter(principal=who, dead_letter_id=letter.dead_letter_id))
    assert raised.value.status == 403
    assert (await letters(world))[0].state is LetterState.OPEN


async def test_an_edit_that_is_not_accepted_leaves_the_letter_open(world: World) -> None:
    _, letter = await failed(world)
    with pytest.raises(DealixError) as raised:
        await world.gateway.call(
            RESUBMIT_LETTER,
            ResubmitLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id, payload={"approval_token": "x"}),
        )
    assert raised.value.code == "token_in_payload"
    assert (await letters(world))[0].state is LetterState.OPEN


async def test_an_old_letter_is_told_about_again_until_it_ends(world: World) -> None:
    _, letter = await failed(world)
    await world.parts.ages.run_once()
    assert audited(world).count("dead_letter.aged") == 0
    for times in (1, 2):
        world.clock.advance(seconds=25 * 3600)
        await world.parts.ages.run_once()
        assert audited(world).count("dead_letter.aged") == times
    await world.gateway.call(
        DISCARD_LETTER, DiscardLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id, reason="x")
    )
    world.clock.advance(seconds=25 * 3600)
    await world.parts.ages.run_once()
    assert audited(world).count("dead_letter.aged") == 2


# Poison ------------------------------------------------------------------------------------------------------------------------


def fails_on(made: World, poison: set[Any], error: Exception) -> None:
    """Trust raises whenever one of these actions is in a question."""
    call, handler = made.trust_bus.call_handlers[AUTHORIZE.subject]

    async def authorize(request: AuthorizeRequest) -> AuthorizeReply:
        if not poison or poison & {e.action_id for e in request.evaluations}:
            raise error
        reply: AuthorizeReply = await handler(request)
        return reply

    made.trust_bus.call_handlers[AUTHORIZE.subject] = (call, authorize)


BROKEN = RemoteFault(Fault(code="internal", message="x", message_ar="x", status=500))


async def test_an_item_that_trust_always_fails_on_ends_as_a_dead_letter_and_delays_nobody(world: World) -> None:
    poison, fine = notice("poison"), [notice(f"fine {n}") for n in range(6)]
    fails_on(world, {poison.action_id}, BROKEN)
    await world.submit(*fine[:3], poison, *fine[3:])
    assert [(await world.action(one.action_id)).state for one in fine] == [ActionState.SUCCEEDED] * 6
    for _ in range(8):
        await world.run(notice())
        await later(world, seconds=15)
    action = await world.action(poison.action_id)
    (letter,) = await letters(world)
    assert (action.state, letter.cause, letter.attempts) == (ActionState.NOT_SENT, LetterCause.UNDECIDABLE, 0)
    assert "poison" not in [p["text"] for p in world.wire.payloads]


async def test_while_trust_fails_on_everything_nothing_is_put_aside(world: World) -> None:
    asked = [notice(), notice()]
    fails_on(world, set(), BROKEN)
    await world.submit(*asked)
    await later(world, 20, seconds=15)
    states = [(await world.action(one.action_id)) for one in asked]
    assert [(a.state, a.waiting_for) for a in states] == [(ActionState.ACCEPTED, "trust")] * 2
    assert await letters(world) == []


async def test_while_trust_is_silent_one_action_alone_waits_as_well(world: World) -> None:
    asked = notice()
    fails_on(world, set(), CallTimeout("trust.authorize.v1"))
    await world.submit(asked)
    await later(world, 20, seconds=15)
    assert (await world.action(asked.action_id)).waiting_for == "trust"
    assert await letters(world) == []


async def test_a_poison_that_is_replayed_after_the_repair_goes_through(world: World) -> None:
    poison, broken = notice("poison"), {notice().action_id}
    broken.add(poison.action_id)
    fails_on(world, broken, BROKEN)
    await world.submit(poison)
    await later(world, 10, seconds=15)
    (letter,) = await letters(world)
    broken.discard(poison.action_id)
    await world.gateway.call(REPLAY_LETTER, ReplayLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id))
    await later(world, 2)
    assert (await world.action(poison.action_id)).state is ActionState.SUCCEEDED
    assert [p["text"] for p in world.wire.payloads] == ["poison"]


# Vendors -----------------------------------------------------------------------------------------------------------------------


async def live(made: World) -> None:
    made.operating.flags = {TENANT: {"live.slack": True}, OTHER_TENANT: {"live.slack": True}}


async def test_a_retry_waits_as_long_as_the_vendor_asked(world: World) -> None:
    world.wire.fail_with = [VendorUnavailable(*UNREACHABLE, retry_after=300.0)]
    await world.run(notice())
    await later(world, 5, seconds=50)
    assert len(world.wire.sent) == 1
    await later(world, 2, seconds=60)
    assert len(world.wire.sent) == 2


async def test_a_vendor_that_keeps_failing_is_left_alone_for_its_tenant_only_and_one_action_tries_again(
    world: World,
) -> None:
    await live(world)
    world.wire.fail_with = [OutcomeUnknown("lost", "x", "x") for _ in range(BREAKER_FAILURES)]
    for _ in range(BREAKER_FAILURES):
        await world.run(notice())
    held = await world.run(notice("held"))
    assert (held.state, held.waiting_for) == (ActionState.ACCEPTED, "connector")
    asked_trust = len(world.requests)
    more = [await world.run(notice("held too")) for _ in range(3)]
    assert (len(world.wire.sent), len(world.requests)) == (BREAKER_FAILURES, asked_trust)
    other = await world.run(
        notice("another tenant's").evolve(resource={"type": "tenant", "id": str(OTHER_TENANT)}), STRANGER
    )
    assert other.state is ActionState.SUCCEEDED
    world.wire.fail_with = [OutcomeUnknown("lost", "x", "x")]
    world.clock.advance(seconds=32)
    await world.settle()
    assert len(world.wire.sent) == BREAKER_FAILURES + 2
    await later(world, 6, seconds=61)
    states = {(await world.action(a.action_id)).state for a in (held, *more)}
    assert ActionState.ACCEPTED not in states
    assert (await world.run(notice("after"))).state is ActionState.SUCCEEDED


async def test_what_is_over_a_connectors_rate_goes_later_and_none_of_it_is_lost(world: World) -> None:
    await live(world)
    world.execution_store.set_rate(TENANT, "slack", 60)
    asked = [notice(str(n)) for n in range(25)]
    await world.submit(*asked)
    assert len(world.wire.sent) == 10
    waiting = [await world.action(one.action_id) for one in asked]
    assert [a.waiting_for for a in waiting].count("connector") == 15
    await later(world, 20, seconds=10)
    assert sorted(int(p["text"]) for p in world.wire.payloads) == list(range(25))
    assert {(await world.action(one.action_id)).state for one in asked} == {ActionState.SUCCEEDED}


async def test_the_sandbox_has_no_rate(world: World) -> None:
    world.execution_store.set_rate(TENANT, "slack", 1)
    await world.submit(*(notice() for _ in range(25)))
    assert len(world.wire.sent) == 25


# Turns -------------------------------------------------------------------------------------------------------------------------


async def test_a_tenant_with_a_hundredfold_load_does_not_starve_another() -> None:
    """By order of completion: the quiet tenant's few are done before the loud one's many."""
    async with world() as made:
        await made.kill()
        loud = [notice(f"loud {n}") for n in range(2000)]
        quiet = [notice(f"quiet {n}").evolve(resource={"type": "tenant", "id": str(OTHER_TENANT)}) for n in range(20)]
        asks = [
            asyncio.create_task(
                made.gateway.call(SUBMIT, SubmitRequest(principal=REQUESTER, items=tuple(loud[at : at + 500])))
            )
            for at in range(0, 2000, 500)
        ]
        await asyncio.sleep(0)
        asks.append(
            asyncio.create_task(made.gateway.call(SUBMIT, SubmitRequest(principal=STRANGER, items=tuple(quiet))))
        )
        await asyncio.sleep(0)
        made.start()
        await asyncio.gather(*asks)
        await made.settle()
        tenants = [one.tenant_id for one in made.wire.sent]
        assert len(tenants) == 2020
        last = max(at for at, tenant in enumerate(tenants) if tenant == OTHER_TENANT)
        assert last < 700


def audited(made: World) -> list[str]:
    return [
        json.loads(one.body)["kind"] for one in made.hub.published if one.event.subject == "execution.audit_recorded.v1"
    ]


def alarms(made: World, event: Any) -> list[Any]:
    """Events of a kind that execution has told, in order."""
    return [event.message.model_validate_json(one.body) for one in made.hub.published if one.event is event]


async def test_an_alarm_goes_out_when_a_letter_arrives_when_it_grows_old_and_when_the_last_is_dealt_with(
    world: World,
) -> None:
    _, letter = await failed(world)
    (arrived,) = alarms(world, DEAD_LETTER_ARRIVED)
    assert (arrived.letter.dead_letter_id, arrived.aged) == (letter.dead_letter_id, False)
    world.clock.advance(days=2)
    await world.parts.ages.run_once()
    await world.settle()
    assert [one.aged for one in alarms(world, DEAD_LETTER_ARRIVED)] == [False, True]
    ask = DiscardLetter(principal=REQUESTER, dead_letter_id=letter.dead_letter_id, reason="سرّ لا يخرج")
    await world.gateway.call(DISCARD_LETTER, ask)
    await world.settle()
    (closed,) = alarms(world, DEAD_LETTER_CLOSED)
    assert (closed.letter.state, closed.still_open) == (LetterState.DISCARDED, 0)
    assert "سرّ" not in closed.model_dump_json()
