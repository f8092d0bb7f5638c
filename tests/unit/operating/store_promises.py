"""What every store of operating promises. Subclasses give the fixtures `store`, `refusal` (what it raises for a
foreign tenant's row) and `past_retry` (makes what was tried due again)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from libs.contracts.message import PLATFORM, Plane, new_id
from libs.contracts.operating import HealthReported, SpanRecord
from services.operating.domain.control import Command, Order, Scope
from services.operating.domain.health import Heartbeat
from services.operating.domain.spans import TENANT, KeptSpan
from services.operating.store import Store

OURS, THEIRS = new_id(), new_id()
PastRetry = Callable[[], Awaitable[None]]


def order(command: Command = Command.STOP, *, tenant: object = OURS, target: str = "whatsapp") -> Order:
    return Order(
        tenant_id=tenant,  # type: ignore[arg-type]  # tests also pass PLATFORM
        scope=Scope.CONNECTOR,
        target=target,
        command=command,
        actor="user:1",
        reason="",
    )


def span(tenant: object, trace_id: str, span_id: str, *, start: int = 1) -> KeptSpan:
    record = SpanRecord(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=None,
        plane=Plane.TRUST,
        name="trust.authorize.v1",
        kind="server",
        start_ns=start,
        end_ns=start + 5,
        ok=True,
        attributes={TENANT: str(tenant)} if tenant else {"n": 1},
        links=("ab" * 16, "cd" * 16),
    )
    return KeptSpan(tenant, record)  # type: ignore[arg-type]  # a tenant or None


def trace() -> str:
    return new_id().hex


class StorePromises:
    pytestmark = pytest.mark.asyncio

    async def test_a_later_order_replaces_the_earlier_one_under_a_higher_version(self, store: Store) -> None:
        async with store.unit(OURS) as unit:
            first = await unit.order(order())
        async with store.unit(OURS) as unit:
            second = await unit.order(order(Command.RESUME))
            assert await unit.controls() == [second]
        assert (first.paused, second.paused) == (True, False)
        assert second.version == first.version + 1
        assert second.control_id == first.control_id

    async def test_an_order_of_one_tenant_is_not_there_for_another(self, store: Store) -> None:
        async with store.unit(OURS) as unit:
            control = await unit.order(order())
        async with store.unit(THEIRS) as unit:
            assert await unit.control(control.control_id) is None
            assert await unit.controls() == []
        async with store.unit() as unit:
            assert await unit.controls() == []

    async def test_an_order_for_a_tenant_outside_the_unit_of_work_is_refused(
        self, store: Store, refusal: type[Exception]
    ) -> None:
        with pytest.raises(refusal):
            async with store.unit(THEIRS) as unit:
                await unit.order(order())
        with pytest.raises(refusal):
            async with store.unit() as unit:
                await unit.order(order())
        async with store.unit(OURS) as unit:
            assert await unit.controls() == []

    async def test_an_order_of_a_failed_unit_of_work_leaves_nothing(self, store: Store) -> None:
        async def fail() -> None:
            async with store.unit(OURS) as unit:
                await unit.order(order())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with store.unit(OURS) as unit:
            assert await unit.controls() == []

    async def test_an_order_stays_due_until_its_version_is_acknowledged(
        self, store: Store, past_retry: PastRetry
    ) -> None:
        async with store.unit(OURS) as unit:
            old = await unit.order(order())
        async with store.unit(OURS) as unit:
            new = await unit.order(order(Command.RESUME))
        await past_retry()
        assert [d.control_id for d in await store.due(10)] == [new.control_id]
        assert await store.due(10) == [], "taken, and not due again at once"
        async with store.unit(OURS) as unit:
            await unit.acknowledge(old, Plane.EXECUTION)
        await past_retry()
        assert [d.control_id for d in await store.due(10)] == [new.control_id]
        async with store.unit(OURS) as unit:
            await unit.acknowledge(new, Plane.EXECUTION)
        await past_retry()
        assert await store.due(10) == []

    async def test_an_acknowledgement_of_an_earlier_version_does_not_count_for_the_later_one(
        self, store: Store
    ) -> None:
        async with store.unit(OURS) as unit:
            old = await unit.order(order())
            await unit.acknowledge(old, Plane.EXECUTION)
            assert (await unit.controls())[0].state(OURS).acknowledged == {"execution": True}
        async with store.unit(OURS) as unit:
            await unit.order(order(Command.RESUME))
            assert (await unit.controls())[0].state(OURS).acknowledged == {"execution": False}

    async def test_overtaking_goes_beyond_the_version_that_a_plane_knows(self, store: Store) -> None:
        async with store.unit(OURS) as unit:
            control = await unit.order(order())
            await unit.overtake(control, 41)
        async with store.unit(OURS) as unit:
            again = await unit.control(control.control_id)
        assert again is not None
        assert (again.version, again.paused) == (42, True)

    async def test_flag_values_are_kept_per_tenant_and_count_their_changes(self, store: Store) -> None:
        async with store.unit(OURS) as unit:
            await unit.set_flag(OURS, "live.whatsapp", True, "user:1")
        async with store.unit(OURS) as unit:
            await unit.set_flag(OURS, "live.whatsapp", False, "user:2")
        async with store.unit(OURS, PLATFORM) as unit:
            values = await unit.flag_values()
        assert [(v.name, v.value, v.version, v.changed_by) for v in values] == [("live.whatsapp", False, 2, "user:2")]
        async with store.unit(THEIRS, PLATFORM) as unit:
            assert await unit.flag_values() == []

    async def test_a_word_on_a_flag_keeps_its_share_and_times_and_is_forgotten_once(self, store: Store) -> None:
        async with store.unit(OURS) as unit:
            at = await unit.now()
            until = at + timedelta(days=1)
            await unit.set_flag(OURS, "whatsapp_brief", False, "user:1", until, share=20, starts_at=at)
        async with store.unit(OURS) as unit:
            (kept,) = [one for one in await unit.flag_values() if one.name == "whatsapp_brief"]
            assert (kept.share, kept.starts_at, kept.expires_at) == (20, at, until)
            await unit.set_flag(OURS, "whatsapp_brief", True, "user:1")
            (kept,) = [one for one in await unit.flag_values() if one.name == "whatsapp_brief"]
            assert (kept.value, kept.share, kept.starts_at, kept.expires_at) == (True, 100, None, None)
            assert await unit.drop_flag(OURS, "whatsapp_brief")
            assert not await unit.drop_flag(OURS, "whatsapp_brief")

    async def test_a_flag_of_another_tenant_cannot_be_set(self, store: Store, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            async with store.unit(THEIRS) as unit:
                await unit.set_flag(OURS, "live.whatsapp", True, "user:1")

    async def test_a_tenant_sees_its_own_spans_and_those_of_nobody(self, store: Store) -> None:
        one = trace()
        spans = [span(OURS, one, "a" * 16), span(THEIRS, one, "b" * 16), span(None, one, "c" * 16, start=0)]
        await store.add_spans(spans)
        async with store.unit(OURS) as unit:
            assert await unit.spans([one, trace()]) == [spans[2].span, spans[0].span]
        async with store.unit() as unit:
            assert await unit.spans([one]) == [spans[2].span]

    async def test_a_span_delivered_twice_is_kept_once(self, store: Store) -> None:
        one = span(OURS, trace(), "a" * 16)
        await store.add_spans([one, one])
        await store.add_spans([one])
        async with store.unit(OURS) as unit:
            assert await unit.spans([one.span.trace_id]) == [one.span]

    async def test_the_oldest_batches_of_spans_are_forgotten_beyond_the_limit(self, store: Store) -> None:
        await store.forget_spans(keep=0, older_than=timedelta(days=1))
        traces = [trace() for _ in range(4)]
        for each in traces:
            await store.add_spans([span(OURS, each, "a" * 16), span(THEIRS, each, "b" * 16)])
        gone = 0
        while forgotten := await store.forget_spans(keep=5, older_than=timedelta(days=1)):
            gone += forgotten
        assert gone == 4, "two batches of two: the two newest fit"
        async with store.unit(OURS, THEIRS) as unit:
            assert {s.trace_id for s in await unit.spans(traces)} == set(traces[2:])

    async def test_spans_that_are_too_old_are_forgotten(self, store: Store) -> None:
        one = trace()
        await store.add_spans([span(OURS, one, "a" * 16)])
        while await store.forget_spans(keep=1_000_000, older_than=timedelta(days=-1)):
            continue
        async with store.unit(OURS) as unit:
            assert await unit.spans([one]) == []

    async def test_heartbeats_survive_and_an_older_one_never_replaces_a_later_one(self, store: Store) -> None:
        now = datetime.now(UTC)
        late, early = self._beat("a", now), self._beat("a", now - timedelta(seconds=9))
        await store.save_heartbeats([late])
        await store.save_heartbeats([early])
        assert await store.heartbeats() == [late]

    async def test_of_a_plane_that_fell_silent_only_the_last_heartbeat_is_kept(self, store: Store) -> None:
        now = datetime.now(UTC)
        beats = [self._beat("a", now - timedelta(days=3)), self._beat("b", now - timedelta(days=2))]
        await store.save_heartbeats(beats)
        assert await store.heartbeats() == [beats[1]]

    def _beat(self, instance: str, at: datetime) -> Heartbeat:
        report = HealthReported(
            plane=Plane.DATA, instance=instance, version="0.1.0", at=at, healthy=True, checks={"bus": "ok"}
        )
        return Heartbeat(report, at)
