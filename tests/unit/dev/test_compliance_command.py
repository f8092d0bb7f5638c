"""`dealix compliance` against a hand-written gateway: the matrix, one control, and what was named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dev.fake_gateway import FakeGateway

READING = {"rows": 12, "failing": 3, "checked_at": "2026-11-21T09:00:00Z", "sample": ["lead:7"]}


def standing(control: str, result: str, **more: Any) -> dict[str, Any]:
    named = {"control_id": control, "title_en": f"Title of {control}", "title_ar": f"عنوان {control}", "requirement": "Keep it.", "source": "art. 1"}  # fmt: skip
    return {"control": named, "result": result, "reading": READING, "why": {"en": "Rows say so.", "ar": "كما في الصفوف."}, **more}  # fmt: skip


MATRIX = {
    "items": [standing("PDPL-06", "fail"), standing("PDPL-11", "unknown")],
    "counts": {"pass": 0, "fail": 1, "unknown": 1, "n/a": 0},
    "not_advice": {"en": "Not legal advice.", "ar": "ليست استشارة قانونية."},
}
ONE = standing(
    "PDPL-06", "fail", owner="user:1", due_at="2026-12-01T09:00:00Z",
    history=[{"checked_at": "2026-11-20T09:00:00Z", "result": "pass", "rows": 9, "failing": 0}],
    attestations=[{"file_name": "dpa.pdf", "statement": "Signed.", "valid_until": "2027-01-01", "attested_by": "user:2", "sha256": "ab" * 32}],
)  # fmt: skip


def gateway() -> FakeGateway:
    return FakeGateway(
        {
            "POST /compliance/run": MATRIX,
            "GET /compliance/matrix": MATRIX,
            "GET /compliance/controls/PDPL-06": ONE,
        }
    )


def test_looking_at_one_control_shows_that_one_and_counts_all() -> None:
    at = gateway()
    said = at.types("compliance", "run", "PDPL-11").stdout
    assert "PDPL-11" in said and "PDPL-06" not in said
    assert "2 controls: 0 pass, 1 fail, 1 unknown" in said
    assert at.bodies("POST", "/compliance/run") == [{"control_ids": ["PDPL-11"]}]


@pytest.mark.parametrize(("lang", "words"), [("en", ("fail", "Rows say so.")), ("ar", ("مخالف", "كما في الصفوف."))])
def test_the_matrix_names_results_and_reasons_in_the_readers_language(lang: str, words: tuple[str, ...]) -> None:
    said = gateway().types("compliance", "show", "--lang", lang).stdout
    assert "PDPL-06" in said and "PDPL-11" in said and all(word in said for word in words)


def test_one_control_is_shown_with_its_failing_rows_history_and_evidence() -> None:
    said = gateway().types("compliance", "show", "PDPL-06").stdout
    assert all(word in said for word in ("lead:7", "user:1", "2026-11-20", "dpa.pdf", "abababababababab"))
