"""A metric is computed in one place: the dictionary's SQL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from libs.contracts.catalogue.metrics import metrics

ROOT = Path(__file__).parents[2]
_COMPUTING = re.compile(
    r"(sum|avg)\(\s*(\w+\.)?amount\b|stage\s*=\s*'won'|stage\s+in\s*\(\s*'(won|lost|open|negotiating)'|closed_at\s*-\s*(\w+\.)?created_at",
    re.I,
)


def _computes(text: str) -> bool:
    return _COMPUTING.search(text) is not None


def test_no_code_outside_the_dictionary_computes_a_metric() -> None:
    files = [file for folder in ("libs", "services", "dev") for file in (ROOT / folder).rglob("*.py")]
    assert files
    assert [str(file.relative_to(ROOT)) for file in files if _computes(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    [
        "select sum(d.amount) from data.deals d",
        "where stage = 'won'",
        "stage in ('won', 'lost')",
        "avg(closed_at - created_at)",
    ],
)
def test_a_planted_second_definition_would_be_noticed(text: str) -> None:
    assert _computes(text)


def test_every_named_metric_is_defined_once_in_both_languages() -> None:
    named = {
        "revenue_actual",
        "pipeline_value",
        "win_rate",
        "cac",
        "consent_coverage",
        "approval_sla_compliance",
        "connector_health",
    }
    assert named <= set(metrics())
    assert all(rule.definition_en and rule.definition_ar for rule in metrics().values())
