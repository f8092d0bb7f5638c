"""Tells trust who may come in and who is in: roles, second factors, sessions and keys in force. No names and no addresses travel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.message import PLATFORM, Plane
from libs.contracts.observed import MOST_FACTS, GatewayFact, GatewayFacts, KeySeen, PersonSeen, SessionSeen, SignInRules
from libs.contracts.subjects import OBSERVED
from libs.runtime.database import Database
from services.gateway.domain.throttle import ACCOUNT
from services.gateway.settings import GatewaySettings

EVERY_SECONDS = 300.0
AT_LEAST = timedelta(minutes=30)
"""How often a tenant is reported of which nothing has changed: what trust holds must not grow old."""
KINDS = ("person", "session", "api_key")

_PEOPLE = """
select 'user:' || u.user_id as subject, u.roles, u.disabled, u.totp_on as second_factor, u.password_hash = '' as by_provider,
  (select count(*) from sessions s where s.tenant_id = $1 and s.user_id = u.user_id and s.expires_at > now() and s.seen_at > now() - $2::interval) as sessions,
  (select count(*) from api_keys k where k.tenant_id = $1 and k.user_id = u.user_id and k.personal and k.revoked_at is null
    and (k.expires_at is null or k.expires_at > now())) as keys,
  greatest((select max(seen_at) from sessions s where s.tenant_id = $1 and s.user_id = u.user_id),
    (select max(used_at) from api_keys k where k.tenant_id = $1 and k.user_id = u.user_id and k.personal)) as last_seen_at
from users u where u.tenant_id = $1 order by u.user_id
"""
_SESSIONS = """
select 'session:' || s.session_id as subject, 'user:' || s.user_id as person, u.roles, s.second_factor, s.remote, s.by,
  s.created_at as started_at, s.expires_at
from sessions s join users u using (tenant_id, user_id)
where s.tenant_id = $1 and s.expires_at > now() and s.seen_at > now() - $2::interval and not u.disabled order by s.session_id
"""
_KEYS = """
select 'key:' || k.key_id as subject, 'user:' || k.user_id as person, k.personal, '*' = any(k.scopes) as wildcard, u.roles
from api_keys k join users u using (tenant_id, user_id)
where k.tenant_id = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and not u.disabled order by k.key_id
"""


class PeopleReports:
    """Reports every tenant's people, again and again: a change is told within minutes, and what trust holds is never old."""

    def __init__(self, database: Database, settings: GatewaySettings, *, every: float = EVERY_SECONDS) -> None:
        self._database = database
        self._settings = settings
        self._every = every
        self._told: dict[UUID, tuple[datetime, int]] = {}

    async def run(self) -> None:
        """Report, for ever."""
        while True:
            await self.run_once()
            await asyncio.sleep(self._every)

    async def run_once(self) -> None:
        async with self._database.batch(PLATFORM) as work:
            rows = await work.connection.fetch("select distinct tenant_id from doors where kind = 'email'")
            now = await work.connection.fetchval("select now()")
            self._emit(work, GatewayFacts(tenant_id=PLATFORM, at=now, facts=(self._rules(),)))
        for row in rows:
            await self.tenant(row["tenant_id"])

    async def tenant(self, tenant_id: UUID) -> None:
        """Report one tenant, whole: what is no longer there is over."""
        async with self._database.batch(tenant_id) as work:
            c, idle = work.connection, self._settings.session_idle
            at = await c.fetchval("select now()")
            facts: list[GatewayFact] = [PersonSeen(**row) for row in await c.fetch(_PEOPLE, tenant_id, idle)]
            facts += [SessionSeen(**row) for row in await c.fetch(_SESSIONS, tenant_id, idle)]
            facts += [KeySeen(**row) for row in await c.fetch(_KEYS, tenant_id)]
            digest = hash(tuple(facts))
            before = self._told.get(tenant_id)
            if before is not None and before[1] == digest and at - before[0] < AT_LEAST:
                return
            for part in _parts(facts):
                self._emit(work, GatewayFacts(tenant_id=tenant_id, at=at, facts=part))
            # Last and alone: whichever part arrives after it carries the same time, and stays.
            self._emit(work, GatewayFacts(tenant_id=tenant_id, at=at, facts=(), whole=KINDS))
        self._told[tenant_id] = (at, digest)

    def _rules(self) -> SignInRules:
        settings = self._settings
        return SignInRules(
            subject="gateway", idle_minutes=settings.gateway_session_idle_minutes, life_hours=settings.gateway_session_hours,
            free_attempts=ACCOUNT.free, first_lock_seconds=int(ACCOUNT.first.total_seconds()),
        )  # fmt: skip

    def _emit(self, work: Any, told: GatewayFacts) -> None:
        work.emit(OBSERVED[Plane.GATEWAY], told)


def _parts(facts: Iterable[GatewayFact]) -> Iterator[tuple[GatewayFact, ...]]:
    listed = tuple(facts)
    for start in range(0, len(listed), MOST_FACTS):
        yield listed[start : start + MOST_FACTS]
