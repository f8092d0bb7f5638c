"""`dealix crm …`, `reviews …`, `cancel`: records with their history, deals that move, likely duplicates, and stopping an import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dev.commands.common import BaseUrlOption, Connect, DataDirOption, LimitOption, write_bytes
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, output
from dev.terminal import plain, table, when

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


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the commands to the application."""
    group = typer.Typer(no_args_is_help=True, help="Accounts, people, deals: search, look, move, export.")
    app.add_typer(group, name="crm")
    _reading(group, connect)
    _changing(group, connect)
    reviews = typer.Typer(no_args_is_help=True, help="Likely duplicates: look, merge, keep apart, undo.")
    app.add_typer(reviews, name="reviews")
    _reviews(reviews, connect)

    @app.command()
    def cancel(
        import_id: Annotated[str, typer.Argument(metavar="IMPORT", help="Id of the import.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Stop an import that is not written yet; nothing of it is kept."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            reply = client.post(f"/targeting/imports/{import_id}/cancel", {})
        out.result(reply)
        out.say(Sentence("The import stops; nothing of it is kept.", "يتوقف الاستيراد ولا يُحفظ منه شيء."))


def _reading(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def search(
        words: Annotated[
            str, typer.Argument(help="Words, a number, an address; hamza and diacritics make no difference.")
        ],
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Find records by their words."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/search", q=words, limit=min(limit, 50))
        out.result(found)
        if not found["items"]:
            out.say(Sentence("Nothing matches.", "لا نتيجة مطابقة."))
            return
        headings = [("kind", "النوع"), ("title", "الاسم"), ("", ""), ("id", "المعرّف")]
        out.show(table(out.lang, headings, [(plain(h["kind"]), plain(h["title"]), plain(h["subtitle"]), plain(h["id"])) for h in found["items"]], whole=[3]))  # fmt: skip

    @group.command("list")
    def list_(
        kind: Kind,
        query: Annotated[str | None, typer.Option("--query", "-q", help="Words that the records hold.")] = None,
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Records of a kind, newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items(f"/{kind.value}", limit, q=query)
        out.result({"items": items})
        out.show(table(out.lang, [("name", "الاسم"), ("", ""), ("id", "المعرّف")], [(_title(r), plain(_note(r)), plain(r["id"])) for r in items], whole=[2]))  # fmt: skip

    @group.command()
    def show(
        kind: Kind,
        id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """A record with all that happened with it."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            record = client.get(f"/{kind.value}/{id}")
            happened = client.get(f"/{kind.value}/{id}/timeline")["items"]
        out.result({"record": record, "timeline": happened})
        known = [(name, plain(value)) for name, value in record.items() if value not in (None, "", {}, [])]
        out.show(table(out.lang, [("field", "الحقل"), ("value", "القيمة")], known))
        rows = [(when(h["at"]), plain(h["what"]), plain(h["title"]), plain(h["actor"])) for h in happened]
        out.show(table(out.lang, [("when", "الوقت"), ("what", "الحدث"), ("", ""), ("who", "من")], rows))

    @group.command()
    def export(
        to: Annotated[Path, typer.Option("--output", "-o", help="The zip file to write.")] = Path("dealix-export.zip"),
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Everything the tenant keeps, as JSON Lines and CSV in one zip."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            content = client.raw("/export")
        write_bytes(to, content)
        out.result({"file": str(to), "bytes": len(content)})
        out.say(Sentence(f"Written to {to}.", f"حُفظت في {to}."))


def _changing(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def move(
        deal: IdArgument,
        stage: Stage,
        reason: Annotated[
            str, typer.Option("--reason", help="Why: needed when a deal is lost, reopened or moved back.")
        ] = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Move a deal to another stage."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            reply = client.post(f"/deals/{deal}/move", {"stage": stage.value, "reason": reason})
        out.result(reply)
        out.say(Sentence(f"The deal is at: {reply['stage']}.", f"مرحلة الصفقة الآن: {reply['stage']}."))


def _reviews(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def list_(
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Pairs that are probably one, the longest waiting first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            items = client.items("/targeting/reviews", limit)
        out.result({"items": items})
        if not items:
            out.say(Sentence("Nothing waits for a decision.", "لا شيء بانتظار قرار."))
            return
        why = "why_ar" if out.lang == "ar" else "why_en"
        rows = [
            (
                _title(r["left"]),
                _title(r["right"]),
                f"{r['score']:.0f}",
                plain("، ".join(r[why])),
                plain(r["review_id"]),
            )
            for r in items
        ]
        headings = [
            ("first", "الأول"),
            ("second", "الثاني"),
            ("alike", "التشابه"),
            ("why", "السبب"),
            ("review", "المعرّف"),
        ]
        out.show(table(out.lang, headings, rows, whole=[4]))

    @group.command()
    def merge(
        review: IdArgument,
        keep: Annotated[
            str | None, typer.Option("--keep", help="Id of the record to keep (default: the older).")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Make the two one; `dealix reviews undo` takes it back."""
        out = output(lang, as_json)
        body = {"decision": "merge", **({"keep_id": keep} if keep else {})}
        with connect(out, base_url, data_dir) as client:
            reply = client.post(f"/targeting/reviews/{review}/decision", body)
        out.result(reply)
        merge_id = reply["merge_id"]
        out.say(
            Sentence(
                f"Merged. To undo: dealix reviews undo {merge_id}", f"تم الدمج. للتراجع: dealix reviews undo {merge_id}"
            )
        )

    @group.command()
    def apart(
        review: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Remember that they are two."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            reply = client.post(f"/targeting/reviews/{review}/decision", {"decision": "apart"})
        out.result(reply)
        out.say(Sentence("They stay two.", "يبقيان سجلين."))

    @group.command()
    def undo(
        merge: Annotated[str, typer.Argument(metavar="MERGE", help="Id of the merge.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Take a merge back."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            reply = client.post(f"/merges/{merge}/undo", {})
        out.result(reply)
        out.say(Sentence("They are two again.", "عاد السجلان منفصلين."))


def _title(record: Mapping[str, Any]) -> str:
    names: Iterable[str] = ("full_name", "name_ar", "name", "subject", "title", "email", "phone")
    return plain(next((record[name] for name in names if record.get(name)), record.get("id", "")))


def _note(record: Mapping[str, Any]) -> str:
    return " · ".join(str(record[name]) for name in ("stage", "status", "city", "phone", "email") if record.get(name))
