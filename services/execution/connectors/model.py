"""Providers of models: one connector each, over the two forms that they speak. Asking has no effect at the vendor but its bill.

Tries are made here, under one grant: whoever asked waits, and a later attempt would find nobody. A wait that the vendor asked for is
kept, or nothing is tried.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from random import SystemRandom
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from libs.contracts.catalogue.models import Provider, models
from libs.contracts.errors import DealixError
from libs.contracts.execution import Receipt
from services.execution.connectors.base import Profile, Sandbox, is_sandbox, receipt
from services.execution.connectors.http import Allowed, AllowList, travelled
from services.execution.connectors.public import PublicTransport
from services.execution.errors import VendorRejected
from services.execution.gate import Admitted
from services.execution.models.calls import Calls, Question
from services.execution.models.domain.forms import Unreadable, headers, path, read
from services.execution.models.errors import ModelSilent
from services.execution.traffic.domain import read_retry_after, wait_seconds

_CHANCE = SystemRandom().random
TRIES = 3
PROBE_SECONDS = 10.0
MOST_ANSWER = 1024 * 1024
NOT_NOW = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Answers that may be another in a while."""


class Keys(Protocol):
    async def lease(self, admitted: Admitted) -> dict[str, Any] | None:
        """The tenant's credential for the admitted provider, else the operator's."""
        ...


class Model:
    """`transport` is what requests go out through; another than the internet's in tests."""

    def __init__(
        self,
        provider: Provider,
        sandbox: Sandbox,
        keys: Keys,
        calls: Calls,
        now: Callable[[], datetime],
        allowed: Collection[str],
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
        chance: Callable[[], float] = _CHANCE,
    ) -> None:
        self._provider = provider
        self._sandbox = sandbox
        self._keys = keys
        self._calls = calls
        self._now = now
        self._chance = chance
        self._transport = transport or (lambda: PublicTransport(allowed))
        self.profile = Profile(
            key=provider.key, name=provider.en, name_ar=provider.ar, version="1", operations=("complete",),
            data_classification=provider.data, cross_border=models().abroad(provider.key), idempotent=True, read_back="none", per_minute=600,
        )  # fmt: skip

    async def perform(self, admitted: Admitted) -> Receipt:
        started = self._now()
        question = self._calls.lease(admitted)
        if question is None:
            raise VendorRejected(
                "question_gone", "Nobody waits for this answer any more.", "لم يعد أحد ينتظر هذا الجواب."
            )
        if sha256(question.body).hexdigest() != admitted.payload.get("body_sha256"):
            raise VendorRejected("question_changed", "This is not what was granted.", "ليس هذا ما صُرّح به.")
        if is_sandbox(admitted):
            # Who may look into the sandbox may not read what agents are asked for that.
            body = {"bytes": len(question.body), "sha256": admitted.payload["body_sha256"]}
            shown = {
                "method": "POST", "provider": self._provider.key, "model": admitted.payload.get("model"), "body": body,
            }  # fmt: skip
            vendor_id, content, sent, retries = self._sandbox.capture(admitted, shown), b"", {}, 0
        else:
            credential = await self._keys.lease(admitted)
            if credential is None:
                raise VendorRejected(
                    "no_credential", "No key of this provider is stored.", "لا يوجد مفتاح محفوظ لهذا المزوّد."
                )
            response, retries = await self._ask(credential, question)
            content, sent = response.content, travelled(response)
            vendor_id = (
                response.headers.get("x-request-id") or response.headers.get("request-id") or admitted.vendor_key
            )
            try:
                question.answer = read(self._provider, content)
            except Unreadable as error:
                question.unreadable = str(error)
        return receipt(
            admitted, vendor_id=vendor_id[:200], request=question.body, response=content, started_at=started, finished_at=self._now(),
            retries=retries, sent=sent,
        )  # fmt: skip

    async def probe(self, credential: Mapping[str, Any]) -> None:
        """Ask which models there are: costs nothing and needs the key. Raises VendorRejected, ModelSilent."""
        base = self._base(credential)
        request = httpx.Request(
            "GET", f"{base}/models", headers=headers(self._provider, str(credential.get("api_key") or ""))
        )
        response = await self._send(request, base, PROBE_SECONDS)
        self._refuse(response)
        if not response.is_success:
            raise _silent(f"vendor_{response.status_code}")

    async def _ask(self, credential: Mapping[str, Any], question: Question) -> tuple[httpx.Response, int]:
        """The vendor's answer, and how often it was asked again. Raises VendorRejected, ModelSilent."""
        clock, base = asyncio.get_running_loop().time, self._base(credential)
        key = str(credential.get("api_key") or "")
        asked_to_wait: float | None = None
        code = "vendor_no_time"
        for number in range(TRIES):
            left = question.until - clock()
            if number:
                wait = wait_seconds(number, asked_to_wait, self._chance())
                if wait >= left:
                    break
                await asyncio.sleep(wait)
                left = question.until - clock()
            if left <= 0:
                break
            request = httpx.Request(
                "POST", base + path(self._provider), content=question.body, headers=headers(self._provider, key)
            )
            try:
                response = await self._send(request, base, left)
            except ModelSilent as error:
                code, asked_to_wait = error.code, None
                continue
            self._refuse(response)
            if response.is_success:
                return response, number
            code = f"vendor_{response.status_code}"
            asked_to_wait = read_retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        raise _silent(code, asked_to_wait)

    async def _send(self, request: httpx.Request, base: str, seconds: float) -> httpx.Response:
        transport = self._transport()
        if self._provider.base_url:
            below = urlsplit(base)
            host, root = below.hostname or "", re.escape(below.path)
            transport = AllowList(
                (Allowed("POST", host, root + re.escape(path(self._provider))), Allowed("GET", host, root + "/models")),
                transport,
            )
        try:
            async with (
                asyncio.timeout(seconds),
                httpx.AsyncClient(transport=transport, timeout=seconds, follow_redirects=False) as client,
                client.stream(
                    request.method, request.url, content=request.content, headers=request.headers
                ) as response,
            ):
                content = b""
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > MOST_ANSWER:
                        raise VendorRejected(
                            "vendor_too_long", "The answer is too long to be one.", "الجواب أطول من أن يُقبل."
                        )
                return httpx.Response(response.status_code, headers=_kept(response), content=content, request=request)
        except VendorRejected:
            raise
        except DealixError as error:
            raise VendorRejected(error.code, error.en, error.ar) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise _silent(
                "vendor_unreachable" if isinstance(error, httpx.ConnectError) else "vendor_no_answer"
            ) from error

    def _base(self, credential: Mapping[str, Any]) -> str:
        return (self._provider.base_url or str(credential.get("base_url") or "")).rstrip("/")

    def _refuse(self, response: httpx.Response) -> None:
        """Raises VendorRejected for an answer that would be the same again: a wrong key, a model that is not there, a redirect."""
        if response.is_success or response.status_code in NOT_NOW:
            return
        raise VendorRejected(
            f"vendor_{response.status_code}", "The provider refused the question.", "رفض المزوّد السؤال."
        )


def _kept(response: httpx.Response) -> dict[str, str]:
    return {
        name: response.headers[name]
        for name in ("retry-after", "x-request-id", "request-id")
        if name in response.headers
    }


def _silent(code: str, retry_after: float | None = None) -> ModelSilent:
    return ModelSilent(code, "The provider gave no answer.", "لم يُجب المزوّد.", retry_after=retry_after)
