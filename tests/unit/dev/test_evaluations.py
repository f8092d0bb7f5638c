"""`dealix eval` says its goal, whether it was met, and ends accordingly."""

import json

import pytest

from dev.commands import evaluate
from dev.evaluations.knowledge import measure as knowledge
from tests.unit.dev.fake_gateway import FakeGateway


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("Goal:", "0.98", ": met.")), ("ar", ("المستهدف:", "0.98", "؛ تحقق."))]
)
def test_a_goal_that_is_met_is_said_with_its_figures(lang: str, words: tuple[str, ...]) -> None:
    ended = FakeGateway({}).types("eval", "dedupe", "--lang", lang)
    assert ended.exit_code == 0
    assert all(word in ended.stdout for word in words)


def test_a_goal_that_is_missed_ends_in_failure_and_names_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "GOAL", (0.98, 0.999))
    ended = FakeGateway({}).types("eval", "dedupe")
    assert ended.exit_code == 1
    assert (
        "0.999" not in ended.stderr
        and ": not met." in ended.stdout
        and "held out/people (1.0000, 0.9525)" in ended.stderr
    )
    told = json.loads(FakeGateway({}).types("eval", "dedupe", "--json").stdout.split("\n{\n", 1)[0])
    assert told["met"] is False and told["goal"]["recall"] == 0.999


def _score(part: str, recall: float) -> knowledge.Score:
    return knowledge.Score(part, "ar", "hybrid", 40, recall, 0.5, 0, None, ())


@pytest.mark.parametrize(("tuning", "held_out", "code"), [(0.5, 0.9, 0), (0.95, 0.84, 1)])
def test_the_held_out_part_decides_about_knowledge_search(
    monkeypatch: pytest.MonkeyPatch, tuning: float, held_out: float, code: int
) -> None:
    scores = [_score("tuning", tuning), _score("held_out", held_out)]
    monkeypatch.setattr(knowledge, "measure", lambda: (100, scores))
    ended = FakeGateway({}).types("eval", "knowledge")
    assert ended.exit_code == code
    assert "0.85" in ended.stdout and (": met." in ended.stdout) is (code == 0)
