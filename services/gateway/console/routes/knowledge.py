"""What the tenant's documents say: questions, passages with their sources, documents in and out."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.responses import Response

from libs.contracts import knowledge
from libs.contracts.arabic import DAYS
from libs.contracts.errors import DealixError
from libs.contracts.knowledge import Document, DocumentsReply, KnowledgeReply
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import DOCUMENTS, DROP_DOCUMENT, SEARCH_KNOWLEDGE
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, Input, Note, Section
from services.gateway.console.routes.insight import shown
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import Ids, allowed, require
from services.gateway.http.knowledge import LARGEST, LONGEST_QUERY, bring_document

router = APIRouter()

Reading = require("read", reading=True)
ACCEPTED = ".pdf,.docx,.html,.htm,.md,.txt"


@router.get(PATHS["knowledge"], dependencies=[Reading])
async def documents(desk: DeskDep, q: Annotated[str, Query()] = "") -> Response:
    return await _knowledge(desk, q.strip())


async def _knowledge(desk: Desk, q: str, *, error: str = "", status: int = 200) -> Response:
    sections = [_asking(desk, q[:LONGEST_QUERY])]
    if len(q) > LONGEST_QUERY:
        error = desk.say(
            f"الحد الأقصى للسؤال {LONGEST_QUERY} حرف.", f"A question is at most {LONGEST_QUERY} characters long."
        )
        status = 422
    elif q:
        reply: KnowledgeReply = await desk.call(
            SEARCH_KNOWLEDGE, knowledge.KnowledgeSearch(principal=desk.who, q=q, limit=10)
        )
        sections.append(_passages(desk, reply))
    kept: DocumentsReply = await desk.call(
        DOCUMENTS, knowledge.DocumentsRequest(principal=desk.who, page=Page(limit=50))
    )
    sections.append(_documents(desk, kept.items))
    return await shown(desk, "knowledge", desk.say("المعرفة", "Knowledge"), *sections, error=error, status=status)


def _asking(desk: Desk, q: str) -> Section:
    ask = DeskForm("ask", url("knowledge"), desk.say("ابحث", "Search"), (Input("q", desk.say("سؤالك", "Your question"), value=q),), get=True)  # fmt: skip
    return Section(
        desk.say("اسأل مستنداتك", "Ask your documents"),
        desk.say("بالعربية أو الإنجليزية؛ تظهر المقاطع بمصادرها كما وردت.", "In Arabic or English; passages are shown as they stand, with their sources."),
        forms=(ask,),
    )  # fmt: skip


def _passages(desk: Desk, reply: KnowledgeReply) -> Section:
    notes = []
    for one in reply.items:
        place = [one.heading or "", desk.say(f"صفحة {one.page}", f"page {one.page}") if one.page else "", one.source]
        days = int(one.age_hours // 24)
        place.append(
            desk.say("أضيف اليوم", "added today")
            if not days
            else desk.say(f"أضيف قبل {DAYS(days)}", f"added {days} days ago")
        )
        notes.append(Note(one.title, one.text, " · ".join(part for part in place if part)))
    text = (
        ""
        if reply.model_id
        else desk.say("بحث بالكلمات وحدها: محرك المعنى مشغول.", "Searched by words alone: the model is busy.")
    )
    return Section(desk.say("المقاطع", "Passages"), text, notes=tuple(notes), empty=desk.say("لا مقطع يجيب عن هذا.", "No passage answers this."))  # fmt: skip


def _documents(desk: Desk, items: tuple[Document, ...]) -> Section:
    rows = tuple(
        (
            Cell(one.title), Cell(one.source), Cell(f"{one.embedded} / {one.chunks}", "ltr"), Cell(one.added_at, "moment"),
        )
        for one in items
    )  # fmt: skip
    may = bool(allowed(desk.who, "import"))
    file = Input(
        "file", desk.say("الملف (PDF أو DOCX أو HTML أو نص)", "File (PDF, DOCX, HTML, text)"), "file", accept=ACCEPTED
    )
    where = Input("source", desk.say("مصدره", "Where it comes from"), required=False)
    add = DeskForm("add", url("knowledge_add"), desk.say("أضف المستند", "Add document"), (file, where))
    forms = [add] if may else []
    if may and items:
        which = Input("document", desk.say("مستند", "Document"), "select", options=tuple((str(one.document_id), one.title) for one in items))  # fmt: skip
        forms.append(
            DeskForm(
                "drop", url("knowledge_drop"), desk.say("امحُ المستند", "Erase the document"), (which,), danger=True
            )
        )
    return Section(
        desk.say("المستندات", "Documents"),
        columns=(desk.say("المستند", "Document"), desk.say("المصدر", "Source"), desk.say("المقاطع المفهرسة بالمعنى", "Passages by meaning"), desk.say("أضيف", "Added")),
        rows=rows, empty=desk.say("لا مستندات بعد. أضف أول مستند ليجيب عنه البحث.", "No documents yet. Add the first one."), forms=tuple(forms),
    )  # fmt: skip


@router.post(PATHS["knowledge_add"], dependencies=[require("import")])
async def add(desk: DeskDep, file: Annotated[UploadFile, File()], source: Annotated[str, Form(max_length=500)] = "") -> Response:  # fmt: skip
    """Take a document in; what is wrong with it is said on the page."""
    if (file.size or 0) > LARGEST or not file.filename:
        said = desk.say("اختر ملفًا لا يتجاوز 20 ميغابايت.", "Choose a file of at most 20 MB.")
        return await _knowledge(desk, "", error=said, status=422)
    try:
        await bring_document(desk.gateway, desk.who, Ids(new_id())("document"), file, "", source)
    except DealixError as error:
        return await _knowledge(desk, "", error=desk.error(error), status=error.status)
    return desk.go("knowledge")


@router.post(PATHS["knowledge_drop"], dependencies=[require("import")])
async def drop(desk: DeskDep, document: Annotated[UUID, Form()]) -> Response:
    try:
        await desk.call(DROP_DOCUMENT, knowledge.DocumentGet(principal=desk.who, document_id=document))
    except DealixError as error:
        return await _knowledge(desk, "", error=desk.error(error), status=error.status)
    return desk.go("knowledge")
