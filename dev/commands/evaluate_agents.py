"""`dealix eval agents`: each version of each agent on its set, and the record without which a version does not answer."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.messages import DealixError
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table


class BelowGoal(DealixError):
    """A version that may not answer."""


class UnknownAgent(DealixError):
    """There is no set for such an agent."""


def register(group: typer.Typer) -> None:
    """Add the command to `dealix eval`."""

    @group.command()
    def agents(
        agent: Annotated[list[str] | None, typer.Option("--agent", help="Only this one; may be given again.")] = None,
        record: Annotated[
            bool, typer.Option("--record", help="Keep what was measured: a version answers only with a passing record.")
        ] = False,
        show: Annotated[int, typer.Option("--show", min=0, max=200, help="Print this many mistakes of each.")] = 0,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The agents that answer without a model, version by version. Exit code 1 when one is below its goal."""
        from dev.evaluations.agents import measure as measuring  # the engines and their texts take a while to load
        from libs.contracts.catalogue.agent_versions import agent_versions

        out = output(lang, as_json)
        if unknown := sorted(set(agent or ()) - set(agent_versions().agents)):
            named = ", ".join(unknown)
            raise UnknownAgent(f"No evaluation set for: {named}.", f"لا توجد مجموعة تقييم لـ: {named}.")
        scores = measuring.measure(agent or ())
        if record:
            measuring.record(scores)
        out.result({"recorded": record, "scores": [score.document() for score in scores]})
        headings = [
            ("agent", "الوكيل"), ("version", "الإصدار"), ("cases", "الحالات"), ("fits its schema", "مطابقة الصيغة"), ("accuracy", "الدقة"),
            ("goal", "المستهدف"), ("SAR a run", "ر.س للتشغيل"), ("ms p50", "م.ث 50%"), ("ms p95", "م.ث 95%"), ("may answer", "يجيب"),
        ]  # fmt: skip
        rows = [
            [
                plain(s.agent), plain(s.version), str(s.cases), f"{s.adherence:.1%}", f"{s.accuracy:.1%}", f"{s.goal:.0%}", f"{s.cost_sar:.2f}",
                f"{s.p50_ms:.1f}", f"{s.p95_ms:.1f}", out.text("yes", "نعم") if s.passed else out.text("no", "لا"),
            ]
            for s in scores
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))
        out.show(
            out.text(
                "Questions and what other planes know are made up. Latency is that of this machine, without a network or a database. No model is asked, so nothing is paid.",
                "الأسئلة وما تعرفه الأجزاء الأخرى مصطنعة. الزمن زمن هذا الجهاز دون شبكة أو قاعدة بيانات، ولا يُستدعى نموذج فلا تكلفة.",
            )
        )
        for score in scores:
            for why in score.wrong[:show]:
                out.show(f"{score.agent} {score.version}: {why}")
        if below := [f"{s.agent} {s.version}" for s in scores if not s.passed]:
            said = ", ".join(below)
            raise BelowGoal(f"Below the goal, and so may not answer: {said}.", f"دون المستهدف، فلا تجيب: {said}.")
