"""The day's plan: the best leads that may be contacted today, and which of them become drafts."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.targeting import Autopilot
from libs.contracts.trust import Contactability
from services.decision.targeting.domain.rank import Ranked


@dataclass(frozen=True, slots=True)
class DayPlan:
    """`prospects` may be contacted now; `drafts` are the first of them. `review` and `blocked` count the rest."""

    prospects: tuple[Ranked, ...]
    drafts: tuple[Ranked, ...]
    ranked: int
    safe: int
    review: int
    blocked: int


def day_plan(ranked: Iterable[Ranked], limits: Autopilot, apart: Set[UUID] = frozenset()) -> DayPlan:
    """Pick the best contactable leads, one an account: two messages to one company on a day are one too many.

    `apart` are leads that were written to before today or that a person skipped: they are counted and not picked, and a plan of the next
    day brings others.
    """
    prospects: list[Ranked] = []
    accounts = set()
    counts = {"all": 0, "safe": 0, "blocked": 0}
    for one in ranked:
        counts["all"] += 1
        if not one.actionable:
            counts["blocked"] += 1
        elif one.contactability is Contactability.SAFE:
            counts["safe"] += 1
            if (
                len(prospects) < limits.prospects
                and one.lead.account_id not in accounts
                and one.lead.lead_id not in apart
            ):
                accounts.add(one.lead.account_id)
                prospects.append(one)
    review = counts["all"] - counts["safe"] - counts["blocked"]
    drafts = tuple(prospects[: limits.drafts])
    return DayPlan(tuple(prospects), drafts, counts["all"], counts["safe"], review, counts["blocked"])


def day_began(now: datetime) -> datetime:
    """Midnight in Riyadh of the day that `now` falls on."""
    return datetime.combine(now.astimezone(RIYADH).date(), time(), RIYADH)
