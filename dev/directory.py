"""The data directory: where everything lives, who owns it now, and which ports it keeps.

<data_dir>/lock              held (flock) by the supervisor for as long as it runs; the kernel lets go with it
<data_dir>/secrets.json      0600
<data_dir>/run/              ports.json, system.json, <plane>.ready, <plane>.pid
<data_dir>/logs/             one file per plane and server
<data_dir>/nats/  postgres/  the embedded servers' own
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import random
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.messages import AlreadyRunning, DataDirectoryUnusable, Sentence

MINIMUM_FREE_BYTES = 300 * 1024 * 1024
"""A new PostgreSQL cluster takes 40 MB and keeps write-ahead log beside it; below this a start ends half-way."""


def free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free


def open_directory(path: Path, *, free: Callable[[Path], int] = free_bytes) -> Path:
    """Create the data directory where it is missing and check that it can be used. Returns the absolute path.

    Raises DataDirectoryUnusable when it cannot be created or written, or when less than `MINIMUM_FREE_BYTES` is left.
    """
    path = path.expanduser().absolute()
    try:
        if not path.exists():
            path.mkdir(parents=True)
            # Others may pass through (the database server runs under another account when we are root), not list.
            path.chmod(0o711)
        path = path.resolve()
        for child in ("run", "logs"):
            (path / child).mkdir(exist_ok=True, mode=0o700)
        probe = path / "run" / ".probe"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        raise unusable(path, error) from error
    if free(path) < MINIMUM_FREE_BYTES:
        raise _full(path)
    return path


def unusable(path: Path, error: OSError) -> DataDirectoryUnusable:
    """The sentence for an operating system's refusal."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(path)
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return DataDirectoryUnusable(
            f"{path} is not a directory; choose another data directory with --data-dir.",
            f"{path} ليس مجلدًا؛ اختر مجلد بيانات آخر بالخيار --data-dir.",
        )
    reason = os.strerror(error.errno or 0)
    return DataDirectoryUnusable(
        f"Cannot write to the data directory {path} ({reason}); make it writable or choose another with --data-dir.",
        f"تعذّرت الكتابة في مجلد البيانات {path}؛ امنح صلاحية الكتابة أو اختر مجلدًا آخر بالخيار --data-dir.",
    )


def _full(path: Path) -> DataDirectoryUnusable:
    megabytes = MINIMUM_FREE_BYTES // (1024 * 1024)
    return DataDirectoryUnusable(
        f"The disk that holds {path} has less than {megabytes} MB free; free some space or choose another data "
        f"directory with --data-dir.",
        f"المساحة الحرة في القرص الذي فيه {path} أقل من {megabytes} ميغابايت؛ أفرغ مساحة أو اختر مجلد بيانات آخر "
        f"بالخيار --data-dir.",
    )


class DirectoryLock:
    """An advisory lock (flock) on a file. The kernel releases it when the holder dies, so it is never stale.

    As a context manager it raises AlreadyRunning with `held` when another process has it.
    """

    def __init__(self, path: Path, held: Sentence) -> None:
        self._path = path
        self._held = held
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise AlreadyRunning at once."""
        if not self.try_acquire():
            raise AlreadyRunning(self._held.en, self._held.ar)

    def try_acquire(self) -> bool:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        for attempt in range(5):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 4:
                    os.close(fd)
                    return False
                time.sleep(0.02)  # `holder` tests the lock by holding it for an instant
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd
        return True

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def running_lock(data_dir: Path) -> DirectoryLock:
    """The lock that the supervisor of `data_dir` holds for as long as it runs."""
    return DirectoryLock(
        data_dir / "lock",
        Sentence(
            f"Dealix already runs on {data_dir}; see it with `dealix status`, stop it with `dealix down`, or choose "
            f"another --data-dir.",
            f"يعمل Dealix الآن على {data_dir}؛ اعرض حالته بالأمر dealix status أو أوقفه بالأمر dealix down "
            f"أو اختر مجلدًا آخر بالخيار --data-dir.",
        ),
    )


def holder(data_dir: Path) -> int | None:
    """The pid that holds the lock of `data_dir`, None when nobody runs there."""
    path = data_dir / "lock"
    if not path.exists():
        return None
    with path.open() as file:
        try:
            # Shared, so that two people asking at once do not take each other for the supervisor.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read().strip()
            return int(text) if text.isdigit() else 0
    return None


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    return port_refusal(host, port) is None


def port_refusal(host: str, port: int) -> int | None:
    """The error number with which the system refuses to listen there, None when it lets us."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            # As the servers do: a connection in TIME_WAIT is no hindrance, a listener is.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.errno or errno.EADDRNOTAVAIL
    return None


def any_free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on, below the range from which systems take the ports of outgoing connections.

    A port of that range could be an outgoing connection's when the server wants it back after a restart.
    """
    candidates = random.sample(range(20_000, 32_000), 200)
    return next(port for port in candidates if port_is_free(host, port))


def read_json(path: Path) -> dict[str, object]:
    """The JSON object in a file; empty when the file is missing or was cut short by a crash."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: object, *, mode: int = 0o600) -> None:
    """Write atomically: a reader or a crash sees the old file or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "w") as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class RememberedPort:
    """A port that a server keeps across restarts, so that clients which know it reconnect."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "port"

    def choose(self) -> int:
        """The last port when it is still free, else a new one (not yet remembered)."""
        try:
            port = int(self._path.read_text())
        except (OSError, ValueError):
            return any_free_port()
        return port if 0 < port < 65536 and port_is_free("127.0.0.1", port) else any_free_port()

    def remember(self, port: int) -> None:
        self._path.write_text(f"{port}\n")
