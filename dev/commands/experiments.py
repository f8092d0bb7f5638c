"""`dealix experiments`: what is being tried, what came of it, and what the week taught."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, Connect
from dev.commands.listing import Column, CursorOption, in_language, listing, moment, named, show_items
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.terminal import Cell, plain

EXPERIMENTS = (
    Column("hypothesis", "الفرضية", lambda one, _: plain(one["plan"]["hypothesis"])),
    Column(
        "state", "الحالة", named("experiment_state", "state", {"running": "medium", "ready": "high", "decided": "low"})
    ),
    Column("finding", "النتيجة", in_language("said")),
    Column("ends", "تنتهي", moment("ends_at")),
    Column("id", "المعرّف", "experiment_id", whole=True),
)
NOTHING = Sentence("Nothing is being tried.", "لا تجارب.")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `dealix experiments list` shows it.")]


def _rate(one: Mapping[str, Any], _: Lang) -> Cell:
    """A share with its interval; nothing before the stop rule is met."""
    return plain("" if one["rate"] is None else f"{one['rate']:.1%} ({one['low']:.1%}–{one['high']:.1%})")


ARMS = (
    Column("arm", "الطرف", in_language("name")),
    Column("drawn", "في القرعة", "assigned", number=True),
    Column("reached", "وصلتهم", "reached", number=True),
    Column("counted", "محتسبون", "counted", number=True),
    Column(
        "answered", "ردّوا", lambda one, _: plain("" if one["replied"] is None else str(one["replied"])), number=True
    ),
    Column("share", "النسبة", _rate, number=True),
)
LEARNT = (
    Column("kind", "الخيار", in_language("name")),
    Column("reached", "وصلتهم", "reached", number=True),
    Column("answered", "ردّوا", "replied", number=True),
    Column("share", "النسبة", _rate, number=True),
)


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""
    group = typer.Typer(no_args_is_help=True, help="Growth experiments: list, show, start, decide; the week's report.")
    app.add_typer(group, name="experiments")

    @command(group, connect, "list")
    def list_(
        here: Session,
        limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
        cursor: CursorOption = None,
    ) -> None:
        """Experiments, the newest first."""
        listing(here, "/growth/experiments", EXPERIMENTS, NOTHING, limit=limit, cursor=cursor)

    @command(group, connect)
    def show(here: Session, experiment: IdArgument) -> None:
        """One experiment with its arms."""
        _shown(here, here.client.get(f"/growth/experiments/{experiment}"))

    @command(group, connect)
    def start(
        here: Session,
        plan: Annotated[Path, typer.Argument(metavar="FILE", help="The plan as JSON, with all that is stated before.")],
    ) -> None:
        """Start one; its plan is fixed from then on."""
        try:
            said = json.loads(plan.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadInput(f"{plan} is no JSON that can be read.", f"تعذرت قراءة {plan} ملف JSON.") from error
        _shown(here, here.client.post("/growth/experiments", said))

    @command(group, connect)
    def decide(
        here: Session,
        experiment: IdArgument,
        decision: Annotated[
            str, typer.Argument(metavar="DECISION", help="keep, revert, or stop before the rule is met.")
        ],
        note: Annotated[str, typer.Option(help="Why; needed to stop.")] = "",
    ) -> None:
        """Keep what was tried or go back, once the stop rule is met; or stop it."""
        said = {"decision": decision, "note": note}
        _shown(here, here.client.post(f"/growth/experiments/{experiment}/decision", said))

    @command(group, connect)
    def week(
        here: Session,
        day: Annotated[
            str, typer.Option(metavar="DATE", help="Any day of the week; the last whole one otherwise.")
        ] = "",
        weeks: Annotated[int, typer.Option(min=1, max=26, help="How far back comparisons look.")] = 4,
    ) -> None:
        """The weekly learning report."""
        found = here.client.get("/growth/weekly-report", timeout=60, week=day or None, weeks=weeks)
        here.out.result(found)
        _say(here, found["said"])
        for part in ("segments", "messages", "channels"):
            _say(here, found[part]["said"])
            if found[part]["arms"]:
                show_items(here.out, found[part]["arms"], LEARNT)
        for said in (*(one["why"] for one in found["stop"]), found["improve"], found["next_said"]):
            if said:
                _say(here, said)


def _say(here: Session, said: Mapping[str, str]) -> None:
    here.out.say(Sentence(said["en"], said["ar"]))


def _shown(here: Session, found: Mapping[str, Any]) -> None:
    here.out.result(found)
    show_items(here.out, [found], EXPERIMENTS)
    show_items(here.out, found["arms"], ARMS)
