"""What one look at the planes makes of the stretches seen so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.operating import PlaneHealth
from services.operating.domain.health import DOWN, UNKNOWN


@dataclass(frozen=True, slots=True)
class Watch:
    """A stretch of time. `planes` did not answer at its last look."""

    watch_id: UUID
    since: datetime
    seen_at: datetime
    answering: bool
    planes: tuple[str, ...] = ()


def silent(planes: Sequence[PlaneHealth]) -> tuple[str, ...]:
    """The planes that do not answer: silent for three heartbeats, or with no replica that is well."""
    return tuple(one.plane.value for one in planes if one.status in (UNKNOWN, DOWN))


def look(
    last: Watch | None, planes: tuple[str, ...], now: datetime, *, gap: timedelta, ids: tuple[UUID, UUID]
) -> tuple[Watch, ...]:
    """The stretches to keep after a look: the last one grown, or begun anew. Nobody looking for longer than `gap` is a stretch of its
    own in which not all answered: this plane did not. Without a last one the first look begins at zero length."""
    answering = not planes
    if last is None:
        return (Watch(ids[0], now, now, answering, planes),)
    if now <= last.seen_at:
        return ()
    if now - last.seen_at > gap:
        missed = (
            replace(last, seen_at=now)
            if not last.answering
            else Watch(ids[0], last.seen_at, now, False, ("operating",))
        )
        return (missed,) if not answering else (missed, Watch(ids[1], now, now, True))
    if last.answering == answering:
        return (replace(last, seen_at=now, planes=planes or last.planes),)
    # The time since the last look counts as what was found now: an outage begins when it could first have.
    return (Watch(ids[0], last.seen_at, now, answering, planes),)
