"""Canaries as a page and over HTTP: who may do what, and what reaches execution."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.canaries import CanariesReply, Canary, CanaryChange, CanaryKind, CanaryState, Counts, Guardrails
from libs.contracts.message import new_id
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
AT = datetime(2026, 11, 21, tzinfo=UTC)
BASE = "/api/v1/canaries"
BODY = {"kind": "connector", "target": "slack", "version": "2", "percent": 10}


def canary(**changes: Any) -> Canary:
    base = Canary(
        canary_id=new_id(), tenant_id=new_id(), kind=CanaryKind.CONNECTOR, target="slack", version="2<b>", percent=10,
        state=CanaryState.RUNNING, guardrails=Guardrails(), canary=Counts(runs=60, errors=7), baseline=Counts(runs=500), reason="",
        started_by="user:1", started_at=AT, changed_by="user:1", changed_at=AT,
    )  # fmt: skip
    made: Canary = base.evolve(**changes)
    return made


@pytest.mark.parametrize(
    ("role", "changes"),
    [("owner", True), ("admin", True), ("operator", True), ("member", False), ("auditor", False), ("approver", False)],
)
async def test_whoever_runs_the_system_starts_and_ends_canaries_and_others_read(
    site: Site, role: str, changes: bool
) -> None:
    found = canary()
    site.planes.answer(subjects.CANARIES, CanariesReply(items=(found,)))
    site.planes.answer(subjects.START_CANARY, found)
    site.planes.answer(subjects.CHANGE_CANARY, found)
    who, path = await site.bearer(role), f"{BASE}/{found.canary_id}"
    answers = (
        await site.client.post(BASE, json=BODY, headers=who),
        await site.client.post(f"{path}/promote", json={}, headers=who),
        await site.client.post(f"{path}/stop", json={}, headers=who),
        await site.client.post(f"{path}/resize", json={"percent": 20}, headers=who),
    )
    assert [answer.status_code < 300 for answer in answers] == [changes] * 4
    assert (await site.client.get(BASE, headers=who)).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"percent": 0}, {"percent": 101}, {"kind": "policy"}, {"target": "../x y"}, {"version": ""}, {"more": 1}]
)
async def test_what_makes_no_sense_never_reaches_execution(site: Site, wrong: dict[str, Any]) -> None:
    answer = await site.client.post(BASE, json={**BODY, **wrong}, headers=await site.bearer("owner"))
    assert answer.status_code == 422
    assert not site.planes.requests(subjects.START_CANARY)


async def test_guardrails_that_are_left_out_have_their_defaults(site: Site) -> None:
    site.planes.answer(subjects.START_CANARY, canary())
    body = {**BODY, "guardrails": {"min_runs": 80}}
    assert (await site.client.post(BASE, json=body, headers=await site.bearer("owner"))).status_code == 201
    (asked,) = site.planes.requests(subjects.START_CANARY)
    assert asked.guardrails == Guardrails(min_runs=80)


async def test_the_page_shows_both_groups_escaped_and_an_auditor_no_form(site: Site) -> None:
    running, ended = canary(), canary(state=CanaryState.ROLLED_BACK, why="error_rate")
    site.planes.answer(subjects.CANARIES, CanariesReply(items=(running, ended)))
    await enter(site, "auditor")
    page = (await site.client.get("/console/canaries")).text
    assert "2&lt;b&gt;" in page and "2<b>" not in page
    assert "التشغيلات 60، الأخطاء 7" in page and "أخطاء أكثر من البقية" in page
    assert "/stop" not in page


async def test_an_operator_stops_one_from_the_page(site: Site) -> None:
    running = canary()
    site.planes.answer(subjects.CANARIES, CanariesReply(items=(running,)))
    site.planes.answer(subjects.CHANGE_CANARY, running)
    token = await enter(site, "operator")
    page = (await site.client.get("/console/canaries")).text
    assert f"/console/canaries/{running.canary_id}/stop" in page
    form = {"reason": "worse", "csrf": token}
    answer = await site.client.post(f"/console/canaries/{running.canary_id}/stop", data=form)
    assert answer.status_code == 303
    (asked,) = site.planes.requests(subjects.CHANGE_CANARY)
    assert (asked.change, asked.reason) == (CanaryChange.STOP, "worse")
