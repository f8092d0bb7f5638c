"""What several declarations share: fields, letters and effects as steps ask for them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from libs.contracts.trust import ResourceRef
from services.execution.flows.domain.definition import Typed
from services.execution.flows.domain.steps import Deed

Name = Annotated[str, Field(min_length=1, max_length=200)]
Line = Annotated[str, Field(min_length=1, max_length=2000)]
Prose = Annotated[str, Field(min_length=1, max_length=20_000)]
Facts = dict[str, Any]
DECIDERS = ("owner", "approver")
OWNER = ("owner",)


class Letter(Typed):
    """A message to one contact, fully rendered: what is approved is what is sent."""

    to: Name
    subject: Line
    body: Prose
    from_name: Name
    from_email: Name
    opt_out_url: Annotated[str, Field(max_length=500)] = ""


class Verdict(Typed):
    """What people decided, and why."""

    approved: bool
    note: Annotated[str, Field(max_length=2000)] = ""


class Note(Typed):
    note: Annotated[str, Field(max_length=2000)] = ""


def inside(action_type: str, kind: str, subject: str, payload: Facts, reason: str) -> Deed:
    """An effect that stays in the system, about one subject."""
    return Deed(action_type=action_type, resource=ResourceRef(type=kind, id=subject), payload=payload, reason=reason)


def letter(action_type: str, contact_id: str, sent: Letter, reason: str) -> Deed:
    """A letter to a contact."""
    payload = sent.model_dump(exclude_defaults=True)
    return Deed(
        action_type=action_type, resource=ResourceRef(type="contact", id=contact_id), payload=payload, reason=reason
    )


def team(text: str, subject: str, reason: str) -> Deed:
    """A notice to the tenant's own people."""
    return Deed(
        action_type="slack_notify", resource=ResourceRef(type="flow", id=subject), payload={"text": text}, reason=reason
    )


def approved(field: str) -> Any:
    """Whether the verdict that a field holds was yes."""
    return lambda state: bool(getattr(state, field).get("approved"))


def rejected(field: str) -> Any:
    return lambda state: not getattr(state, field).get("approved")
