"""The operations hub gathers what needs somebody; what could not be read is unknown, and what a role may not see is hidden."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.dead_events import DeadEventsReply
from libs.contracts.dead_letters import DeadLettersReply
from libs.contracts.errors import CallTimeout, Forbidden
from libs.contracts.flows import Flow, FlowsReply, FlowsRequest, FlowStatus
from libs.contracts.incidents import Incident, IncidentDetail, IncidentKind, IncidentsReply, Severity
from libs.contracts.message import Plane, Text, new_id
from libs.contracts.operating import ControlListReply, ControlState, HealthReply, PlaneHealth
from libs.contracts.recoveries import RecoveriesReply, Recovery
from libs.contracts.slos import SloReading, SlosReply, SloStanding
from libs.contracts.trust import ApprovalsReply, ApprovalsRequest
from services.gateway.operations import PARTS
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_gateway_surface import approval

PATH = "/api/v1/operations"
AT = datetime(2026, 11, 21, 9, tzinfo=UTC)


def plane(name: Plane, status: str = "ok", version: str = "0.1.0") -> PlaneHealth:
    return PlaneHealth(plane=name, status=status, instances=1, version=version, last_seen_at=AT)


def slo(name: str, state: str, **more: Any) -> SloStanding:
    values: dict[str, Any] = {
        "name": name, "kind": "ratio", "owner": "operations", "en": name, "ar": "هدف", "state": state, "objective": 0.999, "seconds": None,
        "limit": None, "for_minutes": None,
    }  # fmt: skip
    return SloStanding(**{**values, **more})


def flow(status: FlowStatus) -> Flow:
    return Flow(
        flow_id=new_id(), tenant_id=new_id(), flow="signature", version=1, status=status, seq=1, state={}, started_by="user:1", created_at=AT,
        updated_at=AT,
    )  # fmt: skip


def incident(**more: Any) -> Incident:
    values: dict[str, Any] = {
        "incident_id": new_id(), "kind": IncidentKind.OUTAGE, "severity": Severity.PAGE, "subject": "planes",
        "title": Text(en="Planes did not answer", ar="خدمات لم تجب"), "opened_at": AT, "own": False,
    }  # fmt: skip
    return Incident(**{**values, **more})


def well(site: Site) -> None:
    """Every plane answers and nothing waits."""
    now = site.gateway.now()
    site.planes.answer(subjects.INCIDENTS, IncidentsReply(items=()))
    level = slo(
        "outbox_lag",
        "ok",
        kind="level",
        limit=1000.0,
        for_minutes=10,
        readings=(SloReading(plane=Plane.TRUST, value=3, at=now, over_since=None),),
    )
    site.planes.answer(
        subjects.SLOS, SlosReply(at=now, items=(slo("a", "ok", budget_left=0.5), slo("quiet", "unknown"), level))
    )
    site.planes.answer(subjects.PLANES, HealthReply(planes=tuple(plane(one) for one in Plane)))
    site.planes.answer(subjects.FLOWS, FlowsReply(items=()))
    site.planes.answer(subjects.APPROVALS, ApprovalsReply(items=(approval(due_at=now + timedelta(hours=1)),)))
    site.planes.answer(subjects.DEAD_LETTERS, DeadLettersReply(items=()))
    site.planes.answer(subjects.DEAD_EVENTS, DeadEventsReply(items=()))
    site.planes.answer(subjects.CONTROLS, ControlListReply(items=()))
    made = [
        Recovery(kind=kind, digest="d" * 64, at=now - timedelta(hours=2), rows=1, leaves=1, by="x")
        for kind in ("backup", "restore_test")
    ]
    site.planes.answer(subjects.RECOVERIES, RecoveriesReply(items=tuple(made)))


async def hub(site: Site, role: str = "owner") -> dict[str, Any]:
    found: dict[str, Any] = (await site.client.get(PATH, headers=await site.bearer(role))).json()
    return {**found, "parts": {one["name"]: one for one in found["parts"]}}


async def test_where_all_is_well_it_says_so(site: Site) -> None:
    well(site)
    found = await hub(site)
    assert found["state"] == "ok"
    assert {name: one["state"] for name, one in found["parts"].items()} == {part[1]: "ok" for part in PARTS}


async def test_every_part_says_what_needs_somebody(site: Site) -> None:
    now = site.gateway.now()
    level = slo(
        "outbox_lag",
        "breached",
        kind="level",
        limit=10.0,
        for_minutes=1,
        readings=(SloReading(plane=Plane.TRUST, value=99, at=now, over_since=AT),),
    )
    old = Recovery(kind="backup", digest="d" * 64, at=now - timedelta(days=3), rows=1, leaves=1, by="x")
    paused = ControlState(
        scope="all",
        target="*",
        paused=True,
        version=1,
        changed_by="user:1",
        changed_at=AT,
        acknowledged={"execution": True},
    )

    def stuck(request: FlowsRequest) -> FlowsReply:
        return FlowsReply(items=(flow(request.status),) if request.status is FlowStatus.NEEDS_ATTENTION else ())

    well(site)
    site.planes.answer(subjects.INCIDENTS, IncidentsReply(items=(incident(),)))
    site.planes.answer(subjects.SLOS, SlosReply(at=now, items=(slo("a", "burning", budget_left=-1.0), level)))
    site.planes.answer(subjects.PLANES, HealthReply(planes=(plane(Plane.DATA), plane(Plane.TRUST, "down", "0.0.9"))))
    site.planes.answer(subjects.FLOWS, stuck)
    site.planes.answer(subjects.APPROVALS, ApprovalsReply(items=(approval(due_at=AT),)))
    site.planes.answer(subjects.CONTROLS, ControlListReply(items=(paused,)))
    site.planes.answer(subjects.RECOVERIES, RecoveriesReply(items=(old,)))
    found = await hub(site)
    counts = {name: one["count"] for name, one in found["parts"].items()}
    assert counts == {
        "incidents": 1, "alerts": 2, "planes": 2, "queues": 1, "flows": 1, "sla_breaches": 1, "dead_letters": 0, "dead_events": 0, "paused": 1,
        "backups": 2,
    }  # fmt: skip
    assert found["state"] == "attention"
    assert found["parts"]["flows"]["lines"][0]["label"]["ar"] != "signature"
    assert "versions" in {line["name"] for line in found["parts"]["planes"]["lines"]}


@pytest.mark.parametrize("part", [part[1] for part in PARTS])
async def test_what_does_not_answer_is_unknown_and_leaves_the_others(site: Site, part: str) -> None:
    asked: dict[str, Any] = {
        "incidents": subjects.INCIDENTS, "alerts": subjects.SLOS, "planes": subjects.PLANES, "queues": subjects.SLOS, "flows": subjects.FLOWS,
        "sla_breaches": subjects.APPROVALS, "dead_letters": subjects.DEAD_LETTERS, "dead_events": subjects.DEAD_EVENTS, "paused": subjects.CONTROLS,
        "backups": subjects.RECOVERIES,
    }  # fmt: skip
    well(site)
    site.planes.answer(asked[part], CallTimeout(asked[part].subject))
    found = await hub(site)
    assert (found["state"], found["parts"][part]["state"], found["parts"][part]["count"]) == (
        "unknown",
        "unknown",
        None,
    )
    assert found["parts"][part]["why"]["ar"]
    same = {"alerts", "queues"} if part in ("alerts", "queues") else {part}
    assert {name for name, one in found["parts"].items() if one["state"] == "unknown"} == same


async def test_an_old_approval_past_its_time_is_found_behind_many_new_ones(site: Site) -> None:
    now = site.gateway.now()
    new, old = approval(due_at=now + timedelta(hours=1)), approval(due_at=AT)

    def paged(request: ApprovalsRequest) -> ApprovalsReply:
        return ApprovalsReply(items=(old,)) if request.page.cursor else ApprovalsReply(items=(new,), next_cursor="more")

    well(site)
    site.planes.answer(subjects.APPROVALS, paged)
    found = (await hub(site))["parts"]["sla_breaches"]
    assert (found["state"], found["count"], found["at_least"]) == ("attention", 1, False)


async def test_approvals_that_nobody_looked_through_are_not_taken_for_well(site: Site) -> None:
    later = approval(due_at=site.gateway.now() + timedelta(hours=1))
    well(site)
    site.planes.answer(subjects.APPROVALS, ApprovalsReply(items=(later,), next_cursor="more"))
    found = (await hub(site))["parts"]["sla_breaches"]
    assert (found["state"], found["count"]) == ("unknown", 0)
    site.planes.answer(subjects.APPROVALS, ApprovalsReply(items=(approval(due_at=AT),), next_cursor="more"))
    found = (await hub(site))["parts"]["sla_breaches"]
    assert (found["state"], found["at_least"]) == ("attention", True)


async def test_what_a_role_may_not_see_is_hidden_and_not_an_outage(site: Site) -> None:
    well(site)
    site.planes.answer(subjects.RECOVERIES, Forbidden())
    found = await hub(site, "member")
    assert (found["state"], found["parts"]["backups"]["state"]) == ("ok", "hidden")


async def test_without_any_count_alerts_are_not_known(site: Site) -> None:
    well(site)
    level = slo("outbox_lag", "ok", kind="level", limit=10.0, for_minutes=1)
    site.planes.answer(subjects.SLOS, SlosReply(at=AT, items=(slo("a", "unknown"), level)))
    found = await hub(site)
    assert found["parts"]["alerts"]["state"] == "unknown", "a queue that is short says nothing of failures"


# -- incidents ---------------------------------------------------------------------------------------------------------


async def test_incidents_are_read_by_all_and_written_by_who_operates(site: Site) -> None:
    detail = IncidentDetail(incident=incident(own=True), timeline=())
    for call in (subjects.INCIDENT, subjects.REPORT_INCIDENT, subjects.NOTE_INCIDENT):
        site.planes.answer(call, detail)
    site.planes.answer(subjects.INCIDENTS, IncidentsReply(items=(incident(),)))
    base, who = "/api/v1/incidents", await site.bearer("operator")
    assert len((await site.client.get(f"{base}?open=true", headers=await site.bearer("member"))).json()["items"]) == 1
    assert site.planes.requests(subjects.INCIDENTS)[0].open is True
    made = await site.client.post(base, json={"title": "A lost laptop", "severity": "page"}, headers=who)
    assert made.status_code == 201
    noted = await site.client.post(f"{base}/{new_id()}/notes", json={"note": "Found", "end": True}, headers=who)
    assert noted.status_code == 200
    assert site.planes.requests(subjects.NOTE_INCIDENT)[0].end is True
    assert (await site.client.post(base, json={"title": ""}, headers=who)).status_code == 422
    for role in ("member", "auditor"):
        refused = await site.client.post(base, json={"title": "x"}, headers=await site.bearer(role))
        assert refused.status_code == 403
