"""`dealix enrich` and `dealix facts`: facts from files of permitted sources, and a person's word on disputed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import Connect, LimitOption, existing_file
from dev.commands.listing import Column, CursorOption, in_language, listing, named, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence

FACTS = (
    Column("field", "الحقل", "field"),
    Column("value", "القيمة", "value"),
    Column("record has", "في السجل", "current"),
    Column("source", "المصدر", "source"),
    Column("state", "الحالة", named("fact_state", "state")),
    Column("id", "المعرّف", "fact_id", whole=True),
)
FOUND = (*FACTS[:3], FACTS[4])
NO_FACTS = Sentence("No facts from files yet: dealix enrich FILE", "لا معلومات من ملفات بعد: dealix enrich FILE")
REFUSALS = (Column("row", "الصف", "row"), Column("field", "الحقل", "field"), Column("why", "السبب", in_language()))


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @command(app, connect)
    def enrich(
        here: Session,
        file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, XLSX or JSON Lines.")],
        adapter: Annotated[str, typer.Option("--adapter", help="public_register or web_form.")],
        basis: Annotated[str, typer.Option("--basis", help="The lawful basis, such as legitimate_interest.")],
        obtained_on: Annotated[
            str, typer.Option("--obtained-on", help="When the file was obtained, such as 2026-11-01.")
        ],
        licence: Annotated[str, typer.Option("--licence", help="The terms of the source, where it has any.")] = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be filled in.")] = False,
    ) -> None:
        """Fill in records that are there already; what differs from what people stated waits for a person."""
        path = existing_file(Path(file))
        fields = {"adapter": adapter, "lawful_basis": basis, "licence": licence, "obtained_on": obtained_on}
        fields |= {"dry_run": "true"} if dry_run else {}
        found = here.client.upload("/targeting/enrichment", path, fields)
        here.out.result(found)
        counts = found["facts"]
        filled, disputed = counts.get("applied", 0), counts.get("disputed", 0)
        en = f"{found['matched']} of {found['rows']} rows fit a record; {filled} facts filled in, {disputed} disputed, {found['refused']} refused."
        ar = f"الصفوف {found['rows']}، وما طابق سجلًا منها {found['matched']}. المعلومات المضافة {filled}، ومحل الخلاف {disputed}، والمرفوض {found['refused']}."
        here.out.say(Sentence(en, ar))
        if dry_run:
            here.out.say(Sentence("Nothing was changed.", "لم يتغيّر شيء."))
            show_items(here.out, found["found"], FOUND)
        if found["refusals"]:
            show_items(here.out, found["refusals"], REFUSALS)

    group = typer.Typer(no_args_is_help=True, help="Facts from files: list, decide on disputed ones.")
    app.add_typer(group, name="facts")

    @command(group, connect, "list")
    def list_(
        here: Session,
        record: Annotated[str | None, typer.Option("--record", help="Id of one record.")] = None,
        state: Annotated[
            str | None, typer.Option("--state", help="applied, confirmed, disputed, accepted or refused.")
        ] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """Facts with their source and standing, newest first."""
        path = "/targeting/enrichment/facts"
        listing(here, path, FACTS, NO_FACTS, limit=limit, cursor=cursor, record_id=record, state=state)

    @command(group, connect)
    def decide(
        here: Session,
        fact: Annotated[str, typer.Argument(metavar="FACT", help="Id of a disputed fact.")],
        accept: Annotated[bool, typer.Option("--accept/--refuse", help="Whether it takes its place in the record.")],
        reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    ) -> None:
        """Accept a disputed fact, or refuse it."""
        reply = here.client.post(f"/targeting/enrichment/facts/{fact}/decision", {"accept": accept, "reason": reason})
        here.out.result(reply)
        here.out.say(Sentence(f"The fact is {reply['state']}.", "قُبلت المعلومة." if accept else "رُفضت المعلومة."))
