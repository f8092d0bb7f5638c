"""`dealix compliance run/show/attest/export`: the matrix of controls. It prints how many nobody knows the answer to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, write_bytes
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import facts, plain, table, toned, when

IdArgument = Annotated[str, typer.Argument(metavar="CONTROL", help="Id of the control, for instance PDPL-26.")]
WORDS = {
    "pass": ("pass", "مستوفى"), "fail": ("fail", "مخالف"), "unknown": ("unknown", "غير معلوم"), "n/a": ("not applicable", "لا ينطبق"),
}  # fmt: skip
TONES = {"pass": "ok", "fail": "failed", "unknown": "unknown", "n/a": ""}


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Saudi compliance: controls, what was seen, evidence.", no_args_is_help=True)
    app.add_typer(group, name="compliance")
    _reading(group, connect)
    _evidence(group, connect)


def _reading(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def run(
        controls: Annotated[list[str] | None, typer.Argument(metavar="[CONTROL]...", help="Which; all when none is named.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Look at controls now. Says what was found; failures do not make the command fail."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _matrix(out, client.post("/compliance/run", {"control_ids": controls or []}, timeout=90.0))

    @group.command()
    def show(
        control: Annotated[str | None, typer.Argument(metavar="[CONTROL]", help="One control; all without it.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The matrix as it stands, or one control with its history and evidence."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            if control is None:
                _matrix(out, client.get("/compliance/matrix"))
            else:
                _control(out, client.get(f"/compliance/controls/{control}"))


def _evidence(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def attest(
        control: IdArgument,
        statement: Annotated[str, typer.Option("--statement", help="What the evidence shows, or why it does not apply.")],
        valid_until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day on which it counts.")],
        file: Annotated[Path | None, typer.Option("--file", help="PDF, PNG, JPEG or DOCX, up to 5 MB.")] = None,
        not_applicable: Annotated[bool, typer.Option("--not-applicable", help="The control does not apply.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Hand in evidence for a control that no record can answer."""
        out = output(lang, as_json)
        fields = {"statement": statement, "valid_until": valid_until, "applies": str(not not_applicable).lower()}
        path = f"/compliance/controls/{control}/attest"
        try:
            content = file.read_bytes() if file is not None else b""
        except OSError as error:
            raise BadInput(
                f"{file} cannot be read: {error.strerror}.", f"تعذّرت قراءة {file}: {error.strerror}."
            ) from error
        with connect(out, base_url, data_dir) as client:
            _control(out, client.upload_bytes(path, file.name if file is not None else "none", content, fields))

    @group.command()
    def export(
        file: Annotated[
            Path, typer.Option("-o", "--output", help="Where to write it: a PDF where the name ends so, else CSV.")
        ],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The matrix as CSV, or as PDF in both languages."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/compliance/matrix")
            form = "pdf" if file.suffix.lower() == ".pdf" else "csv"
            write_bytes(file, client.raw(f"/compliance/matrix.{form}"))
        out.result({"file": str(file), "counts": found["counts"], "not_advice": found["not_advice"]})
        out.say(Sentence(f"Written to {file}.", f"كُتب في {file}."))
        _counted(out, found)


def _matrix(out: Output, found: dict[str, Any]) -> None:
    out.result(found)
    headings = [
        ("control", "الضابط"), ("title", "العنوان"), ("result", "النتيجة"), ("rows", "الصفوف"), ("failing", "المخالف"),
        ("looked at", "وقت الفحص"), ("why", "السبب"),
    ]  # fmt: skip
    rows: list[list[str | Text]] = []
    for one in found["items"]:
        seen = one["reading"] or {}
        rows.append([
            plain(one["control"]["control_id"]), plain(one["control"][f"title_{out.lang}"]),
            toned(out.text(*WORDS[one["result"]]), TONES[one["result"]]), plain(seen.get("rows")), plain(seen.get("failing")),
            when(seen.get("checked_at")), plain(one["why"][out.lang]),
        ])  # fmt: skip
    out.show(table(out.lang, headings, rows, whole=[0]))
    _counted(out, found)


def _counted(out: Output, found: dict[str, Any]) -> None:
    n = found["counts"]
    total = sum(n.values())
    out.say(
        Sentence(
            f"{total} controls: {n['pass']} pass, {n['fail']} fail, {n['unknown']} unknown, {n['n/a']} not applicable. "
            f"{found['not_advice']['en']}",
            f"{total} ضابطًا: مستوفى {n['pass']}، مخالف {n['fail']}، غير معلوم {n['unknown']}، لا ينطبق {n['n/a']}. "
            f"{found['not_advice']['ar']}",
        )
    )


def _control(out: Output, found: dict[str, Any]) -> None:
    out.result(found)
    c, lang = found["control"], out.lang
    rows = [
        (out.text("control", "الضابط"), f"{c['control_id']} · {plain(c[f'title_{lang}'])}"),
        (out.text("requirement", "المتطلب"), plain(c["requirement"])), (out.text("source", "المصدر"), plain(c["source"])),
        (out.text("result", "النتيجة"), out.text(*WORDS[found["result"]])), (out.text("why", "السبب"), plain(found["why"][lang])),
    ]  # fmt: skip
    if found["owner"]:
        rows += [
            (out.text("owner", "المسؤول"), plain(found["owner"])),
            (out.text("due", "الموعد"), when(found["due_at"])),
        ]
    if (seen := found["reading"]) and seen["sample"]:
        rows.append((out.text("failing rows", "صفوف مخالفة"), ", ".join(plain(one) for one in seen["sample"])))
    out.show(facts(rows))
    history = [[when(h["checked_at"]), h["result"], str(h["rows"]), str(h["failing"])] for h in found["history"]]
    if history:
        headings = [("changed", "وقت التغيّر"), ("result", "النتيجة"), ("rows", "الصفوف"), ("failing", "المخالف")]
        out.show(table(lang, headings, history))
    kept = [
        [plain(a["file_name"]), plain(a["statement"]), a["valid_until"], plain(a["attested_by"]), a["sha256"][:16]]
        for a in found["attestations"]
    ]
    if kept:
        named = [
            ("file", "الملف"),
            ("statement", "البيان"),
            ("valid until", "صالح حتى"),
            ("by", "من"),
            ("sha256", "sha256"),
        ]
        out.show(table(lang, named, kept))
    out.say(Sentence(found["not_advice"]["en"], found["not_advice"]["ar"]))
