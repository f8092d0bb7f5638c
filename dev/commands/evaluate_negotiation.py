"""`dealix eval negotiation`: which objections are read out of what people answer."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.output import JsonOption, LangOption, output
from dev.terminal import table

WRONG_AT_MOST = 0.02
"""Share of the held-out answers that may be read as another objection than the one raised: those would get the wrong answer."""


def register(group: typer.Typer) -> None:
    """Add the command to `dealix eval`."""

    @group.command()
    def negotiation(
        show: Annotated[
            int, typer.Option("--show", min=0, max=400, help="Print this many mistakes of the tuning part.")
        ] = 0,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Objections in Gulf and Modern Standard Arabic, English and both mixed: precision, recall and F1 by class. Exit code 1 where too many
        are taken for another."""
        from dev.commands.evaluate import BelowGoal
        from dev.evaluations.negotiation.measure import NONE, measure
        from services.decision.negotiation.domain.classify import playbook

        out = output(lang, as_json)
        scores = measure()
        out.result({"goal": {"wrong": WRONG_AT_MOST}, "scores": [score.document() for score in scores]})
        parts = {"tuning": out.text("tuning", "الضبط"), "held_out": out.text("held out", "المحجوز")}
        names = {key: out.text(one.en, one.ar) for key, one in playbook().objections.items()}
        names[NONE] = out.text("No objection", "لا اعتراض")
        headings = [
            ("part", "الجزء"), ("objection", "الاعتراض"), ("answers", "الردود"), ("precision", "الدقة"), ("recall", "الاستدعاء"), ("F1", "F1"),
        ]  # fmt: skip
        rows = [
            (parts[one.part], names[one.objection], str(one.utterances), "–" if one.precision is None else f"{one.precision:.2f}", f"{one.recall:.2f}", f"{one.f1:.2f}")
            for score in scores
            for one in score.classes
        ]  # fmt: skip
        rows += [
            (parts[s.part], out.text("All", "الكل"), str(s.utterances), out.text(f"{s.wrong} wrong", f"الخاطئ {s.wrong}"), f"{s.accuracy:.2f}", f"{s.macro_f1:.2f}")
            for s in scores
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))
        out.show(
            out.text(
                "Of all answers, recall is the share read right and F1 the mean of the classes. An answer in which nothing clear is read goes to a "
                "person; “wrong” were read as another objection. All are made up, the held-out part after the rules and by the same hands.",
                "في صف «الكل» الاستدعاء حصة الردود المقروءة قراءة صحيحة، وF1 متوسط الفئات. الرد الذي لا يتضح منه اعتراض يُحال إلى شخص، و«الخاطئ» "
                "قُرئ اعتراضًا آخر. الردود كلها مختلقة، وكُتب الجزء المحجوز بعد القواعد وبيد كاتبها نفسه.",
            )
        )
        for missed in scores[0].missed[:show]:
            out.show(" · ".join(missed))
        if any(score.wrong / score.utterances > WRONG_AT_MOST for score in scores):
            raise BelowGoal("Too many objections are taken for another.", "اعتراضات كثيرة تُقرأ على أنها غيرها.")
