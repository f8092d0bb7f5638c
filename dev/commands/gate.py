"""`dealix gate …`, `dealix agents …`, `dealix skills`, `dealix trust-score KIND ID`: what the security gate found, and who may act."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands import agent_runs
from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import plain, table

STATES = {"open": ("in quarantine", "محجوز"), "confirmed": ("confirmed", "مؤكد"), "released": ("released", "أُفرج عنه")}
ACTING = {
    "active": ("active", "يعمل"),
    "suspended": ("suspended", "موقوف"),
    "skill_changed": ("skill changed", "تغيّرت مهارته"),
}
LEVELS = {
    "clean": ("clean", "سليم"),
    "note": ("noted", "ملحوظ"),
    "review": ("for review", "للمراجعة"),
    "block": ("blocked", "ممنوع"),
}
ReasonOption = Annotated[str, typer.Option("--reason", help="Why.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the groups and commands to the application."""
    gate = typer.Typer(help="The security gate: texts in quarantine, and what it sees in a text.", no_args_is_help=True)
    acting = typer.Typer(help="Agents: whether they may act.", no_args_is_help=True)
    app.add_typer(gate, name="gate")
    app.add_typer(acting, name="agents")
    _findings(gate, connect)
    _deciding(gate, connect)
    _agents(acting, connect)
    _skills(app, connect)


def _findings(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def listed(
        state: Annotated[str | None, typer.Option("--state", help="open, confirmed or released.")] = None,
        subject: Annotated[str | None, typer.Option("--subject", help="For instance contact:ID.")] = None,
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Findings in texts from outside, the newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/screening/findings", state=state, subject=subject, limit=limit)
        out.result(found)
        headings = [
            ("id", "المعرّف"), ("record", "السجل"), ("field", "الحقل"), ("what", "ماذا"), ("OWASP", "OWASP"), ("state", "الحالة"),
        ]  # fmt: skip
        rows = [
            [
                plain(one["finding_id"]), plain(one["subject"]), plain(one["field"]), out.text(one["en"], one["ar"]), plain(one["owasp"]),
                out.text(*STATES[one["state"]]),
            ]
            for one in found["items"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows, whole=[0]))

    @group.command()
    def check(
        text: Annotated[str, typer.Argument(help="The text.")],
        outbound: Annotated[bool, typer.Option("--outbound", help="As a text that would leave.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What the gate sees in a text. Nothing is kept."""
        out = output(lang, as_json)
        body = {"text": text, "direction": "outbound" if outbound else "inbound"}
        with connect(out, base_url, data_dir) as client:
            found = client.post("/screening/check", body)
        out.result(found)
        out.show(out.text(*LEVELS[found["level"]]))
        for one in found["findings"]:
            out.show(f"{one['code']} ({one['owasp']}): {out.text(one['en'], one['ar'])}")


def _deciding(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def release(
        finding: Annotated[str, typer.Argument(metavar="ID")],
        reason: ReasonOption,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Say that a text is harmless: its records leave quarantine."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _said(out, client.post(f"/screening/findings/{finding}/release", {"reason": reason}))

    @group.command()
    def confirm(
        finding: Annotated[str, typer.Argument(metavar="ID")],
        reason: ReasonOption,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Say that a text is what it looks like: its records stay in quarantine."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _said(out, client.post(f"/screening/findings/{finding}/confirm", {"reason": reason}))


def _said(out: Output, one: dict[str, Any]) -> None:
    out.result(one)
    out.show(f"{plain(one['subject'])}: {out.text(*STATES[one['state']])}")


def _agents(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def listed(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The agents, their skill and engine, and whether they may act."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/agents")
        out.result(found)
        headings = [
            ("agent", "الوكيل"), ("skill", "المهارة"), ("engine", "المحرك"), ("version", "الإصدار"), ("accuracy", "الدقة"), ("state", "الحالة"),
        ]  # fmt: skip
        rows = [
            [
                plain(one["agent"]["id"]), plain(one["agent"]["skill"]), plain(one["agent"]["engine"]), plain(one["version"] or "-"),
                f"{one['evaluation']['accuracy']:.0%}" if one["evaluation"] else "-", out.text(*ACTING[one["state"]]),
            ]
            for one in found["items"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))

    agent_runs.register(group, connect)

    @group.command()
    def suspend(
        agent: Annotated[str, typer.Argument(metavar="AGENT")],
        reason: ReasonOption,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Stop an agent: whatever it asks for is refused."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/agents/{agent}/suspend", {"reason": reason})
        out.result(found)
        out.show(f"{agent}: {out.text(*ACTING['suspended'])}")

    @group.command()
    def resume(
        agent: Annotated[str, typer.Argument(metavar="AGENT")],
        reason: ReasonOption,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Let an agent act again."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/agents/{agent}/resume", {"reason": reason})
        out.result(found)
        out.show(f"{agent}: {out.text(*ACTING['active'])}")


def _skills(app: typer.Typer, connect: Connect) -> None:
    @app.command()
    def skills(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The skills: version, hash, what each was admitted with, and whether it may be used."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/skills")
        out.result(found)
        headings = [
            ("skill", "المهارة"),
            ("version", "الإصدار"),
            ("hash", "البصمة"),
            ("admission", "القبول"),
            ("state", "الحالة"),
        ]
        rows = [
            [
                plain(one["skill"]["skill_id"]), plain(one["skill"]["version"]), plain(one["skill"]["hash"]), f"{one['admission_score']:.2f}",
                out.text(*ACTING[one["state"]]),
            ]
            for one in found["items"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows, whole=[2]))

    @app.command("trust-score")
    def trust_score(
        kind: Annotated[str, typer.Argument(metavar="KIND", help="agent, connector, source or contact.")],
        id: Annotated[str, typer.Argument(metavar="ID")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The trust score of an agent, a connector, a source or a contact, with the rows behind each part."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/trust-scores/{kind}/{id}")
        out.result(found)
        none = out.text("no data", "لا بيانات")
        out.show(f"{plain(kind)} {plain(id)}: {none if found['score'] is None else found['score']}")
        headings = [
            ("factor", "العامل"),
            ("weight", "الوزن"),
            ("good", "الجيد"),
            ("rows", "الصفوف"),
            ("value", "القيمة"),
        ]
        rows = [
            [
                out.text(one["en"], one["ar"]), f"{one['weight']:.0%}", str(one["good"]), str(one["rows"]),
                none if one["value"] is None else str(one["value"]),
            ]
            for one in found["parts"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows))
        out.show(out.text(found["effect_en"], found["effect_ar"]))
