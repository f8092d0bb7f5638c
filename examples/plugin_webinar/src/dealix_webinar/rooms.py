"""The connector: rooms at a webinar vendor. The request is the same in the sandbox, up to the wire."""

from __future__ import annotations

import httpx
import orjson

from libs.contracts.execution import Receipt
from services.execution.connectors.base import Profile, is_sandbox, receipt
from services.execution.connectors.http import SandboxTransport, send
from services.execution.errors import VendorRejected
from services.execution.gate import Admitted
from services.execution.plugins.api import Tools

HOST = "api.webinar.example"


class Rooms:
    """Opens rooms. Live is refused: this example has no vendor behind it."""

    profile = Profile(
        key="webinar",
        name="Webinar rooms",
        name_ar="قاعات الندوات",
        version="1",
        operations=("open_room",),
        data_classification="internal",
        cross_border=False,
        idempotent=True,
        read_back="none",
    )

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def perform(self, admitted: Admitted) -> Receipt:
        """Raises VendorRejected for a payload without a title and seats."""
        title, seats = admitted.payload.get("title"), admitted.payload.get("seats")
        if not isinstance(title, str) or not isinstance(seats, int):
            raise VendorRejected(
                "payload_incomplete", "The payload lacks title or seats.", "تنقص الحمولة: title أو seats."
            )
        if not is_sandbox(admitted):
            raise VendorRejected("no_credential", "No webinar account is configured.", "لم يُضبط حساب للندوات.")
        started, body = self._tools.now(), orjson.dumps({"title": title, "seats": seats})
        request = httpx.Request(
            "POST", f"https://{HOST}/v1/rooms", content=body, headers={"Idempotency-Key": admitted.vendor_key}
        )
        answer = await send(SandboxTransport(self._tools.sandbox, admitted, lambda made: {"room": made}), request)
        return receipt(
            admitted,
            vendor_id=answer.json()["room"],
            request=body,
            response=answer.content,
            started_at=started,
            finished_at=self._tools.now(),
        )
