"""`dealix sequences`: several messages to one contact, approved one by one or all at once."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption, read_json_input
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import facts, plain, table, when

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the sequence.")]
APPROVAL = {"each": ("each message", "لكل رسالة"), "whole": ("the whole sequence", "للسلسلة كاملة")}
WHY = ("replied", "withdrawn", "suppressed", "stage_changed")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Sequences of messages to one contact: start, follow, stop.", no_args_is_help=True)
    app.add_typer(group, name="sequences")
    _starting(group, connect)
    _looking(group, connect)


def _starting(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def start(
        contact_id: Annotated[str, typer.Argument(metavar="CONTACT", help="Id of the contact.")],
        file: Annotated[str, typer.Option("--messages", metavar="FILE", help="JSON list of {channel, payload, after_business_hours}.")],
        whole: Annotated[bool, typer.Option("--whole", help="One approval over all messages, exactly as they are.")] = False,
        days: Annotated[int, typer.Option("--good-for-days", min=1, max=90, help="How long that approval holds.")] = 30,
        deal_id: Annotated[str | None, typer.Option("--deal", help="Another stage of this deal ends the sequence.")] = None,
        key: Annotated[str | None, typer.Option("--idempotency-key", help="The same key gives the same sequence.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Start a sequence. Nothing is sent before people have approved it."""
        out = output(lang, as_json)
        body = {
            "contact_id": contact_id, "messages": read_json_input(file), "approval": "whole" if whole else "each",
            "good_for_days": days, **({"deal_id": deal_id} if deal_id else {}),
        }  # fmt: skip
        with connect(out, base_url, data_dir) as client:
            found = client.post("/sequences", body, key=key or str(uuid.uuid4()))
        out.result(found)
        _sequence(out, found)

    @group.command()
    def stop(
        sequence_id: IdArgument,
        why: Annotated[str, typer.Option("--why", help=f"One of: {', '.join(WHY)}.")] = "replied",
        note: Annotated[str, typer.Option("--note", help="It stays in the history.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """End a sequence; what waits for approval is withdrawn."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/sequences/{sequence_id}/stop", {"why": why, "note": note}, key=str(uuid.uuid4()))
        out.result(found)
        _sequence(out, found)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def list_(
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Sequences, newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.items("/sequences", limit)
        out.result({"items": found})
        headings = [
            ("id", "المعرّف"),
            ("status", "الحالة"),
            ("approval", "الموافقة"),
            ("sent", "أُرسل"),
            ("changed", "آخر تغيّر"),
        ]
        rows = [
            (one["flow_id"], _outcome(one), _approval(out, one), f"{one['state']['sent']}/{len(one['state']['messages'])}", when(one["updated_at"]))
            for one in found
        ]  # fmt: skip
        if rows:
            out.show(table(out.lang, headings, rows, whole=(0,)))
        else:
            out.say(Sentence("No sequences.", "لا توجد سلاسل."))


def _sequence(out: Output, one: dict[str, Any]) -> None:
    shown = [
        (("id", "المعرّف"), plain(one["flow_id"])), (("status", "الحالة"), plain(_outcome(one))),
        (("approval", "الموافقة"), plain(_approval(out, one))),
        (("sent", "أُرسل"), plain(f"{one['state']['sent']}/{len(one['state']['messages'])}")),
    ]  # fmt: skip
    out.show(facts([(ar if out.lang == "ar" else en, value) for (en, ar), value in shown]))


def _approval(out: Output, one: dict[str, Any]) -> str:
    en, ar = APPROVAL[one["state"].get("approval", "each")]
    return ar if out.lang == "ar" else en


def _outcome(one: dict[str, Any]) -> str:
    return f"{one['status']}: {one['outcome']}" if one["outcome"] else str(one["status"])
