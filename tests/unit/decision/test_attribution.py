"""How an outcome splits between touches: whole, ordered, as sure as the models agree, never surer for knowing less."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from libs.contracts.analytics import Stretch
from libs.contracts.attribution import TouchKind
from libs.contracts.business_time import RIYADH
from services.decision.attribution.desk import moment
from services.decision.attribution.domain.split import Touch, rounded, split
from services.decision.attribution.rules import rules
from services.decision.executive.domain.periods import back, last_month, period

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
K = TouchKind


def touch(kind: TouchKind, days: float) -> Touch:
    return Touch(kind, kind.value, kind.value, NOW - timedelta(days=days), f"activity:{days}")


def test_a_day_begins_in_riyadh_and_a_moment_stands_as_it_is() -> None:
    assert moment("2026-11-21") == datetime(2026, 11, 20, 21, tzinfo=UTC)
    assert moment("2026-11-21T09:00:00+00:00") == NOW and moment(None) is None


def test_shares_add_up_to_one_whatever_is_split() -> None:
    chance = random.Random(7)
    for _ in range(50):
        count = chance.randint(1, 40)
        touches = sorted(
            (touch(chance.choice(list(K)), chance.uniform(0, 900)) for _ in range(count)), key=lambda one: one.at
        )
        found = split(touches, NOW, rules())
        assert sum(found.shares, Decimal(0)) == sum((one.share for one in found.channels), Decimal(0)) == 1
        assert all(share >= 0 for share in found.shares) and 0 < found.confidence < 1
        for model in found.models:
            assert sum((one.share for one in model.channels), Decimal(0)) == 1
    assert sum(rounded([1 / 3] * 3), Decimal(0)) == 1


def test_a_meeting_counts_for_more_than_a_mail_and_yesterday_for_more_than_last_year() -> None:
    meeting, mail = split([touch(K.MEETING, 20), touch(K.EMAIL, 20)], NOW, rules()).shares
    assert meeting > mail
    old, new = split([touch(K.CALL, 400), touch(K.CALL, 1)], NOW, rules()).shares
    assert new > old


def test_models_that_agree_are_surer_and_one_touch_alone_is_never_sure() -> None:
    agreed = split([touch(K.CALL, 1.0), touch(K.CALL, 1.0)], NOW, rules()).confidence
    apart = split([touch(K.CALL, 300), touch(K.CALL, 1)], NOW, rules()).confidence
    assert apart < agreed == pytest.approx(2 / 3, abs=1e-4)
    assert split([touch(K.CALL, 1)], NOW, rules()).confidence == 0.5, "a touch nobody recorded would take half"
    nothing = split([], NOW, rules())
    assert (nothing.shares, nothing.channels, nothing.confidence) == ((), (), 0.0)


def test_the_first_and_the_last_of_many_get_most_by_their_place() -> None:
    found = split(
        [touch(K.SOURCE, 90), *(touch(K.EMAIL, days) for days in (60, 50)), touch(K.MEETING, 2)], NOW, rules()
    )
    ends = next(one for one in found.models if one.model == "ends")
    assert {one.channel: one.share for one in ends.channels} == {
        "source": Decimal("0.4000"), "meeting": Decimal("0.4000"), "email": Decimal("0.2000"),
    }  # fmt: skip


def test_periods_begin_in_riyadh_and_weeks_on_sunday() -> None:
    since, until = period("2026-Q4")
    assert (since.isoformat(), until.isoformat()) == ("2026-10-01T00:00:00+03:00", "2027-01-01T00:00:00+03:00")
    assert period("2026-02")[1].isoformat() == "2026-03-01T00:00:00+03:00"
    assert last_month(datetime(2026, 1, 31, 22, tzinfo=UTC)) == "2026-01", "it is February in Riyadh"
    weeks = back(NOW, Stretch.WEEK, 3)
    assert weeks[-1] == NOW and [one.astimezone(RIYADH).weekday() for one in weeks[:-1]] == [6, 6, 6]
    months, days = back(NOW, Stretch.MONTH, 3), back(NOW, Stretch.DAY, 3)
    assert [f"{one:%Y-%m-%d}" for one in months[:-1]] == ["2026-09-01", "2026-10-01", "2026-11-01"]
    assert [f"{one:%Y-%m-%d}" for one in days[:-1]] == ["2026-11-19", "2026-11-20", "2026-11-21"]
