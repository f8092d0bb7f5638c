"""Every flow of the catalogue, through real trust: forward, through each of its waits, and back from wherever it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.flows import flow_entries
from libs.contracts.consent import ContactStopped
from libs.contracts.errors import RemoteFault
from libs.contracts.execution import ActionState
from libs.contracts.flows import CompensationState, Flow, FlowStatus, FlowVerb, FlowWait, StartFlow, WaitKind
from libs.contracts.message import new_id
from libs.contracts.subjects import CONTACT_STOPPED, START_FLOW
from services.execution.flows.declared import FLOWS
from services.execution.flows.domain.definition import Definitions
from services.execution.flows.domain.run import Run
from services.execution.flows.domain.steps import Ask, Call, Sleep, WaitFor
from tests.flows.test_flows import get, nobody, signal, tell
from tests.flows.world import APPROVER, REQUESTER, SECOND_APPROVER, TENANT, World, person, world

pytestmark = pytest.mark.asyncio

ALL = Definitions(FLOWS)
OWNER = person(3, "owner")
MINUTE = timedelta(minutes=1)
MOVES = 60
"""More than the longest flow has waits."""
GOOD: dict[str, dict[str, Any]] = {
    "Verdict": {"approved": True, "note": "نعم"}, "Note": {"note": "تم"}, "Slot": {"starts_at": "2026-12-01T10:00+03:00"},
    "Findings": {"findings": ["none"]}, "Signed": {"signed": True, "reference": "C-7"}, "Valuation": {"low_sar": 1, "high_sar": 2},
    "Measured": {"conversion": 0.2, "complaints": 0.0, "revenue_of_plan": 1.0, "churn": 0.0}, "Review": {"on_track": True},
    "Answered": {"output": {"suggestions": ["a"], "verdict": "accept", "body": "نص"}}, "Done": {"reference": "by hand"},
}  # fmt: skip


def letter(contact: Any, subject: str) -> dict[str, Any]:
    return {
        "to": contact.email, "subject": subject, "body": "السلام عليكم، معكم شركة أفق. لإيقاف الرسائل: رد بكلمة إيقاف.",
        "from_name": "شركة أفق", "from_email": "sales@ofoq.example",
    }  # fmt: skip


def given(name: str, made: World) -> dict[str, Any]:
    """An input for a flow, about a contact that may be written to."""
    contact = made.contact(
        consents=(made.consent("email"), made.consent("email", "partnership"), made.consent("whatsapp"))
    )
    shared = {"contact_id": str(contact.contact_id), "target_name": "شركة الهدف", "target_id": "t-1"}
    return {
        "lead_scoring": {"subject_id": "l-1"}, "message_classification": {"text": "السعر مرتفع"}, "dialect_detection": {"text": "وش الأخبار"},
        "knowledge_retrieval": {"query": "كم السعر؟"}, "dashboard_aggregation": {"period": "2026-11"}, "health_check": {},
        "trust_score": {"subject_id": "a-1"}, "audit_write": {"subject_id": "a-1", "statement": "إفادة"},
        "qualification_pipeline": {"lead_id": "l-1"},
        "outreach_sequence": {
            "contact_id": str(contact.contact_id),
            "messages": [{"channel": "email", "payload": letter(contact, f"رسالة {n}"), "after_business_hours": 8} for n in (1, 2)],
        },
        "meeting_booking": {"lead_id": "l-1", "title": "اجتماع", "attendees": [contact.email]},
        "proposal_generation": {"deal_id": "d-1"}, "affiliate_onboarding": {"applicant_id": "p-1", "application": {"name": "x"}},
        "compliance_scan": {"content_id": "c-1", "body": "نص"}, "evidence_assembly": {"scope": "deal:d-1"},
        "contradiction_scan": {"subject_id": "d-1"},
        "partner_approval": {
            "partner_name": "وكالة", "contact_id": str(contact.contact_id), "term_sheet": letter(contact, "ورقة الشروط"),
            "retraction": letter(contact, "سحب ورقة الشروط"),
        },
        "dd_room": {**shared, "invitation": letter(contact, "دعوة"), "termination": letter(contact, "إنهاء")},
        "signature": {"deal_id": "d-1", "document_id": "doc-1", "signer_name": "نورة", "signer_email": str(contact.email), "title": "عقد"},
        "ma_offer": {**shared, "offer": letter(contact, "عرض"), "withdrawal": letter(contact, "سحب العرض")},
        "expansion_launch": {"market": "جدة"}, "pmi_program": {"acquisition_id": "a-1", "company_name": "شركة"},
    }[name]  # fmt: skip


@asynccontextmanager
async def catalogue() -> AsyncIterator[World]:
    async with world(answer=nobody) as made:
        yield made


async def begin(made: World, name: str) -> UUID:
    flow_id = new_id()
    await made.gateway.call(
        START_FLOW, StartFlow(principal=REQUESTER, flow_id=flow_id, flow=name, input=given(name, made))
    )
    await made.settle()
    return flow_id


async def move(made: World, flow_id: UUID) -> Flow:
    """Bring about what one wait of the flow waits for: a person's decision, a signal, or time."""
    found = await get(made, flow_id)
    assert found.waits, (found.status, found.error)
    wait = found.waits[0]
    if wait.kind is WaitKind.ACTION and wait.ref is not None:
        action = await made.action(wait.ref)
        assert action.state is ActionState.AWAITING_APPROVAL, (wait, action.state, action.reasons)
        quorum = effects()[action.action_type].approvers
        await made.approve(action, *(APPROVER, SECOND_APPROVER)[:quorum])
    elif wait.kind is WaitKind.TIMER and wait.until is not None:
        made.clock.at = max(made.clock.at, wait.until)
        await made.settle()
    else:
        assert wait.signal is not None
        kind, _ = ALL.newest(found.flow).signals()[wait.signal]  # type: ignore[union-attr]  # every flow here is declared
        await signal(made, flow_id, wait.signal, by=OWNER, **GOOD[kind.__name__])
    return await get(made, flow_id)


async def walk(made: World, flow_id: UUID, moves: int = MOVES) -> Flow:
    found = await get(made, flow_id)
    for _ in range(moves):
        if found.status not in (FlowStatus.RUNNING, FlowStatus.ROLLING_BACK):
            break
        found = await move(made, flow_id)
    return found


async def test_every_flow_of_the_catalogue_is_declared_once_and_said_in_both_languages() -> None:
    declared = {one.name: one.flow.horizon for one in ALL}
    assert declared == {name: entry.horizon for name, entry in flow_entries().items()}
    assert [list(declared.values()).count(horizon) for horizon in ("short", "medium", "long")] == [8, 8, 6]
    assert all(entry.title.ar and entry.about.ar for entry in flow_entries().values())


@pytest.mark.parametrize("name", sorted(flow_entries()))
async def test_a_flow_runs_to_its_end_through_trust(name: str) -> None:
    async with catalogue() as made:
        found = await walk(made, await begin(made, name))
        assert found.status is FlowStatus.COMPLETED, (found.error, found.waits)
        assert found.outcome in ("done", "no_reply")


@pytest.mark.parametrize("name", sorted(name for name, entry in flow_entries().items() if entry.horizon == "long"))
async def test_a_long_flow_can_be_rolled_back_from_every_step(name: str) -> None:
    async with catalogue() as made:
        for moves in range(MOVES):
            flow_id = await begin(made, name)
            reached = await walk(made, flow_id, moves)
            await tell(made, flow_id, FlowVerb.ROLLBACK)
            found = await walk(made, flow_id)
            assert found.status is FlowStatus.ROLLED_BACK, (moves, found.error, found.waits)
            assert {one.state for one in found.compensations} <= {CompensationState.DONE, CompensationState.NOT_NEEDED}
            done = [one.step for one in found.compensations if one.state is CompensationState.DONE]
            acted = [one.step for one in reached.compensations if one.step not in {wait.step for wait in reached.waits}]
            assert done == acted
            if reached.status is FlowStatus.COMPLETED:
                return
        pytest.fail(f"{name} never ended")


async def test_no_wait_longer_than_a_minute_is_without_a_durable_owner() -> None:
    """Every wait of every flow, met while walking, stands in the stored run, and the queue's row knows when its clock goes on."""
    met: set[tuple[str, str]] = set()
    for name in flow_entries():
        async with catalogue() as made:
            flow_id = await begin(made, name)
            for _ in range(MOVES):
                found = await get(made, flow_id)
                if found.status is not FlowStatus.RUNNING:
                    break
                for wait in found.waits:
                    await owned(made, flow_id, wait)
                    met.add((name, wait.step))
                await move(made, flow_id)
    lasting = {(d.name, step.name) for d in ALL for step in d.waits() if isinstance(step, Ask | WaitFor | Sleep | Call)}
    assert lasting - met == set()


async def owned(made: World, flow_id: UUID, wait: FlowWait) -> None:
    tables = made.parts.flows.backend._tables  # type: ignore[attr-defined]  # the in-memory backend's rows
    key = next(key for key in tables.due if key[1] == flow_id)
    run, due = Run.model_validate_json(tables.runs[key][0]), tables.due[key]
    token = next(one for one in run.tokens if one.at == wait.step)
    assert token.wait is not None
    if wait.kind in (WaitKind.TIMER, WaitKind.SIGNAL, WaitKind.PERSON):
        assert wait.until is not None and due.wake_at is not None and due.wake_at <= wait.until
        assert wait.until - made.clock() > MINUTE or wait.kind is WaitKind.TIMER
    else:
        assert wait.ref is not None and token.wait.ref == wait.ref


async def test_a_reply_ends_a_sequence_and_withdraws_what_waits() -> None:
    async with catalogue() as made:
        flow_id = await begin(made, "outreach_sequence")
        (wait,) = (await get(made, flow_id)).waits
        assert wait.ref is not None
        found = await signal(made, flow_id, "replied", note="مهتم")
        assert (found.status, found.outcome) == (FlowStatus.COMPLETED, "replied")
        assert (await made.action(wait.ref)).state is ActionState.CANCELLED
        assert made.wire.sent == []


@pytest.mark.parametrize(
    "measured",
    [{"conversion": 0.04}, {"complaints": 0.11}, {"revenue_of_plan": 0.4}, {"churn": 0.21}, {"critical_violations": 1}],
)
async def test_a_market_that_loses_is_rolled_back(measured: dict[str, float]) -> None:
    async with catalogue() as made:
        flow_id = await begin(made, "expansion_launch")
        found = await get(made, flow_id)
        while not (found.waits and found.waits[0].signal == "canary.measured"):
            found = await move(made, flow_id)
        await signal(made, flow_id, "canary.measured", by=OWNER, **{**GOOD["Measured"], **measured})
        found = await walk(made, flow_id)
        assert found.status is FlowStatus.ROLLED_BACK
        assert [one.state for one in found.compensations] == [CompensationState.DONE]


async def test_a_merger_cannot_be_rolled_back_after_its_window() -> None:
    async with catalogue() as made:
        flow_id = await begin(made, "pmi_program")
        assert (await walk(made, flow_id)).status is FlowStatus.COMPLETED
        made.clock.advance(hours=73)
        with pytest.raises(RemoteFault) as caught:
            await tell(made, flow_id, FlowVerb.ROLLBACK)
        assert caught.value.code == "rollback_window_over"


async def test_who_withdraws_consent_is_written_to_no_more() -> None:
    async with catalogue() as made:
        flow_id = await begin(made, "outreach_sequence")
        await move(made, flow_id)
        assert len(made.wire.sent) == 1
        contact_id = UUID((await get(made, flow_id)).state["contact_id"])
        stopped = ContactStopped(
            tenant_id=TENANT, contact_id=contact_id, channel=None, why="withdrawn", at=made.clock()
        )
        async with made.trust_bus.database.work(TENANT) as work:
            work.emit(CONTACT_STOPPED, stopped)
        await made.settle()
        found = await get(made, flow_id)
        assert (found.status, found.outcome) == (FlowStatus.COMPLETED, "withdrawn")
        made.clock.advance(days=30)
        await made.settle()
        assert len(made.wire.sent) == 1


async def test_a_sequence_waits_for_business_hours() -> None:
    async with catalogue() as made:
        flow_id = await begin(made, "outreach_sequence")  # a Sunday, 09:00 in Riyadh
        found = await move(made, flow_id)
        (wait,) = found.waits
        assert wait.until is not None and wait.kind is WaitKind.TIMER
        assert wait.until == made.clock() + timedelta(hours=8)
        made.clock.at = datetime(2026, 11, 26, 13, 30, tzinfo=UTC)  # Thursday, 16:30 in Riyadh
        other = await begin(made, "outreach_sequence")
        (wait,) = (await move(made, other)).waits
        assert wait.until == datetime(2026, 11, 29, 13, 30, tzinfo=UTC)  # Sunday, 16:30
