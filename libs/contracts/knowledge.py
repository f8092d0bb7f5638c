"""Messages of knowledge and memory: documents in, passages with their sources out; what is remembered of a subject."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal

Subject = Annotated[str, Field(min_length=1, max_length=140)]
"""What a memory is about: a kind and an id, as `account:<uuid>`. The surface checks the form."""


class AddDocument(Message):
    """Take in a document that waits in the object store. The same content again answers with what is there.

    `about` names the deal or account that it is about: what it states of it is suggested as claims.
    """

    principal: Principal
    document_id: UUID
    object_name: str
    file_name: str
    title: Annotated[str, Field(max_length=300)] = ""
    source: Annotated[str, Field(max_length=500)] = ""
    about: Annotated[str, Field(max_length=140)] = ""


class Document(Message):
    """A document as it is stored. `embedded` of its `chunks` can be found by meaning already; all of them by words.

    One that is `held` is in quarantine: nobody finds it until a person releases what the security gate found in it.
    """

    document_id: UUID
    title: str
    file_name: str
    media: str
    source: str
    bytes: int
    sha256: str
    chunks: int
    embedded: int
    added_by: str
    added_at: datetime
    held: bool = False


class DocumentsRequest(Message):
    principal: Principal
    page: Page = Page()


class DocumentsReply(Message):
    items: tuple[Document, ...]
    next_cursor: str | None = None


class DocumentGet(Message):
    principal: Principal
    document_id: UUID


class KnowledgeSearch(Message):
    principal: Principal
    q: Annotated[str, Field(min_length=1, max_length=1000)]
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class Passage(Message):
    """A piece of a document with where it stands. `score` orders and is no probability; `found_by` names the ways that found it."""

    chunk_id: UUID
    document_id: UUID
    title: str
    file_name: str
    source: str
    heading: str
    page: int | None
    position: int
    text: str
    score: float
    found_by: tuple[str, ...]
    added_at: datetime
    age_hours: float


class KnowledgeReply(Message):
    """The best passages first. `model_id` is empty when only words were searched."""

    items: tuple[Passage, ...]
    model_id: str


class Remember(Message):
    principal: Principal
    memory_id: UUID
    subject: Subject
    text: Annotated[str, Field(min_length=1, max_length=4000)]
    source: Annotated[str, Field(min_length=1, max_length=500)]
    expires_at: datetime | None = None


class Memory(Message):
    """Something known of a subject, who noted it and from where. After `expires_at` it is shown no more, and deleted."""

    memory_id: UUID
    subject: str
    text: str
    source: str
    noted_by: str
    noted_at: datetime
    expires_at: datetime | None = None


class MemoriesRequest(Message):
    principal: Principal
    subject: Subject | None = None
    page: Page = Page()


class MemoriesReply(Message):
    items: tuple[Memory, ...]
    next_cursor: str | None = None


class ForgetMemory(Message):
    """Erase one memory."""

    principal: Principal
    memory_id: UUID


class EraseSubject(Message):
    """Erase all memories of a subject."""

    principal: Principal
    subject: Subject


class Erased(Message):
    erased: int
