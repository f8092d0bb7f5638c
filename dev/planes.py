"""The planes as supervised processes: start, wait until they serve, restart those that die, stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dev.logs import OutputLog, Terminal
from dev.messages import StartFailed
from dev.processes import Child, spawn
from dev.state import ProcessState
from libs.contracts.arabic import TIMES

STOP_SECONDS = 20.0
"""How long a plane may finish what it has in hand after SIGTERM."""
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A plane that ran this long starts again with the first backoff."""
STARTS_BEFORE_GIVING_UP = 3
"""A plane that dies this often before it was ever ready will not come up by itself: the start fails."""
CANNOT_START = 127


class PlaneProcess:
    """One plane, kept running until `stop`.

    The plane says that it serves by writing `ready_file` (path in DEALIX_READY_FILE) with its pid and version, as JSON
    `{"pid": …, "version": …}`. A file of another pid is a leftover and does not count.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        data_dir: Path,
        environ: Callable[[], Mapping[str, str]],
        terminal: Terminal,
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self._argv = argv
        self._data_dir = data_dir
        self._environ = environ
        self._on_change = on_change
        self._terminal = terminal
        self._ready_file = data_dir / "run" / f"{name}.ready"
        self._log = OutputLog(name, data_dir / "logs" / f"{name}.log", terminal)
        self._child: Child | None = None
        self._failed_starts = 0
        self._was_ready = False
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.state = ProcessState(log=str(data_dir / "logs" / f"{name}.log"))

    def start(self) -> None:
        """Begin to keep the plane running."""
        self._task = asyncio.create_task(self._keep_running(), name=f"plane {self.name}")

    async def wait_ready(self, timeout: float) -> None:
        """Return when the plane serves. Raises StartFailed when it keeps dying or takes longer than `timeout`."""
        until = time.monotonic() + timeout
        while not self._was_ready:
            if self._failed_starts >= STARTS_BEFORE_GIVING_UP:
                raise self._not_started(f"it ended {self._failed_starts} times", f"توقّفت {TIMES(self._failed_starts)}")
            if time.monotonic() > until:
                raise self._not_started(f"not ready after {timeout:g} s", f"لم تجهز خلال المهلة: {timeout:g} ث")
            if self._task is not None and self._task.done():
                self._task.result()
            await asyncio.sleep(0.02)

    async def restart(self) -> None:
        """End the process; it is started again with a new environment."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, STOP_SECONDS)

    async def stop(self) -> None:
        """SIGTERM, wait, SIGKILL; then no restart."""
        self._stopping = True
        self._change(health="stopped")
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, STOP_SECONDS)
            if self._task is not None:
                await asyncio.wait([self._task], timeout=1)  # it copies the last lines
        if self._task is not None:
            self._task.cancel()  # asleep in a backoff
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._change(health="stopped", pid=None)
        self._ready_file.unlink(missing_ok=True)
        self._log.close()

    def kill(self) -> None:
        """Do not wait for the plane to finish what it has in hand."""
        if self._child is not None:
            self._child.kill_group()

    async def _keep_running(self) -> None:
        backoff = FIRST_BACKOFF_SECONDS
        while not self._stopping:
            began = time.monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            if not self._was_ready:
                self._failed_starts += 1
            if time.monotonic() - began > STEADY_SECONDS:
                backoff = FIRST_BACKOFF_SECONDS
            self._change(health="restarting", pid=None, restarts=self.state.restarts + 1)
            self._terminal.line(self.name, f"ended ({_how(code)}); starts again in {backoff:g} s")
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)

    async def _run_once(self) -> int:
        self._ready_file.unlink(missing_ok=True)
        try:
            child = spawn(
                self._argv,
                owner=self._data_dir,
                environ={**self._environ(), "DEALIX_READY_FILE": str(self._ready_file)},
                output=subprocess.PIPE,
            )
        except OSError as error:  # no memory, no process slots, no such program: tried again like any other end
            self._log.write(f"cannot start: {error}")
            return CANNOT_START
        self._child = child
        self._change(pid=child.pid, health="restarting" if self._was_ready else "starting")
        assert child.stdout is not None
        pump = asyncio.create_task(self._log.pump(child.stdout))
        watch = asyncio.create_task(self._watch_ready(child))
        try:
            return await child.wait()
        finally:
            watch.cancel()
            if child.exit_code is not None:
                # A grandchild may hold the pipe open: what it still says is not waited for long.
                await asyncio.wait([pump], timeout=0.5)
            pump.cancel()
            self._child = None if child.exit_code is not None else child

    async def _watch_ready(self, child: Child) -> None:
        while True:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                said = json.loads(self._ready_file.read_text())
                if int(said["pid"]) == child.pid:
                    self._was_ready = True
                    self._change(health="ready", version=str(said.get("version", "")))
                    return
            await asyncio.sleep(0.02)

    def _change(self, **changes: object) -> None:
        for name, value in changes.items():
            setattr(self.state, name, value)
        self._on_change()

    def _not_started(self, why_en: str, why_ar: str) -> StartFailed:
        words = f": {self._log.last_line[:200]}" if self._log.last_line else ""
        return StartFailed(
            f"The {self.name} plane did not start ({why_en}{words}); see {self.state.log}.",
            f"لم تبدأ خدمة {self.name} ({why_ar}{words})؛ راجع {self.state.log}.",
        )


def _how(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
