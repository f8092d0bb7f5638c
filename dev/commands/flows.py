"""`dealix flows`: start, look, signal, and put right what stopped."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, Connect, LimitOption, json_object, read_json_input
from dev.commands.listing import Column, CursorOption, Json, in_language, listing, moment, named, show_items, show_one
from dev.commands.session import Session, command
from dev.messages import Lang, Sentence
from dev.output import Output
from dev.terminal import plain, table, when
from dev.words import word, words

TONE = {
    "completed": "ok",
    "failed": "failed",
    "needs_attention": "failed",
    "rolling_back": "pending",
    "paused": "pending",
}
FLOWS = (
    Column("id", "المعرّف", "flow_id", whole=True),
    Column("flow", "المسار", lambda one, _: plain(f"{one['flow']}@{one['version']}")),
    Column("status", "الحالة", named("flow_status", "status", TONE)),
    Column("waits for", "ينتظر", lambda one, lang: _waits(one, lang)),
    Column("changed", "آخر تغيّر", moment("updated_at")),
)
ONE = (
    *FLOWS,
    Column("error", "الخطأ", in_language("error")),
    Column("undo", "التراجع", lambda one, lang: _undo(one, lang)),
)
NO_FLOWS = Sentence("No flows.", "لا توجد مسارات.")
KINDS = (
    Column("flow", "المسار", lambda one, _: plain(f"{one['flow']}@{one['version']}"), whole=True),
    Column("horizon", "المدى", "horizon"),
    Column("title", "العنوان", in_language("title")),
    Column("input", "المدخلات", lambda one, _: plain(", ".join(one["input_schema"].get("properties", {})))),
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the flow.")]
NoteOption = Annotated[str, typer.Option("--note", help="Why; it stays in the history.")]
MOST = 1000
VERBS = {
    "pause": "Hold a flow where it stands.", "resume": "Let a held flow go on.", "cancel": "End a flow and undo nothing.",
    "rollback": "Undo what was done, in reverse, each step as a governed action.", "retry": "Try what failed once more.",
    "migrate": "Bring a waiting flow to the newest version.",
}  # fmt: skip


def register(app: typer.Typer, connect: Connect) -> None:
    """Add the group to the application."""
    group = typer.Typer(help="Durable flows: start, follow, signal, put right.", no_args_is_help=True)
    app.add_typer(group, name="flows")
    _looking(group, connect)
    _starting(group, connect)
    for verb, help_ in VERBS.items():
        _verb(group, connect, verb, help_)
    _at_a_step(group, connect)


def _looking(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect, "list")
    def list_(
        here: Session,
        flow: Annotated[str | None, typer.Option("--flow", help="Only flows of this name.")] = None,
        status: Annotated[str | None, typer.Option("--status", help="Only flows in this status.")] = None,
        limit: LimitOption = 20,
        cursor: CursorOption = None,
    ) -> None:
        """Flows, newest first."""
        if status is not None and status not in words()["flow_status"]:
            known = ", ".join(words()["flow_status"])
            raise BadInput(
                f"There is no status {status}; choose one of {known}.", f"لا توجد حالة {status}؛ اختر من: {known}."
            )
        listing(here, "/flows", FLOWS, NO_FLOWS, limit=limit, cursor=cursor, flow=flow, status=status)

    @command(group, connect)
    def kinds(here: Session) -> None:
        """What can be started."""
        found = here.client.get("/flows/kinds")
        here.out.result(found)
        show_items(here.out, found["items"], KINDS)

    @command(group, connect)
    def show(here: Session, flow_id: IdArgument) -> None:
        """One flow: where it stands, its history, and how its steps are undone."""
        found = here.client.get(f"/flows/{flow_id}")
        history = here.client.items(f"/flows/{flow_id}/revisions", 1000)
        here.out.result({**found, "revisions": history})
        show_one(here.out, found, ONE)
        steps = (
            Column("#", "#", "seq", number=True),
            Column("at", "متى", moment("at", seconds=True)),
            Column("what", "ما حدث", "note"),
            Column("step", "الخطوة", lambda one, lang: _step(found, one["step"], lang)),
            Column("by", "من", "by"),
        )
        show_items(here.out, history, steps)


def _starting(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def start(
        here: Session,
        flow: Annotated[str, typer.Argument(metavar="FLOW", help="Name of the flow, as `dealix flows kinds` lists it.")],
        file: Annotated[str | None, typer.Option("--input", metavar="FILE", help="JSON; - reads standard input.")] = None,
        each: Annotated[str | None, typer.Option("--each", metavar="FILE", help="A JSON array of inputs: a flow for each.")] = None,
        key: Annotated[str | None, typer.Option("--idempotency-key", help="The same key gives the same flow.")] = None,
    ) -> None:  # fmt: skip
        """Start a flow, or with --each up to 1,000 at once."""
        if each is not None:
            if file is not None:
                raise BadInput("Give --input or --each, not both.", "استخدم ‎--input أو ‎--each وليس كليهما.")
            inputs = _inputs(each)
            body = {"items": [{"flow": flow, "input": one} for one in inputs]}
            found = here.client.post("/flows", body, key=key or str(uuid.uuid4()))
            here.out.result(found)
            _many(here.out, found["items"])
            return
        given = read_json_input(file) if file is not None else {}
        found = here.client.post("/flows", {"flow": flow, "input": given}, key=key or str(uuid.uuid4()))
        here.out.result(found)
        show_one(here.out, found, ONE)

    @command(group, connect)
    def signal(
        here: Session,
        flow_id: IdArgument,
        name: Annotated[str, typer.Argument(metavar="NAME", help="What the flow waits for.")],
        payload: Annotated[str, typer.Option("--payload", metavar="JSON", help="A JSON object.")] = "{}",
        key: Annotated[str | None, typer.Option("--idempotency-key", help="The same key counts once.")] = None,
    ) -> None:
        """Tell a flow something."""
        body = {"payload": json_object(payload, "--payload")}
        found = here.client.post(f"/flows/{flow_id}/signal/{name}", body, key=key or str(uuid.uuid4()))
        here.out.result(found)
        show_one(here.out, found, ONE)


def _inputs(file: str) -> list[dict[str, Any]]:
    """Raises BadInput for anything but one to a thousand JSON objects in an array."""
    found = read_json_input(file)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found) or not 0 < len(found) <= MOST:
        raise BadInput(
            f"{file} must hold a JSON array of 1 to {MOST} objects, one input each.",
            f"يجب أن يحتوي {file} مصفوفة JSON فيها كائن لكل مسار، وعددها من 1 إلى {MOST}.",
        )
    return found


def _many(out: Output, items: list[dict[str, Any]]) -> None:
    """What became of each; ends the program with 1 where one was refused."""
    refused = [(str(at), one["error"]["code"], one["error"][out.lang]) for at, one in enumerate(items) if one["error"]]
    started = len(items) - len(refused)
    out.say(Sentence(f"Started {started} of {len(items)} flows.", f"المسارات التي بدأت: {started} من {len(items)}."))
    if refused:
        headings = [("#", "#"), ("code", "الرمز"), ("why", "السبب")]
        out.show(table(out.lang, headings, refused, numbers=(0,)))
        raise typer.Exit(1)


def _verb(group: typer.Typer, connect: Connect, verb: str, help_: str) -> None:
    @command(group, connect, verb, help=help_)
    def run(here: Session, flow_id: IdArgument, note: NoteOption = "") -> None:
        found = here.client.post(f"/flows/{flow_id}/{verb}", {"note": note}, key=str(uuid.uuid4()))
        here.out.result(found)
        show_one(here.out, found, ONE)


def _at_a_step(group: typer.Typer, connect: Connect) -> None:
    @command(group, connect)
    def skip(
        here: Session,
        flow_id: IdArgument,
        step: Annotated[str | None, typer.Option("--step", help="Which; the one that failed without it.")] = None,
        note: NoteOption = "",
    ) -> None:
        """Ask to let a step pass without its effect; an approver decides."""
        found = here.client.post(f"/flows/{flow_id}/skip", {"step": step, "note": note}, key=str(uuid.uuid4()))
        here.out.result(found)
        here.out.say(Sentence("An approver decides about it.", "ينتظر التجاوز قرار المعتمِد."))

    @command(group, connect)
    def fork(
        here: Session,
        flow_id: IdArgument,
        step: Annotated[str, typer.Option("--from", metavar="STEP", help="The step to begin from.")],
        note: NoteOption = "",
    ) -> None:
        """A new flow from where a step of this one began."""
        found = here.client.post(f"/flows/{flow_id}/fork", {"step": step, "note": note}, key=str(uuid.uuid4()))
        here.out.result(found)
        show_one(here.out, found, ONE)


def _undo(one: Json, lang: Lang) -> str:
    return plain(
        ", ".join(
            f"{_step(one, c['step'], lang)}: {word('compensation_state', c['state'], lang)}"
            for c in one["compensations"]
        )
    )


def _step(one: Json, step: str, lang: Lang) -> str:
    from libs.contracts.catalogue.flows import step_title  # pydantic: too slow for commands that show no flow

    return plain(step_title(one["flow"], step).model_dump()[lang]) if step else ""


def _waits(one: Json, lang: Lang) -> str:
    told = []
    for wait in one["waits"]:
        what = word("flow_wait", wait["kind"], lang) + (f": {wait['signal']}" if wait.get("signal") else "")
        until = f" {'حتى' if lang == 'ar' else 'until'} {when(wait['until'])}" if wait.get("until") else ""
        told.append(f"{_step(one, wait['step'], lang)} ({what}){until}")
    return plain("; ".join(told))
