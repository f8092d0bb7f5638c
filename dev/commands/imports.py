"""`dealix imports`, `rejects`, `undo`: what became of earlier imports, and taking one back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption, write_bytes
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.views import job as views

ImportArgument = Annotated[str, typer.Argument(metavar="IMPORT", help="Id of the import.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @app.command()
    def imports(
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Imports, newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items("/targeting/imports", limit)
        out.result({"items": items})
        if items:
            out.show(views.imports(out.lang, items))
        else:
            out.say(Sentence("Nothing has been imported yet.", "لم يُستورد شيء بعد."))

    @app.command()
    def rejects(
        import_id: ImportArgument,
        to: Annotated[
            Path | None, typer.Option("--output", "-o", help="File to write (default: standard output).")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The rejected rows of an import with their reasons, as CSV: mend them and import the file again."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            content = client.raw(f"/targeting/imports/{import_id}/rejects.csv")
        if to is None:
            typer.echo(content.decode("utf-8-sig"), nl=False)
            return
        write_bytes(to, content)
        out.say(Sentence(f"Written to {to}.", f"حُفظت في {to}."))
        out.result({"file": str(to), "bytes": len(content)})

    @app.command()
    def undo(
        import_id: ImportArgument,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Take back an import as a whole: what it created and nothing has been built upon."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            status = client.get(f"/targeting/imports/{import_id}")
            out.show(*views.outcome(out.lang, status))
            if not yes:
                out.ask(Sentence("Take this import back?", "أتريد التراجع عن هذا الاستيراد؟"), otherwise="--yes")
            reply = client.post(f"/targeting/imports/{import_id}/undo", {}, timeout=120.0)
        out.result(reply)
        removed, kept = reply.get("removed"), reply.get("kept")
        out.say(Sentence(f"Removed: {removed}. Kept: {kept}.", f"المحذوف: {removed}. الباقي: {kept}."))
