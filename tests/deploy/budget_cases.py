"""Cases for burn alerts, in promtool's format: for each objective and each pair of windows, errors a quarter above what is allowed, and a fifth below.

What is allowed follows here from the objective and the published burn rates, not from the expressions that are tested.
"""

from __future__ import annotations

import json
import re
from typing import Any

from libs.contracts.catalogue.slos import Slo, SloKind, slos

RATES = {"1h": (14.4, "page"), "6h": (6, "page"), "3d": (1, "ticket")}
"""Google, Site Reliability Workbook, table 5-8."""
EACH_MINUTE = 1_000_000
MINUTES = 12
"""Shares are constant, so every window sees the same; the alerts wait for two minutes."""


def budgets() -> list[Slo]:
    return [slo for slo in slos().values() if slo.kind is not SloKind.LEVEL]


def document() -> dict[str, Any]:
    tests = []
    for slo in budgets():
        assert slo.objective is not None
        for window, (rate, severity) in RATES.items():
            allowed = rate * (1 - slo.objective)
            for share, fires in ((1.25 * allowed, True), (0.8 * allowed, False)):
                name = f"DealixBudgetBurn_{slo.name}_{window}"
                tests.append(
                    {
                        "name": f"{name} at {share:.5f}",
                        "interval": "1m",
                        "input_series": series(slo, share),
                        "alert_rule_test": [
                            {
                                "eval_time": f"{MINUTES}m",
                                "alertname": name,
                                "exp_alerts": [_alert(slo, rate, severity)] if fires else [],
                            }
                        ],
                    }
                )
    return {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}


def series(slo: Slo, share: float) -> list[dict[str, str]]:
    """Counters as a plane exposes them, of which `share` counts against the objective."""
    bad = round(EACH_MINUTE * share)
    where = {key: _example(pattern) for key, pattern in slo.where.items()}
    if slo.kind is SloKind.RATIO:
        ((label, pattern),) = slo.bad.items()
        good_value = "200" if label == "status" else "ok"
        return [
            _series(slo.metric, {**where, label: good_value}, EACH_MINUTE - bad),
            _series(slo.metric, {**where, label: _example(pattern)}, bad),
        ]
    return [
        _series(f"{slo.metric}_bucket", {**where, "le": f"{slo.seconds:g}"}, EACH_MINUTE - bad),
        _series(f"{slo.metric}_bucket", {**where, "le": "+Inf"}, EACH_MINUTE),
        _series(f"{slo.metric}_count", where, EACH_MINUTE),
    ]


def _series(name: str, labels: dict[str, str], step: int) -> dict[str, str]:
    inner = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
    return {"series": f"{name}{{{inner}}}", "values": f"0+{step}x{MINUTES}"}


def _example(pattern: str) -> str:
    """Something that the pattern matches: `5..` is 500, an escaped dot is a dot."""
    found = pattern.replace("\\.", "\0").replace(".", "0").replace("\0", ".")
    assert re.fullmatch(pattern, found)
    return found


def _alert(slo: Slo, rate: float, severity: str) -> dict[str, Any]:
    return {
        "exp_labels": {"severity": severity, "slo": slo.name, "owner": slo.owner},
        "exp_annotations": {
            "summary": f"{slo.en}: the error budget burns {rate:g} times too fast",
            "summary_ar": f"{slo.ar}: يُستهلك هامش الخطأ أسرع من المسموح بمقدار {rate:g} مرة",
            "runbook": "docs/runbook.md#budget-burn",
        },
    }
