"""A flow for measuring: it sleeps until a moment that its input names, and ends."""

from __future__ import annotations

from datetime import UTC, datetime

from services.execution.flows.domain.definition import Definitions, Flow, Typed
from services.execution.flows.domain.steps import checkpoint, sleep


class Until(Typed):
    """Unix seconds."""

    until: float


class Nap(Flow[Until], name="nap", version=1):
    input, state = Until, Until
    steps = (
        sleep("nap", lambda state: datetime.fromtimestamp(state.until, UTC)),
        checkpoint("awake"),
    )


DEFINITIONS = Definitions((Nap,))
