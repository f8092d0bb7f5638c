"""`dealix forecast`, `dealix predict` and `dealix models` against a hand-written gateway: tables in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dev.fake_gateway import FakeGateway

SINCE = "2026-09-30T21:00:00Z"
MADE: dict[str, Any] = {
    "since": SINCE, "kind": "back_test", "horizon": 2, "expected": "100.00", "actual": None, "accuracy": 0.9,
}  # fmt: skip
SHOWN: dict[str, Any] = {
    "ready": True, "missing": [], "back_test": [],
    "months": [{"since": SINCE, "actual": "90.00", "so_far": True, "forecast": None, "low": None, "high": None}],
    "ahead": [{"since": "2026-10-31T21:00:00Z", "expected": "120.00", "low": "80.00", "high": "150.00"}],
}  # fmt: skip
USED: dict[str, Any] = {
    "provider": "", "model": "m-1", "agent": "deal_desk", "runs": 4, "failed": 1, "fallbacks": 0, "schema_valid": 0.75, "tokens_in": 900,
    "tokens_out": 100, "cost_sar": "0.20", "p50_ms": 812.4,
}  # fmt: skip
PREDICTED: dict[str, Any] = {
    "missing": [], "expected": "50.00", "horizon_days": 90, "open_value": "200.00",
    "calibration": [{"stage": "open", "deals": 3, "predicted": 0.4, "actual": None, "probability": 0.25}],
    "customers": [{"account_name": "Ofoq", "silent_days": 40, "risk": 0.5, "at_risk": "70.00"}],
}  # fmt: skip


def gateway() -> FakeGateway:
    return FakeGateway(
        {
            "GET /forecast/made": {"items": [MADE], "next_cursor": "next"},
            "GET /forecast": SHOWN,
            "GET /model-routing/use": {"items": [USED]},
            "GET /predictive-revenue": PREDICTED,
        }
    )


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (("forecast", "made", "--limit", "1"), ("2026-10", "back-test", "100.00", "90%", "--cursor next")),
        (("forecast", "made", "--limit", "1", "--lang", "ar"), ("اختبار رجعي", "للمزيد")),
        (("forecast", "show"), ("90.00 …", "2026-11", "120.00", "80.00", "150.00")),
        (("models", "use"), ("none answered", "deal_desk", "75.0%", "1,000", "812")),
        (("models", "use", "--lang", "ar"), ("لم يجب أحد",)),
        (("predict",), ("Within 90 days", "40.0%", "25.0%", "Ofoq", "50.0%")),
    ],
)
def test_what_was_found_is_shown(typed: tuple[str, ...], shown: tuple[str, ...]) -> None:
    done = gateway().types(*typed)
    assert done.exit_code == 0, done.output
    assert [words for words in shown if words not in done.stdout] == []


@pytest.mark.parametrize(
    ("typed", "said"), [(("forecast", "made"), "Nothing was forecast"), (("models", "use"), "No model was asked")]
)
def test_where_there_is_nothing_a_sentence_says_so(typed: tuple[str, ...], said: str) -> None:
    empty = {"items": [], "next_cursor": None}
    at = FakeGateway({"GET /forecast/made": empty, "GET /model-routing/use": empty})
    assert said in at.types(*typed).stdout
