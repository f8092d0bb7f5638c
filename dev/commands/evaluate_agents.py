"""`dealix eval agents`: each version of each agent on its set, and the record without which a version does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.messages import DealixError
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table


class BelowGoal(DealixError):
    """A version that may not answer."""


class NotRecorded(DealixError):
    """What a model answers changes from day to day and from tenant to tenant: no version rests on it."""

    def __init__(self) -> None:
        super().__init__(
            "--record keeps what built-in versions measured; what a model answers is on record of its own (`dealix models use`).",
            "الخيار ‎--record يحفظ قياس الإصدارات المدمجة؛ أما إجابات النماذج فسجلها في ‎dealix models use.",
        )


class UnknownAgent(DealixError):
    """There is no set for such an agent."""


def register(group: typer.Typer, connect: Connect) -> None:
    """Add the command to `dealix eval`."""

    @group.command()
    def agents(
        agent: Annotated[list[str] | None, typer.Option("--agent", help="Only this one; may be given again.")] = None,
        record: Annotated[
            bool, typer.Option("--record", help="Keep what was measured: a version answers only with a passing record.")
        ] = False,
        show: Annotated[int, typer.Option("--show", min=0, max=200, help="Print this many mistakes of each.")] = 0,
        provider: Annotated[
            str | None,
            typer.Option(
                "--provider", help="Put the questions to this connected provider, through the running system."
            ),
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The agents that answer without a model, version by version; with --provider those that a model answers for. Exit code 1 when one is
        below its goal."""
        from dev.evaluations.agents import measure as measuring  # the engines and their texts take a while to load
        from libs.contracts.catalogue.agent_versions import agent_versions

        out = output(lang, as_json)
        if provider is not None:
            _of_a_model(connect, out, provider, agent or (), show, record=record, base_url=base_url, data_dir=data_dir)
            return
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


def _of_a_model(
    connect: Connect,
    out: Output,
    provider: str,
    only: Sequence[str],
    show: int,
    *,
    record: bool,
    base_url: str | None,
    data_dir: Path | None,
) -> None:
    from dev.commands import evaluate_models  # brings the evaluation's world along, which takes a while to load
    from libs.contracts.catalogue.prompts import prompts

    if record:
        raise NotRecorded
    if unknown := sorted(set(only) - set(prompts().prompts)):
        named = ", ".join(unknown)
        raise UnknownAgent(f"No model answers for: {named}.", f"لا يجيب أي نموذج عن: {named}.")
    with connect(out, base_url, data_dir) as client:
        scores = evaluate_models.evaluate(client, provider, only)
    evaluate_models.show(out, scores, show)
    if below := [one.agent for one in scores if not one.passed]:
        said = ", ".join(below)
        raise BelowGoal(f"Below the goal with {provider}: {said}.", f"دون المستهدف مع {provider}: {said}.")
