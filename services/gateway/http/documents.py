"""The documents of the surface: OpenAPI 3.1, AsyncAPI 3, and a page that shows the former without anything from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from libs.runtime import asyncapi
from libs.runtime.settings import VERSION
from services.gateway.http.edge import COOKIE, OPEN
from services.gateway.http.problems import FieldProblem, Problem

router = APIRouter(include_in_schema=False)

METHODS = ("get", "post", "put", "patch", "delete")
TITLE = "Dealix"
ABOUT = (
    "AI may recommend; systems commit; humans approve critical decisions. Errors are problem details (RFC 9457), with an Arabic "
    "`detail` for `Accept-Language: ar`. Lists are pages: `items` and `next_cursor`. Every POST takes an `Idempotency-Key`."
)


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application, with what holds for all of its operations."""
    document = get_openapi(title=TITLE, version=VERSION, openapi_version="3.1.0", description=ABOUT, routes=app.routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (Problem, FieldProblem):
        schemas[model.__name__] = _without_defs(model.model_json_schema(ref_template="#/components/schemas/{model}"))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key: `dlx_…`."},
        "session": {
            "type": "apiKey", "in": "cookie", "name": COOKIE,
            "description": "The session of `POST /api/v1/auth/login`; state changes carry `X-CSRF-Token` as well.",
        },
    }  # fmt: skip
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                _complete(path, method, operation)
    return document


def _without_defs(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "$defs"}


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Security, the idempotency header, and 422 as the problem that it is."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers = operation.setdefault("responses", {})
    if "HTTPValidationError" in str(answers.get("422", "")):
        answers["422"] = {"description": "Unprocessable Content", "content": problem}
    operation["security"] = [] if (method.upper(), path) in OPEN else [{"key": []}, {"session": []}]
    parameters = operation.setdefault("parameters", [])
    named = {p.get("name", "").lower() for p in parameters}
    if method == "post" and "idempotency-key" not in named and (method.upper(), path) not in OPEN:
        parameters.append(
            {
                "name": "Idempotency-Key", "in": "header", "required": False,
                "description": "The same key and body give the first answer; another body is refused.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }
        )  # fmt: skip


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """The OpenAPI 3.1 document."""
    return JSONResponse(request.app.openapi())


@router.get("/asyncapi")
async def asyncapi_document() -> JSONResponse:
    """The AsyncAPI 3 document of the bus."""
    return JSONResponse(asyncapi.document())


@router.get("/")
async def root() -> RedirectResponse:
    return RedirectResponse("/console", status_code=303)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Every operation on one page: no script, no style and no request of its own."""
    return HTMLResponse(docs_page(request.app.openapi()))


def docs_page(document: dict[str, Any]) -> str:
    """The OpenAPI document as a plain page. Everything in it is escaped."""
    sections: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                tag = (operation.get("tags") or ["other"])[0]
                sections.setdefault(tag, []).append(_operation(path, method, operation))
    body = "".join(f"<section><h2>{escape(tag)}</h2>{''.join(found)}</section>" for tag, found in sections.items())
    schemas = "".join(
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>{_schema(schema)}</details>'
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{TITLE} API</title></head><body><main><h1>{TITLE} API {escape(VERSION)}</h1>"
        f'<p>{escape(ABOUT)}</p><p><a href="/openapi.json">OpenAPI 3.1</a> · <a href="/asyncapi">AsyncAPI 3</a></p>'
        f"{body}<section><h2>Schemas</h2>{schemas}</section></main></body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    said = escape(str(operation.get("description") or operation.get("summary") or ""))
    access = "open to everybody" if not operation.get("security") else "API key or session"
    parameters = "".join(
        f"<li><code>{escape(p['name'])}</code> ({escape(p['in'])}{', required' if p.get('required') else ''}) "
        f"{escape(str(p.get('description', '')))}</li>"
        for p in operation.get("parameters", [])
    )
    body = "".join(
        f"<li>body, {escape(kind)}: {_reference(content.get('schema', {}))}</li>"
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
    )
    answers = "".join(
        f"<li><code>{escape(status)}</code> {escape(answer.get('description', ''))} "
        f"{' '.join(_reference(c.get('schema', {})) for c in answer.get('content', {}).values())}</li>"
        for status, answer in sorted(operation.get("responses", {}).items())
    )
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code></summary><p>{said}</p><p>{access}</p>"
        f"<ul>{parameters}{body}</ul><h4>Answers</h4><ul>{answers}</ul></details>"
    )


def _reference(schema: dict[str, Any]) -> str:
    options = [schema, *schema.get("anyOf", []), *schema.get("oneOf", [])]
    names = [str(o["$ref"]).rsplit("/", 1)[-1] for o in options if "$ref" in o]
    return " or ".join(f'<a href="#schema-{escape(n)}"><code>{escape(n)}</code></a>' for n in names)


def _schema(schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<li><code>{escape(name)}</code>{' *' if name in required else ''} "
        f"{escape(str(prop.get('type', '')))} {_reference(prop)} {escape(str(prop.get('description', '')))}</li>"
        for name, prop in schema.get("properties", {}).items()
    )
    values = ", ".join(f"<code>{escape(str(v))}</code>" for v in schema.get("enum", ()))
    return f"<p>{escape(str(schema.get('description', '')))}</p><p>{values}</p><ul>{rows}</ul>"
