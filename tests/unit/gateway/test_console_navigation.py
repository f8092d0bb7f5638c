"""Where a person can go."""

from __future__ import annotations

from services.gateway.console.navigation import DESTINATIONS, ON_PHONE
from services.gateway.console.urls import PATHS


def test_every_letter_after_g_leads_to_one_page_and_every_destination_has_a_path() -> None:
    assert len({place.code for place in DESTINATIONS}) == len(DESTINATIONS)
    assert all(place.key in PATHS for place in DESTINATIONS)


def test_what_is_decided_daily_stands_in_the_bar_of_a_phone() -> None:
    assert {"command_center", "approvals"} <= {place.key for place in DESTINATIONS[:ON_PHONE]}
