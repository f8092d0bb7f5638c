"""What is known of a contact, and what follows from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from libs.contracts.catalogue.sources import Handling, sources
from libs.contracts.message import new_id
from libs.contracts.trust import Contactability
from services.trust.domain.facts import (
    CHANNELS,
    RIYADH,
    ContactState,
    contactability,
    identifier_mac,
    normalised,
    quiet_hours,
    source_policy,
)

KEY, TENANT = b"k" * 32, new_id()


def state(**changes: Any) -> ContactState:
    base: dict[str, Any] = {
        "contact_id": new_id(),
        "email_mac": "e",
        "phone_mac": "p",
        "source": "website_form",
        "opted_out": "no",
        "cold": False,
        "email_valid": True,
        "collected_directly": True,
        "consents": (("whatsapp", "active"), ("phone", "active")),
    }
    return ContactState(**{**base, **changes})


S, R, B, U = Contactability.SAFE, Contactability.NEEDS_REVIEW, Contactability.BLOCKED, Contactability.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "email", "whatsapp", "phone"),
    [
        ({}, S, S, S),
        ({"opted_out": "yes"}, B, B, B),
        ({"opted_out": "maybe"}, R, R, R),
        ({"opted_out": ""}, R, R, R),
        ({"opted_out": "Yes"}, R, R, R),
        ({"suppressed": frozenset({"e"})}, B, S, S),
        ({"suppressed": frozenset({"p"})}, S, B, B),
        ({"source": "scraped"}, B, B, B),
        ({"source": "purchased"}, R, R, R),
        ({"source": "never heard of"}, R, R, R),
        ({"cold": True}, R, R, R),
        ({"email_mac": None}, R, S, S),
        ({"phone_mac": None}, S, R, R),
        ({"email_valid": False}, R, S, S),
        ({"email_valid": None}, S, S, S),
        ({"consents": ()}, S, B, R),
        ({"consents": (("whatsapp", "expired"), ("phone", "expired"))}, S, B, R),
        ({"consents": (("email", "withdrawn"), ("whatsapp", "withdrawn"), ("phone", "withdrawn"))}, B, B, B),
    ],
)
def test_contactability_is_the_strictest_finding(
    changes: dict[str, Any], email: Contactability, whatsapp: Contactability, phone: Contactability
) -> None:
    verdicts = [contactability(state(**changes), channel) for channel in CHANNELS]
    assert [verdict.status for verdict in verdicts] == [email, whatsapp, phone]
    assert all(verdict.reasons and all(r.en and r.ar for r in verdict.reasons) for verdict in verdicts)


@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_known_is_unknown_and_never_safe(channel: str) -> None:
    assert contactability(None, channel).status is U


@pytest.mark.parametrize("source", [*sources(), "", "CRM", "somewhere"])
def test_only_an_accepted_source_is_ok(source: str) -> None:
    rule = sources().get(source)
    assert (source_policy(state(source=source)) == "ok") is (rule is not None and rule.handling is Handling.ACCEPT)


@pytest.mark.parametrize(
    ("local", "quiet"),
    [
        ("2026-11-22 08:59", True),  # Sunday
        ("2026-11-22 09:00", False),
        ("2026-11-22 20:59", False),
        ("2026-11-22 21:00", True),
        ("2026-11-22 00:00", True),
        ("2026-11-27 10:00", True),  # Friday
        ("2026-11-27 15:59", True),
        ("2026-11-27 16:00", False),
        ("2026-11-27 21:00", True),
        ("2026-11-28 10:00", False),
    ],
)
def test_quiet_hours_are_riyadhs(local: str, quiet: bool) -> None:
    assert quiet_hours(datetime.fromisoformat(local).replace(tzinfo=RIYADH)) is quiet


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("+966500001234", "+966500001234"),
        ("966500001234", "+966500001234"),
        ("00966 50 000 1234", "+966500001234"),
        ("0500001234", "+966500001234"),
        ("500001234", "+966500001234"),
        ("(050) 000-1234", "+966500001234"),
        ("٠٥٠٠٠٠١٢٣٤", "+966500001234"),
        ("\u202a+966500001234\u202c", "+966500001234"),
        ("+971501234567", "+971501234567"),
        ("Lead@Customer.Example ", "lead@customer.example"),
        ("user-7", "user-7"),
        ("", ""),
        ("+", "+"),
    ],
)
def test_an_identifier_has_one_spelling(typed: str, meant: str) -> None:
    assert normalised(typed) == meant
    assert normalised(meant) == meant


def test_a_mac_says_nothing_without_its_key_and_nothing_across_tenants() -> None:
    mac = identifier_mac(KEY, TENANT, "lead@customer.example")
    assert mac == identifier_mac(KEY, TENANT, "LEAD@customer.example")
    assert mac != identifier_mac(b"j" * 32, TENANT, "lead@customer.example")
    assert mac != identifier_mac(KEY, new_id(), "lead@customer.example")
    assert "lead" not in mac
