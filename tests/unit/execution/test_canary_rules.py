"""Who takes a canary's version, and when a canary has to end."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.canaries import CanaryKind, Counts, Guardrails
from libs.contracts.message import new_id
from services.execution.canaries.domain import Snapshot, Taking, left_guardrails

RAILS = Guardrails()


def taking(percent: int = 10, **more: bool) -> Taking:
    return Taking(new_id(), CanaryKind.HANDLER, "tag", "2", percent, **more)


@pytest.mark.parametrize(
    ("canary", "baseline", "why"),
    [
        ((50, 3, 0), (500, 0, 0), "error_rate"),
        ((50, 2, 0), (500, 0, 0), ""),
        ((100, 10, 0), (500, 25, 0), ""),
        ((100, 11, 0), (500, 25, 0), "error_rate"),
        ((49, 49, 0), (500, 0, 0), ""),
        ((49, 0, 49), (500, 0, 0), ""),
        ((50, 0, 6), (500, 0, 0), "deny_rate"),
        ((50, 0, 5), (500, 0, 0), ""),
        ((50, 0, 15), (500, 0, 100), ""),
        ((50, 50, 0), (0, 0, 0), "error_rate"),
        ((50, 0, 0), (0, 0, 0), ""),
        ((50, 0, 0), (500, 500, 0), ""),
    ],
)
def test_a_canary_ends_beyond_its_guardrails_and_not_on_too_few_runs(
    canary: tuple[int, int, int], baseline: tuple[int, int, int], why: str
) -> None:
    counts = [Counts(runs=r, errors=e, denied=d) for r, e, d in (canary, baseline)]
    assert left_guardrails(RAILS, *counts) == why


def test_the_defaults_are_those_that_are_promised() -> None:
    assert (RAILS.window_minutes, RAILS.min_runs, RAILS.max_error_points, RAILS.max_deny_points) == (15, 50, 5.0, 10.0)


@given(st.uuids(), st.uuids(), st.integers(1, 99))
def test_a_run_keeps_its_group_and_a_larger_share_keeps_whom_it_had(canary: UUID, run: UUID, percent: int) -> None:
    small = Taking(canary, CanaryKind.HANDLER, "tag", "2", percent)
    large = Taking(canary, CanaryKind.HANDLER, "tag", "2", percent + 1)
    assert small.takes(run) == small.takes(run)
    assert large.takes(run) or not small.takes(run)


@pytest.mark.parametrize("percent", [1, 10, 50, 100])
def test_the_share_is_about_the_percentage(percent: int) -> None:
    one = Taking(UUID(int=5), CanaryKind.HANDLER, "tag", "2", percent)
    taken = sum(one.takes(UUID(int=number)) for number in range(10_000))
    assert abs(taken - 100 * percent) < 200


def test_two_canaries_draw_different_runs() -> None:
    first, second = (Taking(UUID(int=n), CanaryKind.HANDLER, "tag", "2", 50) for n in (1, 2))
    runs = [UUID(int=number) for number in range(1000)]
    assert {first.takes(run) == second.takes(run) for run in runs} == {True, False}


def test_what_is_promoted_takes_everything() -> None:
    assert all(taking(1, promoted=True).takes(UUID(int=number)) for number in range(200))


def test_a_canary_is_its_tenants_and_its_targets_alone() -> None:
    mine, one = new_id(), taking()
    snapshot = Snapshot({mine: (one,)})
    assert snapshot.find(mine, CanaryKind.HANDLER, "tag") is one
    assert snapshot.find(new_id(), CanaryKind.HANDLER, "tag") is None
    assert snapshot.find(mine, CanaryKind.HANDLER, "plan") is None
    assert snapshot.find(mine, CanaryKind.CONNECTOR, "tag") is None
