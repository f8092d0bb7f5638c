"""More of `dealix approvals`: several requests at once, lent rights, edits, tokens, the tenant's rules."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, LimitOption, read_json_input
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import facts, plain, table, when

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the approval.")]
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="JSON; - reads standard input.")]


def extend(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to the group of approvals."""
    _several(group, connect)
    _loans(group, connect)
    _rules(group, connect)


def _several(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def bulk(
        ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Requests of one template.")],
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        note: Annotated[str, typer.Option("--note", help="A note for the record.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show requests of one template as a table of what differs, ask, and approve each for its own hashes."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            seen = client.get("/approvals/compare", id=ids)
            names = seen["differing"]
            same = [(name, plain(_text(value), lines=True)) for name, value in seen["same"].items()]
            rows = [[plain(r["approval_id"]), *(plain(_text(r["values"][n])) for n in names)] for r in seen["rows"]]
            out.show(facts(same))
            out.show(table(out.lang, [("approval", "الموافقة"), *((n, n) for n in names)], rows, whole=[0]))
            if not yes:
                out.ask(Sentence("Approve exactly these?", "أتوافق على هذه كما هي؟"), otherwise="--yes")
            chosen = [{k: r[k] for k in ("approval_id", "payload_hash", "view_hash")} for r in seen["rows"]]
            done = client.post("/approvals/bulk", {"items": chosen, "note": note})
        out.result(done)
        count = len(done["items"])
        out.say(Sentence(f"{count} votes count.", f"سُجّلت الموافقة على {count}."))

    @group.command()
    def edit(
        approval_id: IdArgument,
        file: FileArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Replace the payload: this request ends, and the edited one asks anew."""
        out = output(lang, as_json)
        payload = read_json_input(file)
        if not isinstance(payload, dict):
            raise BadInput("A payload is a JSON object.", "الحمولة كائن JSON.")
        with connect(out, base_url, data_dir) as client:
            seen = client.get(f"/approvals/{approval_id}")
            body = {"payload": payload, "expected_hash": seen["payload_hash"]}
            done = client.put(f"/approvals/{approval_id}/payload", body)
        out.result(done)
        action = plain(done["action_id"])
        out.say(Sentence(f"The edited action: {action}", f"الإجراء بعد التعديل: {action}"))

    @group.command()
    def token(
        approval_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The approval_token of an approval whose action has not run. It is shown once."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            done = client.post(f"/approvals/{approval_id}/token")
        out.result(done)
        out.say(Sentence(plain(done["approval_token"]), plain(done["approval_token"])))


def _loans(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def delegate(
        to: Annotated[str, typer.Option("--to", metavar="USER", help="Id of the colleague.")],
        until: Annotated[str, typer.Option("--until", help="When it ends, e.g. 2026-12-01T17:00:00+03:00.")],
        approval_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One request; without it, all.")] = None,
        note: Annotated[str, typer.Option("--note", help="Why.")] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Let a colleague approve in one's place, until a date."""
        out = output(lang, as_json)
        path = f"/approvals/{approval_id}/delegate" if approval_id else "/approvals/delegations"
        with connect(out, base_url, data_dir) as client:
            done = client.post(path, {"to": to, "ends_at": until, "note": note})
        out.result(done)
        out.say(Sentence(f"Delegated until {when(done['ends_at'])}.", f"فُوّض حتى {when(done['ends_at'])}."))

    @group.command()
    def delegations(
        limit: LimitOption = 50,
        end: Annotated[str | None, typer.Option("--end", metavar="ID", help="Take this one back.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Rights that were lent."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            if end:
                client.post(f"/approvals/delegations/{end}/end")
            found = client.items("/approvals/delegations", limit)
        out.result({"items": found})
        headings = [("delegation", "التفويض"), ("from", "من"), ("to", "إلى"), ("until", "حتى"), ("ended", "أُنهي")]
        rows = [
            [plain(d["delegation_id"]), plain(d["from_id"]), plain(d["to_id"]), when(d["ends_at"]), when(d["ended_at"])]
            for d in found
        ]
        out.show(table(out.lang, headings, rows, whole=[0]))


def _rules(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def rules(
        set_: Annotated[
            str | None, typer.Option("--set", metavar="FILE", help="JSON with what changes; - reads stdin.")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Limits, quorum, business hours, escalation and sending caps; --set changes what a file names."""
        out = output(lang, as_json)
        changes = read_json_input(set_) if set_ else None
        if changes is not None and not isinstance(changes, dict):
            raise BadInput("Rules are a JSON object.", "الضوابط كائن JSON.")
        with connect(out, base_url, data_dir) as client:
            found: dict[str, Any] = client.get("/approvals/rules")
            if changes is not None:
                body = {"rules": {**found["rules"], **changes}, "expected_version": found["version"]}
                found = client.put("/approvals/rules", body)
        out.result(found)
        out.show(facts([(name, plain(_text(value))) for name, value in found["rules"].items()]))
        out.say(Sentence(f"Version {found['version']}", f"الإصدار {found['version']}"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
