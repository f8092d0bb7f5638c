"""The table of what must not be possible names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "negative-tests.md"
ROWS = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "`test_" in line]


def declared() -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    return set(re.findall(r"^\s*(?:async )?def (test_\w+)\(", text, re.M))


def test_every_test_of_the_table_exists() -> None:
    assert len(ROWS) >= 20
    named = {name for row in ROWS for name in re.findall(r"`(test_\w+)`", row)}
    assert sorted(named - declared()) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_line_has_a_test(row: str) -> None:
    assert re.search(r"`test_\w+`", row.split("|")[2])
