"""Child processes that cannot outlive their parent, and the sweep that finds those that did all the same.

On Linux every child asks the kernel for a signal when the thread that started it dies (`PR_SET_PDEATHSIG`), so a
supervisor killed with SIGKILL leaves nothing behind. Elsewhere, and as a second line, each child carries the data
directory in its environment under `MARKER`, and `sweep` ends whatever still runs with it.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dev.messages import StartFailed

MARKER = "DEALIX_SUPERVISED"
"""Environment variable of every child: the absolute data directory it belongs to."""

POLL_SECONDS = 0.01

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2

_ON_LINUX = sys.platform == "linux"
# Loaded before any fork: a child between fork and exec must not import or open anything.
_libc = ctypes.CDLL(None, use_errno=True) if _ON_LINUX else None


@dataclass(frozen=True, slots=True)
class RunAs:
    """The account a server runs under when we are root.

    `capability` lets it walk through directories that only root may enter, for a data directory or an environment
    below a private home; the data files themselves belong to the account.
    """

    uid: int
    gid: int
    capability: int | None = None


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def unprivileged_account(*reached: Path) -> RunAs | None:
    """The account for a server that refuses to run as root; None when we are not root.

    `reached` are the paths it must get to. `postgres` is preferred, `nobody` exists everywhere else. Raises
    StartFailed when a private directory is in the way and we hold no capability to pass on.
    """
    if os.geteuid() != 0:
        return None
    closed = next(filter(None, map(_closed_parent, reached)), None)
    capability = None if closed is None else _search_capability()
    if closed is not None and capability is None:
        raise StartFailed(
            f"PostgreSQL does not run as root and no other account may enter {closed}; start Dealix as an ordinary "
            f"user, or choose a data directory outside it with --data-dir.",
            f"لا يعمل PostgreSQL بحساب root ولا يستطيع حساب آخر دخول {closed}؛ شغّل Dealix بحساب عادي، "
            f"أو اختر مجلد بيانات خارجه بالخيار --data-dir.",
        )
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return RunAs(entry.pw_uid, entry.pw_gid, capability)
    return RunAs(65534, 65534, capability)


def _closed_parent(path: Path) -> Path | None:
    """The first directory above `path` that others may not enter. Nothing is ever chmodded to open it."""
    return next((parent for parent in reversed(path.resolve().parents) if not parent.stat().st_mode & 0o001), None)


def _search_capability() -> int | None:
    if not _ON_LINUX:
        return None
    held = int(_status_field("self", "CapPrm") or "0", 16)
    return next((cap for cap in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE) if held >> cap & 1), None)


def _status_field(pid: str, field: str) -> str | None:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return line.split()[1]
    return None


def _prepare_child(parent: int, death_signal: int, run_as: RunAs | None) -> Callable[[], None] | None:
    """What the child does between fork and exec: change account, then ask for the death signal.

    The order matters: the kernel forgets the death signal when a process changes its user.
    """
    if _libc is None:
        return None if run_as is None else lambda: _drop(run_as)

    def prepare() -> None:
        if run_as is not None:
            _drop(run_as)
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return prepare


def _drop(run_as: RunAs) -> None:
    capability = run_as.capability
    if capability is not None and _libc is not None:
        _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(run_as.gid)
    os.setuid(run_as.uid)
    if capability is not None and _libc is not None:
        bit = 1 << capability
        data = (_CapData * 2)(_CapData(bit, bit, bit), _CapData(0, 0, 0))
        _libc.capset(ctypes.byref(_CapHeader(_CAPABILITY_VERSION_3, 0)), ctypes.byref(data))
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


class Child:
    """A running child process. Waiting polls, so that it works on any event loop and without threads."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self.popen = popen

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def stdout(self) -> IO[bytes] | None:
        return self.popen.stdout

    @property
    def exit_code(self) -> int | None:
        """The exit code (negative: the signal that ended it), or None while it runs."""
        return self.popen.poll()

    async def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Raises TimeoutError after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        pause = POLL_SECONDS
        while (code := self.popen.poll()) is None:
            if until is not None and time.monotonic() >= until:
                raise TimeoutError
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.1)
        return code

    def send(self, sig: int) -> None:
        """Signal the child if it still runs."""
        self.popen.send_signal(sig)

    def kill_group(self) -> None:
        """SIGKILL the child and everything in its process group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.popen.kill()

    async def stop(self, sig: int = signal.SIGTERM, grace: float = 10.0) -> int:
        """Ask with `sig`, wait `grace` seconds, then kill the whole group."""
        self.send(sig)
        try:
            return await self.wait(grace)
        except TimeoutError:
            self.kill_group()
            return await self.wait()


def spawn(
    argv: Sequence[str | Path],
    *,
    owner: Path,
    environ: Mapping[str, str],
    output: int | IO[bytes],
    death_signal: int = signal.SIGKILL,
    run_as: RunAs | None = None,
    cwd: str | Path | None = None,
) -> Child:
    """Start a child in a process group of its own, marked as belonging to the data directory `owner`.

    Must be called in a thread that lives as long as the child should (in practice: the main thread).
    """
    return Child(
        subprocess.Popen(
            [str(a) for a in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environ, MARKER: str(owner)},
            cwd=cwd,
            process_group=0,
            preexec_fn=_prepare_child(os.getpid(), death_signal, run_as),  # it takes no lock
        )
    )


def command_line(pid: int) -> str | None:
    """The command line of a live process, None when there is none (a zombie has none either)."""
    if _ON_LINUX:
        try:
            return (
                Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip() or None
            )
        except OSError:
            return None
    done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def belonging_to(owner: Path) -> list[int]:
    """Pids of live processes that carry the mark of the data directory `owner`, without this one."""
    if not _ON_LINUX:
        return []
    mark = f"{MARKER}={owner}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return sorted(found)


def inside(directory: Path) -> list[int]:
    """Pids of live processes whose working directory is `directory`.

    PostgreSQL's backends write their title over their environment, so the mark cannot find them; this can.
    """
    if not _ON_LINUX:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(directory):
                found.append(int(entry.name))
        except OSError:
            continue
    return sorted(pid for pid in found if pid != os.getpid())


async def sweep(find: Callable[[], list[int]], *, grace: float = 3.0) -> list[int]:
    """End the processes that `find` names: SIGTERM, then SIGKILL after `grace` seconds. Returns those it met."""
    first = find()
    for sig, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
        pids = find()
        for pid in pids:
            try:
                os.kill(pid, sig)
            except (ProcessLookupError, PermissionError):
                continue
        until = time.monotonic() + patience
        while pids and time.monotonic() < until:
            await asyncio.sleep(POLL_SECONDS)
            pids = find()
        if not pids:
            break
    return first


def alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    return command_line(pid) is not None


def without_dealix(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without our own settings, and without libpq's, for programs that must see neither."""
    libpq = ("PGPASSWORD", "PGPASSFILE", "PGUSER", "PGDATABASE", "PGHOST", "PGPORT", "PGDATA", "PGSERVICE", "PGOPTIONS")
    return {k: v for k, v in environ.items() if not k.startswith("DEALIX_") and k not in libpq}
