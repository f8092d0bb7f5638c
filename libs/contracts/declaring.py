"""The forms in which `subjects.py` declares what planes say to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from libs.contracts.message import Message, Plane

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)
M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Call(Generic[Q, R]):
    """A request that `plane` answers. `timeout` is in seconds and travels as a deadline.

    `hot` marks the few calls whose server side is read straight from the connection instead of through FastStream's
    middleware (docs/decisions/0003).
    """

    subject: str
    request: type[Q]
    reply: type[R]
    callers: frozenset[Plane]
    timeout: float = 5.0
    hot: bool = False

    @property
    def plane(self) -> Plane:
        return Plane(self.subject.split(".")[0])


@dataclass(frozen=True)
class Event(Generic[M]):
    """A fact that `plane` publishes from its outbox into its stream, for each plane in `consumers` at least once."""

    subject: str
    message: type[M]
    consumers: frozenset[Plane]

    @property
    def plane(self) -> Plane:
        return Plane(self.subject.split(".")[0])

    @property
    def stream(self) -> str:
        return self.plane.value.upper()

    def durable(self, consumer: Plane) -> str:
        """The name of a plane's durable consumer of this event; NATS allows no dots in it."""
        return f"{consumer.value}__{self.subject.replace('.', '_')}"


@dataclass(frozen=True)
class Signal(Generic[M]):
    """Telemetry without a stream: best effort, at most once, from any plane to `consumer`."""

    name: str
    message: type[M]
    consumer: Plane

    def subject(self, publisher: Plane) -> str:
        return f"{publisher.value}.{self.name}.v1"


@dataclass(frozen=True)
class Bucket:
    """Files too large for a message, in the bus's object store."""

    name: str
    writers: frozenset[Plane]
    readers: frozenset[Plane]
    max_bytes: int = field(default=4 * 1024**3)
