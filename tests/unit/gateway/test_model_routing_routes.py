"""The model-routing board: who may see what, who is connected, and who may change that."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.completions import ModelEntry, ModelsReply
from libs.contracts.operating import FlagsReply
from tests.unit.gateway.fake_site import Site, problem

ENTRY = ModelEntry(provider="openai", model="m-1", input_sar=Decimal("10"), output_sar=Decimal("40"), usual=True)
BODY = {"model": "m-1", "input_sar": "10", "output_sar": "40"}


def told(site: Site, *items: ModelEntry, keyed: tuple[str, ...] = (), **flags: bool) -> None:
    reply = ModelsReply(
        items=items, keyed=keyed, tokens_a_day=1000, sar_a_day=Decimal(5), tokens=10, sar=Decimal("0.5"), calls=2, refused=1
    )  # fmt: skip
    for call in (subjects.MODELS, subjects.SET_MODEL, subjects.DROP_MODEL, subjects.SET_MODEL_BUDGET):
        site.planes.answer(call, reply)
    site.planes.answer(subjects.FLAGS, FlagsReply(flags={f"live.{key}": on for key, on in flags.items()}, version=1))


async def routing(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = (await site.client.get("/api/v1/model-routing", headers=await site.bearer("member"))).json()
    return found


async def test_without_a_connected_provider_the_local_one_answers_everything(site: Site) -> None:
    told(site)
    found = await routing(site)
    assert found["configured"] == []
    for route in found["items"]:
        assert route["answers"] == "local" and "local" in route["allowed"]
        assert "deepseek" in route["refused"]


@pytest.mark.parametrize(
    ("items", "keyed", "live", "connected"),
    [
        ((ENTRY,), ("openai",), True, True),
        ((ENTRY,), ("openai",), False, False),
        ((ENTRY,), (), True, False),
        ((), ("openai",), True, False),
    ],
)
async def test_a_provider_is_connected_by_a_key_a_price_and_the_switch_together(
    site: Site, items: tuple[ModelEntry, ...], keyed: tuple[str, ...], live: bool, connected: bool
) -> None:
    told(site, *items, keyed=keyed, openai=live)
    found = await routing(site)
    assert (found["configured"] == ["openai"]) == connected
    answers = {one["model_policy"]: one["answers"] for one in found["items"]}
    assert (answers["researching"] == "openai") == connected
    assert answers["judging"] == "local", "what may not leave the country does not, whoever is connected"
    assert found["budget"]["refused"] == 1


async def test_who_may_only_read_changes_nothing(site: Site) -> None:
    told(site)
    who = await site.bearer("member")
    for path, body in (("providers/openai/models", BODY), ("budget", {"tokens_a_day": 1, "sar_a_day": "1"})):
        answer = await site.client.put(f"/api/v1/model-routing/{path}", json=body, headers=who)
        assert answer.status_code == 403, answer.text
    answer = await site.client.delete("/api/v1/model-routing/providers/openai/models?model=m-1", headers=who)
    assert answer.status_code == 403
    assert problem(answer, 403, answer.json()["code"])


async def test_an_owner_records_a_price_and_a_budget(site: Site) -> None:
    told(site, ENTRY, keyed=("openai",), openai=True)
    who = await site.bearer("owner")
    answer = await site.client.put("/api/v1/model-routing/providers/openai/models", json=BODY, headers=who)
    assert answer.status_code == 200, answer.text
    (asked,) = site.planes.requests(subjects.SET_MODEL)
    assert (asked.provider, asked.input_sar) == ("openai", Decimal("10"))
