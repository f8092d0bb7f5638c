"""How somebody came in: what a provider says of the factors, and whether an address is from outside."""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway.domain.reach import is_remote
from services.gateway.oidc.domain.person import second_factor


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, None),
        ({"amr": []}, None),
        ({"amr": "mfa"}, None),  # RFC 8176 section 1: an array, so this says nothing
        ({"amr": ["pwd"]}, False),
        ({"amr": ["pwd", "pin"]}, False),  # two secrets are one factor
        ({"amr": ["otp", "sms"]}, False),
        ({"amr": ["pwd", "otp"]}, True),
        ({"amr": ["fpt", "hwk"]}, True),
        ({"amr": ["mfa"]}, True),
        ({"amr": ["unheard-of", 7]}, False),
        ({"acr": "gold"}, True),
        ({"acr": "silver"}, None),
        ({"acr": "silver", "amr": ["pwd"]}, False),
    ],
)
def test_two_factors_are_what_the_provider_says_and_never_assumed(
    claims: dict[str, Any], expected: bool | None
) -> None:
    assert second_factor(claims, frozenset({"gold"})) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", None), ("unix", None), ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.1.9", False), ("::1", False),
        ("fe80::1%eth0", False), ("::ffff:10.0.0.1", False), ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("::ffff:8.8.8.8", True),
    ],
)  # fmt: skip
def test_only_a_public_address_is_from_outside(address: str, expected: bool | None) -> None:
    assert is_remote(address) is expected
