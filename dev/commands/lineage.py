"""`dealix lineage KIND ID`: where something came from, and what it caused."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import table
from libs.contracts.catalogue.lineage import lineage as catalogue


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def lineage(
        here: Session,
        kind: Annotated[
            str, typer.Argument(help="card, draft, action, lead, account, contact, import, row, approval, entry, …")
        ],
        id: Annotated[str, typer.Argument(help="Its id; a row is IMPORT:NUMBER.")],
    ) -> None:
        """Where something came from (file, row, lead) and what came of it: cards, drafts, actions and their proof."""
        found = here.client.get(f"/lineage/{kind}/{id}")
        here.out.result(found)
        _show(here.out, found, "came_from", Sentence("Came from", "جاء من"))
        _show(here.out, found, "caused", Sentence("Caused", "نتج عنه"))


def _show(out: Output, found: dict[str, Any], way: str, title: Sentence) -> None:
    walked, words = found[way], catalogue()
    out.say(title)
    if not walked["steps"]:
        out.say(Sentence("Nothing.", "لا شيء."))
    else:
        rows = [
            (
                getattr(words.kinds[step["kind"]], out.lang), step[out.lang], step["id"],
                f"{getattr(words.hows[step['how']], out.lang)} · {getattr(words.kinds[step['joined_to']['kind']], out.lang)}",
            )
            for step in walked["steps"]
        ]  # fmt: skip
        headings = [("what", "النوع"), ("title", "العنوان"), ("id", "المعرّف"), ("joined by", "الصلة")]
        out.show(table(out.lang, headings, rows))
    if walked["cut"]:
        out.say(Sentence("There is more than is shown.", "يوجد أكثر مما عُرض."))
    if walked["silent"]:
        silent = ", ".join(walked["silent"])
        out.say(Sentence(f"No answer from: {silent}.", f"لم يرد: {silent}."))
