"""`dealix forecast`: months to come with their intervals, how earlier forecasts were met, where a gap came from."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, Connect, LimitOption, progress, read_text
from dev.commands.listing import Column, CursorOption, Json, in_language, listing, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import plain, when
from dev.words import word
from libs.contracts.forecasts import Track

MADE = (
    Column("month", "الشهر", lambda one, _: _month(one)),
    Column("kind", "النوع", lambda one, lang: word("forecast_kind", one["kind"], lang)),
    Column("ahead", "الأفق", "horizon", number=True),
    Column("expected", "المتوقع", "expected", number=True),
    Column("actual", "الفعلي", lambda one, _: plain(one["actual"] or "–"), number=True),
    Column("accuracy", "الدقة", lambda one, _: _share(one["accuracy"]), number=True),
)
NOTHING_MADE = Sentence(
    "Nothing was forecast yet: dealix forecast show --now", "لا توقعات بعد: dealix forecast show --now"
)
PARTS = (
    Column("part", "الجزء", in_language()),
    Column("expected", "المتوقع", "expected", number=True),
    Column("actual", "الفعلي", "actual", number=True),
    Column("gap", "الفرق", "variance", number=True),
)
MONTHS = (
    Column("month", "الشهر", lambda one, _: _month(one)),
    Column("actual", "الفعلي", lambda one, _: _figure(one["actual"]) + (" …" if one["so_far"] else ""), number=True),
    Column("expected", "المتوقع", lambda one, _: _figure(one["forecast"]), number=True),
    Column("from", "من", lambda one, _: _figure(one["low"]), number=True),
    Column("to", "إلى", lambda one, _: _figure(one["high"]), number=True),
)
REFUSALS = (Column("row", "الصف", "row"), Column("field", "الحقل", "field"), Column("why", "السبب", in_language()))

TrackOption = Annotated[
    Track, typer.Option("--track", help="What is forecast: revenue, partnerships, acquisitions, expansion.")
]
BATCH = 500
WAYS = {
    "by_deal": ("By deal", "حسب الصفقة"), "by_stage": ("By stage", "حسب المرحلة"), "by_segment": ("By sector", "حسب القطاع"),
    "by_timing": ("By timing", "حسب التوقيت"),
}  # fmt: skip
FIELDS = ("account", "title", "amount", "currency", "outcome", "opened_on", "open_on", "negotiating_on", "closed_on", "reason", "reference")  # fmt: skip


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(no_args_is_help=True, help="Forecasts from what happened, and how they were met.")
    app.add_typer(group, name="forecast")

    @command(group, connect)
    def show(
        here: Session,
        track: TrackOption = Track.REVENUE,
        anew: Annotated[bool, typer.Option("--now", help="Forecast now instead of showing the day's.")] = False,
    ) -> None:
        """The coming months, the past ones beside what was expected of them, and the back-test."""
        found = (
            here.client.post(f"/forecast/make?track={track.value}", {})
            if anew
            else here.client.get("/forecast", track=track.value)
        )
        here.out.result(found)
        _shown(here.out, found)

    @command(group, connect)
    def variance(
        here: Session,
        track: TrackOption = Track.REVENUE,
        month: Annotated[str | None, typer.Option("--month", help="As 2026-10; the last that ended.")] = None,
    ) -> None:
        """The gap between a month and its forecast, taken apart four ways."""
        found = here.client.get("/forecast/variance", track=track.value, month=month)
        here.out.result(found)
        kind = [word("forecast_kind", found["kind"], lang) for lang in ("en", "ar")]
        en = (
            f"{_month(found)}: {found['actual']} against {found['expected']} ({kind[0]}), a gap of {found['variance']}."
        )
        ar = f"{_month(found)}: الفعلي {found['actual']} مقابل {found['expected']} ({kind[1]})، والفرق {found['variance']}."
        here.out.say(Sentence(en, ar))
        for way, (way_en, way_ar) in WAYS.items():
            here.out.show(here.out.text(way_en, way_ar))
            show_items(here.out, found[way], PARTS)

    @command(group, connect)
    def made(
        here: Session, track: TrackOption = Track.REVENUE, limit: LimitOption = 20, cursor: CursorOption = None
    ) -> None:
        """Stored forecasts and back-tests, with what became of them."""
        listing(here, "/forecast/made", MADE, NOTHING_MADE, limit=limit, cursor=cursor, track=track.value)

    @command(group, connect)
    def load(
        here: Session,
        file: Annotated[str, typer.Argument(metavar="FILE", help="CSV of deals won or lost before; `-` is stdin.")],
    ) -> None:
        """Keep deals that were closed before, which forecasts learn from. Columns: account, title, amount, outcome (won, lost), opened_on,
        closed_on; and where known currency, open_on, negotiating_on, reason, reference."""
        rows = _rows(read_text(file), file)
        total: dict[str, Any] = {"created": 0, "existing": 0, "refused": []}
        with progress(here.out) as step:
            for start in range(0, len(rows), BATCH):
                step(here.out.text("Deals", "الصفقات"), start / len(rows))
                found = here.client.post("/deals/history", {"items": rows[start : start + BATCH]})
                total["created"] += found["created"]
                total["existing"] += found["existing"]
                total["refused"] += [{**one, "row": one["row"] + start} for one in found["refused"]]
        here.out.result(total)
        refused = len(total["refused"])
        en = f"{total['created']} deals kept, {total['existing']} were there already, {refused} refused."
        ar = f"الصفقات المحفوظة {total['created']}، والموجودة من قبل {total['existing']}، والمرفوضة {refused}."
        here.out.say(Sentence(en, ar))
        if refused:
            show_items(here.out, total["refused"], REFUSALS)


def _shown(out: Output, found: dict[str, Any]) -> None:
    if not found["ready"]:
        out.say(Sentence("Too little history to forecast.", "السجل أقصر من أن يُبنى عليه توقع."))
        for one in found["missing"]:
            out.show(out.text(one["en"], one["ar"]))
    past = [one for one in found["months"] if one["actual"] is not None or one["forecast"] is not None]
    ahead = [{**one, "actual": None, "so_far": False, "forecast": one["expected"]} for one in found["ahead"]]
    show_items(out, [*past, *ahead], MONTHS)
    for one in found["back_test"]:
        ahead, months, met = one["horizon"], one["months"], _share(one["accuracy"])
        naive, inside = _share(one["naive"]), _share(one["coverage"])
        en = f"{ahead} ahead: accuracy {met} over {months} months (as last month: {naive}), inside the interval {inside}."
        ar = f"الأفق {ahead}: الدقة {met}، الأشهر المختبرة {months} (مثل الشهر السابق: {naive})، وداخل المجال {inside}."
        out.say(Sentence(en, ar))


def _rows(text: str, name: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text))
    columns = [column.strip() for column in reader.fieldnames or ()]
    lacking = [one for one in ("account", "title", "outcome", "opened_on", "closed_on") if one not in columns]
    strange = [one for one in columns if one not in FIELDS]
    if lacking or strange:
        named = ", ".join(lacking or strange)
        raise BadInput(
            f"{name}: these columns are {'missing' if lacking else 'unknown'}: {named}.",
            f"{name}: أعمدة {'ناقصة' if lacking else 'غير معروفة'}: {named}.",
        )
    rows = [
        {key.strip(): value.strip() for key, value in row.items() if key and value and value.strip()} for row in reader
    ]
    if not rows:
        raise BadInput(f"{name} holds no deal.", f"لا صفقات في {name}.")
    return rows


def _month(one: Json) -> str:
    # Months begin in Riyadh; the address says it in UTC, hours before.
    return when(one["since"])[:7]


def _figure(value: Any) -> str:
    return "–" if value is None else str(value)


def _share(value: Any) -> str:
    return "–" if value is None else f"{value:.0%}"
