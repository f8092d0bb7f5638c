"""`dealix contradictions suggestions|confirm|dismiss`: what documents and inbound messages state, and a person's word on it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table

STATES = {
    "suggested": ("suggested", "مقترح"),
    "confirmed": ("confirmed", "مؤكد"),
    "dismissed": ("dismissed", "مستبعد"),
}
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the suggestion.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why.")]


def register(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to `dealix contradictions`."""

    @group.command()
    def suggestions(
        state: Annotated[str | None, typer.Option("--state", help="suggested, confirmed or dismissed.")] = None,
        subject: Annotated[str | None, typer.Option("--subject", help="For instance deal:ID.")] = None,
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What was read in texts, the newest first. Nothing of it counts before a person confirms it."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/claims/suggestions", state=state, subject=subject, limit=limit)
        out.result(found)
        headings = [
            ("id", "المعرّف"), ("subject", "الموضوع"), ("what", "ماذا"), ("value", "القيمة"), ("source", "المصدر"), ("contradicts", "يعارض"),
            ("state", "الحالة"),
        ]  # fmt: skip
        yes, no = out.text("yes", "نعم"), out.text("no", "لا")
        rows = [
            [
                plain(one["suggestion_id"]), plain(one["subject"]), plain(one["key"]), plain(f"{one['value']} {one['unit']}".strip()),
                plain(f"{one['source']} · {one['place']}"), yes if one["contradicts"] else no, out.text(*STATES[one["state"]]),
            ]
            for one in found["items"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows, whole=[0]))

    @group.command()
    def confirm(
        suggestion: IdArgument,
        reason: ReasonOption = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Make it a claim of yours, and say what it contradicts."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _said(out, client.post(f"/claims/suggestions/{suggestion}/confirm", {"reason": reason}))

    @group.command()
    def dismiss(
        suggestion: IdArgument,
        reason: ReasonOption = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Say that the text does not state that, or that it does not matter."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _said(out, client.post(f"/claims/suggestions/{suggestion}/dismiss", {"reason": reason}))


def _said(out: Output, found: dict[str, Any]) -> None:
    out.result(found)
    one, count = found["suggestion"], len(found["contradictions"])
    state = out.text(*STATES[one["state"]])
    opened = out.text(f"contradictions opened: {count}", f"تعارضات جديدة: {count}")
    out.show(f"{plain(one['subject'])} {plain(one['key'])}: {state}; {opened}")
