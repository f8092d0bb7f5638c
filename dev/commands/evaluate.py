"""`dealix eval …`: measures a rule against its labelled set. Models alone need a running system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from dev.commands import evaluate_agents, evaluate_negotiation
from dev.commands.common import Connect
from dev.messages import DealixError, Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import table


class BelowGoal(DealixError):
    """What was measured is below the goal that was set for it."""


GOAL = (0.98, 0.9)
"""Precision and recall that duplicate detection has to reach, on the held-out part too."""


KNOWLEDGE_GOAL = 0.85
"""Recall among the first ten passages that hybrid search has to reach in both languages, on the held-out part too."""
GATE_GOAL = 0.9
"""Share of the tuning part's attacks that the security gate has to notice."""
FALSE_ALARMS = 0.1
"""Share of harmless texts that it may stop, on the held-out part too."""


def judge(out: Output, goal: Sentence, below: Sequence[str]) -> None:
    """Say what the goal is and whether it was met; `below` names what misses it, with its figures. Raises BelowGoal."""
    met = Sentence("not met", "لم يتحقق") if below else Sentence("met", "تحقق")
    out.show(Sentence(f"Goal: {goal.en}: {met.en}.", f"المستهدف: {goal.ar}؛ {met.ar}.").text(out.lang))
    if below:
        said = ", ".join(below)
        raise BelowGoal(f"Below the goal: {said}.", f"دون المستهدف: {said}.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application. Models alone are asked through a running system."""
    group = typer.Typer(no_args_is_help=True, help="Measure rules against their labelled sets.")
    app.add_typer(group, name="eval")

    _gate(group)
    evaluate_agents.register(group, connect)
    evaluate_negotiation.register(group)

    @group.command()
    def dedupe(
        show: Annotated[int, typer.Option("--show", min=0, max=200, help="Print this many mistakes of each kind.")] = 0,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Duplicate detection on made-up records in both scripts. Exit code 1 below the goal."""
        from dev.evaluations.dedupe import measure  # the matcher's vocabulary takes a while to load

        out = output(lang, as_json)
        scores = measure()
        below = [s for s in scores if s.precision < GOAL[0] or s.recall < GOAL[1]]
        goal = {"precision": GOAL[0], "recall": GOAL[1]}
        out.result({"goal": goal, "met": not below, "scores": [score.document() for score in scores]})
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
        judge(
            out,
            Sentence(
                f"precision at least {GOAL[0]:.2f} and recall at least {GOAL[1]:.2f}, in both parts",
                f"ألا تقل الدقة عن {GOAL[0]:.2f} ولا الاستدعاء عن {GOAL[1]:.2f} في الجزأين",
            ),
            [f"{names[s.part]}/{names[s.of]} ({s.precision:.4f}, {s.recall:.4f})" for s in below],
        )

    @group.command()
    def knowledge(
        show: Annotated[int, typer.Option("--show", min=0, max=200, help="Print this many missed questions.")] = 0,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Knowledge search on a made-up corpus: recall among the first ten passages. Exit code 1 below the goal."""
        from dev.evaluations.knowledge.measure import measure as ask  # a database and a model

        out = output(lang, as_json)
        passages, scores = ask()
        low = [s for s in scores if s.way == "hybrid" and s.part == "held_out" and s.recall < KNOWLEDGE_GOAL]
        documents = [score.document() for score in scores]
        out.result({"goal": KNOWLEDGE_GOAL, "met": not low, "passages": passages, "scores": documents})
        headings = [
            ("part", "الجزء"), ("questions in", "لغة السؤال"), ("by", "البحث"), ("questions", "الأسئلة"), ("recall@10", "الاستدعاء@10"),
            ("right first", "الأول صحيح"), ("other language", "بلغة أخرى"), ("recall@10", "الاستدعاء@10"),
        ]  # fmt: skip
        names = {
            "tuning": out.text("tuning", "الضبط"), "held_out": out.text("held out", "المحجوز"), "ar": out.text("Arabic", "العربية"),
            "en": out.text("English", "الإنجليزية"), "words": out.text("words", "الكلمات"),
            "meaning": out.text("meaning", "المعنى"), "hybrid": out.text("both", "كلاهما"),
        }  # fmt: skip
        rows = [
            (
                names[s.part], names[s.language], names[s.way], str(s.questions), f"{s.recall:.3f}", f"{s.first:.3f}",
                str(s.cross_language), "–" if s.cross_language_recall is None else f"{s.cross_language_recall:.3f}",
            )
            for s in scores
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))
        for score in scores:
            for question in score.missed[:show] if score.way == "hybrid" else ():
                out.show(f"{score.part} {score.language} missed: {question}")
        judge(
            out,
            Sentence(
                f"recall@10 at least {KNOWLEDGE_GOAL:.2f} by both together, in the held-out part and each language",
                f"ألا يقل الاستدعاء@10 بالبحثين معًا عن {KNOWLEDGE_GOAL:.2f} في الجزء المحجوز وفي كل لغة",
            ),
            [f"{names[s.part]}/{names[s.language]} ({s.recall:.3f})" for s in low],
        )


def _gate(group: typer.Typer) -> None:
    @group.command()
    def gate(
        show: Annotated[
            int, typer.Option("--show", min=0, max=200, help="Print this many mistakes of the tuning part.")
        ] = 0,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The security gate on made-up attacks and harmless texts in both languages. Exit code 1 below the goal on the tuning part."""
        from dev.evaluations.gate.measure import measure

        out = output(lang, as_json)
        scores = measure()
        out.result(
            {
                "goal": {"caught": GATE_GOAL, "false_alarms": FALSE_ALARMS},
                "scores": [score.document() for score in scores],
            }
        )
        headings = [
            ("part", "الجزء"), ("attacks", "الهجمات"), ("caught", "المكتشَف"), ("harmless", "السليم"), ("false alarms", "الإنذارات الخاطئة"),
        ]  # fmt: skip
        names = {"tuning": out.text("tuning", "الضبط"), "held_out": out.text("held out", "المحجوز")}
        rows = [
            (names[s.part], str(s.attacks), f"{s.caught} ({s.caught / s.attacks:.0%})", str(s.benign), f"{s.false_alarms} ({s.false_alarms / s.benign:.0%})")
            for s in scores
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))
        out.show(
            out.text(
                "The held-out texts were written after the first rules by the same hands, and no rule was changed for them. Rules do not keep "
                "attackers out: what does is that no text can cause an effect.",
                "كُتبت نصوص الجزء المحجوز بعد القواعد وبيد كاتبها نفسه، ولم تُعدَّل قاعدة من أجلها. الأنماط وحدها لا تصد المهاجم؛ ما يصده أن النص لا ينفّذ شيئًا.",
            )
        )
        for score in scores:
            for text in (*score.missed[:show], *score.wrong[:show]):
                out.show(repr(text))
        tuning = scores[0]
        if tuning.caught / tuning.attacks < GATE_GOAL:
            raise BelowGoal("Below the goal on the tuning part.", "دون المستهدف في جزء الضبط.")
        if any(one.false_alarms / one.benign > FALSE_ALARMS for one in scores):
            raise BelowGoal("Too many harmless texts are stopped.", "النصوص السليمة الموقوفة أكثر من المسموح.")
