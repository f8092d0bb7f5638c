"""`dealix flags`: what is switched on, whose word that is, and saying something else."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect
from dev.commands.listing import Column, either, in_language, show_items
from dev.commands.session import Session, command
from dev.terminal import plain, when
from dev.words import word

NameArgument = Annotated[str, typer.Argument(metavar="FLAG", help="Name of the flag, for instance whatsapp_brief.")]

FLAGS = (
    Column("flag", "الخيار", "name", whole=True),
    Column("what", "البيان", in_language()),
    Column("on", "مفعّل", either("value")),
    Column("whose word", "المرجع", lambda one, lang: plain(word("flag_source", one["source"], lang))),
    Column("share", "النسبة", lambda one, _: _said(one, "share")),
    Column("until", "حتى", lambda one, _: when((one.get("tenant") or {}).get("expires_at"))),
    Column("owner", "المسؤول", "owner"),
)


def _said(one: Any, field: str) -> str:
    return plain((one.get("tenant") or {}).get(field))


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Feature flags: read, set, take back.", no_args_is_help=True)
    app.add_typer(group, name="flags")

    @command(group, connect, "list")
    def show(
        here: Session, key: Annotated[str, typer.Option("--key", help="Whom to ask for, where a share counts.")] = ""
    ) -> None:
        """Every flag as it is in force."""
        found = here.client.get("/flags", key=key) if key else here.client.get("/flags")
        here.out.result(found)
        show_items(here.out, found["items"], FLAGS)

    @command(group, connect, "set")
    def put(
        here: Session,
        flag: NameArgument,
        on: Annotated[bool, typer.Option("--on/--off", help="The value.")],
        share: Annotated[int, typer.Option("--share", min=1, max=100, help="Of a hundred people.")] = 100,
        starts_at: Annotated[str | None, typer.Option("--from", metavar="TIME", help="When it begins to count, as 2027-01-01T08:00+03:00.")] = None,
        expires_at: Annotated[str | None, typer.Option("--until", metavar="TIME", help="When it ends, as 2027-01-01T08:00+03:00.")] = None,
    ) -> None:  # fmt: skip
        """Set a flag. Connectors are switched live with `dealix connectors live`."""
        said = {"value": on, "share": share, "starts_at": starts_at, "expires_at": expires_at}
        done = here.client.put(f"/flags/{flag}", said)
        here.out.result(done)
        show_items(here.out, [done], FLAGS)

    @command(group, connect)
    def drop(here: Session, flag: NameArgument) -> None:
        """Take your word back: the platform's, or the default, holds again."""
        done = here.client.delete(f"/flags/{flag}")
        here.out.result(done)
        show_items(here.out, [done], FLAGS)
