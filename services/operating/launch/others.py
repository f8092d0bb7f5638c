"""What other planes say about a tenant's launch. One that does not answer leaves its gates unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from decimal import Decimal
from uuid import UUID

from libs.contracts.catalogue.gates import Look, Source, gates
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.models import models
from libs.contracts.completions import ModelsRequest
from libs.contracts.compliance import ControlResult
from libs.contracts.errors import DealixError
from libs.contracts.launch import GateResult, GateSeen, LaunchFact, LaunchFactsRequest
from libs.contracts.message import Principal, PrincipalKind, Text
from libs.contracts.metrics import MetricGet, MetricValue
from libs.contracts.subjects import LAUNCH_FACTS, METRICS, MODELS
from libs.runtime.bus import Bus

_R = GateResult
ASK_SECONDS = 3.0
"""Less than trust waits before a switch, and than the gateway does: one silent plane leaves its own gates unknown, and no others."""


def looks(by: Source) -> tuple[Look, ...]:
    """Every look of one kind that a gate has, once."""
    found = {look.key: look for gate in gates().gates.values() for look in gate.looks if look.by is by}
    return tuple(found.values())


async def _within(part: Awaitable[list[GateSeen]]) -> list[GateSeen]:
    """What a part found; nothing when it takes longer than whoever asks for all of it would wait."""
    try:
        return await asyncio.wait_for(part, ASK_SECONDS)
    except TimeoutError:
        return []


class Others:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def look(self, tenant: UUID) -> dict[str, GateSeen]:
        """What trust's records, the metrics and the models in use say, by what the gates name it."""
        asked = (self._trust(tenant), self._metrics(tenant), self._models(tenant))
        parts = await asyncio.gather(*(_within(part) for part in asked))
        return {one.what: one for part in parts for one in part}

    async def _trust(self, tenant: UUID) -> list[GateSeen]:
        asked = LaunchFactsRequest(
            tenant_id=tenant,
            controls=tuple(look.of for look in looks(Source.CONTROLS)),
            records=tuple(look.of for look in looks(Source.RECORDS)),
        )
        try:
            reply = await self._bus.call(LAUNCH_FACTS, asked)
        except DealixError:
            return []
        return [fact(Source.CONTROLS, one) for one in reply.controls] + [
            fact(Source.RECORDS, one) for one in reply.records
        ]

    async def _metrics(self, tenant: UUID) -> list[GateSeen]:
        found = []
        for look in looks(Source.METRIC):
            try:
                rule = metrics()[look.of]
                value = await self._bus.call(METRICS[rule.plane], MetricGet(principal=reader(tenant), name=look.of))
            except DealixError:
                continue
            found.append(measured(look, value))
        return found

    async def _models(self, tenant: UUID) -> list[GateSeen]:
        try:
            keyed = (await self._bus.call(MODELS, ModelsRequest(principal=reader(tenant)))).keyed
            abroad = tuple(key for key in keyed if models().abroad(key))
            asked = LaunchFactsRequest(tenant_id=tenant, connectors=abroad)
            safe = (await self._bus.call(LAUNCH_FACTS, asked)).safeguarded if abroad else ()
        except DealixError:
            return []
        return [classified(keyed, set(abroad) - set(safe))]


def reader(tenant: UUID) -> Principal:
    return Principal(id="plane:operating", kind=PrincipalKind.SYSTEM, tenant_id=tenant, roles=("auditor",))


def fact(by: Source, one: LaunchFact) -> GateSeen:
    """What trust said. A control that was set aside with a reason holds nothing up."""
    result = {ControlResult.PASS: _R.PASS, ControlResult.NOT_APPLICABLE: _R.PASS, ControlResult.FAIL: _R.FAIL}
    return GateSeen(
        what=f"{by.value}:{one.key}", result=result.get(one.result, _R.UNKNOWN), why=one.why, rows=one.rows, failing=one.failing
    )  # fmt: skip


def measured(look: Look, value: MetricValue) -> GateSeen:
    """A share against its threshold; no data says nothing."""
    if value.value is None or value.no_data or look.at_least is None:
        why = Text(en=value.why_en or "There is no data.", ar=value.why_ar or "لا توجد بيانات.")
        return GateSeen(what=look.key, result=_R.UNKNOWN, why=why)
    is_, wanted = _percent(value.value), _percent(look.at_least)
    why = Text(
        en=f"{value.en}: {is_}%; at least {wanted}% is wanted.", ar=f"{value.ar}: {is_}%، والمطلوب {wanted}% على الأقل."
    )
    result = _R.PASS if value.value >= look.at_least else _R.FAIL
    return GateSeen(what=look.key, result=result, why=why, rows=value.rows)


def _percent(share: Decimal) -> Decimal:
    """Cut, not rounded: what is below a threshold never reads like it."""
    return Decimal(int(share * 1000)) / 10


def classified(keyed: Collection[str], unguarded: Collection[str]) -> GateSeen:
    """Providers with a key: each runs at home, or abroad with a safeguarded transfer on record (PDPL art. 29)."""
    used, missing = ", ".join(sorted(keyed)), ", ".join(sorted(unguarded))
    result = _R.FAIL if missing else _R.PASS
    if missing:
        why = Text(en=f"Abroad, without a transfer on record: {missing}.", ar=f"خارج المملكة بلا سجل نقل: {missing}.")
    elif used:
        why = Text(en=f"Classified: {used}.", ar=f"مصنّفة: {used}.")
    else:
        why = Text(en="Only the built-in texts and rules answer.", ar="لا يجيب إلا النصوص والقواعد المدمجة.")
    # The built-in provider is always there, and classified.
    return GateSeen(what="models:keyed", result=result, why=why, rows=len(keyed) + 1, failing=len(unguarded))
