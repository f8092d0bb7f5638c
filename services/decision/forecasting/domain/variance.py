"""A gap taken apart: by deal, stage, segment and timing. Every way of it adds up to the whole, to the halala."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from libs.contracts.catalogue.records import Stage, records
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.deal_history import PastDeal
from libs.contracts.forecasts import Part
from libs.contracts.message import Text
from services.decision.forecasting.domain.basis import CENT, Basis
from services.decision.forecasting.domain.knowing import NO_SEGMENT, brought

NOT_KNOWN, OTHER, UNEXPLAINED = "not_known", "other", "unexplained"
WORDS: Mapping[str, Text] = {
    NOT_KNOWN: Text(en="Deals that were not known then", ar="صفقات لم تكن معروفة حينها"),
    OTHER: Text(en="Other deals that were open", ar="صفقات مفتوحة أخرى"),
    UNEXPLAINED: Text(en="Not traced to a deal", ar="لم يُنسب إلى صفقة"),
    "won": Text(en="Won in the month", ar="كُسبت خلال الشهر"),
    "won_early": Text(en="Won before the month", ar="كُسبت قبل الشهر"),
    "lost": Text(en="Lost", ar="خُسرت"),
    "slipped": Text(en="Not closed in the month", ar="لم تُغلق خلال الشهر"),
    "gone": Text(en="Deals that are no longer there", ar="صفقات لم تعد موجودة"),
    NO_SEGMENT: Text(en="No sector given", ar="بلا قطاع"),
}


@dataclass
class _Sum:
    expected: Decimal = Decimal(0)
    actual: Decimal = Decimal(0)
    deals: int = 0

    def add(self, expected: Decimal, actual: Decimal, deals: int = 1) -> None:
        self.expected += expected
        self.actual += actual
        self.deals += deals


@dataclass(frozen=True)
class Gap:
    """The four ways. `basis` is what the forecast rested on, `deals` are as they stand now."""

    basis: Basis
    expected: Decimal
    actual: Decimal
    made_at: datetime
    since: datetime
    until: datetime
    deals: Mapping[UUID, PastDeal] = field(default_factory=dict)

    def _brought(self, deal: PastDeal) -> Decimal:
        return brought(deal, self.since, self.until)

    def _fate(self, deal: PastDeal | None) -> str:
        if deal is None:
            return "gone"
        if deal.closed_at is None or deal.closed_at >= self.until:
            return "slipped"
        if deal.stage != Stage.WON.value:
            return "lost"
        return "won" if deal.closed_at >= self.since else "won_early"

    def _others(self) -> Iterable[tuple[PastDeal, Decimal, str]]:
        """Deals that brought something and are not kept with the forecast: of the rest, or not known when it was made."""
        kept = {one.deal_id for one in self.basis.deals}
        for deal in self.deals.values():
            if deal.deal_id not in kept and (amount := self._brought(deal)):
                known = bool(self.basis.rest) and deal.created_at <= self.made_at
                yield deal, amount, OTHER if known else NOT_KNOWN

    def by_deal(self, most: int) -> tuple[Part, ...]:
        found = []
        for one in self.basis.deals:
            deal = self.deals.get(one.deal_id)
            name = f"{deal.account_name}: {deal.title}".strip(": ") if deal else ""
            words = Text(en=name, ar=name) if name else WORDS["gone"]
            actual = self._brought(deal) if deal else Decimal(0)
            found.append(_part(f"deal:{one.deal_id}", words, one.contribution, actual, one.deal_id, 1))
        found.sort(key=lambda part: (-abs(part.variance), part.key))
        sums = {OTHER: _Sum(), NOT_KNOWN: _Sum(self.basis.unknown)}
        for part in found[most:]:
            sums[OTHER].add(part.expected, part.actual)
        for rest in self.basis.rest:
            sums[OTHER].add(rest.contribution, Decimal(0), rest.deals)
        for _, amount, key in self._others():
            sums[key].add(Decimal(0), amount, 1 if key == NOT_KNOWN else 0)
        return (*found[:most], *self._closed(sums))

    def by_stage(self) -> tuple[Part, ...]:
        sums = {NOT_KNOWN: _Sum(self.basis.unknown)}
        for one in self.basis.deals:
            deal = self.deals.get(one.deal_id)
            sums.setdefault(one.stage, _Sum()).add(one.contribution, self._brought(deal) if deal else Decimal(0))
        for rest in self.basis.rest:
            sums.setdefault(rest.stage, _Sum()).add(rest.contribution, Decimal(0), rest.deals)
        for _, amount, key in self._others():
            sums.setdefault(key, _Sum()).add(Decimal(0), amount, 1 if key == NOT_KNOWN else 0)
        return self._closed(sums)

    def by_segment(self) -> tuple[Part, ...]:
        """What came from no known deal is spread as earlier revenue was."""
        sums: dict[str, _Sum] = {}
        for one in self.basis.deals:
            sums.setdefault(one.segment, _Sum()).add(one.contribution, Decimal(0))
        for rest in self.basis.rest:
            sums.setdefault(rest.segment, _Sum()).add(rest.contribution, Decimal(0), rest.deals)
        left, shares = self.basis.unknown, list(self.basis.segments.items()) or [(NO_SEGMENT, 1.0)]
        for number, (name, share) in enumerate(shares, 1):
            part = left if number == len(shares) else (self.basis.unknown * Decimal(repr(share))).quantize(CENT)
            sums.setdefault(name, _Sum()).add(part, Decimal(0), 0)
            left -= part
        for deal in self.deals.values():
            if amount := self._brought(deal):
                sums.setdefault(deal.sector or NO_SEGMENT, _Sum()).add(Decimal(0), amount, 0)
        return self._closed(sums)

    def by_timing(self) -> tuple[Part, ...]:
        sums = {NOT_KNOWN: _Sum(self.basis.unknown)}
        for one in self.basis.deals:
            deal = self.deals.get(one.deal_id)
            actual = self._brought(deal) if deal else Decimal(0)
            sums.setdefault(self._fate(deal), _Sum()).add(one.contribution, actual)
        for rest in self.basis.rest:
            sums.setdefault(OTHER, _Sum()).add(rest.contribution, Decimal(0), rest.deals)
        for _, amount, key in self._others():
            sums.setdefault(key, _Sum()).add(Decimal(0), amount, 1 if key == NOT_KNOWN else 0)
        return self._closed(sums)

    def _closed(self, sums: Mapping[str, _Sum]) -> tuple[Part, ...]:
        """The parts, and what the metric counted and no deal here explains: never silently left out."""
        traced = sum((self._brought(deal) for deal in self.deals.values()), Decimal(0))
        all_sums = dict(sums)
        if traced != self.actual:
            all_sums[UNEXPLAINED] = _Sum(Decimal(0), self.actual - traced)
        parts = [
            _part(key, words(key), one.expected, one.actual, None, one.deals)
            for key, one in all_sums.items()
            if one.expected or one.actual or one.deals
        ]
        return tuple(sorted(parts, key=lambda part: (-abs(part.variance), part.key)))


def words(key: str) -> Text:
    """What a part is called: a stage, a sector, or one of ours."""
    if key in WORDS:
        return WORDS[key]
    if key in {stage.value for stage in Stage}:
        rule = records().stages[Stage(key)]
        return Text(en=f"Stage: {rule.en}", ar=f"مرحلة: {rule.ar}")
    sector = targeting().sectors.get(key)
    return Text(en=sector.en, ar=sector.ar) if sector else Text(en=key, ar=key)


def _part(key: str, said: Text, expected: Decimal, actual: Decimal, deal_id: UUID | None, deals: int) -> Part:
    return Part(
        key=key, en=said.en, ar=said.ar, expected=expected, actual=actual, variance=actual - expected, deal_id=deal_id, deals=deals
    )  # fmt: skip
