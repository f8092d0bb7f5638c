"""`dealix webhooks` against a hand-written gateway: what is asked for, and a secret that is shown where it is made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dev.fake_gateway import FakeGateway

ONE: dict[str, Any] = {
    "subscription_id": "s1", "kind": "webhook", "url": "https://hooks.example/in", "event_types": ["approval.*"], "form": "json",
    "state": "disabled", "failures": 10, "disable_after": 10, "cursor": 7, "waiting": 3, "last_success_at": None,
    "last_error": {"code": "endpoint_500", "en": "The receiver answered 500.", "ar": "رد النظام المستقبِل بالرمز 500."},
}  # fmt: skip
DELIVERY: dict[str, Any] = {
    "delivery_id": "d1", "event_type": "approval.requested", "entries": 1, "state": "failed", "attempts": 10, "mode": "live",
    "error": ONE["last_error"], "created_at": "2026-11-21T12:00:00Z",
}  # fmt: skip
PATH = "/webhook-subscriptions"


def gateway() -> FakeGateway:
    made = {"subscription": ONE, "secret": "whsec_once"}
    return FakeGateway(
        {
            f"GET {PATH}": {"items": [ONE], "next_cursor": None},
            f"GET {PATH}/s1": ONE,
            f"GET {PATH}/event-types": {"items": [{"name": "approval", "en": "Approvals", "ar": "الموافقات"}]},
            f"GET {PATH}/s1/deliveries": {"items": [DELIVERY], "next_cursor": None},
            f"POST {PATH}": made,
            f"POST {PATH}/s1/rotate-secret": made,
            f"POST {PATH}/s1/resume": ONE,
            f"POST {PATH}/s1/replay": {"first_seq": 3, "last_seq": 9},
            f"DELETE {PATH}/s1": {},
        }
    )


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["list"], "hooks.example"),
        (["show", "s1"], "The receiver answered 500."),
        (["events"], "Approvals"),
        (["deliveries", "s1", "--state", "failed"], "given up"),
        (["rotate-secret", "s1"], "whsec_once"),
        (["resume", "s1"], "It goes on."),
        (["replay", "s1", "--first", "3"], "Entries 3 to 9"),
        (["remove", "s1"], "Ended."),
    ],
)
def test_each_command_says_what_it_found_or_did(command: list[str], shown: str) -> None:
    result = gateway().types("webhooks", *command)
    assert result.exit_code == 0, result.output
    assert shown in result.output


def test_adding_asks_for_what_was_typed_and_shows_the_secret() -> None:
    at = gateway()
    typed = ("add", "https://siem.example/in", "--siem", "cef", "--from-start", "--disable-after", "20")
    result = at.types("webhooks", *typed)
    assert "whsec_once" in result.output
    (body,) = at.bodies("POST", PATH)
    assert (body["kind"], body["form"], body["event_types"]) == ("siem", "cef", ["*"])
    assert (body["from_start"], body["disable_after"]) == (True, 20)
    at.types("webhooks", "add", "https://hooks.example/in", "-e", "approval.*", "-e", "outcome")
    assert at.bodies("POST", PATH)[1]["event_types"] == ["approval.*", "outcome"]


def test_a_subscription_that_is_not_there_fails() -> None:
    assert gateway().types("webhooks", "show", "other").exit_code == 1
