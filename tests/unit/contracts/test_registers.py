"""The registers as data: which values an entry takes, and that checks read only fields that exist."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from libs.contracts.catalogue.registers import registers
from libs.contracts.catalogue.sources import Collection, sources
from libs.contracts.observed import Fact
from libs.contracts.rights import RightsKind

CHECKS = Path(__file__).parents[3] / "services" / "trust" / "compliance"
ID = "01a1fe67-4f47-70b2-95f5-cf4e4f336f7b"
GIVEN = {"contact_id": ID, "recipient": "Courier", "disclosed_at": "2026-01-01T00:00:00+03:00", "purpose": "delivery"}


def test_an_entry_about_a_record_names_it_by_its_id_and_nothing_else() -> None:
    kept = registers()["disclosures"]
    assert kept.problem(GIVEN) is None
    for wrong in ("Ahmad", "0551234567", ID.upper(), 7, ["x"]):
        problem = kept.problem({**GIVEN, "contact_id": wrong})
        assert problem is not None and all(problem)


def test_only_sources_that_are_not_the_person_need_an_exception() -> None:
    offered = {key for key, _, _ in registers()["lead-sources"].fields["source"].options}
    assert offered == {s.key for s in sources().values() if s.collection is Collection.INDIRECT}
    assert "own_crm" not in offered and "referral" in offered


@pytest.mark.parametrize("kind", sorted(registers()))
def test_every_field_says_what_it_is_in_both_languages(kind: str) -> None:
    kept = registers()[kind]
    assert kept.en and kept.ar and kept.source
    assert all(field.en and field.ar for field in kept.fields.values())
    assert all(field.options for field in kept.fields.values() if field.type == "choice")


def test_no_check_reads_a_register_or_a_field_that_nobody_keeps() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in CHECKS.glob("checks*.yaml"))
    told = {str(one.model_fields["kind"].default): one for one in get_args(Fact)}
    others = told.keys() | {kind.value for kind in RightsKind} | {"outcome", "control_acknowledged"}
    assert set(re.findall(r"kind = '([a-z_-]+)'", text)) - others <= registers().keys()
    assert set(re.findall(r"\bf->>?'([a-z_]+)'", text)) <= {name for one in told.values() for name in one.model_fields}
    fields = {name for kept in registers().values() for name in kept.fields}
    assert set(re.findall(r"\be->>?'([a-z_]+)'", text)) <= fields


NOW = datetime(2026, 11, 21, tzinfo=UTC)
OLD = NOW - timedelta(days=30)


@pytest.mark.parametrize(
    ("ended", "created", "kept"),
    [
        (None, OLD, True),
        ("2021-11-22", OLD, True),
        ("2021-11-20", OLD, False),
        (None, NOW - timedelta(hours=23), False),
    ],
)
def test_an_activity_stays_on_record_for_five_years_after_its_end_unless_it_was_a_slip(
    ended: str | None, created: datetime, kept: bool
) -> None:
    """PDPL art. 31."""
    values = {"name": "Outreach"} | ({"ended_on": ended} if ended else {})
    assert registers()["processing-activities"].kept(values, created, NOW) is kept
    assert not registers()["senders"].kept(values, created, NOW)
