"""`dealix canaries`: a new version for a share of the runs, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, listing, named, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import plain

COLUMNS = (
    Column("id", "المعرّف", "canary_id", whole=True),
    Column("kind", "النوع", "kind"),
    Column("target", "الهدف", "target"),
    Column("version", "الإصدار", "version"),
    Column("share", "النسبة", lambda one, _: f"{one['percent']} %"),
    Column("state", "الحالة", named("canary_state", "state")),
    Column("canary: errors, denied / runs", "التجريبية: أخطاء، رفض / تشغيل", lambda one, _: _counts(one["canary"])),
    Column("rest", "البقية", lambda one, _: _counts(one["baseline"])),
)
NOTHING = Sentence("No canaries.", "لا توجد تجارب جزئية.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the canary.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; the ledger keeps it.")]


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
    @command(group, connect, "list")
    def listed(
        here: Session,
        state: Annotated[str | None, typer.Option("--state", help="running, promoted, stopped or rolled_back.")] = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """Canaries with the counts of both groups, the newest first."""
        listing(here, "/canaries", COLUMNS, NOTHING, limit=limit, cursor=cursor, state=state)

    @command(group, connect)
    def show(here: Session, canary: IdArgument) -> None:
        """One canary."""
        _show(here.out, here.client.get(f"/canaries/{canary}"))


def _starting(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def start(
        here: Session,
        kind: Annotated[Kind, typer.Argument(help="handler, connector, agent or model.")],
        target: Annotated[str, typer.Argument(help="Task type, connector, agent or model.")],
        version: Annotated[str, typer.Argument(help="The version to try.")],
        percent: Annotated[int, typer.Option("--percent", help="Share of the runs, 1 to 100.")] = 10,
        reason: ReasonOption = "",
    ) -> None:
        """Give a share of the runs to another version; it ends by itself when it does worse than the rest."""
        body = {"kind": kind.value, "target": target, "version": version, "percent": percent, "reason": reason}
        _show(here.out, here.client.post("/canaries", body))


def _ending(group: typer.Typer, connect: Connect, name: str, text: str) -> None:
    @command(group, connect, name, help=text)
    def change(here: Session, canary: IdArgument, reason: ReasonOption = "") -> None:
        _show(here.out, here.client.post(f"/canaries/{canary}/{name}", {"reason": reason}))


def _show(out: Output, one: dict[str, Any]) -> None:
    out.result(one)
    show_items(out, [one], COLUMNS)


def _counts(counts: Mapping[str, int]) -> str:
    return plain(f"{counts['errors']}, {counts['denied']} / {counts['runs']}")
