"""Figures as people read them, on pages and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from libs.contracts.message import Text

UNITS: Final[Mapping[str, Text]] = {
    "SAR": Text(en="SAR", ar="ر.س"), "share": Text(en="%", ar="%"), "days": Text(en="days", ar="يوم"), "hours": Text(en="hours", ar="ساعة"),
    "seconds": Text(en="seconds", ar="ثانية"), "points": Text(en="of 100", ar="من 100"), "count": Text(en="", ar=""),
}  # fmt: skip
"""What stands beside a value, by the unit of its metric."""


def number(value: Decimal) -> str:
    """At most two places, and none where they are zero."""
    return f"{value:,.2f}".removesuffix(".00")


def figure(value: Decimal, unit: str) -> str:
    """A metric's value without its unit; a share in per cent."""
    return f"{value * 100:,.1f}" if unit == "share" else number(value)
