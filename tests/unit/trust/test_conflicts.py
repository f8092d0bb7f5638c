"""When two claims can't both hold: typed, with units and tolerances, at the same time, of the same subject."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.catalogue.claims import ClaimKey, ContradictionKind, claim_keys
from libs.contracts.claims import Claim, NewClaim
from libs.contracts.message import new_id
from services.trust.contradictions.domain.conflict import conflict, contradictions, read
from services.trust.contradictions.errors import BadClaim

TENANT = UUID(int=4)
NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)


def claim(
    key: str, value: str, *, subject: str = "deal:1", by: str = "user:1", tenant: UUID = TENANT, **more: Any
) -> Claim:
    new = NewClaim(claim_id=new_id(), subject=subject, key=key, value=value, source=more.pop("source", "crm"), **more)
    return read(new, tenant, by, NOW)


@pytest.mark.parametrize(
    ("key", "one", "other", "kind"),
    [
        ("price", "1200", "1200.00", None),
        ("price", "1200", "1200.009", None),
        ("price", "1200", "1200.02", ContradictionKind.VALUE),
        ("price", "١٢٠٠", "1200", None),
        ("employees", "100", "109", None),
        ("employees", "100", "120", ContradictionKind.VALUE),
        ("deal_status", "won", "WON", None),
        ("deal_status", "won", "lost", ContradictionKind.STATUS),
        ("contract_ends_on", "2026-12-01", "2026-12-02", ContradictionKind.TIMELINE),
        ("owner", "user:1", "User:1", None),
        ("owner", "user:1", "user:2", ContradictionKind.OWNERSHIP),
        ("metric_value", "1000", "1004", None),
        ("metric_value", "1000", "1010", ContradictionKind.METRIC),
        ("email_consent", "given", "withdrawn", ContradictionKind.POLICY),
    ],
)
def test_values_are_compared_by_their_type(key: str, one: str, other: str, kind: ContradictionKind | None) -> None:
    about = {"subject": f"{claim_keys()[key].about[0]}:1"}
    assert conflict(claim(key, one, **about), claim(key, other, **about)) is kind
    assert conflict(claim(key, other, **about), claim(key, one, **about)) is kind


def test_units_are_converted_and_those_that_count_other_things_never_agree() -> None:
    assert conflict(claim("price", "12", unit="SAR"), claim("price", "1200", unit="halala")) is None
    assert conflict(claim("price", "12", unit="SAR"), claim("price", "12", unit="halala")) is ContradictionKind.VALUE
    metric = {"subject": "metric:m"}
    counted = claim("metric_value", "12", unit="count", **metric)
    assert conflict(counted, claim("metric_value", "12", unit="SAR", **metric)) is ContradictionKind.METRIC


def test_what_holds_at_different_times_or_of_different_subjects_does_not_conflict() -> None:
    before = claim("deal_status", "open", valid_to=NOW)
    assert conflict(before, claim("deal_status", "won", valid_from=NOW)) is None
    assert conflict(before, claim("deal_status", "won", valid_from=NOW - DAY)) is ContradictionKind.STATUS
    assert conflict(before, claim("deal_status", "won", subject="deal:2")) is None
    assert conflict(before, claim("deal_status", "won", tenant=UUID(int=5))) is None


def test_a_contract_does_not_end_before_it_begins() -> None:
    begins, ends = claim("contract_starts_on", "2027-01-01"), claim("contract_ends_on", "2026-12-31")
    assert conflict(begins, ends) is conflict(ends, begins) is ContradictionKind.TIMELINE
    assert conflict(begins, claim("contract_ends_on", "2027-01-01")) is None


def test_the_same_two_claims_are_the_same_contradiction() -> None:
    one, other = claim("deal_status", "won"), claim("deal_status", "lost")
    (found,) = contradictions([one], [other], found_by="write", now=NOW)
    (again,) = contradictions([other], [one, other], found_by="sweep", now=NOW + DAY)
    assert found.contradiction_id == again.contradiction_id
    assert contradictions([one], [one], found_by="write", now=NOW) == []


@pytest.mark.parametrize(
    ("key", "value", "more"),
    [
        ("nothing_like_it", "1", {}),
        ("price", "twelve", {}),
        ("price", "NaN", {}),
        ("price", "1e400", {}),
        ("price", "12", {"unit": "USD"}),
        ("price", "12", {"subject": "contact:1"}),
        ("price", "12", {"subject": "deal"}),
        ("price", "12", {"subject": "deal:a b"}),
        ("deal_status", "perhaps", {}),
        ("deal_status", "won", {"unit": "SAR"}),
        ("contract_ends_on", "31/12/2026", {}),
        ("owner", " ", {}),
        ("owner", "user:1", {"valid_from": NOW, "valid_to": NOW}),
        ("owner", "user:1", {"valid_from": datetime(2026, 1, 1)}),
    ],
)
def test_a_claim_that_does_not_fit_is_refused_in_both_languages(key: str, value: str, more: dict[str, Any]) -> None:
    with pytest.raises(BadClaim) as refused:
        claim(key, value, **more)
    assert refused.value.en and refused.value.ar and refused.value.code == "bad_claim"


def test_the_catalogue_is_whole() -> None:
    assert {key.kind for key in claim_keys().values()} == set(ContradictionKind)
    assert all(key.en and key.ar for key in claim_keys().values())
    with pytest.raises(ValueError, match="units"):
        ClaimKey(key="x", kind=ContradictionKind.VALUE, severity="low", type="number", about=("deal",), en="x", ar="س")
