"""`dealix metrics list/value`: numbers with their definitions."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, listing, moment, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import plain
from dev.words import word
from libs.contracts.arabic import RECORDS

METRICS = (
    Column("name", "الاسم", lambda one, _: plain(one["metric"]["name"]), whole=True),
    Column("metric", "المؤشر", lambda one, lang: plain(one["metric"][lang])),
    Column("definition", "التعريف", lambda one, lang: plain(one["metric"][f"definition_{lang}"])),
    Column("unit", "الوحدة", lambda one, lang: word("metric_unit", one["metric"]["unit"], lang)),
)
ROWS = (
    Column("kind", "النوع", "kind"),
    Column("id", "المعرّف", "id", whole=True),
    Column("figure", "القيمة", "figure"),
    Column("when", "متى", moment("at")),
)
NO_ROWS = Sentence("No records in the last 30 days.", "لا سجلات في آخر 30 يومًا.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(no_args_is_help=True, help="Metrics: each defined once.")
    app.add_typer(group, name="metrics")

    @command(group, connect, "list")
    def list_metrics(here: Session) -> None:
        """All metrics with their definitions."""
        found = here.client.get("/metrics-catalog")
        here.out.result(found)
        show_items(here.out, found["items"], METRICS)

    @command(group, connect)
    def rows(
        here: Session,
        name: Annotated[str, typer.Argument(help="The metric's name.")],
        excluded: Annotated[
            bool, typer.Option("--excluded", help="The records that were left out of it instead.")
        ] = False,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """The records that a metric's value of the last 30 days came from."""
        left_out = str(excluded).lower()
        listing(here, f"/metrics-catalog/{name}/rows", ROWS, NO_ROWS, limit=limit, cursor=cursor, excluded=left_out)

    @command(group, connect)
    def value(here: Session, name: Annotated[str, typer.Argument(help="The metric's name.")]) -> None:
        """A metric's value over the last 30 days."""
        found = here.client.get(f"/metrics-catalog/{name}/value")
        here.out.result(found)
        if found["no_data"]:
            here.out.say(Sentence(f"No data. {found['why_en']}", f"لا توجد بيانات. {found['why_ar']}"))
            return
        said, unit = found["value"], found["unit"]
        en = f"{found['en']}: {said} {unit} ({found['counted']} of {found['rows']} records, {found['as_of']})."
        ar = f"{found['ar']}: {said} {unit} ({found['counted']} من أصل {RECORDS(found['rows'])}، {found['as_of']})."
        here.out.say(Sentence(en, ar))
