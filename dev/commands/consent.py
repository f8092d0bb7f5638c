"""`dealix consents` and `dealix suppressions`: what people agreed to, and whom nobody writes to again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dev.commands.common import (
    BadInput,
    BaseUrlOption,
    Connect,
    DataDirOption,
    LimitOption,
    read_json_input,
    write_bytes,
)
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table, when


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the groups to the application."""
    group = typer.Typer(help="What people agreed to, with the proof of it.", no_args_is_help=True)
    app.add_typer(group, name="consents")
    _reading(group, connect)
    _changing(group, connect)
    stops = typer.Typer(help="Whom nobody writes to again.", no_args_is_help=True)
    app.add_typer(stops, name="suppressions")
    _suppressions(stops, connect)


def _reading(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def list_(
        contact: Annotated[str | None, typer.Option("--contact", metavar="ID", help="Only this contact's.")] = None,
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Consents on record."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.items("/consents", limit, contact_id=contact)
        out.result({"items": found})
        _table(out, found)

    @group.command()
    def proof(
        consent_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the consent.")],
        file: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write the proof.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Export the proof of one consent: record, ledger entries, inclusion proofs, checkpoint."""
        import json

        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/consents/{consent_id}/proof")
        if file is not None:
            write_bytes(file, json.dumps(found, ensure_ascii=False, indent=2).encode())
        out.result(found)
        count = len(found["proofs"])
        out.say(Sentence(f"{count} ledger entries prove it.", f"يثبتها {count} من قيود دفتر الإثبات."))


def _changing(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def record(
        file: Annotated[str, typer.Argument(metavar="FILE", help="JSON list of consents; - reads standard input.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Record consents, all or none; each names its evidence and the notice it was given under."""
        out = output(lang, as_json)
        given: Any = read_json_input(file)
        if not isinstance(given, list):
            raise BadInput("The file holds a JSON list of consents.", "يحتوي الملف قائمة JSON من الموافقات.")
        with connect(out, base_url, data_dir) as client:
            done = client.post("/consents", {"items": given})
        out.result(done)
        out.say(Sentence(f"{len(given)} consents recorded.", f"سُجّلت {len(given)} من الموافقات."))

    @group.command()
    def withdraw(
        contact: Annotated[str, typer.Option("--contact", metavar="ID", help="The contact.")],
        channel: Annotated[str | None, typer.Option("--channel", help="One channel; without it, all.")] = None,
        reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Withdraw a person's consent; what waits for them ends at once."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            done = client.post("/consents/withdraw", {"contact_id": contact, "channel": channel, "reason": reason})
        out.result(done)
        out.say(Sentence("Withdrawn; nothing that waited is sent.", "سُحبت الموافقة، ولن يُرسل ما كان ينتظر."))


def _suppressions(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def list_(
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The do-not-contact list. Entries are keyed hashes: nobody can read whom they are about."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.items("/suppressions", limit)
        out.result({"items": found})
        headings = [("entry", "القيد"), ("reason", "السبب"), ("by", "من"), ("time", "الوقت")]
        rows = [[plain(s["name"]), plain(s["reason"]), plain(s["actor"]), when(s["at"])] for s in found]
        out.show(table(out.lang, headings, rows, whole=[0]))

    @group.command()
    def add(
        identifier: Annotated[str, typer.Argument(help="E-mail address or phone number.")],
        reason: Annotated[str, typer.Option("--reason", help="Why.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Never contact this address or number again."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            done = client.post("/suppressions", {"identifier": identifier, "reason": reason})
        out.result(done)
        out.say(Sentence("On the list.", "أُضيف إلى القائمة."))


def _table(out: Output, found: list[dict[str, Any]]) -> None:
    headings = [
        ("consent", "الموافقة"), ("contact", "جهة الاتصال"), ("purpose", "الغرض"), ("channel", "القناة"), ("given", "أُعطيت"),
        ("expires", "تنتهي"), ("withdrawn", "سُحبت"),
    ]  # fmt: skip
    rows = [
        [
            plain(c["consent_id"]), plain(c["contact_id"]), plain(c["purpose"]), plain(c["channel"]), when(c["captured_at"]),
            when(c["expires_at"]), when(c["withdrawn_at"]),
        ]
        for c in found
    ]  # fmt: skip
    out.show(table(out.lang, headings, rows, whole=[0]))
