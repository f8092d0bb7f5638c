"""What a claim is worth, and which of a vendor's effects were granted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.execution import ActionState, Effect
from libs.contracts.message import new_id
from services.trust.receipts.domain import GRACE, Granted, match, verify
from tests.unit.trust.ledger_promises import NOON
from tests.unit.trust.pack_sample import receipt


@pytest.mark.parametrize(
    ("claim", "vendor", "verdict", "why"),
    [
        ({"outcome": "sent"}, "confirmed", "verified", "vendor_confirms"),
        ({"outcome": "sent", "vendor_id": "sandbox-1"}, "confirmed", "verified", "vendor_confirms"),
        ({"outcome": "sent"}, "unchecked", "partially_verified", "vendor_not_asked"),
        ({"outcome": "sent", "read_by_customer": True}, "confirmed", "partially_verified", "beyond_receipt"),
        ({"outcome": "sent", "mode": "live"}, "confirmed", "contradicted", "receipt_differs"),
        ({"outcome": "sent", "vendor_id": "another"}, "confirmed", "contradicted", "receipt_differs"),
        ({"outcome": "sent"}, "absent", "contradicted", "vendor_has_none"),
        ({"outcome": "not_sent"}, "confirmed", "contradicted", "receipt_says_done"),
        ({"outcome": "was not sent"}, "confirmed", "unverified", "claim_not_understood"),
        ({"outcome": "unsent"}, "confirmed", "unverified", "claim_not_understood"),
        ({}, "confirmed", "unverified", "claim_not_understood"),
    ],
)
def test_a_claim_is_worth_what_its_receipt_says(claim: dict[str, Any], vendor: str, verdict: str, why: str) -> None:
    found = verify(claim, receipt(), vendor=vendor)
    assert (found.verification, found.why) == (verdict, why)


@pytest.mark.parametrize("outcome", ["sent", "succeeded", "failed", "not_sent"])
def test_a_claim_without_a_receipt_is_never_done(outcome: str) -> None:
    assert verify({"outcome": outcome}, None, vendor="confirmed").verification == "unverified"


LONG_AGO, NOW = NOON - timedelta(hours=1), NOON


def granted(vendor_id: str | None = None, outcome: str | None = None, action_id: UUID | None = None) -> Granted:
    return Granted(new_id(), action_id or new_id(), outcome, vendor_id, LONG_AGO if outcome else None)


def effect(vendor_id: str, action_id: UUID | None = None, age: timedelta = timedelta(hours=1)) -> Effect:
    return Effect(vendor_id=vendor_id, action_id=action_id, at=NOW - age, operation="send")


def test_what_nobody_granted_is_an_orphan_once_it_is_old_enough() -> None:
    ours = granted("v1", "succeeded")
    found = match([ours], [effect("v1"), effect("v2"), effect("v3", age=GRACE / 2)], now=NOW)
    assert found.matched == {ours.grant_id: "v1"}
    assert [e.vendor_id for e in found.orphans] == ["v2"]
    assert found.waiting == 1


def test_a_second_effect_of_one_grant_is_an_orphan() -> None:
    ours = granted("v1", "succeeded")
    found = match([ours], [effect("v1", ours.action_id), effect("v2", ours.action_id)], now=NOW)
    assert [e.vendor_id for e in found.orphans] == ["v2"]


def test_an_effect_of_an_action_whose_grant_said_not_sent_is_an_orphan() -> None:
    ours = granted(None, "not_sent")
    found = match([ours], [effect("v1", ours.action_id)], now=NOW)
    assert [e.vendor_id for e in found.orphans] == ["v1"]


def test_an_unknown_outcome_becomes_what_the_vendor_says() -> None:
    done, never = granted(None, "unknown"), granted(None, "unknown")
    found = match([done, never], [effect("v1", done.action_id)], now=NOW)
    assert {(r.granted.grant_id, r.outcome) for r in found.resolved} == {
        (done.grant_id, ActionState.SUCCEEDED),
        (never.grant_id, ActionState.NOT_SENT),
    }
    # A log that was read in part proves no absence.
    assert {r.outcome for r in match([never], [], now=NOW, complete=False).resolved} == set()
