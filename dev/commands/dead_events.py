"""`dealix dlq events`: events that a plane could not take. List, look, hand over again, discard."""

from __future__ import annotations

import json
import uuid
from typing import Annotated

import typer

from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, listing, moment, named, show_one
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import plain

COLUMNS = (
    Column("id", "المعرّف", "dead_event_id", whole=True),
    Column("plane", "الخدمة", named("plane", "plane")),
    Column("event", "الرسالة", "subject"),
    Column("error", "الخطأ", "error"),
    Column("tries", "المحاولات", "attempts", number=True),
    Column("state", "الحالة", named("letter_state", "state")),
    Column("arrived", "وصلت", moment("arrived_at")),
)
NOTHING = Sentence(
    "No event waits here: every plane took what it was sent.", "لا رسائل هنا: استلمت كل خدمة ما أُرسل إليها."
)

ONE = (*COLUMNS, Column("trace", "التتبع", "trace_id"))
BODY = (Column("body", "المحتوى", lambda one, _: plain(json.dumps(one["body"], ensure_ascii=False))),)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the event.")]


def register(group: typer.Typer, connect: Connect) -> None:
    """Add the group beside the dead letters of actions."""
    events = typer.Typer(help="Events that a plane could not take.", no_args_is_help=True)
    group.add_typer(events, name="events")
    _looking(events, connect)
    _acting(events, connect)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(
        here: Session,
        state: Annotated[str | None, typer.Option("--state", help="open, replayed or discarded.")] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """Events that wait, your own and the system's, newest first."""
        listing(here, "/dead-events", COLUMNS, NOTHING, limit=limit, cursor=cursor, state=state)

    @command(group, connect)
    def show(here: Session, event_id: IdArgument) -> None:
        """One event; its contents are shown where they are yours alone."""
        found = here.client.get(f"/dead-events/{event_id}")
        here.out.result(found)
        show_one(here.out, found["event"], ONE)
        if found["shown"]:
            show_one(here.out, found, BODY)
        else:
            here.out.say(Sentence("Its contents are not yours alone to see, or gone.", "محتواها لا يخص منشأتك وحدها، أو مُحي."))  # fmt: skip


def _acting(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def replay(here: Session, event_id: IdArgument) -> None:
        """Hand it to its plane once more."""
        found = here.client.post(f"/dead-events/{event_id}/replay", {}, key=str(uuid.uuid4()))
        here.out.result(found)
        show_one(here.out, found, ONE)

    @command(group, connect)
    def discard(
        here: Session,
        event_id: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why; it stays with the event.")],
    ) -> None:
        """Close it for good."""
        found = here.client.post(f"/dead-events/{event_id}/discard", {"reason": reason}, key=str(uuid.uuid4()))
        here.out.result(found)
        show_one(here.out, found, ONE)
