"""The plugin's own promises. Needs Dealix and the plugin installed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dealix_webinar import plugin, score, seats

from libs.contracts.message import new_id
from services.execution.plugins.api import HookPoint, Seen, Veto


def asked(action_type: str, payload: dict[str, Any]) -> Seen:
    return Seen(HookPoint.BEFORE_AUTHORIZE, new_id(), new_id(), action_type, action_type, 1, "tenant", "t", "", payload)


@pytest.mark.parametrize(("invited", "came", "percent"), [(40, 10, 25), (3, 2, 67), (0, 0, None)])
def test_attendance_is_the_share_of_the_invited(invited: int, came: int, percent: int | None) -> None:
    assert asyncio.run(score(new_id(), {"invited": invited, "came": came})) == {"attendance_percent": percent}


def test_a_room_beyond_the_licence_is_refused_before_anybody_is_asked() -> None:
    answer = asyncio.run(seats(asked("webinar_open_room", {"title": "t", "seats": 501})))
    assert isinstance(answer, Veto)
    assert (answer.code, bool(answer.ar)) == ("too_many_seats", True)


def test_other_rooms_and_other_actions_pass() -> None:
    assert asyncio.run(seats(asked("webinar_open_room", {"title": "t", "seats": 500}))) is None
    assert asyncio.run(seats(asked("send_email", {"seats": 9000}))) is None


def test_it_hands_over_what_it_declares() -> None:
    assert set(plugin.handlers) == {"webinar_score"}
    assert set(plugin.hooks) == {HookPoint.BEFORE_AUTHORIZE, HookPoint.AFTER_OUTCOME}
