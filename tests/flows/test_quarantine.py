"""What came in with a finding keeps its records in quarantine until a person releases them, and nobody else can."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from libs.contracts.catalogue.skills import FILE, load
from libs.contracts.errors import DealixError
from libs.contracts.execution import ActionItem, ActionState
from libs.contracts.governance import Kind, SetStanding
from libs.contracts.message import new_id
from libs.contracts.screening import (
    DecideFinding,
    FindingsRequest,
    FindingState,
    GateFinding,
    ScreenedText,
    TextsScreened,
)
from libs.contracts.subjects import DECIDE_FINDING, FINDINGS, SET_STANDING, TEXTS_SCREENED
from libs.contracts.trust import ResourceRef
from services.trust.governance.domain import standing
from services.trust.ledger.domain.records import EntryFilter
from tests.flows.world import (
    AGENT,
    API_KEY,
    APPROVER,
    OTHER_TENANT,
    REQUESTER,
    SECOND_APPROVER,
    TENANT,
    World,
    about,
    email,
    item,
    person,
    world,
)
from tests.unit.trust.store_promises import prepared

AUDITOR = person(9, "auditor")
WHY = "The customer's own words, harmless."


async def found(
    made: World, subject: str, *also: str, codes: tuple[str, ...] = ("override",), tenant: UUID = TENANT
) -> None:
    """Data tells trust that a text about a record showed something."""
    items = (ScreenedText(subject=subject, about=(subject, *also), field="notes", codes=codes),)
    event = TextsScreened(tenant_id=tenant, source="record", items=items, at=made.clock())
    made.hub.publish(TEXTS_SCREENED.subject, event.model_dump_json().encode())
    await made.quiet()


async def findings(made: World) -> tuple[GateFinding, ...]:
    return (await made.gateway.call(FINDINGS, FindingsRequest(principal=AUDITOR))).items


def look(lead: UUID) -> ActionItem:
    return item("summarize", {"text": "x"}, ResourceRef(type="lead", id=str(lead)))


async def test_a_harmless_action_on_a_record_in_quarantine_waits_for_a_person() -> None:
    async with world() as made:
        lead = new_id()
        await found(made, f"contact:{new_id()}", f"lead:{lead}")
        action = await made.run(look(lead))
        assert (action.state, action.action_class) == (ActionState.AWAITING_APPROVAL, "B")
        assert "subject_quarantined" in [reason.code for reason in action.reasons]
        other = await made.run(look(new_id()))
        assert other.state is ActionState.SUCCEEDED, "others are not held up"


async def test_only_a_person_with_the_right_releases_and_then_things_are_as_before() -> None:
    async with world() as made:
        lead = new_id()
        await found(made, f"lead:{lead}")
        (one,) = await findings(made)
        for nobody in (REQUESTER, AUDITOR, API_KEY, AGENT, person(2, "approver", tenant=OTHER_TENANT)):
            with pytest.raises(DealixError):
                await made.gateway.call(
                    DECIDE_FINDING,
                    DecideFinding(principal=nobody, finding_id=one.finding_id, state=FindingState.RELEASED, reason=WHY),
                )
        assert (await made.run(look(lead))).state is ActionState.AWAITING_APPROVAL
        decision = DecideFinding(principal=APPROVER, finding_id=one.finding_id, state=FindingState.RELEASED, reason=WHY)
        assert (await made.gateway.call(DECIDE_FINDING, decision)).state is FindingState.RELEASED
        assert (await made.run(look(lead))).state is ActionState.SUCCEEDED


async def test_a_confirmed_finding_stays_and_a_new_text_opens_a_released_one_again() -> None:
    async with world() as made:
        lead = new_id()
        await found(made, f"lead:{lead}")
        (one,) = await findings(made)
        for state, runs in ((FindingState.CONFIRMED, False), (FindingState.RELEASED, True)):
            await made.gateway.call(
                DECIDE_FINDING, DecideFinding(principal=APPROVER, finding_id=one.finding_id, state=state, reason=WHY)
            )
            done = await made.run(look(lead))
            assert (done.state is ActionState.SUCCEEDED) is runs
        await found(made, f"lead:{lead}")
        (again,) = await findings(made)
        assert (again.finding_id, again.state) == (one.finding_id, FindingState.OPEN)


async def test_findings_and_decisions_are_on_the_ledger_and_quote_nothing() -> None:
    async with world() as made:
        subject = f"lead:{new_id()}"
        await found(made, subject, codes=("override", "a_kind_of_tomorrow"))
        (newest, *_) = await findings(made)
        assert len(await findings(made)) == 2, "a kind that is not known here is kept, not dropped"
        await made.gateway.call(
            DECIDE_FINDING,
            DecideFinding(
                principal=SECOND_APPROVER, finding_id=newest.finding_id, state=FindingState.RELEASED, reason=WHY
            ),
        )
        entries = await made.trust_store.ledger.entries(EntryFilter(TENANT, target=subject), 10)
        assert sorted(entry.kind for entry in entries) == ["screening.found", "screening.released"]
        assert all(WHY not in (entry.body or b"").decode() for entry in entries)
        assert json.loads(entries[-1].body or b"{}")["data"]["field"] == "notes"


async def test_a_message_to_a_contact_in_quarantine_says_so_to_who_approves() -> None:
    async with world() as made:
        contact = made.contact()
        await found(made, f"contact:{contact.contact_id}")
        approval = await made.approval_of(await made.run(email(contact)))
        assert "subject_quarantined" in [reason["code"] for reason in approval.view["reasons"]]


# Agents and skills ------------------------------------------------------------------------------------------------------------


async def stop(made: World, kind: Kind, id: str, *, suspended: bool = True) -> None:
    await made.gateway.call(
        SET_STANDING,
        SetStanding(principal=SECOND_APPROVER, kind=kind, id=id, suspended=suspended, reason="Under review"),
    )


@pytest.mark.parametrize(("kind", "id"), [(Kind.AGENT, "outreach_writer"), (Kind.SKILL, "saudi_copywriter")])
async def test_a_suspended_agent_or_skill_is_refused_until_it_is_resumed(kind: Kind, id: str) -> None:
    async with world() as made:
        contact = made.contact()
        await stop(made, kind, id)
        refused = await made.run(email(contact), by=AGENT)
        assert refused.state is ActionState.REFUSED
        assert "agent_stopped" in [reason.code for reason in refused.reasons]
        assert (await made.run(email(made.contact()), by=REQUESTER)).state is ActionState.AWAITING_APPROVAL, (
            "people go on"
        )
        await stop(made, kind, id, suspended=False)
        assert (await made.run(email(contact), by=AGENT)).state is ActionState.AWAITING_APPROVAL


async def test_an_agent_cannot_let_itself_act_again_and_an_auditor_can_stop_nothing() -> None:
    async with world() as made:
        for who in (AGENT, AUDITOR, person(8, "member")):
            with pytest.raises(DealixError, match="does not allow"):
                await made.gateway.call(
                    SET_STANDING,
                    SetStanding(principal=who, kind=Kind.AGENT, id="outreach_writer", suspended=False, reason="please"),
                )


async def test_an_agent_nobody_registered_and_one_beyond_its_skill_are_refused() -> None:
    async with world() as made:
        for who, sent, code in (
            (AGENT.evolve(id="agent:somebody"), email(made.contact()), "agent_not_registered"),
            (AGENT, item("crm_update", {"a": 1}, about(made.contact())), "outside_skill"),
            (AGENT, item("summarize", {"text": "x"}, ResourceRef(type="secrets", id="1")), "outside_skill"),
        ):
            action = await made.run(sent, by=who)
            assert action.state is ActionState.REFUSED
            assert code in [reason.code for reason in action.reasons]
        assert made.wire.sent == []


def test_a_skill_whose_text_is_not_what_was_admitted_stops_its_agents() -> None:
    text = FILE.read_text(encoding="utf-8")
    widened = load(
        text.replace(
            "allowed_effects: [send_email, send_whatsapp, gmail_create_draft",
            "allowed_effects: [create_charge, send_email",
        )
    )
    asked = prepared(TENANT, effect="send_email", subject=AGENT)
    assert standing(asked, set()) == "ok"
    assert standing(asked, set(), admitted=widened) == "skill_changed"
    assert not any(skill.changed for skill in load(text).skills.values()), "what is shipped is what was admitted"


async def test_a_doubted_agent_asks_people_and_a_trusted_one_is_allowed_nothing_more() -> None:
    async with world() as made:
        quiet = item("summarize", {"text": "x"})
        assert (await made.run(quiet, by=AGENT)).state is ActionState.SUCCEEDED

        async def low(asked: object) -> set[tuple[UUID, str]]:
            return {(TENANT, AGENT.id)}

        made.authorizer.doubted = low
        waiting = await made.run(item("summarize", {"text": "x"}), by=AGENT)
        assert waiting.state is ActionState.AWAITING_APPROVAL
        assert "agent_low_trust" in [reason.code for reason in waiting.reasons]
