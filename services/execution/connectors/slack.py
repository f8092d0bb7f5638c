"""Slack: notices to the tenant's own team. No idempotency and no read-back at the vendor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import httpx
import orjson

from libs.contracts.execution import Receipt
from services.execution.connectors.base import Profile, Sandbox, is_sandbox, receipt
from services.execution.connectors.http import Allowed, AllowList, send, travelled
from services.execution.errors import VendorRejected
from services.execution.gate import Admitted

HOST = "hooks.slack.com"


class SlackHooks(Protocol):
    async def lease(self, admitted: Admitted) -> str | None:
        """The path of the tenant's incoming webhook."""
        ...


class Slack:
    profile = Profile(
        key="slack",
        name="Slack",
        name_ar="سلاك",
        version="1",
        operations=("post",),
        data_classification="internal",
        cross_border=True,
        idempotent=False,
        read_back="none",
        per_minute=60,
    )
    allowed = (Allowed("POST", HOST, r"/services/[A-Za-z0-9/]+"),)

    def __init__(self, sandbox: Sandbox, hooks: SlackHooks, now: Callable[[], datetime]) -> None:
        self._sandbox = sandbox
        self._hooks = hooks
        self._now = now

    async def perform(self, admitted: Admitted) -> Receipt:
        started = self._now()
        text = admitted.payload.get("text")
        if not isinstance(text, str) or not text.strip():
            raise VendorRejected("payload_incomplete", "The payload lacks text.", "تنقص الحمولة: النص.")
        body = orjson.dumps({"text": text})
        if is_sandbox(admitted):
            shown: dict[str, Any] = {
                "method": "POST",
                "url": f"https://{HOST}/services/sandbox",
                "body": {"text": text},
            }
            vendor_id, answer, sent = self._sandbox.capture(admitted, shown), b"ok", {}
        else:
            path = await self._hooks.lease(admitted)
            if path is None:
                raise VendorRejected("no_credential", "No Slack webhook is configured.", "لم يُضبط رابط سلاك.")
            request = httpx.Request(
                "POST", f"https://{HOST}{path}", content=body, headers={"Content-Type": "application/json"}
            )
            response = await send(AllowList(self.allowed, httpx.AsyncHTTPTransport()), request)
            answer, sent = response.content, travelled(response)
            vendor_id = f"slack-{admitted.claims.action_id}"
        return receipt(
            admitted, vendor_id=vendor_id, request=body, response=answer, started_at=started, finished_at=self._now(),
            sent=sent,
        )  # fmt: skip
