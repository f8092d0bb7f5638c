"""The board pack: a `BoardPackDraft` of a month or a quarter, in both languages, with what its figures rest on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from libs.contracts.executive import NotScored, Risk, RoomFigure
from libs.contracts.memos import BoardPackDraft, BoardSection, Lines
from libs.contracts.message import Message, Principal

PERIOD = r"^[0-9]{4}-((0[1-9]|1[0-2])|Q[1-4])$"


class BoardPackRequest(Message):
    """Of the month (as 2026-10) or the quarter (as 2026-Q3) that `period_name` names; without one, of the last month that ended."""

    principal: Principal
    period_name: Annotated[str, Field(pattern=PERIOD)] | None = None


class PackSection(BoardSection):
    figures: tuple[RoomFigure, ...] = ()
    lines_ar: Lines = ()


class BoardPack(BoardPackDraft):
    """`so_far`: the period is not over. Metrics that have no period are as of now, as their own `as_of` says."""

    sections: Annotated[tuple[PackSection, ...], Field(min_length=8, max_length=8)]
    key_risks_ar: Lines
    decisions_required_ar: Lines
    since: datetime
    until: datetime
    so_far: bool
    made_at: datetime
    top_risks: tuple[Risk, ...]
    not_scored: tuple[NotScored, ...]
