"""`dealix operations`, `slo`, `incidents`: what needs somebody now, how objectives stand, what went wrong and what was done about it."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, Json, in_language, listing, moment, named, show_items, show_one
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.terminal import Cell, plain
from dev.words import word

TONES = {
    "attention": "failed",
    "unknown": "unknown",
    "burning": "failed",
    "breached": "failed",
    "spent": "failed",
    "page": "failed",
}
PARTS = (
    Column("part", "الجزء", in_language("label")),
    Column("state", "الحالة", named("operations_state", "state", TONES)),
    Column("waiting", "ينتظر", lambda one, _: _count(one), number=True),
    Column("first of it", "أولها", lambda one, lang: _first(one, lang)),
)
OBJECTIVES = (
    Column("objective", "الهدف", "name", whole=True),
    Column("state", "الحالة", named("slo_state", "state", TONES)),
    Column("promises", "يعِد بأن", in_language()),
    Column("good", "سليم", "good", number=True),
    Column("bad", "متعثر", "bad", number=True),
    Column("budget left", "المتبقي من الهامش", lambda one, _: _share(one.get("budget_left")), number=True),
)
INCIDENTS = (
    Column("incident", "الحادث", "incident_id", whole=True),
    Column("what", "ماذا", in_language("title")),
    Column("kind", "النوع", named("incident_kind", "kind")),
    Column("urgency", "العجلة", named("incident_severity", "severity", TONES)),
    Column("began", "بدأ", moment("opened_at")),
    Column("ended", "انتهى", moment("ended_at")),
)
TIMELINE = (
    Column("when", "متى", moment("at", seconds=True)),
    Column("event", "الحدث", named("incident_entry", "kind")),
    Column("what", "ماذا", in_language()),
    Column("by", "من", "by"),
)
NO_INCIDENTS = Sentence("No incidents.", "لا حوادث.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @command(app, connect)
    def operations(here: Session) -> None:
        """What needs somebody now, from every plane; what could not be read is said, and is not well."""
        found = here.client.get("/operations")
        here.out.result(found)
        show_items(here.out, found["parts"], PARTS)

    @command(app, connect)
    def slo(here: Session) -> None:
        """How each service level objective stands, over 30 days."""
        found = here.client.get("/slo")
        here.out.result(found)
        show_items(here.out, found["items"], OBJECTIVES)

    _incidents(app, connect)


def _incidents(app: typer.Typer, connect: Connect) -> None:
    group = typer.Typer(help="Incidents and their timelines.", no_args_is_help=True)
    app.add_typer(group, name="incidents")

    @command(group, connect, "list")
    def incidents(
        here: Session,
        open: Annotated[
            bool | None, typer.Option("--open/--ended", help="Those that go on, or those that are over.")
        ] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """What the system saw and people reported, the newest first."""
        listing(here, "/incidents", INCIDENTS, NO_INCIDENTS, limit=limit, cursor=cursor, open=open)

    @command(group, connect)
    def show(
        here: Session,
        incident_id: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, as the list shows it.")],
    ) -> None:
        """One incident with its timeline."""
        _shown(here, here.client.get(f"/incidents/{incident_id}"))

    @command(group, connect)
    def report(
        here: Session,
        title: Annotated[str, typer.Argument(help="What happened.")],
        urgent: Annotated[bool, typer.Option("--urgent", help="It can't wait.")] = False,
        note: Annotated[str, typer.Option("--note", help="What else is known.")] = "",
    ) -> None:
        """Put an incident of your tenant on record."""
        body = {"title": title, "severity": "page" if urgent else "ticket", "note": note}
        _shown(here, here.client.post("/incidents", body))

    @command(group, connect)
    def note(
        here: Session,
        incident_id: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, as the list shows it.")],
        text: Annotated[str, typer.Argument(help="What was done or found.")],
        end: Annotated[bool, typer.Option("--end", help="With this it is over.")] = False,
    ) -> None:
        """Write into an incident's timeline."""
        _shown(here, here.client.post(f"/incidents/{incident_id}/notes", {"note": text, "end": end}))


def _shown(here: Session, found: Json) -> None:
    here.out.result(dict(found))
    show_one(here.out, found["incident"], INCIDENTS)
    show_items(here.out, found["timeline"], TIMELINE)


def _count(one: Json) -> str:
    return "" if one.get("count") is None else f"{one['count']}{'+' if one.get('at_least') else ''}"


def _share(value: object) -> str:
    return f"{value:.0%}" if isinstance(value, int | float) else ""


def _first(one: Json, lang: Lang) -> Cell:
    """The first things that need somebody, or why nothing is known."""
    if why := one.get("why"):
        return plain(why.get(lang))
    late = [line for line in one.get("lines") or () if line.get("state") == "attention"]
    separator = "، " if lang == "ar" else ", "
    return separator.join(dict.fromkeys(plain(line["label"][lang]) for line in late[:3])) or word(
        "operations_state", "", lang
    )
