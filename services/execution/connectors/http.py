"""HTTP to vendors: one client per connector that can reach the connector's own hosts and paths and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from services.execution.connectors.base import Sandbox
from services.execution.errors import OutcomeUnknown, VendorRejected, VendorUnavailable
from services.execution.gate import Admitted
from services.execution.traffic.domain import read_retry_after


@dataclass(frozen=True, slots=True)
class Allowed:
    """One method and path pattern on one host, by HTTPS on its usual port and without a query."""

    method: str
    host: str
    path: str


class AllowList(httpx.AsyncBaseTransport):
    """Refuses every request that is not on the list, whatever the code above it wanted."""

    def __init__(self, allowed: Sequence[Allowed], inner: httpx.AsyncBaseTransport) -> None:
        self._allowed = allowed
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        # The path as it travels: decoded, an escaped slash or dot could pass for a segment.
        path = url.raw_path.decode("ascii")
        if (url.scheme, url.port, url.userinfo) != ("https", None, b"") or not any(
            request.method == one.method and url.host == one.host and re.fullmatch(one.path, path)
            for one in self._allowed
        ):
            raise VendorRejected(
                "not_allowed", "This address is not on the connector's list.", "هذا العنوان ليس في قائمة الموصل."
            )
        return await self._inner.handle_async_request(request)


class SandboxTransport(httpx.AsyncBaseTransport):
    """Takes the finished request and answers as the vendor would: `answer` gets the sandbox's id."""

    def __init__(self, sandbox: Sandbox, admitted: Admitted, answer: Any) -> None:
        self._sandbox = sandbox
        self._admitted = admitted
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = request.content.decode()
        shown = {
            "method": request.method,
            "url": str(request.url),
            "headers": {k: v for k, v in request.headers.items() if k.lower() not in ("authorization", "cookie")},
            "body": json.loads(body) if body.startswith(("{", "[")) else body,
        }
        return httpx.Response(200, json=self._answer(self._sandbox.capture(self._admitted, shown)), request=request)


async def send(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    """Send one request and read the outcome's class from what happens.

    Raises VendorUnavailable when nothing left (or the vendor said 429 or 503), OutcomeUnknown when it left and no answer came,
    VendorRejected for any other refusal.
    """
    async with httpx.AsyncClient(transport=transport, timeout=20, follow_redirects=False) as client:
        try:
            response = await client.send(request)
            response.extensions["dealix"] = _secured(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise VendorUnavailable(
                "vendor_unreachable", "The vendor can't be reached.", "تعذّر الوصول إلى مزوّد الخدمة."
            ) from error
        except httpx.TransportError as error:
            raise OutcomeUnknown(
                "vendor_lost", "No answer came after the request left.", "لم يصل رد بعد خروج الطلب."
            ) from error
    if response.status_code in (429, 503):
        raise VendorUnavailable(
            f"vendor_{response.status_code}",
            "The vendor asks to wait.",
            "يطلب مزوّد الخدمة الانتظار.",
            retry_after=read_retry_after(response.headers.get("Retry-After"), datetime.now(UTC)),
        )
    if response.status_code >= 500:
        raise OutcomeUnknown(
            f"vendor_{response.status_code}", "The vendor failed while working.", "تعطّل مزوّد الخدمة أثناء التنفيذ."
        )
    if response.status_code >= 400:
        raise VendorRejected(
            f"vendor_{response.status_code}", "The vendor refused the request.", "رفض مزوّد الخدمة الطلب."
        )
    return response


def travelled(response: httpx.Response) -> dict[str, str]:
    """The TLS version of the connection that `send` got a response by; nothing where there was no connection."""
    found: dict[str, str] = response.extensions.get("dealix", {})
    return dict(found)


def _secured(response: httpx.Response) -> dict[str, str]:
    # Read while the connection is there: afterwards it says nothing.
    stream = response.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream is not None else None
    return {"tls": str(secured.version())} if secured is not None else {}
