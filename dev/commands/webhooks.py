"""`dealix webhooks`: where the tenant's own systems hear what happened here. Secrets are printed once."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, in_language, listing, moment, named, show_items, show_one
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import plain

TONES = {"active": "ok", "delivered": "ok", "disabled": "blocked", "failed": "blocked", "paused": "warn"}
SUBSCRIPTIONS = (
    Column("id", "المعرّف", "subscription_id", whole=True),
    Column("kind", "النوع", named("subscription_kind", "kind")),
    Column("address", "العنوان", "url"),
    Column("state", "الحالة", named("subscription_state", "state", TONES)),
    Column("failures", "إخفاقات", "failures", number=True),
    Column("waiting", "المنتظر", "waiting", number=True),
    Column("last success", "آخر نجاح", moment("last_success_at")),
)
ONE = (
    Column("Subscription", "الاشتراك", "subscription_id"),
    Column("Kind", "النوع", named("subscription_kind", "kind")),
    Column("Address", "العنوان", "url"),
    Column("Hears", "يستقبل", lambda one, _: plain(", ".join(one["event_types"]))),
    Column("Form", "الصيغة", "form"),
    Column("State", "الحالة", named("subscription_state", "state", TONES)),
    Column("Failures in a row", "إخفاقات متتالية", lambda one, _: f"{one['failures']} / {one['disable_after']}"),
    Column("Next entry", "القيد التالي", "cursor"),
    Column("Waiting", "المنتظر", "waiting"),
    Column("Last success", "آخر نجاح", moment("last_success_at")),
    Column("Last error", "آخر خطأ", in_language("last_error")),
)
NO_SUBSCRIPTIONS = Sentence("No subscriptions.", "لا اشتراكات.")
DELIVERIES = (
    Column("delivery", "الإرسال", "delivery_id", whole=True),
    Column("event", "الحدث", "event_type"),
    Column("entries", "القيود", "entries", number=True),
    Column("state", "الحالة", named("delivery_state", "state", TONES)),
    Column("tries", "المحاولات", "attempts", number=True),
    Column("mode", "الوضع", named("mode", "mode")),
    Column("error", "السبب", in_language("error")),
    Column("at", "الوقت", moment("created_at", seconds=True)),
)
NO_DELIVERIES = Sentence("Nothing was delivered yet.", "لم يُرسل شيء بعد.")
EVENT_TYPES = (Column("family", "المجموعة", "name", whole=True), Column("what", "المعنى", in_language()))

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
    @command(group, connect, "list")
    def list_(here: Session, limit: LimitOption = 20, cursor: CursorOption = None) -> None:
        """Subscriptions, newest first."""
        listing(here, PATH, SUBSCRIPTIONS, NO_SUBSCRIPTIONS, limit=limit, cursor=cursor)

    @command(group, connect)
    def show(here: Session, subscription_id: IdArgument) -> None:
        """One subscription: what it hears, how it stands, and why."""
        one = here.client.get(f"{PATH}/{subscription_id}")
        here.out.result(one)
        show_one(here.out, one, ONE)

    @command(group, connect)
    def events(here: Session) -> None:
        """What can be subscribed to: `family.*` is all of a family, `*` everything."""
        found = here.client.get(f"{PATH}/event-types")
        here.out.result(found)
        show_items(here.out, found["items"], EVENT_TYPES)

    @command(group, connect)
    def deliveries(
        here: Session,
        subscription_id: IdArgument,
        state: Annotated[
            str | None, typer.Option("--state", help="pending, sending, waiting, delivered, failed or cancelled.")
        ] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """The delivery log, newest first."""
        path = f"{PATH}/{subscription_id}/deliveries"
        listing(here, path, DELIVERIES, NO_DELIVERIES, limit=limit, cursor=cursor, state=state)


def _making(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def add(
        here: Session,
        url: Annotated[str, typer.Argument(metavar="URL", help="An https address of your own.")],
        events: Annotated[
            list[str] | None,
            typer.Option("--event", "-e", help="Repeat it; see `dealix webhooks events` (default: everything)."),
        ] = None,
        siem: Annotated[
            str | None, typer.Option("--siem", help="The whole trail in order, as jsonl, cloudevents or cef.")
        ] = None,
        description: Annotated[str, typer.Option("--description", help="A note of your own on what it is for.")] = "",
        disable_after: Annotated[
            int, typer.Option("--disable-after", min=3, max=100, help="How many failures in a row disable it.")
        ] = 10,
        from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the ledger's first entry.")] = False,
    ) -> None:
        """Subscribe an address; prints its secret, this once."""
        body: dict[str, Any] = {
            "url": url, "event_types": events or ["*"], "description": description, "disable_after": disable_after,
            "from_start": from_start,
        }  # fmt: skip
        if siem is not None:
            body |= {"kind": "siem", "form": siem}
        made = here.client.post(PATH, body)
        here.out.result(made)
        show_one(here.out, made["subscription"], ONE)
        _secret(here.out, made["secret"])

    @command(group, connect, "rotate-secret")
    def rotate(
        here: Session,
        subscription_id: IdArgument,
        overlap: Annotated[
            int, typer.Option("--overlap-hours", min=0, max=168, help="How many hours the old secret signs as well.")
        ] = 24,
    ) -> None:
        """A new secret, printed this once."""
        made = here.client.post(f"{PATH}/{subscription_id}/rotate-secret", {"overlap_hours": overlap})
        here.out.result(made)
        _secret(here.out, made["secret"])


def _acting(group: typer.Typer, connect: Connect) -> None:
    said = {
        "pause": ("Deliver nothing for now; what happens meanwhile is kept.", "Paused. What happens meanwhile is delivered later.", "أُوقف. ما يحدث الآن يُرسل لاحقًا."),
        "resume": ("Go on, with what waits first.", "It goes on.", "استُؤنف."),
        "test": ("Send a message of type webhook.test.", "A test message is on its way; see the log.", "رسالة التجربة في طريقها، راجع السجل."),
    }  # fmt: skip

    def verb(name: str) -> None:
        purpose, en, ar = said[name]

        @command(group, connect, name, help=purpose)
        def act(here: Session, subscription_id: IdArgument) -> None:
            here.out.result(here.client.post(f"{PATH}/{subscription_id}/{name}"))
            here.out.say(Sentence(en, ar))

    for name in said:
        verb(name)

    @command(group, connect)
    def remove(here: Session, subscription_id: IdArgument) -> None:
        """End it: its secret is forgotten and what waits is cancelled."""
        here.out.result(here.client.delete(f"{PATH}/{subscription_id}"))
        here.out.say(Sentence("Ended.", "انتهى الاشتراك."))


def _again(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def replay(
        here: Session,
        subscription_id: IdArgument,
        first: Annotated[int | None, typer.Option("--first", min=0, help="Ledger number of the first entry.")] = None,
        last: Annotated[int | None, typer.Option("--last", min=0, help="Ledger number of the last entry.")] = None,
        since: Annotated[str | None, typer.Option("--since", help="From this moment, with its zone.")] = None,
        until: Annotated[str | None, typer.Option("--until", help="Until before this moment, with its zone.")] = None,
    ) -> None:
        """Deliver a range of the ledger again, under the ids of the first time."""
        given = {"first_seq": first, "last_seq": last, "since": since, "until": until}
        body = {name: value for name, value in given.items() if value is not None}
        made = here.client.post(f"{PATH}/{subscription_id}/replay", body)
        here.out.result(made)
        here.out.say(
            Sentence(
                f"Entries {made['first_seq']} to {made['last_seq']} are delivered again.",
                f"يُعاد إرسال القيود من {made['first_seq']} إلى {made['last_seq']}.",
            )
        )

    @command(group, connect)
    def retry(
        here: Session,
        subscription_id: IdArgument,
        delivery_id: Annotated[str, typer.Argument(metavar="DELIVERY", help="Id of the delivery.")],
    ) -> None:
        """Try one delivery at once that waits or was given up."""
        here.out.result(here.client.post(f"{PATH}/{subscription_id}/deliveries/{delivery_id}/retry"))
        here.out.say(Sentence("It is tried at once.", "يُعاد الإرسال فورًا."))


def _secret(out: Output, secret: str) -> None:
    out.say(Sentence(f"Secret, shown this once: {secret}", f"السر، ولن يظهر مرة أخرى: {secret}"))
