"""`dealix mappings`: columns of lists that people have assigned before."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table, when


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""
    group = typer.Typer(no_args_is_help=True, help="Columns of lists that were assigned before: list, forget.")
    app.add_typer(group, name="mappings")

    @group.command("list")
    def list_(
        base_url: BaseUrlOption = None, data_dir: DataDirOption = None, lang: LangOption = None, as_json: JsonOption = False
    ) -> None:  # fmt: skip
        """Which field each column feeds, by the source of the list."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/targeting/mappings")
        out.result(found)
        headings = [("source", "المصدر"), ("column", "العمود"), ("field", "الحقل"), ("since", "منذ")]
        rows = [
            (
                plain(one["source"]), plain(one["header"]), plain(one["named"][out.lang] if one["named"] else one["field"] or "-"), when(one["at"]),
            )
            for one in found["items"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))

    @group.command()
    def forget(
        source: Annotated[str, typer.Argument(metavar="SOURCE", help="As `dealix mappings list` names it.")],
        column: Annotated[str | None, typer.Option("--column", help="Only of this column.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Forget them: the next list of that source is read by its headings alone."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.delete(f"/targeting/mappings/{source}" + (f"?header={quote(column)}" if column else ""))
        out.result(found)
        out.say(Sentence(f"Forgotten: {found['columns']}.", f"نُسي: {found['columns']}."))
