"""What is good until a day is good until that day ends in Riyadh, three hours before it ends in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from libs.contracts.catalogue.controls import ControlKind, controls
from libs.contracts.compliance import Attestation, ControlResult
from services.trust.compliance.domain.judge import state
from tests.contracts.examples import example

LAST = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("now", "result"),
    [
        (datetime(2026, 11, 20, 21, 30, tzinfo=UTC), ControlResult.PASS),
        (datetime(2026, 11, 21, 20, 59, tzinfo=UTC), ControlResult.PASS),
        (datetime(2026, 11, 21, 21, 0, tzinfo=UTC), ControlResult.UNKNOWN),
    ],
)
def test_evidence_counts_until_its_day_ends_in_riyadh(now: datetime, result: ControlResult) -> None:
    control = next(one for one in controls().values() if one.kind == ControlKind.ATTESTED)
    given = example(Attestation)
    assert isinstance(given, Attestation)
    evidence = given.evolve(control_id=control.control_id, applies=True, valid_until=LAST, bytes=10)
    assert state(control, None, (evidence,), None, live=False, now=now).result is result
