"""`dealix connectors`: set up what may act outside. Credentials go in and never come out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, read_json_input
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import Cell, facts, plain, table, toned, when
from dev.words import word

KeyArgument = Annotated[str, typer.Argument(metavar="CONNECTOR", help="As `dealix connectors list` names it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.")]
TONES = {"ok": "ok", "degraded": "warn", "error": "blocked", "unknown": "unknown"}


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Connectors: list, set up, probe, pause, switch live.", no_args_is_help=True)
    app.add_typer(group, name="connectors")
    _looking(group, connect)
    _setting_up(group, connect)
    _switching(group, connect)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def list_(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Every connector: mode, status, whether it is set up."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/connectors")
        out.result(found)
        rows = [
            (
                plain(one["connector_key"]),
                plain(one["display_name_ar"] if out.lang == "ar" else one["display_name"]),
                word("mode", one["mode"], out.lang),
                toned(word("connector_status", one["status"], out.lang), TONES.get(one["status"], "unknown")),
                out.text("yes", "نعم") if one["registered"] else out.text("no", "لا"),
                when(one.get("probed_at")),
            )
            for one in found["items"]
        ]
        headings = [
            ("connector", "الموصل"), ("name", "الاسم"), ("mode", "الوضع"), ("status", "الحالة"), ("set up", "مضبوط"),
            ("probed", "آخر فحص"),
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows, whole=[0]))

    @group.command()
    def show(
        key: KeyArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One connector, and what a credential for it consists of."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            one = client.get(f"/connectors/{key}")
            fields = client.get(f"/connectors/{key}/credential-fields")["items"]
        out.result({"connector": one, "fields": fields})
        _say(out, one)
        if fields:
            rows = [
                (plain(f["name"]), plain(f[out.lang]), "" if f["optional"] else out.text("required", "مطلوب"))
                for f in fields
            ]
            out.show(table(out.lang, [("field", "الحقل"), ("what", "المعنى"), ("", "")], rows))


def _setting_up(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def settings(
        key: KeyArgument,
        per_minute: Annotated[int, typer.Option("--per-minute", min=1, help="Live effects a minute at most.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Set how much a connector may do."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            one = client.put(f"/connectors/{key}/settings", {"per_minute": per_minute})
        out.result(one)
        _say(out, one)

    @group.command()
    def credential(
        key: KeyArgument,
        file: Annotated[
            str,
            typer.Argument(
                metavar="FILE", help="JSON with the fields; - reads standard input, so that no shell keeps it."
            ),
        ],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Store a credential, or replace it. It is sealed, and never shown again."""
        out = output(lang, as_json)
        values = read_json_input(file)
        if not isinstance(values, dict) or not values:
            raise BadInput(f"{file} holds no JSON object of fields.", f"لا يحتوي {file} كائن JSON فيه حقول.")
        with connect(out, base_url, data_dir) as client:
            one = client.post(f"/connectors/{key}/credential", {"values": values})
        out.result(one)
        out.say(Sentence("The credential is stored; probe it next.", "حُفظت بيانات الاعتماد؛ افحصها الآن."))

    @group.command()
    def forget(
        key: KeyArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Forget a credential."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            one = client.delete(f"/connectors/{key}/credential")
        out.result(one)
        out.say(Sentence("The credential is gone.", "حُذفت بيانات الاعتماد."))

    @group.command()
    def probe(
        key: KeyArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Ask the vendor whether the credential works; nothing is done there."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            one = client.post(f"/connectors/{key}/probe")
        out.result(one)
        _say(out, one)


def _switching(group: typer.Typer, connect: Connect) -> None:
    def control(command: str, about: str) -> None:
        @group.command(command, help=about)
        def run(
            key: KeyArgument,
            reason: ReasonOption = "",
            base_url: BaseUrlOption = None,
            data_dir: DataDirOption = None,
            lang: LangOption = None,
            as_json: JsonOption = False,
        ) -> None:
            out = output(lang, as_json)
            with connect(out, base_url, data_dir) as client:
                state = client.post(f"/connectors/{key}/{command}", {"reason": reason})
            out.result(state)
            said = Sentence("paused", "موقوف") if state.get("paused") else Sentence("running", "يعمل")
            out.say(Sentence(f"{key}: {said.en}.", f"{key}: {said.ar}."))

    control("pause", "Hold every effect of a connector.")
    control("resume", "Let a connector's effects go on.")

    @group.command()
    def live(
        key: KeyArgument,
        reason: ReasonOption = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Ask to let a connector act for real; two people approve it."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            asked = client.post(f"/connectors/{key}/live", {"reason": reason})
        out.result(asked)
        follow = f"dealix actions show {plain(asked.get('action_id'))}"
        out.say(Sentence(f"Two people have to approve it: {follow}", f"يلزم أن يعتمده شخصان: {follow}"))

    @group.command()
    def sandbox(
        key: KeyArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Back to the sandbox, at once."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            one = client.post(f"/connectors/{key}/sandbox")
        out.result(one)
        _say(out, one)


def _say(out: Output, one: dict[str, Any]) -> None:
    ar = out.lang == "ar"
    probe = one.get("probe") or {}
    pairs: list[tuple[str, Cell]] = [
        ("الموصل" if ar else "connector", plain(one.get("connector_key"))),
        ("الوضع" if ar else "mode", word("mode", one.get("mode"), out.lang)),
        (
            "الحالة" if ar else "status",
            toned(word("connector_status", one.get("status"), out.lang), TONES.get(str(one.get("status")), "unknown")),
        ),
        ("الفحص" if ar else "probe", plain(probe.get(out.lang))),
        ("وقت الفحص" if ar else "probed", when(one.get("probed_at"))),
        ("حُفظ الاعتماد" if ar else "credential stored", when(one.get("credential_at"))),
        ("في الدقيقة" if ar else "per minute", str(one.get("per_minute") or "")),
    ]
    out.show(facts([pair for pair in pairs if pair[1]]))
