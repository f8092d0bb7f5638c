"""`dealix dlq`: actions that ended without their effect. List, inspect, replay, resubmit changed, discard."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from dev.commands import dead_events
from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, LimitOption, read_json_input
from dev.messages import Lang, Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import Cell, facts, plain, table, toned, when
from dev.views import actions as views
from dev.words import word

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
    @group.command("list")
    def list_(
        state: Annotated[str, typer.Option("--state", help="open, replayed, resubmitted, discarded or all.")] = "open",
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Dead letters, newest first."""
        out = output(lang, as_json)
        if state not in (*STATES, "all"):
            known = ", ".join((*STATES, "all"))
            raise BadInput(
                f"There is no state {state}; choose one of {known}.", f"لا توجد حالة {state}؛ اختر من: {known}."
            )
        with connect(out, base_url, data_dir) as client:
            items = client.items("/dead-letters", limit, state=None if state == "all" else state)
        out.result({"items": items})
        if not items:
            out.say(Sentence("No dead letters.", "لا رسائل متعذّرة."))
            return
        rows = [
            (
                plain(one["dead_letter_id"]),
                plain(one["action_type"]),
                plain(one["connector"]),
                plain(one["error"].get(out.lang)),
                str(one["attempts"]),
                toned(word("letter_state", one["state"], out.lang), one["state"]),
                when(one["arrived_at"]),
            )
            for one in items
        ]
        headings = [
            ("letter", "المعرّف"), ("type", "النوع"), ("connector", "الموصل"), ("error", "الخطأ"), ("attempts", "المحاولات"),
            ("state", "الحالة"), ("since", "منذ"),
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows, whole=[0]))

    @group.command()
    def show(
        letter_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One dead letter: its error, and its action with payload, attempts and traces."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/dead-letters/{letter_id}")
        out.result(found)
        out.show(_letter(out.lang, found["letter"]), views.in_full(out.lang, found["action"]))


def _acting(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def replay(
        letter_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Try the same action again, under the approval that it has."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            action = client.post(f"/dead-letters/{letter_id}/replay")
        out.result(action)
        follow = f"dealix actions show {plain(action.get('action_id'))}"
        out.say(Sentence(f"It is tried again: {follow}", f"أُعيدت المحاولة: {follow}"))

    @group.command()
    def resubmit(
        letter_id: IdArgument,
        payload: Annotated[
            str | None,
            typer.Option("--payload", metavar="FILE", help="JSON of the changed payload; - reads standard input."),
        ] = None,
        reason: Annotated[str | None, typer.Option("--reason", help="Why; approvers see it.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Submit it changed, as a new action, which policy and people decide anew."""
        out = output(lang, as_json)
        body: dict[str, Any] = {"reason": reason} if reason else {}
        if payload is not None:
            body["payload"] = read_json_input(payload)
            if not isinstance(body["payload"], dict):
                raise BadInput(f"{payload} holds no JSON object.", f"لا يحتوي {payload} كائن JSON.")
        with connect(out, base_url, data_dir) as client:
            letter = client.post(f"/dead-letters/{letter_id}/resubmit", body)
        out.result(letter)
        follow = f"dealix actions show {plain(letter.get('new_action_id'))}"
        out.say(Sentence(f"Submitted as a new action: {follow}", f"قُدّمت إجراءً جديدًا: {follow}"))

    @group.command()
    def discard(
        letter_id: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with the letter.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Close it for good."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            letter = client.post(f"/dead-letters/{letter_id}/discard", {"reason": reason})
        out.result(letter)
        out.say(Sentence("The dead letter is closed.", "أُغلقت الرسالة المتعذّرة."))


def _letter(lang: Lang, letter: dict[str, Any]) -> RenderableType:
    ar = lang == "ar"
    pairs: list[tuple[str, Cell]] = [
        ("الرسالة" if ar else "letter", plain(letter.get("dead_letter_id"))),
        ("الحالة" if ar else "state", toned(word("letter_state", letter.get("state"), lang), letter.get("state"))),
        ("السبب" if ar else "cause", word("letter_cause", letter.get("cause"), lang)),
        ("الخطأ" if ar else "error", plain(f"{letter['error'].get(lang)} ({letter['error'].get('code')})")),
        ("المحاولات" if ar else "attempts", json.dumps(letter.get("attempts"))),
        ("أغلقها" if ar else "closed by", plain(letter.get("ended_by"))),
        ("ملاحظة" if ar else "note", plain(letter.get("note"))),
        ("الإجراء الجديد" if ar else "new action", plain(letter.get("new_action_id"))),
    ]
    return facts([pair for pair in pairs if pair[1]])
