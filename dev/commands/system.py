"""`dealix up`, `down`, `status`."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from dev.detach import Report, run_detached
from dev.directory import holder, open_directory, unusable
from dev.first_owner import first_owner, forget_password
from dev.logs import Terminal
from dev.messages import DealixError, Sentence, StartFailed
from dev.output import JsonOption, LangOption, Output, output
from dev.processes import belonging_to, sweep
from dev.settings import SystemSettings, load_settings, operator_environment
from dev.state import SystemState, read_state, ready_report
from dev.supervisor import Authorization, Plan, Prepare, Settle, no_settling, supervise

NOT_RUNNING_EXIT = 3
"""As of a service that is not running in the Linux Standard Base's init scripts."""
DOWN_SECONDS = 45.0

DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Directory of data, logs and secrets (default: .dealix).")
]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the system is made of: the real planes, or small ones in a test."""

    commands: Callable[[bool], Mapping[str, Sequence[str]]]
    """From `one_process` to the command of each process."""
    authorization: Authorization
    prepare: Prepare
    settle: Settle = no_settling


def register(app: typer.Typer, parts: Parts) -> None:
    """Add the commands to the application."""

    @app.command()
    def up(
        port: Annotated[
            # Text: a wrong one gets our sentence in the person's language, not a usage error.
            str | None, typer.Option("--port", metavar="INTEGER", help="Port of the console (default: 8080).")
        ] = None,
        data_dir: DataDirOption = None,
        one_process: Annotated[bool, typer.Option("--one-process", help="All planes in one process.")] = False,
        detach: Annotated[bool, typer.Option("--detach", help="Return when healthy; stop with `dealix down`.")] = False,
        lang: LangOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Start NATS, PostgreSQL and every plane; print the console address."""
        out = output(lang, as_json)
        operator = operator_environment()
        settings = load_settings(operator, http_port=port, data_dir=data_dir)
        settings = settings.model_copy(update={"data_dir": open_directory(settings.data_dir)})
        plan = Plan(settings, operator, parts.commands(one_process), parts.authorization, parts.prepare, parts.settle)
        if detach:
            _up_detached(plan, out)
        else:
            _up(plan, out)

    @app.command()
    def down(data_dir: DataDirOption = None, lang: LangOption = None, as_json: JsonOption = False) -> None:
        """Stop the system; succeeds as well when nothing runs."""
        out = output(lang, as_json)
        _down(_data_dir(data_dir), out)

    @app.command()
    def status(data_dir: DataDirOption = None, lang: LangOption = None, as_json: JsonOption = False) -> None:
        """List planes, versions, health and addresses; exit code 0 when healthy, 1 when not, 3 when nothing runs."""
        out = output(lang, as_json)
        raise typer.Exit(_status(_data_dir(data_dir), out))


def _data_dir(given: Path | None) -> Path:
    settings: SystemSettings = load_settings(operator_environment(), data_dir=given)
    path = settings.data_dir.expanduser().absolute()
    return path.resolve() if path.exists() else path


# -- up ----------------------------------------------------------------------------------------------------------


def _up(plan: Plan, out: Output) -> None:
    began = time.monotonic()

    def on_ready(state: SystemState, notes: Sequence[Sentence]) -> None:
        _announce(out, state.as_json(), notes, time.monotonic() - began)
        out.say(Sentence("Press Ctrl-C to stop.", "اضغط Ctrl-C للإيقاف."))

    terminal = Terminal()
    if out.as_json:
        terminal.close()
    asyncio.run(supervise(plan, terminal=terminal, on_progress=out.say, on_ready=on_ready))


def _up_detached(plan: Plan, out: Output) -> None:
    began = time.monotonic()

    def body(report: Report) -> None:
        def on_ready(state: SystemState, notes: Sequence[Sentence]) -> None:
            said = [{"en": note.en, "ar": note.ar} for note in notes]
            report({"ready": {"state": state.as_json(), "notes": said}})

        def on_progress(sentence: Sentence) -> None:
            report({"progress": {"en": sentence.en, "ar": sentence.ar}})

        asyncio.run(supervise(plan, terminal=Terminal(), on_progress=on_progress, on_ready=on_ready))

    ready = run_detached(plan.settings.data_dir / "logs" / "supervisor.log", body, out.say)
    _announce(out, ready["state"], [Sentence(**note) for note in ready["notes"]], time.monotonic() - began)


def _announce(out: Output, state: dict[str, Any], notes: Sequence[Sentence], seconds: float) -> None:
    for note in notes:
        out.say(note)
    out.say(
        Sentence(
            f"Dealix is ready after {seconds:.1f} s: {state['console']}",
            f"Dealix جاهز خلال {seconds:.1f} ث: {state['console']}",
        )
    )
    result = {**state, "notes": [note.text(out.lang) for note in notes]}
    data_dir = Path(state["data_dir"])
    if owner := first_owner(data_dir):
        out.say(owner.sentence())
        result["first_owner"] = {"email": owner.email, "password": owner.password}
    out.result(result)
    if owner:
        forget_password(data_dir)


# -- down --------------------------------------------------------------------------------------------------------


def _down(data_dir: Path, out: Output) -> None:
    try:
        pid = holder(data_dir)
        if pid is None:
            left = asyncio.run(sweep(lambda: belonging_to(data_dir)))
            _say_not_running(data_dir, out, left)
            return
        _terminate(pid, data_dir)
    except OSError as error:
        raise unusable(data_dir, error) from error
    out.say(Sentence("Dealix is stopped.", "توقّف Dealix."))
    out.result({"state": "stopped", "data_dir": str(data_dir), "was_running": True})


def _say_not_running(data_dir: Path, out: Output, left: list[int]) -> None:
    if left:
        out.say(
            Sentence(
                f"Dealix is not running on {data_dir}; {len(left)} leftover processes were ended.",
                f"Dealix لا يعمل على {data_dir}؛ أُنهيت العمليات المتبقية وعددها {len(left)}.",
            )
        )
    else:
        out.say(
            Sentence(
                f"Dealix is not running on {data_dir}; there is nothing to stop.",
                f"Dealix لا يعمل على {data_dir}؛ لا شيء لإيقافه.",
            )
        )
    out.result({"state": "stopped", "data_dir": str(data_dir), "was_running": False})


def _terminate(pid: int, data_dir: Path) -> None:
    """SIGTERM to the supervisor, wait until it lets go of the lock; SIGKILL when it does not."""
    for sig, patience in ((signal.SIGTERM, DOWN_SECONDS), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass  # it ended meanwhile, or runs in another container: the lock tells
        except PermissionError as error:
            raise DealixError(
                f"Dealix runs under another account (process {pid}); run `dealix down` under that account.",
                f"يعمل Dealix بحساب آخر (العملية {pid})؛ نفّذ dealix down بذلك الحساب.",
            ) from error
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if holder(data_dir) is None:
                asyncio.run(sweep(lambda: belonging_to(data_dir)))
                return
            time.sleep(0.02)
    raise StartFailed(
        f"Process {pid} still holds {data_dir}; if it runs in another container, stop it there.",
        f"ما زالت العملية {pid} تستخدم {data_dir}؛ إن كانت في حاوية أخرى فأوقفها من هناك.",
    )


# -- status ------------------------------------------------------------------------------------------------------


def _status(data_dir: Path, out: Output) -> int:
    try:
        state = read_state(data_dir)
    except OSError as error:
        raise unusable(data_dir, error) from error
    if state.pid is None:
        out.result({**state.as_json(), "healthy": False, "readyz": None})
        out.say(
            Sentence(
                f"Dealix is not running on {data_dir}; start it with `dealix up`.",
                f"Dealix لا يعمل على {data_dir}؛ شغّله بالأمر dealix up.",
            )
        )
        return NOT_RUNNING_EXIT
    report = ready_report(state.console) if state.console else {"status": None, "body": None}
    healthy = state.state == "ready" and report["status"] == 200
    out.result({**state.as_json(), "healthy": healthy, "readyz": report})
    if not out.as_json:
        out.console().print(_table(state, out))
        out.say(_verdict(state, healthy, report["status"]))
    return 0 if healthy else 1


def _table(state: SystemState, out: Output) -> Table:
    headings = (
        ("العملية", "الحالة", "الإصدار", "pid", "إعادة التشغيل", "العنوان")
        if out.lang == "ar"
        else ("process", "health", "version", "pid", "restarts", "address")
    )
    table = Table(*headings[:-1])
    table.add_column(headings[-1], overflow="fold")
    for name, process in (*state.servers.items(), *state.planes.items()):
        address = process.address or (state.console if name in ("gateway", "one_process") else None)
        colour = {"ready": "green", "starting": "yellow"}.get(process.health, "red")
        table.add_row(
            name,
            f"[{colour}]{process.health}[/{colour}]",
            process.version or "",
            str(process.pid or ""),
            str(process.restarts),
            address or "",
        )
    return table


def _verdict(state: SystemState, healthy: bool, http: int | None) -> Sentence:
    if healthy:
        return Sentence(
            f"Dealix {state.version} is healthy: {state.console}", f"Dealix {state.version} سليم: {state.console}"
        )
    if state.state != "ready":
        return Sentence(f"Dealix is {state.state}.", f"حالة Dealix: {state.state}.")
    answer = f"answers {http}" if http else "does not answer"
    return Sentence(
        f"The planes run, but {state.console}/readyz {answer}; see the logs in {state.data_dir}/logs.",
        f"الخدمات تعمل لكن {state.console}/readyz لا يجيب كما يجب؛ راجع السجلات في {state.data_dir}/logs.",
    )
