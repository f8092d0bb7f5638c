"""`dealix up --detach`: the supervisor goes on in a session of its own while the caller waits for its report."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dev.messages import DealixError, Sentence, StartFailed

Report = Callable[[dict[str, Any]], None]


def run_detached(log: Path, body: Callable[[Report], None], on_progress: Callable[[Sentence], None]) -> dict[str, Any]:
    """Fork, run `body(report)` in a new session with its output in `log`, and wait for `report({"ready": …})`.

    Returns what was reported as ready. Raises the DealixError that ended `body` before that, in the caller. Forks:
    call it before any thread or event loop is started.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(receive)
        os._exit(_in_background(log, body, send))
    os.close(send)
    with os.fdopen(receive) as lines:
        try:
            for line in lines:
                message = json.loads(line)
                if "ready" in message:
                    return dict(message["ready"])
                if "progress" in message:
                    on_progress(Sentence(**message["progress"]))
                if "error" in message:
                    os.waitpid(pid, 0)  # until everything that was started is stopped again
                    raise _error(message["error"])
        except KeyboardInterrupt:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
            raise
    raise StartFailed(f"The supervisor ended without a word; see {log}.", f"توقّف المشرف فجأة؛ راجع {log}.")


def _in_background(log: Path, body: Callable[[Report], None], send: int) -> int:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.set_inheritable(send, False)

    def report(message: dict[str, Any]) -> None:
        try:
            os.write(send, json.dumps(message).encode() + b"\n")
        except OSError:
            return  # the caller is gone; the supervisor stays

    try:
        body(report)
        return 0
    except DealixError as error:
        sentence = error.sentence
        report({"error": {"kind": type(error).__name__, "en": sentence.en, "ar": sentence.ar}})
        return error.exit_code
    except BaseException as error:  # the end of a process: nothing may pass into the caller's frames
        traceback.print_exc()
        what = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        en = f"Dealix ended by an unexpected error ({what[:200]}); see {log}."
        ar = f"توقّف Dealix بخطأ غير متوقع ({what[:200]})؛ راجع {log}."
        report({"error": {"kind": "StartFailed", "en": en, "ar": ar}})
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _error(told: dict[str, str]) -> DealixError:
    kinds = {kind.__name__: kind for kind in DealixError.__subclasses__()}
    return kinds.get(told["kind"], DealixError)(told["en"], told["ar"])
