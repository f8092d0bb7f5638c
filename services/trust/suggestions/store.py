"""Suggestions within one transaction: the protocol, its PostgreSQL form, and its twin in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.claims import ClaimSuggestion, SuggestionState


class Suggestions(Protocol):
    async def keep(self, tenant_id: UUID, found: Sequence[ClaimSuggestion]) -> list[ClaimSuggestion]:
        """Keep suggestions; those that were not there yet. The same statement of the same source is one."""
        ...

    async def page(
        self, tenant_id: UUID, state: str | None, subject: str | None, before: UUID | None, limit: int
    ) -> list[ClaimSuggestion]: ...

    async def one(self, tenant_id: UUID, suggestion_id: UUID) -> ClaimSuggestion | None:
        """Locked until the transaction ends."""
        ...

    async def decide(
        self, tenant_id: UUID, suggestion_id: UUID, state: SuggestionState, who: str, reason: str
    ) -> None: ...


_COLUMNS = "suggestion_id, subject, key, value, unit, source, place, confidence, contradicts, state, suggested_at, decided_by, decided_at, reason"


class SqlSuggestions:
    """In the caller's unit of work."""

    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def keep(self, tenant_id: UUID, found: Sequence[ClaimSuggestion]) -> list[ClaimSuggestion]:
        rows = await self._c.fetch(
            "insert into trust.claim_suggestions (tenant_id, suggestion_id, subject, key, value, unit, source, place, confidence, contradicts) "
            "select $1, * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::real[], $10::boolean[]) "
            "on conflict do nothing returning suggestion_id",
            tenant_id, [o.suggestion_id for o in found], [o.subject for o in found], [o.key for o in found], [o.value for o in found],
            [o.unit for o in found], [o.source for o in found], [o.place for o in found], [o.confidence for o in found],
            [o.contradicts for o in found],
        )  # fmt: skip
        kept = {row["suggestion_id"] for row in rows}
        return [one for one in found if one.suggestion_id in kept]

    async def page(
        self, tenant_id: UUID, state: str | None, subject: str | None, before: UUID | None, limit: int
    ) -> list[ClaimSuggestion]:
        rows = await self._c.fetch(
            f"select {_COLUMNS} from trust.claim_suggestions where tenant_id = $1 and ($2::text is null or state = $2) "
            "and ($3::text is null or subject = $3) and ($4::uuid is null or suggestion_id < $4) order by suggestion_id desc limit $5",
            tenant_id, state, subject, before, limit,
        )  # fmt: skip
        return [ClaimSuggestion(**dict(row)) for row in rows]

    async def one(self, tenant_id: UUID, suggestion_id: UUID) -> ClaimSuggestion | None:
        row = await self._c.fetchrow(
            f"select {_COLUMNS} from trust.claim_suggestions where tenant_id = $1 and suggestion_id = $2 for update",
            tenant_id, suggestion_id,
        )  # fmt: skip
        return ClaimSuggestion(**dict(row)) if row else None

    async def decide(self, tenant_id: UUID, suggestion_id: UUID, state: SuggestionState, who: str, reason: str) -> None:
        await self._c.execute(
            "update trust.claim_suggestions set state = $3, decided_by = $4, decided_at = now(), reason = $5 "
            "where tenant_id = $1 and suggestion_id = $2",
            tenant_id, suggestion_id, state.value, who, reason,
        )  # fmt: skip


Table = dict[tuple[UUID, UUID], ClaimSuggestion]


class MemorySuggestions:
    def __init__(self, table: Table, now: datetime) -> None:
        self._t = table
        self._now = now

    async def keep(self, tenant_id: UUID, found: Sequence[ClaimSuggestion]) -> list[ClaimSuggestion]:
        there = {(o.source, o.subject, o.key, o.value) for (tenant, _), o in self._t.items() if tenant == tenant_id}
        fresh = [one for one in found if (one.source, one.subject, one.key, one.value) not in there]
        self._t.update({(tenant_id, one.suggestion_id): one for one in fresh})
        return fresh

    async def page(
        self, tenant_id: UUID, state: str | None, subject: str | None, before: UUID | None, limit: int
    ) -> list[ClaimSuggestion]:
        found = [
            one
            for (tenant, _), one in self._t.items()
            if tenant == tenant_id and state in (None, one.state.value) and subject in (None, one.subject)
            and (before is None or one.suggestion_id < before)
        ]  # fmt: skip
        return sorted(found, key=lambda one: one.suggestion_id, reverse=True)[:limit]

    async def one(self, tenant_id: UUID, suggestion_id: UUID) -> ClaimSuggestion | None:
        return self._t.get((tenant_id, suggestion_id))

    async def decide(self, tenant_id: UUID, suggestion_id: UUID, state: SuggestionState, who: str, reason: str) -> None:
        one = self._t[tenant_id, suggestion_id]
        self._t[tenant_id, suggestion_id] = one.evolve(state=state, decided_by=who, decided_at=self._now, reason=reason)
