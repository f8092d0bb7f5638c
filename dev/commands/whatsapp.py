"""`dealix whatsapp`: your number, the brief of what waits for you, and where the vendor delivers."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands import whatsapp_briefs
from dev.commands.common import Connect
from dev.commands.listing import Column, moment, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import facts, plain, when

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the binding.")]

BINDINGS = (
    Column("binding", "الربط", "binding_id", whole=True),
    Column("account", "الحساب", "account"),
    Column("since", "منذ", moment("created_at")),
    Column("ended", "انتهى", moment("ended_at")),
)
NO_BINDINGS = Sentence("The vendor delivers nowhere yet: dealix whatsapp bind", "لا ربط بعد: dealix whatsapp bind")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Approvals over WhatsApp.", no_args_is_help=True)
    app.add_typer(group, name="whatsapp")
    _number(group, connect)
    _bindings(group, connect)
    whatsapp_briefs.add(group, connect)

    @command(group, connect)
    def brief(here: Session) -> None:
        """Make the message of what waits for you; replies to it from your verified number count for exactly that."""
        made = here.client.post("/approvals/whatsapp-brief", {})
        here.out.result(made)
        if not here.out.as_json:
            typer.echo(made["text"])


def _number(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def number(here: Session) -> None:
        """Your number, and whether it is verified."""
        found = here.client.get("/me/whatsapp-number")
        here.out.result(found)
        verified = when(found["verified_at"]) if found["verified_at"] else here.out.text("not yet", "ليس بعد")
        here.out.show(
            facts(
                [
                    (here.out.text("Number", "الرقم"), plain(found["number"])),
                    (here.out.text("Verified", "موثّق"), verified),
                ]
            )
        )

    @command(group, connect, "register")
    def register_number(
        here: Session,
        number: Annotated[str, typer.Argument(metavar="NUMBER", help="International form, such as +966501234567.")],
        password: Annotated[
            str, typer.Option("--password", prompt=True, hide_input=True, help="Your password, once more.")
        ],
    ) -> None:
        """Begin with a number: it counts once you sent the code from it."""
        made = here.client.put("/me/whatsapp-number", {"number": number, "password": password})
        here.out.result(made)
        here.out.say(Sentence(f"Send {made['code']} from this number to the company's WhatsApp within 15 minutes.",
                         f"أرسل {made['code']} من هذا الرقم إلى واتساب المنشأة خلال 15 دقيقة."))  # fmt: skip

    @command(group, connect, "remove")
    def remove_number(here: Session) -> None:
        """Forget your number: nothing is approved from it any more."""
        here.out.result(here.client.delete("/me/whatsapp-number"))
        here.out.say(Sentence("Removed.", "أُزيل الرقم."))


def _bindings(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def bind(
        here: Session,
        account: Annotated[str, typer.Option("--account", help="The vendor's id of your number (phone_number_id).")],
        secret: Annotated[
            str, typer.Option("--secret", prompt=True, hide_input=True, help="The app secret that signs deliveries.")
        ],
    ) -> None:
        """Let the vendor deliver to this tenant; prints what to enter there."""
        made = here.client.post("/webhook-bindings", {"connector": "whatsapp", "account": account, "secret": secret})
        here.out.result(made)
        here.out.say(Sentence(f"Callback: {made['path']}", f"العنوان: {made['path']}"))
        here.out.say(Sentence(f"Verify token: {made['verify_token']}", f"رمز التحقق: {made['verify_token']}"))

    @command(group, connect)
    def bindings(here: Session) -> None:
        """Where the vendor delivers."""
        found = here.client.get("/webhook-bindings")
        here.out.result(found)
        show_items(here.out, found["items"], BINDINGS, NO_BINDINGS)

    @command(group, connect)
    def unbind(here: Session, binding_id: IdArgument) -> None:
        """Accept nothing more under this binding."""
        here.out.result(here.client.delete(f"/webhook-bindings/{binding_id}"))
        here.out.say(Sentence("Ended.", "انتهى الربط."))
