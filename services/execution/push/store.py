"""Subscriptions, deliveries and their turns, in PostgreSQL: part of a unit of work that names the tenant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.message import Reason
from libs.contracts.push import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Form,
    Replaying,
    SecretLife,
    Subscription,
    SubscriptionKind,
    SubscriptionState,
)
from services.execution.push.domain.schedule import Line

LEASE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Made:
    """A delivery that is to be kept."""

    delivery_id: UUID
    message_id: str
    event_type: str
    first_seq: int | None
    last_seq: int | None
    entries: int
    content: Any
    replay_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that may be tried, and what it says."""

    delivery: Delivery
    content: Any


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery on its way: the action that it is, when that was begun, and how it stands by now."""

    delivery_id: UUID
    action_id: UUID
    attempts: int
    started_at: datetime
    content: Any
    state: str | None
    error: str
    mode: str | None


_SUBSCRIPTION = """
select s.*, (select count(*) from execution.deliveries d where d.tenant_id = s.tenant_id and d.subscription_id = s.subscription_id
  and d.state in ('pending', 'sending', 'waiting')) as waiting from execution.subscriptions s where s.tenant_id = $1
"""


class PushRows:
    def __init__(self, connection: Any, tenant_id: UUID) -> None:
        self._c = connection
        self._t = tenant_id

    # -- subscriptions -----------------------------------------------------------------------------------------------------------

    async def alone(self) -> None:
        """One change of a tenant's subscriptions at a time, until the transaction ends."""
        await self._c.execute("select pg_advisory_xact_lock(hashtextextended($1, 72014))", str(self._t))

    async def count(self) -> int:
        sql = "select count(*) from execution.subscriptions where tenant_id = $1 and state <> 'ended'"
        return int(await self._c.fetchval(sql, self._t))

    async def add(self, one: Subscription) -> bool:
        """Keep a subscription and give it turns. Returns whether it was new."""
        fresh = await self._c.fetchval(
            "insert into execution.subscriptions (tenant_id, subscription_id, kind, url, event_types, form, description, disable_after, "
            "position, keys, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing returning true",
            self._t, one.subscription_id, one.kind.value, one.url, list(one.event_types), one.form.value, one.description,
            one.disable_after, one.cursor, _keys(one.signing_keys), one.created_by,
        )  # fmt: skip
        if fresh:
            sql = "insert into execution.push_turns (subscription_id, tenant_id) values ($1, $2)"
            await self._c.execute(sql, one.subscription_id, self._t)
        return bool(fresh)

    async def get(self, subscription_id: UUID, *, lock: bool = False) -> Subscription | None:
        if lock:
            sql = "select 1 from execution.subscriptions where tenant_id = $1 and subscription_id = $2 for update"
            await self._c.fetchval(sql, self._t, subscription_id)
        row = await self._c.fetchrow(f"{_SUBSCRIPTION} and s.subscription_id = $2", self._t, subscription_id)
        return _subscription(row) if row else None

    async def page(self, before: UUID | None, limit: int) -> list[Subscription]:
        sql = (
            f"{_SUBSCRIPTION} and ($2::uuid is null or s.subscription_id < $2) order by s.subscription_id desc limit $3"
        )
        return [_subscription(row) for row in await self._c.fetch(sql, self._t, before, limit)]

    async def change(self, one: Subscription) -> None:
        """Write what a person changed; the version goes up."""
        await self._c.execute(
            "update execution.subscriptions set url = $3, event_types = $4, description = $5, disable_after = $6, keys = $7, "
            "version = version + 1 where tenant_id = $1 and subscription_id = $2",
            self._t, one.subscription_id, one.url, list(one.event_types), one.description, one.disable_after, _keys(one.signing_keys),
        )  # fmt: skip

    async def set_state(self, subscription_id: UUID, state: SubscriptionState) -> None:
        """What a person did. Resuming forgets the failures, and what waits is due at once."""
        fresh = ", failures = 0, failed_at = null, resume_at = null" if state is SubscriptionState.ACTIVE else ""
        await self._c.execute(
            f"update execution.subscriptions set state = $3, version = version + 1{fresh} where tenant_id = $1 and subscription_id = $2",
            self._t, subscription_id, state.value,
        )  # fmt: skip
        if state is SubscriptionState.ACTIVE:
            await self._c.execute(
                "update execution.deliveries set due_at = now() where tenant_id = $1 and subscription_id = $2 and state = 'pending'",
                self._t, subscription_id,
            )  # fmt: skip
        if state is SubscriptionState.ENDED:
            await self._c.execute(
                "update execution.deliveries set state = 'cancelled', content = null, ended_at = now() where tenant_id = $1 "
                "and subscription_id = $2 and state in ('pending', 'waiting', 'sending')",
                self._t, subscription_id,
            )  # fmt: skip
        await self.wake(subscription_id)

    async def line(self, subscription_id: UUID) -> Line:
        row = await self._c.fetchrow(
            "select failures, failed_at, resume_at, state from execution.subscriptions where tenant_id = $1 and subscription_id = $2",
            self._t, subscription_id,
        )  # fmt: skip
        return Line(
            row["failures"], row["failed_at"], row["resume_at"], row["state"] == SubscriptionState.DISABLED.value
        )

    async def keep_line(self, subscription_id: UUID, line: Line, error: Reason | None) -> None:
        """What tries have shown. `error` null: the newest of them succeeded."""
        await self._c.execute(
            "update execution.subscriptions set failures = $3, failed_at = $4, resume_at = $5, "
            "state = case when $6 and state = 'active' then 'disabled' else state end, last_error = coalesce($7::json, last_error), "
            "last_success_at = case when $7::json is null then clock_timestamp() else last_success_at end "
            "where tenant_id = $1 and subscription_id = $2",
            self._t, subscription_id, line.failures, line.failed_at, line.resume_at, line.disabled,
            error.model_dump_json() if error else None,
        )  # fmt: skip

    async def advance(self, subscription_id: UUID, before: int, after: int) -> bool:
        """Move the cursor, unless somebody else has."""
        status: str = await self._c.execute(
            "update execution.subscriptions set position = $4 where tenant_id = $1 and subscription_id = $2 and position = $3",
            self._t, subscription_id, before, after,
        )  # fmt: skip
        return status.endswith(" 1")

    async def wake(self, subscription_id: UUID) -> None:
        sql = "update execution.push_turns set due_at = now() where subscription_id = $1"
        await self._c.execute(sql, subscription_id)

    # -- deliveries --------------------------------------------------------------------------------------------------------------

    async def queue(self, subscription_id: UUID, made: Sequence[Made]) -> None:
        await self._c.executemany(
            "insert into execution.deliveries (tenant_id, delivery_id, subscription_id, message_id, event_type, first_seq, last_seq, entries, "
            "content, replay_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            [
                (self._t, one.delivery_id, subscription_id, one.message_id, one.event_type, one.first_seq, one.last_seq, one.entries,
                 json.dumps(one.content), one.replay_id)
                for one in made
            ],
        )  # fmt: skip

    async def open(self, subscription_id: UUID) -> int:
        sql = (
            "select count(*) from execution.deliveries where tenant_id = $1 and subscription_id = $2 "
            "and state in ('pending', 'sending', 'waiting')"
        )
        return int(await self._c.fetchval(sql, self._t, subscription_id))

    async def sent(self, subscription_id: UUID) -> list[Sent]:
        """Deliveries that are an action now, with that action's state; None for an action that was never accepted."""
        rows = await self._c.fetch(
            "select d.delivery_id, d.action_id, d.attempts, d.content, t.started_at, a.state as action_state, a.error as action_error, "
            "a.connector_mode from execution.deliveries d join execution.delivery_tries t on t.tenant_id = d.tenant_id "
            "and t.delivery_id = d.delivery_id and t.number = d.attempts left join execution.actions a on a.tenant_id = d.tenant_id "
            "and a.action_id = d.action_id where d.tenant_id = $1 and d.subscription_id = $2 and d.state in ('sending', 'waiting') "
            "order by t.started_at",
            self._t, subscription_id,
        )  # fmt: skip
        return [
            Sent(r["delivery_id"], r["action_id"], r["attempts"], r["started_at"], _json(r["content"]), r["action_state"],
                 r["action_error"] or "", r["connector_mode"])
            for r in rows
        ]  # fmt: skip

    async def due(self, subscription_id: UUID, limit: int, *, in_order: bool) -> list[Due]:
        """What may be tried now: the least tried first, so that one bad message holds up no other; in the log's order for a SIEM."""
        order = "delivery_id" if in_order else "attempts, delivery_id"
        ready = "" if in_order else " and due_at <= now()"
        rows = await self._c.fetch(
            f"select * from execution.deliveries where tenant_id = $1 and subscription_id = $2 and state = 'pending'{ready} "
            f"order by {order} limit $3 for update skip locked",
            self._t, subscription_id, limit,
        )  # fmt: skip
        return [Due(delivery_of(row), _json(row["content"])) for row in rows]

    async def start(self, delivery_id: UUID, action_id: UUID) -> None:
        """One more try, as this action."""
        number = await self._c.fetchval(
            "update execution.deliveries set state = 'sending', attempts = attempts + 1, action_id = $3 "
            "where tenant_id = $1 and delivery_id = $2 returning attempts",
            self._t, delivery_id, action_id,
        )  # fmt: skip
        await self._c.execute(
            "insert into execution.delivery_tries (tenant_id, delivery_id, number, action_id) values ($1, $2, $3, $4)",
            self._t, delivery_id, number, action_id,
        )  # fmt: skip

    async def wait(self, delivery_id: UUID) -> None:
        sql = "update execution.deliveries set state = 'waiting' where tenant_id = $1 and delivery_id = $2"
        await self._c.execute(sql, self._t, delivery_id)

    async def ended(
        self, sent: Sent, state: DeliveryState, outcome: str, error: Reason | None, due_at: datetime | None
    ) -> None:
        """How a try ended: arrived, given up, or pending again until `due_at`. What was said is kept only while it may be said again."""
        document = error.model_dump_json() if error else None
        await self._c.execute(
            "update execution.deliveries set state = $3, error = $4, mode = coalesce($5, mode), due_at = coalesce($6, due_at), "
            "content = case when $3 = 'delivered' then null else content end, "
            "ended_at = case when $3 in ('delivered', 'failed') then clock_timestamp() end where tenant_id = $1 and delivery_id = $2",
            self._t, sent.delivery_id, state.value, document, sent.mode, due_at,
        )  # fmt: skip
        await self._c.execute(
            "update execution.delivery_tries set ended_at = clock_timestamp(), outcome = $4, error = $5 "
            "where tenant_id = $1 and delivery_id = $2 and number = $3",
            self._t, sent.delivery_id, sent.attempts, outcome, document,
        )  # fmt: skip

    async def refuse(self, delivery_id: UUID, error: Reason) -> None:
        """Give up what can't even become an action."""
        document = error.model_dump_json()
        await self._c.execute(
            "update execution.deliveries set state = 'failed', error = $3, ended_at = now() where tenant_id = $1 and delivery_id = $2",
            self._t, delivery_id, document,
        )  # fmt: skip
        await self._c.execute(
            "update execution.delivery_tries set ended_at = now(), outcome = 'refused', error = $3 where tenant_id = $1 "
            "and delivery_id = $2 and ended_at is null",
            self._t, delivery_id, document,
        )  # fmt: skip

    async def said(self, delivery_id: UUID) -> tuple[str, str, Any] | None:
        """Of an open delivery of a subscription that has not ended: its address, form and content."""
        row = await self._c.fetchrow(
            "select s.url, s.form, d.content from execution.deliveries d join execution.subscriptions s on s.tenant_id = d.tenant_id "
            "and s.subscription_id = d.subscription_id where d.tenant_id = $1 and d.delivery_id = $2 and s.state <> 'ended' "
            "and d.state in ('sending', 'waiting') and d.content is not null",
            self._t, delivery_id,
        )  # fmt: skip
        return (row["url"], row["form"], _json(row["content"])) if row else None

    async def owner(self, delivery_id: UUID) -> UUID | None:
        """The subscription of a delivery."""
        sql = "select subscription_id from execution.deliveries where tenant_id = $1 and delivery_id = $2"
        found: UUID | None = await self._c.fetchval(sql, self._t, delivery_id)
        return found

    async def log(
        self, subscription_id: UUID, state: DeliveryState | None, before: UUID | None, limit: int
    ) -> list[Delivery]:
        rows = await self._c.fetch(
            "select * from execution.deliveries where tenant_id = $1 and subscription_id = $2 and ($3::text is null or state = $3) "
            "and ($4::uuid is null or delivery_id < $4) order by delivery_id desc limit $5",
            self._t, subscription_id, state.value if state else None, before, limit,
        )  # fmt: skip
        return [delivery_of(row) for row in rows]

    async def delivery(self, subscription_id: UUID, delivery_id: UUID) -> Delivery | None:
        sql = "select * from execution.deliveries where tenant_id = $1 and subscription_id = $2 and delivery_id = $3"
        row = await self._c.fetchrow(sql, self._t, subscription_id, delivery_id)
        return delivery_of(row) if row else None

    async def tries(self, delivery_id: UUID) -> list[DeliveryAttempt]:
        sql = "select * from execution.delivery_tries where tenant_id = $1 and delivery_id = $2 order by number"
        return [
            DeliveryAttempt(number=r["number"], action_id=r["action_id"], started_at=r["started_at"], ended_at=r["ended_at"],
                            outcome=r["outcome"], error=_reason(r["error"]))
            for r in await self._c.fetch(sql, self._t, delivery_id)
        ]  # fmt: skip

    async def retry(self, delivery_id: UUID) -> bool:
        status: str = await self._c.execute(
            "update execution.deliveries set state = 'pending', due_at = now(), ended_at = null "
            "where tenant_id = $1 and delivery_id = $2 and state in ('pending', 'failed') and content is not null",
            self._t, delivery_id,
        )  # fmt: skip
        return status.endswith(" 1")

    # -- ranges that are delivered again -----------------------------------------------------------------------------------------

    async def add_replay(self, one: Replaying, by: str) -> None:
        await self._c.execute(
            "insert into execution.replays (tenant_id, replay_id, subscription_id, first_seq, last_seq, next_seq, asked_by) "
            "values ($1, $2, $3, $4, $5, $4, $6) on conflict do nothing",
            self._t, one.replay_id, one.subscription_id, one.first_seq, one.last_seq, by,
        )  # fmt: skip

    async def replay(self, subscription_id: UUID, replay_id: UUID | None = None) -> Replaying | None:
        """The oldest range that is not queued to its end, or the one that is named."""
        which = "replay_id = $3" if replay_id is not None else "$3::uuid is null and next_seq <= last_seq"
        sql = f"select * from execution.replays where tenant_id = $1 and subscription_id = $2 and {which} order by replay_id limit 1"
        row = await self._c.fetchrow(sql, self._t, subscription_id, replay_id)
        if row is None:
            return None
        named = ("replay_id", "subscription_id", "first_seq", "last_seq", "next_seq", "queued")
        return Replaying(**{name: row[name] for name in named}, done=row["next_seq"] > row["last_seq"])

    async def advance_replay(self, one: Replaying, after: int, queued: int) -> bool:
        status: str = await self._c.execute(
            "update execution.replays set next_seq = $4, queued = queued + $5 where tenant_id = $1 and replay_id = $2 and next_seq = $3",
            self._t, one.replay_id, one.next_seq, after, queued,
        )  # fmt: skip
        return status.endswith(" 1")


class Turns:
    """Which subscriptions are looked at next, of all tenants: ids and times alone."""

    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def claim(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Lease what is due: (tenant, subscription)."""
        rows = await self._c.fetch(
            "update execution.push_turns p set lease_until = now() + make_interval(secs => $2) from (select subscription_id from "
            "execution.push_turns where due_at <= now() and (lease_until is null or lease_until < now()) order by due_at limit $1 "
            "for update skip locked) d where p.subscription_id = d.subscription_id returning p.tenant_id, p.subscription_id",
            limit, LEASE_SECONDS,
        )  # fmt: skip
        return [(row["tenant_id"], row["subscription_id"]) for row in rows]

    async def done(self, subscription_id: UUID, seconds: float | None) -> None:
        """Give the turn back: due again after so long; None for one that has no more turns."""
        if seconds is None:
            await self._c.execute("delete from execution.push_turns where subscription_id = $1", subscription_id)
            return
        await self._c.execute(
            "update execution.push_turns set lease_until = null, due_at = now() + make_interval(secs => $2) where subscription_id = $1",
            subscription_id, seconds,
        )  # fmt: skip


def _keys(keys: Sequence[SecretLife]) -> str:
    return json.dumps([key.model_dump(mode="json") for key in keys])


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _reason(value: Any) -> Reason | None:
    document = _json(value)
    return Reason.model_validate(document) if document else None


def _subscription(row: Any) -> Subscription:
    return Subscription(
        subscription_id=row["subscription_id"], tenant_id=row["tenant_id"], kind=SubscriptionKind(row["kind"]), url=row["url"],
        event_types=tuple(row["event_types"]), form=Form(row["form"]), description=row["description"],
        state=SubscriptionState(row["state"]), disable_after=row["disable_after"], failures=row["failures"],
        last_error=_reason(row["last_error"]), last_success_at=row["last_success_at"], resume_at=row["resume_at"],
        cursor=row["position"], waiting=row["waiting"], signing_keys=tuple(SecretLife.model_validate(k) for k in _json(row["keys"])),
        created_by=row["created_by"], created_at=row["created_at"], version=row["version"],
    )  # fmt: skip


def delivery_of(row: Any) -> Delivery:
    return Delivery(
        delivery_id=row["delivery_id"], subscription_id=row["subscription_id"], message_id=row["message_id"],
        event_type=row["event_type"], first_seq=row["first_seq"], last_seq=row["last_seq"], entries=row["entries"],
        state=DeliveryState(row["state"]), attempts=row["attempts"], mode=row["mode"], error=_reason(row["error"]),
        replay=row["replay_id"] is not None, due_at=row["due_at"] if row["ended_at"] is None else None, action_id=row["action_id"],
        created_at=row["created_at"], ended_at=row["ended_at"],
    )  # fmt: skip
