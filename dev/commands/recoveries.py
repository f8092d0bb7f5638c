"""`dealix recoveries`: backups that were made, and restores that proved them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table, when

KINDS = {"backup": ("backup", "نسخة احتياطية"), "restore_test": ("restored and verified", "استعادة مثبتة")}


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @app.command()
    def recoveries(
        report: Annotated[
            Path | None,
            typer.Option("--report", help="A restore-report.json that `dealix restore` wrote: put it on record."),
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Backups of this installation and restores of them; controls on recovery are read from these."""
        out = output(lang, as_json)
        told = _read(report) if report is not None else None
        with connect(out, base_url, data_dir) as client:
            if told is not None:
                client.post("/recoveries", told)
            found = client.get("/recoveries")
        out.result(found)
        if not found["items"]:
            out.say(Sentence("No backup is on record.", "لا توجد نسخة مسجّلة."))
            return
        headings = [
            ("what", "النوع"),
            ("when", "الوقت"),
            ("rows", "الصفوف"),
            ("entries", "القيود"),
            ("digest", "البصمة"),
        ]
        rows = [
            [
                KINDS[one["kind"]][out.lang == "ar"],
                when(one["at"]),
                plain(one["rows"]),
                plain(one["leaves"]),
                plain(one["digest"][:16]),
            ]
            for one in found["items"]
        ]
        out.show(table(out.lang, headings, rows))


def _read(file: Path) -> dict[str, object]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return {name: said[name] for name in ("digest", "restored_at", "rows", "leaves")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{file} is no report of a restore.", f"الملف {file} ليس تقرير استعادة.") from error
