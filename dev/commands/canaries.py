"""`dealix canaries`: a new version for a share of the runs, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the canary.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is ledgered.")]
STATES = {
    "running": ("running", "قائمة"), "promoted": ("promoted", "معتمدة"), "stopped": ("stopped", "موقوفة"),
    "rolled_back": ("rolled back", "أُلغيت تلقائيًا"),
}  # fmt: skip


class Kind(StrEnum):
    HANDLER = "handler"
    CONNECTOR = "connector"
    AGENT = "agent"
    MODEL = "model"


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="New versions for a share of the runs.", no_args_is_help=True)
    app.add_typer(group, name="canaries")
    _reading(group, connect)
    _starting(group, connect)
    for name, text in (("promote", "Give it every run."), ("stop", "Give every run to the usual version again.")):
        _ending(group, connect, name, text)


def _reading(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def listed(
        state: Annotated[str | None, typer.Option("--state", help="running, promoted, stopped or rolled_back.")] = None,
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Canaries with the counts of both groups, the newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/canaries", state=state, limit=limit)
        out.result(found)
        _show(out, found["items"])

    @group.command()
    def show(
        canary: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One canary."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/canaries/{canary}")
        out.result(found)
        _show(out, [found])


def _starting(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def start(
        kind: Annotated[Kind, typer.Argument(help="handler, connector, agent or model.")],
        target: Annotated[str, typer.Argument(help="Task type, connector, agent or model.")],
        version: Annotated[str, typer.Argument(help="The version to try.")],
        percent: Annotated[int, typer.Option("--percent", help="Share of the runs, 1 to 100.")] = 10,
        reason: ReasonOption = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Give a share of the runs to another version; it ends by itself when it does worse than the rest."""
        out = output(lang, as_json)
        body = {"kind": kind.value, "target": target, "version": version, "percent": percent, "reason": reason}
        with connect(out, base_url, data_dir) as client:
            found = client.post("/canaries", body)
        out.result(found)
        _show(out, [found])


def _ending(group: typer.Typer, connect: Connect, name: str, text: str) -> None:
    @group.command(name, help=text)
    def change(
        canary: IdArgument,
        reason: ReasonOption = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/canaries/{canary}/{name}", {"reason": reason})
        out.result(found)
        _show(out, [found])


def _show(out: Output, items: list[dict[str, Any]]) -> None:
    if not items:
        out.say(Sentence("No canaries.", "لا توجد نسخ تجريبية."))
        return
    headings = [
        ("id", "المعرّف"), ("kind", "النوع"), ("target", "الهدف"), ("version", "الإصدار"), ("share", "النسبة"), ("state", "الحالة"),
        ("canary: errors, denied / runs", "التجريبية: أخطاء، رفض / تشغيل"), ("rest", "البقية"),
    ]  # fmt: skip
    rows = [
        [
            plain(one["canary_id"]), plain(one["kind"]), plain(one["target"]), plain(one["version"]), plain(f"{one['percent']} %"),
            out.text(*STATES[one["state"]]), _counts(one["canary"]), _counts(one["baseline"]),
        ]
        for one in items
    ]  # fmt: skip
    out.show(table(out.lang, headings, rows, whole=[0]))


def _counts(counts: dict[str, int]) -> Any:
    return plain(f"{counts['errors']}, {counts['denied']} / {counts['runs']}")
