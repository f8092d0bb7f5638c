"""Experiments: a fair draw among those who may be written to, a stop rule that no answer moves, and a result that says what it doesn't know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from libs.contracts.catalogue.targeting import targeting
from libs.contracts.experiments import ExperimentPlan, Varies, Verdict
from libs.contracts.message import Text
from libs.contracts.trust import Contactability
from services.decision.growth.domain.trial import Counts, Subject, counts, drawn, judged, may_take_part, over, shown
from services.decision.growth.errors import BadPlan
from services.decision.growth.reading import all_possible, check, possible_arms
from services.decision.targeting.domain.rank import Ranked, rank
from tests.unit.decision.test_outreach_writer import LEAD

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
EXPERIMENT = UUID(int=77)


def plan(**changes: object) -> ExperimentPlan:
    return ExperimentPlan.model_validate(
        {
            "hypothesis": "الرسالة التي تسأل سؤالًا واحدًا تأتي بردود أكثر", "metric": "experiment_reply_rate", "varies": Varies.MESSAGE,
            "arms": ("outreach-2", "outreach-3"), "baseline": 0.1, "detects": 0.2, "sample_size": 30, "max_days": 30, **changes,
        }
    )  # fmt: skip


def lead(**contactability: Contactability) -> Ranked:
    return rank([replace(LEAD, contactability=contactability)], targeting(), NOW)[0]


SAFE, REVIEW, BLOCKED, UNKNOWN = (
    Contactability.SAFE,
    Contactability.NEEDS_REVIEW,
    Contactability.BLOCKED,
    Contactability.UNKNOWN,
)


@pytest.mark.parametrize("state", [REVIEW, BLOCKED, UNKNOWN])
def test_who_is_not_clearly_allowed_to_be_written_to_is_in_no_experiment(state: Contactability) -> None:
    assert may_take_part(plan(), lead(email=SAFE, whatsapp=SAFE))
    assert not may_take_part(plan(), lead(email=state, whatsapp=state))
    assert not may_take_part(plan(), rank([replace(LEAD, contact_id=None)], targeting(), NOW)[0])


@pytest.mark.parametrize("state", [REVIEW, BLOCKED, UNKNOWN])
def test_an_experiment_on_channels_takes_only_those_who_may_be_written_to_on_both(state: Contactability) -> None:
    channels = plan(varies=Varies.CHANNEL, arms=("email", "whatsapp"))
    assert may_take_part(channels, lead(email=SAFE, whatsapp=SAFE))
    assert not may_take_part(channels, lead(email=SAFE, whatsapp=state))
    assert not may_take_part(channels, lead(email=state, whatsapp=SAFE))


def test_the_draw_is_the_same_each_time_differs_between_experiments_and_is_fair() -> None:
    accounts = [UUID(int=n) for n in range(4000)]
    first = [drawn(EXPERIMENT, one, ("a", "b")) for one in accounts]
    assert first == [drawn(EXPERIMENT, one, ("a", "b")) for one in accounts]
    other = [drawn(uuid4(), one, ("a", "b")) for one in accounts]
    assert 1800 < first.count("a") < 2200 and first != other


def test_the_stop_rule_looks_at_counts_and_the_clock_and_at_no_answer() -> None:
    started = NOW - timedelta(days=5)
    both = [Subject(arm, NOW, answered=False, counted=True) for arm in plan().arms for _ in range(30)]
    assert over(plan(), started, both, NOW)
    assert not over(plan(), started, both[1:], NOW)
    assert over(plan(), started, [replace(one, answered=True) for one in both], NOW)
    assert not over(plan(), started, [replace(one, counted=False, answered=True) for one in both], NOW)
    # After the last day whoever was reached still has the days to answer.
    assert not over(plan(), NOW - timedelta(days=36), [], NOW) and over(plan(), NOW - timedelta(days=37), [], NOW)


def test_who_answered_is_not_told_before_the_stop_rule_is_met() -> None:
    subjects = [
        Subject("outreach-2", NOW, answered=True, counted=True),
        Subject("outreach-2", NOW),
        Subject("outreach-2"),
    ]
    found = counts(subjects, "outreach-2")
    assert found == Counts(assigned=3, reached=2, counted=1, answered=1)
    before = shown("outreach-2", Text(en="a", ar="أ"), found, told=False)
    assert (before.assigned, before.reached, before.counted) == (3, 2, 1)
    assert before.replied is before.rate is before.low is before.high is None
    assert shown("outreach-2", Text(en="a", ar="أ"), found, told=True).replied == 1


def group(counted: int, answered: int, assigned: int | None = None, reached: int | None = None) -> Counts:
    return Counts(assigned or counted, reached or counted, counted, answered)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (group(200, 20), group(200, 60), Verdict.BETTER),
        (group(200, 60), group(200, 20), Verdict.WORSE),
        (group(1000, 100), group(1000, 102), Verdict.ALIKE),
        (group(60, 6), group(60, 8), Verdict.NOT_KNOWN),
        (group(29, 0), group(29, 29), Verdict.NOT_KNOWN),
        (group(0, 0), group(0, 0), Verdict.NOT_KNOWN),
    ],
)
def test_a_result_says_what_the_counts_say_and_no_more(first: Counts, second: Counts, verdict: Verdict) -> None:
    result, said = judged(plan(), first, second)
    assert result.verdict is verdict and result.low <= result.difference <= result.high
    assert ("Not known" in said.en) == ("لا يُعرف" in said.ar) == (verdict is Verdict.NOT_KNOWN)


def test_arms_that_were_not_sent_alike_are_not_compared() -> None:
    first, second = group(200, 20, assigned=220), group(60, 30, assigned=220)
    result, said = judged(plan(), first, second)
    assert result.verdict is Verdict.NOT_KNOWN and "60 of 220" in said.en and "لا تصح المقارنة" in said.ar


@pytest.mark.parametrize(
    "changes",
    [
        {"arms": ("outreach-2", "outreach-2")},
        {"arms": ("outreach-2", "outreach-9")},
        {"varies": Varies.CHANNEL, "arms": ("email", "linkedin")},
        {"metric": "win_rate"},
        {"metric": "smiles"},
        {"detects": 0.1},
    ],
)
def test_a_plan_that_could_not_be_carried_out_is_refused_in_both_languages(changes: dict[str, object]) -> None:
    check(plan())
    with pytest.raises(BadPlan) as refused:
        check(plan(**changes))
    assert refused.value.en and any("\u0621" <= letter <= "\u064a" for letter in refused.value.ar)


def test_each_thing_that_may_vary_has_two_arms_at_least() -> None:
    assert all(len(possible_arms(one)) >= 2 for one in Varies)
    shown = all_possible()
    assert {(one.varies, one.key) for one in shown} == {(its, key) for its in Varies for key in possible_arms(its)}
    assert all(one.name.ar and one.name.en for one in shown)
