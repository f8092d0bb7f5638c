"""`dealix webhooks`: where the tenant's own systems hear what happened here. Secrets are printed once."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import Cell, facts, plain, table, toned, when
from dev.words import word

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the subscription.")]
PATH = "/webhook-subscriptions"


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(
        help="Webhooks and the SIEM's trail: subscribe, look, rotate secrets, replay.", no_args_is_help=True
    )
    app.add_typer(group, name="webhooks")
    _looking(group, connect)
    _making(group, connect)
    _acting(group, connect)
    _again(group, connect)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def list_(
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Subscriptions, newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items(PATH, limit)
        out.result({"items": items})
        if not items:
            out.say(Sentence("No subscriptions.", "لا اشتراكات."))
            return
        headings = [
            ("id", "المعرّف"), ("kind", "النوع"), ("address", "العنوان"), ("state", "الحالة"), ("failures", "إخفاقات"),
            ("waiting", "المنتظر"), ("last success", "آخر نجاح"),
        ]  # fmt: skip
        rows = [
            (
                plain(one["subscription_id"]),
                word("subscription_kind", one["kind"], out.lang),
                plain(one["url"]),
                toned(word("subscription_state", one["state"], out.lang), _tone(one["state"])),
                str(one["failures"]),
                str(one["waiting"]),
                when(one["last_success_at"]),
            )
            for one in items
        ]
        out.show(table(out.lang, headings, rows, whole=[0], numbers=[4, 5]))

    @group.command()
    def show(
        subscription_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One subscription: what it hears, how it stands, and why."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            one = client.get(f"{PATH}/{subscription_id}")
        out.result(one)
        _say(out, one)

    @group.command()
    def events(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What can be subscribed to: `family.*` is all of a family, `*` everything."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"{PATH}/event-types")
        out.result(found)
        rows = [(plain(one["name"]), plain(one[out.lang])) for one in found["items"]]
        out.show(table(out.lang, [("family", "المجموعة"), ("what", "المعنى")], rows, whole=[0]))

    @group.command()
    def deliveries(
        subscription_id: IdArgument,
        state: Annotated[
            str | None, typer.Option("--state", help="pending, sending, waiting, delivered, failed or cancelled.")
        ] = None,
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The delivery log, newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items(f"{PATH}/{subscription_id}/deliveries", limit, state=state)
        out.result({"items": items})
        headings = [
            ("delivery", "الإرسال"), ("event", "الحدث"), ("entries", "القيود"), ("state", "الحالة"), ("tries", "المحاولات"),
            ("mode", "الوضع"), ("error", "السبب"), ("at", "الوقت"),
        ]  # fmt: skip
        rows = [
            (
                plain(one["delivery_id"]),
                plain(one["event_type"]),
                str(one["entries"]),
                toned(word("delivery_state", one["state"], out.lang), _tone(one["state"])),
                str(one["attempts"]),
                word("mode", one["mode"], out.lang) if one["mode"] else "",
                plain(one["error"][out.lang]) if one["error"] else "",
                when(one["created_at"], seconds=True),
            )
            for one in items
        ]
        out.show(table(out.lang, headings, rows, whole=[0], numbers=[2, 4]))


def _making(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def add(
        url: Annotated[str, typer.Argument(metavar="URL", help="An https address of your own.")],
        events: Annotated[
            list[str] | None,
            typer.Option("--event", "-e", help="Repeat it; see `dealix webhooks events` (default: everything)."),
        ] = None,
        siem: Annotated[
            str | None, typer.Option("--siem", help="The whole trail in order, as jsonl, cloudevents or cef.")
        ] = None,
        description: Annotated[str, typer.Option("--description")] = "",
        disable_after: Annotated[int, typer.Option("--disable-after", min=3, max=100)] = 10,
        from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the ledger's first entry.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Subscribe an address; prints its secret, this once."""
        out = output(lang, as_json)
        body: dict[str, Any] = {
            "url": url, "event_types": events or ["*"], "description": description, "disable_after": disable_after,
            "from_start": from_start,
        }  # fmt: skip
        if siem is not None:
            body |= {"kind": "siem", "form": siem}
        with connect(out, base_url, data_dir) as client:
            made = client.post(PATH, body)
        out.result(made)
        _say(out, made["subscription"])
        _secret(out, made["secret"])

    @group.command("rotate-secret")
    def rotate(
        subscription_id: IdArgument,
        overlap: Annotated[
            int, typer.Option("--overlap-hours", min=0, max=168, help="The old secret signs too for so long.")
        ] = 24,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """A new secret, printed this once."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            made = client.post(f"{PATH}/{subscription_id}/rotate-secret", {"overlap_hours": overlap})
        out.result(made)
        _secret(out, made["secret"])


def _acting(group: typer.Typer, connect: Connect) -> None:
    said = {
        "pause": ("Nothing is tried for now.", "Paused. What happens meanwhile is delivered later.", "أُوقف. ما يحدث الآن يُرسل لاحقًا."),
        "resume": ("Go on, with what waits first.", "It goes on.", "استُؤنف."),
        "test": ("Send a message of type webhook.test.", "A test message is on its way; see the log.", "رسالة التجربة في طريقها، راجع السجل."),
    }  # fmt: skip

    def command(name: str) -> None:
        purpose, en, ar = said[name]

        @group.command(name, help=purpose)
        def act(
            subscription_id: IdArgument,
            base_url: BaseUrlOption = None,
            data_dir: DataDirOption = None,
            lang: LangOption = None,
            as_json: JsonOption = False,
        ) -> None:
            out = output(lang, as_json)
            with connect(out, base_url, data_dir) as client:
                out.result(client.post(f"{PATH}/{subscription_id}/{name}"))
            out.say(Sentence(en, ar))

    for name in said:
        command(name)

    @group.command()
    def remove(
        subscription_id: IdArgument, base_url: BaseUrlOption = None, data_dir: DataDirOption = None, lang: LangOption = None
    ) -> None:  # fmt: skip
        """End it: its secret is forgotten and what waits is cancelled."""
        out = output(lang)
        with connect(out, base_url, data_dir) as client:
            client.delete(f"{PATH}/{subscription_id}")
        out.say(Sentence("Ended.", "انتهى الاشتراك."))


def _again(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def replay(
        subscription_id: IdArgument,
        first: Annotated[int | None, typer.Option("--first", min=0, help="Ledger number of the first entry.")] = None,
        last: Annotated[int | None, typer.Option("--last", min=0, help="Ledger number of the last entry.")] = None,
        since: Annotated[str | None, typer.Option("--since", help="From this moment, with its zone.")] = None,
        until: Annotated[str | None, typer.Option("--until", help="Until before this moment, with its zone.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Deliver a range of the ledger again, under the ids of the first time."""
        out = output(lang, as_json)
        given = {"first_seq": first, "last_seq": last, "since": since, "until": until}
        with connect(out, base_url, data_dir) as client:
            body = {name: value for name, value in given.items() if value is not None}
            made = client.post(f"{PATH}/{subscription_id}/replay", body)
        out.result(made)
        out.say(
            Sentence(
                f"Entries {made['first_seq']} to {made['last_seq']} are delivered again.",
                f"يُعاد إرسال القيود من {made['first_seq']} إلى {made['last_seq']}.",
            )
        )

    @group.command()
    def retry(
        subscription_id: IdArgument,
        delivery_id: Annotated[str, typer.Argument(metavar="DELIVERY", help="Id of the delivery.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Try one delivery at once that waits or was given up."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            out.result(client.post(f"{PATH}/{subscription_id}/deliveries/{delivery_id}/retry"))
        out.say(Sentence("It is tried at once.", "يُعاد الإرسال فورًا."))


def _tone(state: str) -> str:
    return {"active": "ok", "delivered": "ok", "disabled": "blocked", "failed": "blocked", "paused": "warn"}.get(
        state, ""
    )


def _say(out: Output, one: dict[str, Any]) -> None:
    error = one["last_error"]
    pairs: list[tuple[str, Cell]] = [
        (out.text("Subscription", "الاشتراك"), plain(one["subscription_id"])),
        (out.text("Kind", "النوع"), word("subscription_kind", one["kind"], out.lang)),
        (out.text("Address", "العنوان"), plain(one["url"])),
        (out.text("Hears", "يستقبل"), plain(", ".join(one["event_types"]))),
        (out.text("Form", "الصيغة"), plain(one["form"])),
        (out.text("State", "الحالة"), toned(word("subscription_state", one["state"], out.lang), _tone(one["state"]))),
        (out.text("Failures in a row", "إخفاقات متتالية"), f"{one['failures']} / {one['disable_after']}"),
        (out.text("Next entry", "القيد التالي"), str(one["cursor"])),
        (out.text("Waiting", "المنتظر"), str(one["waiting"])),
        (out.text("Last success", "آخر نجاح"), when(one["last_success_at"])),
        (out.text("Last error", "آخر خطأ"), plain(error[out.lang]) if error else ""),
    ]
    out.show(facts(pairs))


def _secret(out: Output, secret: str) -> None:
    out.say(Sentence(f"Secret, shown this once: {secret}", f"السر، ولن يظهر مرة أخرى: {secret}"))
