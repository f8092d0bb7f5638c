"""The gateway's storage: people, sessions, keys, attempts, answers to repeated requests. PostgreSQL's clock is the clock.

The in-memory twin is in `memory.py`; one suite runs over both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from libs.contracts.message import Message, TenantId
from libs.contracts.subjects import Event
from libs.runtime.database import BatchWork, Connection, Database, tenant_list
from services.gateway.briefs.store import Briefs, SqlBriefs, claim_turns
from services.gateway.domain.people import ApiKey, Session, User
from services.gateway.domain.throttle import Throttle
from services.gateway.errors import EmailTaken
from services.gateway.webhooks.domain import Binding
from services.gateway.webhooks.store import SqlWebhooks, Webhooks


@dataclass(frozen=True, slots=True)
class Door:
    """Where a keyed hash leads: `subject_id` is a user, a session or a key of the tenant."""

    tenant_id: TenantId
    subject_id: UUID


@dataclass(frozen=True, slots=True)
class Opened:
    """What lies behind a session's or key's door, and what time it is."""

    user: User
    now: datetime
    session: Session | None = None
    key: ApiKey | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an idempotency key is kept. `route` is method and path."""

    tenant_id: TenantId
    principal: str
    route: str
    key: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is on record for a slot. `mine`: whoever asked holds it now and does the work."""

    reservation_id: UUID
    body_hash: bytes
    mine: bool
    status: int | None = None
    answer: bytes | None = None


class Unit(Protocol):
    """One transaction over one tenant. Rows of other tenants are not there, and cannot be written."""

    @property
    def webhooks(self) -> Webhooks: ...

    @property
    def briefs(self) -> Briefs: ...

    async def add_webhook_door(self, door: bytes, binding_id: UUID) -> None: ...

    async def now(self) -> datetime: ...

    async def add_user(self, user: User, door: bytes) -> None:
        """Raises EmailTaken when the door exists, in whichever tenant."""
        ...

    async def user(self, user_id: UUID) -> User | None: ...

    async def users(self, after: UUID | None, limit: int) -> list[User]:
        """In order of their ids, which is that of their making."""
        ...

    async def save_user(self, user: User) -> bool:
        """Write all of a user over the version it was read at; False when that is no longer the one on record."""
        ...

    async def use_totp_step(self, user_id: UUID, step: int) -> bool:
        """Take a time step; False when it, or a later one, was taken already."""
        ...

    async def add_session(self, session: Session, door: bytes) -> None: ...

    async def end_sessions(self, user_id: UUID, *, only: UUID | None = None, keep: UUID | None = None) -> int: ...

    async def add_key(self, key: ApiKey, door: bytes) -> None: ...

    async def keys(self, after: UUID | None, limit: int) -> list[ApiKey]: ...

    async def revoke_key(self, key_id: UUID) -> bool: ...

    def emit(self, event: Event[Any], message: Message) -> UUID: ...


class Store(Protocol):
    def unit(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Unit]: ...

    def founding(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Unit | None]:
        """A unit for the very first user of all, one at a time; None when there is one already."""
        ...

    async def door(self, door: bytes) -> Door | None: ...

    async def open_session(self, door: bytes) -> Opened | None: ...

    async def open_key(self, door: bytes) -> Opened | None: ...

    async def open_binding(self, door: bytes) -> Binding | None: ...

    async def brief_turns(self, limit: int) -> list[TenantId]: ...

    async def seen(self, opened: Opened) -> None:
        """Note that a session or key is in use."""
        ...

    async def attempt(self, door: bytes, throttle: Throttle) -> timedelta | None:
        """Count an attempt before it is made, so that many at once count too. Returns how long it is locked, None when it may go on."""
        ...

    async def forgive(self, door: bytes) -> None: ...

    async def reserve(self, slot: Slot, body_hash: bytes, reservation_id: UUID, lease: timedelta) -> Reservation:
        """Take a slot, or see who has it. A lease that ran out, and a slot that was released, are taken over with their first id."""
        ...

    async def keep_answer(self, slot: Slot, status: int, answer: bytes) -> None: ...

    async def release(self, slot: Slot) -> None:
        """Let the same request be tried again, under the same reservation id."""

    async def sweep(self, *, answers: timedelta) -> None:
        """Forget dead sessions, old answers, old attempts."""
        ...


_USER = (
    "u.tenant_id, u.user_id, u.email, u.name, u.roles, u.business_role, u.password_hash, u.must_change, u.totp_secret, u.totp_on, "
    "u.totp_step, u.disabled, u.version, u.created_at, u.created_by, u.external_id"
)
_ADD_USER = """
insert into users (tenant_id, user_id, email, name, roles, business_role, password_hash, must_change, created_by, external_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_SAVE_USER = """
update users set email = $3, name = $4, roles = $5, business_role = $6, password_hash = $7, must_change = $8, totp_secret = $9,
  totp_on = $10, disabled = $11, external_id = $13, version = version + 1
where tenant_id = $1 and user_id = $2 and version = $12
"""
_ATTEMPT = """
insert into attempts as a (door, failures) values ($1, 1)
on conflict (door) do update set
  failures = case when a.last_at < now() - $2::interval then 1 else a.failures + 1 end, last_at = now(), locked_until = null
where a.locked_until is null or a.locked_until <= now()
returning failures
"""
_RESERVE = """
insert into idempotency as i (tenant_id, principal, route, key, body_hash, reservation_id, locked_until)
values ($1, $2, $3, $4, $5, $6, now() + $7::interval)
on conflict (tenant_id, principal, route, key) do update set locked_until = now() + $7::interval
where i.body_hash = excluded.body_hash and i.status is null and (i.locked_until is null or i.locked_until <= now())
returning reservation_id, body_hash
"""
_SLOT = "tenant_id = $1 and principal = $2 and route = $3 and key = $4"


class SqlUnit:
    def __init__(self, work: BatchWork, tenant_id: TenantId) -> None:
        self._work = work
        self._tenant = tenant_id
        self._connection: Connection = work.connection
        self.webhooks = SqlWebhooks(work.connection, tenant_id)
        self.briefs = SqlBriefs(work.connection, tenant_id)

    async def add_webhook_door(self, door: bytes, binding_id: UUID) -> None:
        await self._add_door(door, "webhook", binding_id)

    async def now(self) -> datetime:
        at: datetime = await self._connection.fetchval("select now()")
        return at

    async def add_user(self, user: User, door: bytes) -> None:
        await self._add_door(door, "email", user.user_id)
        await self._connection.execute(
            _ADD_USER, user.tenant_id, user.user_id, user.email, user.name, list(user.roles), user.business_role,
            user.password_hash, user.must_change, user.created_by, user.external_id,
        )  # fmt: skip

    async def _add_door(self, door: bytes, kind: str, subject_id: UUID) -> None:
        added = await self._connection.fetchval(
            "insert into doors (door, kind, tenant_id, subject_id) values ($1, $2, $3, $4) on conflict do nothing returning 1",
            door, kind, self._tenant, subject_id,
        )  # fmt: skip
        if added is None:
            raise EmailTaken

    async def user(self, user_id: UUID) -> User | None:
        row = await self._connection.fetchrow(
            f"select {_USER} from users u where u.tenant_id = $1 and u.user_id = $2", self._tenant, user_id
        )
        return _user(row) if row else None

    async def users(self, after: UUID | None, limit: int) -> list[User]:
        rows = await self._connection.fetch(
            f"select {_USER} from users u where u.tenant_id = $1 and ($2::uuid is null or u.user_id > $2) order by u.user_id limit $3",
            self._tenant, after, limit,
        )  # fmt: skip
        return [_user(row) for row in rows]

    async def save_user(self, user: User) -> bool:
        done = await self._connection.execute(
            _SAVE_USER, user.tenant_id, user.user_id, user.email, user.name, list(user.roles), user.business_role,
            user.password_hash, user.must_change, user.totp_secret, user.totp_on, user.disabled, user.version,
            user.external_id,
        )  # fmt: skip
        return bool(done == "UPDATE 1")

    async def use_totp_step(self, user_id: UUID, step: int) -> bool:
        done = await self._connection.execute(
            "update users set totp_step = $3 where tenant_id = $1 and user_id = $2 and totp_step < $3",
            self._tenant, user_id, step,
        )  # fmt: skip
        return bool(done == "UPDATE 1")

    async def add_session(self, session: Session, door: bytes) -> None:
        await self._add_door(door, "session", session.session_id)
        await self._connection.execute(
            "insert into sessions (tenant_id, session_id, user_id, created_at, seen_at, expires_at, second_factor, remote, by) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            session.tenant_id, session.session_id, session.user_id, session.created_at, session.seen_at, session.expires_at,
            session.second_factor, session.remote, session.by,
        )  # fmt: skip

    async def end_sessions(self, user_id: UUID, *, only: UUID | None = None, keep: UUID | None = None) -> int:
        rows = await self._connection.fetch(
            "with gone as (delete from sessions where tenant_id = $1 and user_id = $2 "
            "and ($3::uuid is null or session_id = $3) and ($4::uuid is null or session_id <> $4) returning session_id) "
            "delete from doors d using gone g where d.tenant_id = $1 and d.subject_id = g.session_id returning 1",
            self._tenant, user_id, only, keep,
        )  # fmt: skip
        return len(rows)

    async def add_key(self, key: ApiKey, door: bytes) -> None:
        await self._add_door(door, "key", key.key_id)
        await self._connection.execute(
            "insert into api_keys (tenant_id, key_id, user_id, personal, name, secret_hash, scopes, created_by, expires_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            key.tenant_id, key.key_id, key.user_id, key.personal, key.name, key.secret_hash, list(key.scopes), key.created_by,
            key.expires_at,
        )  # fmt: skip

    async def keys(self, after: UUID | None, limit: int) -> list[ApiKey]:
        rows = await self._connection.fetch(
            "select * from api_keys where tenant_id = $1 and ($2::uuid is null or key_id > $2) order by key_id limit $3",
            self._tenant, after, limit,
        )  # fmt: skip
        return [_key(row) for row in rows]

    async def revoke_key(self, key_id: UUID) -> bool:
        done = await self._connection.execute(
            "update api_keys set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1 and key_id = $2",
            self._tenant, key_id,
        )  # fmt: skip
        return bool(done == "UPDATE 1")

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self._work.emit(event, message)


class SqlStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def unit(self, tenant_id: TenantId) -> AsyncIterator[SqlUnit]:
        async with self._database.batch(tenant_id) as work:
            yield SqlUnit(work, tenant_id)

    @asynccontextmanager
    async def founding(self, tenant_id: TenantId) -> AsyncIterator[SqlUnit | None]:
        async with self._database.batch(tenant_id) as work:
            await work.connection.execute("select pg_advisory_xact_lock(72015)")
            taken = await work.connection.fetchval("select exists (select 1 from doors where kind = 'email')")
            yield None if taken else SqlUnit(work, tenant_id)

    async def door(self, door: bytes) -> Door | None:
        async with self._database.batch() as work:
            row = await work.connection.fetchrow("select tenant_id, subject_id from doors where door = $1", door)
        return Door(row["tenant_id"], row["subject_id"]) if row else None

    async def open_session(self, door: bytes) -> Opened | None:
        row = await self._behind(
            door, "session",
            f"select {_USER}, s.session_id, s.created_at as s_created, s.seen_at, s.expires_at, now() as now "
            "from sessions s join users u using (tenant_id, user_id) where s.tenant_id = $1 and s.session_id = $2",
        )  # fmt: skip
        if row is None:
            return None
        session = Session(
            row["tenant_id"], row["session_id"], row["user_id"], row["s_created"], row["seen_at"], row["expires_at"]
        )
        return Opened(_user(row), row["now"], session=session)

    async def open_key(self, door: bytes) -> Opened | None:
        row = await self._behind(
            door, "key",
            f"select {_USER}, k.key_id, k.personal, k.name as k_name, k.secret_hash, k.scopes, k.created_at as k_created, "
            "k.created_by as k_by, k.expires_at, k.revoked_at, k.used_at, now() as now "
            "from api_keys k join users u using (tenant_id, user_id) where k.tenant_id = $1 and k.key_id = $2",
        )  # fmt: skip
        if row is None:
            return None
        key = ApiKey(
            row["tenant_id"], row["key_id"], row["user_id"], row["personal"], row["k_name"], row["secret_hash"],
            tuple(row["scopes"]), row["k_created"], row["k_by"], row["expires_at"], row["revoked_at"], row["used_at"],
        )  # fmt: skip
        return Opened(_user(row), row["now"], key=key)

    async def open_binding(self, door: bytes) -> Binding | None:
        row = await self._behind(
            door, "webhook", "select b.* from webhook_bindings b where b.tenant_id = $1 and b.binding_id = $2"
        )
        return Binding(**dict(row)) if row else None

    async def brief_turns(self, limit: int) -> list[TenantId]:
        return await claim_turns(self._database, limit)

    async def _behind(self, door: bytes, kind: str, sql: str) -> Any:
        """One transaction: the door names the tenant, and from then on nothing else of any tenant is seen."""
        async with self._database.batch() as work:
            found = await work.connection.fetchrow(
                "select tenant_id, subject_id from doors where door = $1 and kind = $2", door, kind
            )
            if found is None:
                return None
            await work.connection.execute(
                "select set_config('dealix.tenants', $1, true)", tenant_list([found["tenant_id"]])
            )
            return await work.connection.fetchrow(sql, found["tenant_id"], found["subject_id"])

    async def seen(self, opened: Opened) -> None:
        async with self._database.batch(opened.user.tenant_id) as work:
            if opened.session is not None:
                await work.connection.execute(
                    "update sessions set seen_at = now() where tenant_id = $1 and session_id = $2",
                    opened.user.tenant_id, opened.session.session_id,
                )  # fmt: skip
            elif opened.key is not None:
                await work.connection.execute(
                    "update api_keys set used_at = now() where tenant_id = $1 and key_id = $2",
                    opened.user.tenant_id, opened.key.key_id,
                )  # fmt: skip

    async def attempt(self, door: bytes, throttle: Throttle) -> timedelta | None:
        async with self._database.batch() as work:
            failures = await work.connection.fetchval(_ATTEMPT, door, throttle.memory)
            if failures is None:
                left = await work.connection.fetchval("select locked_until - now() from attempts where door = $1", door)
                return left if left and left > timedelta() else timedelta(seconds=1)
            if (lock := throttle.lock(failures)) is not None:
                await work.connection.execute(
                    "update attempts set locked_until = now() + $2::interval where door = $1", door, lock
                )
        return None

    async def forgive(self, door: bytes) -> None:
        async with self._database.batch() as work:
            await work.connection.execute("delete from attempts where door = $1", door)

    async def reserve(self, slot: Slot, body_hash: bytes, reservation_id: UUID, lease: timedelta) -> Reservation:
        where = (slot.tenant_id, slot.principal, slot.route, slot.key)
        async with self._database.batch(slot.tenant_id) as work:
            row = await work.connection.fetchrow(_RESERVE, *where, body_hash, reservation_id, lease)
            if row is not None:
                return Reservation(row["reservation_id"], row["body_hash"], mine=True)
            row = await work.connection.fetchrow(
                f"select reservation_id, body_hash, status, answer from idempotency where {_SLOT}", *where
            )
        return Reservation(
            row["reservation_id"], row["body_hash"], mine=False, status=row["status"], answer=row["answer"]
        )

    async def keep_answer(self, slot: Slot, status: int, answer: bytes) -> None:
        async with self._database.batch(slot.tenant_id) as work:
            await work.connection.execute(
                f"update idempotency set status = $5, answer = $6, locked_until = null where {_SLOT}",
                slot.tenant_id, slot.principal, slot.route, slot.key, status, answer,
            )  # fmt: skip

    async def release(self, slot: Slot) -> None:
        async with self._database.batch(slot.tenant_id) as work:
            await work.connection.execute(
                f"update idempotency set locked_until = null where {_SLOT}",
                slot.tenant_id, slot.principal, slot.route, slot.key,
            )  # fmt: skip

    async def sweep(self, *, answers: timedelta) -> None:
        async with self._database.batch() as work:
            tenants: Sequence[UUID] = [
                r["tenant_id"] for r in await work.connection.fetch("select distinct tenant_id from doors")
            ]
            await work.connection.execute("delete from attempts where last_at < now() - interval '1 day'")
        for tenant in tenants:
            async with self._database.batch(tenant) as work:
                await work.connection.execute(
                    "delete from idempotency where tenant_id = $1 and created_at < now() - $2::interval",
                    tenant,
                    answers,
                )
                await work.connection.execute(
                    "with gone as (delete from sessions where tenant_id = $1 and expires_at < now() returning session_id) "
                    "delete from doors d using gone g where d.tenant_id = $1 and d.subject_id = g.session_id", tenant,
                )  # fmt: skip


def _user(row: Any) -> User:
    return User(
        row["tenant_id"], row["user_id"], row["email"], row["name"], tuple(row["roles"]), row["business_role"],
        row["password_hash"], row["must_change"], row["totp_secret"], row["totp_on"], row["totp_step"], row["disabled"],
        row["version"], row["created_at"], row["created_by"], row["external_id"],
    )  # fmt: skip


def _key(row: Any) -> ApiKey:
    return ApiKey(
        row["tenant_id"], row["key_id"], row["user_id"], row["personal"], row["name"], row["secret_hash"], tuple(row["scopes"]),
        row["created_at"], row["created_by"], row["expires_at"], row["revoked_at"], row["used_at"],
    )  # fmt: skip


DATABASE_DOWN = (
    asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.exceptions.OperatorInterventionError,
    asyncpg.TooManyConnectionsError, OSError, TimeoutError,
)  # fmt: skip
"""What the driver raises when the database can't be reached. The edge fails closed on it."""
