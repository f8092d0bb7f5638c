"""Documents in pieces that one answer fits in, each with its heading and page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.data.crm.domain.text import fold_words
from services.data.importing.domain.text import clean
from services.data.knowledge.domain.extract import Block

LONGEST = 900
"""Characters; about 200 tokens, well inside the embedder's window."""
MAX_WORDS = 16
_SENTENCE = re.compile(r"(?<=[.!?؟؛\n])\s+")
# Words that every passage has say nothing about which one is meant.
_STOP = frozenset(
    fold_words(
        "the a an of to in on for and or is are was be do does did how what when which who where why can could should would my our your i we it "
        "this that with by from at as if there any much many "
        "في من على الى إلى عن ما ماذا هل كم كيف متى اين أين هي هو هذا هذه ذلك التي الذي او أو ثم مع كان يكون لا لم لن قد كل بعد قبل عند لدى لماذا أي يتم"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """`folded` is what words are looked for in."""

    position: int
    heading: str
    page: int | None
    text: str
    folded: str


def chunked(blocks: Iterable[Block], title: str) -> list[Chunk]:
    """Pieces of at most `LONGEST` characters that never cross a heading or a page."""
    found: list[Chunk] = []
    heading, page, now = "", None, ""

    def end() -> None:
        nonlocal now
        if now:
            folded = fold_words(f"{title} {heading} {now}")
            found.append(Chunk(len(found), heading, page, now, folded))
        now = ""

    for block in blocks:
        text = clean(block.text.replace("\x00", ""))
        if not text:
            continue
        if block.level:
            end()
            heading = text[:300]
            continue
        if block.page != page:
            end()
            page = block.page
        for part in _parts(text):
            if len(now) + len(part) + 1 > LONGEST:
                end()
            now = f"{now}\n{part}" if now else part
    end()
    return found


def passage_text(title: str, heading: str, body: str) -> str:
    """What a piece's vector is made from: a section rarely repeats what its document is about."""
    return "\n".join(part for part in (title, heading, body) if part)


def _parts(text: str) -> Iterator[str]:
    for sentence in [text] if len(text) <= LONGEST else _SENTENCE.split(text):
        for start in range(0, len(sentence), LONGEST):
            yield sentence[start : start + LONGEST]


def query_words(query: str) -> list[str]:
    """The folded words of a question that tell passages apart; all of them when every word is common."""
    words = list(dict.fromkeys(fold_words(query).split()))
    return ([word for word in words if word not in _STOP] or words)[:MAX_WORDS]
