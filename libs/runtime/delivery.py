"""Events in and out: the outbox relay, and consumers with an inbox and dead letters.

PostgreSQL is the truth, JetStream is transport: rows stay in the outbox for seven days after they were published.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from pydantic import ValidationError
from sqlalchemy import text

from libs.contracts.message import Message
from libs.contracts.subjects import Event
from libs.runtime import telemetry
from libs.runtime.bus import NatsBus
from libs.runtime.database import Database, SessionWork

log = logging.getLogger(__name__)

RELAY_BATCH = 200
MAX_DELIVERIES = 5
RETRY_SECONDS = 1.0


class Relay:
    """Publishes what transactions emitted, in the order they wrote it, and marks it published once JetStream has it."""

    def __init__(self, database: Database, bus: NatsBus) -> None:
        self._database = database
        self._bus = bus
        self._wake = asyncio.Event()
        database.on_commit = self._wake.set

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                while await self._publish_some() == RELAY_BATCH:
                    pass
            except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
                log.warning("the relay waits for the bus: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            try:
                async with asyncio.timeout(1.0):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _publish_some(self) -> int:
        jetstream = self._bus.client.jetstream(timeout=5)
        async with self._database.batch() as work:
            rows = await work.connection.fetch(
                "select id, subject, headers, body, created_at from outbox where published_at is null order by id limit $1 for update skip locked",
                RELAY_BATCH,
            )
            if rows:
                await asyncio.gather(
                    *(
                        jetstream.publish(
                            r["subject"], r["body"], headers={"Nats-Msg-Id": str(r["id"]), **cloud_event(r)}
                        )
                        for r in rows
                    )
                )
                await work.connection.execute(
                    "update outbox set published_at = now() where id = any($1::uuid[])", [r["id"] for r in rows]
                )
            return len(rows)

    async def sweep(self) -> None:
        """Forget what was published more than seven days ago; hourly."""
        while True:
            async with self._database.batch() as work:
                await work.connection.execute("delete from outbox where published_at < now() - interval '7 days'")
                await work.connection.execute("delete from inbox where received_at < now() - interval '30 days'")
            await asyncio.sleep(3600)


def cloud_event(row: Any) -> dict[str, str]:
    """CloudEvents 1.0 attributes in binary mode (NATS binding: `ce-` headers), and the trace."""
    plane = row["subject"].split(".")[0]
    return {
        "ce-specversion": "1.0",
        "ce-id": str(row["id"]),
        "ce-source": f"//dealix/{plane}",
        "ce-type": f"com.dealix.{row['subject']}",
        "ce-time": row["created_at"].astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "content-type": "application/json",
        **json.loads(row["headers"]),
    }


class Consumer:
    """Pulls one event for one plane from a durable consumer that the migrator created."""

    def __init__(
        self,
        event: Event[Any],
        handler: Callable[[SessionWork, Any], Awaitable[None]],
        database: Database,
        bus: NatsBus,
    ) -> None:
        self._event = event
        self._handler = handler
        self._database = database
        self._bus = bus

    async def run(self) -> None:
        durable = self._event.durable(self._bus.plane)
        while True:
            try:
                subscription = await self._bus.client.jetstream().pull_subscribe_bind(
                    durable, stream=self._event.stream
                )
                while True:
                    try:
                        messages = await subscription.fetch(50, timeout=5)
                    except TimeoutError:
                        if not self._bus.connected:
                            break
                        continue
                    for message in messages:
                        await self._one(message)
            except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
                log.warning("consumer restarts: %s", type(error).__name__, extra={"ids": {"consumer": durable}})
                await asyncio.sleep(RETRY_SECONDS)

    async def _one(self, message: Msg) -> None:
        headers = dict(message.headers or {})
        with telemetry.span(
            self._bus.plane, f"on {self._event.subject}", kind=SpanKind.CONSUMER, parent=telemetry.extract(headers)
        ):
            try:
                await handle_once(
                    self._database, self._event, self._handler, headers.get("Nats-Msg-Id", ""), message.data
                )
            except Exception as error:  # whatever it is, the event is tried again, and ends with the dead ones
                log.exception(
                    "an event failed",
                    extra={"ids": {"event": self._event.subject, "tries": message.metadata.num_delivered}},
                )
                if message.metadata.num_delivered >= MAX_DELIVERIES or isinstance(error, ValidationError):
                    await self._dead_letter(message, headers, error)
                else:
                    await message.nak(delay=RETRY_SECONDS * message.metadata.num_delivered)
                return
            await message.ack()

    async def _dead_letter(self, message: Msg, headers: dict[str, str], error: Exception) -> None:
        await self._bus.client.jetstream().publish(
            f"dlq.{self._bus.plane.value}.{self._event.subject}",
            message.data,
            headers={
                **headers,
                # The stream drops what has an id that it knows: two planes may give up on the same event.
                "Nats-Msg-Id": f"{self._bus.plane.value}.{headers.get('Nats-Msg-Id', '')}",
                "Dealix-Message-Id": headers.get("Nats-Msg-Id", ""),
                "Dealix-Error": type(error).__name__,
                "Dealix-Attempts": str(message.metadata.num_delivered),
            },
        )
        await message.ack()


async def handle_once(
    database: Database,
    event: Event[Any],
    handler: Callable[[SessionWork, Any], Awaitable[None]],
    message_id: str,
    body: bytes,
) -> None:
    """Decode and handle one delivery; a message id that the inbox already holds changes nothing."""
    decoded: Message = event.message.model_validate_json(body)
    tenants = getattr(decoded, "tenant_ids", None) or (decoded.tenant_id,)  # type: ignore[attr-defined]  # every event names its tenants
    telemetry.name_tenant(trace.get_current_span(), decoded)
    async with database.work(*tenants) as work:
        fresh = await work.session.execute(
            text("insert into inbox (consumer, message_id) values (:c, :m) on conflict do nothing returning 1"),
            {"c": event.durable(database.plane), "m": message_id},
        )
        if fresh.first() is not None:
            await handler(work, decoded)
