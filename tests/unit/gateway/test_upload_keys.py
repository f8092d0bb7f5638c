"""An `Idempotency-Key` on a POST that brings a file: the same file again is answered as before, another one is refused."""

from __future__ import annotations

from typing import Any

import httpx

from libs.contracts.enrichment import Enriched
from libs.contracts.errors import Busy
from libs.contracts.subjects import ENRICH
from tests.unit.gateway.fake_site import Site, problem

PATH = "/api/v1/targeting/enrichment"
FORM = {"adapter": "web_form", "lawful_basis": "consent", "obtained_on": "2026-11-01"}


def filled(request: Any) -> Enriched:
    return Enriched(batch_id=request.batch_id, rows=1, matched=1, facts={"applied": 1}, refused=0)


async def enrich(
    site: Site, who: dict[str, str], key: str | None, content: bytes = b"a,b", **form: str
) -> httpx.Response:
    headers = {**who, **({"Idempotency-Key": key} if key is not None else {})}
    return await site.client.post(PATH, headers=headers, files={"file": ("f.csv", content)}, data={**FORM, **form})


async def test_a_file_that_fills_in_records_counts_once_under_its_key(site: Site) -> None:
    site.planes.answer(ENRICH, filled)
    owner = await site.bearer("owner")
    first, again = await enrich(site, owner, "k"), await enrich(site, owner, "k")
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    assert "idempotent-replayed" not in first.headers and again.headers["idempotent-replayed"] == "true"
    assert len(site.planes.requests(ENRICH)) == 1
    problem(await enrich(site, owner, "k", b"c,d"), 422, "idempotency_mismatch")
    problem(await enrich(site, owner, "k", licence="open"), 422, "idempotency_mismatch")
    assert len(site.planes.requests(ENRICH)) == 1


async def test_without_a_key_each_file_is_one_of_its_own(site: Site) -> None:
    site.planes.answer(ENRICH, filled)
    owner = await site.bearer("owner")
    assert len({(await enrich(site, owner, None)).json()["batch_id"] for _ in range(2)}) == 2


async def test_a_file_that_was_not_taken_leaves_its_key_free_for_the_next_try(site: Site) -> None:
    def busy(_: Any) -> Enriched:
        raise Busy("Later.", "لاحقًا.")

    site.planes.answer(ENRICH, busy)
    owner = await site.bearer("owner")
    problem(await enrich(site, owner, "k"), 429, "busy")
    site.planes.answer(ENRICH, filled)
    assert (await enrich(site, owner, "k")).status_code == 200
    assert len(site.planes.requests(ENRICH)) == 2
