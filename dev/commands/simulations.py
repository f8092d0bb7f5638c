"""`dealix predict`, `dealix simulate` and `dealix roi`: open deals at their chance, scenarios, and what an investment brings back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect, read_json_input
from dev.commands.listing import Column, in_language, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from libs.contracts.arabic import DAYS

CALIBRATION = (
    Column("stage", "المرحلة", "stage"),
    Column("deals", "الصفقات", "deals", number=True),
    Column("predicted", "المتوقع", lambda one, _: _share(one["predicted"]), number=True),
    Column("happened", "ما حدث", lambda one, _: _share(one["actual"]), number=True),
    Column("now", "الآن", lambda one, _: _share(one["probability"]), number=True),
)
CUSTOMERS = (
    Column("customer", "العميل", "account_name"),
    Column("silent days", "أيام الانقطاع", "silent_days", number=True),
    Column("risk", "المخاطرة", lambda one, _: _share(one["risk"]), number=True),
    Column("at risk", "المعرّض للفقد", "at_risk", number=True),
)
SCENARIOS = (
    Column("scenario", "السيناريو", in_language()),
    Column("mean", "المتوسط", "mean", number=True),
    Column("10%", "10%", "p10", number=True),
    Column("90%", "90%", "p90", number=True),
    Column("effect", "الأثر", "effect", number=True),
    Column("reaches", "يبلغ الهدف", lambda one, _: _share(one["reaches"]), number=True),
)


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @command(app, connect)
    def predict(here: Session) -> None:
        """Open deals at their calibrated chance, and customers who may not come back."""
        found = here.client.get("/predictive-revenue")
        here.out.result(found)
        _missing(here.out, found)
        if found["expected"] is not None:
            days, expected, value = found["horizon_days"], found["expected"], found["open_value"]
            en = f"Within {days} days: {expected} of {value} that is open."
            here.out.say(Sentence(en, f"خلال {DAYS(days)}: {expected} من {value} مفتوحة."))
            show_items(here.out, found["calibration"], CALIBRATION)
        if found["customers"]:
            show_items(here.out, found["customers"], CUSTOMERS)

    @command(app, connect)
    def simulate(
        here: Session,
        seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same answer.")] = 1,
        months: Annotated[int, typer.Option("--months", min=1, max=36, help="How far ahead.")] = 12,
        runs: Annotated[int, typer.Option("--runs", min=200, max=20000, help="How often.")] = 4000,
        target: Annotated[
            float | None, typer.Option("--target", help="How likely is it to reach this many SAR?")
        ] = None,
        assumptions: Annotated[
            str, typer.Option("--assumptions", help="A JSON file with what is stated instead of read, `-` for stdin.")
        ] = "",
    ) -> None:
        """Seven scenarios of the coming months, by chance."""
        body: dict[str, Any] = {"seed": seed, "months": months, "runs": runs}
        body |= {"target": target} if target is not None else {}
        body |= {"assumptions": read_json_input(assumptions)} if assumptions else {}
        found = here.client.post("/simulator", body)
        here.out.result(found)
        _missing(here.out, found)
        show_items(here.out, found["scenarios"], SCENARIOS)
        for one in found["assumed"]:
            here.out.show(f"{one['name']} = {one['value']:g} ({one['distribution']}; {one['source']})")

    @command(app, connect)
    def roi(
        here: Session,
        file: Annotated[
            str, typer.Argument(metavar="FILE", help="JSON: investment, benefit, cost, rate, years; `-` for stdin.")
        ],
    ) -> None:
        """Net present value, internal rate and payback of an investment, also by how certain each input is."""
        found = here.client.post("/roi", read_json_input(file))
        here.out.result(found)
        rate, months = _share(found["irr"]), found["payback_months"] if found["payback_months"] is not None else "–"
        npv, adjusted = found["npv"], found["risk_adjusted_npv"]
        en = f"Net present value {npv} ({adjusted} by certainty), internal rate {rate}, paid back in {months} months."
        ar = f"صافي القيمة الحالية {npv} ({adjusted} حسب درجة اليقين)، معدل العائد {rate}، الاسترداد بالأشهر {months}."
        here.out.say(Sentence(en, ar))


def _missing(out: Output, found: dict[str, Any]) -> None:
    for one in found["missing"]:
        out.show(out.text(one["en"], one["ar"]))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
