"""Bindings and numbers in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.gateway.webhooks.domain import Binding, Number


@dataclass(slots=True)
class WebhookTables:
    bindings: dict[UUID, Binding] = field(default_factory=dict)
    numbers: dict[UUID, Number] = field(default_factory=dict)

    def copy(self) -> WebhookTables:
        return WebhookTables(dict(self.bindings), dict(self.numbers))


class MemoryWebhooks:
    def __init__(self, tables: WebhookTables, tenant_id: UUID, now: datetime) -> None:
        self._t, self._tenant, self._now = tables, tenant_id, now

    async def add_binding(self, binding: Binding) -> None:
        self._t.bindings[binding.binding_id] = binding

    async def bindings(self, after: UUID | None, limit: int) -> list[Binding]:
        mine = sorted((b for b in self._t.bindings.values() if b.tenant_id == self._tenant), key=lambda b: b.binding_id)
        return [b for b in mine if after is None or b.binding_id > after][:limit]

    async def end_binding(self, binding_id: UUID) -> bool:
        found = self._t.bindings.get(binding_id)
        if found is None or found.tenant_id != self._tenant or found.ended_at is not None:
            return False
        self._t.bindings[binding_id] = replace(found, ended_at=self._now)
        return True

    async def put_number(self, number: Number) -> bool:
        if any(o.verified_at and o.user_id != number.user_id for o in await self.numbers(number.mac)):
            return False
        self._t.numbers[number.user_id] = number
        return True

    async def number_of(self, user_id: UUID) -> Number | None:
        found = self._t.numbers.get(user_id)
        return found if found is not None and found.tenant_id == self._tenant else None

    async def numbers(self, mac: bytes) -> list[Number]:
        found = [n for n in self._t.numbers.values() if (n.tenant_id, n.mac) == (self._tenant, mac)]
        return sorted(found, key=lambda n: n.user_id)

    async def heard(self, user_id: UUID) -> None:
        found = await self.number_of(user_id)
        if found is not None:
            self._t.numbers[user_id] = replace(found, heard_at=self._now)

    async def drop_number(self, user_id: UUID) -> bool:
        if await self.number_of(user_id) is None:
            return False
        del self._t.numbers[user_id]
        return True
