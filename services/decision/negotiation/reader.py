"""Reads objections: first by phrases, and what they leave open by the meaning of its sentences, which data's local model tells.

Phrases that are certain win. What neither is sure of goes to a person, and so does everything that phrases don't read while data is away.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from libs.contracts.embedding import MOST_TEXTS, EmbedTexts
from libs.contracts.errors import DealixError
from libs.contracts.message import Text
from libs.contracts.subjects import EMBED
from libs.runtime.asking import Asks
from services.decision.negotiation.domain.classify import Reading, classify, playbook, taken_back
from services.decision.negotiation.domain.weights import Weights, judge, parts, weights

log = logging.getLogger(__name__)

ENGINE = "embeddings"
WAIT_SECONDS = 6.0
"""How long a text waits for its vectors; the first after a start waits for the model to be loaded."""
AT_A_TIME = MOST_TEXTS // 2
"""Sentences in one question: others' questions come in between."""
_REMEMBERED = 4096
ONLY_PHRASES = Text(
    en="Only known phrases were read: the local language model did not answer.",
    ar="قُرئت العبارات المعروفة فقط، فلم يُجب نموذج اللغة المحلي.",
)


class Reader:
    """What sentences came to is remembered by their digests, so that the watch does not ask again for what it has seen."""

    def __init__(self, bus: Asks, learned: Weights | None = None) -> None:
        self._bus = bus
        self._learned = learned or weights()
        self._remembered: dict[bytes, dict[str, float]] = {}

    def version(self, read: Reading) -> str:
        """What read a text, precisely: the playbook's version, and those of weights and model where they took part."""
        known = (playbook().version,)
        return "/".join((*known, self._learned.version, self._learned.model_id) if read.engine == ENGINE else known)

    async def read(self, text: str) -> Reading:
        return (await self.read_all([text]))[text]

    async def read_all(self, texts: Iterable[str]) -> dict[str, Reading]:
        """The reading of each text, by itself. Never raises for what data can't tell: `away` is set there."""
        if len(self._remembered) > _REMEMBERED:
            self._remembered.clear()
        found = {text: classify(text) for text in texts}
        unclear = {text: said for text, one in found.items() if one.objection is None and (said := parts(text))}
        wanted = [part for said in unclear.values() for part in said if _key(part) not in self._remembered]
        await self._ask(list(dict.fromkeys(wanted)))
        for text, said in unclear.items():
            found[text] = self._judged(found[text], said) if self._knows(said) else replace(found[text], away=True)
        return found

    def _knows(self, said: Sequence[str]) -> bool:
        return all(_key(part) in self._remembered for part in said)

    def _judged(self, read: Reading, said: Sequence[str]) -> Reading:
        of_parts = [self._remembered[_key(part)] for part in said]
        one = judge(of_parts, self._learned.threshold, [taken_back(part) for part in said])
        sure = round(min(0.97, one.probability), 3)
        if one.objection is None or sure < self._learned.threshold:
            # How sure the likeliest objection is says nothing about an answer that was not given.
            return replace(read, engine=ENGINE)
        return Reading(one.objection, sure, read.language, (said[one.part],), engine=ENGINE)

    async def _ask(self, wanted: Sequence[str]) -> None:
        """Have data tell what sentences mean; what it does not tell, or of another model than the weights are for, stays unknown."""
        for start in range(0, len(wanted), AT_A_TIME):
            some = tuple(wanted[start : start + AT_A_TIME])
            try:
                reply = await self._bus.call(EMBED, EmbedTexts(texts=some), timeout=WAIT_SECONDS)
            except DealixError as error:
                log.warning("objections are read by phrases alone: %s", error.code)
                return
            if reply.model_id != self._learned.model_id or len(reply.vectors) != len(some):
                log.error("objections are read by phrases alone: the weights are for another model than data's")
                return
            for part, shares in zip(some, self._learned.probabilities(reply.vectors), strict=True):
                self._remembered[_key(part)] = shares


def _key(part: str) -> bytes:
    return hashlib.sha256(part.encode()).digest()
