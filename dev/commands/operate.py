"""`dealix audit-log`, `control`, `key`, `user`: running the system as its owner."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table, toned, when
from dev.views.audit import entry
from dev.words import word


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
    _audit(app, connect)
    _control(app, connect)
    _access(app, connect)


def _audit(app: typer.Typer, connect: Connect) -> None:
    @app.command("audit-log")
    def audit_log(
        kind: Annotated[str | None, typer.Option("--kind", help="Kind of entry.")] = None,
        actor: Annotated[str | None, typer.Option("--actor", help="Who did it.")] = None,
        target: Annotated[str | None, typer.Option("--target", help="What it was about, like action:ID.")] = None,
        trace: Annotated[str | None, typer.Option("--trace", help="Trace id.")] = None,
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What the ledger holds: who did what to what, newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items("/audit", limit, kind=kind, actor=actor, target=target, trace_id=trace)
        out.result({"items": items})
        if not items:
            out.say(Sentence("No entries match.", "لا قيود مطابقة."))
            return
        out.show(*(entry(out.lang, e) for e in items))


def _control(app: typer.Typer, connect: Connect) -> None:
    @app.command()
    def control(
        command: Annotated[
            Command | None, typer.Argument(help="pause, stop or resume; without it, what is paused now.")
        ] = None,
        scope: Annotated[Scope, typer.Option("--scope", help="What it holds.")] = Scope.ALL,
        target: Annotated[str, typer.Option("--target", help="Which connector, action type or tenant.")] = "*",
        reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Pause, stop or resume effects: everything, a tenant, a connector or an action type."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            if command is None:
                found = client.get("/control")
                states = found["items"]
                out.result(found)
            else:
                body = {"scope": scope.value, "target": target, "command": command.value, "reason": reason}
                state = client.post("/control", body)
                states = [state]
                out.result(state)
        _say_controls(out, states)


def _say_controls(out: Output, states: list[dict[str, Any]]) -> None:
    if not states:
        out.say(Sentence("Nothing is paused.", "لا شيء موقوف."))
        return
    rows = []
    for state in states:
        paused = bool(state.get("paused"))
        standing = out.text("paused", "موقوف") if paused else out.text("running", "يعمل")
        planes = state.get("acknowledged") or {}
        said = ", ".join(f"{word('plane', plane, out.lang)} {'✓' if done else '…'}" for plane, done in planes.items())
        rows.append(
            (
                word("control_scope", state.get("scope"), out.lang),
                plain(state.get("target")),
                toned(standing, "blocked" if paused else "ok"),
                said,
                plain(state.get("changed_by")),
                when(state.get("changed_at")),
            )
        )
    headings = [
        ("scope", "النطاق"), ("target", "الهدف"), ("state", "الحالة"), ("acknowledged by", "أكّدته"),
        ("by", "من"), ("since", "منذ"),
    ]  # fmt: skip
    out.show(table(out.lang, headings, rows))


def _access(app: typer.Typer, connect: Connect) -> None:
    keys = typer.Typer(help="API keys.", no_args_is_help=True)
    users = typer.Typer(help="People.", no_args_is_help=True)
    app.add_typer(keys, name="key")
    app.add_typer(users, name="user")

    @keys.command("create")
    def create(
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
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Create an API key. It is shown once; only a hash of it is kept."""
        out = output(lang, as_json)
        body: dict[str, Any] = {"name": name, "scopes": _scopes(scope), "personal": personal}
        if expires_at is not None:
            body["expires_at"] = expires_at.replace(tzinfo=UTC).isoformat()
        with connect(out, base_url, data_dir) as client:
            made = client.post("/api-keys", body)
        out.result(made)
        secret = plain(made.get("api_key"))
        out.say(Sentence(f"{secret}\nKeep it now: it is not shown again.", f"{secret}\nاحفظه الآن: لن يُعرض مرة أخرى."))

    @users.command("add")
    def add(
        email: Annotated[str, typer.Argument(metavar="EMAIL")],
        name: Annotated[str, typer.Option("--name", help="The person's name.")] = "",
        role: Annotated[
            list[str] | None, typer.Option("--role", help="owner, admin, approver, operator, member, auditor …")
        ] = None,
        business_role: Annotated[
            str | None, typer.Option("--business-role", help="Whose cards they see: ceo, sales_manager …")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Add a person. The first password is shown once."""
        out = output(lang, as_json)
        if "@" not in email:
            raise BadInput(f"{email} is not an e-mail address.", f"{email} ليس عنوان بريد.")
        body = {
            "email": email,
            "name": name or email.split("@")[0],
            "roles": role or ["member"],
            "business_role": business_role,
        }
        with connect(out, base_url, data_dir) as client:
            made = client.post("/users", body)
        out.result(made)
        out.say(Sentence(f"{email} is added.", f"أُضيف {email}."))
        if password := made.get("password"):
            text = plain(password)
            out.say(Sentence(f"First password, shown once: {text}", f"كلمة المرور الأولى، تُعرض مرة واحدة: {text}"))


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
