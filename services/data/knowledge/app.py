"""Knowledge's part of the composition."""

from __future__ import annotations

from libs.contracts import subjects
from libs.runtime.plane import Runtime
from services.data.knowledge.desk import Knowledge
from services.data.knowledge.embedder import LocalEmbedder
from services.data.knowledge.embedding import Embedding
from services.data.knowledge.meaning import Meaning


def serve_knowledge(runtime: Runtime) -> None:
    """Wire knowledge and memory."""
    embedder = LocalEmbedder()
    bus, desk, embedding = runtime.bus, Knowledge(runtime, embedder), Embedding(runtime, embedder)
    bus.serve(subjects.ADD_DOCUMENT, desk.add)
    bus.serve(subjects.DOCUMENTS, desk.list)
    bus.serve(subjects.DOCUMENT, desk.get)
    bus.serve(subjects.DROP_DOCUMENT, desk.drop)
    bus.serve(subjects.SEARCH_KNOWLEDGE, desk.search)
    bus.serve(subjects.EMBED, Meaning(embedder).embed)
    bus.on(subjects.FINDING_DECIDED, desk.decided)
    bus.serve(subjects.REMEMBER, desk.remember)
    bus.serve(subjects.MEMORIES, desk.memories)
    bus.serve(subjects.FORGET_MEMORY, desk.forget)
    bus.serve(subjects.ERASE_MEMORIES, desk.erase)
    runtime.loop("embedding", embedding.run)
    runtime.after_start.append(embedding.all_again)
