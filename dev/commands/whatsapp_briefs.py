"""`dealix whatsapp rules/hours/messages`: briefs that are sent by themselves."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, Connect, LimitOption
from dev.commands.listing import Column, CursorOption, listing, moment, named
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import facts, plain

MESSAGES = (
    Column("message", "الرسالة", "message_id", whole=True),
    Column("kind", "النوع", named("brief_kind", "kind")),
    Column("state", "الحالة", named("brief_state", "state")),
    Column("why", "السبب", "detail"),
    Column("made", "أُعدّت", moment("created_at")),
)
NO_MESSAGES = Sentence("Nothing was sent to you yet.", "لم يُرسل إليك شيء بعد.")

RULES, HOURS = "/approvals/whatsapp-rules", "/me/whatsapp-hours"
WORKDAYS = "sun,mon,tue,wed,thu"


def add(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to the group."""
    _rules(group, connect)
    _hours(group, connect)

    @command(group, connect)
    def messages(here: Session, limit: LimitOption = 20, cursor: CursorOption = None) -> None:
        """What was sent to you, or waits for your hours."""
        listing(here, "/me/whatsapp-messages", MESSAGES, NO_MESSAGES, limit=limit, cursor=cursor)


def _rules(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def rules(
        here: Session,
        on: Annotated[bool | None, typer.Option("--on/--off", help="Let briefs out by themselves.")] = None,
        risk: Annotated[list[str] | None, typer.Option("--risk", help="low, medium; repeat it.")] = None,
        action_type: Annotated[
            list[str] | None, typer.Option("--action-type", help="Only these; repeat it (default: all of those risks).")
        ] = None,
        template: Annotated[str | None, typer.Option("--template", help="A template that WhatsApp approved.")] = None,
    ) -> None:
        """Which requests are sent by WhatsApp to the people who decide them; without options, what holds."""
        given: dict[str, Any] = {"enabled": on, "risks": risk, "action_types": action_type, "template": template}
        changes = {name: value for name, value in given.items() if value is not None}
        found = here.client.get(RULES)
        if changes:
            found = here.client.put(RULES, {**found, **changes})
        here.out.result(found)
        pairs = [
            (
                here.out.text("On", "مفعَّل"),
                here.out.text("yes", "نعم") if found["enabled"] else here.out.text("no", "لا"),
            ),
            (here.out.text("Risks", "المخاطرة"), plain(", ".join(found["risks"]))),
            (here.out.text("Action types", "أنواع الإجراءات"), plain(", ".join(found["action_types"]) or "*")),
            (here.out.text("Template", "القالب"), plain(found["template"])),
        ]
        here.out.show(facts(pairs))


def _hours(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def hours(
        here: Session,
        span: Annotated[str | None, typer.Argument(metavar="FROM-TO", help="Such as 08:00-20:00, in Riyadh.")] = None,
        days: Annotated[str, typer.Option("--days", help="Days, separated by commas.")] = WORKDAYS,
        never: Annotated[bool, typer.Option("--never", help="Send me nothing any more.")] = False,
    ) -> None:
        """When you want to be written to. Outside these hours nothing is sent; without any, never."""
        if never:
            here.client.delete(HOURS)
            here.out.say(Sentence("Nothing is sent to you.", "لن يُرسل إليك شيء."))
            return
        if span is None:
            found = here.client.get(HOURS)
        else:
            opens, dash, closes = span.partition("-")
            if not dash:
                raise BadInput("Hours look like 08:00-20:00.", "الساعات بالصيغة 08:00-20:00.")
            found = here.client.put(HOURS, {"opens": opens, "closes": closes, "days": days.split(",")})
        here.out.result(found)
        text = f"{found['opens']}-{found['closes']} ({', '.join(found['days'])})"
        here.out.say(Sentence(f"You are written to {text}.", f"يُرسل إليك {text}."))
