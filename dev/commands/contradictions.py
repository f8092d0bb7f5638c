"""`dealix contradictions list/show/acknowledge/resolve/claim`: what is said of a subject, and what of it can't both hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from dev.commands import claim_suggestions
from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, listing, named, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import facts, plain, when
from dev.words import word

COLUMNS = (
    Column("id", "المعرّف", "contradiction_id", whole=True),
    Column("subject", "الموضوع", "subject"),
    Column("what", "الموضوع", lambda one, _: plain(one["claims"][0]["key"])),
    Column("one", "الأول", lambda one, _: _value(one["claims"][0])),
    Column("other", "الثاني", lambda one, _: _value(one["claims"][1])),
    Column("state", "الحالة", named("contradiction_state", "state")),
)
NOTHING = Sentence("No claims contradict one another.", "لا ادعاءات متناقضة.")
CLAIMS = (
    Column("claim", "الادعاء", "claim_id", whole=True),
    Column("value", "القيمة", lambda one, _: _value(one)),
    Column("source", "المصدر", "source"),
    Column("by", "سجّله", "recorded_by"),
    Column("standing", "حاله", named("claim_standing", "standing")),
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the contradiction.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Claims that contradict one another.", no_args_is_help=True)
    app.add_typer(group, name="contradictions")
    _reading(group, connect)
    _deciding(group, connect)
    claim_suggestions.register(group, connect)


def _reading(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def listed(
        here: Session,
        state: Annotated[str | None, typer.Option("--state", help="open, acknowledged, resolved or accepted.")] = None,
        subject: Annotated[str | None, typer.Option("--subject", help="For instance deal:ID.")] = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """Contradictions, the newest first."""
        listing(here, "/contradictions", COLUMNS, NOTHING, limit=limit, cursor=cursor, state=state, subject=subject)

    @command(group, connect)
    def show(here: Session, contradiction: IdArgument) -> None:
        """One contradiction: both claims, who says them, since when, and what was decided."""
        _show(here.out, here.client.get(f"/contradictions/{contradiction}"))


def _deciding(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def acknowledge(here: Session, contradiction: IdArgument) -> None:
        """Say that somebody looks into it; what concerns it goes on waiting."""
        _show(here.out, here.client.post(f"/contradictions/{contradiction}/acknowledge", {}))

    @command(group, connect)
    def resolve(
        here: Session,
        contradiction: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why, in at least 10 characters.")],
        standing: Annotated[str | None, typer.Option("--standing", metavar="CLAIM", help="The claim that stands; without it both are accepted.")] = None,
    ) -> None:  # fmt: skip
        """Decide which claim stands, or accept both."""
        body = {"reason": reason, **({"standing_claim_id": standing} if standing else {})}
        _show(here.out, here.client.post(f"/contradictions/{contradiction}/resolve", body))

    @command(group, connect)
    def claim(
        here: Session,
        subject: Annotated[str, typer.Argument(help="What it is about, for instance product:crm.")],
        key: Annotated[str, typer.Argument(help="What is claimed, for instance price.")],
        value: Annotated[str, typer.Argument(help="The value.")],
        source: Annotated[str, typer.Option("--source", help="Who or what says so.")],
        unit: Annotated[
            str, typer.Option("--unit", help="Unit of a number (default: the first that its kind has).")
        ] = "",
    ) -> None:
        """Record a claim, and say what it contradicts."""
        body = {"subject": subject, "key": key, "value": value, "unit": unit, "source": source}
        found = here.client.post("/claims", body)
        here.out.result(found)
        count = len(found["contradictions"])
        here.out.say(Sentence(f"Recorded; contradictions opened: {count}.", f"سُجّل. تناقضات جديدة: {count}."))
        for one in found["contradictions"]:
            _show(here.out, one, again=True)


def _show(out: Output, one: dict[str, Any], *, again: bool = False) -> None:
    if not again:
        out.result(one)
    rows = [
        (out.text("contradiction", "التناقض"), plain(one["contradiction_id"])), (out.text("subject", "الموضوع"), plain(one["subject"])),
        (out.text("kind", "النوع"), f"{one['kind']} · {one['severity']}"), (out.text("state", "الحالة"), word("contradiction_state", one["state"], out.lang)),
    ]  # fmt: skip
    if one["decided_by"]:
        rows.append((out.text("decided", "حسمه"), f"{plain(one['decided_by'])} · {when(one['decided_at'])}"))
        rows.append((out.text("why", "السبب"), plain(one["reason"])))
    out.show(facts(rows))
    show_items(out, one["claims"], CLAIMS)


def _value(claim: Mapping[str, Any]) -> str:
    return plain(f"{claim['value']} {claim['unit']}".strip())
