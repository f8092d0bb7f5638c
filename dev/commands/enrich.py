"""`dealix enrich` and `dealix facts`: facts from files of permitted sources, and a person's word on disputed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption, existing_file
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @app.command()
    def enrich(
        file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, XLSX or JSON Lines.")],
        adapter: Annotated[str, typer.Option("--adapter", help="public_register or web_form.")],
        basis: Annotated[str, typer.Option("--basis", help="The lawful basis, as `legitimate_interest`.")],
        obtained_on: Annotated[str, typer.Option("--obtained-on", help="When the file was obtained, as 2026-11-01.")],
        licence: Annotated[str, typer.Option("--licence", help="The terms of the source, where it has any.")] = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be filled in.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Fill in records that are there already; what differs from what people stated waits for a person."""
        out = output(lang, as_json)
        path = existing_file(Path(file))
        with connect(out, base_url, data_dir) as client:
            fields = {"adapter": adapter, "lawful_basis": basis, "licence": licence, "obtained_on": obtained_on}
            fields |= {"dry_run": "true"} if dry_run else {}
            found = client.upload("/targeting/enrichment", path, fields)
        out.result(found)
        counts = found["facts"]
        filled, disputed = counts.get("applied", 0), counts.get("disputed", 0)
        en = f"{found['matched']} of {found['rows']} rows fit a record; {filled} facts filled in, {disputed} disputed, {found['refused']} refused."
        ar = f"طابق {found['matched']} من {found['rows']} صفًا سجلًا؛ أُضيفت {filled} معلومة، و{disputed} محل خلاف، ورُفض {found['refused']}."
        out.say(Sentence(en, ar))
        if dry_run:
            out.say(Sentence("Nothing was changed.", "لم يتغيّر شيء."))
            facts = [
                (plain(one["field"]), plain(one["value"]), plain(one["current"] or ""), plain(one["state"]))
                for one in found["found"]
            ]
            heads = [("field", "الحقل"), ("value", "القيمة"), ("record has", "في السجل"), ("state", "الحالة")]
            out.show(table(out.lang, heads, facts))
        rows = [(plain(one["row"]), plain(one["field"]), plain(one[out.lang])) for one in found["refusals"]]
        if rows:
            out.show(table(out.lang, [("row", "الصف"), ("field", "الحقل"), ("why", "السبب")], rows))

    group = typer.Typer(no_args_is_help=True, help="Facts from files: list, decide on disputed ones.")
    app.add_typer(group, name="facts")

    @group.command("list")
    def list_(
        record: Annotated[str | None, typer.Option("--record", help="Id of one record.")] = None,
        state: Annotated[
            str | None, typer.Option("--state", help="applied, confirmed, disputed, accepted or refused.")
        ] = None,
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Facts with their source and standing, newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items("/targeting/enrichment/facts", limit, record_id=record, state=state)
        out.result({"items": items})
        headings = [
            ("field", "الحقل"), ("value", "القيمة"), ("record has", "في السجل"), ("source", "المصدر"), ("state", "الحالة"), ("id", "المعرّف"),
        ]  # fmt: skip
        rows = [
            tuple(plain(one[name] or "") for name in ("field", "value", "current", "source", "state", "fact_id"))
            for one in items
        ]
        out.show(table(out.lang, headings, rows, whole=[5]))

    @group.command()
    def decide(
        fact: Annotated[str, typer.Argument(metavar="FACT", help="Id of a disputed fact.")],
        accept: Annotated[bool, typer.Option("--accept/--refuse", help="Whether it takes its place in the record.")],
        reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Accept a disputed fact, or refuse it."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            reply = client.post(f"/targeting/enrichment/facts/{fact}/decision", {"accept": accept, "reason": reason})
        out.result(reply)
        out.say(Sentence(f"The fact is {reply['state']}.", "قُبلت المعلومة." if accept else "رُفضت المعلومة."))
