"""Every refusal as `application/problem+json` (RFC 9457), in the reader's language, with the trace that it belongs to."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from libs.contracts.errors import Busy, CallTimeout, DealixError, RemoteFault
from libs.runtime import telemetry
from services.gateway.errors import Refusal, Unavailable
from services.gateway.store import DATABASE_DOWN

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One field that does not fit: where it is, in dots, and why."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """Problem details (RFC 9457). `code` is stable; `detail` is for a person, in Arabic with `Accept-Language: ar`."""

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: str
    code: str
    errors: list[FieldProblem] = []
    trace_id: str


_TITLES_AR = {
    400: "طلب غير مقروء",
    401: "تسجيل الدخول مطلوب",
    403: "غير مسموح",
    404: "غير موجود",
    405: "الطريقة غير متاحة",
    406: "الصيغة غير متاحة",
    409: "تعارض",
    412: "تغيّر العنصر",
    413: "الطلب كبير",
    415: "صيغة غير مدعومة",
    422: "طلب غير صالح",
    429: "طلبات كثيرة",
    500: "خطأ من جهتنا",
    503: "غير متاح الآن",
    504: "انتهت المهلة",
}
# What the framework refuses by itself, in both languages.
_PLAIN = {
    400: ("The request cannot be read.", "تعذّرت قراءة الطلب."),
    404: ("There is nothing at this address.", "لا يوجد شيء في هذا العنوان."),
    405: ("This address does not take this method.", "هذا العنوان لا يقبل هذه الطريقة."),
    415: ("This media type is not accepted.", "نوع المحتوى هذا غير مقبول."),
}
_NOT_FIELDS = ("body", "query", "path", "header", "one", "many")
"""Parts of an error's place that are ours and no field of the client's."""
_FIELDS_AR = {
    "missing": "هذا الحقل مطلوب.",
    "extra_forbidden": "هذا الحقل غير معروف.",
    "string_too_short": "النص قصير.",
    "string_too_long": "النص طويل.",
    "string_type": "يجب أن يكون نصًا.",
    "int_type": "يجب أن يكون عددًا صحيحًا.",
    "int_parsing": "يجب أن يكون عددًا صحيحًا.",
    "bool_type": "يجب أن يكون true أو false.",
    "uuid_parsing": "المعرّف غير صالح.",
    "enum": "القيمة ليست من القيم المتاحة.",
    "literal_error": "القيمة ليست من القيم المتاحة.",
    "greater_than_equal": "القيمة أصغر من الحد الأدنى.",
    "less_than_equal": "القيمة أكبر من الحد الأعلى.",
    "timezone_aware": "اذكر المنطقة الزمنية مع الوقت.",
    "too_long": "العدد أكبر من الحد الأعلى.",
    "too_short": "العدد أقل من الحد الأدنى.",
}


LANG_COOKIE = "dealix_lang"
"""The language that a reader of the console chose; Arabic without it."""


def arabic(scope: Scope) -> bool:
    """Whether the reader prefers Arabic to English (RFC 9110 section 12.5.4); a page of the console is in the language chosen there."""
    if scope.get("path", "").startswith("/console"):
        return HTTPConnection(scope).cookies.get(LANG_COOKIE) != "en"
    accepted = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"accept-language"), "")
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=") if parameters else "1"
        try:
            weights.setdefault(tag.strip().lower().split("-")[0], float(quality))
        except ValueError:
            continue
    return weights.get("ar", 0.0) > weights.get("en", 0.0)


def problem(
    scope: Scope,
    status: int,
    code: str,
    en: str,
    ar: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[FieldProblem] = (),
    extra: Mapping[str, Any] | None = None,
) -> Response:
    """The response for one refusal."""
    in_arabic = arabic(scope)
    title = _TITLES_AR.get(status, "") if in_arabic else HTTPStatus(status).phrase
    document = {
        "type": f"urn:dealix:problem:{code}",
        "title": title,
        "status": status,
        "detail": (ar or en) if in_arabic else en,
        "instance": scope.get("path", ""),
        "code": code,
        "errors": [e.model_dump() for e in errors],
        "trace_id": telemetry.trace_id() or scope.get("state", {}).get("trace_id", ""),
        **(extra or {}),
    }
    as_page = scope.get("state", {}).get("problem_page") if scope.get("path", "").startswith("/console") else None
    if as_page is not None and (page := as_page(scope, document)) is not None:
        made: Response = page
        made.headers.update(headers or {})
        return made
    # A lone surrogate in a path must not break the answer that refuses it.
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    language = {"Content-Language": "ar" if in_arabic else "en"}
    return Response(body, status, {**language, **(headers or {})}, media_type=MEDIA_TYPE)


def from_error(scope: Scope, error: DealixError) -> Response:
    """The response for an error of ours or of a plane. A plane that is silent is 503: nothing was decided, nothing happens."""
    headers: dict[str, str] = {}
    extra: dict[str, Any] = {}
    status = error.status
    if isinstance(error, Refusal):
        headers, extra = error.headers, error.extra
    elif isinstance(error, CallTimeout) or (isinstance(error, RemoteFault) and status == 504):
        status, headers = 503, {"Retry-After": "2"}
        if isinstance(error, CallTimeout):
            extra = {"waiting_for": error.subject.split(".")[0]}
    elif isinstance(error, Busy) or status == 429:
        headers = {"Retry-After": "1"}
    if not 400 <= status <= 599:
        status = 500
    return problem(scope, status, error.code, error.en, error.ar, headers=headers, extra=extra)


def from_exception(scope: Scope, error: Exception) -> Response:
    """The response for anything else: a database that is gone is 503, and what nobody foresaw is 500 without a word of its text."""
    if isinstance(error, DATABASE_DOWN):
        log.error("the database does not answer: %s", type(error).__name__)
        return from_error(scope, Unavailable())
    log.error("a request failed", exc_info=error)
    return problem(
        scope,
        500,
        "internal",
        "Something failed on our side; nothing more is known to the caller.",
        "حدث خطأ من جهتنا.",
    )


def _validation(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return problem(request.scope, 400, "malformed_json", "The body is not JSON.", "محتوى الطلب ليس JSON صحيحًا.")
    in_arabic = arabic(request.scope)
    # Never `input`: what was sent may be personal data. The message of our own checks is safe; pydantic's own names types only.
    fields = [
        FieldProblem(
            field=".".join(str(part) for part in e["loc"] if part not in _NOT_FIELDS)[:200],
            code=e["type"],
            message=_FIELDS_AR.get(e["type"], "القيمة غير صالحة.") if in_arabic else str(e["msg"])[:300],
        )
        for e in found[:20]
    ]
    return problem(
        request.scope, 422, "invalid_request", "The request does not fit this address.", "الطلب لا يطابق ما يقبله هذا العنوان.",
        errors=fields,
    )  # fmt: skip


def _framework(request: Request, error: HTTPException) -> Response:
    en, ar = _PLAIN.get(error.status_code, (HTTPStatus(error.status_code).phrase, "تعذّر تنفيذ الطلب."))
    return problem(request.scope, error.status_code, f"http_{error.status_code}", en, ar, headers=error.headers)


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, DealixError)
        return from_error(request.scope, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _validation(request, error)

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _framework(request, error)

    async def unforeseen(request: Request, error: Exception) -> Response:
        return from_exception(request.scope, error)

    app.add_exception_handler(DealixError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, framework)
    for kind in DATABASE_DOWN:
        app.add_exception_handler(kind, unforeseen)


_DOCUMENTED = (400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503)

RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status in _DOCUMENTED
}
"""For `responses=` of routers: every refusal is a Problem. The schema itself is added with the document (documents.py)."""
