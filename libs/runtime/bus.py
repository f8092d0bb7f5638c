"""The bus as planes see it: call, serve, on, signal. `NatsBus` is the real one; `libs.runtime.testing.MemoryBus` its in-memory twin.

Deadline, tracing, queue group and error mapping are built in. Events are not published here: a unit of work emits them and the
outbox relay publishes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import nats.errors
from faststream.nats import NatsBroker, NatsMessage
from faststream.nats.response import NatsResponse
from faststream.nats.security import NatsNKey
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from libs.contracts.errors import DealixError
from libs.contracts.message import Fault, Message, Plane
from libs.contracts.subjects import Call, Event, Signal
from libs.runtime import telemetry
from libs.runtime.asking import DEADLINE, FAULT, ask
from libs.runtime.database import SessionWork
from libs.runtime.metering import CALLS
from libs.runtime.tls import nats_tls

log = logging.getLogger(__name__)

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)
M = TypeVar("M", bound=Message)

CONCURRENT_CALLS = 64


class Bus(Protocol):
    """What a plane may do on the bus."""

    plane: Plane

    async def call(self, call: Call[Q, R], request: Q, *, timeout: float | None = None) -> R:
        """Ask, and wait for the typed reply.

        Raises CallTimeout when no readable reply arrives in time (for trust that means deny), RemoteFault for what the other
        plane answered as a Fault.
        """
        ...

    def serve(self, call: Call[Q, R], handler: Callable[[Q], Awaitable[R]]) -> None:
        """Answer a call, in this plane's queue group. Before start only."""
        ...

    def on(self, event: Event[M], handler: Callable[[SessionWork, M], Awaitable[None]]) -> None:
        """Handle an event exactly once in effect: the handler's writes and the inbox row commit together. Before start only."""
        ...

    def on_signal(self, signal: Signal[M], handler: Callable[[M], Awaitable[None]]) -> None:
        """Handle telemetry, at most once. Before start only."""
        ...

    async def signal(self, signal: Signal[M], message: M) -> None:
        """Send telemetry; lost when nobody listens."""
        ...


async def answer(
    plane: Plane, call: Call[Q, R], handler: Callable[[Q], Awaitable[R]], body: bytes, headers: dict[str, str]
) -> Message:
    """Run a handler for one raw request; every error becomes a Fault, and a request past its deadline is not worked on.

    The answer is counted under the call's subject: a refusal is an answer, and only what is our fault counts as failed.
    """
    began = time.perf_counter()
    reply = await _answer(plane, call, handler, body, headers)
    outcome = "ok" if not isinstance(reply, Fault) else "failed" if reply.status >= 500 else "refused"
    CALLS.count(call.subject, outcome, time.perf_counter() - began)
    return reply


async def _answer(
    plane: Plane, call: Call[Q, R], handler: Callable[[Q], Awaitable[R]], body: bytes, headers: dict[str, str]
) -> Message:
    if int(headers.get(DEADLINE) or 0) and int(headers[DEADLINE]) < time.time() * 1000:
        return Fault(
            code="deadline_passed",
            message="The deadline had passed.",
            message_ar="انتهت المهلة.",
            status=504,
            retryable=True,
        )
    with telemetry.span(plane, call.subject, kind=SpanKind.SERVER, parent=telemetry.extract(headers)) as span:
        try:
            request = _decode(call, body)
            if isinstance(request, Fault):
                return request
            telemetry.name_tenant(span, request)
            reply = await handler(request)
            if not isinstance(reply, call.reply):
                raise TypeError(f"{call.subject} answered with {type(reply).__name__}")
            return reply
        except DealixError as error:
            span.set_attribute("dealix.refusal", error.code)
            return error.fault()
        except Exception as error:  # a handler's mistake is its caller's answer, never the end of the subscription
            span.record_exception(error, {"exception.message": "", "exception.stacktrace": ""})
            log.exception("a handler failed", extra={"ids": {"subject": call.subject}})
            return Fault(
                code="internal",
                message="Something failed on our side.",
                message_ar="حدث خطأ من جهتنا.",
                status=500,
                retryable=True,
            )


def _decode(call: Call[Q, R], body: bytes) -> Q | Fault:
    """The request, or what is wrong with it. A ValidationError inside the handler is our fault and not the caller's."""
    try:
        return call.request.model_validate_json(body)
    except ValidationError as error:
        fields = ", ".join(".".join(str(p) for p in e["loc"]) for e in error.errors()[:5])
        return Fault(
            code="invalid_message",
            message=f"Unreadable fields: {fields}.",
            message_ar=f"حقول غير مقروءة: {fields}.",
            status=422,
        )


class NatsBus:
    """The bus over FastStream's NATS broker; nats-py below it for hot calls and durable pull consumers."""

    def __init__(self, plane: Plane, url: str, seed: str, *, ca: Path | None = None) -> None:
        """`ca` is the file of the authority that signed the server's certificate, for `tls://` addresses."""
        self.plane = plane
        self.broker = NatsBroker(
            url.split(","),
            security=NatsNKey.from_seed(seed, ssl_context=nats_tls(url, ca)),
            inbox_prefix=f"_INBOX_{plane.value}".encode(),
            max_reconnect_attempts=-1,
            # Two tenths of a second, whatever its annotation says: it is handed to asyncio.sleep.
            reconnect_time_wait=cast(int, 0.2),
            ping_interval=5,
            max_outstanding_pings=3,
            error_cb=self._on_error,
            apply_types=False,
            graceful_timeout=3,
            drain_timeout=2,
            logger=None,
        )
        self.permission_errors: list[str] = []
        self._hot: list[tuple[str, Callable[[Msg], Awaitable[None]]]] = []
        self.events: list[tuple[Event[Any], Callable[[SessionWork, Any], Awaitable[None]]]] = []
        self._slots = asyncio.Semaphore(CONCURRENT_CALLS * 4)
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: Client | None = None

    async def _on_error(self, error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            self.permission_errors.append(str(error))
            log.error("the bus refused: %s", error)

    @property
    def client(self) -> Client:
        """The nats-py connection below FastStream."""
        if self._client is None:
            raise RuntimeError("the bus has not been started")
        return self._client

    async def start(self) -> None:
        """Connect and serve.

        Raises RuntimeError when the server refuses one of this plane's subscriptions.
        """
        self._client = await self.broker.connect()
        await self.broker.start()
        for subject, callback in self._hot:
            await self.client.subscribe(subject, queue=self.plane.value, cb=callback)
        await self.client.flush()
        if self.permission_errors:
            raise RuntimeError(f"NATS refused a subscription of {self.plane.value}: {self.permission_errors[0]}")

    async def stop(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        try:
            await self.broker.stop()
        except nats.errors.Error:
            # Reconnecting just now: there is nothing to drain, and closing is all that is left.
            await self.client.close()

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    async def call(self, call: Call[Q, R], request: Q, *, timeout: float | None = None) -> R:
        return await ask(self.client, self.plane, call, request, timeout=timeout)

    def serve(self, call: Call[Q, R], handler: Callable[[Q], Awaitable[R]]) -> None:
        if call.plane is not self.plane:
            raise ValueError(f"{self.plane.value} can't answer {call.subject}")
        if call.hot:
            self._hot.append((call.subject, self._hot_callback(call, handler)))
            return

        async def handle(message: NatsMessage) -> NatsResponse:
            reply = await answer(self.plane, call, handler, message.body, dict(message.headers or {}))
            headers = {FAULT: "1"} if isinstance(reply, Fault) else {}
            return NatsResponse(reply.model_dump_json().encode(), headers=headers)

        self.broker.subscriber(call.subject, queue=self.plane.value, max_workers=CONCURRENT_CALLS, decoder=_undecoded)(
            handle
        )

    def _hot_callback(self, call: Call[Q, R], handler: Callable[[Q], Awaitable[R]]) -> Callable[[Msg], Awaitable[None]]:
        async def run(message: Msg) -> None:
            async with self._slots:
                reply = await answer(self.plane, call, handler, message.data, dict(message.headers or {}))
            if message.reply:
                headers = {FAULT: "1"} if isinstance(reply, Fault) else None
                await self.client.publish(message.reply, reply.model_dump_json().encode(), headers=headers)

        async def start(message: Msg) -> None:
            task = asyncio.create_task(run(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return start

    def on(self, event: Event[M], handler: Callable[[SessionWork, M], Awaitable[None]]) -> None:
        if self.plane not in event.consumers:
            raise ValueError(f"{event.subject} does not name {self.plane.value} as a consumer")
        self.events.append((event, handler))

    def on_signal(self, signal: Signal[M], handler: Callable[[M], Awaitable[None]]) -> None:
        async def handle(message: NatsMessage) -> None:
            try:
                await handler(signal.message.model_validate_json(message.body))
            except ValidationError:
                log.warning("unreadable signal", extra={"ids": {"signal": signal.name}})

        self.broker.subscriber(f"*.{signal.name}.v1", queue=self.plane.value, decoder=_undecoded)(handle)

    async def signal(self, signal: Signal[M], message: M) -> None:
        if self.connected:
            await self.client.publish(signal.subject(self.plane), message.model_dump_json().encode())


async def _undecoded(message: NatsMessage) -> NatsMessage:
    """Hand the raw message to the handler: contracts decode it, once."""
    return message
