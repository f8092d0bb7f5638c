"""`dealix inbox`: what waits for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from dev.commands.common import Connect
from dev.commands.listing import Column, CursorOption, listing, moment, named
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.terminal import Cell, plain, toned
from dev.words import word


def _titled(one: Mapping[str, Any], lang: Lang) -> Cell:
    what = (one.get("what") or {}).get(lang)
    who = one.get("account_name")
    return plain(": ".join(part for part in (what, who, one["title"]) if part))


def _clock(one: Mapping[str, Any], lang: Lang) -> Cell:
    late = "late" if one["late"] else "in_time"
    return toned(word("clock", late, lang), "high" if one["late"] else "low")


ITEMS = (
    Column("what", "النوع", named("inbox_kind", "kind")),
    Column("title", "الموضوع", _titled),
    Column("due", "الموعد", moment("due_at")),
    Column("", "", _clock),
    Column("for", "المكلَّف", "assignee"),
    Column("id", "المعرّف", "id", whole=True),
)
NOTHING = Sentence("Nothing waits for you.", "لا شيء ينتظرك.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def inbox(
        here: Session,
        kind: Annotated[str | None, typer.Option(help="message, approval, task or ticket.")] = None,
        team: Annotated[bool, typer.Option("--team", help="Everybody's, not only yours.")] = False,
        limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
        cursor: CursorOption = None,
    ) -> None:
        """What waits for you: messages, approvals, tasks that are due, tickets near their clock."""
        scope = "team" if team else None
        listing(here, "/inbox", ITEMS, NOTHING, limit=limit, cursor=cursor, kind=kind, scope=scope)
