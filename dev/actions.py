"""Waiting for an action over the HTTP API."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dev.client import Client

ON_THE_WAY = ("accepted", "granted", "dispatched")
"""States that an action leaves by itself."""


def settled(
    client: Client, action_id: str, seconds: float, on_the_way: Collection[str] = ON_THE_WAY, every: float = 0.2
) -> dict[str, Any]:
    """The action once it has left `on_the_way`, or as it is after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        action: dict[str, Any] = client.get(f"/actions/{action_id}")
        if action.get("state") not in on_the_way or time.monotonic() >= until:
            return action
        time.sleep(every)
