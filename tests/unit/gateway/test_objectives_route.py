"""`/slo` shows what operating says, counted by state."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.contracts import subjects
from libs.contracts.slos import SlosReply, SloStanding
from tests.unit.gateway.fake_site import Site

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)


def standing(name: str, state: str) -> SloStanding:
    return SloStanding(
        name=name,
        kind="ratio",
        owner="operations",
        en="x",
        ar="س",
        state=state,
        objective=0.999,
        seconds=None,
        limit=None,
        for_minutes=None,
    )


async def test_objectives_are_shown_with_how_many_are_in_which_state(site: Site) -> None:
    site.planes.answer(
        subjects.SLOS, SlosReply(at=AT, items=(standing("a", "ok"), standing("b", "burning"), standing("c", "unknown")))
    )
    found = (await site.client.get("/api/v1/slo", headers=await site.bearer("auditor"))).json()
    assert found["counts"] == {"ok": 1, "burning": 1, "unknown": 1}
    assert [one["name"] for one in found["items"]] == ["a", "b", "c"]
    assert found["at"].startswith("2026-11-21T09:00:00")


async def test_objectives_are_for_whoever_signed_in(site: Site) -> None:
    assert (await site.client.get("/api/v1/slo")).status_code == 401
