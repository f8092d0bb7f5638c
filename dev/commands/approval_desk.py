"""More of `dealix approvals`: several requests at once, lent rights, edits, tokens, the tenant's rules."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dev.commands.common import Connect, LimitOption, read_object
from dev.commands.listing import Column, CursorOption, listing, moment
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import facts, plain, table, when

LOANS = (
    Column("delegation", "التفويض", "delegation_id", whole=True),
    Column("from", "من", "from_id"),
    Column("to", "إلى", "to_id"),
    Column("until", "حتى", moment("ends_at")),
    Column("ended", "أُنهي", moment("ended_at")),
)
NO_LOANS = Sentence("No rights are lent.", "لا تفويضات.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the approval.")]
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="JSON; - reads standard input.")]


def extend(group: typer.Typer, connect: Connect) -> None:
    """Add the commands to the group of approvals."""
    _several(group, connect)
    _loans(group, connect)
    _rules(group, connect)


def _several(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def bulk(
        here: Session,
        ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Requests of one template.")],
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        note: Annotated[str, typer.Option("--note", help="A note for the record.")] = "",
    ) -> None:
        """Show requests of one template as a table of what differs, ask, and approve each for its own hashes."""
        seen = here.client.get("/approvals/compare", id=ids)
        names = seen["differing"]
        same = [(name, plain(_text(value), lines=True)) for name, value in seen["same"].items()]
        rows = [[plain(r["approval_id"]), *(plain(_text(r["values"][n])) for n in names)] for r in seen["rows"]]
        here.out.show(facts(same))
        here.out.show(table(here.out.lang, [("approval", "الموافقة"), *((n, n) for n in names)], rows, whole=[0]))
        if not yes:
            here.out.ask(Sentence("Approve exactly these?", "أتوافق على هذه كما هي؟"), otherwise="--yes")
        chosen = [{k: r[k] for k in ("approval_id", "payload_hash", "view_hash")} for r in seen["rows"]]
        done = here.client.post("/approvals/bulk", {"items": chosen, "note": note})
        here.out.result(done)
        count = len(done["items"])
        here.out.say(Sentence(f"{count} votes count.", f"سُجّلت الموافقة على {count}."))

    @command(group, connect)
    def edit(here: Session, approval_id: IdArgument, file: FileArgument) -> None:
        """Replace the payload: this request ends, and the edited one asks anew."""
        payload = read_object(file)
        seen = here.client.get(f"/approvals/{approval_id}")
        body = {"payload": payload, "expected_hash": seen["payload_hash"]}
        done = here.client.put(f"/approvals/{approval_id}/payload", body)
        here.out.result(done)
        action = plain(done["action_id"])
        here.out.say(Sentence(f"The edited action: {action}", f"الإجراء بعد التعديل: {action}"))

    @command(group, connect)
    def token(here: Session, approval_id: IdArgument) -> None:
        """The approval_token of an approval whose action has not run. It is shown once."""
        done = here.client.post(f"/approvals/{approval_id}/token")
        here.out.result(done)
        here.out.say(Sentence(plain(done["approval_token"]), plain(done["approval_token"])))


def _loans(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def delegate(
        here: Session,
        to: Annotated[str, typer.Option("--to", metavar="USER", help="Id of the colleague.")],
        until: Annotated[str, typer.Option("--until", help="When it ends, e.g. 2026-12-01T17:00:00+03:00.")],
        approval_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One request; without it, all.")] = None,
        note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    ) -> None:
        """Let a colleague approve in your place, until a date."""
        path = f"/approvals/{approval_id}/delegate" if approval_id else "/approvals/delegations"
        done = here.client.post(path, {"to": to, "ends_at": until, "note": note})
        here.out.result(done)
        here.out.say(Sentence(f"Delegated until {when(done['ends_at'])}.", f"فُوّض حتى {when(done['ends_at'])}."))

    @command(group, connect)
    def delegations(
        here: Session,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
        end: Annotated[str | None, typer.Option("--end", metavar="ID", help="Take this one back.")] = None,
    ) -> None:
        """Rights that were lent."""
        if end:
            here.client.post(f"/approvals/delegations/{end}/end")
        listing(here, "/approvals/delegations", LOANS, NO_LOANS, limit=limit, cursor=cursor)


def _rules(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def rules(
        here: Session,
        set_: Annotated[
            str | None, typer.Option("--set", metavar="FILE", help="JSON with what changes; - reads stdin.")
        ] = None,
    ) -> None:
        """Limits, quorum, business hours, escalation and sending caps; --set changes what a file names."""
        changes = read_object(set_) if set_ else None
        found: dict[str, Any] = here.client.get("/approvals/rules")
        if changes is not None:
            body = {"rules": {**found["rules"], **changes}, "expected_version": found["version"]}
            found = here.client.put("/approvals/rules", body)
        here.out.result(found)
        here.out.show(facts([(name, plain(_text(value))) for name, value in found["rules"].items()]))
        here.out.say(Sentence(f"Version {found['version']}", f"الإصدار {found['version']}"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
