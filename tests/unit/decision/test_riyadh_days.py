"""Days that people read, and that rows are filed under, are days of Riyadh."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from libs.contracts.trust import Approval
from services.decision.agents.engines.watching import in_words
from services.decision.ranking import targets_ranked
from tests.contracts.examples import example


def test_a_days_targets_are_those_of_a_day_of_riyadh() -> None:
    said = [targets_ranked(UUID(int=1), 3, datetime(2026, 11, 20, hour, 30, tzinfo=UTC)).target for hour in (20, 21)]
    assert said == ["ranking:2026-11-20", "ranking:2026-11-21"]


def test_a_request_is_open_until_a_day_of_riyadh() -> None:
    one = example(Approval)
    assert isinstance(one, Approval)
    assert "2026-11-21" in in_words(one.evolve(value_sar=None, expires_at=datetime(2026, 11, 20, 22, tzinfo=UTC))).en
