"""`dealix bench`: what this machine carries, beside a floor and a peer, measured from a checkout."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from dev.messages import NotRunning


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @app.command()
    def bench(
        rows: Annotated[list[str] | None, typer.Argument(metavar="ROW", help="All when none is named.")] = None,
        quick: Annotated[bool, typer.Option("--quick", help="Fewer and shorter rounds; nothing is kept.")] = False,
    ) -> None:
        """Measure beside the floor and a peer in one run; the results are kept under docs/benchmarks."""
        if find_spec("benchmarks") is None:
            raise NotRunning(
                "The benchmarks are in a checkout of the repository, not in an installed package.",
                "قياسات الأداء في نسخة المستودع، لا في الحزمة المثبّتة.",
            )
        argv = [sys.executable, "-m", "benchmarks", *(rows or ()), *(("--quick",) if quick else ())]
        raise typer.Exit(subprocess.run(argv, check=False).returncode)
