"""`dealix sequences`: several messages to one contact, approved one by one or all at once."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from dev.commands.common import Connect, LimitOption, read_json_input
from dev.commands.listing import Column, CursorOption, Json, listing, moment, show_one
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.terminal import plain
from dev.words import word

COLUMNS = (
    Column("id", "المعرّف", "flow_id", whole=True),
    Column("status", "الحالة", lambda one, lang: plain(_outcome(one, lang))),
    Column("approval", "الموافقة", lambda one, lang: _approval(one, lang)),
    Column("sent", "أُرسل", lambda one, _: _sent(one)),
    Column("changed", "آخر تغيّر", moment("updated_at")),
)
NOTHING = Sentence("No sequences.", "لا توجد سلاسل.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the sequence.")]
WHY = ("replied", "withdrawn", "suppressed", "stage_changed")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Sequences of messages to one contact: start, follow, stop.", no_args_is_help=True)
    app.add_typer(group, name="sequences")
    _starting(group, connect)
    _looking(group, connect)


def _starting(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def start(
        here: Session,
        contact_id: Annotated[str, typer.Argument(metavar="CONTACT", help="Id of the contact.")],
        file: Annotated[str, typer.Option("--messages", metavar="FILE", help="JSON list of {channel, payload, after_business_hours}.")],
        whole: Annotated[bool, typer.Option("--whole", help="One approval over all messages, exactly as they are.")] = False,
        days: Annotated[int, typer.Option("--good-for-days", min=1, max=90, help="How long that approval holds.")] = 30,
        deal_id: Annotated[str | None, typer.Option("--deal", help="Another stage of this deal ends the sequence.")] = None,
        key: Annotated[str | None, typer.Option("--idempotency-key", help="The same key gives the same sequence.")] = None,
    ) -> None:  # fmt: skip
        """Start a sequence. Nothing is sent before people have approved it."""
        body = {
            "contact_id": contact_id, "messages": read_json_input(file), "approval": "whole" if whole else "each",
            "good_for_days": days, **({"deal_id": deal_id} if deal_id else {}),
        }  # fmt: skip
        found = here.client.post("/sequences", body, key=key or str(uuid.uuid4()))
        here.out.result(found)
        show_one(here.out, found, COLUMNS)

    @command(group, connect)
    def stop(
        here: Session,
        sequence_id: IdArgument,
        why: Annotated[str, typer.Option("--why", help=f"One of: {', '.join(WHY)}.")] = "replied",
        note: Annotated[str, typer.Option("--note", help="It stays in the history.")] = "",
    ) -> None:
        """End a sequence; what waits for approval is withdrawn."""
        found = here.client.post(f"/sequences/{sequence_id}/stop", {"why": why, "note": note}, key=str(uuid.uuid4()))
        here.out.result(found)
        show_one(here.out, found, COLUMNS)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(here: Session, limit: LimitOption = 50, cursor: CursorOption = None) -> None:
        """Sequences, newest first."""
        listing(here, "/sequences", COLUMNS, NOTHING, limit=limit, cursor=cursor)


def _approval(one: Json, lang: Lang) -> str:
    return word("sequence_approval", one["state"].get("approval", "each"), lang)


def _sent(one: Json) -> str:
    return f"{one['state']['sent']}/{len(one['state']['messages'])}"


def _outcome(one: Json, lang: Lang) -> str:
    status = word("flow_status", one["status"], lang)
    return f"{status}: {word('sequence_outcome', one['outcome'], lang)}" if one["outcome"] else status
