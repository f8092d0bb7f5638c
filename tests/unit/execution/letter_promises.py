"""What every store promises of dead letters, breakers, rates and turns; over the in-memory one here, over PostgreSQL live."""

from __future__ import annotations

from uuid import UUID

import pytest

from libs.contracts.dead_letters import DeadLetter, LetterCause, LetterState
from libs.contracts.execution import ActionState
from libs.contracts.message import Reason, new_id
from services.execution.dead_letters.domain import Arrival
from services.execution.domain.actions import Job
from services.execution.store import Store
from services.execution.traffic.domain import BREAKER_FAILURES
from services.execution.traffic.store import Seen
from tests.unit.execution.store_promises import dispatch, job, move

ERROR = Reason(code="vendor_503", en="It asks to wait.", ar="يطلب الانتظار.")
DOWN = Seen(ok=False, failures=BREAKER_FAILURES)


class LetterPromises:
    """Fixture of the subclass: `store`."""

    @pytest.fixture
    def tenant(self) -> UUID:
        return new_id()

    @pytest.fixture
    def other(self) -> UUID:
        return new_id()

    async def failed(self, store: Store, of: Job) -> DeadLetter:
        async with store.unit(of.tenant_id) as unit:
            await unit.accept([of], "replica-1")
            await unit.dispatch([dispatch(of)])
            await unit.move([move(of, ActionState.FAILED)])
            (letter,) = await unit.letters.arrive([Arrival(of, "slack", LetterCause.FAILED, ERROR)])
        return letter

    async def test_a_letter_is_kept_once_while_it_is_open(self, store: Store, tenant: UUID) -> None:
        one = job(tenant)
        letter = await self.failed(store, one)
        assert (letter.attempts, letter.state, letter.error) == (1, LetterState.OPEN, ERROR)
        async with store.unit(tenant) as unit:
            assert await unit.letters.arrive([Arrival(one, "slack", LetterCause.FAILED, ERROR)]) == []
            ended = await unit.letters.end(letter, LetterState.DISCARDED, "user:1", "why")
        assert (ended.state, ended.ended_by, ended.note) == (LetterState.DISCARDED, "user:1", "why")
        assert ended.ended_at is not None
        async with store.unit(tenant) as unit:
            assert len(await unit.letters.arrive([Arrival(one, "slack", LetterCause.FAILED, ERROR)])) == 1

    async def test_letters_come_the_newest_first_by_page_and_state(self, store: Store, tenant: UUID) -> None:
        made = [await self.failed(store, job(tenant)) for _ in range(3)]
        newest = [one.dead_letter_id for one in reversed(made)]
        async with store.unit(tenant) as unit:
            await unit.letters.end(made[0], LetterState.DISCARDED, "user:1")
            page = await unit.letters.page(tenant, None, None, 2)
            rest = await unit.letters.page(tenant, None, page[-1].dead_letter_id, 2)
            still = await unit.letters.page(tenant, LetterState.OPEN, None, 9)
        assert [one.dead_letter_id for one in (*page, *rest)] == newest
        assert [one.dead_letter_id for one in still] == newest[:2]

    async def test_another_tenants_letter_is_not_there(self, store: Store, tenant: UUID, other: UUID) -> None:
        letter = await self.failed(store, job(tenant))
        async with store.unit(other) as unit:
            assert await unit.letters.get(other, letter.dead_letter_id) is None
            assert await unit.letters.page(other, None, None, 9) == []

    async def test_reopening_puts_the_next_attempt_to_work_with_all_its_tries(self, store: Store, tenant: UUID) -> None:
        one = job(tenant)
        await self.failed(store, one)
        async with store.unit(tenant) as unit:
            assert await unit.letters.reopen(tenant, one.action_id, "again", "2" * 32, {"traceparent": "x"})
            assert not await unit.letters.reopen(tenant, one.action_id, "again", "2" * 32, {})
            found = await unit.action(tenant, one.action_id)
            assert await unit.dispatches(tenant, one.action_id) == 0
        assert found is not None
        assert (found.state, found.attempt, found.timeline[-1].detail) == (ActionState.ACCEPTED, 2, "again")
        assert (tenant, one.action_id) in [(t, a) for t, a, _, _ in await store.claim("replica-2", 100_000)]

    async def test_what_succeeded_is_not_reopened(self, store: Store, tenant: UUID) -> None:
        one = job(tenant)
        async with store.unit(tenant) as unit:
            await unit.accept([one], "replica-1")
            await unit.move([move(one)])
            assert not await unit.letters.reopen(tenant, one.action_id, "again", "", {})

    async def test_a_breaker_opens_for_its_own_tenant_and_closes_with_a_success(
        self, store: Store, tenant: UUID, other: UUID
    ) -> None:
        async with store.unit(tenant, other) as unit:
            await unit.traffic.observe({(tenant, "slack"): DOWN, (other, "slack"): Seen(ok=False, failures=1)})
        async with store.unit(tenant, other) as unit:
            held = await unit.traffic.held([tenant, other])
        assert held.keys() == {(tenant, "slack")}
        assert 0 < held[tenant, "slack"] <= 30
        async with store.unit(tenant) as unit:
            await unit.traffic.observe({(tenant, "slack"): Seen(ok=True)})
        async with store.unit(tenant) as unit:
            assert await unit.traffic.held([tenant]) == {}

    async def test_a_bucket_is_emptied_across_units_and_by_tenant(
        self, store: Store, tenant: UUID, other: UUID
    ) -> None:
        async def taken(of: UUID, count: int) -> int:
            async with store.unit(of) as unit:
                return (await unit.traffic.take({(of, "slack"): count}, {"slack": 6}))[of, "slack"][0]

        assert [await taken(tenant, 5), await taken(tenant, 5)] == [1, 0]
        assert await taken(other, 1) == 1

    async def test_claims_take_turns_between_tenants(self, store: Store, tenant: UUID, other: UUID) -> None:
        await store.claim("replica-0", 100_000)
        loud, quiet = [job(tenant) for _ in range(40)], [job(other) for _ in range(3)]
        async with store.unit(tenant, other) as unit:
            await unit.accept([*loud, *quiet], "replica-1")
            await unit.move([move(one, ActionState.ACCEPTED, final=False) for one in (*loud, *quiet)])
        rows = await store.claim("replica-2", 8)
        assert sorted(t == other for t, _, _, _ in rows) == [False] * 5 + [True] * 3
        seen = {a for _, a, _, _ in rows}
        while rows := await store.claim("replica-2", 8):
            assert not seen & {a for _, a, _, _ in rows}
            seen |= {a for _, a, _, _ in rows}
        assert seen == {one.action_id for one in (*loud, *quiet)}

    async def test_a_letter_is_due_when_it_is_old_and_not_before(self, store: Store, tenant: UUID) -> None:
        letter = await self.failed(store, job(tenant))
        assert (tenant, letter.dead_letter_id) not in await store.due(100_000)
