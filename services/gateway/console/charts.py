"""A chart of months as plain shapes: bars for what came, a dashed line with its interval for what is expected. A missing month is a gap."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT = 960.0, 320.0
TOP, BOTTOM, SIDE, END = 16.0, 36.0, 84.0, 12.0
LINES = 4
LABELS = 9


@dataclass(frozen=True)
class Point:
    """One month. `actual` None draws no bar, `expected` None breaks the line; `open` is a month that is not over."""

    label: str
    actual: Decimal | None
    expected: Decimal | None
    low: Decimal | None = None
    high: Decimal | None = None
    open: bool = False


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    open: bool
    said: str


@dataclass(frozen=True)
class Mark:
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Shapes of an image `width` by `height`. `axis` is where the figures' axis stands; it is on the reader's side."""

    width: float
    height: float
    axis: float
    base: float
    bars: tuple[Bar, ...]
    lines: tuple[str, ...]
    bands: tuple[str, ...]
    dots: tuple[Mark, ...]
    months: tuple[Mark, ...]
    ticks: tuple[Mark, ...]


def chart(points: Sequence[Point], *, rtl: bool) -> Chart:
    """Lay the months out, the oldest at the reader's beginning: the right in Arabic."""
    top = _above(max((float(v) for p in points for v in (p.actual, p.expected, p.high) if v is not None), default=0.0))
    slot = (WIDTH - SIDE - END) / max(1, len(points))

    def x(at: int) -> float:
        offset = SIDE + slot * (at + 0.5)
        return round(WIDTH - offset if rtl else offset, 1)

    def y(value: Decimal | float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - float(value) / top), 1)

    base, wide = y(0), round(slot * 0.62, 1)
    bars = tuple(
        Bar(round(x(at) - wide / 2, 1), y(p.actual), wide, round(base - y(p.actual), 1), p.open, f"{p.label}: {p.actual:,.0f}")
        for at, p in enumerate(points)
        if p.actual is not None
    )  # fmt: skip
    every = math.ceil(len(points) / LABELS)
    # Counted from the newest, so that the last month always has its name.
    months = tuple(
        Mark(x(at), HEIGHT - 12, p.label) for at, p in enumerate(points) if (len(points) - 1 - at) % every == 0
    )
    axis = WIDTH - SIDE + 8 if rtl else SIDE - 8
    return Chart(
        WIDTH, HEIGHT, axis, base, bars,
        lines=tuple(
            " ".join(f"{x(at)},{y(points[at].expected or 0)}" for at in run)
            for run in _runs(at for at, p in enumerate(points) if p.expected is not None) if len(run) > 1
        ),
        bands=tuple(
            " ".join([*(f"{x(at)},{y(points[at].high or 0)}" for at in run), *(f"{x(at)},{y(points[at].low or 0)}" for at in reversed(run))])
            for run in _runs(at for at, p in enumerate(points) if p.low is not None and p.high is not None) if len(run) > 1
        ),
        dots=tuple(Mark(x(at), y(p.expected), f"{p.label}: {p.expected:,.0f}") for at, p in enumerate(points) if p.expected is not None),
        months=months,
        ticks=tuple(Mark(axis, y(top * line / LINES), _short(top * line / LINES, rtl)) for line in range(LINES + 1)),
    )  # fmt: skip


def _runs(places: Iterable[int]) -> list[list[int]]:
    """Neighbouring places together: a line is not drawn across a month that has no value."""
    found: list[list[int]] = []
    for at in places:
        if found and found[-1][-1] == at - 1:
            found[-1].append(at)
        else:
            found.append([at])
    return found


def _above(value: float) -> float:
    """A round number at or above a value, so that the lines stand at round numbers."""
    if value <= 0:
        return float(LINES)
    step = 10 ** math.floor(math.log10(value))
    return float(next(step * factor for factor in (1, 2, 4, 6, 8, 10) if step * factor >= value))


def _short(value: float, rtl: bool) -> str:
    for arabic, english, size in ((" مليون", "M", 1_000_000), (" ألف", "k", 1_000)):
        if value >= size:
            return f"{value / size:,.1f}".removesuffix(".0") + (arabic if rtl else english)
    return f"{value:,.1f}".removesuffix(".0")
