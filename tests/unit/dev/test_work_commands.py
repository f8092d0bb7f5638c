"""`dealix work-units`, `proof-pack` and `partners` against a hand-written gateway, with what the planes' own rules make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.dev.fake_gateway import FakeGateway
from tests.unit.gateway.test_partner_pages import ID as PARTNER
from tests.unit.gateway.test_partner_pages import built, revenue, scorecard
from tests.unit.gateway.test_proof_pages import ID as DEAL
from tests.unit.gateway.test_proof_pages import pack


def _json(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.model_dump_json())
    return found


def _work() -> dict[str, Any]:
    whole = _json(pack())
    items = [proof for one in whole["created"]["items"] for proof in one["proofs"]]
    total = {"unit": "draft_created", "title": {"en": "Draft created", "ar": "مسودة أُعدّت"}, "weight": "0.7", "count": 3, "weighted": "2.1", "entries": 1}  # fmt: skip
    return {
        "items": items,
        "next_cursor": "more",
        "totals": [total],
        "weighted": "2.1",
        "since": "x",
        "until": "y",
        "version": "1",
    }


def test_work_is_listed_with_the_entry_that_proves_it_and_how_the_list_goes_on() -> None:
    at = FakeGateway({"GET /revenue-work-units": _work()})
    shown = at.types("work-units", "--unit", "draft_created", "--from", "2026-11-01T00:00:00Z")
    assert shown.exit_code == 0, shown.output
    assert "Draft created" in shown.output and "41" in shown.output and "--cursor" in shown.output
    assert at.asked[0].url.params["unit"] == "draft_created" and at.asked[0].url.params["from"].startswith("2026-11-01")


def test_totals_say_that_weights_are_no_revenue() -> None:
    shown = FakeGateway({"GET /revenue-work-units": _work()}).types("work-units", "--totals", "--lang", "ar")
    assert shown.exit_code == 0 and "مسودة أُعدّت" in shown.output and "ولا تقيس الإيراد" in shown.output


@pytest.mark.parametrize(("lang", "said"), [("en", "Estimate: 20000.00 SAR"), ("ar", "تقدير: 20000.00 SAR")])
def test_a_pack_calls_its_estimate_one_and_names_what_comes_next(lang: str, said: str) -> None:
    at = FakeGateway({"GET /proof-pack": _json(pack())})
    shown = at.types("proof-pack", str(DEAL), "--lang", lang)
    assert shown.exit_code == 0, shown.output
    text = " ".join(shown.output.split())
    assert said in text and ("Next: " if lang == "en" else "الخطوة التالية: ") in text
    assert at.asked[0].url.params["deal_id"] == str(DEAL)


def test_a_pack_without_an_estimate_says_why_and_shows_no_figure() -> None:
    at = FakeGateway({"GET /proof-pack": _json(pack(None).evolve(scope="company", deal_id=None, stage=None))})
    shown = at.types("proof-pack")
    assert shown.exit_code == 0 and "No estimate" in shown.output and "20000" not in shown.output


def test_a_scorecard_shows_health_tier_and_what_was_brought() -> None:
    at = FakeGateway({f"GET /partners/{PARTNER}/scorecard": _json(scorecard())})
    shown = at.types("partners", "scorecard", str(PARTNER))
    assert shown.exit_code == 0, shown.output
    assert (
        "73 of 100, Active" in shown.output and "30000.00" in shown.output and "2 points to Strategic" in shown.output
    )


def test_revenue_is_listed_by_partner() -> None:
    reply = _json(revenue())
    shown = FakeGateway({"GET /partners/revenue": reply}).types("partners", "revenue")
    assert shown.exit_code == 0 and "75%" in shown.output


def test_an_offer_is_sent_only_where_that_is_asked_for() -> None:
    at = FakeGateway({"POST /partners/offers": _json(built())})
    shown = at.types("partners", "offer", str(PARTNER), "--commission", "10")
    assert shown.exit_code == 0, shown.output
    (body,) = at.bodies("POST", "/partners/offers")
    assert (body["send"], body["commission_percent"], "kind" in body) == (False, "10", False)
    assert "approval" not in shown.output.splitlines()[-1]
    sent = FakeGateway({"POST /partners/offers": _json(built().evolve(action_id=PARTNER, state="accepted"))})
    told = sent.types("partners", "offer", str(PARTNER), "--send")
    assert told.exit_code == 0 and f"dealix actions show {PARTNER}" in " ".join(told.output.split())
    assert sent.bodies("POST", "/partners/offers")[0]["send"] is True
