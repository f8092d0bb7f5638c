"""Dead letters and connectors as pages: what they show, what their forms ask for, and that a secret is never shown again."""

from __future__ import annotations

import pytest

from libs.contracts import subjects
from libs.contracts.connectors import PutCredential
from libs.contracts.dead_events import DeadEvent, DeadEventDetail, DeadEventsReply, DeadEventState
from libs.contracts.dead_letters import DeadLetter, DeadLetterDetail, DeadLettersReply, LetterCause, LetterState
from libs.contracts.execution import Action, ActionState, ConnectorInfo, ConnectorsReply, ConnectorStatus
from libs.contracts.message import Plane, Reason, new_id
from libs.contracts.operating import ControlListReply, FlagsReply
from libs.contracts.trust import ResourceRef
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
SECRET = "correct-horse-battery"


def letter(site: Site) -> DeadLetter:
    return DeadLetter(
        dead_letter_id=new_id(), tenant_id=site.tenant.tenant_id, action_id=new_id(), action_type="slack_notify", connector="slack",
        cause=LetterCause.FAILED, error=Reason(code="x", en="It <b>refused</b>.", ar="رفض المزوّد."), attempts=3, arrived_at=site.clock(),
    )  # fmt: skip


def action(site: Site, of: DeadLetter) -> Action:
    return Action(
        action_id=of.action_id, tenant_id=of.tenant_id, action_type=of.action_type, action_class=None, mode=None, state=ActionState.FAILED,
        resource=ResourceRef(type="tenant", id=str(of.tenant_id)), payload={"text": "<script>"},
    )  # fmt: skip


async def test_a_dead_letter_is_shown_in_both_languages_and_its_forms_reach_execution(site: Site) -> None:
    token = await enter(site, "operator")
    one = letter(site)
    site.planes.answer(subjects.DEAD_LETTERS, DeadLettersReply(items=(one,)))
    site.planes.answer(subjects.DEAD_LETTER, DeadLetterDetail(letter=one, action=action(site, one)))
    site.planes.answer(subjects.DISCARD_LETTER, one.evolve(state=LetterState.DISCARDED))
    for lang, word in (("ar", "الرسائل المتعذّرة"), ("en", "Dead letters")):
        site.client.cookies.set("dealix_lang", lang)
        page = await site.client.get("/console/dead-letters")
        assert (page.status_code, word in page.text) == (200, True)
        shown = await site.client.get(f"/console/dead-letters/{one.dead_letter_id}")
        assert shown.status_code == 200
        assert "<script>" not in shown.text.replace('<script src="', "").replace("<script defer", "")
    path = f"/console/dead-letters/{one.dead_letter_id}"
    assert (await site.client.post(f"{path}/discard", data={"csrf": token})).status_code == 422
    assert (await site.client.post(f"{path}/resubmit", data={"csrf": token, "payload": "[1]"})).status_code == 422
    done = await site.client.post(f"{path}/discard", data={"csrf": token, "reason": "old"})
    assert done.status_code == 303


async def test_a_connectors_page_takes_a_secret_and_never_shows_it(site: Site) -> None:
    token = await enter(site, "owner")
    info = ConnectorInfo(
        connector_key="email_smtp", display_name="E-mail", display_name_ar="البريد", version="1", mode="sandbox", status=ConnectorStatus.UNKNOWN,
        registered=False, operations=("send",), data_classification="confidential", cross_border=False, idempotent=False, read_back="none",
        per_minute=120,
    )  # fmt: skip
    site.planes.answer(subjects.FLAGS, FlagsReply(flags={}, version=0))
    site.planes.answer(subjects.CONNECTORS, ConnectorsReply(items=(info,)))
    site.planes.answer(subjects.CONTROLS, ControlListReply(items=()))
    site.planes.answer(subjects.PUT_CREDENTIAL, info.evolve(registered=True))
    for lang in ("ar", "en"):
        site.client.cookies.set("dealix_lang", lang)
        assert (await site.client.get("/console/settings/connectors")).status_code == 200
        assert 'type="password"' in (await site.client.get("/console/settings/connectors/email_smtp")).text
    data = {
        "csrf": token,
        "host": "mail.example",
        "port": "587",
        "tls": "starttls",
        "username": "u",
        "password": SECRET,
    }
    stored = await site.client.post("/console/settings/connectors/email_smtp/credential", data=data)
    assert stored.status_code == 200
    assert SECRET not in stored.text


async def test_a_credentials_text_hides_its_values() -> None:
    from tests.flows.world import REQUESTER

    asked = PutCredential(principal=REQUESTER, connector="email_smtp", values={"password": SECRET})
    assert SECRET not in repr(asked)
    assert SECRET not in str(asked)


async def test_an_event_that_no_plane_could_take_stands_first_and_is_handed_over_from_its_page(site: Site) -> None:
    token = await enter(site, "operator")
    event = DeadEvent(
        dead_event_id=new_id(), plane=Plane.DECISION, subject="execution.dead_letter_arrived.v1", message_id="m",
        tenant_ids=(site.tenant.tenant_id,), error="KeyError", attempts=5, bytes=2, arrived_at=site.clock(),
    )  # fmt: skip
    site.planes.answer(subjects.DEAD_LETTERS, DeadLettersReply(items=()))
    site.planes.answer(subjects.DEAD_EVENTS, DeadEventsReply(items=(event,)))
    site.planes.answer(subjects.DEAD_EVENT, DeadEventDetail(event=event, body={"a": "<script>"}, shown=True))
    site.planes.answer(subjects.REPLAY_EVENT, event.evolve(state=DeadEventState.REPLAYED))
    path = f"/console/dead-letters/events/{event.dead_event_id}"
    for lang, word in (("ar", "رسائل داخلية لم تُستلم"), ("en", "Events that no plane could take")):
        site.client.cookies.set("dealix_lang", lang)
        page = await site.client.get("/console/dead-letters")
        assert page.status_code == 200 and word in page.text and path in page.text
        shown = await site.client.get(path)
        assert shown.status_code == 200 and "KeyError" in shown.text and '"<script>"' not in shown.text
    assert (await site.client.post(f"{path}/discard", data={"csrf": token})).status_code == 422
    assert (await site.client.post(f"{path}/replay", data={"csrf": token})).status_code == 303
    foreign = DeadEventDetail(event=event.evolve(tenant_ids=()), shown=False)
    site.planes.answer(subjects.DEAD_EVENT, foreign)
    seen = await site.client.get(path)
    assert f"{path}/replay" in seen.text and f"{path}/discard" not in seen.text
