"""Vectors for other planes: the same as those of documents, in bounds, and a refusal in both languages where there is no time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from libs.contracts.embedding import LONGEST_TEXT, MOST_TEXTS, EmbedTexts
from services.data.knowledge.embedder import DIMENSIONS, LocalEmbedder
from services.data.knowledge.errors import EmbedderBusy
from services.data.knowledge.meaning import Meaning


class Stuck:
    model_id = "stuck"

    async def passages(self, texts: Sequence[str]) -> list[str]:
        return [await self._never()]

    async def query(self, text: str) -> str:
        return await self._never()

    async def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        await self._never()
        return []

    async def _never(self) -> str:
        await asyncio.Event().wait()
        return ""


async def test_a_text_has_the_vector_that_a_documents_piece_has_and_its_model_is_named() -> None:
    embedder = LocalEmbedder()
    found = await Meaning(embedder, seconds=120.0).embed(EmbedTexts(texts=("السعر مرتفع", "Too expensive")))
    assert found.model_id == embedder.model_id
    assert [f"[{','.join(f'{x:.6f}' for x in one)}]" for one in found.vectors] == await embedder.passages(
        ["السعر مرتفع", "Too expensive"]
    )
    for one in found.vectors:
        assert len(one) == DIMENSIONS and sum(x * x for x in one) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("texts", [(), ("",), ("x" * (LONGEST_TEXT + 1),), ("x",) * (MOST_TEXTS + 1)])
def test_a_question_has_bounds(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        EmbedTexts(texts=texts)


async def test_a_model_without_time_is_said_in_both_languages_and_may_be_asked_again() -> None:
    with pytest.raises(EmbedderBusy) as refused:
        await Meaning(Stuck(), seconds=0.01).embed(EmbedTexts(texts=("x",)))
    fault = refused.value.fault()
    assert (fault.code, fault.status, fault.retryable) == ("embedder_busy", 503, True)
    assert fault.message and fault.message_ar
