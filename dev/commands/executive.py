"""`dealix executive`: the room, the board pack, the risk heat map, figures over time, and what brought a deal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from dev.commands.common import Connect, LimitOption, write_bytes
from dev.commands.listing import Column, CursorOption, Json, in_language, listing, moment, show_items
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.output import Output
from dev.terminal import plain, when

FIGURES = (
    Column("figure", "المؤشر", in_language()),
    Column("value", "القيمة", lambda one, lang: _value(one, lang), number=True),
    Column("from", "من", lambda one, _: f"{one['counted']} / {one['rows']}", number=True),
    Column("note", "ملاحظة", lambda one, lang: plain((one["caution"] or {}).get(lang))),
)
RISKS = (
    Column("risk", "المخاطرة", in_language("title")),
    Column("likelihood", "الاحتمال", "likelihood_level", number=True),
    Column("impact", "الأثر", "impact_level", number=True),
    Column("because", "لأن", in_language("basis")),
)
DECISIONS = (
    Column("decision", "القرار", in_language("title")),
    Column("due", "الموعد", moment("due_at")),
    Column("id", "المعرّف", "approval_id", whole=True),
)
CELLS = (
    Column("likelihood", "الاحتمال", "likelihood", number=True),
    *(Column(f"impact {n}", f"أثر {n}", f"impact{n}", number=True) for n in range(1, 6)),
)
TOUCHES = (
    Column("touch", "نقطة التواصل", "kind"),
    Column("title", "العنوان", "title"),
    Column("when", "متى", moment("at")),
    Column("share", "الحصة", lambda one, _: f"{float(one['share']):.1%}", number=True),
)
WON = (
    Column("deal", "الصفقة", lambda one, _: plain(f"{one['account_name']}: {one['title']}".strip(": "))),
    Column("most to", "الأكبر حصة", lambda one, _: plain(one["channels"][0]["channel"]) if one["channels"] else "–"),
    Column("confidence", "الثقة", lambda one, _: f"{one['confidence']:.0%}", number=True),
    Column("id", "المعرّف", "deal_id", whole=True),
)
TRENDS = (
    Column("figure", "المؤشر", in_language()),
    Column("over time", "عبر الزمن", lambda one, _: " ".join(_short(each["value"]) for each in one["points"])),
    Column("change", "التغيّر", lambda one, _: plain(one["change"] or "–"), number=True),
    Column("note", "ملاحظة", lambda one, lang: plain(((one["caution"] or one["why"]) or {}).get(lang))),
)
NOTHING_WON = Sentence("No deal was won yet.", "لا صفقات مكسوبة بعد.")
NO_RISK = Sentence("No risk could be found in what was read.", "لا مخاطر فيما أمكنت قراءته.")
NO_DECISION = Sentence("No decision waits.", "لا قرارات معلّقة.")


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(no_args_is_help=True, help="What executives and boards look at, from the metric layer.")
    app.add_typer(group, name="executive")

    @command(group, connect)
    def room(here: Session) -> None:
        """Figures with what disputes them, the plan, the worst risks, and decisions that wait."""
        found = here.client.get("/executive-room", timeout=60)
        here.out.result(found)
        show_items(here.out, found["kpis"], FIGURES)
        _plan(here.out, found["plan"])
        _risks(here.out, found["top_risks"], found["not_scored"])
        show_items(here.out, found["decisions"], DECISIONS, NO_DECISION)
        contradictions = "–" if found["contradictions"] is None else found["contradictions"]
        here.out.say(Sentence(f"Open contradictions: {contradictions}.", f"التناقضات المفتوحة: {contradictions}."))
        if found["silent"]:
            named = ", ".join(found["silent"])
            here.out.say(Sentence(f"These parts did not answer: {named}.", f"أجزاء لم ترد: {named}."))

    @command(group, connect, "board-pack")
    def board_pack(
        here: Session,
        period: Annotated[
            str | None, typer.Option("--period", help="As 2026-10 or 2026-Q3; the last month that ended.")
        ] = None,
        pdf: Annotated[Path | None, typer.Option("--pdf", help="Write it as PDF, in Arabic and English.")] = None,
    ) -> None:
        """Eight sections of a month or a quarter, key risks, and decisions that the board has to take."""
        if pdf is not None:
            write_bytes(pdf, here.client.raw(f"/board-pack.pdf?{urlencode({'period': period} if period else {})}"))
            here.out.result({"file": str(pdf)})
            here.out.say(Sentence(f"Written to {pdf}.", f"كُتب في {pdf}."))
            return
        found = here.client.get("/board-pack", period=period, timeout=60)
        here.out.result(found)
        for section in found["sections"]:
            here.out.show(here.out.text(section["en"], section["ar"]))
            show_items(here.out, section["figures"], FIGURES)
            for line in section["lines_ar"] if here.out.lang == "ar" else section["lines"]:
                here.out.show(plain(line))
        _risks(here.out, found["top_risks"], found["not_scored"])

    @command(group, connect)
    def heatmap(here: Session, limit: LimitOption = 20) -> None:
        """Likelihood by impact with how many risks stand where, and the worst of them."""
        found = here.client.get("/risks/heatmap", limit=limit, timeout=60)
        here.out.result(found)
        rows = [
            {"likelihood": level} | {f"impact{one['impact']}": one["count"] for one in found["cells"] if one["likelihood"] == level}
            for level in range(5, 0, -1)
        ]  # fmt: skip
        show_items(here.out, rows, CELLS)
        _risks(here.out, found["items"], found["not_scored"])

    @command(group, connect)
    def attribution(
        here: Session,
        deal: Annotated[
            str | None, typer.Argument(metavar="[DEAL]", help="The deal's id; without one, deals won.")
        ] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """What brought a deal, touch by touch, with how sure that is."""
        if deal is None:
            listing(here, "/attribution", WON, NOTHING_WON, limit=limit, cursor=cursor)
            return
        found = here.client.get("/attribution", deal_id=deal)
        here.out.result(found)
        show_items(here.out, found["touchpoints"], TOUCHES)
        sure = f"{found['confidence']:.0%}"
        here.out.say(Sentence(f"Confidence {sure}.", f"الثقة {sure}."))
        for one in found["reasons"]:
            here.out.show(here.out.text(one["en"], one["ar"]))

    @command(group, connect)
    def analytics(
        here: Session,
        metric: Annotated[list[str] | None, typer.Option("--metric", help="A metric's name; may be repeated.")] = None,
        by: Annotated[str, typer.Option("--by", help="day, week or month.")] = "month",
        stretches: Annotated[int, typer.Option("--stretches", min=3, max=60, help="How many.")] = 12,
    ) -> None:
        """Metrics over time, the running stretch last."""
        found = here.client.get("/analytics", metric=metric or None, by=by, stretches=stretches, timeout=60)
        here.out.result(found)
        show_items(here.out, found["trends"], TRENDS)


def _short(value: str | None) -> str:
    return "–" if value is None else f"{float(value):,.2f}".removesuffix(".00")


def _plan(out: Output, plan: dict[str, Any] | None) -> None:
    if plan is None:
        return
    month, actual = when(plan["since"])[:7], plan["actual"] or "–"
    if plan["expected"] is None:
        out.say(Sentence(f"{month}: {actual} SAR so far. {plan['why']['en']}", f"{month}: {actual} ر.س حتى الآن. {plan['why']['ar']}"))  # fmt: skip
        return
    low, high, expected = plan["low"], plan["high"], plan["expected"]
    en = f"{month}: {actual} SAR so far, {expected} forecast ({low} to {high})."
    out.say(Sentence(en, f"{month}: {actual} ر.س حتى الآن، والمتوقع {expected} (من {low} إلى {high})."))


def _risks(out: Output, risks: list[Json], missing: list[Json]) -> None:
    show_items(out, risks, RISKS, NO_RISK)
    for one in missing:
        out.show(out.text(one["why"]["en"], one["why"]["ar"]))


def _value(one: Json, lang: Lang) -> str:
    if one["value"] is None:
        return plain(one["why_ar"] if lang == "ar" else one["why_en"])
    return f"{float(one['value']):.1%}" if one["unit"] == "share" else plain(one["value"])
