"""The operations room shows what needs somebody, escaped and in the reader's language; only who operates is offered a form."""

from __future__ import annotations

from datetime import timedelta

import pytest

from libs.contracts import subjects
from libs.contracts.errors import CallTimeout, Forbidden
from libs.contracts.incidents import IncidentDetail, IncidentEntry, IncidentKind, IncidentsReply
from libs.contracts.message import Text, new_id
from services.gateway.console.urls import url
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter
from tests.unit.gateway.test_operations import AT, incident, well

PAGE = "/console/operations"
EVIL = "<script>alert(1)</script>"


def own(**more: object) -> IncidentDetail:
    made = incident(own=True, kind=IncidentKind.REPORTED, title=Text(en=EVIL, ar=EVIL), **more)
    entries = (
        IncidentEntry(at=AT, kind="note", by="user:1", en=EVIL, ar=EVIL),
        IncidentEntry(at=AT, kind="of_a_newer_release", by="system", en="x", ar="س"),
    )
    return IncidentDetail(incident=made, timeline=entries)


@pytest.mark.parametrize(
    ("role", "offered"), [("owner", True), ("operator", True), ("member", False), ("auditor", False)]
)
async def test_who_operates_is_offered_a_form_and_the_others_look(site: Site, role: str, offered: bool) -> None:
    well(site)
    await enter(site, role)
    text = (await site.client.get(PAGE)).text
    assert ("سجّل حادثًا" in text) is offered
    assert "غرفة التشغيل" in text
    assert "الثقة" in text


async def test_what_waits_leads_to_its_place_and_silence_is_said(site: Site) -> None:
    well(site)
    open_one = incident()
    site.planes.answer(subjects.INCIDENTS, IncidentsReply(items=(open_one,), next_cursor="more"))
    site.planes.answer(subjects.FLOWS, CallTimeout("execution.flows.v1"))
    site.planes.answer(subjects.RECOVERIES, Forbidden())
    await enter(site, "member")
    text = (await site.client.get(PAGE)).text
    assert url("incident", str(open_one.incident_id)) in text
    for said in ("يحتاج متابعة: 1+", "غير معروف", "لا يظهر لدورك", "عاجل"):
        assert said in text, said


async def test_an_incident_is_shown_escaped_and_ended_by_who_owns_it(site: Site) -> None:
    detail = own()
    for call in (subjects.INCIDENT, subjects.NOTE_INCIDENT, subjects.REPORT_INCIDENT):
        site.planes.answer(call, detail)
    well(site)
    token = await enter(site, "owner")
    where = url("incident", str(detail.incident.incident_id))
    text = (await site.client.get(where)).text
    assert EVIL not in text
    assert "انتهى الحادث" in text
    done = await site.client.post(f"{where}/notes", data={"note": "Found", "end": "yes", "csrf": token})
    assert (done.status_code, done.headers["location"]) == (303, where)
    (asked,) = site.planes.requests(subjects.NOTE_INCIDENT)
    assert (asked.note, asked.end) == ("Found", True)
    empty = await site.client.post(f"{where}/notes", data={"note": " ", "csrf": token})
    assert (empty.status_code, "اكتب الملاحظة" in empty.text) == (422, True)
    made = await site.client.post(url("incident_report"), data={"title": "x", "severity": "page", "csrf": token})
    assert made.status_code == 303
    assert (await site.client.post(url("incident_report"), data={"title": "", "csrf": token})).status_code == 422


async def test_the_systems_incident_and_one_that_is_over_offer_no_end(site: Site) -> None:
    well(site)
    await enter(site, "owner")
    for detail in (IncidentDetail(incident=incident(), timeline=()), own(ended_at=AT + timedelta(hours=1))):
        site.planes.answer(subjects.INCIDENT, detail)
        text = (await site.client.get(url("incident", str(new_id())))).text
        assert "انتهى الحادث" not in text
        assert "أضف إلى التسلسل" in text
