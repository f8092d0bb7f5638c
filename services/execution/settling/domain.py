"""What the action that undoes another asks for. No I/O."""

from __future__ import annotations

from typing import Any

from libs.contracts.catalogue.actions import Effect
from libs.contracts.execution import Action

MARK = "compensates:"
"""Begins the run id of an action that undoes another. The row of `compensations` is what counts: anybody may write a run id."""


def undoing(action: Action, effect: Effect) -> dict[str, Any]:
    """The payload of the action that undoes `action`: the vendor's id of what was made, and what had been asked for.

    An effect that is its own opposite is asked for the other way round: a switch goes back.
    """
    if effect.compensation == effect.name and isinstance(action.payload.get("value"), bool):
        return {**action.payload, "value": not action.payload["value"]}
    return {
        "compensates": str(action.action_id),
        "vendor_id": action.receipt.vendor_id if action.receipt else "",
        "connector_mode": action.receipt.mode if action.receipt else "",
        "original": action.payload,
    }
