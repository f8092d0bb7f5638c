"""A small client of the gateway's HTTP API for the command line: one sentence for whatever goes wrong.

The address is `--base-url`, else `DEALIX_BASE_URL`, else the running system of the data directory. The key is
`DEALIX_API_KEY`, else the one that the gateway left for this machine in `<data_dir>/secrets/cli.json`; that one is
sent to the system of this data directory alone, never to another address.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from dev.directory import read_json
from dev.messages import BadSetting, DealixError, Lang, NotRunning
from dev.state import read_state

SECONDS = 30.0
"""How long an answer may take; ranking and long polls ask for more."""
API = "/api/v1"
MOST_OF_A_PAGE = 200
"""Items that the gateway gives at once."""
CLI_KEY = Path("secrets") / "cli.json"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ApiError(DealixError):
    """The gateway refused: its own sentence, in the language asked for.

    `status` is HTTP's (0 when no answer came), `code` the problem's stable code, `problem` the whole document (RFC 9457).
    """

    def __init__(self, en: str, ar: str, status: int = 0, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(en, ar)
        self.status = status
        self.problem = dict(problem or {})
        self.code = str(self.problem.get("code") or "")
        told = {"status": status or None, "code": self.code, "trace_id": self.problem.get("trace_id")}
        self.details = {name: value for name, value in told.items() if value}
        if self.problem.get("errors"):
            self.details["errors"] = self.problem["errors"]


class NoAccess(ApiError):
    """No key, or one that is not valid (any more)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the gateway is, and what opens it."""

    base_url: str
    api_key: str | None = field(repr=False, default=None)


def locate(base_url: str | None, data_dir: Path, environ: Mapping[str, str]) -> Target:
    """The gateway to talk to. Raises NotRunning when no address is given and nothing runs on `data_dir`."""
    running = read_state(data_dir).console
    given = base_url or environ.get("DEALIX_BASE_URL")
    address = (_checked(given) if given else running) or ""
    if not address:
        raise NotRunning(
            f"Dealix is not running on {data_dir}; start it with `dealix up`, or name a system with --base-url.",
            f"Dealix لا يعمل على {data_dir}؛ شغّله بالأمر dealix up أو حدّد نظامًا بالخيار --base-url.",
        )
    key = environ.get("DEALIX_API_KEY") or None
    if key is None and running and _same_place(address, running):
        key = str(read_json(data_dir / CLI_KEY).get("api_key") or "") or None
    return Target(address, key)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSetting(
            f"{url} is not an address; use one like http://127.0.0.1:8080.",
            f"{url} ليس عنوانًا صحيحًا؛ استخدم عنوانًا مثل http://127.0.0.1:8080.",
        )
    return url.rstrip("/")


def _same_place(one: str, other: str) -> bool:
    a, b = urlsplit(one), urlsplit(other)
    hosts = a.hostname == b.hostname or (a.hostname in _LOOPBACK and b.hostname in _LOOPBACK)
    return hosts and a.port == b.port


class Client:
    """Calls to one gateway, as one principal. Paths are below `/api/v1` unless they begin with `//`, for the root."""

    def __init__(self, target: Target, lang: Lang = "en", transport: httpx.BaseTransport | None = None) -> None:
        self.base_url = target.base_url
        self.has_key = target.api_key is not None
        headers = {"Accept-Language": lang, "User-Agent": "dealix-cli"}
        if target.api_key:
            headers["Authorization"] = f"Bearer {target.api_key}"
        local = urlsplit(target.base_url).hostname in _LOOPBACK
        # A proxy of the environment is for the world outside, not for this machine.
        self._http = httpx.Client(
            base_url=target.base_url, headers=headers, timeout=SECONDS, transport=transport, trust_env=not local
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, *, timeout: float = SECONDS, **params: Any) -> Any:
        """The JSON at `path`; parameters that are None are left out. Raises ApiError, NotRunning."""
        given = {name: value for name, value in params.items() if value is not None}
        return self._json(self._send("GET", path, params=given, timeout=timeout))

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, wait: int = 0, timeout: float = SECONDS
    ) -> Any:
        """POST a JSON body. `key` is the idempotency key, a new one when not given; `wait` asks for the final state
        within that many seconds. Raises ApiError, NotRunning."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        if wait:
            headers["Prefer"] = f"wait={wait}"
        return self._json(
            self._send("POST", path, json=body if body is not None else {}, headers=headers, timeout=timeout)
        )

    def put(self, path: str, body: Any, *, version: int | None = None) -> Any:
        """PUT a JSON body, on top of the version that was edited. Raises ApiError, NotRunning."""
        headers = {"If-Match": f'"{version}"'} if version is not None else {}
        return self._json(self._send("PUT", path, json=body, headers=headers))

    def delete(self, path: str) -> Any:
        """DELETE what is there. Raises ApiError, NotRunning."""
        return self._json(self._send("DELETE", path))

    def upload(self, path: str, file: Path, fields: Mapping[str, str]) -> Any:
        """POST a file as multipart field `file`, beside plain fields. Raises ApiError, NotRunning, OSError."""
        with file.open("rb") as stream:
            return self.upload_bytes(path, file.name, stream, fields)

    def upload_bytes(self, path: str, name: str, content: Any, fields: Mapping[str, str]) -> Any:
        """As `upload`, from bytes or an open binary file."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        files = {"file": (name, content, "application/octet-stream")}
        return self._json(self._send("POST", path, data=dict(fields), files=files, headers=headers, timeout=300.0))

    def raw(self, path: str) -> bytes:
        """The bytes at `path`, as they are. Raises ApiError, NotRunning."""
        return self._send("GET", path, timeout=120.0).content

    def items(self, path: str, limit: int, **params: Any) -> list[dict[str, Any]]:
        """The first `limit` items of a list, page by page."""
        found: list[dict[str, Any]] = self.page(path, limit, **params)["items"]
        return found

    def page(self, path: str, limit: int, cursor: str | None = None, **params: Any) -> dict[str, Any]:
        """Up to `limit` items from `cursor` on, and the cursor behind them: `items`, `next_cursor`. Raises ApiError, NotRunning."""
        found: list[dict[str, Any]] = []
        while len(found) < limit:
            page = self.get(path, limit=min(limit - len(found), MOST_OF_A_PAGE), cursor=cursor, **params)
            found += page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                break
        return {"items": found, "next_cursor": cursor}

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        url = path[1:] if path.startswith("//") else f"{API}{path}"
        with _transport_errors(self.base_url):
            response = self._http.request(method, url, **options)
        if response.is_success:
            return response
        raise _refusal(response, has_key=self.has_key)

    def _json(self, response: httpx.Response) -> Any:
        if not response.content:
            return {}
        try:
            return response.json()
        except ValueError as error:
            raise ApiError(
                f"What answers at {self.base_url} is not Dealix: {response.url.path} is not JSON.",
                f"ما يجيب على {self.base_url} ليس Dealix: محتوى {response.url.path} ليس JSON.",
                response.status_code,
            ) from error


@contextmanager
def _transport_errors(base_url: str) -> Iterator[None]:
    try:
        yield
    except httpx.ConnectError as error:
        raise NotRunning(
            f"Nothing answers at {base_url}; start Dealix with `dealix up`.",
            f"لا شيء يجيب على {base_url}؛ شغّل Dealix بالأمر dealix up.",
        ) from error
    except httpx.TimeoutException as error:
        raise ApiError(
            f"{base_url} did not answer in time; see `dealix status`.",
            f"لم يصل رد من {base_url} في الوقت المحدد؛ راجع dealix status.",
        ) from error
    except httpx.HTTPError as error:
        raise ApiError(
            f"The connection to {base_url} broke ({type(error).__name__}); see `dealix status`.",
            f"انقطع الاتصال مع {base_url}؛ راجع dealix status.",
        ) from error


def _refusal(response: httpx.Response, *, has_key: bool) -> ApiError:
    problem = _problem(response)
    said = str(problem.get("detail") or problem.get("title") or "")
    status = response.status_code
    if status == 401 and not has_key:
        return NoAccess(
            "No API key: set DEALIX_API_KEY (`dealix key create` makes one).",
            "لا يوجد مفتاح API: اضبط DEALIX_API_KEY (أنشئ مفتاحًا بالأمر dealix key create).",
            status,
            problem,
        )
    if not said:
        path = response.url.path
        return ApiError(f"HTTP {status} from {path}.", f"أعاد {path} الرمز HTTP {status}.", status, problem)
    fields = "; ".join(filter(None, (_field(e) for e in problem.get("errors") or ())))
    said = f"{said.rstrip('.')}: {fields}." if fields else said
    if status >= 500 and problem.get("trace_id"):
        said = f"{said} ({problem['trace_id']})"
    return (NoAccess if status == 401 else ApiError)(said, said, status, problem)


def _field(error: Any) -> str:
    """One entry of `errors[]`, whether it is a sentence, a field with its message, or a JSON pointer."""
    if not isinstance(error, Mapping):
        return str(error)
    message = str(error.get("message") or error.get("detail") or error.get("msg") or "")
    where = error.get("field") or error.get("pointer") or error.get("loc") or ""
    name = ".".join(str(part) for part in where) if isinstance(where, list) else str(where)
    return f"{name}: {message}" if name and message else message or name


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
