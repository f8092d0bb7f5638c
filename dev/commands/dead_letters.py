"""`dealix dlq`: actions that ended without their effect. List, inspect, replay, resubmit changed, discard."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands import dead_events
from dev.commands.common import BadInput, Connect, LimitOption, read_object
from dev.commands.listing import Column, CursorOption, in_language, listing, moment, named, show_one
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import plain
from dev.views import actions as views

COLUMNS = (
    Column("letter", "المعرّف", "dead_letter_id", whole=True),
    Column("type", "النوع", "action_type"),
    Column("connector", "الموصل", "connector"),
    Column("error", "الخطأ", in_language("error")),
    Column("attempts", "المحاولات", "attempts", number=True),
    Column("state", "الحالة", named("letter_state", "state")),
    Column("since", "منذ", moment("arrived_at")),
)
ONE = (
    Column("letter", "الرسالة", "dead_letter_id"),
    Column("state", "الحالة", named("letter_state", "state")),
    Column("cause", "السبب", named("letter_cause", "cause")),
    Column("error", "الخطأ", lambda one, lang: plain(f"{one['error'].get(lang)} ({one['error'].get('code')})")),
    Column("attempts", "المحاولات", "attempts"),
    Column("closed by", "أغلقها", "ended_by"),
    Column("note", "ملاحظة", "note"),
    Column("new action", "الإجراء الجديد", "new_action_id"),
)
NOTHING = Sentence("No dead letters.", "لا رسائل متعذّرة.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the dead letter.")]
STATES = ("open", "replayed", "resubmitted", "discarded")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Dead letters: list, show, replay, resubmit, discard.", no_args_is_help=True)
    app.add_typer(group, name="dlq")
    _looking(group, connect)
    _acting(group, connect)
    dead_events.register(group, connect)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(
        here: Session,
        state: Annotated[str, typer.Option("--state", help="open, replayed, resubmitted, discarded or all.")] = "open",
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """Dead letters, newest first."""
        if state not in (*STATES, "all"):
            known = ", ".join((*STATES, "all"))
            raise BadInput(
                f"There is no state {state}; choose one of {known}.", f"لا توجد حالة {state}؛ اختر من: {known}."
            )
        wanted = None if state == "all" else state
        listing(here, "/dead-letters", COLUMNS, NOTHING, limit=limit, cursor=cursor, state=wanted)

    @command(group, connect)
    def show(here: Session, letter_id: IdArgument) -> None:
        """One dead letter: its error, and its action with payload, attempts and traces."""
        found = here.client.get(f"/dead-letters/{letter_id}")
        here.out.result(found)
        show_one(here.out, found["letter"], ONE)
        here.out.show(views.in_full(here.out.lang, found["action"]))


def _acting(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def replay(here: Session, letter_id: IdArgument) -> None:
        """Try the same action again, under the approval that it has."""
        action = here.client.post(f"/dead-letters/{letter_id}/replay")
        here.out.result(action)
        follow = f"dealix actions show {plain(action.get('action_id'))}"
        here.out.say(Sentence(f"It is tried again: {follow}", f"أُعيدت المحاولة: {follow}"))

    @command(group, connect)
    def resubmit(
        here: Session,
        letter_id: IdArgument,
        payload: Annotated[
            str | None,
            typer.Option("--payload", metavar="FILE", help="JSON of the changed payload; - reads standard input."),
        ] = None,
        reason: Annotated[str | None, typer.Option("--reason", help="Why; approvers see it.")] = None,
    ) -> None:
        """Submit it changed, as a new action, which policy and people decide anew."""
        body: dict[str, Any] = {"reason": reason} if reason else {}
        if payload is not None:
            body["payload"] = read_object(payload)
        letter = here.client.post(f"/dead-letters/{letter_id}/resubmit", body)
        here.out.result(letter)
        follow = f"dealix actions show {plain(letter.get('new_action_id'))}"
        here.out.say(Sentence(f"Submitted as a new action: {follow}", f"قُدّمت إجراءً جديدًا: {follow}"))

    @command(group, connect)
    def discard(
        here: Session,
        letter_id: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with the letter.")],
    ) -> None:
        """Close it for good."""
        letter = here.client.post(f"/dead-letters/{letter_id}/discard", {"reason": reason})
        here.out.result(letter)
        here.out.say(Sentence("The dead letter is closed.", "أُغلقت الرسالة المتعذّرة."))
