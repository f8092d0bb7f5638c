"""`dealix audit`: the architecture audit of a source tree; `dealix audit log`: the audit trail of a running system."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption, progress, write_bytes
from dev.commands.listing import CursorOption, listing
from dev.commands.session import Session, command, session
from dev.messages import DealixError, Lang, NotRunning, Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import table, toned
from dev.views.audit import trail

if TYPE_CHECKING:
    from libs.contracts.architecture import ArchitectureReport

NO_ENTRIES = Sentence("No entries match.", "لا قيود مطابقة.")
SHOWN = 12
"""How many findings of a check, and how many things that a score lacks, are shown; `--json` has all, `--all` shows all."""


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Audit the architecture; read the audit trail.", invoke_without_command=True)
    app.add_typer(group, name="audit")
    _architecture(group, connect)
    _log(group, connect)


def _architecture(group: typer.Typer, connect: Connect) -> None:
    @group.callback()
    def audit(
        context: typer.Context,
        root: Annotated[Path | None, typer.Option("--root", help="The source tree (default: this one).")] = None,
        whole: Annotated[bool, typer.Option("--all", help="Show everything that is missing.")] = False,
        release: Annotated[
            bool, typer.Option("--release", help="Keep the report for the gateway of this build to serve.")
        ] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Audit the architecture: rules, coverage, what to do next. Exit code 1 when a rule is broken."""
        if context.invoked_subcommand is not None:
            return
        from dev.architecture.report import RELEASED
        from dev.architecture.report import audit as run
        from dev.architecture.tree import HERE, Tree

        out = output(lang, as_json)
        tree = Tree(root.resolve() if root else HERE)
        commands = list(getattr(context.find_root().command, "commands", {}))
        with session(out, connect, base_url, data_dir) as here, progress(out) as step:
            report = run(tree, now=datetime.now(UTC), readiness=_readiness(here), commands=commands, step=step)
        if release:
            kept = tree.root / RELEASED
            kept.parent.mkdir(exist_ok=True)
            write_bytes(kept, json.dumps(report.model_dump(mode="json"), ensure_ascii=False, indent=1).encode())
        out.result(report.model_dump(mode="json"))
        out.show(*shown(report, out.lang, None if whole else SHOWN))
        if not report.ok:
            raise typer.Exit(1)


def _readiness(here: Session) -> float | str:
    """The score of the running system; otherwise why there is none. It is never made up."""
    from libs.contracts.architecture import NO_SYSTEM

    try:
        score = here.client.get("/launch-readiness").get("score")
    except NotRunning:
        return NO_SYSTEM
    except DealixError as error:
        return f"unknown: {error.sentence.en}"
    return float(score) if isinstance(score, int | float) else "unknown: the running system names no score"


def shown(report: ArchitectureReport, lang: Lang, most: int | None) -> Iterator[RenderableType]:
    """The report as tables: rules, what breaks them, scores, what to do next."""
    ar = lang == "ar"
    rules = [
        (
            toned("✗", "failed") if check.findings else toned("✓", "ok"),
            check.title.ar if ar else check.title.en,
            str(check.looked_at),
            str(len(check.findings)),
        )
        for check in report.checks
    ]
    yield table(
        lang, [("", ""), ("rule", "القاعدة"), ("looked at", "فُحص"), ("broken", "مخالفات")], rules, numbers=[2, 3]
    )
    for check in report.checks:
        for found in check.findings[:most]:
            yield Text.assemble(("✗ ", "red"), (found.where, "bold"), f"  {found.ar if ar else found.en}")
    unknown = "غير معروف" if ar else "unknown"
    scores = [
        (
            share.name,
            unknown if share.value is None else f"{share.value:g}",
            f"{share.have}/{share.of}",
            share.counts.ar if ar else share.counts.en,
        )
        for share in report.coverage
    ]
    readiness = report.launch_readiness_score
    scores.append(("launch_readiness_score", f"{readiness:g}" if isinstance(readiness, float) else readiness, "", ""))
    yield table(
        lang,
        [("score", "الدرجة"), ("of 100", "من 100"), ("counted", "المعدود"), ("what is counted", "ما يُعد")],
        scores,
        whole=[0],
    )
    for share in report.coverage:
        if share.missing:
            yield Text.assemble(
                (share.name, "bold"),
                " ",
                "ينقصه" if ar else "lacks",
                f" {len(share.missing)}: ",
                ", ".join(share.missing[:most]),
            )
    yield Text("الخطوات التالية" if ar else "Next", style="bold")
    for at, action in enumerate(report.next_actions, 1):
        yield Text(f"{at}. {action.what.ar if ar else action.what.en} ({action.count}): {', '.join(action.first)}")


def _log(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def log(
        here: Session,
        kind: Annotated[str | None, typer.Option("--kind", help="Kind of entry.")] = None,
        actor: Annotated[str | None, typer.Option("--actor", help="Who did it.")] = None,
        target: Annotated[str | None, typer.Option("--target", help="What it was about, like action:ID.")] = None,
        trace: Annotated[str | None, typer.Option("--trace", help="Trace id.")] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """What the ledger holds: who did what to what, newest first."""
        listing(
            here,
            "/audit",
            trail,
            NO_ENTRIES,
            limit=limit,
            cursor=cursor,
            kind=kind,
            actor=actor,
            target=target,
            trace_id=trace,
        )
