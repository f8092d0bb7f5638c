"""`dealix radar`: what we build on, what we watch, and whether its criteria hold in the running system."""

from __future__ import annotations

import typer
from rich.text import Text

from dev.commands.common import Connect
from dev.commands.listing import Column, Json, in_language, named, show_items
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.terminal import plain

ENTRIES = (
    Column("technology", "التقنية", "name", whole=True),
    Column("ring", "الحلقة", named("radar_ring", "ring")),
    Column("since", "منذ", "since"),
    Column("for", "الغرض", in_language()),
    Column("decision", "القرار", "adr"),
    Column("adopt when", "يُعتمد عندما", lambda one, lang: _criteria(one, lang)),
)
MARKS = {"met": "✓", "not_met": "✗", "unknown": "?"}


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def radar(here: Session) -> None:
        """The technology radar; ✓ a criterion that holds, ✗ one that does not, ? one that a person has to judge."""
        found = here.client.get("/radar")
        here.out.result(found)
        show_items(here.out, found["items"], ENTRIES, Sentence("The radar is empty.", "الرادار فارغ."))


def _criteria(one: Json, lang: Lang) -> Text:
    lines = []
    for criterion in one.get("adopt_when") or ():
        counted = "" if criterion.get("value") is None else f" ({criterion['value']})"
        lines.append(f"{MARKS[criterion['state']]} {plain(criterion[lang])}{counted}")
    return Text("\n".join(lines))
