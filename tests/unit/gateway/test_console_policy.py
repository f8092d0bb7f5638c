"""The pages of policy work: what a reader sees, and what a form asks of trust."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from libs.contracts import policy, receipts
from libs.contracts.execution import ActionState
from libs.contracts.message import new_id
from services.gateway.console import pages_policy as pages
from services.gateway.console.render import render
from services.gateway.console.views import Shell

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
RULE = policy.PolicyRule(
    id="no_slack", origin="tenant", effect="forbid", mode="blocked", en="Not to Slack.", ar="لا إلى سلاك.", text="forbid <script>;"
)  # fmt: skip


def bundle(**more: Any) -> policy.PolicyBundle:
    values: dict[str, Any] = {
        "version": "a" * 64, "state": "proposed", "title": "بلا سلاك", "platform_version": "b" * 64, "proposed_by": "user:1",
        "proposed_at": AT, "changed_at": AT, "rules": (RULE,),
    }  # fmt: skip
    return policy.PolicyBundle(**{**values, **more})


def replayed() -> pages.ReplayShown:
    report = {
        "decisions": 12, "newly_allowed": 1, "newly_blocked": 3, "newly_parked": 2, "value_delayed_sar": "1500.00",
        "actions_of_unknown_value": 4, "approvals_per_day": [{"day": "2026-11-20", "before": 2, "after": 5}],
        "approvals_per_approver": [{"approver": "user:2", "before_per_day": "2.00", "after_per_day": "5.00"}],
    }  # fmt: skip
    one = policy.Replay(
        replay_id=new_id(), bundle="a" * 64, base="b" * 64, since=AT, until=AT, state="done", done=12, total=12, requested_by="user:1",
        requested_at=AT, report=report, sha256="c" * 64,
    )  # fmt: skip
    change = policy.ReplayChange(
        seq=0, kind="newly_allowed", action_id=new_id(), attempt=1, effect="send_email", subject="user:9", decided_at=AT,
        before="refused", after="granted", policies=(),
    )  # fmt: skip
    return pages.ReplayShown(one, (change,), 5)


def shown(page: Any, lang: str = "en") -> str:
    return render(page, Shell(lang=lang, csrf="token", now=AT, path="/console/policy"))  # type: ignore[arg-type]  # en or ar


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_a_bundles_page_shows_its_difference_and_its_replay_with_what_would_be_newly_allowed(lang: str) -> None:
    diff = policy.BundleDiff(before="b" * 64, after="a" * 64, added=(RULE,), removed=(), changed=(), text="+")
    text = shown(pages.PolicyBundlePage(bundle(), diff, (replayed(),), may_propose=True), lang)
    assert "forbid &lt;script&gt;;" in text
    assert (RULE.ar if lang == "ar" else RULE.en) in text
    assert ("إرسال بريد" if lang == "ar" else "Send an e-mail") in text
    assert "1500.00" in text
    assert text.count("<meter") == 2
    assert text.count('name="replay_id"') == 2


def test_who_may_not_propose_gets_no_forms_and_an_active_bundle_asks_for_nothing() -> None:
    diff = policy.BundleDiff(before="b" * 64, after="a" * 64, added=(), removed=(), changed=(), text="")
    assert '<form method="post" action="/console/policy' not in shown(
        pages.PolicyBundlePage(bundle(), diff, (replayed(),), may_propose=False)
    )
    active = shown(pages.PolicyBundlePage(bundle(state="active"), None, (replayed(),), may_propose=True))
    assert 'name="replay_id"' not in active


def test_a_refused_proposal_stays_in_the_form_with_the_reason() -> None:
    text = shown(pages.PolicyPage((bundle(),), True, "The platform's policy x is missing.", "permit <x>;", "t"))
    assert "The platform&#39;s policy x is missing." in text
    assert "permit &lt;x&gt;;</textarea>" in text


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_violations_and_orphans_are_said_loudly(lang: str) -> None:
    one = policy.Violation(
        violation_id=new_id(), tenant_id=new_id(), action_id=new_id(), effect="send_whatsapp", actor="agent:x", mode="blocked",
        codes=("opted_out",), reasons_en=("Asked not to.",), reasons_ar=("طلب عدم التواصل.",), policy_version="v", at=AT,
    )  # fmt: skip
    agent = policy.SuspendedAgent(agent="agent:x", blocked=3, until=AT)
    text = shown(pages.ViolationsPage((one,), (agent,)), lang)
    assert ("طلب عدم التواصل." if lang == "ar" else "Asked not to.") in text
    assert "agent:x" in text
    orphan = receipts.OrphanEffect(
        connector="slack", vendor_id="v", operation="post", action_id=None, at=AT, found_at=AT, paused=True
    )
    receipt = receipts.ToolReceipt(
        grant_id=new_id(), action_id=new_id(), tool="slack_notify", actor="user:1", claimed=ActionState.SUCCEEDED.value,
        verification=receipts.Verification.CONTRADICTED, why="vendor_has_none", receipt=None, closed_at=AT,
    )  # fmt: skip
    text = shown(pages.ReceiptsPage((receipt,), (), (orphan,)), lang)
    assert 'role="alert"' in text
    assert ("متناقض" if lang == "ar" else "contradicted") in text
