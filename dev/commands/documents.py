"""Generated documents, to stdout: `dealix subjects`, `asyncapi`, `openapi`, `nats-config`, `routes`. None needs a running system."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from dev.commands.common import DataDirOption, data_directory
from dev.directory import read_json
from dev.messages import DealixError
from dev.output import JsonOption, LangOption, output
from dev.terminal import table


class Form(StrEnum):
    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""

    @app.command()
    def subjects(
        form: Annotated[Form, typer.Option("--format", help="table, markdown or json.")] = Form.TABLE,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Every subject on the bus: who answers or publishes, who may call or consume, what travels."""
        out = output(lang, as_json or form is Form.JSON)
        rows = subject_rows()
        out.result(rows)
        headings = [
            ("subject", "العنوان"), ("kind", "النوع"), ("plane", "الخدمة"), ("from or to", "من أو إلى"), ("carries", "المحتوى"),
        ]  # fmt: skip
        cells = [(r["subject"], r["kind"], r["plane"], ", ".join(r["peers"]), " → ".join(r["messages"])) for r in rows]
        if form is Form.MARKDOWN:
            typer.echo(_markdown([en for en, _ in headings], cells))
        else:
            out.show(table(out.lang, headings, cells))

    @app.command()
    def asyncapi() -> None:
        """The AsyncAPI 3 document of the bus."""
        from libs.runtime.asyncapi import document

        _print(document())

    @app.command()
    def openapi() -> None:
        """The OpenAPI 3.1 document of the HTTP API."""
        _print(openapi_document())

    @app.command()
    def routes(lang: LangOption = None, as_json: JsonOption = False) -> None:
        """Every path of the HTTP API with its methods."""
        out = output(lang, as_json)
        found = route_rows(openapi_document())
        out.result(found)
        cells = [(r["method"], r["path"], r["summary"]) for r in found]
        out.show(table(out.lang, [("method", "الطريقة"), ("path", "المسار"), ("does", "الوصف")], cells))

    @app.command("nats-config")
    def nats_config(data_dir: DataDirOption = None, lang: LangOption = None) -> None:
        """The authorization block of nats-server: one user a plane, with the rights that its subjects give it.

        Public keys are those of the data directory, or $DEALIX_<PLANE>_NKEY for nats-server to fill in.
        """
        output(lang)
        typer.echo(nats_authorization(_public_keys(data_dir)), nl=False)


def subject_rows() -> list[dict[str, Any]]:
    """Calls, events and signals as they are declared."""
    from libs.contracts.subjects import CALLS, EVENTS, SIGNALS

    rows: list[dict[str, Any]] = [
        {
            "subject": c.subject,
            "kind": "call",
            "plane": c.plane.value,
            "peers": sorted(p.value for p in c.callers),
            "messages": [c.request.__name__, c.reply.__name__],
            "timeout_seconds": c.timeout,
        }
        for c in CALLS
    ]
    rows += [
        {
            "subject": e.subject,
            "kind": "event",
            "plane": e.plane.value,
            "peers": sorted(p.value for p in e.consumers),
            "messages": [e.message.__name__],
            "stream": e.stream,
        }
        for e in EVENTS
    ]
    rows += [
        {
            "subject": f"*.{s.name}.v1",
            "kind": "signal",
            "plane": "*",
            "peers": [s.consumer.value],
            "messages": [s.message.__name__],
        }
        for s in SIGNALS
    ]
    return sorted(rows, key=lambda row: (row["kind"], row["subject"]))


def openapi_document() -> dict[str, Any]:
    """The gateway's own document, from its routes; nothing is started. Raises DealixError without the gateway's libraries."""
    try:
        from services.gateway.http import openapi
    except ModuleNotFoundError as error:
        raise DealixError(
            f"The gateway's libraries are not installed ({error.name}); install dealix[gateway].",
            f"مكتبات البوابة غير مثبّتة ({error.name})؛ ثبّت dealix[gateway].",
        ) from error
    return dict(openapi())


def route_rows(document: dict[str, Any]) -> list[dict[str, str]]:
    """Method, path and summary of every operation."""
    methods = ("get", "post", "put", "patch", "delete")
    return [
        {"method": method.upper(), "path": path, "summary": _first_line(operation)}
        for path, operations in sorted(document["paths"].items())
        for method, operation in operations.items()
        if method in methods
    ]


def _first_line(operation: dict[str, Any]) -> str:
    told = str(operation.get("description") or operation.get("summary") or "")
    return told.splitlines()[0] if told else ""


def _public_keys(data_dir: Any) -> dict[str, str]:
    from dev.secrets import MIGRATOR, PLANES, load_or_create

    path = data_directory(data_dir) / "secrets.json"
    if read_json(path):
        return load_or_create(path).nats_public_keys()
    return {user: f"$DEALIX_{user.upper()}_NKEY" for user in (*PLANES, MIGRATOR)}


def nats_authorization(public_keys: dict[str, str]) -> str:
    """The block as nats-server reads it. A `$NAME` stands bare: in quotes it would be taken as it is."""
    from libs.runtime.nats_config import authorization

    text = authorization(public_keys)
    for key in public_keys.values():
        if key.startswith("$"):
            text = text.replace(f'"{key}"', key)
    return text


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    lines += [
        "| " + " | ".join(f"`{cells[0]}`" if at == 0 else cell for at, cell in enumerate(cells)) + " |"
        for cells in rows
    ]
    return "\n".join(lines)


def _print(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
