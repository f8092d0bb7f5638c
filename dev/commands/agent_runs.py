"""`dealix agents run` and `dealix agents runs`: have an agent answer, and what it has been asked."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dev.commands.common import Connect, LimitOption, json_object
from dev.commands.listing import Column, CursorOption, listing, moment, named
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import plain

COLUMNS = (
    Column("at", "الوقت", moment("at", seconds=True)),
    Column("agent", "الوكيل", "agent"),
    Column("version", "الإصدار", "version"),
    Column("asked by", "السائل", "asked_by"),
    Column("verdict", "النتيجة", named("agent_verdict", "verdict")),
    Column("why", "السبب", lambda one, _: plain(one["code"] or "-")),
    Column("confidence", "الثقة", lambda one, _: f"{one['confidence']:.2f}", number=True),
    Column("ms", "م.ث", lambda one, _: f"{one['latency_ms']:.1f}", number=True),
)
NOTHING = Sentence("No agent was asked yet.", "لم يُسأل أي وكيل بعد.")


def register(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to `dealix agents`."""

    @command(group, connect)
    def run(
        here: Session,
        agent: Annotated[str, typer.Argument(metavar="AGENT", help="As `dealix agents list` names it.")],
        given: Annotated[
            str, typer.Option("--input", help="What the agent takes (`dealix agents list --json`), as JSON.")
        ],
    ) -> None:
        """Have an agent answer. It recommends: nothing is done."""
        found = here.client.post(f"/agents/{agent}/run", {"input": json_object(given, "--input")})
        here.out.result(found)
        here.out.show(json.dumps(found["output"], ensure_ascii=False, indent=2))
        if found["escalation"] is not None:
            said = here.out.text(found["escalation"]["en"], found["escalation"]["ar"])
            here.out.show(here.out.text(f"For {found['to']}: {said}", f"إلى {found['to']}: {said}"))

    @command(group, connect)
    def runs(
        here: Session,
        agent: Annotated[str | None, typer.Option("--agent", help="Only of this one.")] = None,
        verdict: Annotated[
            str | None, typer.Option("--verdict", help="answered, handed_over, withheld or failed.")
        ] = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """Runs of agents, the newest first. What was asked and answered is not kept."""
        listing(here, "/conversations", COLUMNS, NOTHING, limit=limit, cursor=cursor, agent=agent, verdict=verdict)
