"""The risk heat map: likelihood by impact, with how many risks stand where."""

from __future__ import annotations

from datetime import datetime

from libs.contracts.executive import Level, NotScored, Risk, Source
from libs.contracts.message import Message, Page, Principal, Provenance


class RiskMapRequest(Message):
    """The map, and the risks of one cell, one row or column, or one source where that is named."""

    principal: Principal
    likelihood: Level | None = None
    impact: Level | None = None
    source: Source | None = None
    page: Page = Page()


class HeatCell(Message):
    likelihood: Level
    impact: Level
    score: int
    count: int


class RiskMap(Message):
    """All 25 cells, empty ones included, and the risks asked for, the worst first. `not_scored` names the sources that say nothing and why:
    an empty cell is not a promise."""

    cells: tuple[HeatCell, ...]
    total: int
    items: tuple[Risk, ...]
    next_cursor: str | None = None
    not_scored: tuple[NotScored, ...]
    scored_at: datetime
    provenance: Provenance
