"""Forecasts: nothing is known before it happened, an interval holds what it is around, gaps add up, and too little history is said."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.business_time import RIYADH
from libs.contracts.deal_history import DealStep, PastDeal
from libs.contracts.forecasts import Track
from libs.contracts.metrics import SeriesPoint
from services.decision.forecasting.domain.basis import basis_of, money
from services.decision.forecasting.domain.calendar import edges, month_of, origin_in, plus
from services.decision.forecasting.domain.knowing import amount_at, brought, open_at, stage_at
from services.decision.forecasting.domain.model import History, Model, accuracy
from services.decision.forecasting.domain.variance import Gap
from services.decision.forecasting.making import computed
from services.decision.forecasting.reading import Material
from services.decision.forecasting.rules import rules

NOW = datetime(2026, 11, 21, 10, tzinfo=RIYADH)
WHOLE = 24
FIRST = plus(month_of(NOW), -WHOLE)


def made_up(seed: int, months: int = WHOLE) -> tuple[PastDeal, ...]:
    """Deals as a small company has them: one every four days, forty of a hundred won after about two months."""
    chance, deals = random.Random(seed), list[PastDeal]()
    at = plus(month_of(NOW), -months)
    while at < NOW:
        at += timedelta(days=chance.expovariate(1 / 4))
        opened, ends = at + timedelta(days=10), at + timedelta(days=12 + chance.expovariate(1 / 50))
        outcome = "won" if chance.random() < 0.4 else "lost"
        amount = Decimal(chance.randint(5, 50)) * 1000
        steps = [step(opened, "new", "open")] if opened < NOW else []
        stage = "open" if steps else "new"
        if ends < NOW:
            steps.append(step(ends, stage, outcome))
            stage = outcome
        sector = chance.choice(["retail", "healthcare", None])
        deals.append(
            deal(len(deals), at, stage, amount, steps, closed=ends if ends < NOW else None, sector=sector)
        )  # fmt: skip
    return tuple(deals)


def step(at: datetime, before: str, stage: str) -> DealStep:
    return DealStep(at=at, stage_before=before, stage=stage, amount_before=None, amount=None)


def deal(
    number: int, at: datetime, stage: str, amount: Decimal | None, steps: list[DealStep] | None = None, *,
    closed: datetime | None = None, currency: str = "SAR", sector: str | None = None,
) -> PastDeal:  # fmt: skip
    return PastDeal(
        deal_id=UUID(int=number + 1), account_id=UUID(int=1), account_name="Rimal", title=f"Deal {number}", sector=sector, partner_id=None,
        stage=stage, amount=amount, currency=currency, created_at=at, closed_at=closed, expected_close=None, steps=tuple(steps or ()),
    )  # fmt: skip


def values(deals: tuple[PastDeal, ...], months: int = WHOLE) -> tuple[float, ...]:
    first = plus(month_of(NOW), -months)
    return tuple(
        float(sum(brought(one, plus(first, at), plus(first, at + 1)) for one in deals)) for at in range(months)
    )


def model(seed: int = 1, scale: int = 1) -> Model:
    deals = made_up(seed)
    if scale != 1:
        deals = tuple(one.evolve(amount=one.amount * scale if one.amount else None) for one in deals)
    return Model(History(FIRST, values(deals), NOW, deals), rules())


def material(months: int, seed: int = 1, *, with_deals: bool = True) -> Material:
    deals = made_up(seed, months)
    first = plus(month_of(NOW), -months)
    points = []
    for since in edges(first, months + 1)[:-1]:
        until = plus(since, 1)
        came = [amount for one in deals if (amount := brought(one, since, until))]
        points.append(
            SeriesPoint(since=since, until=until, value=sum(came, Decimal(0)), rows=len(deals), counted=len(came), excluded=0)
        )  # fmt: skip
    return Material(Track.REVENUE, "SAR", NOW, tuple(points), deals if with_deals else None)


# -- what was known ----------------------------------------------------------------------------------------------------


def test_a_deal_is_seen_as_it_stood_and_not_as_it_ended() -> None:
    begun = FIRST
    moved, priced, ended = (begun + timedelta(days=days) for days in (10, 20, 40))
    priced_step = DealStep(at=priced, stage_before=None, stage=None, amount_before=Decimal(100), amount=Decimal(900))
    one = deal(
        0, begun, "won", Decimal(900), [step(moved, "new", "open"), priced_step, step(ended, "open", "won")], closed=ended
    )  # fmt: skip
    assert stage_at(one, begun + timedelta(days=5)) == "new"
    assert stage_at(one, begun + timedelta(days=15)) == "open"
    assert (amount_at(one, moved), amount_at(one, ended)) == (Decimal(100), Decimal(900))
    (known,) = open_at([one], begun + timedelta(days=15))
    assert (known.stage, known.amount) == ("open", Decimal(100))
    assert open_at([one], ended) == [] and open_at([one], begun - timedelta(days=1)) == []


def test_what_is_in_another_currency_or_has_no_amount_weighs_nothing() -> None:
    assert open_at([deal(0, FIRST, "open", Decimal(5), currency="USD"), deal(1, FIRST, "open", None)], NOW) == []


@pytest.mark.parametrize("future", [3, 6])
def test_a_test_of_the_past_does_not_see_what_came_later(future: int) -> None:
    """Changing everything after a month changes nothing of what would have been forecast in it."""
    deals = made_up(7)
    k = WHOLE - future
    seen = model(7)
    cut = seen.origin(k)
    later = tuple(
        one.evolve(amount=Decimal(1)) if (one.closed_at or NOW) > cut and one.created_at > cut else one for one in deals
    )
    known = values(deals)[:k] + tuple(0.0 for _ in range(future))
    changed = Model(History(FIRST, known, NOW, later), rules())
    for horizon in rules().horizons:
        assert changed.expected(k, horizon) == pytest.approx(seen.expected(k, horizon))


# -- the model ---------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_an_interval_holds_its_forecast_and_never_falls_below_zero(seed: int) -> None:
    made = model(seed)
    for horizon in rules().horizons:
        one = made.estimate(horizon)
        assert 0 <= one.low <= one.expected <= one.high
        assert 0 <= one.weight <= 1 and all(0 <= share <= 1 for share in one.probabilities.values())
        assert all(test.low <= test.expected <= test.high for test in made.tests(horizon))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.integers(2, 50))
def test_amounts_a_hundred_times_as_large_make_a_forecast_a_hundred_times_as_large(seed: int, scale: int) -> None:
    one, more = model(seed).estimate(1), model(seed, scale).estimate(1)
    assert more.expected == pytest.approx(one.expected * scale) and more.high == pytest.approx(one.high * scale)


def test_a_forecast_follows_the_pipeline_and_is_no_multiple_of_the_actual() -> None:
    deals = made_up(3)
    before = Model(History(FIRST, values(deals), NOW, deals), rules()).estimate(1)
    large = (*deals, deal(9000, NOW - timedelta(days=30), "open", Decimal(5_000_000)))
    after = Model(History(FIRST, values(large), NOW, large), rules()).estimate(1)
    assert values(large) == values(deals) and after.expected > before.expected * 1.5


def test_deals_at_a_stage_that_wins_more_often_weigh_more() -> None:
    shares = model(5).estimate(1).probabilities
    # In what is made up, deals close after they were opened: what is still new closes later than next month more often.
    assert shares["open"] > shares["new"]


def test_a_season_is_seen_once_there_are_two_years_of_it() -> None:
    months = tuple(100.0 if plus(FIRST, at).month != 12 else 400.0 for at in range(WHOLE))
    december = Model(History(FIRST, months, NOW, None), rules()).estimate(1)
    assert december.expected > 1.5 * Model(History(FIRST, months, NOW, None), rules()).estimate(2).expected
    short = Model(History(plus(FIRST, 1), months[1:], NOW, None), rules()).estimate(1)
    assert short.expected < december.expected


def test_the_same_history_gives_the_same_forecast() -> None:
    assert model(11).estimate(2) == model(11).estimate(2)


def test_accuracy_is_the_dictionarys_and_nothing_came_is_no_accuracy() -> None:
    assert accuracy(90, 100) == pytest.approx(0.9) and accuracy(300, 100) == 0.0 and accuracy(5, 0) is None


# -- too little --------------------------------------------------------------------------------------------------------


def test_too_little_history_says_what_is_missing_and_forecasts_nothing() -> None:
    short = material(5)
    assert computed(short, rules()).ahead == ()
    (months,) = [one for one in short.missing(rules()) if one.code == "months"]
    assert months.have < months.need == rules().least_months(1) and str(months.need) in months.en and months.ar
    empty = Material(Track.EXPANSION, "count", NOW, material(5).points[-1:], None)
    assert {one.code for one in empty.missing(rules())} == {"months", "closings"}
    assert computed(empty, rules()) == computed(empty, rules()) and not computed(empty, rules()).tests


def test_horizons_open_one_by_one_as_months_pass() -> None:
    made = {
        months: {one.basis.horizon for one in computed(material(months, 4), rules()).ahead} for months in (11, 13, 24)
    }
    assert len(made[11]) <= len(made[13]) <= len(made[24]) == 3


# -- gaps --------------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), most=st.integers(1, 40), lost=st.booleans(), untraced=st.integers(0, 3))
def test_each_way_of_taking_a_gap_apart_adds_up_to_the_whole(seed: int, most: int, lost: bool, untraced: int) -> None:
    """Whatever happened since: deals closed, moved, deleted, or a figure that no deal explains."""
    deals = made_up(seed)
    made_at = NOW - timedelta(days=60)
    since = plus(month_of(NOW), -1)
    months = tuple(
        float(sum(brought(one, plus(FIRST, at), plus(FIRST, at + 1)) for one in deals)) for at in range(WHOLE - 2)
    )
    earlier = Model(History(FIRST, months, origin_in(plus(since, -1), timedelta(days=20)), deals), rules())
    estimate = earlier.estimate(1)
    basis = basis_of(estimate, earlier.open_deals(WHOLE - 2), deals, most)
    known = {one.deal_id: one for one in (deals[::2] if lost else deals)}
    traced = sum((brought(one, since, plus(since, 1)) for one in known.values()), Decimal(0))
    gap = Gap(basis, money(estimate.expected), traced + untraced, made_at, since, plus(since, 1), known)
    for parts in (gap.by_deal(5), gap.by_stage(), gap.by_segment(), gap.by_timing()):
        assert sum((one.expected for one in parts), Decimal(0)) == gap.expected
        assert sum((one.actual for one in parts), Decimal(0)) == gap.actual
        assert all(one.variance == one.actual - one.expected and one.en and one.ar for one in parts)


def test_a_slipped_a_lost_and_an_unknown_deal_are_told_apart() -> None:
    deals = made_up(2)
    since = plus(month_of(NOW), -1)
    earlier = Model(
        History(FIRST, values(deals)[: WHOLE - 2], origin_in(plus(since, -1), timedelta(days=20)), deals), rules()
    )
    basis = basis_of(earlier.estimate(1), earlier.open_deals(WHOLE - 2), deals, 400)
    actual = sum((brought(one, since, plus(since, 1)) for one in deals), Decimal(0))
    gap = Gap(basis, money(earlier.estimate(1).expected), actual, earlier.history.now, since, plus(since, 1), {d.deal_id: d for d in deals})  # fmt: skip
    timing = {part.key: part for part in gap.by_timing()}
    assert timing["slipped"].actual == 0 and timing["slipped"].variance < 0
    assert timing["lost"].actual == 0 and timing["won"].actual > 0 and timing["not_known"].deals >= 0
