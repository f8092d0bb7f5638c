"""`dealix smoke`: the main job against a running system, step by step."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.text import Text

from dev.commands.common import Connect
from dev.commands.session import Session, command
from dev.messages import DealixError, Sentence
from dev.output import Output
from dev.smoke import Step, steps
from dev.terminal import plain


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def smoke(
        here: Session, read_only: Annotated[bool, typer.Option("--read-only", help="Look, and change nothing.")] = False
    ) -> None:
        """Run the main job with made-up people and check each step; exit code 1 at the first that fails."""
        done: list[dict[str, object]] = []
        for step in steps(here.client, here.out.lang, read_only=read_only):
            failure = _run(here.out, step, done)
            if failure is not None:
                here.out.result({"ok": False, "steps": done})
                raise typer.Exit(1)
        here.out.result({"ok": True, "steps": done})
        here.out.say(Sentence(f"All {len(done)} steps are ok.", f"نجحت كل الخطوات وعددها {len(done)}."))


def _run(out: Output, step: Step, done: list[dict[str, object]]) -> DealixError | None:
    began = time.monotonic()
    failure: DealixError | None = None
    try:
        seen = step.run()
    except DealixError as error:
        failure, seen = error, error.sentence.text(out.lang)
    seconds = time.monotonic() - began
    done.append({"step": step.name.en, "ok": failure is None, "seen": seen, "seconds": round(seconds, 3)})
    mark = out.text("failed", "فشل") if failure else out.text("ok", "سليم")
    line = Text.assemble(
        (f"{mark:<7}", "red" if failure else "green"), f"{step.name.text(out.lang)}  ", (plain(seen), "dim")
    )
    out.show(line)
    return failure
