"""The NATS accounts and streams, generated from `subjects.py`: a plane may say and hear what its declarations say, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import nkeys

from libs.contracts.message import Plane
from libs.contracts.subjects import BUCKETS, CALLS, EVENTS, SIGNALS

DLQ_STREAM = "DLQ"
DLQ_DURABLE = "operating__dlq"
"""The one reader of what planes gave up on."""


@dataclass(frozen=True)
class Permissions:
    """What one plane's NATS user may publish and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def permissions(plane: Plane) -> Permissions:
    """Derive a plane's permissions. Subscriptions to calls name the queue group: without it the server refuses."""
    publish = {call.subject for call in CALLS if plane in call.callers}
    subscribe = {f"_INBOX_{plane.value}.>"}
    subscribe |= {f"{call.subject} {plane.value}" for call in CALLS if call.plane is plane}
    for event in EVENTS:
        if event.plane is plane:
            publish.add(event.subject)
        if plane in event.consumers:
            durable = event.durable(plane)
            publish.add(f"$JS.API.CONSUMER.MSG.NEXT.{event.stream}.{durable}")
            publish.add(f"$JS.ACK.{event.stream}.{durable}.>")
    for signal in SIGNALS:
        publish.add(signal.subject(plane))
        if signal.consumer is plane:
            subscribe.add(f"*.{signal.name}.v1 {plane.value}")
    for bucket in BUCKETS:
        stream = f"OBJ_{bucket.name}"
        if plane in bucket.writers | bucket.readers:
            publish |= {
                f"$JS.API.STREAM.INFO.{stream}",
                f"$JS.API.DIRECT.GET.{stream}.>",
                f"$JS.API.STREAM.MSG.GET.{stream}",
            }
        if plane in bucket.writers:
            publish |= {f"$O.{bucket.name}.C.>", f"$O.{bucket.name}.M.>", f"$JS.API.STREAM.PURGE.{stream}"}
        if plane in bucket.readers:
            publish |= {f"$JS.API.CONSUMER.CREATE.{stream}.>", f"$JS.API.CONSUMER.CREATE.{stream}"}
            publish |= {f"$JS.API.CONSUMER.DELETE.{stream}.>", "$JS.FC.>", f"$JS.API.STREAM.PURGE.{stream}"}
            # What was read is overwritten where it lies, which a purge does not do.
            publish.add(f"$JS.API.STREAM.MSG.DELETE.{stream}")
            # The client finds the stream of its chunks by subject.
            publish |= {f"$O.{bucket.name}.M.>", "$JS.API.STREAM.NAMES"}
    publish.add(f"dlq.{plane.value}.>")
    if plane is Plane.OPERATING:
        publish |= {f"$JS.API.CONSUMER.MSG.NEXT.{DLQ_STREAM}.{DLQ_DURABLE}", f"$JS.ACK.{DLQ_STREAM}.{DLQ_DURABLE}.>"}
    return Permissions(tuple(sorted(publish)), tuple(sorted(subscribe)))


def public_key(seed: str) -> str:
    """The public NKEY (`U…`) of a user seed (`SU…`)."""
    return str(nkeys.from_seed(bytearray(seed.encode())).public_key.decode())


def authorization(public_keys: Mapping[str, str]) -> str:
    """The `authorization` block for nats-server: one NKEY user a plane, and `migrator`, which alone creates streams.

    `public_keys` maps plane names and `migrator` to public NKEYs.
    """
    users: list[dict[str, object]] = [
        {"nkey": public_keys["migrator"], "permissions": {"publish": ">", "subscribe": ">"}}
    ]
    for plane in Plane:
        allowed = permissions(plane)
        users.append(
            {
                "nkey": public_keys[plane.value],
                "permissions": {
                    "publish": {"allow": list(allowed.publish)},
                    "subscribe": {"allow": list(allowed.subscribe)},
                    "allow_responses": {"max": 1, "expires": "60s"},
                },
            }
        )
    return f"authorization: {json.dumps({'users': users}, indent=1)}\n"


def streams() -> dict[str, list[str]]:
    """Each stream's subjects: a plane's events in a stream of the plane's name."""
    out: dict[str, list[str]] = {}
    for event in EVENTS:
        out.setdefault(event.stream, []).append(event.subject)
    return {name: sorted(subjects) for name, subjects in sorted(out.items())}
