"""The mail connector against a real SMTP server on loopback: what arrives, and what is known when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.execution.connectors.base import Sandbox
from services.execution.connectors.email_smtp import EmailSmtp, SmtpAccount
from services.execution.errors import OutcomeUnknown, VendorRejected, VendorUnavailable
from tests.unit.execution.admitting import admitted
from tests.unit.execution.test_email_compose import PAYLOAD

pytestmark = pytest.mark.live
AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


class Server:
    """Answers as told, and keeps what arrived."""

    def __init__(self, *, rcpt: str = "250 OK", data: str = "250 OK queued as 7", drop: str = "") -> None:
        self.rcpt = rcpt
        self.data = data
        self.drop = drop
        self.arrived: list[Envelope] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.arrived.append(envelope)
        if self.drop == "after data":
            assert server.transport is not None
            server.transport.abort()
        if self.drop == "silence":
            await asyncio.sleep(3)
        return self.data


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[SmtpAccount]:
    def protocol() -> SMTP:
        return SMTP(server, hostname="mail.test", enable_SMTPUTF8=False)

    listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    try:
        port = listening.sockets[0].getsockname()[1]
        yield SmtpAccount("127.0.0.1", port, tls="none", timeout_seconds=1.0)
    finally:
        listening.close()


class Accounts:
    def __init__(self, account: SmtpAccount) -> None:
        self.account = account

    async def lease(self, _: object) -> SmtpAccount:
        return self.account


async def send(account: SmtpAccount, **payload: Any) -> Any:
    connector = EmailSmtp(Sandbox(lambda: AT), Accounts(account), lambda: AT)
    return await connector.perform(admitted("send_email", {**PAYLOAD, **payload}, mode="live"))


async def test_the_message_arrives_as_it_was_granted() -> None:
    server = Server()
    async with running(server) as account:
        receipt = await send(account)
    (envelope,) = server.arrived
    assert (envelope.mail_from, envelope.rcpt_tos) == ("sales@ofoq.example", ["lead@customer.example"])
    read = message_from_bytes(envelope.content, policy=default)
    assert (read["Subject"], read["To"]) == (PAYLOAD["subject"], PAYLOAD["to"])
    assert read.get_content().split() == PAYLOAD["body"].split()
    assert (receipt.mode, receipt.vendor_id) == ("live", read["Message-ID"])


@pytest.mark.parametrize("code", [421, 450, 451, 452])
@pytest.mark.parametrize("at", ["rcpt", "data"])
async def test_a_4yz_is_not_sent_and_may_be_tried_again(code: int, at: str) -> None:
    """RFC 5321 section 4.2.1."""
    async with running(Server(**{at: f"{code} later"})) as account:  # type: ignore[arg-type]
        with pytest.raises(VendorUnavailable) as raised:
            await send(account)
    assert (raised.value.sent, raised.value.retryable) == (False, True)


@pytest.mark.parametrize("code", [550, 551, 552, 553, 554])
@pytest.mark.parametrize("at", ["rcpt", "data"])
async def test_a_5yz_is_not_sent_and_is_not_tried_again(code: int, at: str) -> None:
    async with running(Server(**{at: f"{code} no"})) as account:  # type: ignore[arg-type]
        with pytest.raises(VendorRejected) as raised:
            await send(account)
    assert (raised.value.sent, raised.value.retryable) == (False, False)


@pytest.mark.parametrize("drop", ["after data", "silence"])
async def test_when_the_answer_to_the_data_is_lost_the_outcome_is_unknown(drop: str) -> None:
    server = Server(drop=drop)
    async with running(server) as account:
        with pytest.raises(OutcomeUnknown) as raised:
            await send(account)
    assert raised.value.sent is None
    assert len(server.arrived) == 1


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with running(Server()) as account:
        pass
    with pytest.raises(VendorUnavailable):
        await send(account)


async def test_an_address_that_the_server_cannot_carry_is_refused_and_not_a_crash() -> None:
    server = Server()
    async with running(server) as account:
        with pytest.raises(VendorRejected):
            await send(account, to="محمد@customer.example")
    assert server.arrived == []


async def test_a_server_without_tls_is_not_spoken_to_in_the_clear_when_tls_was_asked_for() -> None:
    server = Server()
    async with running(server) as account:
        secured = SmtpAccount(account.host, account.port, tls="starttls", timeout_seconds=1.0)
        with pytest.raises((VendorRejected, VendorUnavailable)):
            await send(secured)
    assert server.arrived == []


async def test_a_password_is_not_sent_to_a_server_that_cannot_sign_in() -> None:
    server = Server()
    async with running(server) as account:
        with_password = SmtpAccount(account.host, account.port, "user", "secret", tls="none", timeout_seconds=1.0)
        with pytest.raises(VendorRejected) as raised:
            await send(with_password)
    assert raised.value.code == "smtp_auth"
    assert server.arrived == []
