"""Cadences: several messages to one contact, each approved as it would be sent, with business time between them.

A reply, a withdrawn consent, a suppression or another stage of the deal ends it wherever it stands; what waits for approval is withdrawn.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.trust import ResourceRef
from services.execution.flows.declared.shared import Facts, Name, Note
from services.execution.flows.domain.definition import Flow, Typed
from services.execution.flows.domain.steps import Business, Deed, act, branch, checkpoint, finish, go_to, sleep

ACTIONS = {"email": "send_email", "whatsapp": "send_whatsapp"}
STOPS = ("replied", "withdrawn", "suppressed", "stage_changed")
"""Signals that end a sequence."""
LAST_WORD = timedelta(days=5)
"""How long a sequence still listens after its last message, so that a late reply is counted as its own."""


class Message(Typed):
    """One message, fully rendered, and how many business hours pass before it."""

    channel: Literal["email", "whatsapp"]
    payload: Facts
    after_business_hours: Annotated[int, Field(ge=0, le=400)] = 16


class SequenceAsked(Typed):
    contact_id: Name
    lead_id: Annotated[str, Field(max_length=200)] = ""
    deal_id: Annotated[str, Field(max_length=200)] = ""
    messages: Annotated[list[Message], Field(min_length=1, max_length=6)]


class Sequence(SequenceAsked):
    sent: int = 0
    last: Facts = {}


def _send(s: Sequence) -> Deed:
    message = s.messages[s.sent]
    return Deed(
        action_type=ACTIONS[message.channel], resource=ResourceRef(type="contact", id=s.contact_id), payload=message.payload,
        reason=f"Message {s.sent + 1} of {len(s.messages)} of a sequence",
    )  # fmt: skip


class OutreachSequence(Flow[Sequence], name="outreach_sequence", version=1):
    horizon = "medium"
    input, state = SequenceAsked, Sequence
    ends_on = dict.fromkeys(STOPS, Note)
    steps = (
        branch(
            "at_once",
            (lambda s: s.messages[s.sent].after_business_hours == 0 or s.sent == 0, ()),
            otherwise=(sleep("pause", lambda s: Business(s.messages[s.sent].after_business_hours * 60)),),
        ),
        act("send", _send, into="last"),
        checkpoint("count", lambda s: {"sent": s.sent + 1}),
        branch("more", (lambda s: s.sent < len(s.messages), (go_to("again", "at_once"),))),
        sleep("listen", LAST_WORD),
        finish("end", "no_reply"),
    )
