"""Rules, hours and messages in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from libs.contracts.briefs import BriefHours
from services.gateway.briefs.domain import Kind, Outgoing, Rules, State
from services.gateway.webhooks.domain import Number
from services.gateway.webhooks.memory import WebhookTables


@dataclass(slots=True)
class BriefTables:
    rules: dict[UUID, Rules] = field(default_factory=dict)
    hours: dict[tuple[UUID, UUID], BriefHours] = field(default_factory=dict)
    messages: dict[UUID, Outgoing] = field(default_factory=dict)

    def copy(self) -> BriefTables:
        return BriefTables(dict(self.rules), dict(self.hours), dict(self.messages))


class MemoryBriefs:
    def __init__(self, tables: BriefTables, hooks: WebhookTables, tenant_id: UUID, now: datetime) -> None:
        self._t, self._hooks, self._tenant, self._now = tables, hooks, tenant_id, now

    async def rules(self) -> Rules:
        return self._t.rules.get(self._tenant, Rules(self._tenant))

    async def set_rules(self, rules: Rules) -> None:
        self._t.rules[self._tenant] = rules

    async def hours(self, user_id: UUID) -> BriefHours | None:
        return self._t.hours.get((self._tenant, user_id))

    async def set_hours(self, user_id: UUID, hours: BriefHours | None) -> None:
        if hours is None:
            self._t.hours.pop((self._tenant, user_id), None)
        else:
            self._t.hours[self._tenant, user_id] = hours

    async def numbers(self) -> list[Number]:
        mine = (n for n in self._hooks.numbers.values() if n.tenant_id == self._tenant and n.verified_at is not None)
        return sorted(mine, key=lambda n: n.user_id)

    async def add(self, one: Outgoing) -> bool:
        if one.message_id in self._t.messages:
            return False
        self._t.messages[one.message_id] = replace(one, created_at=self._now)
        return True

    def _own(self) -> list[Outgoing]:
        return sorted(
            (m for m in self._t.messages.values() if m.tenant_id == self._tenant),
            key=lambda m: (m.created_at, str(m.message_id)),
        )

    async def waiting(self) -> list[Outgoing]:
        return [one for one in self._own() if one.state is State.WAITING]

    async def told(self, user_id: UUID) -> tuple[set[UUID], datetime | None]:
        mine = [
            m for m in self._own() if m.user_id == user_id and m.kind is Kind.BRIEF and m.state is not State.DROPPED
        ]
        return {a for m in mine for a in m.approvals}, max((m.created_at for m in mine), default=None)

    async def end(self, message_id: UUID, state: State, detail: str, approvals: Collection[UUID]) -> None:
        found = self._t.messages[message_id]
        self._t.messages[message_id] = replace(
            found, state=state, detail=detail, approvals=tuple(approvals), text="", sent_at=self._now
        )

    async def page(self, user_id: UUID, before: UUID | None, limit: int) -> list[Outgoing]:
        mine = [one for one in reversed(self._own()) if one.user_id == user_id]
        start = next((n + 1 for n, one in enumerate(mine) if one.message_id == before), 0)
        return mine[start : start + limit]
