"""Policy work over HTTP: who may, and what is asked of trust and of execution."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from libs.contracts import execution, policy, subjects
from libs.contracts.execution import ActionState
from libs.contracts.message import new_id
from services.execution.errors import NotCancellable
from services.trust.bundles.errors import LiftsHardRule, ReplayMissing
from tests.unit.gateway.fake_site import Site, problem

VERSION = "a" * 64
BUNDLE = policy.PolicyBundle(
    version=VERSION, state="proposed", title="", platform_version="b" * 64, proposed_by="user:1",
    proposed_at=datetime(2026, 11, 22, tzinfo=UTC), changed_at=None,
)  # fmt: skip


@pytest.mark.parametrize("role", ["operator", "member", "approver", "auditor"])
async def test_only_who_may_propose_proposes_replays_and_asks_for_activation(site: Site, role: str) -> None:
    who = await site.bearer(role)
    body = {"bundle": VERSION, "from": "2026-11-01T00:00:00+03:00", "to": "2026-11-02T00:00:00+03:00"}
    for path, sent in (
        ("/policy/bundles", {"text": "x"}),
        ("/policy/replay", body),
        (f"/policy/bundles/{VERSION}/activate", {"replay_id": str(new_id())}),
        (f"/policy/bundles/{VERSION}/shadow", {}),
    ):
        assert (await site.client.post(f"/api/v1{path}", json=sent, headers=who)).status_code == 403
    assert not site.planes.asked


async def test_a_refused_proposal_says_why_in_both_languages(site: Site) -> None:
    site.planes.answer(subjects.POLICY_PROPOSE, LiftsHardRule("class_c_forbidden"))
    owner = await site.bearer("owner")
    english = await site.client.post("/api/v1/policy/bundles", json={"text": "x"}, headers=owner)
    problem(english, 422, "lifts_hard_rule")
    arabic = await site.client.post(
        "/api/v1/policy/bundles", json={"text": "x"}, headers={**owner, "Accept-Language": "ar"}
    )
    assert "السياسة الأساسية class_c_forbidden" in arabic.json()["detail"]


async def test_an_activation_is_an_action_with_exactly_what_trust_prepared(site: Site) -> None:
    payload = {"version": VERSION, "replay_sha256": "c" * 64}
    site.planes.answer(subjects.POLICY_PREPARE, policy.PreparedActivation(payload=payload))
    site.planes.answer(
        subjects.SUBMIT,
        lambda r: execution.SubmitReply(
            results=(execution.SubmitResult(action_id=r.items[0].action_id, state=ActionState.ACCEPTED),)
        ),
    )
    response = await site.client.post(
        f"/api/v1/policy/bundles/{VERSION}/activate",
        json={"replay_id": str(new_id())},
        headers=await site.bearer("owner"),
    )
    assert response.status_code == 202, response.text
    (request,) = site.planes.requests(subjects.SUBMIT)
    assert (request.items[0].action_type, request.items[0].payload) == ("policy_activate", payload)


async def test_without_a_replay_nothing_is_submitted(site: Site) -> None:
    site.planes.answer(subjects.POLICY_PREPARE, ReplayMissing())
    response = await site.client.post(
        f"/api/v1/policy/bundles/{VERSION}/activate",
        json={"replay_id": str(new_id())},
        headers=await site.bearer("owner"),
    )
    problem(response, 409, "replay_missing")
    assert not site.planes.requests(subjects.SUBMIT)


async def test_violations_show_the_suspended_agents(site: Site) -> None:
    agent = policy.SuspendedAgent(agent="agent:x", blocked=3, until=datetime(2026, 11, 22, tzinfo=UTC))
    site.planes.answer(subjects.VIOLATIONS, policy.ViolationsReply(items=(), suspended=(agent,)))
    response = await site.client.get("/api/v1/violations?policy=opted_out", headers=await site.bearer("auditor"))
    assert [a["agent"] for a in response.json()["suspended"]] == ["agent:x"]
    assert site.planes.requests(subjects.VIOLATIONS)[0].policy == "opted_out"


@pytest.mark.parametrize("action_type", ["policy_activate", "live_flag_change"])
async def test_who_may_submit_but_not_propose_submits_no_proposal_of_policy(site: Site, action_type: str) -> None:
    one = {"action_type": action_type, "resource": {"type": "tenant", "id": "t"}, "payload": {}}
    harmless = {**one, "action_type": "plan"}
    for role in ("member", "operator", "approver"):
        who = await site.bearer(role)
        for body in (one, {"items": [harmless, one]}):
            refused = problem(await site.client.post("/api/v1/actions", json=body, headers=who), 403, "forbidden")
            assert "propose" in refused["detail"]
    assert site.planes.requests(subjects.SUBMIT) == []


async def test_who_proposes_may_take_a_proposal_back(site: Site) -> None:
    site.planes.answer(subjects.CANCEL, NotCancellable("expired"))
    path = f"/api/v1/actions/{new_id()}/cancel"
    answer = await site.client.post(path, headers=await site.bearer("compliance_officer"))
    assert answer.status_code == 409
    (asked,) = site.planes.requests(subjects.CANCEL)
    assert asked.principal.roles == ("compliance_officer",)
