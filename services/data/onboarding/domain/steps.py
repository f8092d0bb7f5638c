"""How far an onboarding is, from what the customer's rows show and what people said. Pure; the clock is passed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.contracts.catalogue.onboarding import OnboardingRules
from libs.contracts.message import Text
from libs.contracts.onboarding import CustomerOnboarding, OnboardingState, StepShown, StepState


@dataclass(frozen=True, slots=True)
class Shown:
    """A row that shows a step as done: when, and which (`activity:ID`)."""

    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person said about a step."""

    state: StepState
    at: datetime
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with the rows that count, by the kind of evidence, and what people said, by step."""

    deal_id: UUID
    account_id: UUID
    account_name: str
    title: str
    owner: str | None
    won_at: datetime
    shown: Mapping[str, Shown]
    marks: Mapping[str, Mark]


def read(one: Customer, rules: OnboardingRules, now: datetime) -> CustomerOnboarding:
    """The steps in order. A row outweighs what was said about the same step: it is there to be looked at."""
    steps = []
    for name, rule in rules.steps.items():
        label, mark, row = Text(en=rule.en, ar=rule.ar), one.marks.get(name), one.shown.get(rule.by)
        if row is not None:
            steps.append(StepShown(step=name, name=label, state=StepState.DONE, at=row.at, source=row.source))
        elif mark is not None:
            steps.append(StepShown(step=name, name=label, state=mark.state, at=mark.at, by=mark.by, note=mark.note))
        else:
            steps.append(StepShown(step=name, name=label, state=StepState.OPEN))
    current = next((step.step for step in steps if step.state is StepState.OPEN), None)
    moved = max((step.at for step in steps if step.at is not None and step.at <= now), default=one.won_at)
    moved = max(moved, one.won_at)
    idle = max(0.0, (now - moved).total_seconds() / 3600) if current else 0.0
    state = OnboardingState.DONE if current is None else OnboardingState.ACTIVE
    if current is not None and idle > rules.stuck_hours:
        state = OnboardingState.STUCK
    rule_now = rules.steps[current] if current else None
    return CustomerOnboarding(
        onboarding_id=one.deal_id, account_id=one.account_id, account_name=one.account_name, deal_title=one.title, owner=one.owner,
        state=state, started_at=one.won_at, moved_at=moved, stuck_hours=round(idle, 1),
        done=sum(step.state is not StepState.OPEN for step in steps), steps=tuple(steps), current=current,
        next_step=rule_now.next if rule_now else None,
        message=_filled(rule_now.message, one.account_name) if rule_now else None,
    )  # fmt: skip


def _filled(text: Text, account: str) -> Text:
    return Text(en=text.en.replace("{account}", account), ar=text.ar.replace("{account}", account))
