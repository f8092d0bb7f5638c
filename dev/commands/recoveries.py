"""`dealix recoveries`: backups that were made, and restores that proved them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import BadInput, Connect
from dev.commands.listing import Column, moment, named, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import plain

RECOVERIES = (
    Column("what", "النوع", named("recovery_kind", "kind")),
    Column("when", "الوقت", moment("at")),
    Column("rows", "الصفوف", "rows", number=True),
    Column("entries", "القيود", "leaves", number=True),
    Column("digest", "البصمة", lambda one, _: plain(one["digest"][:16])),
)
NOTHING = Sentence("No backup is on record.", "لا توجد نسخة مسجّلة.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def recoveries(
        here: Session,
        report: Annotated[
            Path | None,
            typer.Option("--report", help="A restore-report.json that `dealix restore` wrote: put it on record."),
        ] = None,
    ) -> None:
        """Backups of this installation and restores of them; controls on recovery are read from these."""
        told = _read(report) if report is not None else None
        if told is not None:
            here.client.post("/recoveries", told)
        found = here.client.get("/recoveries")
        here.out.result(found)
        show_items(here.out, found["items"], RECOVERIES, NOTHING)


def _read(file: Path) -> dict[str, object]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return {name: said[name] for name in ("digest", "restored_at", "rows", "leaves")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{file} is no report of a restore.", f"الملف {file} ليس تقرير استعادة.") from error
