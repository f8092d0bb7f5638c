"""`dealix control`, `key`, `user`: running the system as its owner."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, Connect
from dev.commands.listing import Column, Json, moment, named, show_items
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.terminal import plain, toned
from dev.words import word

CONTROLS = (
    Column("scope", "النطاق", named("control_scope", "scope")),
    Column("target", "الهدف", "target"),
    Column("state", "الحالة", lambda one, lang: toned(_standing(one, lang), "blocked" if one.get("paused") else "ok")),
    Column("acknowledged by", "أكّدته", lambda one, lang: _acknowledged(one, lang)),
    Column("by", "من", "changed_by"),
    Column("since", "منذ", moment("changed_at")),
)
NOTHING_PAUSED = Sentence("Nothing is paused.", "لا شيء موقوف.")


class Command(StrEnum):
    PAUSE = "pause"
    STOP = "stop"
    RESUME = "resume"


class Scope(StrEnum):
    ALL = "all"
    TENANT = "tenant"
    CONNECTOR = "connector"
    ACTION_TYPE = "action_type"


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""
    _control(app, connect)
    _access(app, connect)


def _control(app: typer.Typer, connect: Connect) -> None:
    @command(app, connect)
    def control(
        here: Session,
        command: Annotated[
            Command | None, typer.Argument(help="pause, stop or resume; without it, what is paused now.")
        ] = None,
        scope: Annotated[Scope, typer.Option("--scope", help="What the order is about.")] = Scope.ALL,
        target: Annotated[str, typer.Option("--target", help="Which connector, action type or tenant.")] = "*",
        reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.")] = "",
    ) -> None:
        """Pause, stop or resume effects: everything, a tenant, a connector or an action type."""
        if command is None:
            found = here.client.get("/control")
            states = found["items"]
            here.out.result(found)
        else:
            body = {"scope": scope.value, "target": target, "command": command.value, "reason": reason}
            state = here.client.post("/control", body)
            states = [state]
            here.out.result(state)
        show_items(here.out, states, CONTROLS, NOTHING_PAUSED)


def _standing(one: Json, lang: Lang) -> str:
    return word("standing", "paused" if one.get("paused") else "running", lang)


def _acknowledged(one: Json, lang: Lang) -> str:
    planes = one.get("acknowledged") or {}
    return ", ".join(f"{word('plane', plane, lang)} {'✓' if done else '…'}" for plane, done in planes.items())


def _access(app: typer.Typer, connect: Connect) -> None:
    keys = typer.Typer(help="API keys.", no_args_is_help=True)
    users = typer.Typer(help="People.", no_args_is_help=True)
    app.add_typer(keys, name="key")
    app.add_typer(users, name="user")

    @command(keys, connect, "create")
    def create(
        here: Session,
        name: Annotated[str, typer.Option("--name", help="What the key is for.")],
        scope: Annotated[
            list[str] | None,
            typer.Option(
                "--scope",
                help="What it may do: read, import, submit, approve, evidence …, or * for all that its role may.",
            ),
        ] = None,
        personal: Annotated[
            bool, typer.Option("--personal", help="The key acts as you; without it, as a client of its own.")
        ] = False,
        expires_at: Annotated[
            datetime | None,
            typer.Option("--expires", formats=["%Y-%m-%d"], help="The day (UTC) on which it stops working."),
        ] = None,
    ) -> None:
        """Create an API key. It is shown once; only a hash of it is kept."""
        body: dict[str, Any] = {"name": name, "scopes": _scopes(scope), "personal": personal}
        if expires_at is not None:
            body["expires_at"] = expires_at.replace(tzinfo=UTC).isoformat()
        made = here.client.post("/api-keys", body)
        here.out.result(made)
        secret = plain(made.get("api_key"))
        here.out.say(
            Sentence(f"{secret}\nKeep it now: it is not shown again.", f"{secret}\nاحفظه الآن: لن يُعرض مرة أخرى.")
        )

    @command(users, connect, "add")
    def add(
        here: Session,
        email: Annotated[str, typer.Argument(metavar="EMAIL", help="The address that they sign in with.")],
        name: Annotated[str, typer.Option("--name", help="The person's name.")] = "",
        role: Annotated[
            list[str] | None, typer.Option("--role", help="owner, admin, approver, operator, member, auditor …")
        ] = None,
        business_role: Annotated[
            str | None, typer.Option("--business-role", help="Whose cards they see: ceo, sales_manager …")
        ] = None,
    ) -> None:
        """Add a person. The first password is shown once."""
        if "@" not in email:
            raise BadInput(f"{email} is not an e-mail address.", f"{email} ليس عنوان بريد.")
        body = {
            "email": email,
            "name": name or email.split("@")[0],
            "roles": role or ["member"],
            "business_role": business_role,
        }
        made = here.client.post("/users", body)
        here.out.result(made)
        here.out.say(Sentence(f"{email} is added.", f"أُضيف {email}."))
        if password := made.get("password"):
            text = plain(password)
            here.out.say(Sentence(f"First password, shown once: {text}", f"كلمة المرور الأولى، تُعرض مرة واحدة: {text}"))


def _scopes(given: list[str] | None) -> list[str]:
    """Raises BadInput for none: such a key could do nothing; and for one that the catalogue does not have."""
    from libs.contracts.catalogue.roles import ALL_SCOPES, roles

    known = [*roles().capabilities, ALL_SCOPES]
    names = ", ".join(known)
    if not given:
        raise BadInput(
            f"Say what the key may do with --scope; one or more of {names}.",
            f"حدّد صلاحيات المفتاح بالخيار --scope، واحدة أو أكثر من: {names}.",
        )
    if unknown := [scope for scope in given if scope not in known]:
        raise BadInput(
            f"There is no scope {unknown[0]}; choose from {names}.", f"لا توجد صلاحية {unknown[0]}؛ اختر من: {names}."
        )
    return given
