"""The far end of dead letters of events: a plane that takes one once more, and a reader of all that planes gave up on."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Mapping

import nats.errors
import nats.js.errors
from pydantic import ValidationError

from libs.contracts.dead_events import TakeEvent
from libs.contracts.errors import Conflict, NotFound
from libs.contracts.message import Ok
from libs.runtime.bus import NatsBus
from libs.runtime.database import Database
from libs.runtime.delivery import RETRY_SECONDS, handle_once
from libs.runtime.nats_config import DLQ_DURABLE, DLQ_STREAM

log = logging.getLogger(__name__)

Keep = Callable[[str, Mapping[str, str], bytes], Awaitable[None]]
"""Keeps one message: its subject under `dlq.`, its headers, its bytes."""


class Unreadable(Conflict):
    """It can't be read by this release either: trying again changes nothing."""

    def __init__(self) -> None:
        super().__init__(
            "event_unreadable", "This release can't read the event either: nothing was changed.",
            "هذا الإصدار لا يقرأ الرسالة أيضًا، ولم يتغيّر شيء.",
        )  # fmt: skip


class Retaking:
    """A plane's answer to an event that is handed to it once more: by its own handler, inbox and transaction."""

    def __init__(self, bus: NatsBus, database: Database) -> None:
        self._bus = bus
        self._database = database

    async def take(self, request: TakeEvent) -> Ok:
        """Raises NotFound for an event that this plane does not hear, Unreadable. What the handler raises is a fault."""
        found = next((pair for pair in self._bus.events if pair[0].subject == request.subject), None)
        if found is None:
            raise NotFound
        event, handler = found
        try:
            await handle_once(self._database, event, handler, request.message_id, base64.b64decode(request.body))
        except ValidationError as error:
            raise Unreadable from error
        return Ok()


class DeadEventReader:
    """Reads the stream of what planes gave up on; acknowledges what `keep` has kept."""

    def __init__(self, bus: NatsBus, keep: Keep) -> None:
        self._bus = bus
        self._keep = keep

    async def run(self) -> None:
        while True:
            try:
                subscription = await self._bus.client.jetstream().pull_subscribe_bind(DLQ_DURABLE, stream=DLQ_STREAM)
                while True:
                    try:
                        messages = await subscription.fetch(50, timeout=5)
                    except TimeoutError:
                        if not self._bus.connected:
                            break
                        continue
                    for message in messages:
                        await self._keep(message.subject, dict(message.headers or {}), message.data)
                        await message.ack()
            except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
                log.warning("the reader of dead events restarts: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
