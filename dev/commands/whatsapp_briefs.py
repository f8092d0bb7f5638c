"""`dealix whatsapp rules/hours/messages`: briefs that are sent by themselves."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import facts, plain, table, when
from dev.words import word

RULES, HOURS = "/approvals/whatsapp-rules", "/me/whatsapp-hours"
WORKDAYS = "sun,mon,tue,wed,thu"


def add(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to the group."""
    _rules(group, connect)
    _hours(group, connect)

    @group.command()
    def messages(
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What was sent to you, or waits for your hours."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items("/me/whatsapp-messages", limit)
        out.result({"items": items})
        headings = [("message", "الرسالة"), ("kind", "النوع"), ("state", "الحالة"), ("why", "السبب"), ("made", "أُعدّت")]
        rows = [
            (
                plain(one["message_id"]),
                word("brief_kind", one["kind"], out.lang),
                word("brief_state", one["state"], out.lang),
                plain(one["detail"]),
                when(one["created_at"]),
            )
            for one in items
        ]
        out.show(table(out.lang, headings, rows, whole=[0]))


def _rules(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def rules(
        on: Annotated[bool | None, typer.Option("--on/--off", help="Let briefs out by themselves.")] = None,
        risk: Annotated[list[str] | None, typer.Option("--risk", help="low, medium; repeat it.")] = None,
        action_type: Annotated[
            list[str] | None, typer.Option("--action-type", help="Only these; repeat it (default: all of those risks).")
        ] = None,
        template: Annotated[str | None, typer.Option("--template", help="A template that WhatsApp approved.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Which requests are sent by WhatsApp to the people who decide them; without options, what holds."""
        out = output(lang, as_json)
        given: dict[str, Any] = {"enabled": on, "risks": risk, "action_types": action_type, "template": template}
        changes = {name: value for name, value in given.items() if value is not None}
        with connect(out, base_url, data_dir) as client:
            found = client.get(RULES)
            if changes:
                found = client.put(RULES, {**found, **changes})
        out.result(found)
        pairs = [
            (out.text("On", "مفعَّل"), out.text("yes", "نعم") if found["enabled"] else out.text("no", "لا")),
            (out.text("Risks", "الخطر"), plain(", ".join(found["risks"]))),
            (out.text("Action types", "أنواع الإجراءات"), plain(", ".join(found["action_types"]) or "*")),
            (out.text("Template", "القالب"), plain(found["template"])),
        ]
        out.show(facts(pairs))


def _hours(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def hours(
        span: Annotated[str | None, typer.Argument(metavar="FROM-TO", help="Such as 08:00-20:00, in Riyadh.")] = None,
        days: Annotated[str, typer.Option("--days", help="Days, separated by commas.")] = WORKDAYS,
        never: Annotated[bool, typer.Option("--never", help="Send me nothing any more.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """When you want to be written to. Outside these hours nothing is sent; without any, never."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            if never:
                client.delete(HOURS)
                out.say(Sentence("Nothing is sent to you.", "لن يُرسل إليك شيء."))
                return
            if span is None:
                found = client.get(HOURS)
            else:
                opens, dash, closes = span.partition("-")
                if not dash:
                    raise BadInput("Hours look like 08:00-20:00.", "الساعات بالصيغة 08:00-20:00.")
                found = client.put(HOURS, {"opens": opens, "closes": closes, "days": days.split(",")})
        out.result(found)
        text = f"{found['opens']}-{found['closes']} ({', '.join(found['days'])})"
        out.say(Sentence(f"You are written to {text}.", f"يُرسل إليك {text}."))
