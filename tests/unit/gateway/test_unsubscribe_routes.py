"""The way out: no sign-in, a page that asks, and a POST that acts."""

from __future__ import annotations

import pytest

from libs.contracts import subjects
from libs.contracts.consent import UnsubscribeReply
from libs.contracts.errors import NotFound
from libs.contracts.message import new_id
from tests.unit.gateway.fake_site import Site, problem

pytestmark = pytest.mark.asyncio


def reply(request: object) -> UnsubscribeReply:
    return UnsubscribeReply(tenant_id=new_id(), channel="email", done=bool(getattr(request, "confirmed", False)))


async def test_opening_a_link_asks_and_posting_it_stops(site: Site) -> None:
    site.planes.answer(subjects.UNSUBSCRIBE, reply)
    page = await site.client.get("/u/abc")
    assert page.status_code == 200
    assert 'action="/u/abc"' in page.text
    assert [r.confirmed for r in site.planes.requests(subjects.UNSUBSCRIBE)] == [False]
    done = await site.client.post("/u/abc", data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert [r.confirmed for r in site.planes.requests(subjects.UNSUBSCRIBE)] == [False, True]


async def test_a_post_that_is_no_one_click_changes_nothing(site: Site) -> None:
    for body in ({}, {"List-Unsubscribe": "one"}, {"other": "One-Click"}):
        problem(await site.client.post("/u/abc", data=body), 422, "one_click_missing")
    assert site.planes.asked == []


async def test_a_token_cannot_break_out_of_the_page(site: Site) -> None:
    site.planes.answer(subjects.UNSUBSCRIBE, reply)
    page = await site.client.get("/u/%22%3E%3Cscript%3E")
    assert "<script" not in page.text


async def test_a_link_that_is_none_is_not_found(site: Site) -> None:
    site.planes.answer(subjects.UNSUBSCRIBE, NotFound())
    assert (await site.client.get("/u/abc")).status_code == 404


async def test_a_page_of_another_site_cannot_post_in_a_readers_name(site: Site) -> None:
    """RFC 8058 requests come from servers: a browser that says it comes from elsewhere is refused."""
    site.planes.answer(subjects.UNSUBSCRIBE, reply)
    body, headers = {"List-Unsubscribe": "One-Click"}, {"Origin": "https://elsewhere.example"}
    assert (await site.client.post("/u/abc", data=body, headers=headers)).status_code == 403
    assert site.planes.asked == []
