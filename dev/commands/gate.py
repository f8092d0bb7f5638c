"""`dealix gate …`, `dealix agents …`, `dealix skills`, `dealix trust-score KIND ID`: what the security gate found, and who may act."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands import agent_runs
from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, in_language, listing, named, show_items
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.output import Output
from dev.terminal import plain
from dev.words import word

ACTING = {"active": "ok", "suspended": "blocked", "skill_changed": "warn"}
FINDINGS = (
    Column("id", "المعرّف", "finding_id", whole=True),
    Column("record", "السجل", "subject"),
    Column("field", "الحقل", "field"),
    Column("what", "الموضوع", in_language()),
    Column("OWASP", "OWASP", "owasp"),
    Column("state", "الحالة", named("finding_state", "state")),
)
NO_FINDINGS = Sentence("Nothing was found in texts from outside.", "لم يُعثر على شيء في النصوص الواردة.")

AGENTS = (
    Column("agent", "الوكيل", lambda one, _: plain(one["agent"]["id"])),
    Column("skill", "المهارة", lambda one, _: plain(one["agent"]["skill"])),
    Column("engine", "المحرك", lambda one, _: plain(one["agent"]["engine"])),
    Column("version", "الإصدار", lambda one, _: plain(one["version"] or "-")),
    Column("accuracy", "الدقة", lambda one, _: f"{one['evaluation']['accuracy']:.0%}" if one["evaluation"] else "-"),
    Column("state", "الحالة", named("agent_state", "state", ACTING)),
)
SKILLS = (
    Column("skill", "المهارة", lambda one, _: plain(one["skill"]["skill_id"])),
    Column("version", "الإصدار", lambda one, _: plain(one["skill"]["version"])),
    Column("hash", "البصمة", lambda one, _: plain(one["skill"]["hash"]), whole=True),
    Column("admission", "القبول", lambda one, _: f"{one['admission_score']:.2f}", number=True),
    Column("state", "الحالة", named("agent_state", "state", ACTING)),
)
PARTS = (
    Column("factor", "العامل", in_language()),
    Column("weight", "الوزن", lambda one, _: f"{one['weight']:.0%}", number=True),
    Column("good", "الجيد", "good", number=True),
    Column("rows", "الصفوف", "rows", number=True),
    Column("value", "القيمة", lambda one, lang: _score(one["value"], lang), number=True),
)
AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help="As `dealix agents list` names it.")]
FindingArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the finding, as `dealix gate list` shows it.")
]
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
    @command(group, connect, "list")
    def listed(
        here: Session,
        state: Annotated[str | None, typer.Option("--state", help="open, confirmed or released.")] = None,
        subject: Annotated[str | None, typer.Option("--subject", help="For instance contact:ID.")] = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """Findings in texts from outside, the newest first."""
        listing(
            here, "/screening/findings", FINDINGS, NO_FINDINGS, limit=limit, cursor=cursor, state=state, subject=subject
        )

    @command(group, connect)
    def check(
        here: Session,
        text: Annotated[str, typer.Argument(help="The text.")],
        outbound: Annotated[bool, typer.Option("--outbound", help="As a text that would leave.")] = False,
    ) -> None:
        """What the gate sees in a text. Nothing is kept."""
        body = {"text": text, "direction": "outbound" if outbound else "inbound"}
        found = here.client.post("/screening/check", body)
        here.out.result(found)
        here.out.show(word("screening_level", found["level"], here.out.lang))
        for one in found["findings"]:
            here.out.show(f"{one['code']} ({one['owasp']}): {here.out.text(one['en'], one['ar'])}")


def _deciding(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def release(here: Session, finding: FindingArgument, reason: ReasonOption) -> None:
        """Say that a text is harmless: its records leave quarantine."""
        _said(here.out, here.client.post(f"/screening/findings/{finding}/release", {"reason": reason}))

    @command(group, connect)
    def confirm(here: Session, finding: FindingArgument, reason: ReasonOption) -> None:
        """Say that a text is what it looks like: its records stay in quarantine."""
        _said(here.out, here.client.post(f"/screening/findings/{finding}/confirm", {"reason": reason}))


def _said(out: Output, one: dict[str, Any]) -> None:
    out.result(one)
    out.show(f"{plain(one['subject'])}: {word('finding_state', one['state'], out.lang)}")


def _agents(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def listed(here: Session) -> None:
        """The agents, their skill and engine, and whether they may act."""
        found = here.client.get("/agents")
        here.out.result(found)
        show_items(here.out, found["items"], AGENTS)

    agent_runs.register(group, connect)

    @command(group, connect)
    def suspend(here: Session, agent: AgentArgument, reason: ReasonOption) -> None:
        """Stop an agent: whatever it asks for is refused."""
        found = here.client.post(f"/agents/{agent}/suspend", {"reason": reason})
        here.out.result(found)
        here.out.show(f"{agent}: {word('agent_state', 'suspended', here.out.lang)}")

    @command(group, connect)
    def resume(here: Session, agent: AgentArgument, reason: ReasonOption) -> None:
        """Let an agent act again."""
        found = here.client.post(f"/agents/{agent}/resume", {"reason": reason})
        here.out.result(found)
        here.out.show(f"{agent}: {word('agent_state', 'active', here.out.lang)}")


def _skills(app: typer.Typer, connect: Connect) -> None:
    @command(app, connect)
    def skills(here: Session) -> None:
        """The skills: version, hash, what each was admitted with, and whether it may be used."""
        found = here.client.get("/skills")
        here.out.result(found)
        show_items(here.out, found["items"], SKILLS)

    @command(app, connect, "trust-score")
    def trust_score(
        here: Session,
        kind: Annotated[str, typer.Argument(metavar="KIND", help="agent, connector, source or contact.")],
        id: Annotated[str, typer.Argument(metavar="ID", help="Its id; of a source, its name.")],
    ) -> None:
        """The trust score of an agent, a connector, a source or a contact, with the rows behind each part."""
        found = here.client.get(f"/trust-scores/{kind}/{id}")
        here.out.result(found)
        here.out.show(f"{plain(kind)} {plain(id)}: {_score(found['score'], here.out.lang)}")
        show_items(here.out, found["parts"], PARTS)
        here.out.show(here.out.text(found["effect_en"], found["effect_ar"]))


def _score(value: float | None, lang: Lang) -> str:
    return word("quality_state", "no_data", lang) if value is None else plain(value)
