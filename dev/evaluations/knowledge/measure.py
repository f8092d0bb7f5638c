"""Measures knowledge search against questions with known answers: the same extraction, pieces, vectors and SQL as in the data plane.

A question is answered when the section that holds its answer is among the first ten passages. Three ways are measured over the same
database: words alone (words and spelling), meaning alone, and both together as people get them. A question in the other language than
its document can't share a word with it, so those are also counted apart.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from dev.postgres import EmbeddedPostgres
from dev.secrets import load_or_create
from libs.contracts.knowledge import Document, Passage
from libs.contracts.message import Plane, new_id
from libs.runtime.database import Database
from libs.runtime.migrate import migrate
from services.data.crm.domain.text import fold_words
from services.data.knowledge.domain.chunks import chunked, passage_text, query_words
from services.data.knowledge.domain.extract import extract
from services.data.knowledge.embedder import LocalEmbedder
from services.data.knowledge.store import Shelf

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
QUESTIONS = HERE / "questions.csv"
TOP = 10
WAYS = ("words", "meaning", "hybrid")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
PAGE = 16


@dataclass(frozen=True)
class Question:
    """`document` and `heading` name the section with the answer."""

    part: str
    language: str
    question: str
    document: str
    heading: str

    @property
    def crosses(self) -> bool:
        """Asked in the other language than the document is written in."""
        return self.language != self.document.rpartition("-")[2]


@dataclass(frozen=True)
class Score:
    """Of one part, one language and one way. `recall` and `first` are shares: among the first ten, and the very first."""

    part: str
    language: str
    way: str
    questions: int
    recall: float
    first: float
    cross_language: int
    cross_language_recall: float | None
    missed: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        return asdict(self)


def questions() -> list[Question]:
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        return [Question(**row) for row in csv.DictReader(file)]


def measure() -> tuple[int, list[Score]]:
    """How many passages there are, and the scores. Starts a PostgreSQL of its own in a directory that goes away again."""
    with tempfile.TemporaryDirectory(prefix="dealix-eval-") as directory:
        return asyncio.run(_measure(Path(directory)))


async def _measure(directory: Path) -> tuple[int, list[Score]]:
    server = EmbeddedPostgres(directory, sync_new_cluster=False)
    secrets = load_or_create(directory / "secrets.json")
    await server.start()
    try:
        await migrate(server.admin_url, secrets.database_passwords)
        database = Database(Plane.DATA, secrets.database_url(Plane.DATA.value, server.admin_url))
        await database.start()
        try:
            tenant, embedder = new_id(), LocalEmbedder()
            passages = await _fill(database, tenant, embedder)
            asked = questions()
            found = {way: await _ask(database, tenant, embedder, asked, way) for way in WAYS}
        finally:
            await database.stop()
    finally:
        await server.stop()
    return passages, [
        _score(part, language, way, asked, found[way])
        for part in ("tuning", "held_out")
        for language in ("ar", "en")
        for way in WAYS
    ]


async def _fill(database: Database, tenant: UUID, embedder: LocalEmbedder) -> int:
    """The corpus as the plane would store it, with vectors. How many passages."""
    async with database.batch(tenant) as work:
        shelf = Shelf(work, tenant, embedder.model_id)
        for file in sorted(CORPUS.glob("*.md")):
            content = file.read_bytes()
            read = extract(content, file.name)
            title = content.decode().splitlines()[0].lstrip("# ")
            chunks = chunked(read.blocks, title)
            document = Document(
                document_id=new_id(), title=title, file_name=file.name, media=read.media, source="made up", bytes=len(content),
                sha256=hashlib.sha256(content).hexdigest(), chunks=len(chunks), embedded=0, added_by="eval", added_at=NOW,
            )  # fmt: skip
            await shelf.add(document, chunks)
    count = 0
    while True:
        async with database.batch(tenant) as work:
            shelf = Shelf(work, tenant, embedder.model_id)
            rows = await shelf.unembedded(PAGE)
            if not rows:
                return count
            texts = [passage_text(row["title"], row["heading"], row["body"]) for row in rows]
            folded = [fold_words(f"{row['title']} {row['heading']} {row['body']}") for row in rows]
            await shelf.embed([row["chunk_id"] for row in rows], await embedder.passages(texts), folded)
            count += len(rows)


async def _ask(
    database: Database, tenant: UUID, embedder: LocalEmbedder, asked: Sequence[Question], way: str
) -> list[list[Passage]]:
    answers: list[list[Passage]] = []
    for one in asked:
        words = [] if way == "meaning" else query_words(one.question)
        vector = None if way == "words" else await embedder.query(one.question)
        async with database.batch(tenant) as work:
            answers.append(await Shelf(work, tenant, embedder.model_id).search(words, vector, TOP, NOW))
    return answers


def _score(
    part: str, language: str, way: str, asked: Sequence[Question], answers: Sequence[Sequence[Passage]]
) -> Score:
    own = [(q, a) for q, a in zip(asked, answers, strict=True) if (q.part, q.language) == (part, language)]
    ranks = [(q, _rank(q, passages)) for q, passages in own]
    crossing = [rank for q, rank in ranks if q.crosses]
    return Score(
        part, language, way, len(ranks),
        recall=sum(rank is not None for _, rank in ranks) / len(ranks),
        first=sum(rank == 0 for _, rank in ranks) / len(ranks),
        cross_language=len(crossing),
        cross_language_recall=sum(rank is not None for rank in crossing) / len(crossing) if crossing else None,
        missed=tuple(q.question for q, rank in ranks if rank is None),
    )  # fmt: skip


def _rank(question: Question, passages: Sequence[Passage]) -> int | None:
    """Where the right section stands, from 0; None when it is not among them."""
    wanted = (f"{question.document}.md", question.heading)
    return next((i for i, p in enumerate(passages) if (p.file_name, p.heading) == wanted), None)
