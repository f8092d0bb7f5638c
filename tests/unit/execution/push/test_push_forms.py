"""What is written for other systems: one message the same at every try, and no entry that could pass for two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from cloudevents.core.v1.event import CloudEvent

from libs.contracts.catalogue.webhook_events import families, known, wanted
from libs.contracts.push import Form
from libs.contracts.trust import LedgerEntry
from services.execution.push.domain.forms import ALLOWED, CONTENT_TYPES, body, content

TENANT = UUID("018f7f9e-0000-7000-8000-000000000001")


def entry(seq: int = 7, **changes: Any) -> LedgerEntry:
    base = LedgerEntry(
        entry_id=UUID(int=seq), tenant_id=TENANT, kind="approval.requested", actor="user:1", target="action:9",
        at=datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC), data={"outcome": "refused", "b": 1, "a": "نص"}, seq=seq, leaf_hash="ab",
    )  # fmt: skip
    changed: LedgerEntry = base.evolve(**changes)
    return changed


@pytest.mark.parametrize("form", list(Form))
def test_the_same_entries_give_the_same_bytes(form: Form) -> None:
    first = body(form, content(form, [entry()]))
    again = body(form, orjson.loads(orjson.dumps(content(form, [entry()]))))
    assert first == again
    assert form in CONTENT_TYPES
    assert sum(form in forms for forms in ALLOWED.values()) == 1


def test_a_webhook_has_the_fields_that_the_specification_names() -> None:
    read = orjson.loads(body(Form.JSON, content(Form.JSON, [entry()])))
    assert (read["type"], read["timestamp"]) == ("approval.requested", "2026-11-21T12:00:00.123456Z")
    assert (read["data"]["seq"], read["data"]["data"]["a"]) == (7, "نص")


def test_every_cloud_event_passes_the_sdk() -> None:
    for event in orjson.loads(body(Form.CLOUDEVENTS, content(Form.CLOUDEVENTS, [entry(1), entry(2)]))):
        data = event.pop("data")
        CloudEvent({**event, "time": datetime.fromisoformat(event["time"])}, data)


def test_lines_are_one_an_entry() -> None:
    lines = body(Form.JSONL, content(Form.JSONL, [entry(1), entry(2)])).decode().splitlines()
    assert [orjson.loads(line)["seq"] for line in lines] == [1, 2]


def test_a_cef_line_escapes_what_would_end_a_field_or_the_line() -> None:
    hostile = entry(kind="approval.a|b", actor="x\ny=z\\", data={"outcome": "a\r\nCEF:0|forged|", "q": "k=v"})
    (line,) = content(Form.CEF, [hostile])
    text = body(Form.CEF, [line]).decode()
    assert text.count("\n") == 1
    header = text.split("|")
    assert header[:4] == ["CEF:0", "Dealix", "Dealix", "1"]
    assert "approval.a\\|b" in text
    assert "suser=x y\\=z\\\\ request=" in text
    assert "outcome=a  CEF:0|forged| cs1Label" in text


def test_severity_tells_what_went_wrong_from_what_went_well() -> None:
    def severity(**changes: Any) -> str:
        (line,) = content(Form.CEF, [entry(**changes)])
        return str(line).split("|")[6]

    assert severity(data={"outcome": "succeeded"}) == "3"
    assert severity(data={"outcome": "refused"}) == "5"
    assert severity(kind="reconciliation.orphan_effect") == "8"


def test_lines_that_are_no_list_are_not_written() -> None:
    with pytest.raises(TypeError):
        body(Form.JSONL, {"a": 1})


@pytest.mark.parametrize(
    ("pattern", "kind", "fits"),
    [
        ("*", "anything.at_all", True),
        ("approval.*", "approval.requested", True),
        ("approval.*", "approvals.requested", False),
        ("approval.requested", "approval.requested", True),
        ("approval.requested", "approval.rejected", False),
        ("flag.*", "flag_changed", True),
        ("flag_changed", "flag_changed", True),
        ("decision", "decision", True),
        ("decision", "decision.other", False),
    ],
)
def test_what_was_asked_for_is_what_comes(pattern: str, kind: str, fits: bool) -> None:
    assert wanted(kind, [pattern]) is fits


def test_names_that_lead_nowhere_are_known_as_such() -> None:
    assert all(known(name) and known(f"{name}.*") for name in families())
    assert known("*")
    assert not known("aproval.*")
    assert not known("nothing")
    assert all(family.en and family.ar for family in families().values())
