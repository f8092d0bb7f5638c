"""A mail is composed once, whole, and nothing in a payload breaks out of its field."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP, default
from typing import Any
from uuid import UUID

import pytest

from services.execution.connectors.base import Sandbox
from services.execution.connectors.email_smtp import EmailSmtp, compose
from services.execution.errors import VendorRejected
from tests.unit.execution.admitting import admitted

ACTION = UUID("01930000-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PAYLOAD = {
    "to": "lead@customer.example",
    "subject": "عرض تعريفي",
    "body": "السلام عليكم.\nلإيقاف الرسائل رد بكلمة إيقاف.",
    "from_name": "شركة أفق",
    "from_email": "sales@ofoq.example",
    "opt_out_url": "https://ofoq.example/u/1",
}


def test_what_is_sent_reads_back_as_what_was_granted() -> None:
    raw = compose(PAYLOAD, ACTION, AT).as_bytes(policy=SMTP)
    read = message_from_bytes(raw, policy=default)
    assert (read["To"], read["Subject"]) == (PAYLOAD["to"], PAYLOAD["subject"])
    sender = read["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ("شركة أفق", "sales@ofoq.example")
    assert read.get_content().strip().splitlines() == PAYLOAD["body"].splitlines()
    assert read["Message-ID"] == f"<{ACTION}@ofoq.example>"


def test_a_way_out_is_one_click() -> None:
    """RFC 8058 section 3.1."""
    message = compose(PAYLOAD, ACTION, AT)
    assert message["List-Unsubscribe"] == "<https://ofoq.example/u/1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_message_id_stays_over_attempts() -> None:
    later = datetime(2026, 11, 23, tzinfo=UTC)
    assert compose(PAYLOAD, ACTION, AT)["Message-ID"] == compose(PAYLOAD, ACTION, later)["Message-ID"]


@pytest.mark.parametrize("field", ["to", "subject", "from_name", "from_email", "opt_out_url"])
@pytest.mark.parametrize("breaker", ["\r\nBcc: x@y.example", "\nBcc: x@y.example", "\rBcc: x@y.example"])
def test_a_line_break_in_a_header_is_refused(field: str, breaker: str) -> None:
    with pytest.raises(VendorRejected) as raised:
        compose({**PAYLOAD, field: PAYLOAD[field] + breaker}, ACTION, AT)
    assert raised.value.code == "header_injection"


@pytest.mark.parametrize("field", ["to", "subject", "from_name", "from_email"])
@pytest.mark.parametrize("breaker", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_no_other_break_adds_a_header(field: str, breaker: str) -> None:
    try:
        raw = compose({**PAYLOAD, field: f"{PAYLOAD[field]}{breaker}Bcc: x@y.example"}, ACTION, AT).as_bytes(
            policy=SMTP
        )
    except VendorRejected:
        return
    assert message_from_bytes(raw, policy=default)["Bcc"] is None


@pytest.mark.parametrize(
    "to",
    [
        "a@b.example, c@d.example",
        "a@b.example;c@d.example",
        "A <a@b.example>",
        "a@b.example c@d.example",
        "nobody",
        "@",
        "a@",
    ],
)
def test_a_mail_goes_to_one_address_and_no_list(to: str) -> None:
    with pytest.raises(VendorRejected):
        compose({**PAYLOAD, "to": to}, ACTION, AT)


@pytest.mark.parametrize("sender", ["أفق@ofoq.example", "x", "a@b.example, c@d.example"])
def test_an_unusable_sender_is_refused_and_not_a_crash(sender: str) -> None:
    with suppress(VendorRejected):
        assert compose({**PAYLOAD, "from_email": sender}, ACTION, AT).as_bytes(policy=SMTP)


@pytest.mark.parametrize("field", ["to", "subject", "body", "from_name", "from_email"])
@pytest.mark.parametrize("value", [None, "", "   ", 7, ["x"]])
def test_an_incomplete_payload_is_refused(field: str, value: Any) -> None:
    with pytest.raises(VendorRejected) as raised:
        compose({**PAYLOAD, field: value}, ACTION, AT)
    assert raised.value.code == "payload_incomplete"
    assert field in raised.value.en


class NoAccounts:
    async def lease(self, _: object) -> None:
        return None


async def test_the_sandbox_keeps_the_message_and_says_that_it_is_a_sandbox() -> None:
    sandbox = Sandbox(lambda: AT)
    one = admitted("send_email", PAYLOAD)
    receipt = await EmailSmtp(sandbox, NoAccounts(), lambda: AT).perform(one)
    (kept,) = sandbox.take(one.claims.grant_id)
    assert (receipt.mode, receipt.vendor_id) == ("sandbox", f"sandbox-{kept.message_id}")
    assert (kept.request["headers"]["To"], kept.request["body"]) == (PAYLOAD["to"], PAYLOAD["body"])
    assert sandbox.take(one.claims.grant_id) == []


async def test_a_live_grant_without_a_credential_sends_nothing() -> None:
    sandbox = Sandbox(lambda: AT)
    one = admitted("send_email", PAYLOAD, mode="live")
    with pytest.raises(VendorRejected) as raised:
        await EmailSmtp(sandbox, NoAccounts(), lambda: AT).perform(one)
    assert raised.value.code == "no_credential"
    assert sandbox.take(one.claims.grant_id) == []
