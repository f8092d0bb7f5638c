"""A record's timeline holds what other planes did about it, once each, over all its pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from libs.contracts import subjects
from libs.contracts.crm import Happening, Record, RecordsReply, TimelineReply, TimelineRequest
from libs.contracts.errors import Invalid
from libs.contracts.lineage import LineageEdge, LineageNode, LineageReply, LineageRequest
from libs.contracts.message import Plane, new_id
from tests.unit.gateway.fake_site import Site

pytestmark = pytest.mark.asyncio


class Story:
    """An account with one lead: three changes at hours 1, 3 and 5, a draft at 2, its action at 4, whose entry stands at 6."""

    def __init__(self, site: Site) -> None:
        self.now = site.clock()
        self.account, self.lead, self.draft, self.action, self.entry = (new_id() for _ in range(5))
        site.planes.answer(subjects.TIMELINE, self.changes)
        lead = Record(
            kind="lead", id=self.lead, version=1, values={"account_id": str(self.account)}, created_at=self.now, updated_at=self.now
        )  # fmt: skip
        site.planes.answer(subjects.RECORDS, RecordsReply(items=(lead,)))
        for call in subjects.LINEAGE.values():
            site.planes.answer(call, LineageReply(edges=(), titles=()))
        site.planes.answer(subjects.LINEAGE[Plane.DECISION], self.edges(("lead", self.lead, "draft", self.draft, 2), ("draft", self.draft, "action", self.action, 4)))  # fmt: skip
        site.planes.answer(subjects.LINEAGE[Plane.TRUST], self.edges(("action", self.action, "entry", self.entry, 6)))

    def changes(self, request: TimelineRequest) -> TimelineReply:
        every = [
            Happening(at=self.now - timedelta(hours=10 - hour), what="changed", kind="account", record_id=self.account)
            for hour in (5, 3, 1)
        ]
        older = [one for one in every if not request.page.cursor or one.at.isoformat() < request.page.cursor]
        most = request.page.limit
        following = older[most - 1].at.isoformat() if len(older) > most else None
        return TimelineReply(items=tuple(older[:most]), next_cursor=following)

    def edges(self, *known: tuple[str, UUID, str, UUID, int]) -> Callable[[LineageRequest], LineageReply]:
        def answer(request: LineageRequest) -> LineageReply:
            found = tuple(
                LineageEdge(
                    cause=LineageNode(kind=a, id=str(one)), effect=LineageNode(kind=b, id=str(other)), how="recorded_in",
                    at=self.now - timedelta(hours=10 - hour),
                )
                for a, one, b, other, hour in known
                if LineageNode(kind=a, id=str(one)) in request.nodes
            )  # fmt: skip
            return LineageReply(edges=found, titles=())

        return answer


async def test_drafts_actions_and_proof_of_its_leads_stand_in_an_accounts_timeline(site: Site) -> None:
    story = Story(site)
    path = f"/api/v1/accounts/{story.account}/timeline"
    found = (await site.client.get(path, headers=await site.bearer("owner"))).json()["items"]
    assert [one["what"] for one in found] == ["entry", "changed", "action", "changed", "draft", "changed"]
    member = (await site.client.get(path, headers=await site.bearer("operator"))).json()["items"]
    assert [one["what"] for one in member] == ["changed", "action", "changed", "draft", "changed"]


@pytest.mark.parametrize("limit", [1, 2, 4])
async def test_page_by_page_nothing_is_shown_twice_and_nothing_is_left_out(site: Site, limit: int) -> None:
    story = Story(site)
    headers = await site.bearer("owner")
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(12):
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = (
            await site.client.get(f"/api/v1/accounts/{story.account}/timeline", params=params, headers=headers)
        ).json()
        assert len(page["items"]) <= limit
        seen += [one["what"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ["entry", "changed", "action", "changed", "draft", "changed"]


async def test_a_plane_that_is_silent_leaves_out_its_part_alone(site: Site) -> None:
    story = Story(site)
    site.planes.answer(subjects.LINEAGE[Plane.TRUST], Invalid("x", "No.", "لا."))
    path = f"/api/v1/accounts/{story.account}/timeline"
    found = (await site.client.get(path, headers=await site.bearer("owner"))).json()["items"]
    assert [one["what"] for one in found] == ["changed", "action", "changed", "draft", "changed"]
