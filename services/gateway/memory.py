"""The gateway's storage in memory: for tests and flows on the in-memory bus. One suite keeps it to the promises of the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.message import Message, TenantId
from libs.contracts.subjects import Event
from libs.runtime.database import SessionWork
from libs.runtime.testing import MemoryDatabase, MemoryWork
from services.gateway.briefs.memory import BriefTables, MemoryBriefs
from services.gateway.domain.people import ApiKey, Session, User
from services.gateway.domain.throttle import Throttle
from services.gateway.errors import EmailTaken
from services.gateway.store import Door, Opened, Reservation, Slot, Unit
from services.gateway.webhooks.domain import Binding
from services.gateway.webhooks.memory import MemoryWebhooks, WebhookTables


@dataclass(slots=True)
class _Kept:
    body_hash: bytes
    reservation_id: UUID
    created_at: datetime
    locked_until: datetime | None = None
    status: int | None = None
    answer: bytes | None = None


@dataclass(slots=True)
class _Tables:
    doors: dict[bytes, tuple[str, Door]] = field(default_factory=dict)
    users: dict[UUID, User] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)
    keys: dict[UUID, ApiKey] = field(default_factory=dict)
    hooks: WebhookTables = field(default_factory=WebhookTables)
    briefs: BriefTables = field(default_factory=BriefTables)

    def copy(self) -> _Tables:
        return _Tables(
            dict(self.doors), dict(self.users), dict(self.sessions), dict(self.keys), self.hooks.copy(), self.briefs.copy()
        )  # fmt: skip


class MemoryUnit:
    def __init__(self, tables: _Tables, tenant_id: TenantId, work: SessionWork, now: datetime) -> None:
        self._tables = tables
        self._tenant = tenant_id
        self._work = work
        self._now = now
        self.webhooks = MemoryWebhooks(tables.hooks, tenant_id, now)
        self.briefs = MemoryBriefs(tables.briefs, tables.hooks, tenant_id, now)

    async def add_webhook_door(self, door: bytes, binding_id: UUID) -> None:
        self._add_door(door, "webhook", binding_id)

    async def now(self) -> datetime:
        return self._now

    def _add_door(self, door: bytes, kind: str, subject_id: UUID) -> None:
        if door in self._tables.doors:
            raise EmailTaken
        self._tables.doors[door] = (kind, Door(self._tenant, subject_id))

    async def add_user(self, user: User, door: bytes) -> None:
        self._add_door(door, "email", user.user_id)
        self._tables.users[user.user_id] = replace(user, version=1, created_at=self._now)

    async def user(self, user_id: UUID) -> User | None:
        found = self._tables.users.get(user_id)
        return found if found is not None and found.tenant_id == self._tenant else None

    async def users(self, after: UUID | None, limit: int) -> list[User]:
        mine = sorted((u for u in self._tables.users.values() if u.tenant_id == self._tenant), key=lambda u: u.user_id)
        return [u for u in mine if after is None or u.user_id > after][:limit]

    async def save_user(self, user: User) -> bool:
        found = await self.user(user.user_id)
        if found is None or found.version != user.version:
            return False
        self._tables.users[user.user_id] = replace(user, version=user.version + 1, totp_step=found.totp_step)
        return True

    async def use_totp_step(self, user_id: UUID, step: int) -> bool:
        found = await self.user(user_id)
        if found is None or found.totp_step >= step:
            return False
        self._tables.users[user_id] = replace(found, totp_step=step)
        return True

    async def add_session(self, session: Session, door: bytes) -> None:
        self._add_door(door, "session", session.session_id)
        self._tables.sessions[session.session_id] = session

    async def end_sessions(self, user_id: UUID, *, only: UUID | None = None, keep: UUID | None = None) -> int:
        gone = {
            s.session_id
            for s in self._tables.sessions.values()
            if s.tenant_id == self._tenant
            and s.user_id == user_id
            and s.session_id != keep
            and only in (None, s.session_id)
        }
        for session_id in gone:
            del self._tables.sessions[session_id]
        self._tables.doors = {d: v for d, v in self._tables.doors.items() if v[1].subject_id not in gone}
        return len(gone)

    async def add_key(self, key: ApiKey, door: bytes) -> None:
        self._add_door(door, "key", key.key_id)
        self._tables.keys[key.key_id] = key

    async def keys(self, after: UUID | None, limit: int) -> list[ApiKey]:
        mine = sorted((k for k in self._tables.keys.values() if k.tenant_id == self._tenant), key=lambda k: k.key_id)
        return [k for k in mine if after is None or k.key_id > after][:limit]

    async def revoke_key(self, key_id: UUID) -> bool:
        found = self._tables.keys.get(key_id)
        if found is None or found.tenant_id != self._tenant:
            return False
        self._tables.keys[key_id] = replace(found, revoked_at=found.revoked_at or self._now)
        return True

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self._work.emit(event, message)


class MemoryStore:
    """One unit of work at a time, on a copy that takes the original's place when it ends well."""

    def __init__(self, database: MemoryDatabase, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._lock = asyncio.Lock()
        self._tables = _Tables()
        self._attempts: dict[bytes, tuple[int, datetime, datetime | None]] = {}
        self._idempotency: dict[Slot, _Kept] = {}
        self.down: Exception | None = None
        """Set it, and everything fails as with a database that is gone."""

    def _up(self) -> None:
        if self.down is not None:
            raise copy(self.down)

    @asynccontextmanager
    async def unit(self, tenant_id: TenantId) -> AsyncIterator[MemoryUnit]:
        self._up()
        async with self._lock:
            tables, work = self._tables.copy(), MemoryWork((tenant_id,))
            yield MemoryUnit(tables, tenant_id, work, self._now())
            self._tables = tables
        self._database.publish(work)

    @asynccontextmanager
    async def founding(self, tenant_id: TenantId) -> AsyncIterator[Unit | None]:
        async with self.unit(tenant_id) as unit:
            yield None if any(kind == "email" for kind, _ in self._tables.doors.values()) else unit

    async def door(self, door: bytes) -> Door | None:
        self._up()
        found = self._tables.doors.get(door)
        return found[1] if found else None

    async def open_session(self, door: bytes) -> Opened | None:
        found = self._behind(door, "session")
        session = self._tables.sessions.get(found.subject_id) if found else None
        return Opened(self._tables.users[session.user_id], self._now(), session=session) if session else None

    async def open_key(self, door: bytes) -> Opened | None:
        found = self._behind(door, "key")
        key = self._tables.keys.get(found.subject_id) if found else None
        return Opened(self._tables.users[key.user_id], self._now(), key=key) if key else None

    async def open_binding(self, door: bytes) -> Binding | None:
        found = self._behind(door, "webhook")
        return self._tables.hooks.bindings.get(found.subject_id) if found else None

    async def brief_turns(self, limit: int) -> list[TenantId]:
        self._up()
        return [tenant for tenant, rules in self._tables.briefs.rules.items() if rules.enabled][:limit]

    def _behind(self, door: bytes, kind: str) -> Door | None:
        self._up()
        found = self._tables.doors.get(door)
        return found[1] if found and found[0] == kind else None

    async def seen(self, opened: Opened) -> None:
        if opened.session is not None:
            self._tables.sessions[opened.session.session_id] = replace(opened.session, seen_at=self._now())
        elif opened.key is not None:
            self._tables.keys[opened.key.key_id] = replace(opened.key, used_at=self._now())

    async def attempt(self, door: bytes, throttle: Throttle) -> timedelta | None:
        self._up()
        now = self._now()
        failures, last, locked = self._attempts.get(door, (0, now, None))
        if locked is not None and locked > now:
            return locked - now
        failures = 1 if now - last > throttle.memory else failures + 1
        lock = throttle.lock(failures)
        self._attempts[door] = (failures, now, now + lock if lock else None)
        return None

    async def forgive(self, door: bytes) -> None:
        self._attempts.pop(door, None)

    async def reserve(self, slot: Slot, body_hash: bytes, reservation_id: UUID, lease: timedelta) -> Reservation:
        self._up()
        now = self._now()
        kept = self._idempotency.setdefault(slot, _Kept(body_hash, reservation_id, now))
        free = kept.status is None and (kept.locked_until is None or kept.locked_until <= now)
        if kept.body_hash == body_hash and free:
            kept.locked_until = now + lease
            return Reservation(kept.reservation_id, kept.body_hash, mine=True)
        return Reservation(kept.reservation_id, kept.body_hash, mine=False, status=kept.status, answer=kept.answer)

    async def keep_answer(self, slot: Slot, status: int, answer: bytes) -> None:
        self._up()
        kept = self._idempotency[slot]
        kept.status, kept.answer, kept.locked_until = status, answer, None

    async def release(self, slot: Slot) -> None:
        self._up()
        self._idempotency[slot].locked_until = None

    async def sweep(self, *, answers: timedelta) -> None:
        now = self._now()
        self._idempotency = {s: k for s, k in self._idempotency.items() if now - k.created_at <= answers}
        dead = {s.session_id for s in self._tables.sessions.values() if s.expires_at < now}
        self._tables.sessions = {i: s for i, s in self._tables.sessions.items() if i not in dead}
        self._tables.doors = {d: v for d, v in self._tables.doors.items() if v[1].subject_id not in dead}
