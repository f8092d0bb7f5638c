"""The labelled answers: enough of each kind, none twice, and none taken for another objection too often."""

from __future__ import annotations

from collections import Counter

from dev.commands.evaluate_negotiation import WRONG_AT_MOST
from dev.evaluations.negotiation.measure import NONE, measure, utterances
from services.decision.negotiation.domain.classify import playbook

VARIETIES = {"gulf", "msa", "english", "mixed"}


def test_the_set_has_at_least_400_answers_of_every_class_and_variety_in_both_parts() -> None:
    found = utterances()
    assert len(found) >= 400
    classes = {*playbook().objections, NONE}
    seen = Counter((one.part, one.objection, one.variety) for one in found)
    assert set(seen) == {(p, c, v) for p in ("tuning", "held_out") for c in classes for v in VARIETIES}
    assert min(seen.values()) >= 3


def test_no_answer_is_in_the_set_twice() -> None:
    assert [text for text, count in Counter(one.text for one in utterances()).items() if count > 1] == []


def test_an_objection_is_seldom_taken_for_another() -> None:
    for score in measure():
        assert score.wrong / score.utterances <= WRONG_AT_MOST
        assert sum(one.utterances for one in score.classes) == score.utterances
        hit = sum(round(one.recall * one.utterances) for one in score.classes)
        assert hit + len(score.missed) == score.utterances


def test_harmless_words_of_objections_raise_none() -> None:
    for score in measure():
        (none,) = [one for one in score.classes if one.objection == NONE]
        assert none.recall == 1.0
