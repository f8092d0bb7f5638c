"""`dealix rights` and `dealix registers`: what people may ask for, and the registers a controller keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dev.commands.common import (
    BadInput,
    BaseUrlOption,
    Connect,
    DataDirOption,
    LimitOption,
    read_json_input,
    write_bytes,
)
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import facts, plain, table, when

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
    @group.command("list")
    def list_(
        state: Annotated[
            str | None, typer.Option("--state", help="received, identified, working, completed or refused.")
        ] = None,
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Requests, the newest first."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.items("/rights-requests", limit, state=state)
        out.result({"items": found})
        headings = [("request", "الطلب"), ("right", "الحق"), ("state", "الحالة"), ("due", "الموعد"), ("late", "متأخر")]
        rows = [
            [plain(r["request_id"]), plain(r["kind"]), plain(r["state"]), when(r["due_at"]), "!" if r["late"] else ""]
            for r in found
        ]
        out.show(table(out.lang, headings, rows, whole=[0]))

    @group.command()
    def show(
        request_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One request with its steps, and what each plane has to do for it."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _shown(out, client.get(f"/rights-requests/{request_id}"))

    @group.command("open")
    def open_(
        kind: Annotated[str, typer.Argument(help="access, correction, erasure, portability or objection.")],
        contact: Annotated[str, typer.Option("--contact", metavar="ID", help="The contact.")],
        identifier: Annotated[str, typer.Option("--from", help="The address or number under which it came.")],
        details: Annotated[str, typer.Option("--details", help="What was asked.")] = "",
        received: Annotated[
            str | None, typer.Option("--received", help="When it came, with its zone (default: now).")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Record a request; thirty days run from when it was received."""
        out = output(lang, as_json)
        body = {
            "kind": kind,
            "contact_id": contact,
            "identifier": identifier,
            "details": details,
            "received_at": received,
        }
        with connect(out, base_url, data_dir) as client:
            _shown(out, client.post("/rights-requests", {k: v for k, v in body.items() if v is not None}))


def _answers(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def identify(
        request_id: IdArgument,
        method: Annotated[str, typer.Option("--method", help="How the identity was checked.")],
        evidence: Annotated[str, typer.Option("--evidence", help="Where the evidence of that is.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The identity was checked. An objection takes effect with this."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            body = {"method": method, "evidence": evidence}
            _shown(out, client.post(f"/rights-requests/{request_id}/identify", body))

    @group.command()
    def extend(
        request_id: IdArgument,
        reason: Annotated[str, typer.Option("--reason", help="Why; the person was told.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Thirty more days, once, before the first term ends."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _shown(out, client.post(f"/rights-requests/{request_id}/extend", {"reason": reason}))

    @group.command()
    def close(
        request_id: IdArgument,
        note: Annotated[str, typer.Option("--note", help="What was done, or why not.")],
        refused: Annotated[bool, typer.Option("--refused", help="The request is refused.")] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Answer a request: done, or refused with the ground for it."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            _shown(out, client.post(f"/rights-requests/{request_id}/close", {"note": note, "refused": refused}))

    @group.command()
    def export(
        request_id: IdArgument,
        file: Annotated[Path, typer.Option("-o", "--output", help="Where to write it.")],
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Everything every plane holds about the person, as JSON."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/rights-requests/{request_id}/export", timeout=60.0)
        write_bytes(file, json.dumps(found, ensure_ascii=False, indent=2).encode())
        out.result({"file": str(file)})
        out.say(Sentence(f"Written to {file}.", f"كُتب في {file}."))

    @group.command()
    def erase(
        request_id: IdArgument,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        alone: Annotated[
            bool, typer.Option("--alone", help="You also checked the identity: prove who you are again.")
        ] = False,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Erase the person in every plane. It cannot be undone."""
        import getpass

        out = output(lang, as_json)
        if not yes:
            question = Sentence("Erase this person for good?", "أتمحو بيانات هذا الشخص نهائيًا؟")
            out.ask(question, otherwise="--yes")
        body = {"password": getpass.getpass(out.text("Your password: ", "كلمة مرورك: "))} if alone else {}
        with connect(out, base_url, data_dir) as client:
            _shown(out, client.post(f"/rights-requests/{request_id}/erase", body))


def _registers(group: typer.Typer, connect: Connect) -> None:
    @group.command("list")
    def list_(
        kind: Annotated[
            str | None, typer.Argument(help="Which register; without it, all registers with their fields.")
        ] = None,
        limit: LimitOption = 50,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """The registers, or the entries of one."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            known = client.get("/registers")["items"]
            found = client.items(f"/registers/{kind}", limit) if kind else []
        if kind is None:
            out.result({"items": known})
            rows = [[plain(r["key"]), plain(r[out.lang]), ", ".join(r["required"])] for r in known]
            out.show(table(out.lang, [("register", "السجل"), ("name", "الاسم"), ("must be filled", "المطلوب")], rows))
            return
        out.result({"items": found})
        title = next((r["title"] for r in known if r["key"] == kind), "")
        headings = [
            ("entry", "القيد"),
            ("title", "العنوان"),
            ("version", "الإصدار"),
            ("changed", "عُدّل"),
            ("due", "الموعد"),
            ("late", "متأخر"),
        ]
        entries = [
            [plain(e["entry_id"]), plain(e["values"].get(title)), plain(e["version"]), when(e["changed_at"]), when(e["due_at"]),
             "!" if e["late"] else ""]
            for e in found
        ]  # fmt: skip
        out.show(table(out.lang, headings, entries, whole=[0]))

    @group.command()
    def put(
        kind: Annotated[str, typer.Argument(help="Which register.")],
        file: Annotated[str, typer.Argument(metavar="FILE", help="JSON with the fields; - reads standard input.")],
        entry_id: Annotated[
            str | None, typer.Option("--entry", metavar="ID", help="Change this entry; without it, add one.")
        ] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Add an entry to a register, or change one."""
        out = output(lang, as_json)
        values = read_json_input(file)
        if not isinstance(values, dict):
            raise BadInput("An entry is a JSON object.", "القيد كائن JSON.")
        with connect(out, base_url, data_dir) as client:
            if entry_id is None:
                done = client.post(f"/registers/{kind}", {"values": values})
            else:
                version = client.get(f"/registers/{kind}/{entry_id}")["version"]
                done = client.put(f"/registers/{kind}/{entry_id}", {"values": values}, version=version)
        out.result(done)
        out.say(
            Sentence(
                f"Entry {plain(done['entry_id'])}, version {done['version']}.",
                f"القيد {plain(done['entry_id'])}، الإصدار {done['version']}.",
            )
        )


def _shown(out: Output, found: dict[str, Any]) -> None:
    out.result(found)
    ar = out.lang == "ar"
    out.show(
        facts(
            [
                ("الطلب" if ar else "request", plain(found["request_id"])), ("الحق" if ar else "right", plain(found["kind"])),
                ("الحالة" if ar else "state", plain(found["state"])), ("استُلم" if ar else "received", when(found["received_at"])),
                ("الموعد" if ar else "due", when(found["due_at"])),
            ]
        )
    )  # fmt: skip
    if steps := found.get("steps"):
        rows = [[when(s["at"]), plain(s["step"]), plain(s["actor"]), plain(s["note"])] for s in steps]
        out.show(table(out.lang, [("time", "الوقت"), ("step", "الخطوة"), ("by", "من"), ("note", "ملاحظة")], rows))
    if tasks := found.get("tasks"):
        done = [
            [plain(t["plane"]), when(t["done_at"]), ", ".join(f"{k} {v}" for k, v in t["counts"].items())]
            for t in tasks
        ]
        out.show(table(out.lang, [("plane", "المستوى"), ("done", "أُنجز"), ("what", "ما مُحي")], done))
