"""`dealix contradictions list/show/acknowledge/resolve/claim`: what is said of a subject, and what of it can't both hold."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dev.commands import claim_suggestions
from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import facts, plain, table, when

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the contradiction.")]
STATES = {
    "open": ("open", "مفتوح"), "acknowledged": ("acknowledged", "قيد النظر"), "resolved": ("resolved", "محسوم"), "accepted": ("accepted", "مقبول"),
}  # fmt: skip


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Claims that contradict one another.", no_args_is_help=True)
    app.add_typer(group, name="contradictions")
    _reading(group, connect)
    _deciding(group, connect)
    claim_suggestions.register(group, connect)


def _reading(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def listed(
        state: Annotated[str | None, typer.Option("--state", help="open, acknowledged, resolved or accepted.")] = None,
        subject: Annotated[str | None, typer.Option("--subject", help="For instance deal:ID.")] = None,
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Contradictions, the newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/contradictions", state=state, subject=subject, limit=limit)
        out.result(found)
        headings = [
            ("id", "المعرّف"), ("subject", "الموضوع"), ("what", "ماذا"), ("one", "الأول"), ("other", "الثاني"), ("state", "الحالة"),
        ]  # fmt: skip
        rows = [
            [
                plain(one["contradiction_id"]), plain(one["subject"]), plain(one["claims"][0]["key"]), _value(one["claims"][0]),
                _value(one["claims"][1]), out.text(*STATES[one["state"]]),
            ]
            for one in found["items"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows, whole=[0]))

    @group.command()
    def show(
        contradiction: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One contradiction: both claims, who says them, since when, and what was decided."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _show(out, client.get(f"/contradictions/{contradiction}"))


def _deciding(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def acknowledge(
        contradiction: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Say that somebody looks into it; what concerns it goes on waiting."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _show(out, client.post(f"/contradictions/{contradiction}/acknowledge", {}))

    @group.command()
    def resolve(
        contradiction: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why, in at least 10 characters.")],
        standing: Annotated[str | None, typer.Option("--standing", metavar="CLAIM", help="The claim that stands; without it both are accepted.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Decide which claim stands, or accept both."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            body = {"reason": reason, **({"standing_claim_id": standing} if standing else {})}
            _show(out, client.post(f"/contradictions/{contradiction}/resolve", body))

    @group.command()
    def claim(
        subject: Annotated[str, typer.Argument(help="What it is about, for instance product:crm.")],
        key: Annotated[str, typer.Argument(help="What is claimed, for instance price.")],
        value: Annotated[str, typer.Argument(help="The value.")],
        source: Annotated[str, typer.Option("--source", help="Who or what says so.")],
        unit: Annotated[str, typer.Option("--unit", help="Of a number; its first unit without this.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Record a claim, and say what it contradicts."""
        out = output(lang, as_json)
        body = {"subject": subject, "key": key, "value": value, "unit": unit, "source": source}
        with connect(out, base_url, data_dir) as client:
            found = client.post("/claims", body)
        out.result(found)
        count = len(found["contradictions"])
        out.say(Sentence(f"Recorded; contradictions opened: {count}.", f"سُجّل. تناقضات جديدة: {count}."))
        for one in found["contradictions"]:
            _show(out, one, again=True)


def _show(out: Output, one: dict[str, Any], *, again: bool = False) -> None:
    if not again:
        out.result(one)
    rows = [
        (out.text("contradiction", "التناقض"), plain(one["contradiction_id"])), (out.text("subject", "الموضوع"), plain(one["subject"])),
        (out.text("kind", "النوع"), f"{one['kind']} · {one['severity']}"), (out.text("state", "الحالة"), out.text(*STATES[one["state"]])),
    ]  # fmt: skip
    if one["decided_by"]:
        rows.append((out.text("decided", "حسمه"), f"{plain(one['decided_by'])} · {when(one['decided_at'])}"))
        rows.append((out.text("why", "السبب"), plain(one["reason"])))
    out.show(facts(rows))
    headings = [("claim", "الادعاء"), ("value", "القيمة"), ("source", "المصدر"), ("by", "سجّله"), ("standing", "قيامه")]
    said = [
        [plain(c["claim_id"]), _value(c), plain(c["source"]), plain(c["recorded_by"]), c["standing"]]
        for c in one["claims"]
    ]
    out.show(table(out.lang, headings, said, whole=[0]))


def _value(claim: dict[str, Any]) -> str:
    return plain(f"{claim['value']} {claim['unit']}".strip())
