"""Duplicate detection holds its promise on labelled records, those it was not tuned on included."""

import csv

from dev.evaluations.dedupe import measure
from dev.evaluations.dedupe_make import COLUMNS, FILE, make


def test_the_records_are_what_the_script_makes() -> None:
    with FILE.open(encoding="utf-8", newline="") as file:
        stored = list(csv.DictReader(file))
    assert stored == make()
    assert tuple(stored[0]) == COLUMNS
    assert len(stored) >= 1500


def test_no_company_or_person_of_the_held_out_part_was_tuned_on() -> None:
    records = make()
    names = {part: {r["company_id"] for r in records if r["part"] == part} for part in ("tuning", "held_out")}
    assert names["tuning"].isdisjoint(names["held_out"])


def test_what_merges_by_itself_is_right_and_most_of_what_should_merge_does() -> None:
    scores = measure()
    assert {(s.part, s.of) for s in scores} == {(p, o) for p in ("tuning", "held_out") for o in ("companies", "people")}
    for score in scores:
        assert score.precision >= 0.98, score
        assert score.recall >= 0.9, score
