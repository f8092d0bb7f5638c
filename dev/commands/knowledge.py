"""`dealix knowledge add/search/list`: documents in, passages with their sources out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, listing, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import plain

DOCUMENTS = (
    Column("id", "المعرّف", "document_id", whole=True),
    Column("document", "المستند", "title"),
    Column("passages", "المقاطع", "chunks", number=True),
)
NO_DOCUMENTS = Sentence("No documents yet: dealix knowledge add FILE", "لا مستندات بعد: dealix knowledge add FILE")
PASSAGES = (
    Column("document", "المستند", "title"),
    Column("where", "الموضع", lambda one, _: " · ".join(plain(part) for part in (one["heading"], one["page"]) if part)),
    Column("passage", "المقطع", lambda one, _: plain(one["text"][:300])),
)
NO_PASSAGE = Sentence("No passage answers this.", "لا مقطع يجيب عن هذا.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(no_args_is_help=True, help="Documents that answers come from.")
    app.add_typer(group, name="knowledge")

    @command(group, connect)
    def add(
        here: Session,
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="PDF, DOCX, HTML, Markdown or text.")],
        title: Annotated[str, typer.Option("--title", help="Its title (default: the file's name).")] = "",
        source: Annotated[str, typer.Option("--source", help="Where it comes from.")] = "",
    ) -> None:
        """Take in a document."""
        found = here.client.upload("/knowledge/documents", file, {"title": title, "source": source})
        here.out.result(found)
        count = found["chunks"]
        here.out.say(Sentence(f"{found['title']}: {count} passages.", f"{found['title']}: عدد المقاطع {count}."))

    @command(group, connect)
    def search(
        here: Session, question: Annotated[str, typer.Argument(help="In Arabic or English.")], limit: LimitOption = 5
    ) -> None:
        """The passages that answer best."""
        found = here.client.get("/knowledge/search", q=question, limit=min(limit, 50))
        here.out.result(found)
        show_items(here.out, found["items"], PASSAGES, NO_PASSAGE)

    @command(group, connect, "list")
    def list_documents(here: Session, limit: LimitOption = 20, cursor: CursorOption = None) -> None:
        """Documents, newest first."""
        listing(here, "/knowledge/documents", DOCUMENTS, NO_DOCUMENTS, limit=limit, cursor=cursor)
