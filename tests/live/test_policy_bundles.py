"""Policy bundles on a real PostgreSQL: proposed, replayed, activated by an approval, measured, rolled back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.canonical import canonical
from libs.contracts.errors import Conflict, DealixError, NotFound
from libs.contracts.execution import ActionState, Receipt, Settled
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.policy import (
    ActivationMode,
    Band,
    BundleRequest,
    BundlesRequest,
    PrepareActivation,
    ProposeBundle,
    Replay,
    ReplayChangesRequest,
    ReplayGet,
    ReplayRequest,
    ShadowBundle,
    ViolationsRequest,
)
from libs.contracts.trust import (
    Approval,
    ApproveRequest,
    AuthorizeRequest,
    Decision,
    Evaluation,
    Outcome,
    ResourceRef,
)
from libs.runtime.database import Database
from libs.runtime.testing import MemoryHub
from services.trust import app as trust
from services.trust.bundles.force import Bundles
from services.trust.bundles.handlers import Policies
from services.trust.bundles.replay import Replays
from services.trust.bundles.store import BundleRows
from services.trust.bundles.violations import Violations
from services.trust.bundles.watch import Watch
from services.trust.ledger.domain.records import EntryFilter
from services.trust.ledger.store import SqlLedgerStore
from services.trust.store import SqlStore
from tests.flows.world import BUNDLE, KEYS_OF_TRUST
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = [pytest.mark.live, pytest.mark.asyncio]

NO_SLACK = """@id("no_slack")
@mode("blocked")
@reason_en("This tenant sends nothing to Slack.")
@reason_ar("لا ترسل هذه المنشأة شيئًا إلى سلاك.")
forbid (principal, action == Action::"slack_notify", resource);
"""
ASK_SLACK = NO_SLACK.replace("no_slack", "ask_slack").replace('@mode("blocked")', '@mode("approval_required")').replace(
    "resource);", 'resource) unless { context.approval == "approved" };'
)  # fmt: skip


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("bundles")) as url:
        yield url


class Desk:
    """Trust's policy side on a real database, for one tenant."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tenant = new_id()
        self.store = SqlStore(database)
        self.owner, self.second = (
            Principal(id=f"user:{n}-{self.tenant}", kind="user", tenant_id=self.tenant, roles=("owner",))
            for n in (1, 2)
        )
        self.third = Principal(id=f"user:3-{self.tenant}", kind="user", tenant_id=self.tenant, roles=("approver",))
        self.replica()

    def replica(self) -> None:
        """Another process over the same tables."""
        self.bundles = Bundles(BUNDLE)
        hub = MemoryHub()
        served = trust.serve(hub.bus(Plane.TRUST), self.store, self.bundles, KEYS_OF_TRUST, grant_seconds=120)
        hub.buses[0].connected = True  # nobody answers for flags, which makes nothing live
        self.authorizer, self.approving, self.listener = served.authorizer, served.approving, served.listener
        self.watch = Watch(self.database, self.bundles)
        self.policies = Policies(self.database, self.bundles, self.watch, self.authorizer)
        self.replays = Replays(self.database, self.bundles)
        self.authorizer.attached = self.policies.attached
        self.listener.on_settled.append(self.policies.settled)

    def evaluation(self, effect: str, payload: dict[str, Any], **more: Any) -> Evaluation:
        return Evaluation(
            tenant_id=self.tenant, action_id=new_id(), attempt=1, subject=self.owner, action_type=effect, effect=effect,
            connector=None, operation=None, resource=ResourceRef(type="tenant", id=str(self.tenant)),
            payload=canonical(payload).decode(), salt="ab" * 32,
        ).evolve(**more)  # fmt: skip

    async def decide(self, evaluation: Evaluation) -> Decision:
        return (await self.authorizer.authorize(AuthorizeRequest(evaluations=(evaluation,)))).decisions[0]

    async def notify(self) -> Decision:
        return await self.decide(self.evaluation("slack_notify", {"text": "x"}))

    async def propose(self, text: str) -> str:
        return (await self.policies.propose(ProposeBundle(principal=self.owner, text=text))).version

    async def replay(self, version: str) -> Replay:
        now = datetime.now(UTC)
        asked = await self.replays.start(
            ReplayRequest(
                principal=self.owner, bundle=version, since=now - timedelta(hours=1), until=now + timedelta(hours=1)
            )
        )
        while (await self._queued(asked.replay_id)) and await self.replays.run_one():
            pass
        return await self.replays.get(ReplayGet(principal=self.owner, replay_id=asked.replay_id))

    async def _queued(self, replay_id: UUID) -> bool:
        async with self.database.batch() as work:
            sql = "select exists(select 1 from trust.policy_replay_queue where replay_id = $1)"
            return bool(await work.connection.fetchval(sql, replay_id))

    async def activate(self, version: str, replay: Replay, **more: Any) -> Decision:
        """As people do it: prepare, submit, two votes, a grant, an outcome."""
        prepared = await self.policies.prepare(
            PrepareActivation(principal=self.owner, version=version, replay_id=replay.replay_id, **more)
        )
        return await self.carry_out(prepared.payload)

    async def carry_out(self, payload: dict[str, Any]) -> Decision:
        first = self.evaluation("policy_activate", payload)
        parked = await self.decide(first)
        if parked.outcome is not Outcome.PARKED:
            return parked
        for who in (self.second, self.third):
            asked: Approval = await self._approval(parked)
            await self.approving.approve(
                ApproveRequest(
                    principal=who,
                    approval_id=asked.approval_id,
                    payload_hash=asked.payload_hash,
                    view_hash=asked.view_hash,
                )
            )
        granted = await self.decide(first.evolve(attempt=2))
        assert granted.grant is not None
        claims = json.loads(granted.grant.claims)
        at = datetime.now(UTC)
        receipt = Receipt(
            receipt_id=new_id(), tenant_id=self.tenant, action_id=granted.action_id, attempt=2, grant_id=UUID(claims["grant_id"]),
            connector="internal", operation="none", mode="sandbox", vendor_id="x", request_digest="", response_digest="",
            started_at=at, finished_at=at,
        )  # fmt: skip
        item = Settled(
            tenant_id=self.tenant, action_id=granted.action_id, attempt=2, action_type="policy_activate",
            grant_id=UUID(claims["grant_id"]), outcome=ActionState.SUCCEEDED, receipt=receipt, at=at,
        )  # fmt: skip
        async with self.database.work(self.tenant) as work:
            await self.policies.settled(work, [item])
        await self.watch.refresh()
        return granted

    async def _approval(self, parked: Decision) -> Approval:
        async with self.store.unit(self.tenant) as unit:
            found = await unit.approval(self.tenant, parked.approval_id)  # type: ignore[arg-type]
        assert found is not None
        return found[0]

    async def state(self, version: str) -> str:
        return (await self.policies.get(BundleRequest(principal=self.owner, version=version))).state

    async def recorded(self) -> list[str]:
        async with self.database.batch(self.tenant) as work:
            entries = await SqlLedgerStore(work.connection).entries(EntryFilter(self.tenant), 500)
        return [entry.kind for entry in entries]


@pytest_asyncio.fixture
async def desk(admin_url: str) -> AsyncIterator[Desk]:
    async with plane_database(admin_url, Plane.TRUST) as database:
        made = Desk(database)
        await made.watch.load()
        yield made


async def test_an_approved_bundle_decides_in_every_running_process_and_after_a_restart(desk: Desk) -> None:
    other = Watch(desk.database, twin := Bundles(BUNDLE))
    await other.load()
    assert (await desk.notify()).outcome is Outcome.GRANTED
    version = await desk.propose(NO_SLACK)
    assert (await desk.notify()).outcome is Outcome.GRANTED  # a proposal decides nothing
    replay = await desk.replay(version)
    assert (replay.state, replay.report["newly_blocked"], replay.report["decisions"]) == ("done", 2, 2)
    await desk.activate(version, replay)
    refused = await desk.notify()
    assert (refused.outcome, refused.reasons[0].code, refused.policy_version) == (Outcome.REFUSED, "no_slack", version)
    await other.refresh()
    assert twin.of((desk.tenant, new_id())).version == version
    desk.replica()
    assert (await desk.notify()).outcome is Outcome.GRANTED
    await desk.watch.load()
    assert (await desk.notify()).outcome is Outcome.REFUSED
    assert {"policy.proposed", "policy.replayed", "policy.activated"} <= set(await desk.recorded())


async def test_nothing_is_activated_without_the_replay_report_of_exactly_this_bundle(desk: Desk) -> None:
    await desk.notify()
    version, other = await desk.propose(NO_SLACK), await desk.propose(ASK_SLACK)
    replay = await desk.replay(version)
    with pytest.raises(Conflict) as error:
        await desk.activate(other, replay)
    assert error.value.code == "replay_missing"
    prepared = await desk.policies.prepare(
        PrepareActivation(principal=desk.owner, version=version, replay_id=replay.replay_id)
    )
    for change in ({"replay_sha256": "00" * 32}, {"replay_id": str(new_id())}, {"version": other}, {"replay_id": None}):
        refused = await desk.carry_out({**prepared.payload, **change})
        assert refused.outcome is Outcome.REFUSED
        assert "policy_without_replay" in {reason.code for reason in refused.reasons}
    assert await desk.state(version) == "proposed"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("forbid (principal", "policy_invalid"),
        (NO_SLACK.replace("slack_notify", "no_such_action"), "policy_invalid"),
        (NO_SLACK.replace("forbid", "permit"), "only_forbids"),
        (BUNDLE.text.replace('@id("class_c_forbidden")', '@id("class_c_allowed")', 1), "lifts_hard_rule"),
        (BUNDLE.text.replace('context.consent == "active"', 'context.consent != "withdrawn"', 1), "lifts_hard_rule"),
        (BUNDLE.text + NO_SLACK.replace("forbid", "permit"), "only_forbids"),
        (BUNDLE.text, "bundle_known"),
    ],
)
async def test_a_proposal_that_is_wrong_or_lifts_a_rule_is_refused_and_ledgered(
    desk: Desk, text: str, code: str
) -> None:
    with pytest.raises(DealixError) as error:
        await desk.propose(text)
    assert error.value.code == code
    assert error.value.ar
    assert "policy.proposal_refused" in await desk.recorded()
    assert "policy.proposed" not in await desk.recorded()


async def test_a_whole_bundle_and_its_additions_alone_are_the_same_proposal(desk: Desk) -> None:
    assert await desk.propose(BUNDLE.text + "\n" + NO_SLACK)
    found = await desk.policies.get(BundleRequest(principal=desk.owner, version=await desk.propose(NO_SLACK)))
    assert [rule.id for rule in found.rules if rule.origin == "tenant"] == ["no_slack"]


async def test_a_replay_lists_what_would_be_newly_allowed_one_by_one(desk: Desk) -> None:
    version = await desk.propose(NO_SLACK)
    await desk.notify()
    await desk.activate(version, await desk.replay(version))
    blocked = [await desk.notify() for _ in range(3)]
    back = await desk.propose(ASK_SLACK)
    replay = await desk.replay(back)
    changes = await desk.replays.changes(
        ReplayChangesRequest(principal=desk.owner, replay_id=replay.replay_id, kind="newly_allowed")
    )
    assert {change.action_id for change in changes.items} == {decision.action_id for decision in blocked}
    assert {(change.before, change.after) for change in changes.items} == {("refused", "parked")}
    (day,) = replay.report["approvals_per_day"]
    # The activation itself asked two people; the bundle would ask one for each of the four notices.
    assert (day["before"], day["after"]) == (2, 2 + 4)
    assert {one["approver"] for one in replay.report["approvals_per_approver"]} == {desk.second.id, desk.third.id}


async def test_a_canary_that_leaves_its_band_is_rolled_back_by_itself(desk: Desk) -> None:
    version = await desk.propose(NO_SLACK)
    await desk.notify()
    replay = await desk.replay(version)
    band = Band(max_deny_rate=0.2, min_decisions=5)
    await desk.activate(version, replay, mode=ActivationMode.CANARY, percent=50, band=band)
    outcomes = [(await desk.notify()).outcome for _ in range(60)]
    assert {Outcome.GRANTED, Outcome.REFUSED} == set(outcomes)
    await desk.watch.measure_once()
    await desk.watch.refresh()
    assert await desk.state(version) == "rolled_back"
    assert {(await desk.notify()).outcome for _ in range(20)} == {Outcome.GRANTED}
    assert "policy.rolled_back" in await desk.recorded()


async def test_a_canary_inside_its_band_goes_on(desk: Desk) -> None:
    version = await desk.propose(NO_SLACK)
    await desk.notify()
    replay = await desk.replay(version)
    for band, why in (
        (Band(max_deny_rate=1.0, min_decisions=5), "allowed"),
        (Band(max_deny_rate=0.2, min_decisions=10_000), "too few"),
    ):
        if await desk.state(version) == "proposed":
            await desk.activate(version, replay, mode=ActivationMode.CANARY, percent=50, band=band)
        for _ in range(30):
            await desk.notify()
        await desk.watch.measure_once()
        await desk.watch.refresh()
        assert await desk.state(version) == "canary", why
    assert "policy.rolled_back" not in await desk.recorded()


async def test_a_rollback_reaches_every_process_and_lasts_over_a_restart(desk: Desk) -> None:
    other = Watch(desk.database, twin := Bundles(BUNDLE))
    await other.load()
    version = await desk.propose(NO_SLACK)
    await desk.notify()
    replay = await desk.replay(version)
    await desk.activate(
        version, replay, mode=ActivationMode.CANARY, percent=99, band=Band(max_deny_rate=0.1, min_decisions=1)
    )
    await other.refresh()
    assert version in {twin.of((desk.tenant, new_id())).version for _ in range(20)}
    assert Outcome.REFUSED in {(await desk.notify()).outcome for _ in range(20)}
    await other.measure_once()  # whichever process looks first
    for watch in (other, desk.watch):
        await watch.refresh()
    assert version not in {twin.of((desk.tenant, new_id())).version for _ in range(200)}
    assert {(await desk.notify()).outcome for _ in range(20)} == {Outcome.GRANTED}
    desk.replica()
    await desk.watch.load()
    assert {(await desk.notify()).outcome for _ in range(20)} == {Outcome.GRANTED}
    assert await desk.state(version) == "rolled_back"


async def test_another_tenants_bundle_is_not_found_not_listed_and_decides_nothing(desk: Desk) -> None:
    other = Desk(desk.database)
    await other.watch.load()
    version = await desk.propose(NO_SLACK)
    await desk.notify()
    replay = await desk.replay(version)
    await desk.activate(version, replay)
    with pytest.raises(NotFound):
        await other.policies.get(BundleRequest(principal=other.owner, version=version))
    with pytest.raises(NotFound):
        await other.policies.prepare(
            PrepareActivation(principal=other.owner, version=version, replay_id=replay.replay_id)
        )
    listed = (await other.policies.page(BundlesRequest(principal=other.owner))).items
    assert version not in {bundle.version for bundle in listed}
    await other.watch.refresh()
    assert (await other.notify()).outcome is Outcome.GRANTED


async def test_bundle_rows_are_one_tenants_even_in_a_unit_of_work_of_two(desk: Desk) -> None:
    """Row security shows both tenants' rows here, as in the hot path's batches: only the statements keep them apart."""
    other = Desk(desk.database)
    version = await desk.propose(NO_SLACK)
    async with desk.database.batch(desk.tenant, other.tenant) as work:
        ours, theirs = BundleRows(work.connection, desk.tenant), BundleRows(work.connection, other.tenant)
        assert await ours.get(version) is not None
        assert await theirs.get(version) is None
        assert (await theirs.in_state("proposed"), await theirs.page(None, 10), await theirs.texts([version])) == (
            None,
            [],
            [],
        )
        await theirs.move(version, "active")
        await theirs.retire("proposed")
        await theirs.measure(version, {"decisions": 9})
        row = await ours.get(version)
        assert (row["state"], json.loads(row["measured"])) == ("proposed", {})


async def test_a_shadow_is_measured_and_enforces_nothing(desk: Desk) -> None:
    version = await desk.propose(NO_SLACK)
    await desk.policies.shadow(ShadowBundle(principal=desk.owner, version=version))
    async with desk.database.batch(desk.tenant) as work:
        await work.connection.execute(
            "update trust.policy_bundles set changed_at = now() - interval '1 hour' where tenant_id = $1", desk.tenant
        )
    assert (await desk.notify()).outcome is Outcome.GRANTED
    async with desk.database.batch(desk.tenant) as work:
        await work.connection.execute("select pg_sleep(3.2)")
    await desk.watch.measure_once()
    found = await desk.policies.get(BundleRequest(principal=desk.owner, version=version))
    assert (found.state, found.measured["decisions"], found.measured["newly_blocked"]) == ("shadow", 1, 1)


async def test_an_approval_for_a_bundle_in_force_that_has_changed_activates_nothing(desk: Desk) -> None:
    await desk.notify()
    first, second = await desk.propose(NO_SLACK), await desk.propose(ASK_SLACK)
    replays = [await desk.replay(version) for version in (first, second)]
    prepared = await desk.policies.prepare(
        PrepareActivation(principal=desk.owner, version=second, replay_id=replays[1].replay_id)
    )
    await desk.activate(first, replays[0])
    await desk.carry_out(prepared.payload)
    assert (await desk.state(first), await desk.state(second)) == ("active", "proposed")
    assert "policy.activation_refused" in await desk.recorded()


async def test_violations_name_the_policy_and_no_other_tenants(desk: Desk) -> None:
    stranger = Desk(desk.database)
    await stranger.decide(stranger.evaluation("exfiltrate_secrets", {}))
    mine = await desk.decide(desk.evaluation("exfiltrate_secrets", {}))
    page = await Violations(desk.database).page(ViolationsRequest(principal=desk.owner))
    assert [one.action_id for one in page.items] == [mine.action_id]
    assert page.items[0].codes[0] == "class_c_forbidden"
    assert page.items[0].reasons_ar[0]
    none = await Violations(desk.database).page(ViolationsRequest(principal=desk.owner, policy="opted_out"))
    assert not none.items


async def test_three_blocked_attempts_in_ten_minutes_suspend_an_agent_and_violations_say_so(desk: Desk) -> None:
    agent = Principal(id="agent:outreach_writer", kind="agent", tenant_id=desk.tenant)
    for _ in range(3):
        await desk.decide(desk.evaluation("exfiltrate_secrets", {}, subject=agent))
    refused = await desk.decide(desk.evaluation("slack_notify", {"text": "x"}, subject=agent))
    assert "agent_suspended" in {reason.code for reason in refused.reasons}
    page = await Violations(desk.database).page(ViolationsRequest(principal=desk.owner))
    assert [one.agent for one in page.suspended] == ["agent:outreach_writer"]
