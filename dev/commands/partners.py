"""`dealix partners`: how each is doing, what they bring, and an offer to one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, Json, in_language, listing, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import Cell, plain

REVENUE = (
    Column("partner", "الشريك", "name"),
    Column("SAR", "ر.س", "revenue", number=True),
    Column("deals won", "صفقات مكسوبة", "won", number=True),
    Column("share", "الحصة", lambda one, _: _share(one), number=True),
    Column("left out", "مستبعدة", "excluded", number=True),
    Column("id", "المعرّف", "partner_id", whole=True),
)
NOTHING = Sentence("No partner has brought a deal yet.", "لم يجلب أي شريك صفقة بعد.")
PARTS = (
    Column("part", "الجزء", in_language("title")),
    Column("count", "العدد", "count", number=True),
    Column("points", "النقاط", "points", number=True),
)
CLAUSES = (
    Column("no.", "رقم", "number"),
    Column("clause", "البند", in_language("title")),
    Column("text", "النص", in_language("text")),
)

Partner = Annotated[str, typer.Argument(metavar="PARTNER", help="A partner's id.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(no_args_is_help=True, help="Partners: how each is doing, what they bring, offers.")
    app.add_typer(group, name="partners")

    @command(group, connect)
    def scorecard(here: Session, partner: Partner) -> None:
        """Health from introductions, deals and months, the tier, and what the partner brought in a year."""
        found = here.client.get(f"/partners/{partner}/scorecard")
        here.out.result(found)
        name, health = plain(found["name"]), f"{found['health']:g}"
        here.out.say(
            Sentence(
                f"{name}: {health} of 100, {found['tier_name']['en']}.",
                f"{name}: {health} من 100، {found['tier_name']['ar']}.",
            )
        )
        show_items(here.out, found["parts"], PARTS)
        here.out.say(
            Sentence(
                f"Won in a year: SAR {found['revenue']} ({found['won']} deals). Open now: SAR {found['open_value']}.",
                f"المكسوب خلال سنة: {found['revenue']} ر.س (عدد الصفقات: {found['won']}). المفتوح الآن: {found['open_value']} ر.س.",
            )
        )
        if found["next_tier"]:
            away = f"{found['to_next']:g}"
            here.out.say(
                Sentence(
                    f"{away} points to {found['next_tier']['en']}.",
                    f"النقاط الباقية إلى {found['next_tier']['ar']}: {away}.",
                )
            )

    @command(group, connect)
    def revenue(
        here: Session,
        since: Annotated[
            str | None, typer.Option("--from", help="From when on, ISO 8601 (default: a year ago).")
        ] = None,
        until: Annotated[str | None, typer.Option("--to", help="Until when, ISO 8601 (default: now).")] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """What won deals of each partner came to, the most first."""
        period: dict[str, Any] = {"from": since, "to": until}
        listing(here, "/partners/revenue", REVENUE, NOTHING, limit=limit, cursor=cursor, **period)

    @command(group, connect)
    def offer(
        here: Session,
        partner: Partner,
        kind: Annotated[
            str | None,
            typer.Option(
                "--kind",
                help="referral, co_branded_diagnostic, co_authored_proof, white_label; what the fit earns when left out.",
            ),
        ] = None,
        commission: Annotated[
            str | None, typer.Option("--commission", help="Per cent of won deals; open when left out.")
        ] = None,
        days: Annotated[int, typer.Option("--days", min=7, max=90, help="How long the offer stands.")] = 30,
        letter: Annotated[str, typer.Option("--letter", help="Language of the letter: ar or en.")] = "ar",
        send: Annotated[
            bool, typer.Option("--send", help="Ask for it to be sent; a person approves it first.")
        ] = False,
    ) -> None:
        """Build an offer: its clauses, what stays open, and the letter. Nothing is sent without --send and an approval."""
        order: dict[str, Any] = {"partner_id": partner, "language": letter, "valid_days": days, "send": send}
        order |= {
            name: value for name, value in (("kind", kind), ("commission_percent", commission)) if value is not None
        }
        found = here.client.post("/partners/offers", order)
        here.out.result(found)
        name = plain(found["partner_name"])
        here.out.say(
            Sentence(
                f"{found['title']['en']} for {name}, until {found['valid_until']}",
                f"{found['title']['ar']} إلى {name}، حتى {found['valid_until']}",
            )
        )
        show_items(here.out, found["clauses"], CLAUSES)
        for one in found["open_points"]:
            here.out.say(Sentence(one["en"], one["ar"]))
        here.out.show(plain(found["body"], lines=True))
        if found["not_sendable"]:
            here.out.say(Sentence(found["not_sendable"]["en"], found["not_sendable"]["ar"]))
        if found["action_id"]:
            here.out.say(
                Sentence(
                    f"It waits for approval: dealix actions show {found['action_id']}",
                    f"بانتظار الموافقة: dealix actions show {found['action_id']}",
                )
            )


def _share(one: Json) -> Cell:
    return plain("–" if one["share"] is None else f"{one['share']:.0%}")
