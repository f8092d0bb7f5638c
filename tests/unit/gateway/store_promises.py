"""What every store of the gateway promises. Subclasses give `store`, and `later`, which lets that much time pass."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts.message import Plane, new_id
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from services.gateway.domain.people import ApiKey, Session, User
from services.gateway.domain.throttle import Throttle
from services.gateway.errors import EmailTaken
from services.gateway.store import Slot, Store
from services.gateway.webhooks.domain import Binding, Number

OURS, THEIRS = new_id(), new_id()
Later = Callable[[timedelta], Awaitable[None]]
LEASE = timedelta(minutes=2)
QUICK = Throttle(free=2, first=timedelta(seconds=30), longest=timedelta(seconds=60), memory=timedelta(hours=1))


def door() -> bytes:
    return new_id().bytes * 2


def user(tenant: UUID = OURS, **more: object) -> User:
    made = User(
        tenant, new_id(), f"{new_id().hex}@a.example", "Sara", ("owner", "approver"), "ceo", "$argon2id$", False, None, False, 0,
        False, 1, datetime.now(UTC), "test",
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


async def added(store: Store, one: User) -> User:
    async with store.unit(one.tenant_id) as unit:
        await unit.add_user(one, door())
    async with store.unit(one.tenant_id) as unit:
        found = await unit.user(one.user_id)
    assert found is not None
    return found


async def session_of(store: Store, one: User, life: timedelta = timedelta(days=1)) -> tuple[Session, bytes]:
    at = door()
    async with store.unit(one.tenant_id) as unit:
        now = await unit.now()
        made = Session(one.tenant_id, new_id(), one.user_id, now, now, now + life)
        await unit.add_session(made, at)
    return made, at


def slot(**more: object) -> Slot:
    values: dict[str, object] = {"tenant_id": OURS, "principal": "user:1", "route": "POST /x", "key": new_id().hex}
    return Slot(**{**values, **more})  # type: ignore[arg-type]  # fields by name


class StorePromises:
    pytestmark = pytest.mark.asyncio

    async def test_a_user_comes_back_as_it_was_kept(self, store: Store) -> None:
        one = user(business_role=None)
        found = await added(store, one)
        assert replace(found, created_at=one.created_at) == one

    async def test_a_user_is_not_there_for_another_tenant(self, store: Store) -> None:
        one = await added(store, user())
        async with store.unit(THEIRS) as unit:
            assert await unit.user(one.user_id) is None
            assert one.user_id not in {u.user_id for u in await unit.users(None, 200)}
            assert not await unit.save_user(replace(one, tenant_id=THEIRS, name="theirs"))

    async def test_an_address_leads_to_one_account_in_the_whole_system(self, store: Store) -> None:
        at, one = door(), user()
        async with store.unit(OURS) as unit:
            await unit.add_user(one, at)
        with pytest.raises(EmailTaken):
            async with store.unit(THEIRS) as unit:
                await unit.add_user(user(THEIRS), at)
        found = await store.door(at)
        assert found is not None
        assert (found.tenant_id, found.subject_id) == (OURS, one.user_id)
        assert await store.door(door()) is None

    async def test_an_edit_over_an_old_version_changes_nothing(self, store: Store) -> None:
        one = await added(store, user())
        async with store.unit(OURS) as unit:
            assert await unit.save_user(replace(one, name="first", totp_secret=b"sealed", roles=("member",)))
            assert not await unit.save_user(replace(one, name="second"))
        async with store.unit(OURS) as unit:
            found = await unit.user(one.user_id)
        assert found is not None
        assert (found.name, found.version, found.totp_secret, found.roles) == ("first", 2, b"sealed", ("member",))

    async def test_a_time_step_is_taken_once_and_only_forwards(self, store: Store) -> None:
        one = await added(store, user())
        async with store.unit(OURS) as unit:
            assert [await unit.use_totp_step(one.user_id, step) for step in (5, 5, 4, 6)] == [True, False, False, True]
            assert await unit.save_user(replace(one, name="edited meanwhile"))
            assert not await unit.use_totp_step(one.user_id, 6)

    async def test_a_session_opens_by_its_door_until_it_is_ended(self, store: Store) -> None:
        one = await added(store, user())
        first, at = await session_of(store, one)
        second, other = await session_of(store, one)
        opened = await store.open_session(at)
        assert opened is not None
        assert (opened.session, opened.user.user_id) == (first, one.user_id)
        assert await store.open_key(at) is None
        async with store.unit(THEIRS) as unit:
            assert await unit.end_sessions(one.user_id) == 0
        async with store.unit(OURS) as unit:
            assert await unit.end_sessions(one.user_id, keep=second.session_id) == 1
        assert await store.open_session(at) is None
        async with store.unit(OURS) as unit:
            assert await unit.end_sessions(one.user_id, only=second.session_id) == 1
        assert await store.open_session(other) is None

    async def test_use_of_a_session_is_noted(self, store: Store, later: Later) -> None:
        one = await added(store, user())
        _, at = await session_of(store, one)
        before = await store.open_session(at)
        assert before is not None
        assert before.session is not None
        await later(timedelta(minutes=5))
        await store.seen(before)
        after = await store.open_session(at)
        assert after is not None
        assert after.session is not None
        assert after.session.seen_at > before.session.seen_at

    async def test_a_key_opens_with_its_person_and_says_when_it_was_revoked(self, store: Store) -> None:
        one = await added(store, user())
        at = door()
        key = ApiKey(
            OURS,
            new_id(),
            one.user_id,
            True,
            "etl",
            b"hash",
            ("read", "submit"),
            one.created_at,
            "test",
            None,
            None,
            None,
        )
        async with store.unit(OURS) as unit:
            await unit.add_key(key, at)
        opened = await store.open_key(at)
        assert opened is not None
        assert opened.key is not None
        assert replace(opened.key, created_at=key.created_at) == key
        assert opened.user.roles == one.roles
        assert await store.open_session(at) is None
        async with store.unit(THEIRS) as unit:
            assert not await unit.revoke_key(key.key_id)
            assert await unit.keys(None, 10) == []
        async with store.unit(OURS) as unit:
            assert await unit.revoke_key(key.key_id)
        opened = await store.open_key(at)
        assert opened is not None
        assert opened.key is not None
        assert opened.key.revoked_at is not None

    async def test_lists_go_on_after_an_id(self, store: Store) -> None:
        made = [await added(store, user()) for _ in range(3)]
        async with store.unit(OURS) as unit:
            everybody = await unit.users(None, 200)
            after = await unit.users(made[0].user_id, 1)
        assert [u.user_id for u in everybody] == sorted(u.user_id for u in everybody)
        assert [u.user_id for u in after] == [made[1].user_id]

    async def test_attempts_lock_for_longer_and_longer_and_are_forgiven(self, store: Store, later: Later) -> None:
        at = door()
        assert [await store.attempt(at, QUICK) for _ in range(2)] == [None, None]
        locked = await store.attempt(at, QUICK)
        assert locked is not None
        assert timedelta(seconds=25) < locked <= timedelta(seconds=30)
        await later(timedelta(seconds=31))
        assert await store.attempt(at, QUICK) is None
        longer = await store.attempt(at, QUICK)
        assert longer is not None
        assert longer > timedelta(seconds=50)
        await store.forgive(at)
        assert await store.attempt(at, QUICK) is None
        assert await store.attempt(door(), QUICK) is None

    async def test_attempts_long_ago_are_forgotten(self, store: Store, later: Later) -> None:
        at = door()
        assert await store.attempt(at, QUICK) is None
        await later(timedelta(hours=2))
        assert await store.attempt(at, QUICK) is None
        assert await store.attempt(at, QUICK) is None

    async def test_attempts_at_the_same_time_count_each(self, store: Store) -> None:
        at = door()
        found = await asyncio.gather(*(store.attempt(at, QUICK) for _ in range(8)))
        assert found.count(None) == 2

    async def test_one_of_many_takes_a_slot_and_the_others_see_it(self, store: Store) -> None:
        where = slot()
        found = await asyncio.gather(*(store.reserve(where, b"body", new_id(), LEASE) for _ in range(6)))
        assert [r.mine for r in found].count(True) == 1
        assert len({r.reservation_id for r in found}) == 1
        assert {r.answer for r in found} == {None}

    async def test_an_answer_is_kept(self, store: Store) -> None:
        where = slot()
        first = await store.reserve(where, b"body", new_id(), LEASE)
        await store.keep_answer(where, 202, b"sealed")
        again = await store.reserve(where, b"body", new_id(), LEASE)
        assert (again.mine, again.status, again.answer) == (False, 202, b"sealed")
        assert again.reservation_id == first.reservation_id

    async def test_a_released_or_abandoned_slot_is_taken_over_under_its_first_id(
        self, store: Store, later: Later
    ) -> None:
        where = slot()
        first = await store.reserve(where, b"body", new_id(), LEASE)
        await store.release(where)
        second = await store.reserve(where, b"body", new_id(), LEASE)
        await later(LEASE + timedelta(seconds=1))
        third = await store.reserve(where, b"body", new_id(), LEASE)
        assert [r.mine for r in (first, second, third)] == [True] * 3
        assert len({r.reservation_id for r in (first, second, third)}) == 1

    async def test_another_body_never_takes_a_slot(self, store: Store) -> None:
        where = slot()
        await store.reserve(where, b"body", new_id(), LEASE)
        await store.release(where)
        other = await store.reserve(where, b"other", new_id(), LEASE)
        assert (other.mine, other.body_hash) == (False, b"body")

    @pytest.mark.parametrize(
        "other", [{"tenant_id": THEIRS}, {"principal": "user:2"}, {"route": "POST /y"}, {"key": "z"}]
    )
    async def test_slots_do_not_meet(self, store: Store, other: dict[str, object]) -> None:
        where = slot()
        await store.reserve(where, b"body", new_id(), LEASE)
        assert (await store.reserve(replace(where, **other), b"other", new_id(), LEASE)).mine  # type: ignore[arg-type]  # fields

    async def test_what_is_old_is_forgotten_and_what_is_not_stays(self, store: Store, later: Later) -> None:
        one = await added(store, user())
        _, short = await session_of(store, one, timedelta(hours=1))
        _, long = await session_of(store, one, timedelta(days=3))
        old, fresh = slot(), slot()
        await store.reserve(old, b"body", new_id(), LEASE)
        await later(timedelta(hours=25))
        await store.reserve(fresh, b"body", new_id(), LEASE)
        await store.sweep(answers=timedelta(hours=24))
        assert (await store.open_session(short), (await store.open_session(long)) is None) == (None, False)
        assert (await store.reserve(old, b"other", new_id(), LEASE)).mine
        assert not (await store.reserve(fresh, b"other", new_id(), LEASE)).mine

    async def test_the_first_user_of_all_is_made_once(self, store: Store) -> None:
        async with store.founding(OURS) as unit:
            assert unit is not None
            await unit.add_user(user(), door())
        async with store.founding(THEIRS) as unit:
            assert unit is None

    async def test_a_unit_that_fails_keeps_nothing(self, store: Store) -> None:
        one = user()
        with pytest.raises(ZeroDivisionError):
            async with store.unit(OURS) as unit:
                await unit.add_user(one, door())
                unit.emit(
                    AUDITED[Plane.GATEWAY],
                    AuditRecorded(
                        entry_id=new_id(), tenant_id=OURS, kind="x", actor="x", target="x", at=datetime.now(UTC)
                    ),
                )
                raise ZeroDivisionError
        async with store.unit(OURS) as unit:
            assert await unit.user(one.user_id) is None

    async def test_a_binding_is_found_by_its_door_until_and_after_it_ends(self, store: Store) -> None:
        at, now = door(), datetime.now(UTC)
        made = Binding(OURS, new_id(), "whatsapp", "105", b"sealed", b"token", now, "user:1")
        async with store.unit(OURS) as unit:
            await unit.add_webhook_door(at, made.binding_id)
            await unit.webhooks.add_binding(made)
        found = await store.open_binding(at)
        assert found is not None
        assert (found.binding_id, found.tenant_id, found.secret, found.ended_at) == (
            made.binding_id,
            OURS,
            b"sealed",
            None,
        )
        assert await store.open_binding(door()) is None
        async with store.unit(THEIRS) as unit:
            assert not await unit.webhooks.end_binding(made.binding_id)
            assert made.binding_id not in {one.binding_id for one in await unit.webhooks.bindings(None, 200)}
        async with store.unit(OURS) as unit:
            assert await unit.webhooks.end_binding(made.binding_id)
            assert not await unit.webhooks.end_binding(made.binding_id)
        ended = await store.open_binding(at)
        assert ended is not None
        assert ended.ended_at is not None

    async def test_a_number_is_verified_for_one_person_of_a_tenant(self, store: Store) -> None:
        mac, now = door(), datetime.now(UTC)
        first = Number(OURS, new_id(), b"sealed", mac, b"code", now)
        second, theirs = replace(first, user_id=new_id()), replace(first, tenant_id=THEIRS, user_id=new_id())
        async with store.unit(OURS) as unit:
            assert await unit.webhooks.put_number(first)
            assert await unit.webhooks.put_number(second)
            assert len(await unit.webhooks.numbers(mac)) == 2
            assert await unit.webhooks.put_number(replace(first, code=None, code_until=None, verified_at=now))
        async with store.unit(OURS) as unit:
            assert not await unit.webhooks.put_number(replace(second, verified_at=now))
            assert [one.verified_at is not None for one in await unit.webhooks.numbers(mac)].count(True) == 1
        async with store.unit(THEIRS) as unit:
            assert await unit.webhooks.numbers(mac) == []
            assert await unit.webhooks.number_of(first.user_id) is None
            assert not await unit.webhooks.drop_number(first.user_id)
            assert await unit.webhooks.put_number(replace(theirs, verified_at=now))
        async with store.unit(OURS) as unit:
            assert await unit.webhooks.drop_number(first.user_id)
            assert await unit.webhooks.put_number(replace(second, verified_at=now))
