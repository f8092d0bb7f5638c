"""`dealix compliance run/show/attest/export`: the matrix of controls. It prints how many nobody knows the answer to."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, Connect, write_bytes
from dev.commands.listing import Column, in_language, moment, named, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import facts, plain, when
from dev.words import word

IdArgument = Annotated[str, typer.Argument(metavar="CONTROL", help="Id of the control, for instance PDPL-26.")]
TONES = {"pass": "ok", "fail": "failed", "unknown": "unknown", "n/a": ""}

MATRIX = (
    Column("control", "الضابط", lambda one, _: plain(one["control"]["control_id"]), whole=True),
    Column("title", "العنوان", lambda one, lang: plain(one["control"][f"title_{lang}"])),
    Column("result", "النتيجة", named("control_result", "result", TONES)),
    Column("rows", "الصفوف", lambda one, _: plain((one["reading"] or {}).get("rows")), number=True),
    Column("failing", "المخالف", lambda one, _: plain((one["reading"] or {}).get("failing")), number=True),
    Column("looked at", "وقت الفحص", lambda one, _: when((one["reading"] or {}).get("checked_at"))),
    Column("why", "السبب", in_language("why")),
)
HISTORY = (
    Column("changed", "وقت التغيّر", moment("checked_at")),
    Column("result", "النتيجة", named("control_result", "result", TONES)),
    Column("rows", "الصفوف", "rows", number=True),
    Column("failing", "المخالف", "failing", number=True),
)
ATTESTED = (
    Column("file", "الملف", "file_name"),
    Column("statement", "البيان", "statement"),
    Column("valid until", "صالح حتى", "valid_until"),
    Column("by", "من", "attested_by"),
    Column("sha256", "sha256", lambda one, _: plain(one["sha256"][:16])),
)


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Saudi compliance: controls, what was seen, evidence.", no_args_is_help=True)
    app.add_typer(group, name="compliance")
    _reading(group, connect)
    _evidence(group, connect)


def _reading(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def run(
        here: Session,
        controls: Annotated[list[str] | None, typer.Argument(metavar="[CONTROL]...", help="Which; all when none is named.")] = None,
    ) -> None:  # fmt: skip
        """Look at controls now. Says what was found; failures do not make the command fail."""
        found = here.client.post("/compliance/run", {"control_ids": controls or []}, timeout=90.0)
        _matrix(here.out, found, only=controls or ())

    @command(group, connect)
    def show(
        here: Session,
        control: Annotated[str | None, typer.Argument(metavar="[CONTROL]", help="One control; all without it.")] = None,
    ) -> None:
        """The matrix as it stands, or one control with its history and evidence."""
        if control is None:
            _matrix(here.out, here.client.get("/compliance/matrix"))
        else:
            _control(here.out, here.client.get(f"/compliance/controls/{control}"))


def _evidence(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def attest(
        here: Session,
        control: IdArgument,
        statement: Annotated[str, typer.Option("--statement", help="What the evidence shows, or why it does not apply.")],
        valid_until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day on which it counts.")],
        file: Annotated[Path | None, typer.Option("--file", help="PDF, PNG, JPEG or DOCX, up to 5 MB.")] = None,
        not_applicable: Annotated[bool, typer.Option("--not-applicable", help="The control does not apply.")] = False,
    ) -> None:  # fmt: skip
        """Hand in evidence for a control that no record can answer."""
        fields = {"statement": statement, "valid_until": valid_until, "applies": str(not not_applicable).lower()}
        path = f"/compliance/controls/{control}/attest"
        try:
            content = file.read_bytes() if file is not None else b""
        except OSError as error:
            raise BadInput(
                f"{file} cannot be read: {error.strerror}.", f"تعذّرت قراءة {file}: {error.strerror}."
            ) from error
        _control(here.out, here.client.upload_bytes(path, file.name if file is not None else "none", content, fields))

    @command(group, connect)
    def export(
        here: Session,
        file: Annotated[
            Path, typer.Option("-o", "--output", help="Where to write it: a PDF where the name ends so, else CSV.")
        ],
    ) -> None:
        """The matrix as CSV, or as PDF in both languages."""
        found = here.client.get("/compliance/matrix")
        form = "pdf" if file.suffix.lower() == ".pdf" else "csv"
        write_bytes(file, here.client.raw(f"/compliance/matrix.{form}"))
        here.out.result({"file": str(file), "counts": found["counts"], "not_advice": found["not_advice"]})
        here.out.say(Sentence(f"Written to {file}.", f"كُتب في {file}."))
        _counted(here.out, found)


def _matrix(out: Output, found: dict[str, Any], only: Collection[str] = ()) -> None:
    """The whole matrix, or the controls that were asked for; the counts are of all."""
    out.result(found)
    show_items(out, [one for one in found["items"] if not only or one["control"]["control_id"] in only], MATRIX)
    _counted(out, found)


def _counted(out: Output, found: dict[str, Any]) -> None:
    n = found["counts"]
    total = sum(n.values())
    out.say(
        Sentence(
            f"{total} controls: {n['pass']} pass, {n['fail']} fail, {n['unknown']} unknown, {n['n/a']} not applicable. "
            f"{found['not_advice']['en']}",
            f"الضوابط {total}: مستوفى {n['pass']}، مخالف {n['fail']}، غير معلوم {n['unknown']}، لا ينطبق {n['n/a']}. "
            f"{found['not_advice']['ar']}",
        )
    )


def _control(out: Output, found: dict[str, Any]) -> None:
    out.result(found)
    c, lang = found["control"], out.lang
    rows = [
        (out.text("control", "الضابط"), f"{c['control_id']} · {plain(c[f'title_{lang}'])}"),
        (out.text("requirement", "المتطلب"), plain(c["requirement"])), (out.text("source", "المصدر"), plain(c["source"])),
        (out.text("result", "النتيجة"), word("control_result", found["result"], out.lang)), (out.text("why", "السبب"), plain(found["why"][lang])),
    ]  # fmt: skip
    if found["owner"]:
        rows += [
            (out.text("owner", "المسؤول"), plain(found["owner"])),
            (out.text("due", "الموعد"), when(found["due_at"])),
        ]
    if (seen := found["reading"]) and seen["sample"]:
        rows.append((out.text("failing rows", "صفوف مخالفة"), ", ".join(plain(one) for one in seen["sample"])))
    out.show(facts(rows))
    if found["history"]:
        show_items(out, found["history"], HISTORY)
    if found["attestations"]:
        show_items(out, found["attestations"], ATTESTED)
