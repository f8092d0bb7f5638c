"""`dealix operations`, `slo` and `incidents` against a hand-written gateway."""

from __future__ import annotations

import json

from libs.contracts.incidents import IncidentKind, Severity
from tests.unit.dev.fake_gateway import FakeGateway, problem

TEXT = {"en": "Planes did not answer", "ar": "خدمات لم تجب"}
INCIDENT = {
    "incident_id": "i1", "kind": IncidentKind.OUTAGE.value, "severity": Severity.PAGE.value, "subject": "planes", "title": TEXT, "own": False,
    "opened_at": "2026-11-21T09:00:00Z", "ended_at": None,
}  # fmt: skip
DETAIL = {
    "incident": INCIDENT,
    "timeline": [
        {
            "at": "2026-11-21T09:00:00Z",
            "kind": "opened",
            "by": "system",
            "en": "No answer from Trust",
            "ar": "لا رد من خدمة الثقة",
        }
    ],
}


def test_what_needs_somebody_is_said_in_both_languages_and_silence_with_its_reason() -> None:
    parts = [
        {"name": "incidents", "label": {"en": "Open incidents", "ar": "حوادث مفتوحة"}, "state": "attention", "count": 2, "at_least": True,
         "lines": [{"label": TEXT, "state": "attention"}]},
        {"name": "flows", "label": {"en": "Flows", "ar": "مسارات"}, "state": "unknown", "count": None, "why": {"en": "No answer.", "ar": "لا رد."}, "lines": []},
    ]  # fmt: skip
    gateway = FakeGateway({"GET /operations": {"at": "2026-11-21T09:00:00Z", "state": "attention", "parts": parts}})
    english = gateway.types("operations").stdout
    for said in ("needs somebody", "2+", "Planes did not answer", "not known", "No answer."):
        assert said in english
    arabic = gateway.types("operations", "--lang", "ar").stdout
    assert "يحتاج متابعة" in arabic
    assert "لا رد." in arabic
    assert json.loads(gateway.types("operations", "--json").stdout)["state"] == "attention"


def test_objectives_show_their_budget_and_none_where_nothing_was_counted() -> None:
    base = {"en": "x", "ar": "س", "good": 99, "bad": 1}
    items = [
        {**base, "name": "a", "state": "burning", "budget_left": 0.25},
        {**base, "name": "b", "state": "unknown", "budget_left": None},
    ]
    shown = FakeGateway({"GET /slo": {"items": items}}).types("slo").stdout
    assert "25%" in shown
    assert "burning" in shown
    assert "not known" in shown


def test_incidents_are_listed_shown_reported_and_noted() -> None:
    gateway = FakeGateway({
        "GET /incidents": {"items": [INCIDENT], "next_cursor": None}, "GET /incidents/i1": DETAIL, "POST /incidents": DETAIL,
        "POST /incidents/i1/notes": problem(403, "system_ends_it", "The system ends it."),
    })  # fmt: skip
    assert "urgent" in gateway.types("incidents", "list", "--open").stdout
    assert gateway.asked[0].url.params["open"].lower() == "true"
    assert "لا رد من خدمة الثقة" in gateway.types("incidents", "show", "i1", "--lang", "ar").stdout
    assert gateway.types("incidents", "report", "A lost laptop", "--urgent").exit_code == 0
    assert gateway.bodies("POST", "/incidents") == [{"title": "A lost laptop", "severity": "page", "note": ""}]
    refused = gateway.types("incidents", "note", "i1", "Enough", "--end")
    assert (refused.exit_code, "The system ends it." in refused.stderr) == (1, True)
    assert gateway.bodies("POST", "/incidents/i1/notes") == [{"note": "Enough", "end": True}]


def test_no_incidents_is_said() -> None:
    assert (
        "No incidents."
        in FakeGateway({"GET /incidents": {"items": [], "next_cursor": None}}).types("incidents", "list").stdout
    )
