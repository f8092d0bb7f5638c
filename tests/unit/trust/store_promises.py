"""What every store of trust promises; run over the in-memory one here and over PostgreSQL among the live tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.canonical import canonical, digest
from libs.contracts.data import ContactFacts
from libs.contracts.execution import ActionState, Settled
from libs.contracts.message import Principal, Reason, new_id
from libs.contracts.subjects import APPROVAL_REQUESTED
from libs.contracts.trust import (
    ActionClass,
    Approval,
    ApprovalRequested,
    ApprovalState,
    ConsentRecord,
    Decision,
    Evaluation,
    Mode,
    Outcome,
    ResourceRef,
)
from services.trust.domain import decide
from services.trust.domain.decide import OnRecord, Prepared
from services.trust.domain.policy import Question
from services.trust.ledger.domain.entry import Entry
from services.trust.rows import Known, Ruling
from services.trust.store import Store

SALT = "ab" * 32
NOW = datetime.now(UTC)


def prepared(tenant: UUID, **changes: Any) -> Prepared:
    """An evaluation of a message to a contact, as `authorize` reads it."""
    payload = changes.pop("payload", {"to": "a@b.example", "text": "x"})
    text = canonical(payload).decode()
    base = Evaluation(
        tenant_id=tenant,
        action_id=new_id(),
        attempt=1,
        subject=Principal(id="user:1", kind="user", tenant_id=tenant),
        action_type="send_email",
        effect="send_email",
        connector="email_smtp",
        operation="send",
        resource=ResourceRef(type="contact", id=str(new_id())),
        payload=text,
        salt=SALT,
    )
    evaluation: Evaluation = base.evolve(**changes)
    return decide.prepare(evaluation, digest(bytes.fromhex(SALT), text.encode()))


def again(p: Prepared, **changes: Any) -> Prepared:
    return dataclasses.replace(p, evaluation=p.evaluation.evolve(**changes))


NOTHING = OnRecord(None, False, False, "none", None, 0, 0)


def ruling(
    p: Prepared, outcome: Outcome = Outcome.GRANTED, *, record: OnRecord = NOTHING, waited: bool = False
) -> Ruling:
    e = p.evaluation
    question: Question = decide.question(p, record, recipient_mac="", live=False, now=NOW)
    decision = Decision(
        decision_id=new_id(),
        tenant_id=e.tenant_id,
        action_id=e.action_id,
        attempt=e.attempt,
        outcome=outcome,
        allowed=outcome is Outcome.GRANTED,
        mode=Mode.APPROVED_EXECUTE,
        action_class=ActionClass.B,
        reasons=(Reason(code="c", en="why", ar="لماذا", policy_id="c"),),
        approval_required=False,
        policy_version="v1",
        audit_event=new_id(),
        proof_impact="none",
    )
    question = dataclasses.replace(question, earlier_attempt_open=waited)
    return Ruling(p, question, decision, new_id() if outcome is Outcome.GRANTED else None)


def settled(made: Ruling, outcome: ActionState) -> Settled:
    d = made.decision
    assert made.grant_id is not None
    return Settled(
        tenant_id=d.tenant_id,
        action_id=d.action_id,
        attempt=d.attempt,
        action_type="send_email",
        grant_id=made.grant_id,
        outcome=outcome,
        at=NOW,
    )


def approval(p: Prepared, **changes: Any) -> Approval:
    base = Approval(
        approval_id=new_id(),
        tenant_id=p.evaluation.tenant_id,
        action_id=p.evaluation.action_id,
        action_type="send_email",
        state=ApprovalState.PENDING,
        role="ceo",
        risk="low",
        reason="because",
        requester="user:1",
        value_sar=None,
        payload=p.evaluation.payload,
        payload_hash=p.digest,
        view={"title_ar": "إرسال بريد"},
        view_hash="ff" * 32,
        policy_version="v1",
        requested_at=NOW,
        due_at=NOW + timedelta(hours=4),
        expires_at=NOW + timedelta(days=7),
        compensation="none",
    )
    made: Approval = base.evolve(**changes)
    return made


def facts(contact_id: UUID, **changes: Any) -> ContactFacts:
    base = ContactFacts(
        contact_id=contact_id,
        account_id=None,
        email="a@b.example",
        phone=None,
        source="website_form",
        obtained_at=None,
        collected_directly=True,
        email_valid=True,
        version=3,
    )
    made: ContactFacts = base.evolve(**changes)
    return made


def consent(contact_id: UUID, **changes: Any) -> ConsentRecord:
    base = ConsentRecord(
        consent_id=new_id(),
        contact_id=contact_id,
        purpose="marketing",
        channel="email",
        method="form",
        captured_at=NOW - timedelta(days=1),
        evidence="row 3",
        notice_version="1",
    )
    made: ConsentRecord = base.evolve(**changes)
    return made


class TrustStorePromises:
    """Fixtures of the subclass: `store`; `published`, what has been emitted and committed; `recorded`, a tenant's ledger kinds."""

    @pytest.fixture
    def tenant(self) -> UUID:
        return new_id()

    @pytest.fixture
    def other(self) -> UUID:
        return new_id()

    async def known(self, store: Store, p: Prepared, mac: str = "") -> Known:
        async with store.unit(p.evaluation.tenant_id) as unit:
            return (await unit.known([p], [mac]))[0]

    # -- one unit of work ------------------------------------------------------------------------------------------------

    async def test_a_unit_that_fails_leaves_nothing_behind(
        self,
        store: Store,
        tenant: UUID,
        published: Callable[[], Awaitable[set[UUID]]],
        recorded: Callable[[UUID], Awaitable[list[str]]],
    ) -> None:
        p = prepared(tenant)
        asked, contact = approval(p), UUID(p.evaluation.resource.id)
        event = None
        with pytest.raises(ZeroDivisionError):
            async with store.unit(tenant) as unit:
                await unit.keep([ruling(p)])
                await unit.add_approvals([(asked, 1, SALT)])
                await unit.project(tenant, [facts(contact)], [("e", None)])
                await unit.add_consents(tenant, [consent(contact)])
                await unit.suppress(tenant, "m", "asked", "user:1")
                await unit.append([Entry(tenant, "decision", "user:1", "action:1", NOW)])
                event = unit.emit(APPROVAL_REQUESTED, _requested(asked))
                raise ZeroDivisionError
        record = (await self.known(store, p, "m")).record
        assert record == NOTHING
        async with store.unit(tenant) as unit:
            assert await unit.approval(tenant, asked.approval_id) is None
            assert await unit.consents(tenant, None, None, 10) == []
            assert await unit.states(tenant, [contact]) == {}
        assert event not in await published()
        assert await recorded(tenant) == []

    async def test_what_a_unit_emits_and_records_is_there_once_it_ended_well(
        self,
        store: Store,
        tenant: UUID,
        published: Callable[[], Awaitable[set[UUID]]],
        recorded: Callable[[UUID], Awaitable[list[str]]],
    ) -> None:
        async with store.unit(tenant) as unit:
            await unit.append([Entry(tenant, "decision", "user:1", "action:1", NOW)])
            event = unit.emit(APPROVAL_REQUESTED, _requested(approval(prepared(tenant))))
        assert event in await published()
        assert await recorded(tenant) == ["decision"]

    async def test_a_unit_sees_its_own_tenants_only(self, store: Store, tenant: UUID, other: UUID) -> None:
        p = prepared(tenant)
        asked, contact = approval(p), UUID(p.evaluation.resource.id)
        async with store.unit(tenant) as unit:
            await unit.keep([ruling(p)])
            await unit.add_approvals([(asked, 1, SALT)])
            await unit.project(tenant, [facts(contact)], [("e", None)])
            await unit.add_consents(tenant, [consent(contact)])
        for named in ((other,), ()):
            async with store.unit(*named) as unit:
                assert await unit.approval(tenant, asked.approval_id) is None
                assert await unit.approvals(tenant, None, None, None, 10) == []
                assert await unit.consents(tenant, None, None, 10) == []
                assert await unit.states(tenant, [contact]) == {}
                assert await unit.stale(tenant, [contact]) == [contact]
                assert await unit.withdraw(tenant, contact, None) == 0
                (known,) = await unit.known([p], [""])
                assert (known.prior, known.record.approval, known.record.contact) == (None, "none", None)
        async with store.unit(tenant, other) as unit:
            assert await unit.approval(tenant, asked.approval_id) is not None

    @pytest.mark.parametrize(
        "write", ["keep", "add_approvals", "project", "add_consents", "suppress", "append", "close_grants"]
    )
    async def test_a_unit_cannot_write_another_tenants_row(
        self, store: Store, tenant: UUID, other: UUID, write: str, refusal: type[Exception]
    ) -> None:
        p = prepared(tenant)
        contact, made = UUID(p.evaluation.resource.id), ruling(p)
        arguments: dict[str, tuple[Any, ...]] = {
            "keep": ([made],),
            "add_approvals": ([(approval(p), 1, SALT)],),
            "project": (tenant, [facts(contact)], [("e", None)]),
            "add_consents": (tenant, [consent(contact)]),
            "suppress": (tenant, "m", "asked", "user:1"),
            "append": ([Entry(tenant, "decision", "user:1", "action:1", NOW)],),
            "close_grants": ([settled(made, ActionState.SUCCEEDED)],),
        }
        with pytest.raises(refusal):
            async with store.unit(other) as unit:
                await getattr(unit, write)(*arguments[write])

    # -- decisions -------------------------------------------------------------------------------------------------------

    async def test_a_decision_is_found_again_for_exactly_what_it_decided(self, store: Store, tenant: UUID) -> None:
        p = prepared(tenant)
        made = ruling(p)
        async with store.unit(tenant) as unit:
            await unit.keep([made])
        assert (await self.known(store, p)).prior == made.decision
        assert (await self.known(store, again(p, attempt=2))).prior is None
        assert (await self.known(store, again(p, action_id=new_id()))).prior is None
        assert (await self.known(store, dataclasses.replace(p, digest="00"))).prior is None

    async def test_an_attempt_is_decided_once(self, store: Store, tenant: UUID) -> None:
        p = prepared(tenant)
        async with store.unit(tenant) as unit:
            await unit.keep([ruling(p)])
        with pytest.raises(Exception):  # noqa: B017  # each store has its own
            async with store.unit(tenant) as unit:
                await unit.keep([ruling(p)])

    @pytest.mark.parametrize(
        ("outcome", "still_open"),
        [
            (None, True),
            (ActionState.SUCCEEDED, True),
            (ActionState.UNKNOWN, True),
            (ActionState.NOT_SENT, False),
            (ActionState.FAILED, False),
        ],
    )
    async def test_an_attempt_is_open_until_it_is_known_to_have_had_no_effect(
        self, store: Store, tenant: UUID, outcome: ActionState | None, still_open: bool
    ) -> None:
        p = prepared(tenant)
        made = ruling(p)
        async with store.unit(tenant) as unit:
            await unit.keep([made])
            if outcome is not None:
                await unit.close_grants([settled(made, outcome)])
        assert (await self.known(store, again(p, attempt=2))).record.earlier_attempt_open is still_open
        assert (await self.known(store, p)).record.earlier_attempt_open is False

    async def test_a_refused_attempt_was_never_open(self, store: Store, tenant: UUID) -> None:
        p = prepared(tenant)
        async with store.unit(tenant) as unit:
            await unit.keep([ruling(p, Outcome.REFUSED)])
        assert (await self.known(store, again(p, attempt=2))).record.earlier_attempt_open is False

    async def test_a_grant_is_closed_once(self, store: Store, tenant: UUID) -> None:
        first = settled(ruling(prepared(tenant)), ActionState.SUCCEEDED)
        second = settled(ruling(prepared(tenant)), ActionState.FAILED)
        async with store.unit(tenant) as unit:
            assert await unit.close_grants([first]) == [first]
        async with store.unit(tenant) as unit:
            assert await unit.close_grants([first, second]) == [second]

    # -- caps ------------------------------------------------------------------------------------------------------------

    async def test_what_was_granted_counts_for_the_person_and_the_sender(self, store: Store, tenant: UUID) -> None:
        p = prepared(tenant)
        mine = [ruling(again(p, action_id=new_id())) for _ in range(3)]
        refused = ruling(again(p, action_id=new_id()), Outcome.REFUSED)
        elsewhere = ruling(prepared(tenant))
        other_channel = ruling(again(prepared(tenant, effect="send_whatsapp"), resource=p.evaluation.resource))
        async with store.unit(tenant) as unit:
            await unit.keep([*mine, refused, elsewhere, other_channel])
        record = (await self.known(store, again(p, action_id=new_id()))).record
        assert (record.touches_this_week, record.sent_today) == (3, 4)

    async def test_what_never_left_does_not_count_for_the_person(self, store: Store, tenant: UUID) -> None:
        p = prepared(tenant)
        outcomes = (ActionState.NOT_SENT, ActionState.FAILED, ActionState.UNKNOWN, ActionState.SUCCEEDED)
        made = [ruling(again(p, action_id=new_id())) for _ in outcomes]
        async with store.unit(tenant) as unit:
            await unit.keep(made)
            await unit.close_grants([settled(one, outcome) for one, outcome in zip(made, outcomes, strict=True)])
        assert (await self.known(store, again(p, action_id=new_id()))).record.touches_this_week == 2

    async def test_an_agents_refusals_are_its_own(self, store: Store, tenant: UUID) -> None:
        agent = Principal(id="agent:a", kind="agent", tenant_id=tenant)
        p = prepared(tenant, subject=agent)
        async with store.unit(tenant) as unit:
            await unit.keep([ruling(again(p, action_id=new_id()), Outcome.REFUSED) for _ in range(2)])
            await unit.keep([ruling(again(p, action_id=new_id()))])
            await unit.keep([ruling(again(p, action_id=new_id()), Outcome.REFUSED, waited=True)])
            await unit.keep([ruling(again(p, action_id=new_id(), subject=agent.evolve(id="agent:b")), Outcome.REFUSED)])
        assert (await self.known(store, again(p, action_id=new_id()))).record.agent_blocks == 2
        user = again(p, action_id=new_id(), subject=agent.evolve(kind="user"))
        assert (await self.known(store, user)).record.agent_blocks == 0

    # -- approvals -------------------------------------------------------------------------------------------------------

    async def test_an_approval_is_kept_as_it_was_asked_for_with_its_history(self, store: Store, tenant: UUID) -> None:
        asked = approval(prepared(tenant))
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(asked, 2, SALT)])
            await unit.add_step(tenant, asked.approval_id, "user:2", "approved", "fine")
        async with store.unit(tenant) as unit:
            found = await unit.approval(tenant, asked.approval_id, lock=True)
        assert found is not None
        assert found[0].evolve(history=()) == asked
        assert found[1] == 2
        steps = [(s.step, s.actor, s.note) for s in found[0].history]
        assert steps == [("requested", "user:1", ""), ("approved", "user:2", "fine")]

    async def test_a_closed_approval_says_who_when_and_how(self, store: Store, tenant: UUID) -> None:
        asked = approval(prepared(tenant))
        closed = asked.evolve(state=ApprovalState.REJECTED, decided_by="user:2", decided_at=NOW)
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(asked, 1, SALT)])
            await unit.close_approval(closed, "rejected", "no")
            found = await unit.approval(tenant, asked.approval_id)
        assert found is not None
        assert found[0].evolve(history=()) == closed
        assert [s.step for s in found[0].history] == ["requested", "rejected"]

    async def test_a_person_votes_once(self, store: Store, tenant: UUID) -> None:
        asked = approval(prepared(tenant))
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(asked, 2, SALT)])
            await unit.add_step(tenant, asked.approval_id, "user:2", "approved", "")
        with pytest.raises(Exception):  # noqa: B017  # each store has its own
            async with store.unit(tenant) as unit:
                await unit.add_step(tenant, asked.approval_id, "user:2", "approved", "")

    async def test_one_request_at_a_time_is_pending_for_a_payload(self, store: Store, tenant: UUID) -> None:
        p = prepared(tenant)
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(approval(p), 1, SALT)])
        with pytest.raises(Exception):  # noqa: B017  # each store has its own
            async with store.unit(tenant) as unit:
                await unit.add_approvals([(approval(p), 1, SALT)])

    async def test_approvals_are_listed_newest_first_and_page_by_page(self, store: Store, tenant: UUID) -> None:
        asked = [approval(prepared(tenant), role="ceo" if n % 2 else "sales_manager") for n in range(5)]
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(one, 1, SALT) for one in asked])
            closed = asked[0].evolve(state=ApprovalState.APPROVED, decided_by="user:2", decided_at=NOW)
            await unit.close_approval(closed, "approved", "")
        ids = [one.approval_id for one in asked]
        async with store.unit(tenant) as unit:
            first = await unit.approvals(tenant, None, None, None, 3)
            rest = await unit.approvals(tenant, None, None, first[-1].approval_id, 3)
            pending = await unit.approvals(tenant, "pending", None, None, 10)
            ceo = await unit.approvals(tenant, None, "ceo", None, 10)
        assert [one.approval_id for one in (*first, *rest)] == ids[::-1]
        assert [one.approval_id for one in pending] == ids[:0:-1]
        assert [one.approval_id for one in ceo] == [ids[3], ids[1]]

    @pytest.mark.parametrize(
        ("state", "expires", "seen_as"),
        [
            (ApprovalState.PENDING, 1, "pending"),
            (ApprovalState.APPROVED, 1, "approved"),
            (ApprovalState.REJECTED, 1, "rejected"),
            (ApprovalState.EXPIRED, 1, "lapsed"),
            (ApprovalState.WITHDRAWN, 1, "lapsed"),
            (ApprovalState.SUPERSEDED, 1, "lapsed"),
            (ApprovalState.PENDING, -1, "lapsed"),
            (ApprovalState.APPROVED, -1, "lapsed"),
            (ApprovalState.REJECTED, -1, "rejected"),
        ],
    )
    async def test_an_approval_counts_as_what_it_is_now(
        self, store: Store, tenant: UUID, state: ApprovalState, expires: int, seen_as: str
    ) -> None:
        p = prepared(tenant)
        asked = approval(p, expires_at=NOW + timedelta(hours=expires))
        async with store.unit(tenant) as unit:
            await unit.add_approvals([(asked, 1, SALT)])
            if state is not ApprovalState.PENDING:
                closed = asked.evolve(state=state, decided_by="user:2", decided_at=NOW)
                await unit.close_approval(closed, "closed", "")
        record = (await self.known(store, p)).record
        assert (record.approval, record.approval_id) == (seen_as, asked.approval_id)
        assert (await self.known(store, dataclasses.replace(p, digest="00"))).record.approval == "none"
        assert (await self.known(store, again(p, action_id=new_id()))).record.approval == "none"

    async def test_overdue_requests_are_named_by_tenant_until_they_are_closed(
        self, store: Store, tenant: UUID, other: UUID
    ) -> None:
        late = [approval(prepared(t), expires_at=NOW - timedelta(days=3000)) for t in (tenant, other)]
        fresh = approval(prepared(tenant))
        async with store.unit(tenant, other) as unit:
            await unit.add_approvals([(one, 1, SALT) for one in (*late, fresh)])
        overdue = await store.overdue(1000)
        assert (overdue[tenant], overdue[other]) == ([late[0].approval_id], [late[1].approval_id])
        async with store.unit(tenant) as unit:
            closed = late[0].evolve(state=ApprovalState.EXPIRED, decided_by="system:trust", decided_at=NOW)
            await unit.close_approval(closed, "expired", "")
        assert tenant not in await store.overdue(1000)

    # -- contacts --------------------------------------------------------------------------------------------------------

    async def test_a_contact_is_known_as_it_was_projected(self, store: Store, tenant: UUID) -> None:
        p = prepared(tenant)
        contact = UUID(p.evaluation.resource.id)
        async with store.unit(tenant) as unit:
            assert await unit.stale(tenant, [contact]) == [contact]
            await unit.project(tenant, [facts(contact, opted_out="maybe", cold=True)], [("mac-e", "mac-p")])
            assert await unit.stale(tenant, [contact]) == []
            (state,) = (await unit.states(tenant, [contact, new_id()])).values()
        assert (state.email_mac, state.phone_mac, state.opted_out, state.cold) == ("mac-e", "mac-p", "maybe", True)
        known = (await self.known(store, p)).record.contact
        assert known is not None
        assert (known.contact_id, known.email_mac, known.source) == (contact, "mac-e", "website_form")

    async def test_older_facts_do_not_overwrite_newer_ones(self, store: Store, tenant: UUID) -> None:
        contact = new_id()
        async with store.unit(tenant) as unit:
            await unit.project(tenant, [facts(contact, opted_out="yes", version=3)], [("e", None)])
            await unit.project(tenant, [facts(contact, opted_out="no", version=2)], [("e", None)])
            assert (await unit.states(tenant, [contact]))[contact].opted_out == "yes"
            await unit.project(tenant, [facts(contact, opted_out="no", version=3)], [("e", None)])
            assert (await unit.states(tenant, [contact]))[contact].opted_out == "no"

    async def test_a_forgotten_contact_is_unknown(self, store: Store, tenant: UUID) -> None:
        p = prepared(tenant)
        contact = UUID(p.evaluation.resource.id)
        async with store.unit(tenant) as unit:
            await unit.project(tenant, [facts(contact)], [("e", None)])
            await unit.forget(tenant, [contact])
        assert (await self.known(store, p)).record.contact is None

    async def test_suppression_is_one_tenants_own_and_survives_being_said_twice(
        self, store: Store, tenant: UUID, other: UUID
    ) -> None:
        contact = new_id()
        async with store.unit(tenant, other) as unit:
            for _ in range(2):
                await unit.suppress(tenant, "mac-e", "asked", "user:1")
            await unit.project(tenant, [facts(contact)], [("mac-e", "mac-p")])
            await unit.project(other, [facts(contact)], [("mac-e", "mac-p")])
            assert (await unit.states(tenant, [contact]))[contact].suppressed == {"mac-e"}
            assert (await unit.states(other, [contact]))[contact].suppressed == frozenset()
        assert (await self.known(store, prepared(tenant), "mac-e")).record.recipient_suppressed
        assert not (await self.known(store, prepared(tenant), "mac-p")).record.recipient_suppressed
        assert not (await self.known(store, prepared(tenant), "")).record.recipient_suppressed
        assert not (await self.known(store, prepared(other), "mac-e")).record.recipient_suppressed

    # -- consent ---------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("given", "state"),
        [
            ([], "none"),
            ([{}], "active"),
            ([{"expires_at": NOW + timedelta(days=1)}], "active"),
            ([{"expires_at": NOW - timedelta(seconds=1)}], "expired"),
            ([{"purpose": "transactional"}], "none"),
            ([{"channel": "whatsapp"}], "none"),
            ([{"captured_at": NOW - timedelta(days=9)}, {"expires_at": NOW - timedelta(seconds=1)}], "expired"),
            ([{"expires_at": NOW - timedelta(seconds=1), "captured_at": NOW - timedelta(days=9)}, {}], "active"),
        ],
    )
    async def test_the_newest_consent_for_the_purpose_and_channel_counts(
        self, store: Store, tenant: UUID, given: list[dict[str, Any]], state: str
    ) -> None:
        p = prepared(tenant)
        contact = UUID(p.evaluation.resource.id)
        async with store.unit(tenant) as unit:
            await unit.project(tenant, [facts(contact)], [("e", None)])
            assert await unit.add_consents(tenant, [consent(contact, **fields) for fields in given]) == len(given)
            seen = (await unit.states(tenant, [contact]))[contact]
        known = (await self.known(store, p)).record.contact
        assert known is not None
        assert (known.consent("email"), seen.consent("email")) == (state, state)

    async def test_the_same_consent_twice_is_one_and_does_not_undo_a_withdrawal(
        self, store: Store, tenant: UUID
    ) -> None:
        p = prepared(tenant)
        contact = UUID(p.evaluation.resource.id)
        given = consent(contact)
        async with store.unit(tenant) as unit:
            await unit.project(tenant, [facts(contact)], [("e", None)])
            assert await unit.add_consents(tenant, [given]) == 1
            assert await unit.withdraw(tenant, contact, "email") == 1
            assert await unit.add_consents(tenant, [given]) == 0
        known = (await self.known(store, p)).record.contact
        assert known is not None
        assert known.consent("email") == "withdrawn"

    async def test_a_withdrawal_takes_what_it_names(self, store: Store, tenant: UUID) -> None:
        contact, somebody_else = new_id(), new_id()
        async with store.unit(tenant) as unit:
            await unit.add_consents(
                tenant, [consent(contact), consent(contact, channel="whatsapp"), consent(somebody_else)]
            )
            assert await unit.withdraw(tenant, contact, "email") == 1
            assert await unit.withdraw(tenant, contact, "email") == 0
            assert await unit.withdraw(tenant, contact, None) == 1
            left = [c for c in await unit.consents(tenant, None, None, 10) if c.withdrawn_at is None]
        assert [c.contact_id for c in left] == [somebody_else]

    async def test_a_consent_without_evidence_cannot_be_kept(self, store: Store, tenant: UUID) -> None:
        with pytest.raises(Exception):  # noqa: B017  # each store has its own
            async with store.unit(tenant) as unit:
                await unit.add_consents(tenant, [consent(new_id(), evidence="")])

    async def test_consents_are_listed_newest_first_and_page_by_page(self, store: Store, tenant: UUID) -> None:
        contact = new_id()
        given = [consent(contact) for _ in range(3)]
        async with store.unit(tenant) as unit:
            await unit.add_consents(tenant, [*given, consent(new_id())])
            first = await unit.consents(tenant, contact, None, 2)
            rest = await unit.consents(tenant, contact, first[-1].consent_id, 2)
        assert [c.consent_id for c in (*first, *rest)] == [c.consent_id for c in given[::-1]]


def _requested(asked: Approval) -> ApprovalRequested:
    return ApprovalRequested(
        approval_id=asked.approval_id,
        tenant_id=asked.tenant_id,
        action_id=asked.action_id,
        action_type=asked.action_type,
        role=asked.role,
        risk=asked.risk,
        requested_at=asked.requested_at,
        due_at=asked.due_at,
        expires_at=asked.expires_at,
    )
