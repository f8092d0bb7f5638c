"""`dealix crm …`, `reviews …`, `cancel`: records with their history, deals that move, likely duplicates, and stopping an import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dev.commands.common import Connect, LimitOption, write_bytes
from dev.commands.listing import Column, CursorOption, listing, moment, show_items
from dev.commands.session import Session, command
from dev.messages import Sentence
from dev.terminal import plain, table

FOUND = (
    Column("kind", "النوع", "kind"),
    Column("title", "الاسم", "title"),
    Column("", "", "subtitle"),
    Column("id", "المعرّف", "id", whole=True),
)
NOTHING_FOUND = Sentence("Nothing matches.", "لا نتيجة مطابقة.")
RECORDS = (
    Column("name", "الاسم", lambda one, _: _title(one)),
    Column("", "", lambda one, _: plain(_note(one))),
    Column("id", "المعرّف", "id", whole=True),
)
NO_RECORDS = Sentence("No records here yet.", "لا سجلات هنا بعد.")
HAPPENED = (
    Column("when", "الوقت", moment("at")),
    Column("what", "الحدث", "what"),
    Column("", "", "title"),
    Column("who", "من", "actor"),
)
REVIEWS = (
    Column("first", "الأول", lambda one, _: _title(one["left"])),
    Column("second", "الثاني", lambda one, _: _title(one["right"])),
    Column("alike", "التشابه", lambda one, _: f"{one['score']:.0f}", number=True),
    Column("why", "السبب", lambda one, lang: plain(("، " if lang == "ar" else ", ").join(one[f"why_{lang}"]))),
    Column("review", "المعرّف", "review_id", whole=True),
)
NO_REVIEWS = Sentence("Nothing waits for a decision.", "لا شيء بانتظار قرار.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the record.")]


class Kind(StrEnum):
    """What there are records of, as in the paths of the API."""

    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    LEADS = "leads"
    DEALS = "deals"
    ACTIVITIES = "activities"
    TASKS = "tasks"
    PARTNERS = "partners"
    TICKETS = "tickets"
    SPENDING = "spending"
    PAYMENTS = "payments"


class Stage(StrEnum):
    NEW = "new"
    OPEN = "open"
    NEGOTIATING = "negotiating"
    WON = "won"
    LOST = "lost"


KindArgument = Annotated[Kind, typer.Argument(help="What kind of records.")]
StageArgument = Annotated[Stage, typer.Argument(help="The stage to move it to.")]


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""
    group = typer.Typer(no_args_is_help=True, help="Accounts, people, deals: search, look, move, export.")
    app.add_typer(group, name="crm")
    _reading(group, connect)
    _changing(group, connect)
    reviews = typer.Typer(no_args_is_help=True, help="Likely duplicates: look, merge, keep apart, undo.")
    app.add_typer(reviews, name="reviews")
    _reviews(reviews, connect)

    @command(app, connect)
    def cancel(
        here: Session, import_id: Annotated[str, typer.Argument(metavar="IMPORT", help="Id of the import.")]
    ) -> None:
        """Stop an import that is not written yet; nothing of it is kept."""
        reply = here.client.post(f"/targeting/imports/{import_id}/cancel", {})
        here.out.result(reply)
        here.out.say(Sentence("The import stops; nothing of it is kept.", "يتوقف الاستيراد ولا يُحفظ منه شيء."))


def _reading(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def search(
        here: Session,
        words: Annotated[
            str, typer.Argument(help="Words, a number, an address; hamza and diacritics make no difference.")
        ],
        limit: LimitOption = 20,
    ) -> None:
        """Find records by their words."""
        found = here.client.get("/search", q=words, limit=min(limit, 50))
        here.out.result(found)
        show_items(here.out, found["items"], FOUND, NOTHING_FOUND)

    @command(group, connect, "list")
    def list_(
        here: Session,
        kind: KindArgument,
        query: Annotated[str | None, typer.Option("--query", "-q", help="Words that the records hold.")] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """Records of a kind, newest first."""
        listing(here, f"/{kind.value}", RECORDS, NO_RECORDS, limit=limit, cursor=cursor, q=query)

    @command(group, connect)
    def show(here: Session, kind: KindArgument, id: IdArgument) -> None:
        """A record with all that happened with it."""
        record = here.client.get(f"/{kind.value}/{id}")
        happened = here.client.get(f"/{kind.value}/{id}/timeline")["items"]
        here.out.result({"record": record, "timeline": happened})
        known = [(name, plain(value)) for name, value in record.items() if value not in (None, "", {}, [])]
        here.out.show(table(here.out.lang, [("field", "الحقل"), ("value", "القيمة")], known))
        show_items(here.out, happened, HAPPENED)

    @command(group, connect)
    def export(
        here: Session,
        to: Annotated[Path, typer.Option("--output", "-o", help="The zip file to write.")] = Path("dealix-export.zip"),
    ) -> None:
        """Everything the tenant keeps, as JSON Lines and CSV in one zip."""
        content = here.client.raw("/export")
        write_bytes(to, content)
        here.out.result({"file": str(to), "bytes": len(content)})
        here.out.say(Sentence(f"Written to {to}.", f"حُفظت في {to}."))


def _changing(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def move(
        here: Session,
        deal: IdArgument,
        stage: StageArgument,
        reason: Annotated[
            str, typer.Option("--reason", help="Why: needed when a deal is lost, reopened or moved back.")
        ] = "",
    ) -> None:
        """Move a deal to another stage."""
        reply = here.client.post(f"/deals/{deal}/move", {"stage": stage.value, "reason": reason})
        here.out.result(reply)
        here.out.say(Sentence(f"The deal is at: {reply['stage']}.", f"مرحلة الصفقة الآن: {reply['stage']}."))


def _reviews(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(here: Session, limit: LimitOption = 20, cursor: CursorOption = None) -> None:
        """Pairs of records that are probably the same, the longest waiting first."""
        listing(here, "/targeting/reviews", REVIEWS, NO_REVIEWS, limit=limit, cursor=cursor)

    @command(group, connect)
    def merge(
        here: Session,
        review: IdArgument,
        keep: Annotated[
            str | None, typer.Option("--keep", help="Id of the record to keep (default: the older).")
        ] = None,
    ) -> None:
        """Merge the two records into one; `dealix reviews undo` takes it back."""
        body = {"decision": "merge", **({"keep_id": keep} if keep else {})}
        reply = here.client.post(f"/targeting/reviews/{review}/decision", body)
        here.out.result(reply)
        merge_id = reply["merge_id"]
        here.out.say(
            Sentence(
                f"Merged. To undo: dealix reviews undo {merge_id}", f"تم الدمج. للتراجع: dealix reviews undo {merge_id}"
            )
        )

    @command(group, connect)
    def apart(here: Session, review: IdArgument) -> None:
        """Keep the two records apart; they are not suggested again."""
        reply = here.client.post(f"/targeting/reviews/{review}/decision", {"decision": "apart"})
        here.out.result(reply)
        here.out.say(Sentence("They stay two.", "يبقيان سجلين."))

    @command(group, connect)
    def undo(here: Session, merge: Annotated[str, typer.Argument(metavar="MERGE", help="Id of the merge.")]) -> None:
        """Take a merge back."""
        reply = here.client.post(f"/merges/{merge}/undo", {})
        here.out.result(reply)
        here.out.say(Sentence("They are two again.", "عاد السجلان منفصلين."))


def _title(record: Mapping[str, Any]) -> str:
    names: Iterable[str] = ("full_name", "name_ar", "name", "subject", "title", "email", "phone")
    return plain(next((record[name] for name in names if record.get(name)), record.get("id", "")))


def _note(record: Mapping[str, Any]) -> str:
    return " · ".join(str(record[name]) for name in ("stage", "status", "city", "phone", "email") if record.get(name))
