"""What surrounds the application, from the outside in: envelope (trace, headers, metrics, errors), body limit, gatekeeper.

Plain ASGI, so that streams stream. Nothing here knows a route; what is open to everybody is listed in `OPEN`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from opentelemetry.trace import Span, SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.contracts.errors import DealixError
from libs.contracts.message import Plane
from libs.runtime import telemetry
from services.gateway.domain.people import Caller
from services.gateway.errors import BadRequest, BodyTooLarge, CsrfFailed, NotSignedIn, Unauthenticated
from services.gateway.http import problems
from services.gateway.http.context import Gateway
from services.gateway.http.guards import SAFE

log = logging.getLogger(__name__)

COOKIE = "dealix_session"
API_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGES = ("/console", "/docs")
SIGN_IN = "/console/sign-in"

OPEN = frozenset(
    {
        ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/.well-known/jwks.json"),
        ("GET", "/openapi.json"), ("GET", "/asyncapi"), ("GET", "/docs"), ("GET", "/"),
        ("POST", "/api/v1/auth/login"), ("POST", "/api/v1/auth/login/code"),
        ("GET", "/api/v1/targeting/opportunities/demo"), ("GET", "/api/v1/targeting/contactability/demo"),
        ("GET", "/api/v1/proof-ledger/demo"), ("GET", "/api/v1/negotiation/demo"),
        ("GET", "/api/v1/revenue-work-units/demo"), ("GET", "/api/v1/proof-pack/demo"),
        ("GET", SIGN_IN), ("POST", SIGN_IN), ("GET", f"{SIGN_IN}/code"), ("POST", f"{SIGN_IN}/code"),
        ("GET", f"{SIGN_IN}/sso"), ("GET", f"{SIGN_IN}/sso/back"),
        ("POST", "/console/preferences"),
    }
)  # fmt: skip
"""What nobody has to sign in for. Everything else under these prefixes, and every state change anywhere, needs a caller."""
SINGLE_PURPOSE = frozenset(
    {
        ("GET", "/u/{token}"), ("POST", "/u/{token}"),
        ("GET", "/api/v1/webhooks/{connector}/{binding}"), ("POST", "/api/v1/webhooks/{connector}/{binding}"),
    }
)  # fmt: skip
"""Routes that carry their own proof for one purpose: a signed token in the path (trust checks it), or a vendor's signature over the
body (the binding's secret checks it). Nobody signs in."""
_TOKENED = tuple((method, path.partition("{")[0]) for method, path in SINGLE_PURPOSE)
CLOSED = ("/api/", "/access/", "/scim/", "/console")
STATIC = "/console/static/"
LARGE = frozenset(
    {
        "/api/v1/targeting/import", "/console/targeting/upload",
        "/api/v1/targeting/enrichment", "/console/targeting/enrichment/look",
        "/api/v1/knowledge/documents", "/console/numbers/knowledge/documents",
    }
)  # fmt: skip
"""Where files are uploaded."""
SLACK = 1024 * 1024
"""What a multipart upload may be larger than its file."""


class Envelope:
    """The outermost: one server span, the headers every answer has, a metric, and no error without an answer."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        scope.setdefault("state", {})["problem_page"] = self._gateway.problem_page
        headers = Headers(scope=scope)
        carrier = {name: value for name, value in headers.items() if name in ("traceparent", "tracestate")}
        began, status = time.perf_counter(), 0
        self._gateway.meter.in_flight += 1

        async def wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, message)
            await send(message)

        try:
            with telemetry.span(
                Plane.GATEWAY, f"HTTP {scope['method']}", kind=SpanKind.SERVER, parent=telemetry.extract(carrier)
            ) as span:
                scope["state"]["trace_id"] = telemetry.trace_id()
                await self._answer(scope, receive, wrapped)
                self._describe(scope, span, status)
        finally:
            self._gateway.meter.in_flight -= 1
            self._gateway.meter.count(scope["method"], _route(scope), status, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except (
            Exception
        ) as error:  # the outermost place: what nobody foresaw becomes a problem document, and is logged there
            if started:
                # Half an answer is out: only the connection's end can say so.
                log.error("an answer broke off: %s", type(error).__name__)
                raise
            refusal = (
                problems.from_error(scope, error)
                if isinstance(error, DealixError)
                else problems.from_exception(scope, error)
            )
            await refusal(scope, receive, watched)

    def _describe(self, scope: Scope, span: Span, status: int) -> None:
        span.update_name(f"{scope['method']} {_route(scope)}")
        span.set_attribute("http.response.status_code", status)
        caller: Caller | None = scope["state"].get("caller")
        if caller is not None:
            # Operating keeps a span under the tenant that it names.
            span.set_attribute("dealix.tenant", str(caller.principal.tenant_id))
            span.set_attribute("dealix.principal", caller.principal.id)


def _route(scope: Scope) -> str:
    """The route's template, so that no id gets into a name."""
    return str(getattr(scope.get("route"), "path", "")) or "(none)"


def _add_headers(scope: Scope, message: Message) -> None:
    headers = MutableHeaders(scope=message)
    page = scope["path"].startswith(PAGES)
    if page:
        # Only the console's pages need this, and it needs the gateway's page libraries.
        from services.gateway.console.render import SECURITY_HEADERS

        defaults: Mapping[str, str] = {**API_HEADERS, **SECURITY_HEADERS}
    else:
        defaults = API_HEADERS
    for name, value in defaults.items():
        headers.setdefault(name, value)
    if scope["scheme"] == "https":
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    headers["X-Trace-Id"] = scope["state"].get("trace_id", "")


class Limits:
    """Bodies that are too large, and paths that no database could hold, end here."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        self._settings = gateway.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if b"%00" in scope.get("raw_path", b"") or b"%00" in scope.get("query_string", b""):
            raise BadRequest(
                "nul_character", "The address contains the character NUL.", "العنوان يحتوي محرفًا غير صالح."
            )
        large = scope["path"] in LARGE
        limit = self._settings.import_bytes if large else self._settings.body_bytes
        accepted = limit + SLACK if large else limit
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > accepted:
            raise BodyTooLarge(limit)
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > accepted:
                    raise BodyTooLarge(limit)
            return message

        async def unless_too_large(message: Message) -> None:
            # The framework takes an error in reading for a body that it cannot parse: its answer is not the one.
            if taken <= accepted:
                await send(message)

        await self._app(scope, counted, unless_too_large)
        if taken > accepted:
            raise BodyTooLarge(limit)


class Gatekeeper:
    """Finds out who asks, before anything of the request is read. Whoever is not known gets no further than `OPEN`."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        method, path = scope["method"], scope["path"]
        if method not in SAFE and _from_elsewhere(request):
            raise CsrfFailed
        scope["state"]["caller"] = caller = None if _is_open(method, path) else await self._known(request)
        if caller is None and not _is_open(method, path) and (path.startswith(CLOSED) or method not in SAFE):
            if self._to_sign_in(request):
                await _sign_in(request)(scope, receive, send)
                return
            raise NotSignedIn
        await self._app(scope, receive, send)

    async def _known(self, request: Request) -> Caller | None:
        """The caller; None where a page sends a person to sign in instead of refusing.

        Raises Unauthenticated for a key or session that is not valid.
        """
        try:
            return await self._identify(request)
        except Unauthenticated:
            if self._to_sign_in(request):
                return None
            raise

    async def _identify(self, request: Request) -> Caller | None:
        authorization = request.headers.get("authorization")
        if authorization is not None:
            scheme, _, given = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise NotSignedIn
            return await self._gateway.authentication.by_key(given.strip())
        if cookie := request.cookies.get(COOKIE):
            return await self._gateway.authentication.by_cookie(cookie)
        return None

    def _to_sign_in(self, request: Request) -> bool:
        """Whether a person's browser asks for a page: it is sent to sign in and comes back."""
        return (
            request.method in SAFE and request.url.path.startswith("/console") and "hx-request" not in request.headers
        )


def _from_elsewhere(request: Request) -> bool:
    """Whether the browser itself says that another site made this request (Fetch Metadata, RFC 6454 `Origin`).

    It covers the sign-in form, which has no session yet whose token it could carry. A key is never sent by a browser on its own.
    """
    if "authorization" in request.headers:
        return False
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    return foreign or request.headers.get("sec-fetch-site") == "cross-site"


def _is_open(method: str, path: str) -> bool:
    method = "GET" if method == "HEAD" else method
    if any(method == one and path.startswith(prefix) for one, prefix in _TOKENED):
        return True
    return (method, path) in OPEN or (method in SAFE and path.startswith(STATIC))


def _sign_in(request: Request) -> RedirectResponse:
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{SIGN_IN}?next={quote(back, safe='')}", status_code=303)
