"""A trust score is counted, says when there is nothing to count, and can only make things stricter."""

from __future__ import annotations

import pytest

from libs.contracts.catalogue.agents import ModelPolicy, agents
from libs.contracts.catalogue.models import DATA, models
from libs.contracts.catalogue.skills import skills
from libs.contracts.governance import ScoreState
from services.trust.scores.domain import factors, is_low, scored

AGENT = factors().kinds["agent"]


def test_without_rows_there_is_no_score_and_nothing_is_lowered() -> None:
    found = scored(AGENT, [(0, 0)] * 4, thin_below=20)
    assert (found.score, found.state, found.rows) == (None, ScoreState.NO_DATA, 0)
    assert all(part.value is None for part in found.parts)
    assert not is_low(found)


def test_a_factor_without_rows_is_left_out_and_does_not_count_as_good_or_bad() -> None:
    found = scored(AGENT, [(40, 20), (0, 0), (0, 0), (0, 0)], thin_below=20)
    assert (found.score, found.state) == (50.0, ScoreState.SCORED)
    assert [part.rows for part in found.parts] == [40, 0, 0, 0]


def test_parts_weigh_as_declared() -> None:
    found = scored(AGENT, [(100, 100), (20, 0), (20, 20), (100, 100)], thin_below=20)
    assert found.score == 75.0


def test_few_rows_are_thin_and_lower_nothing() -> None:
    found = scored(AGENT, [(19, 0), (0, 0), (0, 0), (0, 0)], thin_below=20)
    assert (found.score, found.state) == (0.0, ScoreState.THIN)
    assert not is_low(found)
    assert is_low(scored(AGENT, [(20, 0), (0, 0), (0, 0), (0, 0)], thin_below=20))


def test_every_factor_counts_within_one_tenant() -> None:
    for kind, own in factors().kinds.items():
        for factor in own:
            assert "tenant_id = $1" in factor.sql, (kind, factor.key)
            assert factor.en and factor.ar


# Skills and models ------------------------------------------------------------------------------------------------------------


def test_every_skill_of_an_agent_is_there_as_admitted_and_good_enough() -> None:
    known = skills().skills
    assert len(known) == 14
    for agent in agents().agents.values():
        assert agent.skill in known
    for skill in known.values():
        assert not skill.changed, f"{skill.skill_id}: its hash is {skill.hash}"
        assert skill.admission.score >= 0.7


def test_no_skill_allows_money_policy_or_erasure() -> None:
    never = {
        "create_charge",
        "stripe_refund",
        "moyasar_charge",
        "policy_activate",
        "data_erase",
        "change_billing_state",
    }
    for skill in skills().skills.values():
        assert not never & set(skill.allowed_effects), skill.skill_id
        assert not skill.allows("send_email", "secrets")


@pytest.mark.parametrize("data", DATA)
def test_somebody_may_always_answer_and_restricted_data_stays_at_home(data: str) -> None:
    policy = ModelPolicy(data=data, cross_border=False, temperature=0)  # type: ignore[arg-type]  # one of the classes
    route = models().route(policy)
    assert route[-1].key == "local"
    assert all(provider.country == "SA" for provider in route)


def test_a_foreign_provider_sees_no_confidential_data_even_where_borders_may_be_crossed() -> None:
    policy = ModelPolicy(data="confidential", cross_border=True, temperature=0)
    assert {one.key for one in models().route(policy)} == {"local", "self_host"}
