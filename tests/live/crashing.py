"""The execution plane that kills itself once, at one point of a flow: `python -m tests.live.crashing WHEN WHAT MARK`.

`before` and `after` the commit of a transition that notes WHAT (`note:step`), or when the connector is `performing` the text WHAT. MARK is a
file: once it is there the plane is as it is, so the same command is also what a supervisor starts again.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from libs.contracts.execution import Receipt
from libs.contracts.message import Plane
from libs.runtime.plane import run
from services.execution.connectors.slack import Slack
from services.execution.flows.backend import FlowUnit, Key, Saved
from services.execution.flows.domain.run import Transition
from services.execution.flows.sql import SqlBackend
from services.execution.gate import Admitted
from tests.unit.execution.flows.declared import definitions

WHEN, WHAT, MARK = "", "", Path()


def die() -> None:
    """End as by `kill -9`: nothing is closed, nothing is said."""
    if not MARK.exists():
        MARK.touch()
        os.kill(os.getpid(), signal.SIGKILL)


class _Noting:
    def __init__(self, unit: FlowUnit) -> None:
        self._unit = unit
        self.noted: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def add(self, made: Sequence[Transition]) -> set[Key]:
        self._note(made)
        return await self._unit.add(made)

    async def save(self, saved: Sequence[Saved], now: datetime) -> None:
        self._note([one.made for one in saved])
        await self._unit.save(saved, now)

    def _note(self, made: Sequence[Transition]) -> None:
        self.noted |= {f"{revision.note}:{revision.step}" for one in made for revision in one.revisions}


class DyingBackend(SqlBackend):
    @asynccontextmanager
    async def unit(self, *tenants: UUID) -> AsyncIterator[Any]:
        async with super().unit(*tenants) as unit:
            noting = _Noting(cast(FlowUnit, unit))
            yield noting
            if WHEN == "before" and WHAT in noting.noted:
                die()
        if WHEN == "after" and WHAT in noting.noted:
            die()


class DyingSlack(Slack):
    async def perform(self, admitted: Admitted) -> Receipt:
        if WHEN == "performing" and admitted.payload.get("text") == WHAT:
            die()
        return await super().perform(admitted)


def main() -> None:
    global WHEN, WHAT, MARK
    WHEN, WHAT, MARK = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    app: Any = import_module("services.execution.app")
    app.__dict__.update(SqlBackend=DyingBackend, Slack=DyingSlack)
    app.serve.__kwdefaults__["definitions"] = definitions()
    run((Plane.EXECUTION, app.build))


if __name__ == "__main__":
    main()
