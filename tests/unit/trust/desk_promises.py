"""What surrounds a vote is kept: the promises of both stores' desks, the one in memory and the one in PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from libs.contracts.approvals import Delegation, Edit, TrustRules
from libs.contracts.briefs import ApprovalBrief, BriefAnswer, BriefItem, ReplyOutcome
from libs.contracts.execution import ActionState
from libs.contracts.message import Principal, Text, new_id
from libs.contracts.trust import ApprovalState
from services.trust.store import Store
from tests.unit.trust.store_promises import SALT, approval, prepared, ruling, settled


class DeskPromises:
    """A subclass gives `store`."""

    @pytest.fixture
    def tenant(self) -> UUID:
        return new_id()

    async def test_rules_are_kept_by_version_and_the_newest_holds(self, store: Store, tenant: UUID) -> None:
        async with store.unit(tenant) as unit:
            assert (await unit.desk.rules(tenant)).version == 0
            await unit.desk.set_rules(tenant, TrustRules(quorum_above_sar=Decimal("12.50")), 1, "user:1")
            await unit.desk.set_rules(tenant, TrustRules(limits={"approver": Decimal(7)}), 2, "user:2")
        async with store.unit(tenant) as unit:
            found = await unit.desk.rules(tenant)
        assert (found.version, found.changed_by, found.rules.limits) == (2, "user:2", {"approver": Decimal(7)})

    async def test_a_clock_reaches_its_thresholds_and_an_answer_stops_it(self, store: Store, tenant: UUID) -> None:
        asked = approval(prepared(tenant))
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(asked, 1, SALT)])
            now = await unit.now()
            due = {
                "reminded": now - timedelta(minutes=2),
                "warned": now - timedelta(minutes=1),
                "escalated": now + timedelta(days=1),
            }
            await unit.desk.add_ticks(tenant, asked.approval_id, due)
        mine = [row for row in await store.due_ticks(1000) if row[1] == asked.approval_id]
        assert mine == [(tenant, asked.approval_id, "reminded"), (tenant, asked.approval_id, "warned")]
        async with store.unit(tenant) as unit:
            await unit.desk.drop_ticks(asked.approval_id, ["reminded"])
            await unit.desk.move(tenant, asked.approval_id, "ceo", "escalated")
            found = await unit.approval(tenant, asked.approval_id)
            assert found is not None
            assert (found[0].role, found[0].stage) == ("ceo", "escalated")
            closed = asked.evolve(state=ApprovalState.REJECTED, decided_by="user:2", decided_at=await unit.now())
            await unit.close_approval(closed, "rejected", "no")
        assert [row for row in await store.due_ticks(1000) if row[1] == asked.approval_id] == []

    async def test_a_right_is_lent_until_it_ends_or_is_taken_back(self, store: Store, tenant: UUID) -> None:
        async with store.unit(tenant) as unit:
            now = await unit.now()
            base = Delegation(
                delegation_id=new_id(), tenant_id=tenant, approval_id=None, from_id="user:1", from_roles=("owner",),
                from_business_role="ceo", to_id="user:2", starts_at=now, ends_at=now + timedelta(days=1),
            )  # fmt: skip
            over = base.evolve(delegation_id=new_id(), ends_at=now - timedelta(seconds=1))
            for one in (base, over, base.evolve(delegation_id=new_id(), to_id="user:3")):
                await unit.desk.lend(one)
        async with store.unit(tenant) as unit:
            assert await unit.desk.lent_to(tenant, "user:2") == [base]
            assert len(await unit.desk.loans(tenant, None, 10)) == 3
            await unit.desk.end_loan(tenant, base.delegation_id)
        async with store.unit(tenant) as unit:
            assert await unit.desk.lent_to(tenant, "user:2") == []
            ended = await unit.desk.loan(tenant, base.delegation_id)
            assert ended is not None
            assert ended.ended_at is not None

    async def test_an_edit_is_kept_with_its_request(self, store: Store, tenant: UUID) -> None:
        asked, other = approval(prepared(tenant)), approval(prepared(tenant))
        edit = Edit(
            action_id=new_id(), action_type="send_email", resource_type="contact", resource_id="1", payload={"a": 1}, reason="",
            editor=Principal(id="user:1", kind="user", tenant_id=tenant),
        )  # fmt: skip
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(asked, 1, SALT), (other, 1, SALT)])
            await unit.desk.keep_edit(tenant, asked.approval_id, edit)
            await unit.desk.supersede(tenant, asked.approval_id, other.approval_id)
        async with store.unit(tenant) as unit:
            assert await unit.desk.edit(tenant, asked.approval_id) == edit
            assert await unit.desk.edited_from(tenant, edit.action_id) == asked.approval_id
            found = await unit.approval(tenant, asked.approval_id)
        assert found is not None
        assert (found[0].replaced_by_action, found[0].superseded_by) == (edit.action_id, other.approval_id)

    async def test_a_token_is_given_once_and_used_by_one_action(self, store: Store, tenant: UUID) -> None:
        asked, first, second = approval(prepared(tenant)), new_id(), new_id()
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(asked, 1, SALT)])
            assert await unit.desk.keep_token(tenant, "mac", asked.approval_id, asked.expires_at)
            assert not await unit.desk.keep_token(tenant, "other", asked.approval_id, asked.expires_at)
        async with store.unit(tenant) as unit:
            assert await unit.desk.use_token(tenant, "mac", first)
            assert await unit.desk.use_token(tenant, "mac", first)
            assert not await unit.desk.use_token(tenant, "mac", second)
            assert await unit.desk.token(tenant, "nothing") is None
            found = await unit.desk.token(tenant, "mac")
        assert found is not None
        assert (found.approval_id, found.used_by) == (asked.approval_id, first)

    @pytest.mark.parametrize(
        ("outcome", "spent"),
        [(None, True), (ActionState.NOT_SENT, False), (ActionState.SUCCEEDED, True), (ActionState.UNKNOWN, True)],
    )
    async def test_an_approval_is_spent_once_its_grant_may_have_had_an_effect(
        self, store: Store, tenant: UUID, outcome: ActionState | None, spent: bool
    ) -> None:
        p = prepared(tenant)
        asked, made = approval(p), ruling(p)
        made = type(made)(
            made.prepared, made.question, made.decision.evolve(approval_id=asked.approval_id), made.grant_id
        )
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(asked, 1, SALT)])
            assert not await unit.desk.spent(tenant, asked.approval_id)
            await unit.keep([made])
            if outcome is not None:
                await unit.close_grants([settled(made, outcome)])
        async with store.unit(tenant) as unit:
            assert await unit.desk.spent(tenant, asked.approval_id) is spent

    async def test_briefs_are_found_by_their_person_and_a_message_is_claimed_once(
        self, store: Store, tenant: UUID
    ) -> None:
        asked = approval(prepared(tenant))
        async with store.unit(tenant) as unit:
            now = await unit.now()
            shown = BriefItem(
                number=1, code="ABC", approval_id=asked.approval_id, payload_hash="a" * 64, view_hash="b" * 64
            )
            made = [
                ApprovalBrief(
                    brief_id=new_id(), tenant_id=tenant, person=who, text="نص", items=(shown,), left=0,
                    made_at=now + timedelta(seconds=number), expires_at=now + timedelta(days=1),
                )
                for number, who in enumerate(["user:1"] * 7 + ["user:2"])
            ]  # fmt: skip
            for one in made:
                await unit.desk.keep_brief(one)
            assert await unit.desk.claim_reply(tenant, "wamid.1", "user:1")
        async with store.unit(tenant) as unit:
            assert await unit.desk.briefs(tenant, "user:1") == made[6:1:-1]
            assert await unit.desk.brief(tenant, made[0].brief_id) == made[0]
            assert not await unit.desk.claim_reply(tenant, "wamid.1", "user:2")
            assert await unit.desk.answer(tenant, "wamid.1") is None
            answer = BriefAnswer(outcome=ReplyOutcome.UNCLEAR, answer=Text(en="?", ar="؟"))
            await unit.desk.keep_answer(tenant, "wamid.1", answer)
        async with store.unit(tenant) as unit:
            assert await unit.desk.answer(tenant, "wamid.1") == answer
        other = new_id()
        async with store.unit(other) as unit:
            assert await unit.desk.briefs(other, "user:1") == []
            assert await unit.desk.claim_reply(other, "wamid.1", "user:1")

    async def test_what_is_another_tenants_is_not_seen(self, store: Store, tenant: UUID) -> None:
        async with store.unit(tenant) as unit:
            await unit.desk.set_rules(tenant, TrustRules(limits={}), 1, "user:1")
            await unit.suppress(tenant, "aa" * 32, "asked", "user:1")
        async with store.unit(new_id()) as unit:
            stranger = new_id()
            assert (await unit.desk.rules(stranger)).version == 0
            assert await unit.consent.suppressions(stranger, None, 10) == []

    async def test_what_waits_for_a_contact_is_found_by_it(self, store: Store, tenant: UUID) -> None:
        contact = new_id()
        asked = approval(prepared(tenant))
        asked = asked.evolve(view={**asked.view, "resource": {"type": "contact", "id": str(contact)}})
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(asked, 1, SALT)])
        async with store.unit(tenant) as unit:
            assert await unit.consent.waiting_about(tenant, [contact, new_id()]) == [(contact, asked.approval_id)]
            assert await unit.consent.waiting_about(tenant, [new_id()]) == []
