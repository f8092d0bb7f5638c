"""`dealix imports`, `rows`, `rejects`, `undo`: what became of earlier imports, and taking one back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import Connect, LimitOption, write_bytes
from dev.commands.listing import Column, CursorOption, Json, listing, named
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.terminal import Cell, plain
from dev.views import job as views

NOTHING = Sentence("Nothing has been imported yet.", "لم يُستورد شيء بعد.")

ImportArgument = Annotated[str, typer.Argument(metavar="IMPORT", help="Id of the import.")]
NOTHING_SAID = Sentence("Every row was taken in as it stands.", "استُوردت الصفوف كلها كما هي.")


def _said(row: Json, lang: Lang) -> Cell:
    return plain("\n".join(str(one[lang]) for one in [*row["reasons"], *row["left_out"]]))


REMARKS = (
    Column("row", "الصف", "row_number", number=True),
    Column("name", "الاسم", lambda row, _: plain(row["person"] or row["company"])),
    Column("outcome", "النتيجة", named("import_outcome", "outcome")),
    Column("remark", "الملاحظة", _said),
)


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @command(app, connect)
    def imports(here: Session, limit: LimitOption = 20, cursor: CursorOption = None) -> None:
        """Imports, newest first."""
        listing(here, "/targeting/imports", views.imports, NOTHING, limit=limit, cursor=cursor)

    @command(app, connect)
    def rejects(
        here: Session,
        import_id: ImportArgument,
        to: Annotated[
            Path | None, typer.Option("--output", "-o", help="File to write (default: standard output).")
        ] = None,
    ) -> None:
        """The rejected rows of an import with their reasons, as CSV: mend them and import the file again."""
        content = here.client.raw(f"/targeting/imports/{import_id}/rejects.csv")
        if to is None:
            typer.echo(content.decode("utf-8-sig"), nl=False)
            return
        write_bytes(to, content)
        here.out.say(Sentence(f"Written to {to}.", f"حُفظت في {to}."))
        here.out.result({"file": str(to), "bytes": len(content)})

    @command(app, connect)
    def rows(
        here: Session,
        import_id: ImportArgument,
        outcome: Annotated[
            str | None,
            typer.Option("--outcome", help="created, merged, needs_review or blocked: only rows that ended so."),
        ] = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """What an import left out of rows that it took in, and why rows wait or are blocked."""
        path = f"/targeting/imports/{import_id}/rows"
        listing(here, path, REMARKS, NOTHING_SAID, limit=limit, cursor=cursor, outcome=outcome)

    @command(app, connect)
    def undo(
        here: Session,
        import_id: ImportArgument,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    ) -> None:
        """Take back an import: everything that it created and that nothing has been built on since."""
        status = here.client.get(f"/targeting/imports/{import_id}")
        here.out.show(*views.outcome(here.out.lang, status))
        if not yes:
            here.out.ask(Sentence("Take this import back?", "أتريد التراجع عن هذا الاستيراد؟"), otherwise="--yes")
        reply = here.client.post(f"/targeting/imports/{import_id}/undo", {}, timeout=120.0)
        here.out.result(reply)
        removed, kept = reply.get("removed"), reply.get("kept")
        here.out.say(Sentence(f"Removed: {removed}. Kept: {kept}.", f"المحذوف: {removed}. الباقي: {kept}."))
