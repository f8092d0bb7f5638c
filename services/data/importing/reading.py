"""Reads a file part by part: its rows typed, their texts screened. In a thread of the process that matches them, or in a process beside
it, so that a long file keeps two processors busy."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import pickle
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from services.data.importing.domain.detect import read_file
from services.data.importing.domain.messages import FileRefused
from services.data.importing.domain.records import ParsedFile
from services.data.importing.domain.rows import read_rows
from services.data.importing.parts import Part, packed
from services.data.screening.domain.texts import of_rows

CHUNK = 20_000
"""Rows read, matched and written at a time, at most: what an import holds in memory beside the file's own text. In halves of it matching
takes a fifth longer, for accounts with the same words are then looked up twice as often."""
FIRST_CHUNK = 2_000
"""The first has so many, and each as many more than the one before: matching and PostgreSQL soon have something to do, and no part takes
longer to read than the one before it takes to match."""


ROWS = 5
"""Rows that go with a file's columns, for people to look at. They are personal data: kept until the file is imported, at most a day."""


class ReaderFailed(Exception):
    """The process that reads ended without saying how."""


class Order(NamedTuple):
    """How to read: what people chose for columns now and before, where the list is from, and the day up to which dates are past."""

    mapping: Mapping[str, str]
    remembered: Mapping[str, str]
    source: str
    today: date

    def to_json(self) -> str:
        return json.dumps([self.mapping, self.remembered, self.source, self.today.isoformat()])

    @classmethod
    def from_json(cls, text: str) -> Order:
        mapping, remembered, source, today = json.loads(text)
        return cls(mapping, remembered, source, date.fromisoformat(today))


class Opened(NamedTuple):
    """A file whose columns are known: all of it but its rows, of which it has the first, and how many those are."""

    parsed: ParsedFile
    rows: int


class Reading(Protocol):
    """One file, read once."""

    async def open(self) -> Opened:
        """Raises FileRefused."""
        ...

    def parts(self) -> AsyncIterator[Part]:
        """All parts, in the order of the file; the next is read while one is worked on. After `open`."""
        ...


def parts_of(parsed: ParsedFile, order: Order) -> Iterator[Part]:
    """Raises FileRefused where the source is one that is never taken in."""
    clean: set[str] = set()
    for part in chunks(parsed):
        rows = read_rows(part, source=order.source, today=order.today)
        taken = {row.row_number for row in rows.leads}
        texts = [(row.row_number, row.cells) for row in part.rows if row.row_number in taken]
        yield Part.of(rows, len(part.rows), of_rows(part.mapping, texts, clean))


def chunks(parsed: ParsedFile) -> Iterator[ParsedFile]:
    """The file in parts; lines beyond reading go with the first."""
    start, size = 0, FIRST_CHUNK
    while start == 0 or start < len(parsed.rows):
        yield replace(parsed, rows=parsed.rows[start : start + size], broken=parsed.broken if start == 0 else ())
        start, size = start + size, min(size + FIRST_CHUNK, CHUNK)


class Here:
    """Reads in threads of this process."""

    def __init__(self, content: bytes, order: Order) -> None:
        self._content, self._order = content, order
        self._parts: Iterator[Part] = iter(())

    async def open(self) -> Opened:
        parsed = await asyncio.to_thread(_read, self._content, self._order)
        self._parts = parts_of(parsed, self._order)
        return Opened(replace(parsed, rows=parsed.rows[:ROWS], broken=()), len(parsed.rows))

    def parts(self) -> AsyncIterator[Part]:
        return _ahead(lambda: next(self._parts, None))


class Beside:
    """Reads in a process of its own, which lives no longer than this one. Make it before any thread and any event loop: it is forked."""

    def __init__(self, file: Path, orders: IO[str]) -> None:
        """It begins once the order (as JSON, to the end of `orders`) has come: the file is there by then."""
        pipes = multiprocessing.get_context("fork")
        self._from, to = pipes.Pipe(duplex=False)
        self._process = pipes.Process(target=_read_for, args=(self._from, to, file, orders), daemon=True)
        self._process.start()
        to.close()

    async def open(self) -> Opened:
        opened = await asyncio.to_thread(self._next)
        if not isinstance(opened, Opened):
            raise ReaderFailed
        return opened

    def parts(self) -> AsyncIterator[Part]:
        return _ahead(self._next)

    def _next(self) -> Any:
        try:
            said = pickle.loads(self._from.recv_bytes())  # from our own fork, over a pipe that nobody else holds
        except (EOFError, OSError) as error:
            raise ReaderFailed from error
        if isinstance(said, _Refused):
            raise FileRefused.told(said.code, said.en, said.ar)
        return said

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._from.close()


class _Refused(NamedTuple):
    code: str
    en: str
    ar: str


def _read(content: bytes, order: Order) -> ParsedFile:
    return read_file(content, mapping=order.mapping, remembered=order.remembered)


def _read_for(ours: Connection[Any, Any], to: Connection[Any, Any], file: Path, orders: IO[str]) -> None:
    """The other process. It waits with the next part until somebody takes this one."""
    ours.close()  # else it would not notice that nobody is there any more
    if not (told := orders.read()):
        return  # whoever was to order the file has ended, or does without
    order = Order.from_json(told)
    try:
        parsed = _read(file.read_bytes(), order)
        to.send(Opened(replace(parsed, rows=parsed.rows[:ROWS], broken=()), len(parsed.rows)))
        for part in parts_of(parsed, order):
            to.send_bytes(packed(part))
        to.send(None)
    except FileRefused as error:
        to.send(_Refused(error.code, error.en, error.ar))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


async def _ahead(following: Any) -> AsyncIterator[Part]:
    """What `following` gives until it gives None; it is asked for the next while one is worked on."""
    coming = asyncio.create_task(asyncio.to_thread(following))
    try:
        while (part := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(following))
            yield part
    finally:
        coming.cancel()
