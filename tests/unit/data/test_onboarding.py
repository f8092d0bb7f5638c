"""How far an onboarding is: by rows, by people, and stuck once nothing has moved for too long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts.catalogue.onboarding import OnboardingRules, onboarding
from libs.contracts.onboarding import OnboardingState, StepState
from services.data.onboarding.domain.steps import Customer, Mark, Shown, read

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
WON = NOW - timedelta(hours=49)


def customer(
    shown: dict[str, Shown] | None = None, marks: dict[str, Mark] | None = None, won: datetime = WON
) -> Customer:
    return Customer(UUID(int=1), UUID(int=2), "شركة نجد", "عقد", None, won, shown or {}, marks or {})


def said(state: StepState = StepState.DONE, hours_ago: float = 1) -> Mark:
    return Mark(state, NOW - timedelta(hours=hours_ago), "user:1", "ملاحظة")


def test_a_new_customer_is_at_the_first_step_and_stuck_only_after_the_limit() -> None:
    fresh = read(customer(won=NOW - timedelta(hours=48)), onboarding(), NOW)
    assert (fresh.state, fresh.current, fresh.done) == (OnboardingState.ACTIVE, "handover", 0)
    late = read(customer(), onboarding(), NOW)
    assert (late.state, late.stuck_hours) == (OnboardingState.STUCK, 49.0)
    assert late.message is not None and "شركة نجد" in late.message.ar and "{" not in late.message.en


def test_what_happened_moves_it_on_and_names_the_row_that_shows_it() -> None:
    met = Shown(NOW - timedelta(hours=3), "activity:7")
    found = read(
        customer({"meeting_set": met, "meeting_held": met}, {"handover": said(hours_ago=9)}), onboarding(), NOW
    )
    assert (found.state, found.current, found.done) == (OnboardingState.ACTIVE, "inputs_received", 3)
    assert found.moved_at == met.at and found.steps[1].source == "activity:7" and found.steps[0].by == "user:1"


def test_a_meeting_that_is_only_planned_is_set_and_not_held() -> None:
    planned = Shown(NOW - timedelta(minutes=5), "activity:8")
    steps = {one.step: one.state for one in read(customer({"meeting_set": planned}), onboarding(), NOW).steps}
    assert steps["kickoff_set"] is StepState.DONE and steps["kickoff_held"] is StepState.OPEN


def test_a_row_outweighs_what_was_said_and_a_step_that_does_not_apply_is_passed() -> None:
    paid = Shown(NOW - timedelta(hours=2), "payment:9")
    found = read(customer({"payment": paid}, {"first_payment": said(StepState.SKIPPED)}), onboarding(), NOW)
    assert next(one for one in found.steps if one.step == "first_payment").state is StepState.DONE
    passed = read(customer(marks={"handover": said(StepState.SKIPPED)}), onboarding(), NOW)
    assert passed.current == "kickoff_set" and passed.done == 1


def test_it_is_done_when_all_seven_are_and_never_stuck_again() -> None:
    marks = {name: said(hours_ago=900) for name in onboarding().steps}
    found = read(customer(marks=marks, won=NOW - timedelta(days=60)), onboarding(), NOW)
    assert (found.state, found.done, found.current, found.next_step, found.stuck_hours) == (
        OnboardingState.DONE,
        7,
        None,
        None,
        0.0,
    )


def test_a_catalogue_with_another_number_of_steps_or_a_strange_blank_is_refused() -> None:
    whole = onboarding().model_dump()
    fewer = dict(list(whole["steps"].items())[:6])
    with pytest.raises(ValueError, match="7 steps"):
        OnboardingRules.model_validate({**whole, "steps": fewer})
    whole["steps"]["handover"]["message"]["en"] = "Dear {name}"
    with pytest.raises(ValueError, match="only"):
        OnboardingRules.model_validate(whole)
