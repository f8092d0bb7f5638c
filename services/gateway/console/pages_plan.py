"""What the page of the day's plan shows. Its words come with its values, in the reader's language."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.gateway.console.views import Button, Kpi, Tone


@dataclass(frozen=True)
class Planned:
    """A lead of the plan: the first of `reasons` stands in view, the others open. `state` says how far its draft has come."""

    lead_id: str
    place: int
    account: str
    score: int
    tier: str
    channel: str
    reasons: tuple[str, ...]
    state: str = ""
    tone: Tone = "neutral"
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class PlanPart:
    """A list of the plan: whom it writes to today, or who comes after them."""

    key: str
    title: str
    text: str
    leads: tuple[Planned, ...]


@dataclass(frozen=True)
class DayPlanPage:
    """`approve` is there while the plan waits and the reader may decide; `decided` says what became of it."""

    template: ClassVar[str] = "day_plan.html"
    title: str
    day: str
    back_label: str
    summary: str
    kpis_label: str
    kpis: tuple[Kpi, ...]
    parts: tuple[PlanPart, ...]
    why: str
    waits: str = ""
    approve: Button | None = None
    decided: str = ""
    decided_at: datetime | None = None
    set_aside: str = ""
    error: str = ""
    empty_title: str = ""
    empty_text: str = ""
    empty_href: str = ""
    empty_link: str = ""
