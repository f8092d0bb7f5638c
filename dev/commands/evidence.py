"""`dealix evidence export`, `verify`, `trust-root`: proof that can be checked without us."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dev.commands.common import Connect, write_bytes
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table

if TYPE_CHECKING:
    from dev.client import Client
    from dev.verify import Report

CHECKPOINT_SECONDS = 15.0
"""Checkpoints are signed at least every 10 s while there is something new."""
RETRY_SECONDS = 0.5
READY = ("ready", "reviewed", "sealed")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Evidence packs.", no_args_is_help=True)
    app.add_typer(group, name="evidence")

    @command(group, connect)
    def export(
        here: Session,
        scope: Annotated[
            str,
            typer.Option("--scope", help="action:ID, flow:ID, deal:ID, control:ID or period:2026-11-01..2026-11-30."),
        ],
        to: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("pack.zip"),
        wait: Annotated[
            bool,
            typer.Option("--wait/--no-wait", help="Wait up to 15 s for entries to come under a signed checkpoint."),
        ] = True,
    ) -> None:
        """Make a pack and download it; anyone can check it with `dealix verify`."""
        pack, content = make_pack(here.client, scope, CHECKPOINT_SECONDS if wait else 0.0)
        write_bytes(to, content)
        here.out.result({**pack, "file": str(to)})
        here.out.say(Sentence(f"{to}: {len(content):,} bytes, SHA-256 {pack.get('sha256', '')}",
                         f"{to}: {len(content):,} بايت، SHA-256 {pack.get('sha256', '')}"))  # fmt: skip
        check = f"dealix trust-root -o jwks.json && dealix verify {to} --trust-root jwks.json"
        here.out.say(Sentence(f"Check it: {check}", f"للتحقق: {check}"))

    @app.command()
    def verify(
        pack: Annotated[Path, typer.Argument(metavar="PACK", help="The evidence pack (ZIP).")],
        trust_root: Annotated[
            Path | None,
            typer.Option(
                "--trust-root",
                help="The operator's published keys, obtained from somewhere other than the pack's sender.",
            ),
        ] = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Check a pack offline: exit code 0 when all checks hold, 1 naming the one that failed, 2 when the signer is unknown."""
        from dev.verify import Check, Report, verify_pack

        out = output(lang, as_json)
        try:
            verdict = verify_pack(pack, trust_root)
        except OSError as error:  # exit code 2 would say that only the signer is in doubt
            verdict = Report(checks=[Check("layout", "failed", f"{pack} cannot be read: {error.strerror}")])
        out.result(verdict.as_dict())
        show_report(out, verdict)
        raise typer.Exit(verdict.exit_code)

    @command(app, connect, "trust-root")
    def trust_root_(
        here: Session,
        to: Annotated[
            Path | None, typer.Option("--output", "-o", help="File to write (default: standard output).")
        ] = None,
    ) -> None:
        """The operator's public keys (JWK set), with which packs are checked."""
        content = here.client.raw("//.well-known/jwks.json")
        if to is None:
            typer.echo(content.decode())
            return
        write_bytes(to, content)
        here.out.result({"file": str(to)})
        here.out.say(Sentence(f"Written to {to}.", f"حُفظت المفاتيح في {to}."))


def make_pack(
    client: Client, scope: str, patience: float, every: float = RETRY_SECONDS
) -> tuple[dict[str, Any], bytes]:
    """A new pack of `scope` and its bytes, waiting up to `patience` seconds for its checkpoint. Raises ApiError."""
    from dev.client import ApiError

    until = time.monotonic() + patience
    while True:
        try:
            pack: dict[str, Any] = client.post("/evidence-packs", {"scope": scope})
            break
        except ApiError as error:
            if error.code != "checkpoint_pending" or time.monotonic() >= until:
                raise
            time.sleep(every)
    while pack.get("state") not in READY and time.monotonic() < until:
        time.sleep(every)
        pack = client.get(f"/evidence-packs/{pack['pack_id']}")
    return pack, client.raw(f"/evidence-packs/{pack['pack_id']}/download")


def show_report(out: Output, verdict: Report) -> None:
    """Each check in a line, then the verdict in a sentence."""
    from dev.verify import CHECKS

    marks = {
        "holds": Text(out.text("ok", "سليم"), style="green"),
        "failed": Text(out.text("FAILED", "فشل"), style="red"),
        "unknown": Text(out.text("signer unknown", "الموقّع مجهول"), style="yellow"),
    }
    column = 1 if out.lang == "ar" else 0
    rows = [(marks[c.result], c.name, CHECKS[c.name][column], plain(c.detail)) for c in verdict.checks]
    headings = [("", ""), ("check", "الفحص"), ("says", "المعنى"), ("detail", "التفصيل")]
    out.show(table(out.lang, headings, rows))
    for note in verdict.notes:
        out.say(Sentence(note.en, note.ar))
    said = {
        0: Sentence("All checks hold.", "كل الفحوص سليمة."),
        1: Sentence(f"Check failed: {verdict.failed}.", f"فشل الفحص: {verdict.failed}."),
        2: Sentence(
            "Signer unknown: nothing is proven. Give the operator's published keys with --trust-root.",
            "الموقّع مجهول: لم يثبت شيء. حدّد مفاتيح المشغّل المنشورة بالخيار --trust-root.",
        ),
    }
    out.say(said[verdict.exit_code])
