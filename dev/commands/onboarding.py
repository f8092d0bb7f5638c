"""`dealix onboarding`: how far each new customer is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from dev.commands.common import Connect
from dev.commands.listing import Column, CursorOption, in_language, listing, moment, named, show_items
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.terminal import Cell, plain


def _progress(one: Mapping[str, Any], _: Lang) -> Cell:
    return plain(f"{one['done']}/{len(one['steps'])}")


def _current(one: Mapping[str, Any], lang: Lang) -> Cell:
    return plain(next((step["name"][lang] for step in one["steps"] if step["step"] == one["current"]), ""))


CUSTOMERS = (
    Column("customer", "العميل", "account_name"),
    Column("state", "الحالة", named("onboarding_state", "state", {"stuck": "high", "active": "medium", "done": "low"})),
    Column("steps", "الخطوات", _progress),
    Column("now", "الخطوة الحالية", _current),
    Column("moved", "آخر تقدم", moment("moved_at")),
    Column("id", "المعرّف", "onboarding_id", whole=True),
)
STEPS = (
    Column("step", "المفتاح", "step", whole=True),
    Column("name", "الخطوة", in_language("name")),
    Column("state", "الحالة", named("step_state", "state", {"done": "low", "open": "medium"})),
    Column("when", "الوقت", moment("at")),
    Column("shown by", "يظهر في", lambda one, _: plain(one["source"] or one["by"])),
    Column("note", "ملاحظة", "note"),
)
NOTHING = Sentence("No customer is being onboarded.", "لا عملاء قيد التهيئة.")
CustomerArgument = Annotated[str, typer.Argument(metavar="ID", help="As `dealix onboarding list` shows it.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""
    group = typer.Typer(no_args_is_help=True, help="Onboarding of new customers: list, show, mark a step.")
    app.add_typer(group, name="onboarding")

    @command(group, connect, "list")
    def list_(
        here: Session,
        state: Annotated[str | None, typer.Option(help="active, stuck or done.")] = None,
        limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
        cursor: CursorOption = None,
    ) -> None:
        """Customers whose first deal was won lately, the newest first."""
        listing(here, "/onboarding", CUSTOMERS, NOTHING, limit=limit, cursor=cursor, state=state)

    @command(group, connect)
    def show(here: Session, customer: CustomerArgument) -> None:
        """One customer's seven steps, and what to do next."""
        _shown(here, here.client.get(f"/onboarding/{customer}"))

    @command(group, connect)
    def step(
        here: Session,
        customer: CustomerArgument,
        step: Annotated[str, typer.Argument(metavar="STEP", help="Its key, as `show` lists it.")],
        state: Annotated[str, typer.Argument(metavar="STATE", help="done, skipped or open.")],
        note: Annotated[str, typer.Option(help="What was done, or why the step does not apply.")] = "",
    ) -> None:
        """Say that a step is done, does not apply, or is open after all."""
        _shown(here, here.client.post(f"/onboarding/{customer}/steps/{step}", {"state": state, "note": note}))


def _shown(here: Session, found: Mapping[str, Any]) -> None:
    here.out.result(found)
    show_items(here.out, found["steps"], STEPS)
    if found["next_step"]:
        here.out.say(Sentence(f"Next: {found['next_step']['en']}", f"التالي: {found['next_step']['ar']}"))
