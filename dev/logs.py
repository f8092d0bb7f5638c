"""Where the output of the planes goes: a file each, and the terminal with the plane's name before every line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, TextIO

_COLOURS = {
    "decision": 36, "execution": 33, "trust": 35, "data": 32, "operating": 34, "gateway": 96, "one_process": 36,
}  # fmt: skip
_LINE_LIMIT = 1024 * 1024
_FILE_BYTES = 10 * 1024 * 1024


class Terminal:
    """Prefixed lines on a stream; silent from the moment the reader goes away."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream: TextIO | None = sys.stdout if stream is None else stream
        self._colour = bool(self._stream and self._stream.isatty())

    def close(self) -> None:
        """Print nothing from now on."""
        self._stream = None

    def line(self, source: str, text: str) -> None:
        if self._stream is None:
            return
        prefix = f"{source:<10}│ "
        if self._colour:
            prefix = f"\x1b[{_COLOURS.get(source, 90)}m{prefix}\x1b[0m"
        try:
            self._stream.write(f"{prefix}{text}\n")
            self._stream.flush()
        except (OSError, ValueError):  # closed terminal or pipe: the files still get everything
            self._stream = None


class OutputLog:
    """The rotating log file of one child, and its copy on the terminal."""

    def __init__(self, source: str, path: Path, terminal: Terminal) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._source = source
        self._terminal = terminal
        self._file = RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=3, encoding="utf-8")
        self.last_line = ""

    def write(self, line: str) -> None:
        record = logging.LogRecord(self._source, logging.INFO, "", 0, "%s", (line,), None)
        # A full disk must not end the supervision of the system it is on.
        with contextlib.suppress(OSError):
            self._file.emit(record)
        self.last_line = line or self.last_line
        self._terminal.line(self._source, readable(line))

    async def pump(self, pipe: IO[bytes]) -> None:
        """Copy a child's output until it closes it."""
        reader = asyncio.StreamReader(limit=_LINE_LIMIT)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        try:
            while True:
                try:
                    raw = await reader.readline()
                except ValueError:  # longer than the limit: what was read of it is dropped
                    self.write("[a line of more than 1 MB was dropped]")
                    continue
                if not raw:
                    return
                self.write(raw.decode(errors="replace").rstrip("\r\n"))
        finally:
            transport.close()

    def close(self) -> None:
        self._file.close()


def readable(line: str) -> str:
    """A JSON log line as `LEVEL message key=value …`; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    message = next((entry.pop(key) for key in ("message", "event", "msg") if key in entry), None)
    if message is None:
        return line
    level = str(entry.pop("level", entry.pop("severity", ""))).upper()
    for noise in ("plane", "time", "timestamp", "ts", "logger"):
        entry.pop(noise, None)
    rest = " ".join(f"{key}={value}" for key, value in entry.items() if value not in (None, ""))
    return " ".join(filter(None, (level, str(message), rest)))
