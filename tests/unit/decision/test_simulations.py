"""Scenarios by chance and returns: the same seed is the same answer, distributions have the means they claim, money over time adds up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.message import Principal, PrincipalKind, new_id
from libs.contracts.simulations import RoiInput, RoiRequest
from services.decision.forecasting.domain.calendar import month_of, plus
from services.decision.forecasting.domain.model import History
from services.decision.forecasting.domain.predicting import chances, customers, still_away, wilson
from services.decision.forecasting.rules import rules
from services.decision.memos.domain.finance import internal_rate
from services.decision.simulating.domain.montecarlo import Inputs, simulated
from services.decision.simulating.domain.returns import break_even, flows_of, npv, sensitivity
from services.decision.simulating.scenarios import scenarios
from tests.unit.decision.test_forecasts import NOW, deal, made_up, values

INPUTS = Inputs(
    new_deals=8, win_rate=0.3, amount=20_000, amount_spread=0.7, cycle_months=1.5, closings=60, months_seen=12
)
WHO = Principal(id="user:1", kind=PrincipalKind.USER, tenant_id=new_id(), roles=("owner",))


def drawn(inputs: Inputs = INPUTS, seed: int = 1, runs: int = 4000, months: int = 12) -> np.ndarray:
    return simulated(inputs, seed=seed, runs=runs, months=months)


# -- the simulator -----------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_answer_and_another_one_another(seed: int) -> None:
    one = drawn(seed=seed, runs=300)
    assert np.array_equal(one, drawn(seed=seed, runs=300))
    assert not np.array_equal(one, drawn(seed=(seed + 1) % 2**32, runs=300))
    assert one.shape == (300,) and np.isfinite(one).all() and (one >= 0).all()


def test_the_mean_is_what_the_inputs_say() -> None:
    """Deals that arrive times those won times the amount, less what closes after the end."""
    leaves = 1 / (1 + INPUTS.cycle_months)
    closed = sum(1 - (1 - leaves) ** (12 - month) for month in range(12))
    expected = INPUTS.new_deals * INPUTS.win_rate * INPUTS.amount * closed
    assert drawn(runs=20_000).mean() == pytest.approx(expected, rel=0.03)
    costly = drawn(replace(INPUTS, monthly_cost=1000.0))
    assert (drawn() - costly) == pytest.approx(12_000)


def test_more_is_more_and_slower_is_less() -> None:
    base = drawn().mean()
    for name in ("new_deals", "win_rate", "amount"):
        assert drawn(INPUTS.changed({name: 1.2})).mean() > base > drawn(INPUTS.changed({name: 0.8})).mean()
    assert drawn(INPUTS.changed({"cycle_months": 2.0})).mean() < base
    assert INPUTS.changed({"win_rate": 10.0}).win_rate < 1


def test_a_sum_drawn_at_once_is_like_one_drawn_deal_by_deal() -> None:
    many = Inputs(
        new_deals=900, win_rate=0.5, amount=100, amount_spread=0.7, cycle_months=0.1, months_seen=1000, closings=10_000
    )
    at_once, singly = drawn(many, runs=4000, months=3), drawn(many, runs=1000, months=3)
    assert at_once.mean() == pytest.approx(singly.mean(), rel=0.01)
    assert at_once.std() == pytest.approx(singly.std(), rel=0.15)


def test_there_are_seven_scenarios_in_both_languages_and_the_first_changes_nothing() -> None:
    found = list(scenarios().values())
    assert len(found) == 7 and not found[0].changes and all(one.changes for one in found[1:])
    assert all(one.en and one.ar and one.en != one.ar for one in found)


# -- returns -----------------------------------------------------------------------------------------------------------


def asked(
    investment: float = 1000,
    benefit: float = 700,
    cost: float = 200,
    years: int = 3,
    rate: float = 0.1,
    certainty: float = 1.0,
) -> RoiRequest:
    def given(value: float, sure: float = 1.0) -> RoiInput:
        return RoiInput(value=value, source="offer 4", certainty=sure)

    return RoiRequest(
        principal=WHO, investment=given(investment), benefit=given(benefit, certainty), cost=given(cost), years=years, rate=given(rate)
    )  # fmt: skip


def test_what_an_investment_brings_back_is_computed() -> None:
    assert flows_of(asked()) == [-1000.0, 500.0, 500.0, 500.0]
    assert npv(asked()) == pytest.approx(243.43, abs=0.01)
    changes = {(one.input, one.change): one.npv for one in sensitivity(asked())}
    assert (
        changes["benefit", 0.1] > Decimal("243.43") > changes["cost", 0.1]
        and changes["rate", -0.2] > changes["rate", 0.2]
    )


@settings(max_examples=50, deadline=None)
@given(
    st.floats(100, 10_000),
    st.floats(1, 10_000),
    st.floats(0, 5000),
    st.integers(1, 20),
    st.floats(0.01, 0.9),
    st.floats(0.05, 0.99),
)
def test_laws_of_money_over_time(investment: float, benefit: float, cost: float, years: int, rate: float, sure: float) -> None:  # fmt: skip
    one = asked(investment, benefit, cost, years, rate, sure)
    flows = flows_of(one)
    found = internal_rate(flows)
    if found is not None and found > 0:
        assert npv(asked(investment, benefit, cost, years, found, sure)) == pytest.approx(0, abs=investment * 1e-3)
        assert (found > rate) == (npv(one) > 0) or npv(one) == pytest.approx(0, abs=1e-3)
    assert npv(one, certain=False) <= npv(one), "what is not certain is worth no more"
    level = break_even(one)
    if level is not None and level > 0:
        assert npv(one, by={"benefit": level}) == pytest.approx(0, abs=benefit * years * 1e-3)


# -- chances and customers ---------------------------------------------------------------------------------------------


def test_a_chance_is_held_to_what_happened_and_the_table_says_how_well() -> None:
    deals = made_up(3, 30)
    found = chances(History(plus(month_of(NOW), -30), values(deals, 30), NOW, deals), rules())
    assert 0 <= (found.brier or 0) <= 0.3
    for row in found.table:
        if row.deals:
            assert row.low is not None and row.high is not None and row.predicted is not None and row.actual is not None
            assert row.low <= row.actual <= row.high
            assert abs(row.predicted - row.actual) < 0.15
    assert chances(History(NOW, (), NOW, ()), rules()).table[0].actual is None


@given(st.integers(0, 50), st.integers(0, 50))
def test_an_interval_of_a_share_holds_it(hits: int, more: int) -> None:
    low, high = wilson(hits, hits + more)
    if hits + more:
        assert low is not None and high is not None and 0 <= low <= hits / (hits + more) <= high <= 1
    else:
        assert (low, high) == (None, None)


def test_who_is_silent_longer_is_the_greater_risk_and_too_few_returns_say_nothing() -> None:
    won = []
    for account in range(6):
        for purchase in range(4):
            at = NOW - timedelta(days=30 * (3 - purchase) + account * 12)
            one = deal(account * 10 + purchase, at - timedelta(days=9), "won", Decimal(1000), closed=at)
            won.append(one.evolve(account_id=deal(account, NOW, "new", None).deal_id, account_name=f"C{account}"))
    found, returns = customers(won, NOW, 10)
    assert returns == 18 and len(found) == 6
    by_silence = sorted(found, key=lambda one: one.silent_days)
    assert all(a.risk <= b.risk for a, b in pairwise(by_silence)) and all(0 <= one.risk <= 1 for one in found)
    assert customers(won[:4], NOW, 10) == ((), 3)
    assert still_away([10, 20], [30], 0) == 1.0 and still_away([10, 20], [30], 25) == pytest.approx(1 / 3)
