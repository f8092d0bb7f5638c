"""What every store of execution promises; run over the in-memory one here and over PostgreSQL among the live tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.execution import ActionsSettled, ActionState, Receipt, SandboxMessage
from libs.contracts.message import PLATFORM, Principal, Reason, new_id
from libs.contracts.subjects import ACTIONS_SETTLED
from libs.contracts.trust import ActionClass, Decision, Mode, Outcome, ResourceRef
from services.execution.domain.actions import Job
from services.execution.store import Dispatch, Move, Store, Stored

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
A_LOT = 100_000


def job(tenant: UUID, **changes: Any) -> Job:
    base = Job(
        tenant_id=tenant,
        action_id=new_id(),
        action_type="slack_notify",
        effect="slack_notify",
        resource=ResourceRef(type="tenant", id=str(tenant)),
        payload='{"text":"مرحبا"}',
        salt="ab" * 32,
        principal=Principal(id="user:1", kind="user", tenant_id=tenant, roles=("operator",), name="نورة"),
        reason="because",
        run_id="run-1",
        approval_token=None,
        idempotency_key=None,
        headers={"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"},
        trace_id="1" * 32,
    )
    return dataclasses.replace(base, **changes)


def move(of: Job, state: ActionState = ActionState.SUCCEEDED, *, final: bool = True, **changes: Any) -> Move:
    return Move(of, state, changes.pop("detail", ""), final, **changes)


def dispatch(of: Job, **changes: Any) -> Dispatch:
    return dataclasses.replace(Dispatch(of, new_id(), new_id().hex, "slack", decision(of)), **changes)


def decision(of: Job) -> Decision:
    return Decision(
        decision_id=new_id(),
        tenant_id=of.tenant_id,
        action_id=of.action_id,
        attempt=of.attempt,
        outcome=Outcome.PARKED,
        allowed=False,
        mode=Mode.APPROVAL_REQUIRED,
        action_class=ActionClass.B,
        reasons=(Reason(code="c", en="why", ar="لماذا", policy_id="c"),),
        approval_required=True,
        approval_id=new_id(),
        policy_version="v1",
        audit_event=new_id(),
        proof_impact="none",
    )


def receipt(of: Job) -> Receipt:
    return Receipt(
        receipt_id=new_id(),
        tenant_id=of.tenant_id,
        action_id=of.action_id,
        attempt=of.attempt,
        grant_id=new_id(),
        connector="slack",
        operation="post",
        mode="sandbox",
        vendor_id="v-1",
        request_digest="00",
        response_digest="11",
        started_at=NOW,
        finished_at=NOW,
    )


def mail(of: Job, connector: str = "slack") -> SandboxMessage:
    return SandboxMessage(
        message_id=new_id(),
        action_id=of.action_id,
        connector=connector,
        operation="post",
        at=NOW,
        request={"body": {"text": "مرحبا"}},
    )


class ExecutionStorePromises:
    """Fixtures of the subclass: `store`; `published`, what has been emitted and committed; `refusal`, the error of row security."""

    @pytest.fixture
    def tenant(self) -> UUID:
        return new_id()

    @pytest.fixture
    def other(self) -> UUID:
        return new_id()

    async def accept(self, store: Store, *jobs: Job) -> list[Stored]:
        async with store.unit(*{one.tenant_id for one in jobs}) as unit:
            return await unit.accept(jobs, "replica-1")

    async def move(self, store: Store, *moves: Move) -> set[tuple[UUID, UUID]]:
        async with store.unit(*{one.job.tenant_id for one in moves}) as unit:
            return await unit.move(moves)

    async def dispatched(self, store: Store, of: Job) -> Job:
        """The job after its dispatch, as the pipeline does it: first use of a grant and the move, in one unit."""
        granted = dataclasses.replace(of, grant_id=new_id(), connector_mode="live")
        async with store.unit(of.tenant_id) as unit:
            assert await unit.dispatch([dispatch(granted, grant_id=granted.grant_id)]) == {granted.grant_id}
            going = move(granted, ActionState.DISPATCHED, final=False, decision=decision(granted), due_seconds=-1)
            assert await unit.move([going]) == {of.key}
        return dataclasses.replace(granted, state=ActionState.DISPATCHED)

    async def claimed(self, store: Store, *tenants: UUID) -> dict[UUID, tuple[int, int]]:
        rows = await store.claim("replica-2", A_LOT)
        return {action: (epoch, tries) for tenant, action, epoch, tries in rows if tenant in tenants}

    async def released(self, store: Store, of: Job) -> None:
        """Back into the queue, due now."""
        await self.move(store, move(of, ActionState.ACCEPTED, final=False))

    # -- one unit of work ------------------------------------------------------------------------------------------------

    async def test_a_unit_that_fails_leaves_nothing_behind(
        self, store: Store, tenant: UUID, published: Callable[[], Awaitable[set[UUID]]]
    ) -> None:
        kept, lost = job(tenant), job(tenant)
        await self.accept(store, kept)
        before, event = await store.backlog(), None
        with pytest.raises(ZeroDivisionError):
            async with store.unit(tenant) as unit:
                await unit.accept([lost], "replica-1")
                await unit.dispatch([dispatch(kept)])
                await unit.move([move(kept)])
                await unit.keep_sandbox([(tenant, mail(kept))])
                await unit.set_control(tenant, "all", "*", True, 1)
                event = unit.emit(ACTIONS_SETTLED, ActionsSettled(items=()))
                raise ZeroDivisionError
        async with store.unit(tenant) as unit:
            assert await unit.action(tenant, lost.action_id) is None
            found = await unit.action(tenant, kept.action_id)
            assert await unit.dispatches(tenant, kept.action_id) == 0
            assert await unit.sandbox(tenant, None, None, 10) == []
            assert await unit.paused([tenant]) == set()
        assert found is not None
        assert found.state is ActionState.ACCEPTED
        assert await store.backlog() == before
        assert event not in await published()

    async def test_a_unit_sees_its_own_tenants_only(self, store: Store, tenant: UUID, other: UUID) -> None:
        mine = job(tenant)
        await self.accept(store, mine)
        async with store.unit(tenant) as unit:
            await unit.keep_sandbox([(tenant, mail(mine))])
        for named in ((other,), ()):
            async with store.unit(*named) as unit:
                assert await unit.action(tenant, mine.action_id) is None
                assert await unit.actions(tenant, None, None, 10) == []
                assert await unit.sandbox(tenant, None, None, 10) == []
                assert await unit.jobs([(*mine.key, 1, 0)]) == []
                assert await unit.dispatches(tenant, mine.action_id) == 0
                assert not await unit.end(tenant, mine.action_id, ActionState.CANCELLED, "")
                assert not await unit.resume(tenant, mine.action_id, "", {})
                assert await unit.move([move(mine)]) == set()
        async with store.unit(tenant, other) as unit:
            assert await unit.action(tenant, mine.action_id) is not None

    @pytest.mark.parametrize("write", ["accept", "dispatch", "keep_sandbox"])
    async def test_a_unit_cannot_write_another_tenants_row(
        self, store: Store, tenant: UUID, other: UUID, write: str, refusal: type[Exception]
    ) -> None:
        theirs = job(tenant)
        arguments: dict[str, tuple[Any, ...]] = {
            "accept": ([theirs], "replica-1"),
            "dispatch": ([dispatch(theirs)],),
            "keep_sandbox": ([(tenant, mail(theirs))],),
        }
        with pytest.raises(refusal):
            async with store.unit(other) as unit:
                await getattr(unit, write)(*arguments[write])

    # -- accepting -------------------------------------------------------------------------------------------------------

    async def test_an_accepted_action_is_shown_as_it_was_asked_for(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        assert await self.accept(store, asked) == [Stored(asked.action_id, ActionState.ACCEPTED, True, True)]
        async with store.unit(tenant) as unit:
            found = await unit.action(tenant, asked.action_id)
        assert found is not None
        assert (found.payload, found.resource, found.attempt) == ({"text": "مرحبا"}, asked.resource, 1)
        assert (found.requested_by, found.trace_id) == ("نورة", asked.trace_id)
        assert [(step.state, step.trace_id) for step in found.timeline] == [("accepted", asked.trace_id)]

    async def test_the_same_action_again_is_the_first_one(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        await self.move(store, move(asked))
        assert await self.accept(store, asked) == [Stored(asked.action_id, ActionState.SUCCEEDED, False, True)]

    @pytest.mark.parametrize(
        "change",
        [{"payload": '{"text":"b"}'}, {"action_type": "research"}, {"resource": ResourceRef(type="lead", id="7")}],
    )
    async def test_the_same_id_for_something_else_is_not_the_same(
        self, store: Store, tenant: UUID, change: dict[str, Any]
    ) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        (stored,) = await self.accept(store, dataclasses.replace(asked, **change))
        assert (stored.fresh, stored.same) == (False, False)

    async def test_the_same_key_again_is_the_first_action(self, store: Store, tenant: UUID, other: UUID) -> None:
        first = job(tenant, idempotency_key="k")
        second = dataclasses.replace(first, action_id=new_id())
        theirs = job(other, idempotency_key="k")
        await self.accept(store, first)
        stored, separate = await self.accept(store, second, theirs)
        assert stored == Stored(first.action_id, ActionState.ACCEPTED, False, True)
        assert separate.fresh
        (different,) = await self.accept(store, dataclasses.replace(second, payload="{}"))
        assert (different.action_id, different.same) == (first.action_id, False)

    async def test_one_action_twice_in_a_batch_is_accepted_once(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant, idempotency_key="k")
        by_key = dataclasses.replace(asked, action_id=new_id())
        stored = await self.accept(store, asked, asked, by_key)
        assert [s.fresh for s in stored] == [True, False, False]
        assert {s.action_id for s in stored} == {asked.action_id}

    # -- the queue -------------------------------------------------------------------------------------------------------

    async def test_what_was_just_accepted_is_leased_to_who_accepted_it(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        assert await self.claimed(store, tenant) == {}

    async def test_what_was_put_back_is_claimed_by_one_replica_with_a_new_epoch(
        self, store: Store, tenant: UUID
    ) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        await self.released(store, asked)
        assert await self.claimed(store, tenant) == {asked.action_id: (1, 1)}
        assert await self.claimed(store, tenant) == {}
        await self.released(store, asked)
        assert await self.claimed(store, tenant) == {asked.action_id: (2, 2)}

    async def test_what_is_due_later_is_not_claimed_now(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        await self.move(store, move(asked, ActionState.ACCEPTED, final=False, due_seconds=3600, waiting_for="trust"))
        assert await self.claimed(store, tenant) == {}

    async def test_what_was_dispatched_keeps_its_lease(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        await self.dispatched(store, asked)
        assert await self.claimed(store, tenant) == {}

    async def test_what_ended_leaves_the_queue(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        before = await store.backlog()
        await self.move(store, move(asked))
        assert await store.backlog() == before - 1

    async def test_a_job_comes_back_as_it_was_accepted_and_as_far_as_it_got(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant, approval_token="t", idempotency_key="k")
        await self.accept(store, asked)
        async with store.unit(tenant) as unit:
            assert await unit.jobs([(*asked.key, 1, 0)]) == [dataclasses.replace(asked, epoch=1)]
        gone = await self.dispatched(store, asked)
        async with store.unit(tenant) as unit:
            (found,) = await unit.jobs([(*asked.key, 4, 2)])
        assert found == dataclasses.replace(gone, epoch=4, tries=2)
        assert found.evaluation() == asked.evaluation()

    # -- moving ----------------------------------------------------------------------------------------------------------

    async def test_a_move_says_what_was_decided_and_done(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        decided, done = decision(asked), receipt(asked)
        asked.grant_id = new_id()
        moved = await self.move(
            store,
            move(asked, ActionState.UNKNOWN, detail="lost", decision=decided, receipt=done, error="lost", final=False),
        )
        async with store.unit(tenant) as unit:
            found = await unit.action(tenant, asked.action_id)
        assert moved == {asked.key}
        assert found is not None
        assert (found.state, found.action_class, found.mode) == (ActionState.UNKNOWN, "B", "approval_required")
        assert (found.reasons, found.approval_id, found.policy_version) == (
            decided.reasons, decided.approval_id, "v1",
        )  # fmt: skip
        assert (found.receipt, found.grant_id) == (done, asked.grant_id)
        assert [(step.state, step.detail) for step in found.timeline[1:]] == [("unknown", "lost")]

    async def test_what_is_known_of_an_action_outlasts_a_move_that_does_not_say_it(
        self, store: Store, tenant: UUID
    ) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        decided = decision(asked)
        waiting = move(
            asked, ActionState.ACCEPTED, final=False, decision=decided, waiting_for="control", detail="paused"
        )
        await self.move(store, waiting)
        await self.move(store, move(asked, ActionState.ACCEPTED, final=False))
        async with store.unit(tenant) as unit:
            found = await unit.action(tenant, asked.action_id)
        assert found is not None
        assert (found.reasons, found.approval_id, found.waiting_for) == (decided.reasons, decided.approval_id, None)
        assert [step.detail for step in found.timeline] == ["", "paused"]

    async def test_a_move_of_another_attempt_changes_nothing(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        again = move(asked, ActionState.ACCEPTED, final=False, next_attempt=2)
        assert await self.move(store, again) == {asked.key}
        assert await self.move(store, move(asked)) == set()
        assert await self.move(store, move(dataclasses.replace(asked, attempt=2))) == {asked.key}

    @pytest.mark.parametrize(
        "state",
        [
            ActionState.REFUSED,
            ActionState.AWAITING_APPROVAL,
            ActionState.DRAFTED,
            ActionState.SUCCEEDED,
            ActionState.FAILED,
            ActionState.EXPIRED,
            ActionState.CANCELLED,
            ActionState.MANUAL,
        ],
    )
    async def test_what_is_at_rest_is_not_moved(self, store: Store, tenant: UUID, state: ActionState) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        await self.move(store, move(asked, state))
        for wanted in (ActionState.SUCCEEDED, ActionState.DISPATCHED, ActionState.ACCEPTED):
            assert await self.move(store, move(asked, wanted, final=False)) == set()

    async def test_a_dispatched_action_says_so_and_then_how_it_ended(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        gone = await self.dispatched(store, asked)
        async with store.unit(tenant) as unit:
            under_way = await unit.action(tenant, asked.action_id)
            listed = await unit.actions(tenant, "dispatched", None, 10)
            assert await unit.actions(tenant, "accepted", None, 10) == []
        assert under_way is not None
        assert listed == [under_way]
        assert (under_way.state, under_way.grant_id, under_way.action_class) == (
            ActionState.DISPATCHED, gone.grant_id, "B",
        )  # fmt: skip
        assert [step.state for step in under_way.timeline] == ["accepted", "dispatched"]
        done = receipt(asked)
        assert await self.move(store, move(gone, receipt=done)) == {asked.key}
        async with store.unit(tenant) as unit:
            over = await unit.action(tenant, asked.action_id)
        assert over is not None
        assert (over.state, over.receipt, over.grant_id) == (ActionState.SUCCEEDED, done, gone.grant_id)
        assert (over.reasons, over.policy_version) == (under_way.reasons, "v1")
        assert [step.state for step in over.timeline] == ["accepted", "dispatched", "succeeded"]

    async def test_an_unknown_outcome_can_still_become_known(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        gone = await self.dispatched(store, asked)
        await self.move(store, move(gone, ActionState.UNKNOWN))
        assert await self.move(store, move(gone, ActionState.SUCCEEDED)) == {asked.key}

    # -- dispatching -----------------------------------------------------------------------------------------------------

    async def test_an_attempt_is_dispatched_once(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        first, second = dispatch(asked), dispatch(asked)
        async with store.unit(tenant) as unit:
            assert await unit.dispatch([first]) == {first.grant_id}
        async with store.unit(tenant) as unit:
            assert await unit.dispatch([second]) == set()
            assert await unit.dispatches(tenant, asked.action_id) == 1

    async def test_a_nonce_is_used_once_by_whomever(self, store: Store, tenant: UUID, other: UUID) -> None:
        first = dispatch(job(tenant))
        stolen = dispatch(job(other), nonce=first.nonce)
        async with store.unit(tenant) as unit:
            assert await unit.dispatch([first]) == {first.grant_id}
        async with store.unit(other) as unit:
            assert await unit.dispatch([stolen]) == set()
        twins = [dispatch(job(tenant), nonce="n" + new_id().hex) for _ in range(2)]
        twins[1] = dataclasses.replace(twins[1], nonce=twins[0].nonce)
        async with store.unit(tenant) as unit:
            assert await unit.dispatch(twins) == {twins[0].grant_id}

    async def test_another_attempt_is_another_dispatch(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        async with store.unit(tenant) as unit:
            await unit.dispatch([dispatch(asked)])
            await unit.dispatch([dispatch(dataclasses.replace(asked, attempt=2))])
            assert await unit.dispatches(tenant, asked.action_id) == 2

    # -- people ----------------------------------------------------------------------------------------------------------

    async def test_an_answer_puts_an_action_back_to_work_as_its_next_attempt(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        await self.move(store, move(asked, ActionState.AWAITING_APPROVAL, waiting_for="approval"))
        async with store.unit(tenant) as unit:
            assert await unit.resume(tenant, asked.action_id, "3" * 32, {"traceparent": "new"})
            found = await unit.action(tenant, asked.action_id)
        assert found is not None
        assert (found.state, found.attempt, found.waiting_for) == (ActionState.ACCEPTED, 2, None)
        assert found.linked_traces == ("3" * 32,)
        assert found.timeline[-1].trace_id == "3" * 32
        assert list(await self.claimed(store, tenant)) == [asked.action_id]
        async with store.unit(tenant) as unit:
            (back,) = await unit.jobs([(*asked.key, 1, 0)])
        assert (back.headers, back.attempt) == ({"traceparent": "new"}, 2)

    @pytest.mark.parametrize("state", [None, ActionState.SUCCEEDED, ActionState.CANCELLED])
    async def test_what_is_under_way_or_over_is_neither_resumed_nor_ended(
        self, store: Store, tenant: UUID, state: ActionState | None
    ) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        gone = await self.dispatched(store, asked)
        if state is not None:
            await self.move(store, move(gone, state))
        async with store.unit(tenant) as unit:
            assert not await unit.resume(tenant, asked.action_id, "", {})
            assert not await unit.end(tenant, asked.action_id, ActionState.CANCELLED, "")
            assert not await unit.resume(tenant, new_id(), "", {})

    async def test_an_ended_action_is_done_with(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        await self.accept(store, asked)
        before = await store.backlog()
        async with store.unit(tenant) as unit:
            assert await unit.end(tenant, asked.action_id, ActionState.CANCELLED, "by user:1")
            found = await unit.action(tenant, asked.action_id)
        assert found is not None
        assert (found.state, found.timeline[-1].detail) == (ActionState.CANCELLED, "by user:1")
        assert await store.backlog() == before - 1
        assert await self.move(store, move(asked, ActionState.DISPATCHED, final=False)) == set()

    # -- lists -----------------------------------------------------------------------------------------------------------

    async def test_actions_are_listed_newest_first_and_page_by_page(self, store: Store, tenant: UUID) -> None:
        asked = [job(tenant) for _ in range(5)]
        await self.accept(store, *asked)
        await self.move(store, move(asked[1]))
        async with store.unit(tenant) as unit:
            first = await unit.actions(tenant, None, None, 3)
            rest = await unit.actions(tenant, None, first[-1].action_id, 3)
            done = await unit.actions(tenant, "succeeded", None, 10)
        assert [a.action_id for a in (*first, *rest)] == [j.action_id for j in asked[::-1]]
        assert [a.action_id for a in done] == [asked[1].action_id]

    async def test_the_mailbox_is_listed_newest_first_and_by_connector(self, store: Store, tenant: UUID) -> None:
        asked = job(tenant)
        letters = [mail(asked), mail(asked, "whatsapp"), mail(asked)]
        async with store.unit(tenant) as unit:
            await unit.keep_sandbox([(tenant, letter) for letter in letters])
            first = await unit.sandbox(tenant, None, None, 2)
            rest = await unit.sandbox(tenant, None, first[-1].message_id, 2)
            slack = await unit.sandbox(tenant, "slack", None, 10)
        assert [*first, *rest] == letters[::-1]
        assert slack == [letters[2], letters[0]]

    # -- control ---------------------------------------------------------------------------------------------------------

    async def test_the_newest_order_holds(self, store: Store, tenant: UUID) -> None:
        async with store.unit(tenant) as unit:
            assert await unit.set_control(tenant, "all", "*", True, 5) == 5
            assert await unit.set_control(tenant, "all", "*", False, 4) == 5
            assert await unit.set_control(tenant, "all", "*", False, 5) == 5
            assert await unit.paused([tenant]) == {(tenant, "all", "*")}
            assert await unit.set_control(tenant, "all", "*", False, 6) == 6
            assert await unit.paused([tenant]) == set()

    async def test_a_pause_is_seen_by_whom_it_concerns(self, store: Store, tenant: UUID, other: UUID) -> None:
        target = new_id().hex
        async with store.unit(tenant) as unit:
            await unit.set_control(tenant, "connector", "slack", True, 1)
        async with store.unit(PLATFORM) as unit:
            await unit.set_control(PLATFORM, "action_type", target, True, 1)
        async with store.unit(tenant) as unit:
            assert await unit.paused([tenant]) == {
                (tenant, "connector", "slack"), (PLATFORM, "action_type", target),
            }  # fmt: skip
        async with store.unit(other) as unit:
            assert await unit.paused([other]) == {(PLATFORM, "action_type", target)}
        async with store.unit(PLATFORM) as unit:
            await unit.set_control(PLATFORM, "action_type", target, False, 2)

    async def test_two_tenants_may_choose_the_same_id(self, store: Store, tenant: UUID, other: UUID) -> None:
        mine = job(tenant)
        theirs = job(other, action_id=mine.action_id, payload='{"text":"other"}')
        assert [kept.fresh for kept in await self.accept(store, mine, theirs)] == [True, True]
        leased = await store.claim("replica-2", A_LOT)
        assert not {mine.key, theirs.key} & {(t, a) for t, a, _, _ in leased}, "both are leased to who accepted them"
        assert await self.move(store, move(mine)) == {mine.key}
        async with store.unit(tenant, other) as unit:
            (left,) = await unit.jobs([(*theirs.key, 1, 0)])
            assert (left.tenant_id, left.payload, left.state) == (other, theirs.payload, ActionState.ACCEPTED)
        later = move(theirs, ActionState.ACCEPTED, final=False, waiting_for="trust")
        assert await self.move(store, later) == {theirs.key}
        claimed = {(t, a) for t, a, _, _ in await store.claim("replica-2", A_LOT)}
        assert theirs.key in claimed, "one tenant's end took the other's action off the queue"
        assert mine.key not in claimed

    async def test_ending_one_tenants_action_leaves_the_others_of_that_id(
        self, store: Store, tenant: UUID, other: UUID
    ) -> None:
        mine = job(tenant)
        theirs = job(other, action_id=mine.action_id)
        await self.accept(store, mine, theirs)
        async with store.unit(tenant) as unit:
            assert await unit.end(*mine.key, ActionState.CANCELLED, "by somebody")
        later = move(theirs, ActionState.ACCEPTED, final=False, waiting_for="trust")
        assert await self.move(store, later) == {theirs.key}
        assert theirs.key in {(t, a) for t, a, _, _ in await store.claim("replica-2", A_LOT)}
