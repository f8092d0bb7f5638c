"""Knowledge and memory over HTTP on real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from libs.contracts.errors import NotFound, RemoteFault
from libs.contracts.knowledge import DocumentGet, KnowledgeSearch
from libs.contracts.message import Plane, Principal, PrincipalKind
from libs.contracts.subjects import DOCUMENT, SEARCH_KNOWLEDGE
from libs.runtime.erasure import sweep
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
GUIDE = """# دليل الخدمة
## الإلغاء والاسترجاع
يحق للعميل إنهاء الاشتراك خلال 14 يومًا من بدايته ويُعاد إليه كامل المبلغ.
## Support hours
Our desk answers from Sunday to Thursday, nine to five, Riyadh time.
## الفوترة
تصدر الفاتورة الضريبية في أول كل شهر.
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(
        tmp_path_factory.mktemp("knowledge"), Plane.TRUST, Plane.DATA, Plane.OPERATING, Plane.GATEWAY
    ) as made:
        yield made


async def _add(running: Served, content: bytes, name: str, **headers: str) -> Any:
    return await running.http.post(
        f"{API}/knowledge/documents", files={"file": (name, content)}, data={"source": "handbook 2026"}, headers=headers
    )


async def _search(running: Served, q: str) -> list[dict[str, Any]]:
    answer = await running.http.get(f"{API}/knowledge/search", params={"q": q})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_document_is_found_by_words_and_by_meaning_with_its_source(running: Served) -> None:
    added = await _add(running, GUIDE.encode(), "guide.md")
    assert added.status_code == 201, added.text
    document = added.json()
    assert document["chunks"] == 3
    again = await _add(running, GUIDE.encode(), "copy.md")
    assert again.json()["document_id"] == document["document_id"]

    first = (await _search(running, "متي الالغاء و الاسترجاع"))[0]
    assert (
        first["heading"] == "الإلغاء والاسترجاع" and first["source"] == "handbook 2026" and "words" in first["found_by"]
    )

    async def embedded() -> bool:
        found = (await running.http.get(f"{API}/knowledge/documents/{document['document_id']}")).json()
        return bool(found["embedded"] == 3)

    await eventually(60, embedded)
    meant = (await _search(running, "when can I call you"))[0]
    assert meant["heading"] == "Support hours" and "meaning" in meant["found_by"]


async def test_another_tenant_finds_nothing_of_it(running: Served) -> None:
    mine = (await _search(running, "الفاتورة الضريبية"))[0]
    other = Principal(id="user:x", kind=PrincipalKind.USER, tenant_id=uuid4(), roles=("owner",))
    async with running.system.bus(Plane.GATEWAY) as bus:
        found = await bus.call(SEARCH_KNOWLEDGE, KnowledgeSearch(principal=other, q="الفاتورة الضريبية"))
        assert found.items == ()
        with pytest.raises((RemoteFault, NotFound)):
            await bus.call(DOCUMENT, DocumentGet(principal=other, document_id=mine["document_id"]))


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"<html><script>x()</script></html>", "a.html", "document_script"),
        (b"#!/bin/sh", "a.txt", "document_script"),
        (b"\x89PNG\x00", "a.png", "document_unknown"),
        (b" ", "a.txt", "document_empty"),
    ],
)
async def test_what_is_no_document_is_refused_in_both_languages(
    running: Served, content: bytes, name: str, code: str
) -> None:
    answer = await _add(running, content, name)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    arabic = await _add(running, content, name, **{"Accept-Language": "ar"})
    assert arabic.json()["detail"] != answer.json()["detail"]


async def test_a_question_without_end_is_refused(running: Served) -> None:
    answer = await running.http.get(f"{API}/knowledge/search", params={"q": "س" * 10_000})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_query")


async def test_a_person_erased_from_a_passage_is_gone_from_what_was_made_of_it(running: Served) -> None:
    document = (await _add(running, b"Ask Nawaf Alqahtani about rebates.", "rebates.txt")).json()["document_id"]
    tenant = UUID((await running.http.get(f"{API}/me")).json()["tenant_id"])
    async with running.system.runtime(Plane.DATA).database.batch(tenant) as work:
        assert (await sweep(work.connection, Plane.DATA, tenant, ["Nawaf Alqahtani"]))["chunks"] == 1
        row = await work.connection.fetchrow(
            "select folded, embedding from data.chunks where document_id = $1", UUID(document)
        )
        assert (row["folded"], row["embedding"]) == ("", None)

    async def found_again() -> bool:
        return any(
            "[erased]" in one["text"] and "words" in one["found_by"] for one in await _search(running, "rebates")
        )

    await eventually(30, found_again)
    assert not any("Nawaf" in one["text"] for one in await _search(running, "Nawaf Alqahtani"))


async def test_an_erased_document_is_found_no_more(running: Served) -> None:
    added = (await _add(running, b"Zanzibar tariffs apply.", "z.txt")).json()
    assert any("Zanzibar" in one["text"] for one in await _search(running, "Zanzibar"))
    path = f"{API}/knowledge/documents/{added['document_id']}"
    assert (await running.http.delete(path)).status_code == 204
    assert not any("Zanzibar" in one["text"] for one in await _search(running, "Zanzibar"))
    assert (await running.http.delete(path)).status_code == 404


async def test_a_memory_has_an_origin_ends_and_is_erased(running: Served) -> None:
    subject = f"account:{uuid4()}"
    body = {"subject": subject, "text": "يفضّل الاتصال صباحًا", "source": "call 12 March"}
    made = await running.http.post(f"{API}/memories", json=body)
    assert made.status_code == 201 and made.json()["source"] == "call 12 March" and made.json()["noted_by"]
    assert (await running.http.post(f"{API}/memories", json={**body, "source": ""})).status_code == 422
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert (await running.http.post(f"{API}/memories", json={**body, "expires_at": past})).json()[
        "code"
    ] == "bad_expiry"
    listed = (await running.http.get(f"{API}/memories", params={"subject": subject})).json()["items"]
    assert [one["memory_id"] for one in listed] == [made.json()["memory_id"]]
    assert (await running.http.delete(f"{API}/memories/subjects/{subject}")).json() == {"erased": 1}
    assert (await running.http.get(f"{API}/memories", params={"subject": subject})).json()["items"] == []
