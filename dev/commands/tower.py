"""`dealix services`: what a client can buy, and which metric shows whether it worked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, Connect
from dev.commands.listing import Column, in_language, show_items, show_one
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.terminal import Cell, plain


def _price(one: Mapping[str, Any], lang: Lang) -> Cell:
    least, most = one["price"]["from"], one["price"]["to"]
    if not most:
        return "مجانًا" if lang == "ar" else "free"
    return f"{least:,}–{most:,} {one['currency']}"


def _proof(one: Mapping[str, Any], lang: Lang) -> Cell:
    return plain(one["proof"]["name"][lang])


def _each(field: str) -> Any:
    return lambda one, lang: plain(("، " if lang == "ar" else ", ").join(text[lang] for text in one[field]))


SERVICES = (
    Column("key", "المفتاح", "key", whole=True),
    Column("service", "الخدمة", in_language("name")),
    Column("price", "السعر", _price),
    Column("working days", "أيام العمل", lambda one, _: str(one["sla_days"]), number=True),
    Column("proof", "الإثبات", _proof),
)
WHOLE = (
    *SERVICES,
    Column("delivers", "المخرجات", _each("deliverables")),
    Column("needs", "المدخلات", _each("inputs")),
    Column("workflow", "سير العمل", _each("workflow")),
)


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the command to the application."""

    @command(app, connect)
    def services(
        here: Session,
        key: Annotated[str | None, typer.Argument(metavar="KEY", help="One service in full.")] = None,
    ) -> None:
        """The service tower: prices, deliverables, what is needed, how long it takes, and the proof."""
        found = here.client.get("/services")
        if key is None:
            here.out.result(found)
            show_items(here.out, found["items"], SERVICES)
            if own := found["own_offer"]:
                here.out.say(
                    Sentence(
                        f"Your own offer: {plain(own['en'] or own['ar'])}", f"عرضك أنت: {plain(own['ar'] or own['en'])}"
                    )
                )
            return
        one = next((one for one in found["items"] if one["key"] == key), None)
        if one is None:
            raise BadInput(
                f"There is no service {key}; `dealix services` lists them.",
                f"لا توجد خدمة {key}؛ تعرضها dealix services.",
            )
        here.out.result(one)
        show_one(here.out, one, WHOLE)
