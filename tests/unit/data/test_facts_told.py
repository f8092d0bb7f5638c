"""What data tells trust for its controls."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from libs.contracts.message import Plane
from libs.contracts.observed import MOST_FACTS, BounceFact, DataFacts
from libs.contracts.subjects import OBSERVED
from services.data.importing.domain.mapping import fields, of_people
from services.data.telling import bounced, tell_facts

ACTION = UUID(int=7)


class Outbox:
    def __init__(self) -> None:
        self.sent: list[DataFacts] = []

    def emit(self, event: object, message: DataFacts) -> None:
        assert event is OBSERVED[Plane.DATA]
        self.sent.append(message)


def test_a_bounce_is_told_by_the_action_that_sent_it_and_a_vendors_own_name_is_left_out() -> None:
    told = bounced([f"action:{ACTION}", "wamid.123", "action:nobody", str(ACTION)], "email")
    assert told == [BounceFact(subject=ACTION, channel="email")]


def test_nothing_is_told_of_nothing_and_much_in_parts() -> None:
    outbox, now = Outbox(), datetime(2026, 11, 21, tzinfo=UTC)
    tell_facts(outbox, UUID(int=1), [], now)
    assert outbox.sent == []
    tell_facts(outbox, UUID(int=1), [BounceFact(subject=UUID(int=n), channel="email") for n in range(MOST_FACTS + 1)], now)  # fmt: skip
    assert [len(one.facts) for one in outbox.sent] == [MOST_FACTS, 1]


def test_what_is_of_the_company_needs_no_place_in_the_map_of_personal_data() -> None:
    assert of_people() <= fields()
    assert {"full_name", "email", "phone", "notes"} <= of_people()
    assert not {"company", "cr", "vat", "sector", "opted_out", "source"} & of_people()
