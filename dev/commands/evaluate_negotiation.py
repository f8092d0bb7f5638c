"""`dealix eval negotiation`: which objections are read out of what people answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import table

if TYPE_CHECKING:  # the model and its vectors take a while to load
    from dev.evaluations.negotiation.measure import Score
    from services.decision.negotiation.domain.weights import LeftOut

WRONG_AT_MOST = 0.02
"""Share of the answers of a part that may be read as another objection than the one raised: those would get the wrong answer."""
RIGHT_AT_LEAST = 0.5
"""Share of the held-out answers that have to be read right: phrases alone read 18 % of them."""


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
        """Objections in Gulf and Modern Standard Arabic, English and both mixed: read right, read wrong, left to a person, by language and by
        class, with and without the local model. Exit code 1 where too many are taken for another or too few read."""
        from dev.commands.evaluate import BelowGoal
        from dev.evaluations.negotiation.measure import MEANING, NONE, measure
        from services.decision.negotiation.domain.classify import playbook
        from services.decision.negotiation.domain.weights import weights

        out, learned = output(lang, as_json), weights()
        scores = measure()
        unseen = {"alone": learned.alone, "beside": learned.beside}
        out.result({
            "goal": {"wrong": WRONG_AT_MOST, "right_held_out": RIGHT_AT_LEAST}, "threshold": learned.threshold, "weights": learned.version,
            "cross_validated": {where: one.model_dump() for where, one in unseen.items() if one}, "scores": [score.document() for score in scores],
        })  # fmt: skip
        parts = {
            "tuning": out.text("tuning", "الضبط"),
            "learned": out.text("learned", "التدريب"),
            "held_out": out.text("held out", "المحجوز"),
        }
        names = {key: out.text(one.en, one.ar) for key, one in playbook().objections.items()}
        names[NONE] = out.text("No objection", "لا اعتراض")
        out.show(table(out.lang, _CLASSES, [
            (parts[one.part], names[one.objection], str(one.utterances), "–" if one.precision is None else f"{one.precision:.2f}", f"{one.recall:.2f}", f"{one.f1:.2f}")
            for score in scores if score.by == MEANING for one in score.classes
        ]))  # fmt: skip
        out.show(table(out.lang, _OUTCOMES, [*_outcomes(out, scores, parts), *_unseen(out, unseen)]))
        goal = f"{WRONG_AT_MOST:.0%}", f"{RIGHT_AT_LEAST:.0%}"
        out.show(out.text(
            f"Goal: at most {goal[0]} of a part wrong, at least {goal[1]} of the held-out part right. “Wrong” was read as another objection; what nothing "
            f"clear is read in goes to a person. An objection is believed by its meaning from {learned.threshold} on, chosen on answers left out of "
            "the training. All are made up, the held-out part after the rules and by the same hands; nothing is learned from it.",
            f"الهدف: لا يزيد الخاطئ في أي جزء على {goal[0]}، ولا يقل الصحيح في المحجوز عن {goal[1]}. «الخاطئ» قُرئ اعتراضًا آخر، وما لا يتضح يُحال إلى "
            f"شخص. يُعتمد معنى الجملة من احتمال {learned.threshold} فأعلى، وقد اختير على ردود لم تدخل في التدريب. الردود كلها مختلقة، وكُتب المحجوز "
            "بعد القواعد وبيد كاتبها نفسه، ولا يُتعلَّم منه شيء.",
        ))  # fmt: skip
        for missed in scores[0].missed[:show]:
            out.show(" · ".join(missed))
        if any(score.wrong / score.utterances > WRONG_AT_MOST for score in scores):
            raise BelowGoal("Too many objections are taken for another.", "اعتراضات كثيرة تُقرأ على أنها غيرها.")
        if any(score.accuracy < RIGHT_AT_LEAST for score in scores if score.by == MEANING and score.part == "held_out"):
            raise BelowGoal("Too few objections are read.", "الاعتراضات المقروءة قليلة.")


_CLASSES = [
    ("part", "الجزء"), ("objection", "الاعتراض"), ("answers", "الردود"), ("precision", "الدقة"), ("recall", "الاستدعاء"), ("F1", "F1"),
]  # fmt: skip
_OUTCOMES = [
    ("part", "الجزء"), ("read by", "القراءة"), ("language", "اللغة"), ("answers", "الردود"), ("right", "صحيح"), ("wrong", "خاطئ"),
    ("to a person", "إلى شخص"),
]  # fmt: skip
_VARIETIES = {
    "gulf": ("Gulf Arabic", "خليجي"), "msa": ("Standard Arabic", "فصيح"), "english": ("English", "إنجليزي"), "mixed": ("mixed", "مختلط"),
}  # fmt: skip


def _outcomes(out: Output, scores: Sequence[Score], parts: Mapping[str, str]) -> list[tuple[str, ...]]:
    ways = {
        "meaning": out.text("phrases and meaning", "العبارات والمعنى"),
        "phrases": out.text("phrases alone", "العبارات وحدها"),
    }
    rows = []
    for score in scores:
        whole = _row(score.utterances, score.right, score.wrong, score.to_person)
        if score.by == "meaning":
            rows += [
                (parts[score.part], ways[score.by], out.text(*_VARIETIES[one.variety]), *_row(one.utterances, one.right, one.wrong, one.to_person))
                for one in score.varieties
            ]  # fmt: skip
        rows.append((parts[score.part], ways[score.by], out.text("all", "الكل"), *whole))
    return rows


def _unseen(out: Output, found: Mapping[str, LeftOut | None]) -> list[tuple[str, ...]]:
    """How the training part is read by weights that have not seen an answer: without phrases, which were written for that part."""
    where = {
        "alone": out.text("all", "الكل"),
        "beside": out.text("all, beside a harmless sentence", "الكل، بجوار جملة عادية"),
    }
    part, by = out.text("both, left out of training", "الجزآن، خارج التدريب"), out.text("meaning alone", "المعنى وحده")
    return [
        (part, by, where[name], *_row(one.answers, one.right, one.wrong, one.answers - one.right - one.wrong))
        for name, one in found.items()
        if one is not None
    ]


def _row(count: int, right: int, wrong: int, to_person: int) -> tuple[str, ...]:
    return (
        str(count),
        f"{right} ({right / count:.0%})",
        f"{wrong} ({wrong / count:.1%})",
        f"{to_person} ({to_person / count:.0%})",
    )
