"""Deals of before are held to what the records' catalogue takes."""

from __future__ import annotations

from typing import get_args

from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.deal_history import Currency


def test_a_past_deal_may_be_in_whatever_a_deal_may_be_in() -> None:
    assert get_args(Currency) == records().kinds[RecordKind.DEAL].fields["currency"].choices
