"""`dealix connectors`: set up what may act outside. Credentials go in and never come out."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands.common import Connect, read_object
from dev.commands.listing import Column, either, in_language, moment, named, show_items, show_one
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import plain
from dev.words import word

TONES = {"degraded": "warn", "error": "blocked"}
CONNECTORS = (
    Column("connector", "الموصل", "connector_key", whole=True),
    Column("name", "الاسم", lambda one, lang: plain(one["display_name_ar" if lang == "ar" else "display_name"])),
    Column("mode", "الوضع", named("mode", "mode")),
    Column("status", "الحالة", named("connector_status", "status", TONES)),
    Column("set up", "مضبوط", either("registered")),
    Column("probed", "آخر فحص", moment("probed_at")),
)
ONE = (
    Column("connector", "الموصل", "connector_key"),
    Column("mode", "الوضع", named("mode", "mode")),
    Column("status", "الحالة", named("connector_status", "status", TONES)),
    Column("probe", "الفحص", in_language("probe")),
    Column("probed", "وقت الفحص", moment("probed_at")),
    Column("credential stored", "حُفظ الاعتماد", moment("credential_at")),
    Column("per minute", "في الدقيقة", "per_minute"),
)
FIELDS = (
    Column("field", "الحقل", "name"),
    Column("what", "المعنى", in_language()),
    Column("required", "مطلوب", lambda one, lang: word("yes_or_no", "no" if one["optional"] else "yes", lang)),
)

KeyArgument = Annotated[str, typer.Argument(metavar="CONNECTOR", help="As `dealix connectors list` names it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Connectors: list, set up, probe, pause, switch live.", no_args_is_help=True)
    app.add_typer(group, name="connectors")
    _looking(group, connect)
    _setting_up(group, connect)
    _switching(group, connect)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(here: Session) -> None:
        """Every connector: mode, status, whether it is set up."""
        found = here.client.get("/connectors")
        here.out.result(found)
        show_items(here.out, found["items"], CONNECTORS)

    @command(group, connect)
    def show(here: Session, key: KeyArgument) -> None:
        """One connector, and what a credential for it consists of."""
        one = here.client.get(f"/connectors/{key}")
        fields = here.client.get(f"/connectors/{key}/credential-fields")["items"]
        here.out.result({"connector": one, "fields": fields})
        show_one(here.out, one, ONE)
        if fields:
            show_items(here.out, fields, FIELDS)


def _setting_up(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def settings(
        here: Session,
        key: KeyArgument,
        per_minute: Annotated[int, typer.Option("--per-minute", min=1, help="Live effects a minute at most.")],
    ) -> None:
        """Set how much a connector may do."""
        one = here.client.put(f"/connectors/{key}/settings", {"per_minute": per_minute})
        here.out.result(one)
        show_one(here.out, one, ONE)

    @command(group, connect)
    def credential(
        here: Session,
        key: KeyArgument,
        file: Annotated[
            str,
            typer.Argument(
                metavar="FILE", help="JSON with the fields; - reads standard input, so that no shell keeps it."
            ),
        ],
    ) -> None:
        """Store a credential, or replace it. It is sealed, and never shown again."""
        values = read_object(file)
        one = here.client.post(f"/connectors/{key}/credential", {"values": values})
        here.out.result(one)
        here.out.say(Sentence("The credential is stored; probe it next.", "حُفظت بيانات الاعتماد؛ افحصها الآن."))

    @command(group, connect)
    def forget(here: Session, key: KeyArgument) -> None:
        """Forget a credential."""
        one = here.client.delete(f"/connectors/{key}/credential")
        here.out.result(one)
        here.out.say(Sentence("The credential is gone.", "حُذفت بيانات الاعتماد."))

    @command(group, connect)
    def probe(here: Session, key: KeyArgument) -> None:
        """Ask the vendor whether the credential works; nothing is done there."""
        one = here.client.post(f"/connectors/{key}/probe")
        here.out.result(one)
        show_one(here.out, one, ONE)


def _switching(group: typer.Typer, connect: Connect) -> None:
    def control(verb: str, about: str) -> None:
        @command(group, connect, verb, help=about)
        def run(here: Session, key: KeyArgument, reason: ReasonOption = "") -> None:
            state = here.client.post(f"/connectors/{key}/{verb}", {"reason": reason})
            here.out.result(state)
            said = Sentence("paused", "موقوف") if state.get("paused") else Sentence("running", "يعمل")
            here.out.say(Sentence(f"{key}: {said.en}.", f"{key}: {said.ar}."))

    control("pause", "Hold every effect of a connector.")
    control("resume", "Let a connector's effects go on.")

    @command(group, connect)
    def live(here: Session, key: KeyArgument, reason: ReasonOption = "") -> None:
        """Ask to let a connector act for real; two people approve it."""
        asked = here.client.post(f"/connectors/{key}/live", {"reason": reason})
        here.out.result(asked)
        follow = f"dealix actions show {plain(asked.get('action_id'))}"
        here.out.say(Sentence(f"Two people have to approve it: {follow}", f"يلزم أن يعتمده شخصان: {follow}"))

    @command(group, connect)
    def sandbox(here: Session, key: KeyArgument) -> None:
        """Back to the sandbox, at once."""
        one = here.client.post(f"/connectors/{key}/sandbox")
        here.out.result(one)
        show_one(here.out, one, ONE)
