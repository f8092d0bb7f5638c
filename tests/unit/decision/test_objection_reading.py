"""Objections by meaning: phrases that are certain win, what is unsure goes to a person, and without the model phrases alone are read."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from dev.evaluations.negotiation.train import answers, digest, threshold, trained, written
from dev.evaluations.negotiation.train import left_out as unseen
from libs.contracts.embedding import Embedded
from libs.contracts.errors import CallTimeout
from services.data.knowledge.embedder import LocalEmbedder
from services.decision.negotiation.domain.classify import playbook, taken_back
from services.decision.negotiation.domain.weights import MOST_PARTS, NONE, Weights, judge, parts, weights
from services.decision.negotiation.reader import AT_A_TIME, ENGINE, Reader

MODEL = "test-1"
LEARNED = Weights(
    version="objections-test", model_id=MODEL, trained_on="", threshold=0.7, bias={"price": 0.0, "timing": 0.0, NONE: 0.0},
    classes={"price": (4.0, 0.0, 0.0), "timing": (0.0, 4.0, 0.0), NONE: (0.0, 0.0, 4.0)},
)  # fmt: skip
MEANS = {"dear": (1.0, 0.0, 0.0), "wait": (0.0, 1.0, 0.0), "hello": (0.0, 0.0, 1.0), "maybe": (0.6, 0.5, 0.6)}


class Data:
    """Data's side of the call: a vector for each word that it knows."""

    def __init__(self, model_id: str = MODEL, away: bool = False) -> None:
        self.model_id, self.away = model_id, away
        self.asked: list[tuple[str, ...]] = []

    async def call(self, call: Any, request: Any, *, timeout: float | None = None) -> Any:
        self.asked.append(request.texts)
        if self.away:
            raise CallTimeout(call.subject)
        found = tuple(MEANS.get(text.split()[0].casefold(), MEANS["hello"]) for text in request.texts)
        return Embedded(model_id=self.model_id, vectors=found)


async def test_a_phrase_that_is_certain_wins_and_nobody_is_asked() -> None:
    data = Data()
    read = await Reader(data, LEARNED).read("السعر غالي علينا")
    assert (read.objection, read.engine, data.asked) == ("price", "rules", [])


async def test_what_phrases_leave_open_is_read_by_its_meaning_with_what_read_it() -> None:
    reader = Reader(Data(), LEARNED)
    read = await reader.read("dear me")
    assert (read.objection, read.engine, read.evidence) == ("price", ENGINE, ("dear me",))
    assert LEARNED.threshold <= read.confidence < 1
    assert reader.version(read) == f"{playbook().version}/objections-test/{MODEL}"


async def test_what_is_less_sure_than_the_threshold_goes_to_a_person() -> None:
    read = await Reader(Data(), LEARNED).read("maybe so")
    assert (read.objection, read.engine, read.away) == (None, ENGINE, False)


async def test_a_greeting_hides_no_objection_and_the_sentence_that_says_it_is_the_evidence() -> None:
    read = await Reader(Data(), LEARNED).read("hello to you. wait a bit! hello again")
    assert (read.objection, read.evidence) == ("timing", ("wait a bit",))


async def test_two_objections_are_less_sure_than_one() -> None:
    one, two = await Reader(Data(), LEARNED).read("dear me"), await Reader(Data(), LEARNED).read("dear me. wait a bit")
    assert one.objection == "price" and two.objection is None


async def test_while_data_is_away_phrases_alone_are_read_and_the_reading_says_so() -> None:
    data = Data(away=True)
    reader = Reader(data, LEARNED)
    read = await reader.read_all(["dear me", "السعر غالي"])
    assert [(one.objection, one.engine, one.away) for one in read.values()] == [(None, "rules", True), ("price", "rules", False)]  # fmt: skip
    data.away = False
    assert (await reader.read("dear me")).objection == "price"


async def test_vectors_of_another_model_are_not_believed() -> None:
    read = await Reader(Data(model_id="test-2"), LEARNED).read("dear me")
    assert (read.objection, read.engine, read.away) == (None, "rules", True)


async def test_a_sentence_is_asked_about_once_and_many_in_pages() -> None:
    data = Data()
    reader = Reader(data, LEARNED)
    texts = [f"dear {number}" for number in range(AT_A_TIME + 3)]
    for _ in range(2):
        assert {one.objection for one in (await reader.read_all(texts)).values()} == {"price"}
    assert [len(some) for some in data.asked] == [AT_A_TIME, 3]


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ("السعر ليس غاليًا", "price"),
        ("The price is fine with us", "price"),
        ("وافق مجلس الإدارة على العرض", "need_team_approval"),
        ("No objections from our side", "not_priority"),
    ],
)
def test_what_words_take_back_is_read_by_no_meaning(text: str, objection: str) -> None:
    assert objection in taken_back(text)
    assert judge([{objection: 0.99, NONE: 0.01}], 0.5, [taken_back(text)]).objection is None


@pytest.mark.parametrize("text", ["السعر غالي", "مو priority عندنا", "لم نخصص ميزانية لهذا البند", "لازم المدير يوافق"])
def test_an_objection_that_has_a_negation_is_not_taken_back(text: str) -> None:
    assert not taken_back(text)


def test_a_text_of_any_length_is_read_in_bounds() -> None:
    assert len(parts("كلام. " * 5000)) == 1
    assert len(parts(" ".join(f"جملة {n}." for n in range(100)))) == MOST_PARTS
    assert all(len(part) <= 600 for part in parts("كلمة " * 2000))
    assert parts("؟!؟ …") == ()
    assert parts("the fee is 1.5 percent. ok") == ("the fee is 1.5 percent", "ok")


def test_training_is_the_same_each_time_and_tells_apart_what_it_saw() -> None:
    vectors = np.asarray([[1.0, 0.1], [0.9, 0.2], [0.1, 1.0], [0.2, 0.9], [0.0, 1.1]])
    labels = ["price", "price", NONE, NONE, NONE]
    made = trained(vectors, labels, 1e-3)
    assert written(made) == written(trained(vectors, labels, 1e-3))
    assert Weights.model_validate_json(written(made)) == made
    assert [max(one, key=lambda name: one[name]) for one in made.probabilities(vectors.tolist())] == labels


def test_the_threshold_is_chosen_on_answers_that_the_weights_have_not_seen() -> None:
    of = answers()[:20] + [one for one in answers() if one.objection == NONE][:20]
    alike = {text: _nothing(text) for one in of for text in (one.text, *parts(one.text))}
    # Vectors that say nothing: every objection that is believed is a guess, so that none may be.
    line = threshold(unseen(of, alike, 1e-3), allowed=0.0)
    alone, beside = unseen(of, alike, 1e-3).at(line)
    assert alone.wrong == beside.wrong == 0


def _nothing(text: str) -> Any:
    """A vector that follows from the letters and says nothing of what is meant."""
    return np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], dtype=np.uint8) / 255


def test_the_weights_are_of_the_answers_and_the_model_that_are_here() -> None:
    """After a change of either: `python -m dev.evaluations.negotiation.train`, then `dealix eval agents --record`."""
    assert weights().trained_on == digest(answers())
    assert weights().model_id == LocalEmbedder().model_id
    assert set(weights().bias) == {*playbook().objections, NONE}
