"""`dealix knowledge add/search/list`: documents in, passages with their sources out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import table


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(no_args_is_help=True, help="Documents that answers come from.")
    app.add_typer(group, name="knowledge")

    @group.command()
    def add(
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="PDF, DOCX, HTML, Markdown or text.")],
        title: Annotated[str, typer.Option("--title", help="Its title (default: the file's name).")] = "",
        source: Annotated[str, typer.Option("--source", help="Where it comes from.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Take in a document."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.upload("/knowledge/documents", file, {"title": title, "source": source})
        out.result(found)
        count = found["chunks"]
        out.say(Sentence(f"{found['title']}: {count} passages.", f"{found['title']}: عدد المقاطع {count}."))

    @group.command()
    def search(
        question: Annotated[str, typer.Argument(help="In Arabic or English.")],
        limit: LimitOption = 5,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The passages that answer best."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/knowledge/search", q=question, limit=min(limit, 50))
        out.result(found)
        rows = [
            (p["title"], " · ".join(str(part) for part in (p["heading"], p["page"]) if part), p["text"][:300])
            for p in found["items"]
        ]
        if rows:
            headings = [("document", "المستند"), ("where", "الموضع"), ("passage", "المقطع")]
            out.show(table(out.lang, headings, rows))
        else:
            out.say(Sentence("No passage answers this.", "لا مقطع يجيب عن هذا."))

    @group.command("list")
    def list_documents(
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Documents, newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items("/knowledge/documents", limit)
        out.result({"items": items})
        headings = [("id", "المعرّف"), ("document", "المستند"), ("passages", "المقاطع")]
        out.show(table(out.lang, headings, [(i["document_id"], i["title"], str(i["chunks"])) for i in items]))
