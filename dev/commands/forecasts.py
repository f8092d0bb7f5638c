"""`dealix forecast`: months to come with their intervals, how earlier forecasts were met, where a gap came from."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, LimitOption, progress, read_text
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table, when
from libs.contracts.forecasts import Track

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

    @group.command()
    def show(
        track: TrackOption = Track.REVENUE,
        anew: Annotated[bool, typer.Option("--now", help="Forecast now instead of showing the day's.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The coming months, the past ones beside what was expected of them, and the back-test."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = (
                client.post(f"/forecast/make?track={track.value}", {})
                if anew
                else client.get("/forecast", track=track.value)
            )
        out.result(found)
        _shown(out, found)

    @group.command()
    def variance(
        track: TrackOption = Track.REVENUE,
        month: Annotated[str | None, typer.Option("--month", help="As 2026-10; the last that ended.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The gap between a month and its forecast, taken apart four ways."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/forecast/variance", track=track.value, month=month)
        out.result(found)
        kind = ("forecast", "توقع") if found["kind"] == "made" else ("back-test", "اختبار رجعي")
        en = (
            f"{_month(found)}: {found['actual']} against {found['expected']} ({kind[0]}), a gap of {found['variance']}."
        )
        ar = f"{_month(found)}: الفعلي {found['actual']} مقابل {found['expected']} ({kind[1]})، والفرق {found['variance']}."
        out.say(Sentence(en, ar))
        headings = [("part", "الجزء"), ("expected", "المتوقع"), ("actual", "الفعلي"), ("gap", "الفرق")]
        for way, (way_en, way_ar) in WAYS.items():
            out.show(out.text(way_en, way_ar))
            rows = [
                (plain(one[out.lang]), plain(one["expected"]), plain(one["actual"]), plain(one["variance"]))
                for one in found[way]
            ]
            out.show(table(out.lang, headings, rows, numbers=[1, 2, 3]))

    @group.command()
    def made(
        track: TrackOption = Track.REVENUE,
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Stored forecasts and back-tests, with what became of them."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items("/forecast/made", limit, track=track.value)
        out.result({"items": items})
        headings = [
            ("month", "الشهر"), ("kind", "النوع"), ("ahead", "الأفق"), ("expected", "المتوقع"), ("actual", "الفعلي"), ("accuracy", "الدقة"),
        ]  # fmt: skip
        rows = [
            (
                _month(one), out.text(*(("forecast", "توقع") if one["kind"] == "made" else ("back-test", "اختبار رجعي"))), str(one["horizon"]),
                one["expected"], one["actual"] or "–", _share(one["accuracy"]),
            )
            for one in items
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows, numbers=[2, 3, 4, 5]))

    @group.command()
    def load(
        file: Annotated[str, typer.Argument(metavar="FILE", help="CSV of deals won or lost before; `-` is stdin.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Keep deals that were closed before, which forecasts learn from. Columns: account, title, amount, outcome (won, lost), opened_on,
        closed_on; and where known currency, open_on, negotiating_on, reason, reference."""
        out = output(lang, as_json)
        rows = _rows(read_text(file), file)
        total: dict[str, Any] = {"created": 0, "existing": 0, "refused": []}
        with connect(out, base_url, data_dir) as client, progress(out) as step:
            for start in range(0, len(rows), BATCH):
                step(out.text("Deals", "الصفقات"), start / len(rows))
                found = client.post("/deals/history", {"items": rows[start : start + BATCH]})
                total["created"] += found["created"]
                total["existing"] += found["existing"]
                total["refused"] += [{**one, "row": one["row"] + start} for one in found["refused"]]
        out.result(total)
        refused = len(total["refused"])
        en = f"{total['created']} deals kept, {total['existing']} were there already, {refused} refused."
        ar = f"حُفظت {total['created']} صفقة، و{total['existing']} كانت موجودة، ورُفضت {refused}."
        out.say(Sentence(en, ar))
        if refused:
            lines = [(str(one["row"]), plain(one["field"]), plain(one[out.lang])) for one in total["refused"]]
            out.show(table(out.lang, [("row", "الصف"), ("field", "الحقل"), ("why", "السبب")], lines))


def _shown(out: Output, found: dict[str, Any]) -> None:
    if not found["ready"]:
        out.say(Sentence("Too little history to forecast.", "السجل أقصر من أن يُبنى عليه توقع."))
        for one in found["missing"]:
            out.show(out.text(one["en"], one["ar"]))
    headings = [("month", "الشهر"), ("actual", "الفعلي"), ("expected", "المتوقع"), ("from", "من"), ("to", "إلى")]
    rows = [
        (_month(one), _figure(one["actual"]) + (" …" if one["so_far"] else ""), _figure(one["forecast"]), _figure(one["low"]), _figure(one["high"]))
        for one in found["months"]
        if one["actual"] is not None or one["forecast"] is not None
    ]  # fmt: skip
    rows += [(_month(one), "–", one["expected"], one["low"], one["high"]) for one in found["ahead"]]
    out.show(table(out.lang, headings, rows, numbers=[1, 2, 3, 4]))
    for one in found["back_test"]:
        ahead, months, met = one["horizon"], one["months"], _share(one["accuracy"])
        naive, inside = _share(one["naive"]), _share(one["coverage"])
        en = f"{ahead} ahead: accuracy {met} over {months} months (as last month: {naive}), inside the interval {inside}."
        ar = f"الأفق {ahead}: الدقة {met} في {months} شهرًا (مثل الشهر السابق: {naive})، وداخل المجال {inside}."
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


def _month(one: dict[str, Any]) -> str:
    # Months begin in Riyadh; the address says it in UTC, hours before.
    return when(one["since"])[:7]


def _figure(value: Any) -> str:
    return "–" if value is None else str(value)


def _share(value: Any) -> str:
    return "–" if value is None else f"{value:.0%}"
