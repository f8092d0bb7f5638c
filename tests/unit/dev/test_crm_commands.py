"""`dealix crm` and `dealix reviews` against a hand-written gateway."""

import json
from pathlib import Path

import pytest

from tests.unit.dev.fake_gateway import FakeGateway, problem

DEAL = {"id": "d1", "kind": "deal", "title": "صيانة", "stage": "open", "version": 2}
PAIR = {
    "review_id": "r1", "score": 91.0, "why_en": ["the same phone"], "why_ar": ["الرقم نفسه"],
    "left": {"id": "a1", "name": "Rimal"}, "right": {"id": "a2", "name": "Remal"},
}  # fmt: skip


def test_search_shows_what_was_found_and_says_so_when_nothing_was() -> None:
    hit = {"kind": "account", "id": "a1", "title": "شركة رمال", "subtitle": "الرياض", "score": 0.7}
    gateway = FakeGateway({"GET /search": {"items": [hit]}})
    shown = gateway.types("crm", "search", "رمال")
    assert shown.exit_code == 0 and "شركة رمال" in shown.stdout
    assert gateway.asked[0].url.params["q"] == "رمال"
    nothing = FakeGateway({"GET /search": {"items": []}}).types("crm", "search", "x", "--lang", "ar")
    assert "لا نتيجة" in nothing.stdout


def test_a_record_is_shown_with_its_timeline() -> None:
    happened = {
        "at": "2026-11-20T08:00:00Z",
        "what": "moved",
        "kind": "deal",
        "record_id": "d1",
        "title": "صيانة",
        "actor": "سارة",
        "detail": {},
    }
    gateway = FakeGateway({"GET /deals/d1": DEAL, "GET /deals/d1/timeline": {"items": [happened]}})
    shown = gateway.types("crm", "show", "deals", "d1", "--json")
    assert json.loads(shown.stdout)["timeline"][0]["what"] == "moved"


def test_a_move_that_is_refused_fails_with_its_reason() -> None:
    gateway = FakeGateway({"POST /deals/d1/move": problem(422, "reason_needed", "Say why.")})
    refused = gateway.types("crm", "move", "d1", "lost")
    assert refused.exit_code != 0 and "Say why." in refused.stderr
    assert gateway.bodies("POST", "/deals/d1/move") == [{"stage": "lost", "reason": ""}]


def test_a_merge_tells_how_to_take_it_back() -> None:
    gateway = FakeGateway({
        "GET /targeting/reviews": {"items": [PAIR], "next_cursor": None},
        "POST /targeting/reviews/r1/decision": {**PAIR, "merge_id": "m1", "state": "merged"},
        "POST /merges/m1/undo": {"merge_id": "m1"},
    })  # fmt: skip
    assert "the same phone" in gateway.types("reviews", "list").stdout
    assert "dealix reviews undo m1" in gateway.types("reviews", "merge", "r1", "--keep", "a2").stdout
    assert gateway.bodies("POST", "/targeting/reviews/r1/decision") == [{"decision": "merge", "keep_id": "a2"}]
    assert gateway.types("reviews", "undo", "m1").exit_code == 0


def test_an_export_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    import httpx

    gateway = FakeGateway({"GET /export": httpx.Response(200, content=b"PK-zip")})
    to = tmp_path / "all.zip"
    assert gateway.types("crm", "export", "-o", str(to)).exit_code == 0
    assert to.read_bytes() == b"PK-zip"


@pytest.mark.parametrize(
    "command", [("crm", "list", "nonsense"), ("crm", "move", "d1", "sold"), ("crm",), ("reviews",)]
)
def test_what_cannot_be_meant_is_refused(command: tuple[str, ...]) -> None:
    gateway = FakeGateway()
    assert gateway.types(*command).exit_code != 0
    assert gateway.asked == []
