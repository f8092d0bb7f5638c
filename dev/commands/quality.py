"""`dealix quality`: what the checks of data quality found."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import Connect
from dev.commands.listing import Column, Json, in_language, named, show_items
from dev.commands.session import Session, command

COLUMNS = (
    Column("check", "الفحص", in_language()),
    Column("state", "الحالة", named("quality_state", "state", {"below": "blocked"})),
    Column("right", "السليم", lambda one, _: _share(one), number=True),
    Column("goal", "المستهدف", lambda one, _: f"{one['goal']:.0%}", number=True),
    Column("failed of rows", "المخالف من الصفوف", lambda one, _: _counted(one)),
)


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def quality(
        here: Session, now: Annotated[bool, typer.Option("--now", help="Look at the rows anew first.")] = False
    ) -> None:
        """How complete, valid and fresh the tenant's rows are, how many are duplicates, and whether their source is known."""
        found = here.client.post("/data-quality/run", {}) if now else here.client.get("/data-quality")
        here.out.result(found)
        show_items(here.out, found["items"], COLUMNS)


def _share(one: Json) -> str:
    latest = one["latest"]
    return "–" if latest is None or latest["share"] is None else f"{latest['share']:.1%}"


def _counted(one: Json) -> str:
    latest = one["latest"]
    return "–" if latest is None else f"{latest['failed']} / {latest['rows']}"
