"""`dealix predict`, `dealix simulate` and `dealix roi`: open deals at their chance, scenarios, and what an investment brings back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, read_json_input
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @app.command()
    def predict(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Open deals at their calibrated chance, and customers who may not come back."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/predictive-revenue")
        out.result(found)
        _missing(out, found)
        if found["expected"] is not None:
            days, expected, value = found["horizon_days"], found["expected"], found["open_value"]
            en = f"Within {days} days: {expected} of {value} that is open."
            out.say(Sentence(en, f"خلال {days} يومًا: {expected} من {value} مفتوحة."))
            headings = [("stage", "المرحلة"), ("deals", "الصفقات"), ("predicted", "المتوقع"), ("happened", "ما حدث"), ("now", "الآن")]  # fmt: skip
            rows = [
                (plain(one["stage"]), str(one["deals"]), _share(one["predicted"]), _share(one["actual"]), _share(one["probability"]))
                for one in found["calibration"]
            ]  # fmt: skip
            out.show(table(out.lang, headings, rows, numbers=[1, 2, 3, 4]))
        if found["customers"]:
            headings = [("customer", "العميل"), ("silent days", "أيام الانقطاع"), ("risk", "المخاطرة"), ("at risk", "المعرّض للفقد")]  # fmt: skip
            lines = [
                (plain(one["account_name"]), str(one["silent_days"]), _share(one["risk"]), str(one["at_risk"]))
                for one in found["customers"]
            ]
            out.show(table(out.lang, headings, lines, numbers=[1, 2, 3]))

    @app.command()
    def simulate(
        seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same answer.")] = 1,
        months: Annotated[int, typer.Option("--months", min=1, max=36, help="How far ahead.")] = 12,
        runs: Annotated[int, typer.Option("--runs", min=200, max=20000, help="How often.")] = 4000,
        target: Annotated[
            float | None, typer.Option("--target", help="How likely is it to reach this many SAR?")
        ] = None,
        assumptions: Annotated[
            str, typer.Option("--assumptions", help="A JSON file with what is stated instead of read, `-` for stdin.")
        ] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Seven scenarios of the coming months, by chance."""
        out = output(lang, as_json)
        body: dict[str, Any] = {"seed": seed, "months": months, "runs": runs}
        body |= {"target": target} if target is not None else {}
        body |= {"assumptions": read_json_input(assumptions)} if assumptions else {}
        with connect(out, base_url, data_dir) as client:
            found = client.post("/simulator", body)
        out.result(found)
        _missing(out, found)
        headings = [
            ("scenario", "السيناريو"), ("mean", "المتوسط"), ("10%", "10%"), ("90%", "90%"), ("effect", "الأثر"), ("reaches", "يبلغ الهدف"),
        ]  # fmt: skip
        rows = [
            (plain(one[out.lang]), one["mean"], one["p10"], one["p90"], one["effect"], _share(one["reaches"]))
            for one in found["scenarios"]
        ]
        out.show(table(out.lang, headings, rows, numbers=[1, 2, 3, 4, 5]))
        for one in found["assumed"]:
            out.show(f"{one['name']} = {one['value']:g} ({one['distribution']}; {one['source']})")

    @app.command()
    def roi(
        file: Annotated[
            str, typer.Argument(metavar="FILE", help="JSON: investment, benefit, cost, rate, years; `-` for stdin.")
        ],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Net present value, internal rate and payback of an investment, also by how certain each input is."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post("/roi", read_json_input(file))
        out.result(found)
        rate, months = _share(found["irr"]), found["payback_months"] if found["payback_months"] is not None else "–"
        npv, adjusted = found["npv"], found["risk_adjusted_npv"]
        en = f"Net present value {npv} ({adjusted} by certainty), internal rate {rate}, paid back in {months} months."
        ar = (
            f"صافي القيمة الحالية {npv} ({adjusted} حسب درجة اليقين)، معدل العائد {rate}، الاسترداد خلال {months} شهرًا."
        )
        out.say(Sentence(en, ar))


def _missing(out: Output, found: dict[str, Any]) -> None:
    for one in found["missing"]:
        out.show(out.text(one["en"], one["ar"]))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
