"""`dealix smoke`: the main job against a running system, step by step."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.text import Text

from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.messages import DealixError, Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.smoke import Step, steps
from dev.terminal import plain


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @app.command()
    def smoke(
        read_only: Annotated[bool, typer.Option("--read-only", help="Look, and change nothing.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Run the main job with made-up people and check each step; exit code 1 at the first that fails."""
        out = output(lang, as_json)
        done: list[dict[str, object]] = []
        with connect(out, base_url, data_dir) as client:
            for step in steps(client, out.lang, read_only=read_only):
                failure = _run(out, step, done)
                if failure is not None:
                    out.result({"ok": False, "steps": done})
                    raise typer.Exit(1)
        out.result({"ok": True, "steps": done})
        out.say(Sentence(f"All {len(done)} steps are ok.", f"نجحت كل الخطوات وعددها {len(done)}."))


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
