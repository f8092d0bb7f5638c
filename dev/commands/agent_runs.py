"""`dealix agents run` and `dealix agents runs`: have an agent answer, and what it has been asked."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.messages import DealixError
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table

VERDICTS = {
    "answered": ("answered", "أجاب"),
    "handed_over": ("handed over", "أُحيل"),
    "withheld": ("withheld", "امتنع"),
    "failed": ("failed", "فشل"),
}


class BadInput(DealixError):
    """`--input` is no JSON object."""


def register(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to `dealix agents`."""

    @group.command()
    def run(
        agent: Annotated[str, typer.Argument(metavar="AGENT")],
        given: Annotated[
            str, typer.Option("--input", help="What the agent takes (`dealix agents list --json`), as JSON.")
        ],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Have an agent answer. It recommends: nothing is done."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/agents/{agent}/run", {"input": _object(given)})
        out.result(found)
        out.show(json.dumps(found["output"], ensure_ascii=False, indent=2))
        if found["escalation"] is not None:
            said = out.text(found["escalation"]["en"], found["escalation"]["ar"])
            out.show(out.text(f"For {found['to']}: {said}", f"إلى {found['to']}: {said}"))

    @group.command()
    def runs(
        agent: Annotated[str | None, typer.Option("--agent", help="Only of this one.")] = None,
        verdict: Annotated[
            str | None, typer.Option("--verdict", help="answered, handed_over, withheld or failed.")
        ] = None,
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Runs of agents, the newest first. What was asked and answered is not kept."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/conversations", agent=agent, verdict=verdict, limit=limit)
        out.result(found)
        headings = [
            ("at", "الوقت"), ("agent", "الوكيل"), ("version", "الإصدار"), ("asked by", "السائل"), ("verdict", "النتيجة"), ("why", "السبب"),
            ("confidence", "الثقة"), ("ms", "م.ث"),
        ]  # fmt: skip
        rows = [
            [
                plain(one["at"][:19]), plain(one["agent"]), plain(one["version"]), plain(one["asked_by"]), out.text(*VERDICTS[one["verdict"]]),
                plain(one["code"] or "-"), f"{one['confidence']:.2f}", f"{one['latency_ms']:.1f}",
            ]
            for one in found["items"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))


def _object(given: str) -> dict[str, Any]:
    try:
        read = json.loads(given)
    except ValueError as error:
        raise BadInput("--input is not JSON.", "قيمة --input ليست JSON.") from error
    if not isinstance(read, dict):
        raise BadInput("--input is a JSON object.", "قيمة --input يجب أن تكون كائن JSON.")
    return read
