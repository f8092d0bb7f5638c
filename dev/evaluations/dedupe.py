"""Measures the import's matching against labelled records: which rows became one, and which should have.

Precision is of what merges by itself. Recall is given twice: of what merges by itself, and together with the pairs that the review
queue shows a person. Pairs of rows are counted, companies and people apart, the tuning part and the held-out part apart.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import combinations
from typing import Any

from dev.evaluations.dedupe_make import FILE
from services.data.importing.domain.detect import read_file
from services.data.importing.domain.plan import plan_import
from services.data.importing.domain.records import MergePlan
from services.data.importing.domain.rows import read_rows

LABELS = ("record_id", "part", "company_id", "person_id", "kind")
TODAY = date(2026, 11, 21)


@dataclass(frozen=True)
class Score:
    """Of one part and one kind of record. Shares from 0 to 1."""

    part: str
    of: str
    records: int
    true_pairs: int
    precision: float
    recall: float
    recall_with_review: float
    wrong: tuple[tuple[str, str], ...] = ()
    missed: tuple[tuple[str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        return asdict(self)


def measure() -> list[Score]:
    """Import each part by itself, as a file, and compare."""
    with FILE.open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    scores: list[Score] = []
    for part in dict.fromkeys(record["part"] for record in records):
        own = [record for record in records if record["part"] == part]
        plan = _plan(own)
        for of, label, side in (("companies", "company_id", "account"), ("people", "person_id", "contact")):
            scores.append(
                _score(part, of, side, [record[label] for record in own], [r["record_id"] for r in own], plan)
            )
    return scores


def _plan(records: Sequence[dict[str, str]]) -> MergePlan:
    columns = [name for name in records[0] if name not in LABELS]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([record[name] for name in columns] for record in records)
    rows = read_rows(read_file(text.getvalue().encode()), source="own_crm", today=TODAY)
    if rows.rejected:
        raise ValueError(f"{len(rows.rejected)} records were rejected, first: {rows.rejected[0].en}")
    return plan_import(rows)


def _score(part: str, of: str, side: str, truth: Sequence[str], ids: Sequence[str], plan: MergePlan) -> Score:
    position = {decision.row_number: index for index, decision in enumerate(plan.decisions)}
    found = [getattr(decision, side) for decision in plan.decisions]
    true, merged = _pairs(truth), _pairs(found)
    shown: set[tuple[int, int]] = set()
    rows_of: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(found):
        rows_of[group].append(index)
    for pair in plan.reviews:
        if pair.kind == side and pair.other_row is not None:
            ends = (found[position[pair.row_number]], found[position[pair.other_row]])
            shown |= {(min(a, b), max(a, b)) for a in rows_of[ends[0]] for b in rows_of[ends[1]]}
    hit = len(true & merged)
    return Score(
        part, of, len(truth), len(true), hit / len(merged) if merged else 0.0, hit / len(true),
        len(true & (merged | shown)) / len(true),
        tuple((ids[a], ids[b]) for a, b in sorted(merged - true)[:200]),
        tuple((ids[a], ids[b]) for a, b in sorted(true - merged)[:200]),
    )  # fmt: skip


def _pairs(groups: Iterable[object]) -> set[tuple[int, int]]:
    members: dict[object, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    return {pair for group in members.values() for pair in combinations(group, 2)}
