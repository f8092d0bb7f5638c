"""`dealix executive`: the room, whose figures are the metric layer's."""

from __future__ import annotations

from typing import Any

import typer

from dev.commands.common import Connect
from dev.commands.listing import Column, Json, in_language, moment, show_items
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
    Column("risk", "الخطر", in_language("title")),
    Column("likelihood", "الاحتمال", "likelihood_level", number=True),
    Column("impact", "الأثر", "impact_level", number=True),
    Column("because", "لأن", in_language("basis")),
)
DECISIONS = (
    Column("decision", "القرار", in_language("title")),
    Column("due", "الموعد", moment("due_at")),
    Column("id", "المعرّف", "approval_id", whole=True),
)
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
