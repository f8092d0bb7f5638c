"""Ranking: from the facts of many leads to an ordered list in which every score shows its parts.

Pure and incremental: rank a few leads against the `ValueScale` of all and each gets the score it would get among all.
Sentences are made later, for the leads that somebody looks at (`explain.py`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.targeting import Targeting
from libs.contracts.trust import Contactability
from services.decision.targeting.domain import parts
from services.decision.targeting.domain.channels import Advice, advise, silent
from services.decision.targeting.domain.committee import Seat, seat
from services.decision.targeting.domain.facts import LeadFacts
from services.decision.targeting.domain.parts import Parts, ValueScale
from services.decision.targeting.domain.signals import Reading, read, stopped

"""Saudi Arabia keeps no summer time."""

_TELLING_INTENT = 20
REMEMBERED = 50_000
"""Different notes that are remembered while one list is scored."""


class Ranked(NamedTuple):
    """A lead with its score (0-100), what it is made of, and how sure that is.

    `percentile` is the place of its value among all known values, None where the value is not known. `confidence` falls
    with every fact that is missing and with the risk of the source; `freshness_hours` is the age of the newest fact.
    """

    lead: LeadFacts
    score: float
    tier: str
    parts: Parts
    reading: Reading
    seat: Seat | None
    advice: Advice
    percentile: float | None
    known: dict[str, bool]
    confidence: float
    freshness_hours: float

    @property
    def contactability(self) -> Contactability:
        """The state of the recommended channel, or the best there is."""
        return self.advice.status

    @property
    def actionable(self) -> bool:
        """Whether some channel may be used, if need be after a review."""
        return self.advice.best is not None


def rank(
    leads: Iterable[LeadFacts], targeting: Targeting, now: datetime, scale: ValueScale | None = None
) -> list[Ranked]:
    """Score all leads and put the best first; those that nobody may contact come after all others.

    `now` decides what "today" is in Riyadh; `scale` holds the values of all the tenant's leads when only some are ranked.
    """
    scorer = Scorer(targeting, now)
    return scorer.ranked([scorer.weigh(lead) for lead in leads], scale)


def order(one: Ranked) -> tuple[bool, float, int]:
    """Sort key: usable before blocked, then by score, then by id so that equal runs give equal lists."""
    return not one.actionable, -one.score, one.lead.lead_id.int


class _Told(NamedTuple):
    """What follows from how a lead came, its dates and its notes."""

    reading: Reading
    points: tuple[float, float, float]
    stopped: bool
    timing: float


class _Reach(NamedTuple):
    """What follows from what trust says of the channels and from what kind of address and number there is."""

    best: Contactability
    advice: Advice
    compliance: float
    deliverability: float
    assessed: float


class _Record(NamedTuple):
    """What follows from which fields are known and how old they are: `quality` and which fields those are."""

    known: dict[str, bool]
    which: tuple[bool, ...]
    quality: float


class Weighed(NamedTuple):
    """All that one lead alone decides: what is left is the place of its value among all others'."""

    lead: LeadFacts
    told: _Told
    reach: _Reach
    record: _Record
    seat: Seat | None
    sar: float | None
    fit: float
    engagement: float
    confidence: float
    freshness_hours: float


class Scorer:
    """Scores leads. What many leads have in common is worked out once: in a list of thousands few sources, dates and kinds of address
    are there, and most have no notes."""

    def __init__(self, rules: Targeting, now: datetime) -> None:
        self._rules, self._now = rules, now
        self._today = now.astimezone(RIYADH).date()
        self._told: dict[Hashable, _Told] = {}
        self._reach: dict[Hashable, _Reach] = {}
        self._records: dict[Hashable, _Record] = {}
        self._sure: dict[Hashable, float] = {}
        self._tier = cache(rules.tier)

    def weigh(self, lead: LeadFacts) -> Weighed:
        """What the lead brings by itself."""
        rules = self._rules
        told = self._tell(lead)
        reach = self._reached(lead, told)
        place = seat(lead.title)
        record = self._recorded(lead)
        return Weighed(
            lead=lead,
            told=told,
            reach=reach,
            record=record,
            seat=place,
            sar=parts.in_sar(lead, rules),
            fit=round(parts.fit(lead, place, rules), 1),
            engagement=round(parts.engagement(lead, told.points[2], self._today, rules), 1),
            confidence=self._confidence(lead, place, record, told, reach),
            freshness_hours=_freshness(lead, self._now),
        )

    def ranked(self, weighed: Sequence[Weighed], scale: ValueScale | None = None) -> list[Ranked]:
        """The leads with their scores, the best first. Their values are compared on `scale`, or among themselves."""
        values = scale or scale_of(weighed)
        ranked = [self._score(one, values) for one in weighed]
        ranked.sort(key=order)
        return ranked

    def _score(self, one: Weighed, values: ValueScale) -> Ranked:
        rules, told, reach = self._rules, one.told, one.reach
        intent, urgency, _ = told.points
        percentile = None if one.sar is None else values.percentile(one.sar)
        found = Parts(
            fit=one.fit,
            intent=round(intent, 1),
            urgency=round(urgency, 1),
            revenue=round(rules.unknown.revenue if percentile is None else percentile, 1),
            engagement=one.engagement,
            quality=one.record.quality,
            compliance=reach.compliance,
            deliverability=reach.deliverability,
        )
        weights = rules.weights
        total = round(
            found.fit * weights.fit
            + found.intent * weights.intent
            + found.urgency * weights.urgency
            + found.revenue * weights.revenue
            + found.engagement * weights.engagement
            + found.quality * weights.quality
            + found.compliance * weights.compliance
            + found.deliverability * weights.deliverability,
            1,
        )
        return Ranked(
            lead=one.lead,
            score=total,
            tier=self._tier(total),
            parts=found,
            reading=told.reading,
            seat=one.seat,
            advice=reach.advice,
            percentile=percentile,
            known=one.record.known,
            confidence=one.confidence,
            freshness_hours=one.freshness_hours,
        )

    def _tell(self, lead: LeadFacts) -> _Told:
        key = (lead.source, lead.obtained_at, lead.last_activity_at, lead.notes, lead.source_detail)
        told = self._told.get(key)
        if told is None:
            reading = read(lead, self._today, self._rules)
            points = parts.signal_points(reading.signals, self._rules)
            told = _Told(reading, points, stopped(reading, self._rules), _timing(reading, self._rules))
            if len(self._told) < REMEMBERED:
                self._told[key] = told
        return told

    def _recorded(self, lead: LeadFacts) -> _Record:
        usable = (
            bool(lead.account_name.strip()),
            bool(lead.contact_name),
            bool(lead.title),
            lead.email,
            lead.phone,
            bool(lead.sector),
        )
        sized = lead.employees is not None and lead.employees > 0
        dated = (lead.obtained_at, lead.last_activity_at, lead.duplicates)
        key = (usable, sized, lead.estimated_value is not None, lead.source, dated)
        record = self._records.get(key)
        if record is None:
            known = parts.known_fields(lead)
            record = _Record(
                known, tuple(known.values()), round(parts.quality(lead, known, self._today, self._rules), 1)
            )
            if len(self._records) < REMEMBERED:
                self._records[key] = record
        return record

    def _confidence(self, lead: LeadFacts, place: Seat | None, record: _Record, told: _Told, reach: _Reach) -> float:
        sure = (
            lead.sector in self._rules.sectors,
            place and place.exact,
            lead.last_activity_at is None,
            told.timing,
            reach.assessed,
        )
        key = (record.which, lead.source, sure)
        found = self._sure.get(key)
        if found is None:
            found = confidence(lead, place, record.known, self._rules, timing=told.timing, assessed=reach.assessed)
            self._sure[key] = found
        return found

    def _reached(self, lead: LeadFacts, told: _Told) -> _Reach:
        rules, silenced = self._rules, told.stopped
        statuses = tuple(lead.status(channel) for channel in rules.channels)
        key = (silenced, lead.source, lead.email, lead.phone, statuses)
        reach = self._reach.get(key)
        if reach is None:
            best = Contactability.BLOCKED if silenced else parts.best_status(lead, rules)
            reach = self._reach[key] = _Reach(
                best=best,
                advice=silent(rules) if silenced else advise(lead, best, rules),
                compliance=round(parts.compliance(lead, best, rules), 1),
                deliverability=round(parts.deliverability(lead, rules), 1),
                assessed=sum(status is not Contactability.UNKNOWN for status in statuses) / len(statuses),
            )
        return reach


def scale_of(weighed: Iterable[Weighed]) -> ValueScale:
    """The values of these leads."""
    return ValueScale(tuple(sorted(one.sar for one in weighed if one.sar is not None)))


def confidence(
    lead: LeadFacts, place: Seat | None, known: dict[str, bool], rules: Targeting, *, timing: float, assessed: float
) -> float:
    """How much of the score rests on facts, 0-1.

    Each part counts by its weight with the share of its inputs that are known; the whole is discounted by half of the
    source's risk. `timing` and `assessed` are the shares known of its signals and of its channels. A lead of which everything is
    known from its own mouth reaches 0.95; a bare name from a cold list 0.1.
    """
    weights, share = rules.weights, rules.fit_weights
    role = 0.0 if place is None else 1.0 if place.exact else 0.7
    fit = share["sector"] * (lead.sector in rules.sectors) + share["size"] * known["employees"] + share["role"] * role
    activity = 1.0 if lead.last_activity_at else 0.3
    completeness = sum(rules.completeness[name] for name, here in known.items() if here)
    total = (
        weights.fit * fit
        + (weights.intent + weights.urgency) * timing
        + weights.revenue * known["estimated_value"]
        + weights.engagement * activity
        + weights.quality * completeness
        + weights.compliance * assessed
        + weights.deliverability * (known["email"] or known["phone"])
    )
    return round(total * (1 - parts.source_risk(lead, rules) / 200), 4)


def _timing(reading: Reading, rules: Targeting) -> float:
    """Intent and urgency rest on dated signals: none at all says little, an undated one something. That a lead stands in our own
    records is no signal."""
    telling = [s for s in reading.signals if s.told or rules.sources[s.key].intent >= _TELLING_INTENT]
    if not telling:
        return 0.2
    return 1.0 if any(one.observed_at or one.due for one in telling) else 0.5


def _freshness(lead: LeadFacts, now: datetime) -> float:
    """Age in hours of the newest fact about the lead; the record's own change counts only where nothing else is dated."""
    newest = max(filter(None, (lead.obtained_at, lead.last_activity_at)), default=None)
    if newest is None:
        return round(max(0.0, (now - lead.updated_at).total_seconds() / 3600), 2)
    start = datetime(newest.year, newest.month, newest.day, tzinfo=RIYADH)
    return round(max(0.0, (now.astimezone(UTC) - start).total_seconds() / 3600), 2)
