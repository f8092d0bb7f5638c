"""`dealix whatsapp`: your number, the brief of what waits for you, and where the vendor delivers."""

from __future__ import annotations

from typing import Annotated

import typer

from dev.commands import whatsapp_briefs
from dev.commands.common import BaseUrlOption, Connect, DataDirOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import facts, plain, table, when

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the binding.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Approvals over WhatsApp.", no_args_is_help=True)
    app.add_typer(group, name="whatsapp")
    _number(group, connect)
    _bindings(group, connect)
    whatsapp_briefs.add(group, connect)

    @group.command()
    def brief(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Make the message of what waits for you; replies to it from your verified number count for exactly that."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            made = client.post("/approvals/whatsapp-brief", {})
        out.result(made)
        if not as_json:
            typer.echo(made["text"])


def _number(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def number(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Your number, and whether it is verified."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/me/whatsapp-number")
        out.result(found)
        verified = when(found["verified_at"]) if found["verified_at"] else out.text("not yet", "ليس بعد")
        out.show(
            facts([(out.text("Number", "الرقم"), plain(found["number"])), (out.text("Verified", "موثّق"), verified)])
        )

    @group.command("register")
    def register_number(
        number: Annotated[str, typer.Argument(metavar="NUMBER", help="International form, such as +966501234567.")],
        password: Annotated[
            str, typer.Option("--password", prompt=True, hide_input=True, help="Your password, once more.")
        ],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Begin with a number: it counts once you sent the code from it."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            made = client.put("/me/whatsapp-number", {"number": number, "password": password})
        out.result(made)
        out.say(Sentence(f"Send {made['code']} from this number to the company's WhatsApp within 15 minutes.",
                         f"أرسل {made['code']} من هذا الرقم إلى واتساب المنشأة خلال 15 دقيقة."))  # fmt: skip

    @group.command("remove")
    def remove_number(base_url: BaseUrlOption = None, data_dir: DataDirOption = None, lang: LangOption = None) -> None:
        """Nothing is approved from your number any more."""
        out = output(lang)
        with connect(out, base_url, data_dir) as client:
            client.delete("/me/whatsapp-number")
        out.say(Sentence("Removed.", "أُزيل الرقم."))


def _bindings(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def bind(
        account: Annotated[str, typer.Option("--account", help="The vendor's id of your number (phone_number_id).")],
        secret: Annotated[
            str, typer.Option("--secret", prompt=True, hide_input=True, help="The app secret that signs deliveries.")
        ],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Let the vendor deliver to this tenant; prints what to enter there."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            made = client.post("/webhook-bindings", {"connector": "whatsapp", "account": account, "secret": secret})
        out.result(made)
        out.say(Sentence(f"Callback: {made['path']}", f"العنوان: {made['path']}"))
        out.say(Sentence(f"Verify token: {made['verify_token']}", f"رمز التحقق: {made['verify_token']}"))

    @group.command()
    def bindings(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Where the vendor delivers."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/webhook-bindings")
        out.result(found)
        headings = [("binding", "الربط"), ("account", "الحساب"), ("since", "منذ"), ("ended", "انتهى")]
        rows = [
            (
                plain(b["binding_id"]),
                plain(b["account"]),
                when(b["created_at"]),
                when(b["ended_at"]) if b["ended_at"] else "",
            )
            for b in found["items"]
        ]
        out.show(table(out.lang, headings, rows, whole=[0]))

    @group.command()
    def unbind(
        binding_id: IdArgument, base_url: BaseUrlOption = None, data_dir: DataDirOption = None, lang: LangOption = None
    ) -> None:
        """Take nothing under this binding any more."""
        out = output(lang)
        with connect(out, base_url, data_dir) as client:
            client.delete(f"/webhook-bindings/{binding_id}")
        out.say(Sentence("Ended.", "انتهى الربط."))
