"""Own people are written to at numbers that they verified, in the hours that they set, and never else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from libs.contracts.briefs import BriefHours
from libs.contracts.business_time import RIYADH
from services.trust.own_people.domain import standing

HOURS = BriefHours(opens_minute=8 * 60, closes_minute=20 * 60, days=("sun", "mon", "tue", "wed", "thu"))
SUNDAY = datetime(2026, 11, 22, tzinfo=RIYADH)


def at(hour: int, minute: int = 0, day: int = 0) -> datetime:
    return SUNDAY + timedelta(days=day, hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("now", "inside"),
    [
        (at(7, 59), False),
        (at(8), True),
        (at(19, 59), True),
        (at(20), False),
        (at(12, day=5), False),
        (at(12, day=4), True),
    ],
)
def test_hours_begin_with_their_minute_and_end_before_theirs_by_riyadhs_clock(now: datetime, inside: bool) -> None:
    assert HOURS.includes(now) is inside
    assert HOURS.includes(now.astimezone(None)) is inside
    assert HOURS.end_of(at(12)) == at(20)


def test_a_number_that_nobody_verified_is_unknown_and_one_without_hours_is_outside_them() -> None:
    assert standing([], at(12)) == "unknown"
    assert standing([None], at(12)) == "outside_hours"
    assert standing([HOURS], at(21)) == "outside_hours"
    assert standing([HOURS], at(12)) == "known"


@pytest.mark.parametrize("changes", [{"opens_minute": 1300}, {"days": ()}, {"days": ("xxx",)}, {"closes_minute": 1441}])
def test_hours_that_make_no_sense_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BriefHours.model_validate({**dict(HOURS), **changes})
