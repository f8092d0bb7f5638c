"""Messages of embedding: what texts mean, as vectors of the one local model, which the data plane holds in memory for everybody."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from libs.contracts.message import Message

MOST_TEXTS = 32
"""So many in one question: as vectors of 384 numbers they take about 120 kB of a message."""
LONGEST_TEXT = 600
"""Characters. A sentence or two: what is longer says too much for one vector."""

Embeddable = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class EmbedTexts(Message):
    """Texts to compare with each other. They are read by a model on this machine, kept nowhere and told to nobody."""

    texts: Annotated[tuple[Embeddable, ...], Field(min_length=1, max_length=MOST_TEXTS)]


class Embedded(Message):
    """A vector of length one for each text, in their order. Vectors of another `model_id` can't be compared with these."""

    model_id: str
    vectors: tuple[tuple[float, ...], ...]
