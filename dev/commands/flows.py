"""`dealix flows`: start, look, signal, and put right what stopped."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any

import typer

from dev.commands.common import BadInput, BaseUrlOption, Connect, DataDirOption, LimitOption, read_json_input
from dev.messages import Sentence
from dev.output import JsonOption, LangOption, Output, output
from dev.terminal import facts, plain, table, toned, when

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the flow.")]
NoteOption = Annotated[str, typer.Option("--note", help="Why; it stays in the history.")]
STATUS = {
    "running": "قيد التنفيذ", "paused": "متوقف مؤقتًا", "failed": "متعثّر", "rolling_back": "قيد التراجع", "needs_attention": "يحتاج تدخلًا",
    "completed": "مكتمل", "cancelled": "ملغى", "rolled_back": "تم التراجع عنه",
}  # fmt: skip
TONE = {
    "completed": "ok",
    "failed": "failed",
    "needs_attention": "failed",
    "rolling_back": "pending",
    "paused": "pending",
}
MOST = 1000
KIND = {
    "action": ("action", "إجراء"), "signal": ("signal", "إشارة"), "timer": ("time", "وقت"), "child": ("child flow", "مسار فرعي"),
    "agent": ("agent", "وكيل"), "person": ("person", "شخص"),
}  # fmt: skip
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
    @group.command("list")
    def list_(
        flow: Annotated[str | None, typer.Option("--flow", help="Only flows of this name.")] = None,
        status: Annotated[str | None, typer.Option("--status", help="Only flows in this status.")] = None,
        limit: LimitOption = 20,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Flows, newest first."""
        out = output(lang, as_json)
        if status is not None and status not in STATUS:
            known = ", ".join(STATUS)
            raise BadInput(
                f"There is no status {status}; choose one of {known}.", f"لا توجد حالة {status}؛ اختر من: {known}."
            )
        with connect(out, base_url, data_dir) as client:
            found = client.items("/flows", limit, flow=flow, status=status)
        out.result({"items": found})
        headings = [
            ("id", "المعرّف"),
            ("flow", "المسار"),
            ("status", "الحالة"),
            ("waits for", "ينتظر"),
            ("changed", "آخر تغيّر"),
        ]
        rows = [
            (one["flow_id"], f"{one['flow']}@{one['version']}", _status(out, one), _waits(out, one), when(one["updated_at"])) for one in found
        ]  # fmt: skip
        if rows:
            out.show(table(out.lang, headings, rows, whole=(0,)))
        else:
            out.say(Sentence("No flows.", "لا توجد مسارات."))

    @group.command()
    def kinds(
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """What can be started."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get("/flows/kinds")
        out.result(found)
        headings = [("flow", "المسار"), ("horizon", "المدى"), ("title", "العنوان"), ("input", "المدخلات")]
        rows = [
            (f"{one['flow']}@{one['version']}", one["horizon"], one["title"][out.lang], ", ".join(one["input_schema"].get("properties", {})))
            for one in found["items"]
        ]  # fmt: skip
        out.show(table(out.lang, headings, rows, whole=(0,)))

    @group.command()
    def show(
        flow_id: IdArgument,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """One flow: where it stands, its history, and how its steps are undone."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.get(f"/flows/{flow_id}")
            history = client.items(f"/flows/{flow_id}/revisions", 1000)
        out.result({**found, "revisions": history})
        _flow(out, found)
        headings = [("#", "#"), ("at", "متى"), ("what", "ما حدث"), ("step", "الخطوة"), ("by", "من")]
        rows = [
            (
                str(one["seq"]),
                when(one["at"], seconds=True),
                one["note"],
                _step(out, found, one["step"]),
                plain(one["by"]),
            )
            for one in history
        ]
        out.show(table(out.lang, headings, rows, numbers=(0,)))


def _starting(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def start(
        flow: Annotated[str, typer.Argument(metavar="FLOW", help="Name of the flow, as `dealix flows kinds` lists it.")],
        file: Annotated[str | None, typer.Option("--input", metavar="FILE", help="JSON; - reads standard input.")] = None,
        each: Annotated[str | None, typer.Option("--each", metavar="FILE", help="A JSON array of inputs: a flow for each.")] = None,
        key: Annotated[str | None, typer.Option("--idempotency-key", help="The same key gives the same flow.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Start a flow, or with --each up to 1,000 at once."""
        out = output(lang, as_json)
        if each is not None:
            if file is not None:
                raise BadInput("Give --input or --each, not both.", "استخدم ‎--input أو ‎--each وليس كليهما.")
            inputs = _inputs(each)
            body = {"items": [{"flow": flow, "input": one} for one in inputs]}
            with connect(out, base_url, data_dir) as client:
                found = client.post("/flows", body, key=key or str(uuid.uuid4()))
            out.result(found)
            _many(out, found["items"])
            return
        given = read_json_input(file) if file is not None else {}
        with connect(out, base_url, data_dir) as client:
            found = client.post("/flows", {"flow": flow, "input": given}, key=key or str(uuid.uuid4()))
        out.result(found)
        _flow(out, found)

    @group.command()
    def signal(
        flow_id: IdArgument,
        name: Annotated[str, typer.Argument(metavar="NAME", help="What the flow waits for.")],
        payload: Annotated[str, typer.Option("--payload", metavar="JSON", help="A JSON object.")] = "{}",
        key: Annotated[str | None, typer.Option("--idempotency-key", help="The same key counts once.")] = None,
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Tell a flow something."""
        out = output(lang, as_json)
        body = {"payload": _object(payload)}
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/flows/{flow_id}/signal/{name}", body, key=key or str(uuid.uuid4()))
        out.result(found)
        _flow(out, found)


def _inputs(file: str) -> list[dict[str, Any]]:
    """Raises BadInput for anything but one to a thousand JSON objects in an array."""
    found = read_json_input(file)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found) or not 0 < len(found) <= MOST:
        raise BadInput(
            f"{file} must hold a JSON array of 1 to {MOST} objects, one input each.",
            f"يجب أن يحتوي {file} مصفوفة JSON من 1 إلى {MOST} كائن، لكل مسار مدخلاته.",
        )
    return found


def _many(out: Output, items: list[dict[str, Any]]) -> None:
    """What became of each; ends the program with 1 where one was refused."""
    refused = [(str(at), one["error"]["code"], one["error"][out.lang]) for at, one in enumerate(items) if one["error"]]
    started = len(items) - len(refused)
    out.say(Sentence(f"Started {started} of {len(items)} flows.", f"بدأ {started} من {len(items)} مسارات."))
    if refused:
        headings = [("#", "#"), ("code", "الرمز"), ("why", "السبب")]
        out.show(table(out.lang, headings, refused, numbers=(0,)))
        raise typer.Exit(1)


def _verb(group: typer.Typer, connect: Connect, verb: str, help_: str) -> None:
    @group.command(verb, help=help_)
    def run(
        flow_id: IdArgument,
        note: NoteOption = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/flows/{flow_id}/{verb}", {"note": note}, key=str(uuid.uuid4()))
        out.result(found)
        _flow(out, found)


def _at_a_step(group: typer.Typer, connect: Connect) -> None:
    @group.command()
    def skip(
        flow_id: IdArgument,
        step: Annotated[str | None, typer.Option("--step", help="Which; the one that failed without it.")] = None,
        note: NoteOption = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Ask to let a step pass without its effect; an approver decides."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/flows/{flow_id}/skip", {"step": step, "note": note}, key=str(uuid.uuid4()))
        out.result(found)
        out.say(Sentence("An approver decides about it.", "ينتظر التجاوز قرار المعتمِد."))

    @group.command()
    def fork(
        flow_id: IdArgument,
        step: Annotated[str, typer.Option("--from", metavar="STEP", help="The step to begin from.")],
        note: NoteOption = "",
        base_url: BaseUrlOption = None,
        data_dir: DataDirOption = None,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """A new flow from where a step of this one began."""
        out = output(lang, as_json)
        with connect(out, base_url, data_dir) as client:
            found = client.post(f"/flows/{flow_id}/fork", {"step": step, "note": note}, key=str(uuid.uuid4()))
        out.result(found)
        _flow(out, found)


def _flow(out: Output, one: dict[str, Any]) -> None:
    error = one.get("error") or {}
    shown = [
        (("flow", "المسار"), plain(f"{one['flow']}@{one['version']}")), (("id", "المعرّف"), plain(one["flow_id"])),
        (("status", "الحالة"), _status(out, one)), (("waits for", "ينتظر"), _waits(out, one)),
        (("error", "الخطأ"), plain(error.get("ar" if out.lang == "ar" else "en", ""))),
        (("undo", "التراجع"), plain(", ".join(f"{_step(out, one, c['step'])}: {c['state']}" for c in one["compensations"]))),
    ]  # fmt: skip
    out.show(facts([(ar if out.lang == "ar" else en, value) for (en, ar), value in shown if str(value)]))


def _step(out: Output, one: dict[str, Any], step: str) -> str:
    from libs.contracts.catalogue.flows import step_title  # pydantic: too slow for commands that show no flow

    return plain(step_title(one["flow"], step).model_dump()[out.lang]) if step else ""


def _status(out: Output, one: dict[str, Any]) -> Any:
    word = STATUS.get(one["status"], one["status"]) if out.lang == "ar" else one["status"].replace("_", " ")
    return toned(word, TONE.get(one["status"], ""))


def _waits(out: Output, one: dict[str, Any]) -> str:
    told = []
    for wait in one["waits"]:
        en, ar = KIND[wait["kind"]]
        until = f" ← {when(wait['until'])}" if wait.get("until") else ""
        told.append(
            f"{_step(out, one, wait['step'])} ({ar if out.lang == 'ar' else en}{': ' + wait['signal'] if wait.get('signal') else ''}){until}"
        )
    return plain("; ".join(told))


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(
            f"--payload is not JSON: {error.msg}.", f"قيمة --payload ليست JSON صحيحًا: {error.msg}."
        ) from error
    if not isinstance(found, dict):
        raise BadInput("--payload must be a JSON object.", "يجب أن تكون قيمة --payload كائن JSON.")
    return found
