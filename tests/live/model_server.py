"""Somebody's model behind OpenAI's chat completions form: keeps what it is asked and answers, or fails, as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ModelServer:
    """`by_model` is what a model always says; `script` is what the next questions get, one by one, and then `usual`: an object is an answer's content, a text too, a number a
    status, None silence."""

    port: int = 0
    key: str = ""
    usual: Any = field(default_factory=dict)
    script: list[Any] = field(default_factory=list)
    by_model: dict[str, Any] = field(default_factory=dict)
    retry_after: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    tokens: tuple[int, int] = (120, 40)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def told(self, number: int = -1) -> str:
        """The last turn of a question."""
        return str(self.asked[number]["messages"][-1]["content"])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            content = await reader.readexactly(int(headers.get("content-length", "0")))
            status, document = self._answer(head[0], headers, content)
            if status == 0:
                await reader.read()  # nothing comes back: until the one who asked has gone
                return
            body = json.dumps(document).encode()
            after = f"Retry-After: {self.retry_after}\r\n" if self.retry_after else ""
            writer.write(
                f"HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\n{after}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def _answer(self, line: str, headers: dict[str, str], content: bytes) -> tuple[int, Any]:
        if self.key and headers.get("authorization") != f"Bearer {self.key}":
            return 401, {"error": {"message": "wrong key"}}
        if line.startswith("GET /v1/models "):
            return 200, {"object": "list", "data": [{"id": "made-up-1", "object": "model"}]}
        if not line.startswith("POST /v1/chat/completions "):
            return 404, {"error": {"message": "no such path"}}
        self.asked.append(json.loads(content))
        model = self.asked[-1]["model"]
        told = self.by_model.get(model) if model in self.by_model else self.script.pop(0) if self.script else self.usual
        if told is None:
            return 0, None
        if isinstance(told, int):
            return told, {"error": {"message": "told to"}}
        text = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": self.tokens[0], "completion_tokens": self.tokens[1], "total_tokens": sum(self.tokens)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return 200, {
            "id": "c-1",
            "object": "chat.completion",
            "model": self.asked[-1]["model"],
            "choices": [choice],
            "usage": usage,
        }


@asynccontextmanager
async def model_server(**more: Any) -> AsyncIterator[ModelServer]:
    """A model on a free port of this machine."""
    made = ModelServer(**more)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
