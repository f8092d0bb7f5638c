"""`dealix metrics list/value`: numbers with their definitions."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table, when


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(no_args_is_help=True, help="Metrics: each defined once.")
    app.add_typer(group, name="metrics")

    @group.command("list")
    def list_metrics(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """All metrics with their definitions."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/metrics-catalog")
        out.result(found)
        rows = [
            (i["metric"]["name"], i["metric"][out.lang], i["metric"][f"definition_{out.lang}"], i["metric"]["unit"])
            for i in found["items"]
        ]
        headings = [("name", "الاسم"), ("metric", "المؤشر"), ("definition", "التعريف"), ("unit", "الوحدة")]
        out.show(table(out.lang, headings, rows))

    @group.command()
    def rows(
        name: Annotated[str, typer.Argument(help="The metric's name.")],
        excluded: Annotated[bool, typer.Option("--excluded", help="Those left out of it instead.")] = False,
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The records that a metric's value of the last 30 days came from."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items(f"/metrics-catalog/{name}/rows", limit, excluded=str(excluded).lower())
        out.result({"items": items})
        lines = [
            (plain(i["kind"]), plain(i["id"]), plain("" if i["figure"] is None else i["figure"]), when(i["at"]))
            for i in items
        ]
        headings = [("kind", "النوع"), ("id", "المعرّف"), ("figure", "القيمة"), ("when", "متى")]
        out.show(table(out.lang, headings, lines, whole=[1]))

    @group.command()
    def value(
        name: Annotated[str, typer.Argument(help="The metric's name.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """A metric's value over the last 30 days."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/metrics-catalog/{name}/value")
        out.result(found)
        if found["no_data"]:
            out.say(Sentence(f"No data. {found['why_en']}", f"لا توجد بيانات. {found['why_ar']}"))
            return
        said, unit = found["value"], found["unit"]
        en = f"{found['en']}: {said} {unit} ({found['counted']} of {found['rows']} records, {found['as_of']})."
        ar = f"{found['ar']}: {said} {unit} ({found['counted']} من {found['rows']} سجلًا، {found['as_of']})."
        out.say(Sentence(en, ar))
