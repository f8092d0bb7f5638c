"""`dealix integrations`: the registry of other systems, and connecting one. Credentials go in and never come out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect, read_object
from dev.commands.listing import Column, in_language, named, show_items, show_one
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.output import Output
from dev.terminal import plain

TONES = {"live": "ok", "connected": "ok", "refused": "blocked", "ok": "ok", "degraded": "warn", "error": "blocked"}
INTEGRATIONS = (
    Column("integration", "التكامل", "name", whole=True),
    Column("name", "الاسم", in_language("title")),
    Column("category", "الفئة", "category"),
    Column("state", "الحالة", named("integration_state", "state", TONES)),
    Column("health", "الصحة", named("connector_status", "health", TONES)),
    Column("risk", "المخاطرة", named("risk", "risk_level")),
)
ONE = (
    Column("Integration", "التكامل", in_language("title")),
    Column("For", "الغرض", in_language("use_case")),
    Column("State", "الحالة", named("integration_state", "state", TONES)),
    Column("Health", "الصحة", named("connector_status", "health", TONES)),
    Column("Why", "السبب", in_language("health_reason")),
    Column("Note", "ملاحظة", "notes_ar"),
    Column("Credential", "بيانات الاعتماد", lambda one, lang: _fields(one["credential"], lang)),
)
SCOPES = (
    Column("action", "الإجراء", "action", whole=True),
    Column("what", "المعنى", in_language()),
    Column("rule", "القاعدة", named("scope_rule", "rule")),
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As `dealix integrations list` names it.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Integrations: list, show, connect, disconnect.", no_args_is_help=True)
    app.add_typer(group, name="integrations")
    _looking(group, connect)
    _connecting(group, connect)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(
        here: Session,
        category: Annotated[
            str | None, typer.Option("--category", help="Only this category, as the list names it.")
        ] = None,
        state: Annotated[
            str | None, typer.Option("--state", help="live, connected, sandbox, built_in, planned or refused.")
        ] = None,
    ) -> None:
        """Every integration: state, health, risk."""
        found = here.client.get("/integrations", category=category, state=state)
        here.out.result(found)
        show_items(here.out, found["items"], INTEGRATIONS)

    @command(group, connect)
    def show(here: Session, name: NameArgument) -> None:
        """One integration: what may be done through it, and what connecting it takes."""
        one = here.client.get(f"/integrations/{name}")
        here.out.result(one)
        _say(here.out, one)


def _connecting(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "connect")
    def connect_(
        here: Session,
        name: NameArgument,
        credential: Annotated[
            str, typer.Argument(metavar="FILE", help="JSON of the credential's values; - reads them.")
        ],
    ) -> None:
        """Store the credential and ask the vendor whether it works. Exit code 1 when it does not."""
        values = read_object(credential)
        one = here.client.post(f"/integrations/{name}/connect", {"values": values})
        here.out.result(one)
        _say(here.out, one)
        if one["health"] == "error":
            raise typer.Exit(1)

    @command(group, connect)
    def disconnect(here: Session, name: NameArgument) -> None:
        """Back to the sandbox, and forget the credential."""
        here.out.result(here.client.post(f"/integrations/{name}/disconnect"))
        here.out.say(Sentence("Disconnected: it is in the sandbox.", "فُصل التكامل، وهو في الوضع التجريبي."))


def _say(out: Output, one: dict[str, Any]) -> None:
    show_one(out, one, ONE)
    if one["scopes"]:
        show_items(out, one["scopes"], SCOPES)


def _fields(fields: list[dict[str, Any]], lang: Lang) -> str:
    return plain(", ".join(f"{field['name']} ({field[lang]})" for field in fields))
