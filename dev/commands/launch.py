"""`dealix launch-readiness` and `dealix go-live`: whether connectors may act for real, and what keeps them from it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect
from dev.commands.listing import Column, in_language, moment, named, show_items, show_one
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import plain

TONES = {"pass": "ok", "fail": "failed", "unknown": "unknown"}
GateArgument = Annotated[str, typer.Argument(metavar="GATE", help="Name of the gate, for instance alert_route.")]

REASONS = (
    Column("gate", "الشرط", lambda one, _: plain(one["key"]), whole=True),
    Column("what", "البيان", in_language("title")),
    Column("blocks", "يمنع", lambda one, lang: _blocking(one["blocking"], lang)),
    Column("points", "النقاط", "points", number=True),
    Column("why", "السبب", in_language("why")),
    Column("what to do", "المطلوب", in_language("todo")),
)
GATES = (
    Column("gate", "الشرط", "gate", whole=True),
    Column("what", "البيان", in_language("title")),
    Column("blocks", "يمنع", lambda one, lang: _blocking(one["blocking"], lang)),
    Column("result", "النتيجة", named("control_result", "result", TONES)),
    Column("owner", "المسؤول", "owner"),
    Column("why", "السبب", in_language("why")),
)
GATE = (
    *GATES,
    Column("evidence", "الدليل", in_language("evidence")),
    Column("what to do", "المطلوب", in_language("todo")),
)
WORDS = (
    Column("when", "الوقت", moment("attested_at")),
    Column("holds", "مستوفى", lambda one, lang: _blocking(one["holds"], lang)),
    Column("statement", "البيان", "statement"),
    Column("role", "الدور", "role"),
    Column("by", "من", "attested_by"),
    Column("until", "حتى", "expires_on"),
)


def _blocking(yes: bool, lang: str) -> str:
    if lang == "ar":
        return "نعم" if yes else "لا"
    return "yes" if yes else "no"


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @command(app, connect, "launch-readiness")
    def launch_readiness(here: Session) -> None:
        """How ready the launch is, and what holds it down; exit code 0 only when it is ready."""
        found = here.client.get("/launch-readiness")
        here.out.result(found)
        show_items(here.out, found["reasons"], REASONS)
        _verdict(here.out, found)
        if not found["ready"]:
            raise typer.Exit(1)

    group = typer.Typer(help="Gates before connectors act for real.", no_args_is_help=True)
    app.add_typer(group, name="go-live")

    @command(group, connect)
    def show(
        here: Session,
        gate: Annotated[str | None, typer.Argument(metavar="[GATE]", help="One gate; all without it.")] = None,
    ) -> None:
        """The matrix of gates as it stands, or one gate with what people attested."""
        if gate is not None:
            _one(here.out, here.client.get(f"/go-live/{gate}"))
            return
        found = here.client.get("/go-live")
        here.out.result(found)
        show_items(here.out, found["items"], GATES)
        _enforced(here.out, found)

    @command(group, connect)
    def attest(
        here: Session,
        gate: GateArgument,
        statement: Annotated[str, typer.Option("--statement", help="What was seen, and where it can be looked up.")],
        expires_on: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day on which it counts.")],
        not_any_more: Annotated[bool, typer.Option("--not-any-more", help="The gate does not hold.")] = False,
    ) -> None:  # fmt: skip
        """Say in your role that a gate holds which no record answers."""
        said = {"statement": statement, "expires_on": expires_on, "holds": not not_any_more}
        _one(here.out, here.client.post(f"/go-live/{gate}/attest", said))


def _one(out: Output, found: dict[str, Any]) -> None:
    out.result(found)
    show_one(out, found, GATE)
    if found["attestations"]:
        show_items(out, found["attestations"], WORDS)


def _verdict(out: Output, found: dict[str, Any]) -> None:
    blocking = sum(1 for one in found["reasons"] if one["blocking"])
    score = f"{found['score']}/100"
    if found["ready"]:
        out.say(Sentence(f"Ready to launch ({score}).", f"جاهز للإطلاق ({score})."))
    else:
        out.say(
            Sentence(
                f"Not ready to launch: {score}, {blocking} blocking.", f"غير جاهز للإطلاق: {score}، والمانع {blocking}."
            )
        )
    _enforced(out, found)


def _enforced(out: Output, found: dict[str, Any]) -> None:
    if not found["enforced"]:
        out.say(
            Sentence(
                f"Environment {found['environment']}: open gates do not keep connectors from going live here.",
                f"البيئة {found['environment']}: لا تمنع الشروط المفتوحة التفعيل الفعلي هنا.",
            )
        )
