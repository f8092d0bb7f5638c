"""`dealix integrations`: the registry of other systems, and connecting one. Credentials go in and never come out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, read_json_input
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import Cell, facts, plain, table, toned
from dev.words import word

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As `dealix integrations list` names it.")]
TONES = {"live": "ok", "connected": "ok", "refused": "blocked", "ok": "ok", "degraded": "warn", "error": "blocked"}


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Integrations: list, show, connect, disconnect.", no_args_is_help=True)
    app.add_typer(group, name="integrations")
    _looking(group, connect)
    _connecting(group, connect)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def list_(
        category: Annotated[str | None, typer.Option("--category")] = None,
        state: Annotated[
            str | None, typer.Option("--state", help="live, connected, sandbox, built_in, planned or refused.")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Every integration: state, health, risk."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/integrations", category=category, state=state)
        out.result(found)
        headings = [
            ("integration", "التكامل"), ("name", "الاسم"), ("category", "الفئة"), ("state", "الحالة"), ("health", "الصحة"), ("risk", "الخطر"),
        ]  # fmt: skip
        rows = [
            (
                plain(one["name"]),
                plain(one["title"][out.lang]),
                plain(one["category"]),
                toned(word("integration_state", one["state"], out.lang), TONES.get(one["state"], "")),
                toned(word("connector_status", one["health"], out.lang), TONES.get(one["health"], "unknown")),
                word("risk", one["risk_level"], out.lang),
            )
            for one in found["items"]
        ]
        out.show(table(out.lang, headings, rows, whole=[0]))

    @group.command()
    def show(
        name: NameArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One integration: what may be done through it, and what connecting it takes."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            one = client.get(f"/integrations/{name}")
        out.result(one)
        _say(out, one)


def _connecting(group: typer.Typer, connect: Connect) -> None:
    @group.command("connect")
    def connect_(
        name: NameArgument,
        credential: Annotated[
            str, typer.Argument(metavar="FILE", help="JSON of the credential's values; - reads them.")
        ],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Store the credential and ask the vendor whether it works. Exit code 1 when it does not."""
        out = output(lang, as_json)
        values = read_json_input(credential)
        if not isinstance(values, dict):
            raise BadInput("The file holds no JSON object.", "لا يحتوي الملف كائن JSON.")
        with connect(out, base_url, data_dir) as client:
            one = client.post(f"/integrations/{name}/connect", {"values": values})
        out.result(one)
        _say(out, one)
        if one["health"] == "error":
            raise typer.Exit(1)

    @group.command()
    def disconnect(
        name: NameArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Back to the sandbox, and forget the credential."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            out.result(client.post(f"/integrations/{name}/disconnect"))
        out.say(Sentence("Disconnected: it is in the sandbox.", "فُصل التكامل، وهو في الوضع التجريبي."))


def _say(out: Output, one: dict[str, Any]) -> None:
    reason = one["health_reason"]
    pairs: list[tuple[str, Cell]] = [
        (out.text("Integration", "التكامل"), plain(one["title"][out.lang])),
        (out.text("For", "الغرض"), plain(one["use_case"][out.lang])),
        (
            out.text("State", "الحالة"),
            toned(word("integration_state", one["state"], out.lang), TONES.get(one["state"], "")),
        ),
        (out.text("Health", "الصحة"), word("connector_status", one["health"], out.lang)),
        (out.text("Why", "السبب"), plain(reason[out.lang]) if reason else ""),
        (out.text("Note", "ملاحظة"), plain(one["notes_ar"])),
        (
            out.text("Credential", "بيانات الاعتماد"),
            plain(", ".join(f"{f['name']} ({f[out.lang]})" for f in one["credential"])),
        ),
    ]
    out.show(facts(pairs))
    if one["scopes"]:
        headings = [("action", "الإجراء"), ("what", "المعنى"), ("rule", "القاعدة")]
        rows = [
            (plain(s["action"]), plain(s[out.lang]), word("scope_rule", s["rule"], out.lang)) for s in one["scopes"]
        ]
        out.show(table(out.lang, headings, rows, whole=[0]))
