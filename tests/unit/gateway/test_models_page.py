"""Models in the console: what is connected and what it cost for everybody who may read, forms for who may set up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from libs.contracts import subjects
from libs.contracts.completions import ModelUse, ModelUsesReply
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter
from tests.unit.gateway.test_model_routing_routes import ENTRY, told

pytestmark = pytest.mark.asyncio
USED = ModelUse(
    provider="openai", model="m-1", agent="sector_strategist", runs=12, failed=1, unfit=3, fallbacks=2, tokens_in=900, tokens_out=300,
    cost_sar=Decimal("0.0123"), p50_ms=812.0, schema_valid=0.75,
)  # fmt: skip


def connected(site: Site) -> None:
    told(site, ENTRY, keyed=("openai",), openai=True)
    site.planes.answer(subjects.MODEL_USES, ModelUsesReply(items=(USED,)))


async def test_an_auditor_sees_what_is_connected_and_used_and_no_form(site: Site) -> None:
    connected(site)
    await enter(site, "auditor")
    page = (await site.client.get("/console/models")).text
    assert "m-1" in page and "موصول" in page and "75.0%" in page and "0.0123" in page
    assert "/console/models/set" not in page and "/console/models/budget" not in page


async def test_who_may_not_read_the_record_sees_the_board_without_it(site: Site) -> None:
    connected(site)
    await enter(site, "member")
    answer = await site.client.get("/console/models")
    assert answer.status_code == 200 and "75.0%" not in answer.text
    assert site.planes.requests(subjects.MODEL_USES) == []


async def test_an_owner_records_a_price_and_a_budget_from_the_page(site: Site) -> None:
    connected(site)
    token = await enter(site, "owner")
    assert "/console/models/set" in (await site.client.get("/console/models")).text
    form = {
        "provider": "openai",
        "model": "m-2",
        "input_sar": "9.4",
        "output_sar": "37.5",
        "reference": "",
        "csrf": token,
    }
    assert (await site.client.post("/console/models/set", data=form)).status_code == 303
    (asked,) = site.planes.requests(subjects.SET_MODEL)
    assert (asked.model, asked.input_sar, asked.usual) == ("m-2", Decimal("9.4"), True)
    form = {"tokens_a_day": "1000", "sar_a_day": "2.5", "csrf": token}
    assert (await site.client.post("/console/models/budget", data=form)).status_code == 303
    (budget,) = site.planes.requests(subjects.SET_MODEL_BUDGET)
    assert (budget.tokens_a_day, budget.sar_a_day) == (1000, Decimal("2.5"))


async def test_without_the_right_nothing_is_changed_from_the_page(site: Site) -> None:
    connected(site)
    token = await enter(site, "member")
    answer = await site.client.post(
        "/console/models/budget", data={"tokens_a_day": "1", "sar_a_day": "1", "csrf": token}
    )
    assert answer.status_code == 403 and site.planes.requests(subjects.SET_MODEL_BUDGET) == []
