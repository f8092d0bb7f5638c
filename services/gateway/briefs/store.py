"""Storage of rules, hours and messages: a part of the gateway's unit of work. The in-memory twin is in `memory.py`."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.briefs import BriefHours
from libs.runtime.database import Database
from services.gateway.briefs.domain import Kind, Outgoing, Rules, State
from services.gateway.webhooks.domain import Number

TURN_SECONDS = 5.0


class Briefs(Protocol):
    """Within one transaction over one tenant."""

    async def rules(self) -> Rules: ...

    async def set_rules(self, rules: Rules) -> None: ...

    async def hours(self, user_id: UUID) -> BriefHours | None: ...

    async def set_hours(self, user_id: UUID, hours: BriefHours | None) -> None: ...

    async def numbers(self) -> list[Number]:
        """Verified numbers of the tenant's people."""
        ...

    async def add(self, one: Outgoing) -> bool:
        """Keep a message; False when it is there already."""
        ...

    async def waiting(self) -> list[Outgoing]: ...

    async def told(self, user_id: UUID) -> tuple[set[UUID], datetime | None]:
        """Requests that briefs to this person were about, and when the newest brief was made."""
        ...

    async def end(self, message_id: UUID, state: State, detail: str, approvals: Collection[UUID]) -> None:
        """A message left, or never will; its text is forgotten."""
        ...

    async def page(self, user_id: UUID, before: UUID | None, limit: int) -> list[Outgoing]: ...


class SqlBriefs:
    def __init__(self, connection: Any, tenant_id: UUID) -> None:
        self._c = connection
        self._t = tenant_id

    async def rules(self) -> Rules:
        row = await self._c.fetchrow("select * from brief_rules where tenant_id = $1", self._t)
        if row is None:
            return Rules(self._t)
        lists = {name: tuple(row[name]) for name in ("risks", "action_types")}
        return Rules(
            self._t,
            row["enabled"],
            lists["risks"],
            lists["action_types"],
            row["template"],
            row["language"],
            row["changed_by"],
        )

    async def set_rules(self, rules: Rules) -> None:
        await self._c.execute(
            "insert into brief_rules (tenant_id, enabled, risks, action_types, template, language, changed_by) values ($1, $2, $3, $4, $5, "
            "$6, $7) on conflict (tenant_id) do update set enabled = excluded.enabled, risks = excluded.risks, action_types = "
            "excluded.action_types, template = excluded.template, language = excluded.language, changed_by = excluded.changed_by, changed_at = now()",
            self._t, rules.enabled, list(rules.risks), list(rules.action_types), rules.template, rules.language, rules.changed_by,
        )  # fmt: skip
        if rules.enabled:
            await self._c.execute(
                "insert into brief_turns (tenant_id) values ($1) on conflict (tenant_id) do update set due_at = now()", self._t
            )  # fmt: skip
        else:
            await self._c.execute("delete from brief_turns where tenant_id = $1", self._t)

    async def hours(self, user_id: UUID) -> BriefHours | None:
        found = await self._c.fetchval(
            "select hours from brief_hours where tenant_id = $1 and user_id = $2", self._t, user_id
        )
        return BriefHours.model_validate(json.loads(found)) if found else None

    async def set_hours(self, user_id: UUID, hours: BriefHours | None) -> None:
        if hours is None:
            sql = "delete from brief_hours where tenant_id = $1 and user_id = $2"
            await self._c.execute(sql, self._t, user_id)
            return
        await self._c.execute(
            "insert into brief_hours (tenant_id, user_id, hours) values ($1, $2, $3) on conflict (tenant_id, user_id) do update set "
            "hours = excluded.hours, changed_at = now()",
            self._t, user_id, hours.model_dump_json(),
        )  # fmt: skip

    async def numbers(self) -> list[Number]:
        rows = await self._c.fetch(
            "select * from numbers where tenant_id = $1 and verified_at is not null order by user_id", self._t
        )
        return [Number(**dict(row)) for row in rows]

    async def add(self, one: Outgoing) -> bool:
        fresh = await self._c.fetchval(
            "insert into brief_messages (tenant_id, message_id, user_id, kind, text, approvals) values ($1, $2, $3, $4, $5, $6) "
            "on conflict do nothing returning true",
            self._t, one.message_id, one.user_id, one.kind.value, one.text, list(one.approvals),
        )  # fmt: skip
        await self._c.execute("update brief_turns set due_at = now() where tenant_id = $1", self._t)
        return bool(fresh)

    async def waiting(self) -> list[Outgoing]:
        rows = await self._c.fetch(
            "select * from brief_messages where tenant_id = $1 and state = 'waiting' order by message_id limit 200",
            self._t,
        )
        return [_outgoing(row) for row in rows]

    async def told(self, user_id: UUID) -> tuple[set[UUID], datetime | None]:
        row = await self._c.fetchrow(
            "select coalesce(array_agg(distinct a) filter (where a is not null), '{}') as approvals, max(m.created_at) as newest "
            "from brief_messages m left join lateral unnest(m.approvals) a on true "
            "where m.tenant_id = $1 and m.user_id = $2 and m.kind = 'brief' and m.state <> 'dropped' and m.created_at > now() - interval '30 days'",
            self._t, user_id,
        )  # fmt: skip
        return set(row["approvals"]), row["newest"]

    async def end(self, message_id: UUID, state: State, detail: str, approvals: Collection[UUID]) -> None:
        await self._c.execute(
            "update brief_messages set state = $3, detail = $4, approvals = $5, text = '', sent_at = now() "
            "where tenant_id = $1 and message_id = $2 and state = 'waiting'",
            self._t, message_id, state.value, detail, list(approvals),
        )  # fmt: skip

    async def page(self, user_id: UUID, before: UUID | None, limit: int) -> list[Outgoing]:
        rows = await self._c.fetch(
            "select * from brief_messages where tenant_id = $1 and user_id = $2 and ($3::uuid is null or (created_at, message_id) < "
            "(select created_at, message_id from brief_messages where tenant_id = $1 and message_id = $3)) "
            "order by created_at desc, message_id desc limit $4",
            self._t, user_id, before, limit,
        )  # fmt: skip
        return [_outgoing(row) for row in rows]


async def claim_turns(database: Database, limit: int) -> list[UUID]:
    """Tenants whose turn it is, of all; the next of each is some seconds later."""
    async with database.batch() as work:
        rows = await work.connection.fetch(
            "update brief_turns set due_at = now() + make_interval(secs => $2) where tenant_id in (select tenant_id from brief_turns "
            "where due_at <= now() order by due_at limit $1 for update skip locked) returning tenant_id",
            limit, TURN_SECONDS,
        )  # fmt: skip
    return [row["tenant_id"] for row in rows]


def _outgoing(row: Any) -> Outgoing:
    values = {
        **dict(row),
        "kind": Kind(row["kind"]),
        "state": State(row["state"]),
        "approvals": tuple(row["approvals"]),
    }
    return Outgoing(**values)
