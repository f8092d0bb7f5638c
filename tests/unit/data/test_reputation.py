"""The reputation guard: what rates cost, and that silence costs nothing."""

import pytest

from libs.contracts.catalogue.reputation import reputation
from services.data.crm.domain.reputation import channel_reputation


@pytest.mark.parametrize(
    ("counts", "score", "paused"),
    [
        ({}, 100, False),
        ({"sent": 10, "bounced": 10}, 100, False),  # too few to say anything
        ({"sent": 100, "replied": 5, "bounced": 8, "opted_out": 2}, 100, False),
        ({"sent": 100, "replied": 5, "bounced": 9}, 70, False),
        ({"sent": 100, "replied": 4}, 85, False),
        ({"sent": 1000, "replied": 60, "complained": 2, "opted_out": 21}, 35, True),
        ({"sent": 100, "bounced": 50, "opted_out": 50, "complained": 50}, 0, True),
    ],
)
def test_each_rate_beyond_its_limit_costs_its_points(counts: dict[str, int], score: int, paused: bool) -> None:
    found = channel_reputation("email", counts, reputation())
    assert (found.score, found.paused) == (score, paused)


def test_rates_are_unknown_while_nothing_was_sent() -> None:
    found = channel_reputation("whatsapp", {"replied": 3}, reputation())
    assert set(found.rates.values()) == {None}
    assert found.deductions == ()
