"""Shares and their differences with intervals, and how many are needed to tell two shares apart. Computed by scipy."""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.stats import binomtest, norm  # type: ignore[import-untyped]  # scipy ships no types

CONFIDENCE = 0.95
POWER = 0.8
LEAST = 30
"""Contacts that each side of a comparison needs before anything is said about it."""


class Interval(NamedTuple):
    low: float
    high: float


def wilson(hits: int, of: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a share (Wilson 1927). Of nothing, everything is possible."""
    if not of:
        return Interval(0.0, 1.0)
    found = binomtest(hits, of).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high))


def difference(hits: int, of: int, others: int, of_others: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval of one share less another of independent groups: Newcombe's hybrid of two Wilson intervals (Statistics in Medicine
    1998, method 10), which holds up where groups are small or nobody answered."""
    if not of or not of_others:
        return Interval(-1.0, 1.0)
    mine, theirs = hits / of, others / of_others
    own, rest = wilson(hits, of, confidence), wilson(others, of_others, confidence)
    gap = mine - theirs
    return Interval(
        gap - math.hypot(mine - own.low, rest.high - theirs), gap + math.hypot(own.high - mine, theirs - rest.low)
    )


def per_arm(baseline: float, detects: float, confidence: float = CONFIDENCE, power: float = POWER) -> int:
    """How many each of two groups needs so that a true change from `baseline` to `detects` is found with this power (Fleiss, Statistical
    Methods for Rates and Proportions, 4.14). Raises ValueError where there is nothing to find."""
    gap = abs(detects - baseline)
    if not gap or not 0 <= baseline <= 1 or not 0 <= detects <= 1:
        raise ValueError("two different shares are needed")
    middle = (baseline + detects) / 2
    alike = float(norm.ppf(1 - (1 - confidence) / 2)) * math.sqrt(2 * middle * (1 - middle))
    apart = float(norm.ppf(power)) * math.sqrt(baseline * (1 - baseline) + detects * (1 - detects))
    return math.ceil((alike + apart) ** 2 / gap**2)
