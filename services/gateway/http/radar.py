"""`/radar`: the technology radar, its criteria held against what this system counts now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel

from libs.contracts.catalogue.quality import quality_checks
from libs.contracts.catalogue.radar import Criterion, Fact, RadarEntry, Ring, radar
from libs.contracts.data import ImportsRequest
from libs.contracts.errors import DealixError
from libs.contracts.message import Page, Plane, Principal, Text
from libs.contracts.metrics import MetricGet
from libs.contracts.policy import BundleRequest
from libs.contracts.subjects import IMPORTS, METRICS, POLICY_BUNDLE
from services.gateway.http.connectors import standing
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/radar", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
State = Literal["met", "not_met", "unknown"]
BY_A_PERSON = Text(en="Nothing here counts it: a person judges.", ar="لا يُقاس هنا، والحكم لشخص.")
NOT_ANSWERED = Text(en="It could not be counted just now.", ar="تعذّر قياسه الآن.")


class Judged(BaseModel):
    """A criterion with what was counted. `unknown` says in `why` for what reason, and is never taken for either."""

    en: str
    ar: str
    fact: Fact | None
    above: int | None
    value: int | None
    state: State
    why: Text | None = None


class Shown(BaseModel):
    """An entry of the radar. `adopt` is `met` when every criterion is, `not_met` when one is not, otherwise `unknown`."""

    name: str
    ring: Ring
    since: date
    core_from: date | None
    area: str
    en: str
    ar: str
    adr: str | None
    spike: Text | None
    adopt: State | None
    adopt_when: list[Judged]


class Radar(BaseModel):
    """The whole radar with the moment of its counting; facts are those of the tenant that asks."""

    at: AwareDatetime
    items: list[Shown]
    next_cursor: None = None


@router.get("")
async def technology_radar(who: Reader, gateway: GatewayDep) -> Radar:
    """What we build on, try, watch and leave, each watched technology with its criteria against what is counted here."""
    named = {one.fact for entry in radar().values() for one in entry.adopt_when if one.fact is not None}
    values = await asyncio.gather(*(_counted(gateway, who, fact) for fact in named))
    facts = dict(zip(named, values, strict=True))
    return Radar(at=gateway.now(), items=[shown(entry, facts) for entry in radar().values()])


def shown(entry: RadarEntry, facts: Mapping[Fact, int | None]) -> Shown:
    """An entry, judged by facts; None is a fact that could not be counted."""
    judged = [judge(one, facts) for one in entry.adopt_when]
    states = {one.state for one in judged}
    adopt: State | None = None
    if judged:
        adopt = "not_met" if "not_met" in states else "unknown" if "unknown" in states else "met"
    return Shown(
        name=entry.name, ring=entry.ring, since=entry.since, core_from=entry.core_from, area=entry.area, en=entry.en, ar=entry.ar,
        adr=entry.adr, spike=entry.spike, adopt=adopt, adopt_when=judged,
    )  # fmt: skip


def judge(criterion: Criterion, facts: Mapping[Fact, int | None]) -> Judged:
    value = facts.get(criterion.fact) if criterion.fact is not None else None
    state: State = "unknown"
    if criterion.above is not None and value is not None:
        state = "met" if value > criterion.above else "not_met"
    why = None if state != "unknown" else BY_A_PERSON if criterion.fact is None else NOT_ANSWERED
    return Judged(
        en=criterion.en, ar=criterion.ar, fact=criterion.fact, above=criterion.above, value=value, state=state, why=why
    )


async def _counted(gateway: Gateway, who: Principal, fact: Fact) -> int | None:
    """A fact; None where the plane that knows it does not answer, or has nothing to count."""
    try:
        return await FACTS[fact](gateway, who)
    except DealixError:
        return None


async def _flows_completed(gateway: Gateway, who: Principal) -> int | None:
    found = await gateway.bus.call(METRICS[Plane.EXECUTION], MetricGet(principal=who, name="cost_per_workflow"))
    return found.rows


async def _policies(gateway: Gateway, who: Principal) -> int | None:
    return len((await gateway.bus.call(POLICY_BUNDLE, BundleRequest(principal=who, version="active"))).rules)


async def _connectors(gateway: Gateway, who: Principal) -> int | None:
    return sum(one.mode == "live" for one in await standing(gateway, who))


async def _sources(gateway: Gateway, who: Principal) -> int | None:
    found = await gateway.bus.call(IMPORTS, ImportsRequest(principal=who, page=Page(limit=200)))
    return len({one.source for one in found.items})


async def _tables(_: Gateway, __: Principal) -> int | None:
    return len({check.table for check in quality_checks().values()})


FACTS: dict[Fact, Callable[[Gateway, Principal], Awaitable[int | None]]] = {
    Fact.FLOWS_COMPLETED: _flows_completed, Fact.POLICIES: _policies, Fact.CONNECTORS_LIVE: _connectors, Fact.SOURCES: _sources,
    Fact.TABLES: _tables,
}  # fmt: skip
