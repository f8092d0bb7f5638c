"""`dealix consents` and `dealix suppressions`: what people agreed to, and whom nobody writes to again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dev.commands.common import (
    BadInput,
    Connect,
    LimitOption,
    read_json_input,
    write_bytes,
)
from dev.commands.listing import Column, CursorOption, listing, moment
from dev.commands.session import Session, command
from dev.messages import Sentence

CONSENTS = (
    Column("consent", "الموافقة", "consent_id", whole=True),
    Column("contact", "جهة الاتصال", "contact_id"),
    Column("purpose", "الغرض", "purpose"),
    Column("channel", "القناة", "channel"),
    Column("given", "أُعطيت", moment("captured_at")),
    Column("expires", "تنتهي", moment("expires_at")),
    Column("withdrawn", "سُحبت", moment("withdrawn_at")),
)
NO_CONSENTS = Sentence("No consent is on record.", "لا موافقات مسجّلة.")
STOPS = (
    Column("entry", "القيد", "name", whole=True),
    Column("reason", "السبب", "reason"),
    Column("by", "من", "actor"),
    Column("time", "الوقت", moment("at")),
)
NO_STOPS = Sentence("Nobody is on the do-not-contact list.", "قائمة عدم التواصل فارغة.")


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
    @command(group, connect, "list")
    def list_(
        here: Session,
        contact: Annotated[str | None, typer.Option("--contact", metavar="ID", help="Only this contact's.")] = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """Consents on record."""
        listing(here, "/consents", CONSENTS, NO_CONSENTS, limit=limit, cursor=cursor, contact_id=contact)

    @command(group, connect)
    def proof(
        here: Session,
        consent_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the consent.")],
        file: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write the proof.")] = None,
    ) -> None:
        """Export the proof of one consent: record, ledger entries, inclusion proofs, checkpoint."""
        import json

        found = here.client.get(f"/consents/{consent_id}/proof")
        if file is not None:
            write_bytes(file, json.dumps(found, ensure_ascii=False, indent=2).encode())
        here.out.result(found)
        count = len(found["proofs"])
        here.out.say(Sentence(f"{count} ledger entries prove it.", f"يثبتها {count} من قيود دفتر الإثبات."))


def _changing(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def record(
        here: Session,
        file: Annotated[str, typer.Argument(metavar="FILE", help="JSON list of consents; - reads standard input.")],
    ) -> None:
        """Record consents, all or none; each names its evidence and the notice it was given under."""
        given: Any = read_json_input(file)
        if not isinstance(given, list):
            raise BadInput("The file holds a JSON list of consents.", "يحتوي الملف قائمة JSON من الموافقات.")
        done = here.client.post("/consents", {"items": given})
        here.out.result(done)
        here.out.say(Sentence(f"{len(given)} consents recorded.", f"سُجّلت {len(given)} من الموافقات."))

    @command(group, connect)
    def withdraw(
        here: Session,
        contact: Annotated[str, typer.Option("--contact", metavar="ID", help="The contact.")],
        channel: Annotated[str | None, typer.Option("--channel", help="One channel; without it, all.")] = None,
        reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    ) -> None:
        """Withdraw a person's consent; what waits for them ends at once."""
        done = here.client.post("/consents/withdraw", {"contact_id": contact, "channel": channel, "reason": reason})
        here.out.result(done)
        here.out.say(Sentence("Withdrawn; nothing that waited is sent.", "سُحبت الموافقة، ولن يُرسل ما كان ينتظر."))


def _suppressions(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(here: Session, limit: LimitOption = 50, cursor: CursorOption = None) -> None:
        """The do-not-contact list. Entries are keyed hashes: nobody can read whom they are about."""
        listing(here, "/suppressions", STOPS, NO_STOPS, limit=limit, cursor=cursor)

    @command(group, connect)
    def add(
        here: Session,
        identifier: Annotated[str, typer.Argument(help="E-mail address or phone number.")],
        reason: Annotated[str, typer.Option("--reason", help="Why.")],
    ) -> None:
        """Never contact this address or number again."""
        done = here.client.post("/suppressions", {"identifier": identifier, "reason": reason})
        here.out.result(done)
        here.out.say(Sentence("On the list.", "أُضيف إلى القائمة."))
