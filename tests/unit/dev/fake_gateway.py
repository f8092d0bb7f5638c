"""A hand-written gateway for the command line's tests: answers by method and path, keeps what it was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner, Result

from dev.cli import build_app
from dev.client import Client, Target
from dev.commands.system import Parts
from dev.output import Output

BASE = "http://gateway.example"


async def _no_preparation(_: object) -> tuple[()]:
    return ()


@dataclass
class FakeGateway:
    """`answers` maps "METHOD /path" to what is answered: JSON, a response, a function of the request, or Several of these."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        path = request.url.path.removeprefix("/api/v1")
        answer = self.answers.get(f"{request.method} {path}")
        if isinstance(answer, Several):
            answer = answer.next()
        if callable(answer):
            answer = answer(request)
        if answer is None:
            return problem(404, "not_found", f"There is no {path}.")
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def bodies(self, method: str, path: str) -> list[Any]:
        """The JSON bodies of all requests to a path."""
        return [json.loads(r.content) for r in self.asked if r.method == method and r.url.path == f"/api/v1{path}"]

    def client(self, lang: Any = "en", api_key: str | None = "key") -> Client:
        return Client(Target(BASE, api_key), lang, httpx.MockTransport(self))

    def types(self, *arguments: str, stdin: str | None = None) -> Result:
        """What a person gets who types `dealix …` against this gateway."""

        def connect(out: Output, _base_url: str | None, _data_dir: Path | None) -> Client:
            return self.client(out.lang)

        parts = Parts(commands=lambda _: {}, authorization=lambda _: "", prepare=_no_preparation)
        environ = {"DEALIX_LANG": "en", "COLUMNS": "200", "NO_COLOR": "1"}
        return CliRunner(env=environ).invoke(build_app(parts, connect), list(arguments), input=stdin)


class Several:
    """Answers one after the other; the last one stays."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def next(self) -> Any:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def problem(status: int, code: str, detail: str, **more: Any) -> httpx.Response:
    """A refusal as the gateway says it (RFC 9457)."""
    body = {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code, **more}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})
