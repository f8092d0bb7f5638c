"""`dealix forecast`, `predict`, `simulate` and `roi` against a hand-written gateway."""

from __future__ import annotations

from typing import Any

from tests.unit.dev.fake_gateway import FakeGateway

MONTH = {"since": "2026-09-30T21:00:00Z", "until": "2026-10-31T21:00:00Z"}
LACKING = {"code": "months", "have": 3, "need": 11, "en": "11 months are needed.", "ar": "يلزم 11 شهرًا."}
AHEAD = {**MONTH, "horizon": 1, "expected": "300.00", "low": "100.00", "high": "500.00"}
FORECAST: dict[str, Any] = {
    "ready": True, "missing": [], "ahead": [AHEAD],
    "months": [{**MONTH, "actual": None, "so_far": False, "forecast": None, "low": None, "high": None}],
    "back_test": [{"horizon": 1, "months": 9, "accuracy": 0.71, "naive": 0.5, "coverage": None}],
}  # fmt: skip
PART = {"en": "Not closed", "ar": "لم تُغلق", "expected": "40.00", "actual": "0.00", "variance": "-40.00"}
WAYS = ("by_deal", "by_stage", "by_segment", "by_timing")
HEADER = "account,title,amount,outcome,opened_on,closed_on"


def test_months_to_come_are_shown_and_what_is_missing_is_said() -> None:
    shown = FakeGateway({"GET /forecast": FORECAST}).types("forecast", "show")
    assert shown.exit_code == 0 and "300.00" in shown.output and "accuracy 71% over 9 months" in shown.output
    assert "2026-10" in shown.output, "a month begins in Riyadh"
    short = FakeGateway({"POST /forecast/make": {**FORECAST, "ready": False, "missing": [LACKING], "ahead": []}})
    said = short.types("forecast", "show", "--now", "--track", "expansion", "--lang", "ar")
    assert said.exit_code == 0 and "يلزم 11 شهرًا." in said.output
    assert short.asked[0].url.params["track"] == "expansion"


def test_a_gap_is_shown_in_its_parts() -> None:
    gap = {**MONTH, "kind": "back_test", "actual": "10.00", "expected": "50.00", "variance": "-40.00"}
    at = FakeGateway({"GET /forecast/variance": {**gap, **{way: [PART] for way in WAYS}}})  # fmt: skip
    shown = at.types("forecast", "variance", "--month", "2026-10")
    assert shown.exit_code == 0 and shown.output.count("Not closed") == 4 and "back-test" in shown.output
    assert at.asked[0].url.params["month"] == "2026-10"


def test_past_deals_are_sent_in_batches_and_refused_rows_keep_their_number() -> None:
    refused = {"row": 2, "field": "closed_on", "en": "In the future.", "ar": "في المستقبل."}
    at = FakeGateway({"POST /deals/history": {"created": 1, "existing": 0, "refused": [refused]}})
    rows = "\n".join([HEADER, *(f"Rimal,Order {n},5,won,2026-01-01,2026-02-01" for n in range(501))])
    loaded = at.types("forecast", "load", "-", stdin=rows)
    assert loaded.exit_code == 0 and "2 deals kept" in loaded.output and "502" in loaded.output
    sent = at.bodies("POST", "/deals/history")
    assert [len(body["items"]) for body in sent] == [500, 1]
    assert sent[0]["items"][0] == {
        "account": "Rimal", "title": "Order 0", "amount": "5", "outcome": "won", "opened_on": "2026-01-01", "closed_on": "2026-02-01",
    }  # fmt: skip


def test_a_file_without_its_columns_is_refused_before_anything_is_sent() -> None:
    at = FakeGateway()
    for text, said in (
        ("account,title\nA,B\n", "opened_on"),
        (f"{HEADER},colour\n", "colour"),
        (f"{HEADER}\n", "no deal"),
    ):
        refused = at.types("forecast", "load", "-", stdin=text)
        assert refused.exit_code == 2 and said in refused.output
    assert at.asked == []


def test_scenarios_and_returns_are_asked_for_and_shown() -> None:
    scenario = {
        "en": "As until now",
        "ar": "كما هو الآن",
        "mean": "9.00",
        "p10": "1.00",
        "p90": "20.00",
        "effect": "0.00",
        "reaches": 0.25,
    }
    assumed = {"name": "win_rate", "value": 0.3, "distribution": "beta", "source": "metric:win_rate"}
    at = FakeGateway({
        "POST /simulator": {"missing": [], "scenarios": [scenario], "assumed": [assumed]},
        "POST /roi": {"npv": "243.43", "irr": 0.2338, "payback_months": 24, "risk_adjusted_npv": "10.00"},
        "GET /predictive-revenue": {"missing": [LACKING], "expected": None, "customers": []},
    })  # fmt: skip
    simulated = at.types("simulate", "--seed", "7", "--target", "10", "--assumptions", "-", stdin='{"win_rate": 0.3}')
    assert simulated.exit_code == 0 and "25.0%" in simulated.output and "beta; metric:win_rate" in simulated.output
    assert at.bodies("POST", "/simulator") == [
        {"seed": 7, "months": 12, "runs": 4000, "target": 10.0, "assumptions": {"win_rate": 0.3}}
    ]
    returns = at.types("roi", "-", stdin="{}")
    assert returns.exit_code == 0 and "243.43" in returns.output and "23.4%" in returns.output
    assert "11 months are needed." in at.types("predict").output
