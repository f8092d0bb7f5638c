"""`dealix rights` and `dealix registers`: what people may ask for, and the registers a controller keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dev.commands.common import (
    Connect,
    LimitOption,
    read_object,
    write_bytes,
)
from dev.commands.listing import Column, CursorOption, in_language, listing, moment, named, show_items, show_one
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.output import Output
from dev.terminal import plain

LATE = Column("late", "متأخر", lambda one, _: "!" if one["late"] else "")
REQUESTS = (
    Column("request", "الطلب", "request_id", whole=True),
    Column("right", "الحق", named("rights_kind", "kind")),
    Column("state", "الحالة", named("rights_state", "state")),
    Column("due", "الموعد", moment("due_at")),
    LATE,
)
ONE = (
    Column("request", "الطلب", "request_id"),
    Column("right", "الحق", named("rights_kind", "kind")),
    Column("state", "الحالة", named("rights_state", "state")),
    Column("received", "استُلم", moment("received_at")),
    Column("due", "الموعد", moment("due_at")),
)
STEPS = (
    Column("time", "الوقت", moment("at")),
    Column("step", "الخطوة", "step"),
    Column("by", "من", "actor"),
    Column("note", "ملاحظة", "note"),
)
ERASED = (
    Column("plane", "الخدمة", named("plane", "plane")),
    Column("done", "أُنجز", moment("done_at")),
    Column("what", "ما مُحي", lambda one, _: ", ".join(f"{plain(k)} {v}" for k, v in one["counts"].items())),
)
NO_REQUESTS = Sentence("No requests of people.", "لا طلبات من أصحاب البيانات.")
REGISTERS = (
    Column("register", "السجل", "key"),
    Column("name", "الاسم", in_language()),
    Column("must be filled", "المطلوب", lambda one, _: ", ".join(one["required"])),
)
NO_ENTRIES = Sentence("This register holds nothing yet.", "لا قيود في هذا السجل بعد.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the request.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the groups to the application."""
    group = typer.Typer(help="Requests of people about their data.", no_args_is_help=True)
    app.add_typer(group, name="rights")
    _requests(group, connect)
    _answers(group, connect)
    kept = typer.Typer(help="The registers a controller keeps.", no_args_is_help=True)
    app.add_typer(kept, name="registers")
    _registers(kept, connect)


def _requests(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(
        here: Session,
        state: Annotated[
            str | None, typer.Option("--state", help="received, identified, working, completed or refused.")
        ] = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """Requests, the newest first."""
        listing(here, "/rights-requests", REQUESTS, NO_REQUESTS, limit=limit, cursor=cursor, state=state)

    @command(group, connect)
    def show(here: Session, request_id: IdArgument) -> None:
        """One request with its steps, and what each plane has to do for it."""
        _shown(here.out, here.client.get(f"/rights-requests/{request_id}"))

    @command(group, connect, "open")
    def open_(
        here: Session,
        kind: Annotated[str, typer.Argument(help="access, correction, erasure, portability or objection.")],
        contact: Annotated[str, typer.Option("--contact", metavar="ID", help="The contact.")],
        identifier: Annotated[str, typer.Option("--from", help="The address or number under which it came.")],
        details: Annotated[str, typer.Option("--details", help="What was asked.")] = "",
        received: Annotated[
            str | None, typer.Option("--received", help="When it came, with its zone (default: now).")
        ] = None,
    ) -> None:
        """Record a request; thirty days run from when it was received."""
        body = {
            "kind": kind,
            "contact_id": contact,
            "identifier": identifier,
            "details": details,
            "received_at": received,
        }
        _shown(here.out, here.client.post("/rights-requests", {k: v for k, v in body.items() if v is not None}))


def _answers(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def identify(
        here: Session,
        request_id: IdArgument,
        method: Annotated[str, typer.Option("--method", help="How the identity was checked.")],
        evidence: Annotated[str, typer.Option("--evidence", help="Where the evidence of that is.")],
    ) -> None:
        """Record that the identity was checked. An objection takes effect with this."""
        body = {"method": method, "evidence": evidence}
        _shown(here.out, here.client.post(f"/rights-requests/{request_id}/identify", body))

    @command(group, connect)
    def extend(
        here: Session,
        request_id: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why; the person was told.")],
    ) -> None:
        """Thirty more days, once, before the first term ends."""
        _shown(here.out, here.client.post(f"/rights-requests/{request_id}/extend", {"reason": reason}))

    @command(group, connect)
    def close(
        here: Session,
        request_id: IdArgument,
        note: Annotated[str, typer.Option("--note", help="What was done, or why not.")],
        refused: Annotated[bool, typer.Option("--refused", help="The request is refused.")] = False,
    ) -> None:
        """Answer a request: done, or refused with the ground for it."""
        _shown(here.out, here.client.post(f"/rights-requests/{request_id}/close", {"note": note, "refused": refused}))

    @command(group, connect)
    def export(
        here: Session,
        request_id: IdArgument,
        file: Annotated[Path, typer.Option("-o", "--output", help="Where to write it.")],
    ) -> None:
        """Everything every plane holds about the person, as JSON."""
        found = here.client.get(f"/rights-requests/{request_id}/export", timeout=60.0)
        write_bytes(file, json.dumps(found, ensure_ascii=False, indent=2).encode())
        here.out.result({"file": str(file)})
        here.out.say(Sentence(f"Written to {file}.", f"كُتب في {file}."))

    @command(group, connect)
    def erase(
        here: Session,
        request_id: IdArgument,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        alone: Annotated[
            bool, typer.Option("--alone", help="You also checked the identity: prove who you are again.")
        ] = False,
    ) -> None:
        """Erase the person in every plane. It cannot be undone."""
        import getpass

        if not yes:
            question = Sentence("Erase this person for good?", "أتمحو بيانات هذا الشخص نهائيًا؟")
            here.out.ask(question, otherwise="--yes")
        body = {"password": getpass.getpass(here.out.text("Your password: ", "كلمة مرورك: "))} if alone else {}
        _shown(here.out, here.client.post(f"/rights-requests/{request_id}/erase", body))


def _registers(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(
        here: Session,
        kind: Annotated[
            str | None, typer.Argument(help="Which register; without it, all registers with their fields.")
        ] = None,
        limit: LimitOption = 50,
        cursor: CursorOption = None,
    ) -> None:
        """The registers, or the entries of one."""
        known = here.client.get("/registers")["items"]
        if kind is None:
            here.out.result({"items": known})
            show_items(here.out, known, REGISTERS)
            return
        title = next((r["title"] for r in known if r["key"] == kind), "")
        columns = (
            Column("entry", "القيد", "entry_id", whole=True),
            Column("title", "العنوان", lambda one, _: plain(one["values"].get(title))),
            Column("version", "الإصدار", "version"),
            Column("changed", "عُدّل", moment("changed_at")),
            Column("due", "الموعد", moment("due_at")),
            LATE,
        )
        listing(here, f"/registers/{kind}", columns, NO_ENTRIES, limit=limit, cursor=cursor)

    @command(group, connect)
    def put(
        here: Session,
        kind: Annotated[str, typer.Argument(help="Which register.")],
        file: Annotated[str, typer.Argument(metavar="FILE", help="JSON with the fields; - reads standard input.")],
        entry_id: Annotated[
            str | None, typer.Option("--entry", metavar="ID", help="Change this entry; without it, add one.")
        ] = None,
    ) -> None:
        """Add an entry to a register, or change one."""
        values = read_object(file)
        if entry_id is None:
            done = here.client.post(f"/registers/{kind}", {"values": values})
        else:
            version = here.client.get(f"/registers/{kind}/{entry_id}")["version"]
            done = here.client.put(f"/registers/{kind}/{entry_id}", {"values": values}, version=version)
        here.out.result(done)
        here.out.say(
            Sentence(
                f"Entry {plain(done['entry_id'])}, version {done['version']}.",
                f"القيد {plain(done['entry_id'])}، الإصدار {done['version']}.",
            )
        )


def _shown(out: Output, found: dict[str, Any]) -> None:
    out.result(found)
    show_one(out, found, ONE)
    if steps := found.get("steps"):
        show_items(out, steps, STEPS)
    if tasks := found.get("tasks"):
        show_items(out, tasks, ERASED)
