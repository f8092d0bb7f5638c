"""The bus in memory, and a clock that tests move: several planes in one process, without NATS and without PostgreSQL.

    hub = MemoryHub()
    trust, execution = hub.bus(Plane.TRUST), hub.bus(Plane.EXECUTION)
    trust.serve(AUTHORIZE, authorizer.authorize)
    await hub.start()
    reply = await execution.call(AUTHORIZE, request)
    await hub.settle()                      # every event that was emitted has been handled

What the servers would refuse is refused here too: a caller that a subject does not name, a foreign plane's event, a message that is
too large. Messages travel as JSON bytes, so that what cannot be encoded fails here and not in production.

Events come out of `MemoryDatabase.work()`, one per plane, as `Work.emit`; an event handler that needs its store joins the work it is
handed (a store's `join(work)`: the SQL store takes `await work.batch()`, the memory store only its `emit`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar, cast
from uuid import UUID

import nats.errors
from opentelemetry.trace import SpanKind
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from libs.contracts.errors import CallTimeout, RemoteFault
from libs.contracts.message import Fault, Message, Plane, new_id
from libs.contracts.subjects import EVENTS, Call, Event, Signal
from libs.runtime import telemetry
from libs.runtime.asking import DEADLINE, deadline_ms
from libs.runtime.bus import answer
from libs.runtime.database import BatchWork, SessionWork
from libs.runtime.delivery import MAX_DELIVERIES

log = logging.getLogger(__name__)

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)
M = TypeVar("M", bound=Message)

MAX_PAYLOAD = 8 * 1024 * 1024
"""Bytes in one message; `max_payload` of the servers that we configure."""


class RefusedByServer(PermissionError):
    """What the real servers' permissions refuse. Not a DealixError: no handler may take it for a timeout and go on."""


class NoTables(RuntimeError):
    """An in-memory unit of work was asked for SQL: give the handler a store that joins the work instead."""


class Disturbance(StrEnum):
    """What may go wrong with a call. The caller sees CallTimeout each time, at once."""

    SILENT = "silent"
    """The request never arrives."""
    REPLY_LOST = "reply_lost"
    """The handler runs to its end, and its reply is lost."""
    GARBLED = "garbled"
    """The handler runs, and what comes back is not readable."""


class FakeClock:
    """A clock that stands still until a test moves it. Pass it where `now: Callable[[], datetime]` is wanted."""

    def __init__(self, at: datetime = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> datetime:
        """Move on by `timedelta(**by)`; returns the new time."""
        self.at += timedelta(**by)
        return self.at


@dataclasses.dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way, as bytes. `consumer` is the durable it is for; `error` and `attempts` are set on dead letters."""

    message_id: str
    event: Event[Any]
    headers: Mapping[str, str]
    body: bytes
    consumer: Plane | None = None
    attempts: int = 0
    error: str = ""


class _NoSession:
    """Explains itself to a handler that wants SQL where there is none."""

    def __getattr__(self, name: str) -> Any:
        raise NoTables(f"session.{name}: there is no SQL in an in-memory unit of work")


class MemoryWork(SessionWork):
    """A unit of work without tables: it only holds what will be published if it ends well."""

    def __init__(self, tenants: tuple[UUID, ...]) -> None:
        super().__init__(tenants, session=cast(AsyncSession, _NoSession()))

    async def batch(self) -> BatchWork:
        raise NoTables("batch(): there is no SQL in an in-memory unit of work")


class MemoryDatabase:
    """Stands where `Database` stands: units of work whose events are published when they commit, and dropped when they fail."""

    def __init__(self, plane: Plane, hub: MemoryHub) -> None:
        self.plane = plane
        self._hub = hub

    @asynccontextmanager
    async def work(self, *tenants: UUID) -> AsyncIterator[MemoryWork]:
        work = MemoryWork(tenants)
        yield work
        self.publish(work)

    def publish(self, work: MemoryWork) -> None:
        """Hand over what a finished unit of work emitted.

        Raises RefusedByServer for an event of another plane.
        """
        for emitted in work.emitted:
            if not emitted.subject.startswith(f"{self.plane.value}."):
                raise RefusedByServer(f"{self.plane.value} may not publish {emitted.subject}")
        for emitted in work.emitted:
            self._hub.publish(emitted.subject, emitted.body, message_id=str(emitted.id))


class MemoryHub:
    """The server in the middle: who answers what, events under way, what went wrong on purpose."""

    def __init__(self) -> None:
        self.buses: list[MemoryBus] = []
        self.calls: list[tuple[Plane, str]] = []
        """Every call that was let through, in order: caller and subject."""
        self.published: list[Delivery] = []
        """Every event, once, in the order of its publication."""
        self.dead_letters: list[Delivery] = []
        self._disturbed: dict[str, deque[Disturbance]] = {}
        self._always: dict[str, Disturbance] = {}
        self._queues: dict[tuple[Plane, str], deque[Delivery]] = {}
        self._stored: set[str] = set()
        self._inbox: set[tuple[Plane, str, str]] = set()
        self._drains: dict[tuple[Plane, str], asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turn = 0

    def bus(self, plane: Plane) -> MemoryBus:
        """A plane's view of the hub. Asking twice gives two replicas of the plane."""
        bus = MemoryBus(plane, self)
        self.buses.append(bus)
        return bus

    async def start(self) -> None:
        for bus in self.buses:
            await bus.start()

    async def stop(self) -> None:
        for bus in self.buses:
            await bus.stop()
        for task in [*self._tasks, *self._drains.values()]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._drains.values(), return_exceptions=True)

    def disturb(self, call: Call[Any, Any], what: Disturbance, *, times: int | None = None) -> None:
        """Let calls of this subject go wrong: the next `times` of them, or all until `calm`."""
        if times is None:
            self._always[call.subject] = what
        else:
            self._disturbed.setdefault(call.subject, deque()).extend([what] * times)

    def calm(self, call: Call[Any, Any]) -> None:
        self._always.pop(call.subject, None)
        self._disturbed.pop(call.subject, None)

    def disturbance(self, subject: str) -> Disturbance | None:
        """What happens to this call; uses up what was ordered for a number of times."""
        waiting = self._disturbed.get(subject)
        return waiting.popleft() if waiting else self._always.get(subject)

    def replica(self, plane: Plane, has: Callable[[MemoryBus], bool]) -> MemoryBus | None:
        """One connected replica of the plane that serves the thing; they take turns, as in a queue group."""
        ready = [bus for bus in self.buses if bus.plane is plane and bus.connected and has(bus)]
        self._turn += 1
        return ready[self._turn % len(ready)] if ready else None

    def background(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- events ----------------------------------------------------------------------------------------------------------

    def publish(self, subject: str, body: bytes, *, message_id: str | None = None) -> None:
        """Put an event into its stream. A message id that the stream has seen changes nothing."""
        event = next(e for e in EVENTS if e.subject == subject)
        made = Delivery(message_id or str(new_id()), event, telemetry.headers(), body)
        if made.message_id in self._stored:
            return
        self._stored.add(made.message_id)
        self.published.append(made)
        self._deliver(made)

    def redeliver(self) -> None:
        """Deliver every event once more, as JetStream may; inboxes are expected to let nothing happen twice."""
        for delivery in tuple(self.published):
            self._deliver(delivery)

    def replay(self, letter: Delivery) -> None:
        """Take a dead letter back into its consumer's queue."""
        self.dead_letters.remove(letter)
        self._enqueue(dataclasses.replace(letter, attempts=0, error=""))

    def _deliver(self, delivery: Delivery) -> None:
        for consumer in delivery.event.consumers:
            self._enqueue(dataclasses.replace(delivery, consumer=consumer))

    def _enqueue(self, delivery: Delivery) -> None:
        assert delivery.consumer is not None
        key = (delivery.consumer, delivery.event.subject)
        self._queues.setdefault(key, deque()).append(delivery)
        self.wake(key)

    def wake(self, key: tuple[Plane, str]) -> None:
        """Work on a consumer's queue when there is something in it and nobody does yet. Without a consumer it is kept."""
        running = self._drains.get(key)
        if self._queues.get(key) and (running is None or running.done()):
            self._drains[key] = asyncio.ensure_future(self._drain(key))

    async def _drain(self, key: tuple[Plane, str]) -> None:
        plane, subject = key
        queue = self._queues[key]
        while queue:
            bus = self.replica(plane, lambda candidate: subject in candidate.event_handlers)
            if bus is None:
                return
            delivery = dataclasses.replace(queue[0], attempts=queue[0].attempts + 1)
            queue[0] = delivery
            error = await self._handle_once(bus, delivery)
            if error is None:
                queue.popleft()
            elif delivery.attempts >= MAX_DELIVERIES or isinstance(error, ValidationError):
                queue.popleft()
                self.dead_letters.append(dataclasses.replace(delivery, error=type(error).__name__))
            else:
                await asyncio.sleep(0)

    async def _handle_once(self, bus: MemoryBus, delivery: Delivery) -> Exception | None:
        seen = (bus.plane, delivery.event.subject, delivery.message_id)
        if seen in self._inbox:
            return None
        context = telemetry.extract(dict(delivery.headers))
        with telemetry.span(bus.plane, f"on {delivery.event.subject}", kind=SpanKind.CONSUMER, parent=context) as span:
            try:
                decoded = delivery.event.message.model_validate_json(delivery.body)
                telemetry.name_tenant(span, decoded)
                tenants = getattr(decoded, "tenant_ids", None) or (decoded.tenant_id,)
                async with bus.database.work(*tenants) as work:
                    await bus.event_handlers[delivery.event.subject](work, decoded)
            except Exception as error:  # as in `delivery.py`
                log.exception(
                    "an event failed", extra={"ids": {"event": delivery.event.subject, "tries": delivery.attempts}}
                )
                return error
        self._inbox.add(seen)
        return None

    async def settle(self) -> None:
        """Wait until nothing is under way: signals heard, events handled or dead. Events without a consumer stay where they are."""
        while busy := [task for task in [*self._tasks, *self._drains.values()] if not task.done()]:
            await asyncio.wait(busy)


class MemoryBus:
    """One plane's bus; the twin of `NatsBus`."""

    def __init__(self, plane: Plane, hub: MemoryHub) -> None:
        self.plane = plane
        self.hub = hub
        self.database = MemoryDatabase(plane, hub)
        self.connected = False
        self.call_handlers: dict[str, tuple[Call[Any, Any], Callable[[Any], Awaitable[Any]]]] = {}
        self.event_handlers: dict[str, Callable[[SessionWork, Any], Awaitable[None]]] = {}
        self.signal_handlers: dict[str, Callable[[Any], Awaitable[None]]] = {}

    async def start(self) -> None:
        self.connected = True
        for subject in self.event_handlers:
            self.hub.wake((self.plane, subject))

    async def stop(self) -> None:
        """Off the bus: nobody answers here any more, and events wait. `start` brings it back."""
        self.connected = False

    def serve(self, call: Call[Q, R], handler: Callable[[Q], Awaitable[R]]) -> None:
        self._before_start()
        if call.plane is not self.plane:
            raise ValueError(f"{self.plane.value} can't answer {call.subject}")
        self.call_handlers[call.subject] = (call, handler)

    def on(self, event: Event[M], handler: Callable[[SessionWork, M], Awaitable[None]]) -> None:
        self._before_start()
        if self.plane not in event.consumers:
            raise ValueError(f"{event.subject} does not name {self.plane.value} as a consumer")
        self.event_handlers[event.subject] = handler

    def on_signal(self, signal: Signal[M], handler: Callable[[M], Awaitable[None]]) -> None:
        self._before_start()
        if self.plane is not signal.consumer:
            raise RefusedByServer(f"{self.plane.value} may not hear {signal.name}")
        self.signal_handlers[signal.name] = handler

    def _before_start(self) -> None:
        if self.connected:
            raise RuntimeError("handlers are registered before start")

    async def call(self, call: Call[Q, R], request: Q, *, timeout: float | None = None) -> R:
        if self.plane not in call.callers:
            raise RefusedByServer(f"{self.plane.value} may not call {call.subject}")
        if not self.connected:
            raise RuntimeError("the bus has not been started")
        wait = call.timeout if timeout is None else timeout
        with telemetry.span(self.plane, f"call {call.subject}", kind=SpanKind.CLIENT):
            self.hub.calls.append((self.plane, call.subject))
            disturbance = self.hub.disturbance(call.subject)
            server = self.hub.replica(call.plane, lambda bus: call.subject in bus.call_handlers)
            if server is None or disturbance is Disturbance.SILENT:
                raise CallTimeout(call.subject)
            headers = {DEADLINE: deadline_ms(wait), **telemetry.headers()}
            declared, handler = server.call_handlers[call.subject]
            body = _encoded(request)
            # A task of its own: a caller that stops waiting does not stop the handler.
            task = self.hub.background(answer(call.plane, declared, handler, body, headers))
            try:
                reply = await asyncio.wait_for(asyncio.shield(task), wait)
            except TimeoutError as error:
                raise CallTimeout(call.subject) from error
            if disturbance is not None:
                raise CallTimeout(call.subject)
            if isinstance(reply, Fault):
                raise RemoteFault(Fault.model_validate_json(_encoded(reply)))
            return call.reply.model_validate_json(_encoded(reply))

    async def signal(self, signal: Signal[M], message: M) -> None:
        if not self.connected:
            return
        hearer = self.hub.replica(signal.consumer, lambda bus: signal.name in bus.signal_handlers)
        if hearer is not None:
            handler = hearer.signal_handlers[signal.name]
            self.hub.background(handler(signal.message.model_validate_json(_encoded(message))))


def _encoded(message: Message) -> bytes:
    """The message as bytes. Raises nats.errors.MaxPayloadError when it would not fit into one NATS message."""
    body = message.model_dump_json().encode()
    if len(body) > MAX_PAYLOAD:
        raise nats.errors.MaxPayloadError
    return body
