"""What flows refuse says why, in both languages, and changes nothing: state, revisions, actions, flows that there are."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.errors import RemoteFault
from libs.contracts.flows import (
    FlowRevision,
    FlowsRequest,
    FlowVerb,
    RevisionsRequest,
    SignalFlow,
    StartFlow,
)
from libs.contracts.message import new_id
from libs.contracts.subjects import FLOW_REVISIONS, FLOWS, SIGNAL_FLOW, START_FLOW
from services.execution.flows.domain.definition import Definitions
from services.execution.flows.errors import VersionMissing
from tests.flows.test_flows import flowing, get, start, tell
from tests.flows.world import APPROVER, REQUESTER, World, email_payload
from tests.unit.execution.flows.declared import definitions

pytestmark = pytest.mark.asyncio
ARABIC = re.compile(r"[\u0600-\u06ff]")
LARGE = "x" * 300_000
Prepare = Callable[[World], Awaitable[UUID]]
Attempt = Callable[[World, UUID], Awaitable[Any]]


async def ended(made: World) -> UUID:
    return await start(made, "two_acts")


async def sent(made: World) -> UUID:
    """A flow whose mail has left, which nothing takes back."""
    contact = made.contact()
    flow_id = await start(made, "mail", contact_id=str(contact.contact_id), letter=email_payload(contact))
    (wait,) = (await get(made, flow_id)).waits
    assert wait.ref is not None
    await made.approve(await made.action(wait.ref), APPROVER)
    return flow_id


async def waiting(made: World) -> UUID:
    return await start(made, "waits")


async def hear(made: World, flow_id: UUID, name: str, **payload: Any) -> Any:
    request = SignalFlow(principal=REQUESTER, flow_id=flow_id, signal_id=new_id(), name=name, payload=payload)
    return await made.gateway.call(SIGNAL_FLOW, request)


async def begin(made: World, _: UUID) -> Any:
    given = {"contact_id": "c-1", "letter": {"body": LARGE}}
    return await made.gateway.call(
        START_FLOW, StartFlow(principal=REQUESTER, flow_id=new_id(), flow="mail", input=given)
    )


CASES: dict[str, tuple[Prepare, Attempt, str, int, str]] = {
    "a signal to a finished flow": (ended, lambda m, f: hear(m, f, "first.done"), "flow_ended", 409, "completed"),
    "a fork from a step that never ran": (
        waiting, lambda m, f: tell(m, f, FlowVerb.FORK, step="nudge", new_id=new_id()), "step_never_ran", 409, "nudge",
    ),
    "a fork from a step that there is not": (
        ended, lambda m, f: tell(m, f, FlowVerb.FORK, step="third", new_id=new_id()), "step_never_ran", 409, "third",
    ),
    "an input over the limit": (ended, begin, "payload_too_large", 422, "256 KiB"),
    "a signal over the limit": (waiting, lambda m, f: hear(m, f, "replied", text=LARGE), "payload_too_large", 422, "256 KiB"),
    "a rollback of something irreversible": (sent, lambda m, f: tell(m, f, FlowVerb.ROLLBACK), "irreversible", 409, "send"),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
async def test_a_refusal_says_why_in_both_languages_and_changes_nothing(what: str) -> None:
    prepare, attempt, code, status, names = CASES[what]
    async with flowing() as made:
        flow_id = await prepare(made)
        before = await everything(made, flow_id)
        with pytest.raises(RemoteFault) as caught:
            await attempt(made, flow_id)
        await made.settle()
        error = caught.value
        assert (error.code, error.status) == (code, status)
        assert names in error.en
        assert ARABIC.search(error.ar) and not ARABIC.search(error.en)
        assert await everything(made, flow_id) == before


async def everything(made: World, flow_id: UUID) -> tuple[Any, ...]:
    """All that a refusal could have changed."""
    history: tuple[FlowRevision, ...] = (
        await made.gateway.call(FLOW_REVISIONS, RevisionsRequest(principal=REQUESTER, flow_id=flow_id))
    ).items
    flows = (await made.gateway.call(FLOWS, FlowsRequest(principal=REQUESTER))).items
    return await get(made, flow_id), history, {one.flow_id for one in flows}, len(made.wire.sent), len(made.requests)


async def test_a_live_flow_whose_version_is_missing_is_named_where_a_person_asks_for_it() -> None:
    live = {("two_acts", 1), ("two_acts", 7), ("gone", 2)}
    assert Definitions([one.flow for one in definitions()]).missing(live) == ["gone@2", "two_acts@7"]
    error = VersionMissing("gone@2")
    assert (error.status, "gone@2" in error.en, "gone@2" in error.ar) == (409, True, True)
    assert ARABIC.search(error.ar)
