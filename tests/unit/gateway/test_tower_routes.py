"""The service tower over HTTP, beside a tenant's own offer."""

from __future__ import annotations

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.services import services
from libs.contracts.errors import CallTimeout
from tests.unit.gateway.fake_site import Site

pytestmark = pytest.mark.asyncio


async def test_the_tower_is_listed_whole_with_the_path_of_each_proof(site: Site) -> None:
    assert (await site.client.get("/api/v1/services")).status_code == 401
    headers = await site.bearer("member")
    site.planes.answer(subjects.TENANT, site.tenant.evolve(offer_ar="نظام يرتب المبيعات", offer_en=""))
    found = await site.client.get("/api/v1/services", headers=headers)
    assert found.status_code == 200, found.text
    body = found.json()
    assert [one["key"] for one in body["items"]] == list(services()) and body["next_cursor"] is None
    growth = next(one for one in body["items"] if one["key"] == "growth_os")
    assert growth["price"] == {"from": 2999, "to": 9999} and growth["currency"] == "SAR"
    assert body["own_offer"] == {"ar": "نظام يرتب المبيعات", "en": ""}
    paths = {one["proof"]["value_path"] for one in body["items"]}
    answers = [await site.client.get(path, headers=headers) for path in sorted(paths)]
    assert len(answers) == len({rule.proof_metric for rule in services().values()})
    assert all(one.json()["code"] != "http_404" for one in answers), "a path that no route serves"


async def test_a_tenant_that_said_nothing_has_no_offer_and_a_silent_plane_hides_no_service(site: Site) -> None:
    headers = await site.bearer("member")
    site.planes.answer(subjects.TENANT, CallTimeout("data.tenant.v1"))
    found = (await site.client.get("/api/v1/services", headers=headers)).json()
    assert found["own_offer"] is None and len(found["items"]) == 13
