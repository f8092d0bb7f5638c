"""`dealix settings`: every setting with its value, where that comes from, and what it means."""

from __future__ import annotations

import os
from dataclasses import asdict

import typer
from rich.table import Table

from dev.output import JsonOption, LangOption, output
from dev.settings import describe, load_settings, operator_environment, read_dotenv


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @app.command()
    def settings(lang: LangOption = None, as_json: JsonOption = False) -> None:
        """List all settings with meaning and source; fail when one makes no sense."""
        out = output(lang, as_json)
        rows = list(describe(os.environ, read_dotenv(), out.lang))
        out.result([asdict(row) for row in rows])
        if not out.as_json:
            arabic = out.lang == "ar"
            table = Table(
                *(("الإعداد", "القيمة", "المصدر", "المعنى") if arabic else ("setting", "value", "source", "meaning"))
            )
            for row in rows:
                table.add_row(row.name, row.value, row.source, row.meaning)
            out.console().print(table)
        load_settings(operator_environment())
