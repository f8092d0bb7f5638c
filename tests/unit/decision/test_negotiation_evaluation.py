"""The labelled answers: enough of each kind, none twice, none of the held-out part learned, and none taken for another objection too often."""

from __future__ import annotations

from collections import Counter

import pytest

from dev.commands.evaluate_negotiation import RIGHT_AT_LEAST, WRONG_AT_MOST
from dev.evaluations.negotiation.measure import MEANING, NONE, PARTS, PHRASES, Score, close, measure, utterances
from dev.evaluations.negotiation.train import answers
from services.decision.negotiation.domain.classify import playbook

VARIETIES = {"gulf", "msa", "english", "mixed"}
TOO_CLOSE = 0.6
"""Share of three-letter runs that two texts have in common; the same sentence with one other word is above it."""


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    return measure()


def test_the_set_has_at_least_400_answers_of_every_class_and_variety_in_every_part() -> None:
    found = utterances()
    assert len(found) >= 400
    classes = {*playbook().objections, NONE}
    seen = Counter((one.part, one.objection, one.variety) for one in found)
    assert set(seen) == {(p, c, v) for p in PARTS for c in classes for v in VARIETIES}
    assert min(seen.values()) >= 3


def test_no_answer_is_in_the_set_twice() -> None:
    assert [text for text, count in Counter(one.text for one in utterances()).items() if count > 1] == []


def test_nothing_is_learned_that_is_held_out_or_nearly_so() -> None:
    held_out = [one.text for one in utterances() if one.part == "held_out"]
    learned = [one.text for one in answers()]
    assert len(held_out) >= 180 and set(learned).isdisjoint(held_out)
    near = [(a, b) for a in learned for b in held_out if close(a, b) >= TOO_CLOSE]
    assert near == []


def test_closeness_is_of_letters_not_of_length() -> None:
    assert close("السعر غالي", "السّعر غالي!") == 1.0
    assert close("It does not fit our budget", "It doesn't fit our budget") >= TOO_CLOSE
    assert close("السعر غالي", "كلمونا بعد العيد") < 0.2


def test_an_objection_is_seldom_taken_for_another(scores: list[Score]) -> None:
    assert {(one.part, one.by) for one in scores} == {(part, by) for part in PARTS for by in (MEANING, PHRASES)}
    for score in scores:
        assert score.wrong / score.utterances <= WRONG_AT_MOST
        assert score.right + score.wrong + score.to_person == score.utterances == sum(one.utterances for one in score.classes)  # fmt: skip
        assert score.right + len(score.missed) == score.utterances
        for name in ("utterances", "right", "wrong", "to_person"):
            assert sum(getattr(one, name) for one in score.varieties) == getattr(score, name)


def test_meaning_reads_what_phrases_do_not(scores: list[Score]) -> None:
    right = {(one.part, one.by): one.accuracy for one in scores}
    assert right["held_out", MEANING] >= RIGHT_AT_LEAST > 2 * right["held_out", PHRASES]


def test_harmless_words_of_objections_raise_none(scores: list[Score]) -> None:
    for score in scores:
        (none,) = [one for one in score.classes if one.objection == NONE]
        assert none.recall == 1.0
