"""The radar is data that earns its rings, and its criteria are held against what is counted, never guessed."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from libs.contracts import subjects
from libs.contracts.catalogue.radar import Criterion, Fact, RadarEntry, Ring, radar
from libs.contracts.data import ImportCounts, ImportsReply, ImportState, ImportStatus
from libs.contracts.message import new_id
from services.gateway.http.radar import FACTS, shown
from tests.unit.dev.fake_gateway import FakeGateway
from tests.unit.gateway.fake_site import Site

DECISIONS = Path(__file__).resolve().parents[3] / "docs" / "decisions"
WATCHED = [entry for entry in radar().values() if entry.ring is Ring.WATCH]
BASE: dict[str, Any] = {
    "name": "x",
    "ring": "strong",
    "since": "2026-11-21",
    "area": "a",
    "en": "X",
    "ar": "س",
    "adr": "0001",
}


@pytest.mark.parametrize("entry", radar().values(), ids=lambda entry: entry.name)
def test_an_entry_is_said_in_both_languages_and_its_decision_exists(entry: RadarEntry) -> None:
    assert re.search(r"[\u0600-\u06ff]", entry.ar)
    assert entry.adr is None or len(list(DECISIONS.glob(f"{entry.adr}-*.md"))) == 1


def test_what_has_to_be_watched_is_and_what_was_answered_is_on_hold() -> None:
    assert {
        "temporal", "open_policy_agent", "openfga", "vault", "keycloak", "lineage_catalogue", "airbyte", "unstructured", "great_expectations",
    } == {entry.name for entry in WATCHED}  # fmt: skip
    assert {"celery", "redis", "mem0"} == {entry.name for entry in radar().values() if entry.ring is Ring.HOLD}


@pytest.mark.parametrize(
    "wrong",
    [
        {"ring": "core"}, {"ring": "core", "strong_since": "2026-09-21"}, {"ring": "core", "strong_since": "2026-01-01", "adr": None},
        {"ring": "watch"}, {"ring": "strong", "adopt_when": [{"en": "x", "ar": "س"}]},
        {"ring": "watch", "spike": {"en": "x", "ar": "س"}, "adopt_when": [{"en": "x", "ar": "س", "above": 5}]},
    ],
)  # fmt: skip
def test_a_ring_that_was_not_earned_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RadarEntry.model_validate({**BASE, **wrong})


def test_ninety_days_in_strong_and_a_decision_make_it_core() -> None:
    strong = RadarEntry.model_validate(BASE)
    assert strong.core_from == date(2027, 2, 19)
    assert RadarEntry.model_validate({**BASE, "ring": "core", "strong_since": "2026-08-23"}).ring is Ring.CORE
    assert RadarEntry.model_validate({**BASE, "adr": None}).core_from is None


def test_every_fact_is_counted_somewhere_and_asked_for_by_a_criterion() -> None:
    assert set(FACTS) == set(Fact)
    assert {one.fact for entry in WATCHED for one in entry.adopt_when} - {None} == set(Fact)


@pytest.mark.parametrize(
    ("values", "expected"),
    [((6,), "met"), ((5,), "not_met"), ((None,), "unknown"), ((6, None), "unknown"), ((5, None), "not_met")],
)
def test_adoption_needs_every_criterion_and_never_follows_from_what_nobody_counted(
    values: tuple[int | None, ...], expected: str
) -> None:
    facts = dict(zip(Fact, values, strict=False))
    criteria = tuple(Criterion(en="x", ar="س", fact=fact, above=5) for fact in facts)
    entry = RadarEntry.model_validate(
        {**BASE, "ring": "watch", "spike": {"en": "x", "ar": "س"}, "adopt_when": criteria}
    )
    assert shown(entry, facts).adopt == expected


def an_import(source: str) -> ImportStatus:
    return ImportStatus(
        import_id=new_id(), tenant_id=new_id(), file_name="x.csv", source=source, state=ImportState.COMPLETED,
        counts=ImportCounts(), progress=1, started_at="2026-11-21T09:00:00Z",
    )  # fmt: skip


async def test_the_radar_counts_where_planes_answer_and_says_unknown_where_they_do_not(site: Site) -> None:
    lists = tuple(an_import(f"source_{at % 7}") for at in range(10))
    site.planes.answer(subjects.IMPORTS, ImportsReply(items=lists))
    found = (await site.client.get("/api/v1/radar", headers=await site.bearer("member"))).json()
    entries = {one["name"]: one for one in found["items"]}
    (sources,) = entries["airbyte"]["adopt_when"]
    assert (sources["value"], sources["state"], entries["airbyte"]["adopt"]) == (7, "met", "met")
    counted, judged = entries["temporal"]["adopt_when"]
    assert (counted["value"], counted["state"], judged["state"]) == (None, "unknown", "unknown")
    assert counted["why"] != judged["why"]
    assert entries["postgresql"]["adopt"] is None


def test_a_person_reads_the_radar_in_the_terminal() -> None:
    criterion = {"en": "More than 5", "ar": "أكثر من 5", "state": "not_met", "value": 2}
    entry = {
        "name": "airbyte",
        "ring": "watch",
        "since": "2026-11-21",
        "en": "Sources",
        "ar": "مصادر",
        "adopt_when": [criterion],
    }
    gateway = FakeGateway({"GET /radar": {"at": "2026-11-21T09:00:00Z", "items": [entry]}})
    assert "✗ More than 5 (2)" in gateway.types("radar").stdout
    assert "للمتابعة" in gateway.types("radar", "--lang", "ar").stdout
    assert json.loads(gateway.types("radar", "--json").stdout)["items"][0]["name"] == "airbyte"
