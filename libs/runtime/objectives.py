"""Counts what service level objectives are about, from the very text that Prometheus scrapes, and tells operating.

So an objective is defined once: its metric and labels (`libs/contracts/catalogue/slos.yaml`) mean the same in an alert and on the page.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from libs.contracts.catalogue.slos import Slo, SloKind, slos
from libs.contracts.message import new_id
from libs.contracts.slos import SloCount, SloCounted, SloLevel
from libs.contracts.subjects import SLO_COUNTED

if TYPE_CHECKING:
    from libs.runtime.plane import Runtime

EVERY_SECONDS: Final = 15.0
PROCESS: Final = str(new_id())
"""This process, until it ends: its counters begin at zero with it. Planes that share a process share its counters."""
_SAMPLE: Final = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Sample(NamedTuple):
    """One line of an exposition."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(text: str) -> Iterator[Sample]:
    """The lines of an exposition (Prometheus text format 0.0.4, as `metering` and the gateway write it); comments and others are passed over."""
    for line in text.splitlines():
        if found := _SAMPLE.match(line):
            try:
                value = float(found[3])
            except ValueError:
                continue
            yield Sample(found[1], dict(_LABEL.findall(found[2] or "")), value)


def counted(slo: Slo, found: Iterable[Sample]) -> SloCount | None:
    """Good and bad events of an objective with a budget; None where this process counts none of them."""
    if slo.kind is SloKind.LEVEL:
        return None
    if slo.kind is SloKind.RATIO:
        own = [one for one in found if one.name == slo.metric and _counts(slo, one)]
        total = sum(one.value for one in own)
        bad = sum(one.value for one in own if _fits(one.labels, slo.bad))
    else:
        own = [one for one in found if one.name.startswith(f"{slo.metric}_") and _counts(slo, one)]
        total = sum(one.value for one in own if one.name == f"{slo.metric}_count")
        quick = sum(one.value for one in own if one.name == f"{slo.metric}_bucket" and _bound(one) == slo.seconds)
        bad = total - quick
    return SloCount(name=slo.name, good=round(total - bad), bad=round(bad)) if total else None


def level(slo: Slo, found: Iterable[Sample]) -> SloLevel | None:
    """The highest value of an objective that is a level; None where this process does not read it."""
    values = [one.value for one in found if one.name == slo.metric and _counts(slo, one)]
    return SloLevel(name=slo.name, value=max(values)) if slo.kind is SloKind.LEVEL and values else None


def _counts(slo: Slo, sample: Sample) -> bool:
    return _fits(sample.labels, slo.where) and not (slo.without and _fits(sample.labels, slo.without))


def _fits(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in wanted.items())


def _bound(sample: Sample) -> float | None:
    try:
        return float(sample.labels["le"])
    except (KeyError, ValueError):
        return None


class Objectives:
    """Tells operating what this process counted, for as long as the plane lives."""

    def __init__(self, runtime: Runtime, *, every: float = EVERY_SECONDS) -> None:
        self._runtime = runtime
        self._every = every

    async def once(self) -> None:
        found = list(samples(await self._runtime.metrics()))
        counts = tuple(one for slo in slos().values() if (one := counted(slo, found)) is not None)
        levels = tuple(read for slo in slos().values() if (read := level(slo, found)) is not None)
        plane = self._runtime.plane
        await self._runtime.bus.signal(
            SLO_COUNTED,
            SloCounted(plane=plane, process=PROCESS, at=self._runtime.now(), counts=counts, levels=levels),
        )

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self.once()
