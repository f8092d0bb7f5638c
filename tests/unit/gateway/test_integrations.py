"""The registry of integrations: what it says follows from the catalogue and from what is set up, and connecting uses the connector's own way."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.flags import flags
from libs.contracts.catalogue.integrations import integrations
from libs.contracts.execution import ConnectorInfo, ConnectorsReply, ConnectorStatus
from libs.contracts.message import Reason
from libs.contracts.operating import FlagsReply
from tests.unit.gateway.fake_site import Site

pytestmark = pytest.mark.asyncio
BASE = "/api/v1/integrations"
MINIMUM = {
    "supabase_pgvector", "qdrant", "langfuse", "phoenix", "posthog", "sentry", "tavily",
    "google_programmable_search", "apollo", "clay", "people_data_labs", "composio", "prefect", "temporal",
    "openai_agents_sdk", "pydantic_ai", "langgraph", "gmail_draft", "google_calendar_draft", "google_sheets",
    "moyasar_invoice", "whatsapp_opt_in", "crm_import_export", "whatsapp", "salesforce", "stripe",
    "voice_twilio", "contract_intel", "email_smtp", "cal_com", "hubspot", "slack", "docusign_like_signature",
}  # fmt: skip


def info(key: str, **changes: Any) -> ConnectorInfo:
    base = ConnectorInfo(
        connector_key=key, display_name=key, display_name_ar=key, version="1", mode="sandbox", status=ConnectorStatus.UNKNOWN,
        registered=False, operations=("send",), data_classification="confidential", cross_border=True, idempotent=False, read_back="none",
    )  # fmt: skip
    made: ConnectorInfo = base.evolve(**changes)
    return made


def standing(site: Site, *found: ConnectorInfo) -> None:
    site.planes.answer(subjects.CONNECTORS, ConnectorsReply(items=found))
    site.planes.answer(subjects.FLAGS, FlagsReply(flags=dict.fromkeys(flags(), False), version=1))
    for call in (subjects.PUT_CREDENTIAL, subjects.PROBE_CONNECTOR, subjects.DROP_CREDENTIAL):
        site.planes.answer(call, info("slack"))
    site.planes.answer(subjects.SET_FLAG, FlagsReply(flags={}, version=2))


async def test_the_registry_has_every_entry_and_breaks_none_of_its_rules() -> None:
    assert set(integrations()) >= MINIMUM
    for one in integrations().values():
        if one.risk == "high":
            # High risk: nothing that leaves runs without a person, drafts and notices to own people excepted.
            open_ = [effects()[s.action] for s in one.scopes if s.rule == "allowed"]
            assert all(effect.draft or effect.system for effect in open_), one.name
        if one.category == "social":
            assert one.status == "refused"
        assert one.default in ("sandbox", "draft", "off", "local")


async def test_state_health_and_scopes_are_what_is_on_record(site: Site) -> None:
    works = Reason(code="ok", en="Works.", ar="يعمل.")
    standing(
        site, info("slack"), info("whatsapp", registered=True, status=ConnectorStatus.OK, probe=works),
        info("email_smtp", registered=True, mode="live", status=ConnectorStatus.DEGRADED), info("hubspot"),
    )  # fmt: skip
    found = (await site.client.get(BASE, headers=await site.bearer("member"))).json()["items"]
    by_name = {one["name"]: one for one in found}
    states = {
        name: by_name[name]["state"]
        for name in ("slack", "whatsapp", "email_smtp", "salesforce", "qdrant", "supabase_pgvector")
    }
    assert states == {
        "slack": "sandbox", "whatsapp": "connected", "email_smtp": "live", "salesforce": "planned", "qdrant": "refused",
        "supabase_pgvector": "built_in",
    }  # fmt: skip
    assert (by_name["whatsapp"]["health"], by_name["whatsapp"]["health_reason"]["code"]) == ("ok", "ok")
    assert by_name["salesforce"]["health"] == "unknown"
    assert by_name["whatsapp"]["approval_required_actions"] == ["send_whatsapp"]
    assert by_name["moyasar_invoice"]["blocked_actions"] == ["moyasar_charge"]
    # A connector that execution has, from a plugin for instance, is available whatever the registry said.
    assert (by_name["hubspot"]["status"], by_name["hubspot"]["state"]) == ("available", "sandbox")
    only = (await site.client.get(BASE, params={"state": "live"}, headers=await site.bearer("member"))).json()["items"]
    assert [one["name"] for one in only] == ["email_smtp"]


async def test_connecting_stores_and_probes_and_disconnecting_forgets(site: Site) -> None:
    standing(site, info("slack", registered=True, mode="live"))
    who = await site.bearer("owner")
    body = {"values": {"path": "/services/AAAAAAAAAAAA"}}
    assert (await site.client.post(f"{BASE}/slack/connect", json=body, headers=who)).status_code == 200
    assert site.planes.requests(subjects.PUT_CREDENTIAL)[0].values == body["values"]
    assert len(site.planes.requests(subjects.PROBE_CONNECTOR)) == 1
    assert (await site.client.post(f"{BASE}/slack/disconnect", headers=who)).status_code == 200
    (off,) = site.planes.requests(subjects.SET_FLAG)
    assert (off.name, off.value) == ("live.slack", False)
    assert len(site.planes.requests(subjects.DROP_CREDENTIAL)) == 1


@pytest.mark.parametrize(("name", "status"), [("qdrant", 409), ("salesforce", 409), ("webhook", 409), ("nothing", 404)])
async def test_what_has_no_connector_is_not_connected(site: Site, name: str, status: int) -> None:
    standing(site, info("slack"), info("webhook"))
    for language in ("en", "ar"):
        headers = {**await site.bearer("owner"), "Accept-Language": language}
        answer = await site.client.post(f"{BASE}/{name}/connect", json={"values": {"x": "y"}}, headers=headers)
        assert answer.status_code == status
    assert not site.planes.requests(subjects.PUT_CREDENTIAL)


@pytest.mark.parametrize("role", ["member", "auditor", "approver", "operator"])
async def test_who_may_not_set_up_connects_nothing(site: Site, role: str) -> None:
    standing(site, info("slack"))
    who = await site.bearer(role)
    for path, body in (("connect", {"values": {"path": "x"}}), ("disconnect", None)):
        assert (await site.client.post(f"{BASE}/slack/{path}", json=body, headers=who)).status_code == 403
