"""`dealix preflight`: what a deploy of this source would change, and whether it may go on beside what runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from dev.commands.common import BadInput, Connect, progress, write_bytes
from dev.commands.session import Session, command
from dev.messages import DealixError, Lang, NotRunning, Sentence
from dev.release.compare import AREAS, Change, Weight, compare, incomparable, verdict
from dev.terminal import plain, table

SHOWN = 15
AREA_NAMES = {
    "schemas": ("migrations", "الترحيلات"), "subjects": ("subjects", "العناوين"), "messages": ("messages", "الرسائل"),
    "policies": ("policies", "السياسات"), "flows": ("flow versions", "إصدارات المسارات"), "permissions": ("permissions", "الصلاحيات"),
    "effects": ("effects", "الآثار"),
}  # fmt: skip
VERDICTS = {
    Weight.FINE: Sentence("Compatible: it only adds.", "متوافق: إضافات فقط."),
    Weight.CAREFUL: Sentence(
        "Compatible with care: a person looks at what is marked, and while both releases run, planes that read a new field go first.",
        "متوافق بحذر: يراجع شخص ما عليه علامة، وتُحدَّث أولًا الخدمات التي تقرأ الحقول الجديدة.",
    ),
    Weight.BREAK: Sentence(
        "It breaks what runs: do not deploy it like this.", "يعطّل ما يعمل الآن: لا تنشره على هذه الصورة."
    ),
}
MARKS = {Weight.BREAK: ("✗", "red"), Weight.CAREFUL: ("!", "yellow"), Weight.FINE: ("+", "green")}


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def preflight(
        here: Session,
        base: Annotated[
            str | None,
            typer.Option("--from", metavar="COMMIT", help="Compare with this commit (default: the newest tag)."),
        ] = None,
        file: Annotated[
            Path | None, typer.Option("--from-file", metavar="FILE", help="Compare with a kept description.")
        ] = None,
        describe: Annotated[
            bool, typer.Option("--describe", help="Describe this release instead, for a later --from-file.")
        ] = False,
        target: Annotated[
            Path | None, typer.Option("--output", "-o", help="Where the description goes (default: stdout).")
        ] = None,
        whole: Annotated[bool, typer.Option("--all", help="Show every change.")] = False,
    ) -> None:
        """What a deploy would change compared with a release: migrations, subjects, messages, policies, flows, permissions, effects.

        Exit code 1 when it breaks what runs.
        """
        from dev.release.base import described_here, from_commit, from_file, last_release

        if base is not None and file is not None:
            raise BadInput("Give --from or --from-file, not both.", "استخدم --from أو --from-file، لا كليهما.")
        if describe:
            _describe(here, described_here(), target)
            return
        with progress(here.out) as step:
            step("the release before", None)
            old = from_file(file) if file is not None else from_commit(base if base is not None else last_release())
            step("this release", None)
            new = described_here()
        from dev.release.live import settled

        changes = compare(old, new)
        live = _live(here, changes)
        changes = settled(changes, live)
        found = verdict(changes)
        left_out = incomparable(old, new)
        here.out.result(
            {
                "verdict": found.value, "from": _named(old), "to": _named(new), "live_flows": live, "not_compared": left_out,
                "changes": [{"area": c.area, "name": c.name, "weight": c.weight.value, "en": c.what.en, "ar": c.what.ar} for c in changes],
            }
        )  # fmt: skip
        here.out.show(*shown(changes, live, left_out, here.out.lang, None if whole else SHOWN))
        here.out.say(VERDICTS[found])
        if found is Weight.BREAK:
            raise typer.Exit(1)


def _describe(here: Session, release: dict[str, Any], target: Path | None) -> None:
    text = json.dumps(release, ensure_ascii=False, indent=1, sort_keys=True)
    if target is None:
        typer.echo(text)
        return
    write_bytes(target, text.encode())
    here.out.result({"written": str(target), "commit": release["commit"], "version": release["version"]})
    here.out.say(Sentence(f"{target} describes this release.", f"يصف {target} هذا الإصدار."))


def _named(release: dict[str, Any]) -> dict[str, Any]:
    return {"version": release["version"], "commit": release.get("commit"), "at": release.get("at")}


def _live(here: Session, changes: Sequence[Change]) -> list[dict[str, Any]] | str:
    """Runs that the changes touch, or why nobody knows."""
    from dev.release.live import touched
    from libs.contracts.architecture import NO_SYSTEM

    try:
        return touched(here.client, changes)
    except NotRunning:
        return NO_SYSTEM
    except DealixError as error:
        return f"unknown: {error.sentence.en}"


def shown(
    changes: Sequence[Change], live: list[dict[str, Any]] | str, left_out: Sequence[str], lang: Lang, most: int | None
) -> Iterator[RenderableType]:
    """The changes counted by area, then one by one, then the live flows."""
    ar = lang == "ar"
    rows = []
    for area in AREAS:
        weights = [one.weight for one in changes if one.area == area]
        rows.append((AREA_NAMES[area][ar], *(str(weights.count(weight)) for weight in Weight)))
    yield table(lang, [("", ""), ("breaks", "يعطّل"), ("careful", "بحذر"), ("adds", "يضيف")], rows, numbers=[1, 2, 3])
    for area in AREAS:
        grave = [one for one in changes if one.area == area and (one.weight is not Weight.FINE or most is None)]
        for one in grave[:most]:
            mark, colour = MARKS[one.weight]
            yield Text.assemble(
                (f"{mark} ", colour), (plain(one.name), "bold"), f"  {one.what.ar if ar else one.what.en}"
            )
        if (more := len(grave) - len(grave[:most])) > 0:
            yield Text(f"  … {AREA_NAMES[area][ar]}: +{more} (--all)")
    if left_out:
        yield Text(
            f"{'لم يُقارن (إصدار أقدم من أن يصفه)' if ar else 'Not compared, for one of the releases does not describe it'}: {', '.join(left_out)}"
        )
    label = "المسارات الجارية المتأثرة" if ar else "Live flows that it touches"
    if isinstance(live, str):
        yield Text(f"{label}: {live}")
    for run in live if isinstance(live, list) else ():
        yield Text(
            f"{label}: {plain(run['flow'])} × {run['runs']}{'+' if run['at_least'] else ''} ({plain(run['tenant_id'])})"
        )
