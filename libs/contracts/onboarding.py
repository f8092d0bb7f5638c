"""How far each customer's onboarding is: from the customer's rows, and from what people said."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, Text


class OnboardingState(StrEnum):
    """`stuck`: nothing has moved for longer than the catalogue allows."""

    ACTIVE = "active"
    STUCK = "stuck"
    DONE = "done"


class StepState(StrEnum):
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


class StepShown(Message):
    """`by` is the person who said so, or empty where a row shows it: then `source` names that row."""

    step: str
    name: Text
    state: StepState
    at: datetime | None = None
    by: str = ""
    note: str = ""
    source: str = ""


class CustomerOnboarding(Message):
    """One customer. The id is its first won deal's. `moved_at` is when the last step was done; `stuck_hours` counts from there, also
    while it is not too long yet. `current` is the first step that is open, `next_step` what to do, `message` a text that may be sent."""

    onboarding_id: UUID
    account_id: UUID
    account_name: str
    deal_title: str
    owner: str | None
    state: OnboardingState
    started_at: datetime
    moved_at: datetime
    stuck_hours: float
    done: int
    steps: tuple[StepShown, ...]
    current: str | None
    next_step: Text | None
    message: Text | None


class OnboardingsRequest(Message):
    principal: Principal
    state: OnboardingState | None = None
    page: Page = Page()


class OnboardingsReply(Message):
    """The newest customer first."""

    items: tuple[CustomerOnboarding, ...]
    counts: dict[str, int]
    next_cursor: str | None = None


class OnboardingGet(Message):
    principal: Principal
    onboarding_id: UUID


class MarkStep(Message):
    """Say that a step is done, does not apply, or is open after all (which takes back what a person said, never what rows show). What
    does not apply says why."""

    principal: Principal
    onboarding_id: UUID
    step: Annotated[str, Field(min_length=1, max_length=40)]
    state: StepState
    note: Annotated[str, Field(max_length=1000)] = ""
