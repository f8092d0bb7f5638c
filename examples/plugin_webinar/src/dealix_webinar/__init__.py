"""Webinar rooms and attendance, as a plugin of Dealix."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from dealix_webinar.rooms import Rooms
from services.execution.plugins.api import HookPoint, Plugin, Seen, Veto

log = logging.getLogger(__name__)

MOST_SEATS = 500


async def score(_: UUID, payload: dict[str, Any]) -> dict[str, Any]:
    """The share of a webinar's invited people who came, in percent."""
    invited, came = int(payload.get("invited", 0)), int(payload.get("came", 0))
    return {"attendance_percent": round(100 * came / invited) if invited else None}


async def seats(seen: Seen) -> Veto | None:
    """No room beyond what the licence allows: nobody needs to be asked about it."""
    if seen.action_type == "webinar_open_room" and int(seen.payload.get("seats", 0)) > MOST_SEATS:
        return Veto(
            "too_many_seats",
            f"A webinar room has at most {MOST_SEATS} seats.",
            f"لا تتسع قاعة الندوة لأكثر من {MOST_SEATS} مقعد.",
        )
    return None


async def heard(seen: Seen) -> None:
    """Ids and states only: payloads hold people's data."""
    log.info("webinar: %s is %s", seen.action_id, seen.outcome)


plugin = Plugin(
    handlers={"webinar_score": score},
    connectors=(Rooms,),
    hooks={HookPoint.BEFORE_AUTHORIZE: seats, HookPoint.AFTER_OUTCOME: heard},
)
