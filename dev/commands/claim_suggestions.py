"""`dealix contradictions suggestions|confirm|dismiss`: what documents and inbound messages state, and a person's word on it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, either, listing, named
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import plain
from dev.words import word

COLUMNS = (
    Column("id", "المعرّف", "suggestion_id", whole=True),
    Column("subject", "الموضوع", "subject"),
    Column("what", "الموضوع", "key"),
    Column("value", "القيمة", lambda one, _: plain(f"{one['value']} {one['unit']}".strip())),
    Column("source", "المصدر", lambda one, _: plain(f"{one['source']} · {one['place']}")),
    Column("contradicts", "يناقض غيره", either("contradicts")),
    Column("state", "الحالة", named("suggestion_state", "state")),
)
NOTHING = Sentence("Nothing was read in texts yet.", "لم يُستخرج شيء من النصوص بعد.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the suggestion.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why.")]


def register(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to `dealix contradictions`."""

    @command(group, connect)
    def suggestions(
        here: Session,
        state: Annotated[str | None, typer.Option("--state", help="suggested, confirmed or dismissed.")] = None,
        subject: Annotated[str | None, typer.Option("--subject", help="For instance deal:ID.")] = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """What was read in texts, the newest first. Nothing of it counts before a person confirms it."""
        listing(here, "/claims/suggestions", COLUMNS, NOTHING, limit=limit, cursor=cursor, state=state, subject=subject)

    @command(group, connect)
    def confirm(here: Session, suggestion: IdArgument, reason: ReasonOption = "") -> None:
        """Make it a claim of yours, and say what it contradicts."""
        _said(here.out, here.client.post(f"/claims/suggestions/{suggestion}/confirm", {"reason": reason}))

    @command(group, connect)
    def dismiss(here: Session, suggestion: IdArgument, reason: ReasonOption = "") -> None:
        """Say that the text does not state that, or that it does not matter."""
        _said(here.out, here.client.post(f"/claims/suggestions/{suggestion}/dismiss", {"reason": reason}))


def _said(out: Output, found: dict[str, Any]) -> None:
    out.result(found)
    one, count = found["suggestion"], len(found["contradictions"])
    state = word("suggestion_state", one["state"], out.lang)
    opened = out.text(f"contradictions opened: {count}", f"تناقضات جديدة: {count}")
    out.show(f"{plain(one['subject'])} {plain(one['key'])}: {state}; {opened}")
