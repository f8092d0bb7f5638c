"""A call as its caller makes it, over a bare NATS connection: what a process needs that asks and answers nobody."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import nats
import nats.errors
from nats.aio.client import Client
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from libs.contracts.errors import CallTimeout, RemoteFault
from libs.contracts.message import Fault, Message, Plane
from libs.contracts.subjects import Call
from libs.runtime import telemetry
from libs.runtime.settings import PlaneSettings
from libs.runtime.tls import nats_tls

log = logging.getLogger(__name__)

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)

DEADLINE = "Dealix-Deadline"
"""Header: Unix milliseconds after which nobody waits for the reply."""
FAULT = "Dealix-Fault"
"""Header of a reply whose body is a Fault."""


def deadline_ms(timeout: float) -> str:
    return str(int((time.time() + timeout) * 1000))


async def ask(client: Client, plane: Plane, call: Call[Q, R], request: Q, *, timeout: float | None = None) -> R:
    """Ask, and wait for the typed reply.

    Raises CallTimeout when no readable reply arrives in time, RemoteFault for what the other plane answered as a Fault.
    """
    wait = call.timeout if timeout is None else timeout
    with telemetry.span(plane, f"call {call.subject}", kind=SpanKind.CLIENT):
        headers = {DEADLINE: deadline_ms(wait), **telemetry.headers()}
        try:
            reply = await client.request(
                call.subject, request.model_dump_json().encode(), timeout=wait, headers=headers
            )
        except (nats.errors.TimeoutError, nats.errors.NoRespondersError, TimeoutError) as error:
            raise CallTimeout(call.subject) from error
        except (nats.errors.ConnectionClosedError, nats.errors.OutboundBufferLimitError) as error:
            raise CallTimeout(call.subject) from error
        try:
            if reply.headers and FAULT in reply.headers:
                raise RemoteFault(Fault.model_validate_json(reply.data))
            return call.reply.model_validate_json(reply.data)
        except ValidationError as error:
            log.error("unreadable reply", extra={"ids": {"subject": call.subject}})
            raise CallTimeout(call.subject) from error


class Asks(Protocol):
    """The side of a bus that asks."""

    async def call(self, call: Call[Q, R], request: Q, *, timeout: float | None = None) -> R: ...


class Asking:
    """An `Asks` for a process beside its plane's own."""

    def __init__(self, plane: Plane, client: Client) -> None:
        self.plane = plane
        self._client = client

    async def call(self, call: Call[Q, R], request: Q, *, timeout: float | None = None) -> R:
        """As the bus does it; see `ask`."""
        return await ask(self._client, self.plane, call, request, timeout=timeout)


@asynccontextmanager
async def asking(settings: PlaneSettings, plane: Plane) -> AsyncIterator[Asking]:
    """Connected as the plane, with its rights and nothing more."""
    client = await nats.connect(
        settings.nats_url.split(","),
        nkeys_seed_str=settings.nats_seed,
        tls=nats_tls(settings.nats_url, settings.nats_ca),
        inbox_prefix=f"_INBOX_{plane.value}".encode(),
    )
    try:
        yield Asking(plane, client)
    finally:
        await client.close()
