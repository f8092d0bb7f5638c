"""WhatsApp Business Cloud API: template messages, and text inside the 24-hour service window.

The vendor has no idempotency: our action id travels in `biz_opaque_callback_data`. Source: Meta's Cloud API reference, Messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx

from libs.contracts.execution import Receipt
from libs.contracts.observed import NumberSeen
from services.execution.connectors.base import Profile, Sandbox, is_sandbox, receipt
from services.execution.connectors.http import Allowed, AllowList, SandboxTransport, send, travelled
from services.execution.errors import VendorRejected
from services.execution.gate import Admitted

HOST = "graph.facebook.com"
VERSION = "v23.0"
MAX_BODY = 1024


@dataclass(frozen=True, slots=True)
class WhatsAppAccount:
    phone_number_id: str
    access_token: str


class WhatsAppAccounts(Protocol):
    async def lease(self, admitted: Admitted) -> WhatsAppAccount | None: ...


class WhatsApp:
    profile = Profile(
        key="whatsapp",
        name="WhatsApp Business",
        name_ar="واتساب للأعمال",
        version="1",
        operations=("send_template", "send_brief"),
        data_classification="confidential",
        cross_border=True,
        idempotent=False,
        read_back="webhook",
    )
    allowed = (
        Allowed("POST", HOST, rf"/{VERSION}/[0-9A-Za-z-]+/messages"),
        Allowed("GET", HOST, rf"/{VERSION}/[0-9A-Za-z-]+"),
    )

    def __init__(self, sandbox: Sandbox, accounts: WhatsAppAccounts, now: Callable[[], datetime]) -> None:
        self._sandbox = sandbox
        self._accounts = accounts
        self._now = now

    async def perform(self, admitted: Admitted) -> Receipt:
        started = self._now()
        _in_time(admitted.payload, started)
        body = compose(admitted.payload, admitted.vendor_key)
        transport: httpx.AsyncBaseTransport
        if is_sandbox(admitted):
            account = WhatsAppAccount("sandbox", "sandbox")
            transport = SandboxTransport(self._sandbox, admitted, lambda vendor_id: {"messages": [{"id": vendor_id}]})
        else:
            leased = await self._accounts.lease(admitted)
            if leased is None:
                raise VendorRejected("no_credential", "No WhatsApp number is configured.", "لم يُضبط رقم واتساب.")
            account, transport = leased, httpx.AsyncHTTPTransport()
        request = httpx.Request(
            "POST",
            f"https://{HOST}/{VERSION}/{account.phone_number_id}/messages",
            json=body,
            headers={"Authorization": f"Bearer {account.access_token}"},
        )
        response = await send(AllowList(self.allowed, transport), request)
        return receipt(
            admitted,
            vendor_id=_message_id(response),
            request=request.content,
            response=response.content,
            started_at=started,
            finished_at=self._now(),
            sent=carried(body, response, account.phone_number_id),
        )

    async def probe(self, credential: Mapping[str, Any]) -> tuple[NumberSeen, ...]:
        """Read the number's own entry, and what it says of the number's quality. Raises VendorUnavailable, VendorRejected, OutcomeUnknown."""
        account = WhatsAppAccount(**credential)
        request = httpx.Request(
            "GET",
            f"https://{HOST}/{VERSION}/{account.phone_number_id}",
            headers={"Authorization": f"Bearer {account.access_token}"},
        )
        return quality(
            await send(AllowList(self.allowed, httpx.AsyncHTTPTransport()), request), account.phone_number_id
        )


def _in_time(payload: dict[str, Any], now: datetime) -> None:
    """A message that says `not_after` (ISO 8601 with a zone) does not leave later: the person's hours are over.

    Raises VendorRejected for that, and for a moment that can't be read.
    """
    if "not_after" not in payload:
        return
    try:
        until = datetime.fromisoformat(str(payload["not_after"]))
        late = now >= until
    except (ValueError, TypeError) as error:
        raise VendorRejected(
            "payload_incomplete",
            "`not_after` is not a moment with its zone.",
            "قيمة not_after ليست وقتًا بمنطقته الزمنية.",
        ) from error
    if late:
        raise VendorRejected(
            "too_late", "The hours of who would read this are over.", "انتهت الساعات التي حددها المستلِم."
        )


def compose(payload: dict[str, Any], callback: str) -> dict[str, Any]:
    """The request of a payload `{to, body, template?, language?}`. `to` is E.164.

    Raises VendorRejected for a number or text that the vendor would refuse.
    """
    to, body = payload.get("to"), payload.get("body")
    if not isinstance(to, str) or not to.startswith("+") or not to[1:].isascii() or not to[1:].isdigit():
        raise VendorRejected(
            "payload_incomplete", "`to` is not a number in E.164 form.", "رقم المستلِم ليس بالصيغة الدولية."
        )
    if not isinstance(body, str) or not body.strip() or len(body) > MAX_BODY:
        raise VendorRejected(
            "payload_incomplete", "`body` has 1 to 1,024 characters.", "نص الرسالة من 1 إلى 1,024 حرفًا."
        )
    common = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "biz_opaque_callback_data": callback,
    }
    if payload.get("template"):
        # The vendor refuses line breaks inside a template's parameters: each paragraph is one, on one line.
        paragraphs = [" ".join(part.split()) for part in body.split("\n\n") if part.strip()]
        parameters = [{"type": "text", "text": paragraph} for paragraph in paragraphs]
        template = {
            "name": str(payload["template"]),
            "language": {"code": str(payload.get("language", "ar"))},
            "components": [{"type": "body", "parameters": parameters}],
        }
        return {**common, "type": "template", "template": template}
    return {**common, "type": "text", "text": {"body": body, "preview_url": False}}


def quality(response: httpx.Response, number: str) -> tuple[NumberSeen, ...]:
    """What a number's entry says of its quality (Meta, Phone Numbers: `quality_rating`); nothing where it says none."""
    try:
        said = response.json().get("quality_rating")
    except (ValueError, AttributeError):
        return ()
    known = said in ("GREEN", "YELLOW", "RED")
    return (NumberSeen(subject=f"{number}/quality", number=number, quality=said),) if known else ()


def carried(body: dict[str, Any], response: httpx.Response, number: str) -> dict[str, str]:
    """What controls look at afterwards: the template (empty for free text), our own number's id at the vendor, how it travelled."""
    template = body.get("template", {})
    said = {
        "template": str(template.get("name", "")),
        "language": str(template.get("language", {}).get("code", "")),
        "number": number,
    }
    return said | travelled(response)


def _message_id(response: httpx.Response) -> str:
    try:
        return str(response.json()["messages"][0]["id"])
    except (KeyError, IndexError, TypeError, json.JSONDecodeError) as error:
        raise VendorRejected(
            "vendor_unreadable", "The vendor's answer can't be read.", "تعذّرت قراءة رد مزوّد الخدمة."
        ) from error
