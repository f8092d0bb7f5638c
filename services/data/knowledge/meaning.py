"""Vectors of short texts for decision: the model is in memory once, here, and nothing of what is asked is kept."""

from __future__ import annotations

import asyncio

from libs.contracts.embedding import Embedded, EmbedTexts
from services.data.knowledge.embedder import Embedder
from services.data.knowledge.errors import EmbedderBusy

SECONDS = 8.0
"""How long texts wait for the model: it is one thread, and a page of a document may be before them. The first question also loads it."""


class Meaning:
    def __init__(self, embedder: Embedder, seconds: float = SECONDS) -> None:
        self._embedder = embedder
        self._seconds = seconds

    async def embed(self, request: EmbedTexts) -> Embedded:
        """Raises EmbedderBusy where the model has no time."""
        try:
            async with asyncio.timeout(self._seconds):
                vectors = await self._embedder.vectors(request.texts)
        except TimeoutError as error:
            raise EmbedderBusy from error
        return Embedded(model_id=self._embedder.model_id, vectors=tuple(tuple(one) for one in vectors))
