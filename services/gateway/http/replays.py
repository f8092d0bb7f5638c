"""The `Idempotency-Key` of a POST, around the application: the body is read once, the answer is on record before it is sent.

Uploads are not read here: their routes keep the record by what is in the file (`uploads.py`).
"""

from __future__ import annotations

import asyncio
import logging

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.domain.people import Caller
from services.gateway.http.context import Gateway
from services.gateway.idempotency import Answer, Held
from services.gateway.store import DATABASE_DOWN

log = logging.getLogger(__name__)

HEADER = "idempotency-key"
REPLAYED = "Idempotent-Replayed"


class Replays:
    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        self._idempotency = gateway.idempotency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        caller: Caller | None = scope["state"].get("caller")
        key = headers.get(HEADER)
        upload = headers.get("content-type", "").startswith("multipart/")
        if scope["method"] != "POST" or key is None or caller is None or upload:
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        route = f"POST {scope['path']}"
        begun = await self._idempotency.begin(caller.principal, route, key, scope["query_string"], body)
        if isinstance(begun, Answer):
            await replay(begun)(scope, receive, send)
            return
        scope["state"]["reservation"] = begun
        await self._run(scope, receive, send, begun, body)

    async def _run(self, scope: Scope, receive: Receive, send: Send, held: Held, body: bytes) -> None:
        capture = _Capture()
        try:
            await self._app(scope, _again(body, receive), capture)
        except BaseException:  # a cancelled request as well: whoever asks again must not wait for the reservation's end
            await asyncio.shield(self._idempotency.give_up(held))
            raise
        # Whoever asked may be gone by now; the answer is kept all the same.
        await asyncio.shield(self._keep(held, capture.answer()))
        for message in capture.messages:
            await send(message)

    async def _keep(self, held: Held, answer: Answer) -> None:
        try:
            await self._idempotency.end(held, answer)
        except DATABASE_DOWN as error:
            # The effect has happened: the answer goes out, and a repetition within the lease gets 409, after it the same ids.
            log.error("an answer could not be kept: %s", type(error).__name__)


class _Capture:
    """Holds a response back until it is on record."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    def answer(self) -> Answer:
        start = next(m for m in self.messages if m["type"] == "http.response.start")
        body = b"".join(m.get("body", b"") for m in self.messages if m["type"] == "http.response.body")
        headers = tuple((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in start["headers"])
        return Answer(start["status"], headers, body)


def replay(answer: Answer) -> Response:
    """The first answer once more, marked as such."""
    return Response(answer.body, answer.status, {**dict(answer.headers), REPLAYED: "true"})


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more for the application, and after it whatever the connection says."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return next_message
