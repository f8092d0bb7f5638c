"""Knowledge and memories: documents in, passages with their sources out."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Header, Path, Query, Response, UploadFile
from pydantic import Field

from libs.contracts import knowledge
from libs.contracts.errors import DealixError
from libs.contracts.knowledge import Document, KnowledgeReply, Memory
from libs.contracts.message import Principal
from libs.contracts.subjects import (
    ADD_DOCUMENT,
    DOCUMENT,
    DOCUMENTS,
    DROP_DOCUMENT,
    ERASE_MEMORIES,
    FORGET_MEMORY,
    MEMORIES,
    REMEMBER,
    SEARCH_KNOWLEDGE,
)
from services.gateway.errors import BodyTooLarge, Unprocessable
from services.gateway.http import bodies
from services.gateway.http.bodies import Items, PagingDep, Zoned, items
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import Ids, IdsDep, require
from services.gateway.http.problems import RESPONSES
from services.gateway.http.uploads import file_name, once

router = APIRouter(prefix="/api/v1", tags=["knowledge"], responses=RESPONSES)

Writer = Annotated[Principal, require("import")]
Reader = Annotated[Principal, require("read", reading=True)]
LARGEST = 20 * 1024**2
LONGEST_QUERY = 1000


class Noted(bodies.Request):
    subject: Annotated[str, Field(pattern=r"^[a-z_]{2,30}:[A-Za-z0-9._-]{1,100}$")]
    text: Annotated[str, Field(min_length=1, max_length=4000)]
    source: Annotated[str, Field(min_length=1, max_length=500)]
    expires_at: Zoned | None = None


@router.post("/knowledge/documents", status_code=201, response_model=Document)
async def add_document(
    who: Writer,
    gateway: GatewayDep,
    ids: IdsDep,
    file: Annotated[UploadFile, File(description="PDF, DOCX, HTML, Markdown or text, up to 20 MB")],
    title: Annotated[str, Form(max_length=300)] = "",
    source: Annotated[str, Form(max_length=500)] = "",
    about: Annotated[str, Form(pattern=r"^((deal|account):[0-9a-f-]{36})?$", description="deal:ID or account:ID")] = "",
    idempotency_key: Annotated[str | None, Header(max_length=300)] = None,
) -> Any:
    """Take in a document. The same content again answers with the document that is there. With `about`, what it states of that deal or
    account (amounts, percentages, dates, payment terms) is suggested as claims (`GET /claims/suggestions`)."""
    if file.size is not None and file.size > LARGEST:
        raise BodyTooLarge(LARGEST)
    given = {"title": title, "source": source, "about": about}

    async def add(made: Ids) -> Document:
        return await bring_document(gateway, who, made("document"), file, title, source, about)

    route = "POST /api/v1/knowledge/documents"
    return await once(gateway, who, route, idempotency_key, given, file, add, ids=ids, status=201)


async def bring_document(
    gateway: Gateway, who: Principal, document_id: UUID, file: UploadFile, title: str, source: str, about: str = ""
) -> Document:
    name = f"{who.tenant_id}/document-{document_id}"
    await file.seek(0)
    await gateway.files.put(name, file.file)
    wanted = knowledge.AddDocument(
        principal=who, document_id=document_id, object_name=name, file_name=file_name(file.filename), title=title, source=source,
        about=about,
    )  # fmt: skip
    try:
        return await gateway.bus.call(ADD_DOCUMENT, wanted)
    except DealixError as error:
        if error.retryable:
            await gateway.files.drop(name)
        raise


@router.get("/knowledge/documents")
async def documents(who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[Document]:
    """Documents, the newest first."""
    reply = await gateway.bus.call(DOCUMENTS, knowledge.DocumentsRequest(principal=who, page=paging.page(gateway, who)))
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/knowledge/documents/{document_id}")
async def document(document_id: UUID, who: Reader, gateway: GatewayDep) -> Document:
    return await gateway.bus.call(DOCUMENT, knowledge.DocumentGet(principal=who, document_id=document_id))


@router.delete("/knowledge/documents/{document_id}", status_code=204)
async def drop_document(document_id: UUID, who: Writer, gateway: GatewayDep) -> Response:
    """Erase a document with its pieces and vectors."""
    await gateway.bus.call(DROP_DOCUMENT, knowledge.DocumentGet(principal=who, document_id=document_id))
    return Response(status_code=204)


@router.get("/knowledge/search")
async def search(
    who: Reader,
    gateway: GatewayDep,
    q: Annotated[str, Query(description="the question, up to 1,000 characters")],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> KnowledgeReply:
    """The passages that answer best, with where they stand. Raises 422 for an empty or an endless question."""
    if not q.strip() or len(q) > LONGEST_QUERY:
        raise Unprocessable(
            "bad_query",
            f"A question has 1 to {LONGEST_QUERY} characters; this one has {len(q)}.",
            f"طول السؤال من 1 إلى {LONGEST_QUERY} حرف، وعدد حروف هذا النص {len(q)}.",
        )
    return await gateway.bus.call(SEARCH_KNOWLEDGE, knowledge.KnowledgeSearch(principal=who, q=q, limit=limit))


@router.get("/memories")
async def memories(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    subject: Annotated[str | None, Query(pattern=r"^[a-z_]{2,30}:[A-Za-z0-9._-]{1,100}$")] = None,
) -> Items[Memory]:
    """What is remembered, the newest first; expired memories are gone."""
    wanted = knowledge.MemoriesRequest(principal=who, subject=subject, page=paging.page(gateway, who))
    reply = await gateway.bus.call(MEMORIES, wanted)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/memories", status_code=201)
async def remember(body: Noted, who: Writer, gateway: GatewayDep, ids: IdsDep) -> Memory:
    """Note something of a subject, with where it comes from."""
    wanted = knowledge.Remember(principal=who, memory_id=ids("memory"), **body.model_dump())
    return await gateway.bus.call(REMEMBER, wanted)


@router.delete("/memories/{memory_id}", status_code=204)
async def forget(memory_id: UUID, who: Writer, gateway: GatewayDep) -> Response:
    await gateway.bus.call(FORGET_MEMORY, knowledge.ForgetMemory(principal=who, memory_id=memory_id))
    return Response(status_code=204)


@router.delete("/memories/subjects/{subject}")
async def erase(
    subject: Annotated[str, Path(pattern=r"^[a-z_]{2,30}:[A-Za-z0-9._-]{1,100}$")], who: Writer, gateway: GatewayDep
) -> knowledge.Erased:
    """Erase everything that is remembered of a subject."""
    return await gateway.bus.call(ERASE_MEMORIES, knowledge.EraseSubject(principal=who, subject=subject))
