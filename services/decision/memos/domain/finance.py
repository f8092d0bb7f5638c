"""Money over time: net present value, internal rate of return, payback. Cash flows are yearly, the first one now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

LOWEST, HIGHEST = -0.99, 10.0


def net_present_value(rate: float, flows: Sequence[float]) -> float:
    """Sum of flows discounted at `rate` a year."""
    return sum(flow / (1 + rate) ** year for year, flow in enumerate(flows))


def internal_rate(flows: Sequence[float]) -> float | None:
    """The rate at which the flows are worth nothing; None unless they change sign once, where it would mean nothing."""
    signs = [flow > 0 for flow in flows if flow]
    if sum(a != b for a, b in pairwise(signs)) != 1:
        return None
    low, high = LOWEST, HIGHEST
    if (net_present_value(low, flows) > 0) == (net_present_value(high, flows) > 0):
        return None
    rising = net_present_value(high, flows) > 0
    for _ in range(200):
        middle = (low + high) / 2
        if (net_present_value(middle, flows) > 0) == rising:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def payback_months(flows: Sequence[float]) -> int | None:
    """Months until what came in covers what went out, each year's flow spread evenly; None when it never does."""
    total = flows[0]
    if total >= 0:
        return 0
    for year, flow in enumerate(flows[1:]):
        if total + flow >= 0 and flow > 0:
            return year * 12 + -int(total / (flow / 12) // 1)
        total += flow
    return None


def longest_path(days: dict[str, int], after: dict[str, tuple[str, ...]]) -> tuple[tuple[str, ...], int]:
    """The chain of steps that takes longest, and how long. Raises ValueError naming a step that is unknown or waits for itself."""
    best: dict[str, tuple[int, tuple[str, ...]]] = {}
    walking: set[str] = set()

    def until(step: str) -> tuple[int, tuple[str, ...]]:
        if step in best:
            return best[step]
        if step in walking or step not in days:
            raise ValueError(step)
        walking.add(step)
        before = max((until(one) for one in after.get(step, ())), default=(0, ()))
        walking.discard(step)
        best[step] = (before[0] + days[step], (*before[1], step))
        return best[step]

    length, path = max(until(step) for step in days)
    return path, length
