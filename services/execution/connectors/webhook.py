"""Webhooks: messages to a tenant's own systems, signed in the Standard Webhooks form.

A receiver knows a repetition by its `webhook-id`, so a try whose end is not known is simply tried again: everything that goes wrong here
is a refusal, and whoever asked (`services/execution/push`) asks again under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import httpx

from libs.contracts.errors import DealixError
from libs.contracts.execution import Receipt
from libs.contracts.push import Form
from services.execution.connectors.base import Profile, Sandbox, is_sandbox, receipt
from services.execution.connectors.public import PublicTransport
from services.execution.errors import VendorRejected
from services.execution.gate import Admitted
from services.execution.push.domain.forms import CONTENT_TYPES
from services.execution.push.domain.signing import headers

SECONDS = 15.0
"""What a receiver has to answer within; the specification asks for 15 to 30."""
MOST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """Where a subscription's messages go now, what this one says, and the secrets that sign it, the newest first."""

    url: str
    body: bytes
    secrets: tuple[str, ...]


class Targets(Protocol):
    async def lease(self, admitted: Admitted) -> Target | None:
        """What is on record of the delivery that the payload names, once it is seen to be the tenant's and open."""
        ...


@dataclass(frozen=True, slots=True)
class _Message:
    """What was granted: the digests bind where it goes and every byte of what it says."""

    message_id: str
    form: Form
    url_digest: str
    body_digest: str


class Webhook:
    profile = Profile(
        key="webhook",
        name="Webhooks and SIEM",
        name_ar="الإشعارات البرمجية ونظام SIEM",
        version="1",
        operations=("deliver",),
        data_classification="confidential",
        cross_border=True,
        idempotent=True,
        read_back="none",
        per_minute=6000,
    )

    def __init__(
        self,
        sandbox: Sandbox,
        targets: Targets,
        now: Callable[[], datetime],
        allowed: Collection[str],
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._targets = targets
        self._now = now
        self._transport = transport or (lambda: PublicTransport(allowed))

    async def perform(self, admitted: Admitted) -> Receipt:
        started = self._now()
        message = _read(admitted.payload)
        target = await self._targets.lease(admitted)
        if target is None:
            raise VendorRejected("delivery_gone", "This delivery is not open any more.", "لم يعد هذا الإرسال قائمًا.")
        if sha256(target.url.encode()).hexdigest() != message.url_digest:
            raise VendorRejected("endpoint_changed", "The address was changed meanwhile.", "تغيّر العنوان في أثناء ذلك.")
        if sha256(target.body).hexdigest() != message.body_digest:
            raise VendorRejected("content_changed", "This is not what was granted.", "ليس هذا ما صُرّح به.")
        if is_sandbox(admitted):
            # Who may look into the sandbox may not read the ledger for that: the digest says which entries it was.
            shown: dict[str, Any] = {
                "method": "POST", "host": admitted.payload.get("host"), "headers": {"webhook-id": message.message_id},
                "body": {"bytes": len(target.body), "sha256": message.body_digest},
            }  # fmt: skip
            vendor_id, answer = self._sandbox.capture(admitted, shown), b""
        else:
            if not target.secrets:
                raise VendorRejected(
                    "no_credential", "No secret signs this subscription.", "لا يوجد سر يوقّع هذا الاشتراك."
                )
            answer = await self._post(message, target, started)
            vendor_id = message.message_id
        return receipt(
            admitted, vendor_id=vendor_id, request=target.body, response=answer, started_at=started, finished_at=self._now(),
        )  # fmt: skip

    async def _post(self, message: _Message, target: Target, at: datetime) -> bytes:
        """The receiver's answer, as far as it is kept. Raises VendorRejected for anything but a 2xx."""
        signed = headers(message.message_id, int(at.timestamp()), target.body, target.secrets)
        wanted = {"Content-Type": CONTENT_TYPES[message.form], "User-Agent": "Dealix-Webhooks/1", **signed}
        try:
            async with (
                httpx.AsyncClient(transport=self._transport(), timeout=SECONDS, follow_redirects=False) as client,
                client.stream("POST", target.url, content=target.body, headers=wanted) as response,
            ):
                answer = await _beginning(response)
        except DealixError as error:
            raise VendorRejected(error.code, error.en, error.ar) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise VendorRejected(
                "endpoint_unreachable", "The receiver can't be reached.", "تعذّر الوصول إلى النظام المستقبِل."
            ) from error
        except httpx.HTTPError as error:
            raise VendorRejected(
                "endpoint_no_answer", "The receiver gave no answer in time.", "لم يرد النظام المستقبِل في الوقت المحدد."
            ) from error
        if not response.is_success:
            raise VendorRejected(
                f"endpoint_{response.status_code}",
                f"The receiver answered {response.status_code}.",
                f"رد النظام المستقبِل بالرمز {response.status_code}.",
            )
        return answer


async def _beginning(response: httpx.Response) -> bytes:
    """What an answer begins with: nobody needs the rest, and it may have no end."""
    out = b""
    async for chunk in response.aiter_raw():
        out += chunk
        if len(out) >= MOST_ANSWER:
            break
    return out[:MOST_ANSWER]


def _read(payload: dict[str, Any]) -> _Message:
    """The message of a payload `{delivery_id, message_id, form, url_sha256, body_sha256}`. Raises VendorRejected."""
    try:
        form = Form(payload["form"])
        return _Message(str(payload["message_id"]), form, str(payload["url_sha256"]), str(payload["body_sha256"]))
    except (KeyError, ValueError) as error:
        raise VendorRejected(
            "payload_incomplete", "The payload is not a message of a subscription.", "الحمولة ليست رسالة اشتراك."
        ) from error
