"""Every agent that answers has a schema, a set that judges it, and a record of having passed it with the texts that it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dev.commands.evaluate_models import ModelScore
from dev.evaluations.agents.measure import Score, cases, figures, measure, record
from libs.contracts.agent_outputs import OUTPUTS, output
from libs.contracts.catalogue.agent_versions import agent_versions, load
from libs.contracts.catalogue.agents import agents
from services.decision.agents.engines.watching import words

ANSWERING = sorted(agent for agent, one in agents().agents.items() if one.engine != "none")


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, str], Score]:
    return {(one.agent, one.version): one for one in measure()}


def test_the_agents_that_answer_are_those_with_a_schema_and_versions() -> None:
    assert ANSWERING == sorted(OUTPUTS) == sorted(agent_versions().agents)
    assert len(ANSWERING) == 11


@pytest.mark.parametrize("agent", ANSWERING)
def test_the_catalogue_names_the_fields_of_the_schema(agent: str) -> None:
    assert agents().agents[agent].output == tuple(OUTPUTS[agent].model_fields)


@pytest.mark.parametrize("agent", ANSWERING)
def test_what_answers_was_evaluated_with_the_texts_that_are_here(agent: str) -> None:
    """After a change of texts: `dealix eval agents --record`, and the skill's hash is admitted again."""
    known = agent_versions()
    for name, version in known.agents[agent].versions.items():
        assert version.unchanged(), f"{agent} {name}: its texts are {version.found()}"
        assert known.ready(agent, name), f"{agent} {name} has no passing record"


@pytest.mark.parametrize("agent", ANSWERING)
def test_the_record_says_what_is_measured_again(agent: str, measured: dict[tuple[str, str], Score]) -> None:
    for name in agent_versions().agents[agent].versions:
        score, kept = measured[agent, name], agent_versions().evaluations[agent][name]
        assert score.passed, score.wrong
        assert (kept.cases, kept.adherence, kept.accuracy) == (score.cases, score.adherence, score.accuracy)
        assert score.cases >= 6 and score.cost_sar == 0


def test_a_set_judges_both_what_is_answered_and_what_must_not_be() -> None:
    for agent in ANSWERING:
        expected = [case.expect for case in cases(agent)]
        assert any("refused" in one or one.get("answered") is False for one in expected), agent
        assert any(one.get("answered") is True or "output" in " ".join(one) for one in expected), agent


def test_a_worse_version_does_not_pass_and_its_record_says_so(tmp_path: Path) -> None:
    file = tmp_path / "evaluations.yaml"
    file.write_text("", encoding="utf-8")
    of = agent_versions().agents["qa_reviewer"].versions["1"]
    score = Score(
        agent="qa_reviewer", version="1", texts=of.texts, cases=15, adherence=1.0, accuracy=0.6, goal=0.9, cost_sar=0.0, p50_ms=1.0, p95_ms=2.0,
        wrong=("one: broke",),
    )  # fmt: skip
    assert not score.passed
    record([score], file)
    from libs.contracts.catalogue.agent_versions import FILE

    known = load(FILE.read_text(encoding="utf-8"), file.read_text(encoding="utf-8"))
    assert known.evaluations["qa_reviewer"]["1"].accuracy == 0.6
    assert not known.ready("qa_reviewer", "1")


def test_an_output_with_a_field_too_many_or_too_few_is_no_output() -> None:
    good = {"score": 90, "issues": [], "verdict": "pass"}
    assert output("qa_reviewer", good)["verdict"] == "pass"
    for bad in ({**good, "mood": "good"}, {"score": 90, "verdict": "pass"}, {**good, "score": 101}):
        with pytest.raises(ValueError, match="validation error"):
            output("qa_reviewer", bad)
    with pytest.raises(KeyError):
        output("voice_call", {})


def test_every_text_of_the_watching_agents_has_the_same_places_in_both_languages() -> None:
    import string

    for key, text in words().texts.items():
        places = [{name for _, name, _, _ in string.Formatter().parse(one) if name} for one in (text.en, text.ar)]
        assert places[0] == places[1], key


def test_figures_of_no_cases_are_zeros_and_pass_nothing() -> None:
    assert figures([], [], 0, 0.0) == {
        "cases": 0, "adherence": 0.0, "accuracy": 0.0, "cost_sar": 0.0, "p50_ms": 0.0, "p95_ms": 0.0, "wrong": (),
    }  # fmt: skip
    asked = ModelScore(
        agent="a", texts="t", goal=0.0, provider="p", model="m", prompt_version="1", others=0, **figures([], [], 0, 0.0)
    )
    assert not asked.passed


def test_a_model_that_left_a_case_to_others_does_not_pass() -> None:
    of = figures([3.0, 1.0, 2.0], ["one: broke"], 3, 0.03)
    assert (of["p50_ms"], of["p95_ms"], of["accuracy"], of["cost_sar"]) == (2.0, 3.0, 0.6667, 0.01)
    score = ModelScore(agent="a", texts="t", goal=0.6, provider="p", model="m", prompt_version="1", others=0, **of)
    assert score.passed and not replace(score, others=1).passed
