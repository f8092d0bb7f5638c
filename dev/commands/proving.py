"""`dealix work-units` and `dealix proof-pack`: what was done, with its proof, and what it may bring."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import Connect, LimitOption
from dev.commands.listing import Column, CursorOption, Json, in_language, listing, moment, named, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import Cell, plain

WORK = (
    Column("when", "الوقت", moment("at")),
    Column("work", "العمل", in_language("title")),
    Column("units", "الوحدات", "count", number=True),
    Column("weight", "الوزن", "weighted", number=True),
    Column("place in the log", "الموضع في السجل", lambda one, _: plain("…" if one["seq"] is None else one["seq"]), number=True),
    Column("entry", "القيد", "entry_id", whole=True),
)  # fmt: skip
TOTALS = (
    Column("work", "العمل", in_language("title")),
    Column("units", "الوحدات", "count", number=True),
    Column("weight of one", "وزن الوحدة", "weight", number=True),
    Column("weight", "الوزن", "weighted", number=True),
    Column("entries", "القيود", "entries", number=True),
)
SECTION = (
    Column("work", "العمل", in_language("title")),
    Column("units", "الوحدات", "count", number=True),
    Column("weight", "الوزن", "weighted", number=True),
    Column("newest entry", "أحدث قيد", lambda one, _: plain(one["proofs"][0]["entry_id"] if one["proofs"] else ""), whole=True),
)  # fmt: skip
WAITING = (
    Column("decision", "القرار", in_language("title")),
    Column("risk", "الخطورة", named("risk", "risk")),
    Column("due", "الموعد", moment("due_at")),
    Column("approval", "الموافقة", "approval_id", whole=True),
)
PATH = (
    Column("service", "الخدمة", in_language("title")),
    Column("SAR", "ر.س", lambda one, _: _price(one), number=True),
    Column("earned", "تحقق", lambda one, lang: plain({"ar": ("لا", "نعم"), "en": ("no", "yes")}[lang][one["earned"]])),
    Column("proved of what it needs", "المثبت مما يلزم", lambda one, lang: _needs(one, lang)),
)
NO_WORK = Sentence("No work in this period.", "لا عمل في هذه الفترة.")
NONE_HERE = Sentence("Nothing here.", "لا شيء هنا.")
NONE_WAITS = Sentence("Nothing waits for approval.", "لا شيء ينتظر الموافقة.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""

    @command(app, connect, "work-units")
    def work_units(
        here: Session,
        unit: Annotated[str | None, typer.Option("--unit", help="One kind of work, as draft_created.")] = None,
        since: Annotated[
            str | None, typer.Option("--from", help="From when on, ISO 8601 (default: 30 days ago).")
        ] = None,
        until: Annotated[str | None, typer.Option("--to", help="Until when, ISO 8601 (default: now).")] = None,
        totals: Annotated[bool, typer.Option("--totals", help="The sums of the period alone.")] = False,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """Work counted from the ledger, each piece with the entry that proves it. Weights measure work, never revenue."""
        asked: dict[str, Any] = {"unit": unit, "from": since, "to": until}
        if not totals:
            listing(here, "/revenue-work-units", WORK, NO_WORK, limit=limit, cursor=cursor, **asked)
            return
        found = here.client.get("/revenue-work-units", limit=1, **asked)
        here.out.result({name: found[name] for name in ("totals", "weighted", "since", "until", "version")})
        show_items(here.out, [one for one in found["totals"] if one["count"]], TOTALS, NO_WORK)
        _weight(here.out, found)

    @command(app, connect, "proof-pack")
    def proof_pack(
        here: Session,
        deal: Annotated[
            str | None, typer.Argument(metavar="[DEAL]", help="A deal's id; the whole company when left out.")
        ] = None,
    ) -> None:
        """What was created and protected, what waits, what it may bring and on what basis, and what comes next."""
        found = here.client.get("/proof-pack", deal_id=deal)
        here.out.result(found)
        _pack(here.out, found)


def _pack(out: Output, found: dict[str, Any]) -> None:
    if found["scope"] == "deal":
        stage = found["stage"]
        out.say(Sentence(f"{plain(found['deal_title'])} · {plain(found['account_name'])} · {stage['en']}",
                         f"{plain(found['deal_title'])} · {plain(found['account_name'])} · {stage['ar']}"))  # fmt: skip
    for name in ("created", "protected"):
        section = found[name]
        out.show(out.text(section["title"]["en"], section["title"]["ar"]))
        show_items(out, section["items"], SECTION, NONE_HERE)
    waiting = found["needs_approval"]
    out.show(out.text(waiting["title"]["en"], waiting["title"]["ar"]))
    show_items(out, waiting["items"], WAITING, NONE_WAITS)
    _impact(out, found["revenue_impact"])
    onward = found["next_action"]
    en, ar = onward["text"]["en"], onward["text"]["ar"]
    out.say(Sentence(f"Next: {en} {onward['because']['en']}", f"الخطوة التالية: {ar} {onward['because']['ar']}"))
    out.show(out.text(found["upgrade_path"]["title"]["en"], found["upgrade_path"]["title"]["ar"]))
    show_items(out, found["upgrade_path"]["steps"], PATH)
    _weight(out, found)
    for one in found["unread"]:
        out.say(Sentence(f"Could not be read just now: {one['en']}", f"تعذّرت قراءته الآن: {one['ar']}"))


def _impact(out: Output, impact: dict[str, Any]) -> None:
    en, ar = impact["label"]["en"], impact["label"]["ar"]
    if impact["value"] is not None:
        figure = f"{impact['value']} {impact['currency']}"
        if impact["low"] is not None:
            figure += f" ({impact['low']} – {impact['high']})"
        en, ar = f"{en}: {figure}", f"{ar}: {figure}"
    title, why = impact["title"], impact["because"]
    out.say(Sentence(f"{title['en']} · {en}. {why['en']}", f"{title['ar']} · {ar}. {why['ar']}"))
    if basis := impact["basis"]:
        share, tested = f"{basis['probability']:.0%}", basis["tested"]
        out.say(Sentence(f"{basis['deal_value']} × {share}, held to {tested} past deals.",
                         f"{basis['deal_value']} × {share}، وعدد الصفقات السابقة التي قورنت بها: {tested}."))  # fmt: skip
    for one in impact["missing"]:
        out.show(out.text(one["en"], one["ar"]))


def _weight(out: Output, found: dict[str, Any]) -> None:
    total = plain(found["weighted"])
    out.say(Sentence(f"Weight of the work: {total}. Weights measure work, never revenue.",
                     f"وزن العمل: {total}. الأوزان تقيس حجم العمل، ولا تقيس الإيراد."))  # fmt: skip


def _price(one: Json) -> Cell:
    low, high = (f"{float(one[name]):,.0f}" for name in ("price_from", "price_to"))
    return plain(low if low == high else f"{low} – {high}")


def _needs(one: Json, lang: str) -> Cell:
    return plain(" · ".join(f"{need['title'][lang]} {need['have']}/{need['need']}" for need in one["needs"]))
