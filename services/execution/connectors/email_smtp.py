"""E-mail over SMTP. The message is built once, by the same code, whether it is captured or sent.

No idempotency at the server: the Message-ID is stable over attempts, 4yz replies are retryable (RFC 5321 section 4.2.1), 5yz are not,
and a connection lost after DATA leaves the outcome unknown. One-click unsubscribe as in RFC 8058.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Protocol
from uuid import UUID

import aiosmtplib

from libs.contracts.execution import Receipt
from services.execution.connectors.base import Profile, Sandbox, is_sandbox, receipt
from services.execution.errors import OutcomeUnknown, VendorRejected, VendorUnavailable
from services.execution.gate import Admitted


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """A tenant's mail server. `tls` is `none` (tests on loopback), `starttls` or `tls`."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: str = "starttls"
    timeout_seconds: float = 20.0


class SmtpAccounts(Protocol):
    """Leases a tenant's account to whoever presents an Admitted."""

    async def lease(self, admitted: Admitted) -> SmtpAccount | None: ...

    async def account(self, credential: Mapping[str, Any]) -> SmtpAccount:
        """The account of a credential, for a probe."""
        ...


class EmailSmtp:
    profile = Profile(
        key="email_smtp",
        name="E-mail (SMTP)",
        name_ar="البريد الإلكتروني",
        version="1",
        operations=("send",),
        data_classification="confidential",
        cross_border=False,
        idempotent=False,
        read_back="none",
        per_minute=120,
    )

    def __init__(self, sandbox: Sandbox, accounts: SmtpAccounts, now: Callable[[], datetime]) -> None:
        self._sandbox = sandbox
        self._accounts = accounts
        self._now = now

    async def perform(self, admitted: Admitted) -> Receipt:
        started = self._now()
        message = compose(admitted.payload, admitted.claims.action_id, started)
        raw, tls = message.as_bytes(policy=SMTP), ""
        if is_sandbox(admitted):
            vendor_id, answer = self._sandbox.capture(admitted, _shown(message, admitted.payload)), b"250 sandbox"
        else:
            vendor_id, answer, tls = await self._send(admitted, message)
        return receipt(
            admitted, vendor_id=vendor_id, request=raw, response=answer, started_at=started, finished_at=self._now(),
            sent=carried(message, tls),
        )  # fmt: skip

    async def probe(self, credential: Mapping[str, Any]) -> None:
        """Connect, encrypt and sign in; nothing is sent. Raises VendorUnavailable, VendorRejected."""
        client = await _signed_in(await self._accounts.account(credential))
        client.close()

    async def _send(self, admitted: Admitted, message: EmailMessage) -> tuple[str, bytes, str]:
        account = await self._accounts.lease(admitted)
        if account is None:
            raise VendorRejected("no_credential", "No mail server is configured.", "لم يُضبط خادم بريد.")
        client = await _signed_in(account)
        try:
            secured = client.get_transport_info("ssl_object")
            tls = str(secured.version()) if secured is not None else "none"
            _, answer = await client.send_message(message)
        except aiosmtplib.SMTPResponseException as error:
            kind = VendorUnavailable if 400 <= error.code < 500 else VendorRejected
            raise kind(
                f"smtp_{error.code}", f"The mail server answered {error.code}.", f"رد خادم البريد بالرمز {error.code}."
            ) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise VendorRejected(
                "smtp_not_supported", "The mail server can't carry this address.", "خادم البريد لا يدعم هذا العنوان."
            ) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = max((r.code for r in error.recipients), default=550)
            kind = VendorUnavailable if 400 <= code < 500 else VendorRejected
            raise kind(f"smtp_{code}", "The recipient was refused.", "رُفض عنوان المستلِم.") from error
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError, TimeoutError) as error:
            raise OutcomeUnknown(
                "smtp_lost", "The connection was lost while sending.", "انقطع الاتصال أثناء الإرسال."
            ) from error
        finally:
            client.close()
        return str(message["Message-ID"]), answer.encode(), tls


async def _signed_in(account: SmtpAccount) -> aiosmtplib.SMTP:
    """A connection, encrypted and signed in as the account says; nothing has been sent.

    Raises VendorUnavailable, VendorRejected.
    """
    client = aiosmtplib.SMTP(
        hostname=account.host,
        port=account.port,
        timeout=account.timeout_seconds,
        use_tls=account.tls == "tls",
        start_tls=account.tls == "starttls",
    )
    try:
        await client.connect()
        if account.username is not None:
            await client.login(account.username, account.password or "")
    except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPServerDisconnected, OSError, TimeoutError) as error:
        client.close()
        raise VendorUnavailable(
            "smtp_unreachable", "The mail server can't be reached.", "تعذّر الوصول إلى خادم البريد."
        ) from error
    except aiosmtplib.SMTPException as error:
        client.close()
        raise VendorRejected(
            "smtp_auth", "The mail server refused the sign-in.", "رفض خادم البريد تسجيل الدخول."
        ) from error
    return client


def compose(payload: dict[str, Any], action_id: UUID, at: datetime) -> EmailMessage:
    """The message of a payload `{to, subject, body, from_name, from_email, opt_out_url?}`; nothing is rendered here.

    Raises VendorRejected when a field is missing or would break out of a header.
    """
    values = {name: payload.get(name) for name in ("to", "subject", "body", "from_name", "from_email")}
    missing = [name for name, value in values.items() if not isinstance(value, str) or not value.strip()]
    if missing:
        raise VendorRejected(
            "payload_incomplete", f"The payload lacks {', '.join(missing)}.", f"تنقص الحمولة: {'، '.join(missing)}."
        )
    headers = [str(values[name]) for name in ("to", "subject", "from_name", "from_email")] + [
        str(payload.get("opt_out_url", ""))
    ]
    if any(c in value for value in headers for c in "\r\n"):
        raise VendorRejected("header_injection", "A header field holds a line break.", "يحتوي أحد الحقول على سطر جديد.")
    message = EmailMessage()
    try:
        message["From"] = Address(str(values["from_name"]), addr_spec=str(values["from_email"]))
        # One address and nothing around it: a list or a display name would reach people whom nobody decided on.
        message["To"] = Address(addr_spec=str(values["to"]))
        message["Subject"] = str(values["subject"])
    except (ValueError, MessageError, IndexError) as error:
        raise VendorRejected(
            "address_unusable", "A header field is not what it must be.", "أحد حقول الرسالة غير صالح."
        ) from error
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{action_id}@{str(values['from_email']).rpartition('@')[2]}>"
    if payload.get("opt_out_url"):
        message["List-Unsubscribe"] = f"<{payload['opt_out_url']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(str(values["body"]))
    return message


def carried(message: EmailMessage, tls: str = "") -> dict[str, str]:
    """What controls look at afterwards: whose domain it came from, whether one click ends it (RFC 8058), how it travelled."""
    one_click = message.get("List-Unsubscribe") and message.get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    domain = message["From"].addresses[0].domain.casefold()
    said = {"sender_domain": domain, "unsubscribe": "one_click" if one_click else "none"}
    return {**said, "tls": tls} if tls else said


def _shown(message: EmailMessage, payload: dict[str, Any]) -> dict[str, Any]:
    return {"headers": {name: str(value) for name, value in message.items()}, "body": payload["body"]}
