"""`dealix quality`: what the checks of data quality found."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.output import JsonOption, LangOption, output
from dev.terminal import table

STATES = {"ok": ("ok", "سليم"), "below": ("below the goal", "دون المستهدف"), "no_data": ("no data", "لا بيانات")}


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @app.command()
    def quality(
        now: Annotated[bool, typer.Option("--now", help="Look at the rows first.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Completeness, validity, duplicates, freshness and sources of the tenant's rows."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post("/data-quality/run", {}) if now else client.get("/data-quality")
        out.result(found)
        rows = []
        for one in found["items"]:
            latest = one["latest"]
            share = "–" if latest is None or latest["share"] is None else f"{latest['share']:.1%}"
            counted = "–" if latest is None else f"{latest['failed']} / {latest['rows']}"
            rows.append((one[out.lang], out.text(*STATES[one["state"]]), share, f"{one['goal']:.0%}", counted))
        headings = [
            ("check", "الفحص"), ("state", "الحالة"), ("right", "السليم"), ("goal", "المستهدف"), ("failed of rows", "المخالف من الصفوف"),
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))
