"""`dealix eval …`: measures a rule against its labelled set. None needs a running system."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.messages import DealixError
from dev.output import JsonOption, LangOption, output
from dev.terminal import table


class BelowGoal(DealixError):
    """What was measured is below the goal that was set for it."""


GOAL = (0.98, 0.9)
"""Precision and recall that duplicate detection has to reach, on the held-out part too."""


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    group = typer.Typer(no_args_is_help=True, help="Measure rules against their labelled sets.")
    app.add_typer(group, name="eval")

    @group.command()
    def dedupe(
        show: Annotated[int, typer.Option("--show", min=0, max=200, help="Print so many mistakes of each kind.")] = 0,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Duplicate detection on made-up records in both scripts. Exit code 1 below the goal."""
        from dev.evaluations.dedupe import measure  # the matcher's vocabulary takes a while to load

        out = output(lang, as_json)
        scores = measure()
        out.result(
            {"goal": {"precision": GOAL[0], "recall": GOAL[1]}, "scores": [score.document() for score in scores]}
        )
        headings = [
            ("part", "الجزء"), ("of", "المقارَن"), ("records", "السجلات"), ("true pairs", "الأزواج الصحيحة"), ("precision", "الدقة"),
            ("recall", "الاستدعاء"), ("recall with review", "الاستدعاء مع المراجعة"),
        ]  # fmt: skip
        names = {
            "tuning": out.text("tuning", "الضبط"), "held_out": out.text("held out", "المحجوز"),
            "companies": out.text("companies", "المنشآت"), "people": out.text("people", "الأشخاص"),
        }  # fmt: skip
        rows = [
            (
                names[s.part], names[s.of], str(s.records), str(s.true_pairs), f"{s.precision:.4f}", f"{s.recall:.4f}",
                f"{s.recall_with_review:.4f}",
            )
            for s in scores
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))
        for score in scores:
            for what, pairs in (("wrong", score.wrong), ("missed", score.missed)):
                for a, b in pairs[:show]:
                    out.show(f"{score.part} {score.of} {what}: {a} {b}")
        below = [s for s in scores if s.precision < GOAL[0] or s.recall < GOAL[1]]
        if below:
            said = ", ".join(f"{s.part}/{s.of}" for s in below)
            raise BelowGoal(f"Below the goal: {said}.", f"دون المستهدف: {said}.")
