"""Cadences: several messages to one contact, with business time between them, each approved as it would be sent: one by one, or all
of them in one approval over the complete rendered sequence.

A reply, a withdrawn consent, a suppression or another stage of the deal ends it wherever it stands; what waits for approval is withdrawn.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.canonical import canonical
from libs.contracts.outreach import SEQUENCE_APPROVE, SEQUENCE_REFERENCE
from libs.contracts.trust import ResourceRef
from services.execution.flows.declared.shared import Facts, Name, Note
from services.execution.flows.domain.definition import Flow, Typed
from services.execution.flows.domain.steps import (
    Business,
    Deed,
    Finish,
    GoTo,
    act,
    branch,
    checkpoint,
    finish,
    go_to,
    sleep,
)

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


def _send_1(s: Sequence) -> Deed:
    message = s.messages[s.sent]
    return Deed(
        action_type=ACTIONS[message.channel], resource=ResourceRef(type="contact", id=s.contact_id), payload=message.payload,
        reason=f"Message {s.sent + 1} of {len(s.messages)} of a sequence",
    )  # fmt: skip


class OutreachSequenceV1(Flow[Sequence], name="outreach_sequence", version=1):
    """As it was when every message had an approval of its own; sequences that began so end so."""

    horizon = "medium"
    input, state = SequenceAsked, Sequence
    ends_on = dict.fromkeys(STOPS, Note)
    steps = (
        branch(
            "at_once",
            (lambda s: s.messages[s.sent].after_business_hours == 0 or s.sent == 0, ()),
            otherwise=(sleep("pause", lambda s: Business(s.messages[s.sent].after_business_hours * 60)),),
        ),
        act("send", _send_1, into="last"),
        checkpoint("count", lambda s: {"sent": s.sent + 1}),
        branch("more", (lambda s: s.sent < len(s.messages), (go_to("again", "at_once"),))),
        sleep("listen", LAST_WORD),
        finish("end", "no_reply"),
    )


# Version 2 -----------------------------------------------------------------------------------------------------------------------

LONGEST_APPROVAL_DAYS = 90
OPENING = Business(0)
"""Until business opens."""
REFUSED: dict[str, Business | GoTo] = {
    "over_daily_cap": Business(0, next_day=True),
    "over_contact_cap": Business(0, next_day=True),
    "quiet_hours": Business(60),
    "sequence_expired": GoTo("approve"),
    "sequence_changed": GoTo("approve"),
    "sequence_needs_more_people": GoTo("approve"),
}
"""A cap or a quiet hour puts a message off, it does not end the sequence; where its approval does not hold, people are asked anew for
what is left."""


class CadenceAsked(SequenceAsked):
    """`approval` is `each` for one approval a message, `whole` for one over all of them, which then holds for `good_for_days`."""

    approval: Literal["each", "whole"] = "each"
    good_for_days: Annotated[int, Field(ge=1, le=LONGEST_APPROVAL_DAYS)] = 30


class Cadence(CadenceAsked):
    sent: int = 0
    last: Facts = {}
    approved: Facts = {}
    flow_id: str = ""


def _approve(s: Cadence) -> Deed:
    """What is left of the sequence, complete and rendered, with the hash of every message."""
    left = [
        {
            "channel": one.channel, "action_type": ACTIONS[one.channel], "after_business_hours": one.after_business_hours,
            "payload": one.payload, "payload_sha256": hashlib.sha256(canonical(one.payload)).hexdigest(),
        }
        for one in s.messages[s.sent :]
    ]  # fmt: skip
    return Deed(
        action_type=SEQUENCE_APPROVE, resource=ResourceRef(type="contact", id=s.contact_id),
        payload={"contact_id": s.contact_id, "flow_id": s.flow_id, "good_for_days": s.good_for_days, "messages": left},
        reason=f"One approval for {len(left)} messages to one contact",
    )  # fmt: skip


def _adopt(s: Cadence, payload: Facts) -> Facts:
    """The sequence as an approver has edited it. What was sent stays as it was sent."""
    edited = [
        {"channel": one["channel"], "payload": one["payload"], "after_business_hours": one["after_business_hours"]}
        for one in payload["messages"]
    ]
    return {"messages": [*s.messages[: s.sent], *edited], "good_for_days": payload["good_for_days"]}


def _send(s: Cadence) -> Deed:
    message = s.messages[s.sent]
    return Deed(
        action_type=ACTIONS[message.channel], resource=ResourceRef(type="contact", id=s.contact_id), payload=message.payload,
        reason=f"Message {s.sent + 1} of {len(s.messages)} of a sequence",
        approval=f"{SEQUENCE_REFERENCE}{s.approved['action_id']}" if s.approval == "whole" else "",
    )  # fmt: skip


class OutreachSequence(Flow[Cadence], name="outreach_sequence", version=2):
    horizon = "medium"
    input, state = CadenceAsked, Cadence
    ends_on = dict.fromkeys(STOPS, Note)
    own_id = "flow_id"
    steps = (
        branch(
            "whole",
            (
                lambda s: s.approval == "whole",
                (act("approve", _approve, into="approved", on_failure=Finish("not_approved"), adopt=_adopt),),
            ),
        ),
        branch(
            "at_once",
            (lambda s: s.sent == 0 and s.approval == "each", ()),
            otherwise=(sleep("pause", lambda s: Business(s.messages[s.sent].after_business_hours * 60) if s.sent else OPENING),),
        ),
        act("send", _send, into="last", refused=REFUSED),
        checkpoint("count", lambda s: {"sent": s.sent + 1}),
        branch("more", (lambda s: s.sent < len(s.messages), (go_to("again", "at_once"),))),
        sleep("listen", LAST_WORD),
        finish("end", "no_reply"),
    )  # fmt: skip
