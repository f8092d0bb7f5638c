"""The forms in which `subjects.py` declares what planes say to each other."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

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


# Which plane may call which at all; every Call must stay inside. The table of architecture.md, "Interaction rules".
MAY_CALL: dict[Plane, frozenset[Plane]] = {
    Plane.GATEWAY: frozenset(set(Plane) - {Plane.GATEWAY}),
    Plane.DECISION: frozenset({Plane.DATA, Plane.TRUST, Plane.EXECUTION}),
    Plane.EXECUTION: frozenset({Plane.TRUST, Plane.DECISION, Plane.DATA}),
    Plane.DATA: frozenset({Plane.TRUST, Plane.DECISION}),
    Plane.TRUST: frozenset({Plane.DATA, Plane.EXECUTION, Plane.OPERATING}),
    Plane.OPERATING: frozenset(set(Plane) - {Plane.OPERATING}),
}

_CALL = re.compile(r"^(decision|execution|trust|data|operating|gateway)\.[a-z_]+\.v[0-9]+$")
_EVENT = re.compile(r"^(decision|execution|trust|data|operating|gateway)\.[a-z_]+(ed|sent|spans)\.v[0-9]+$")


def by(*planes: Plane) -> frozenset[Plane]:
    """Callers of a call. Gateway and operating may call every plane."""
    return frozenset({*planes, Plane.GATEWAY, Plane.OPERATING})


def check(calls: Collection[Call[Any, Any]], events: Collection[Event[Any]]) -> None:
    """Refuse declarations that break a naming or interaction rule. Raises ValueError with the first that does."""
    subjects = [c.subject for c in calls] + [e.subject for e in events]
    if len(subjects) != len(set(subjects)):
        raise ValueError("a subject is declared twice")
    for call in calls:
        if not _CALL.match(call.subject):
            raise ValueError(f"{call.subject} is not <plane>.<verb>.v<n>")
        for caller in call.callers - {call.plane}:
            if call.plane not in MAY_CALL[caller] and not call.subject.endswith(".ping.v1"):
                raise ValueError(f"{caller.value} may not call {call.subject}")
    for event in events:
        if not _EVENT.match(event.subject):
            raise ValueError(f"{event.subject} is not <plane>.<noun>_<past>.v<n>")
