"""`dealix dlq events`: events that a plane could not take. List, look, hand over again, discard."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import facts, plain, table, toned, when
from dev.words import word

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the event.")]


def register(group: typer.Typer, connect: Connect) -> None:
    """Add the group beside the dead letters of actions."""
    events = typer.Typer(help="Events that a plane could not take.", no_args_is_help=True)
    group.add_typer(events, name="events")
    _looking(events, connect)
    _acting(events, connect)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def list_(
        state: Annotated[str | None, typer.Option("--state", help="open, replayed or discarded.")] = None,
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Your own and the system's, newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.items("/dead-events", limit, state=state)
        out.result({"items": found})
        headings = [
            ("id", "المعرّف"),
            ("plane", "الطبقة"),
            ("event", "الرسالة"),
            ("error", "الخطأ"),
            ("tries", "المحاولات"),
            ("state", "الحالة"),
            ("arrived", "وصلت"),
        ]
        rows = [
            (
                plain(one["dead_event_id"]), word("plane", one["plane"], out.lang), plain(one["subject"]), plain(one["error"]), str(one["attempts"]),
                toned(word("letter_state", one["state"], out.lang), one["state"]), when(one["arrived_at"]),
            )
            for one in found
        ]  # fmt: skip
        if rows:
            out.show(table(out.lang, headings, rows, whole=(0,)))
        else:
            out.say(Sentence("Every event was taken.", "استُلمت كل الرسائل الداخلية."))

    @group.command()
    def show(
        event_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One event, with what it says where it is yours alone."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/dead-events/{event_id}")
        out.result(found)
        _event(out, found["event"])
        if found["shown"]:
            out.show(
                facts(
                    [("body" if out.lang == "en" else "المحتوى", plain(json.dumps(found["body"], ensure_ascii=False)))]
                )
            )
        else:
            out.say(Sentence("Its contents are not yours alone to see, or gone.", "محتواها لا يخص منشأتك وحدها، أو مُحي."))  # fmt: skip


def _acting(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def replay(
        event_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Hand it to its plane once more."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/dead-events/{event_id}/replay", {}, key=str(uuid.uuid4()))
        out.result(found)
        _event(out, found)

    @group.command()
    def discard(
        event_id: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why; it stays with the event.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Close it for good."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/dead-events/{event_id}/discard", {"reason": reason}, key=str(uuid.uuid4()))
        out.result(found)
        _event(out, found)


def _event(out: Output, one: dict[str, Any]) -> None:
    shown = [
        (("id", "المعرّف"), plain(one["dead_event_id"])), (("plane", "الطبقة"), word("plane", one["plane"], out.lang)),
        (("event", "الرسالة"), plain(one["subject"])), (("error", "الخطأ"), plain(one["error"])),
        (("state", "الحالة"), word("letter_state", one["state"], out.lang)), (("trace", "التتبع"), plain(one["trace_id"])),
    ]  # fmt: skip
    out.show(facts([(ar if out.lang == "ar" else en, value) for (en, ar), value in shown if str(value)]))
