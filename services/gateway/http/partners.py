"""Partners' figures and offers: how a partnership is doing, what partners bring, and an offer as a document."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from libs.contracts import partners
from libs.contracts.message import Principal
from libs.contracts.metrics import MetricValue
from libs.contracts.partners import OfferKind
from libs.contracts.subjects import PARTNER_OFFER, PARTNER_REVENUE, PARTNER_SCORECARD
from services.gateway.http import bodies
from services.gateway.http.bodies import Id, Items, PagingDep, items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/partners", tags=["partners"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Asker = Annotated[Principal, require("submit")]
Since = Annotated[AwareDatetime | None, Query(alias="from", description="a year ago when left out")]
Until = Annotated[AwareDatetime | None, Query(alias="to", description="now when left out")]


class OfferOrder(bodies.Request):
    """`kind` is what the partner's fit earns unless it is named. `send` asks for the letter to be sent, which a person approves."""

    partner_id: Id
    kind: OfferKind | None = None
    language: Literal["ar", "en"] = "ar"
    commission_percent: Annotated[Decimal, Field(strict=False, gt=0, le=50, decimal_places=2)] | None = None
    valid_days: Annotated[int, Field(ge=7, le=90)] = 30
    send: bool = False


class RevenuePage(Items[partners.PartnerRevenue]):
    """Partners by what they brought. `total` and `open_value` come from the dictionary of metrics; `rows_path` leads to the deals."""

    total: MetricValue
    open_value: MetricValue
    rows_path: str


@router.get("/revenue")
async def revenue(
    who: Reader, gateway: GatewayDep, paging: PagingDep, since: Since = None, until: Until = None
) -> RevenuePage:
    """What deals that partners brought and that were won came to, partner by partner, the most first."""
    request = partners.PartnerRevenueRequest(principal=who, since=since, until=until, page=paging.page(gateway, who))
    found = await gateway.bus.call(PARTNER_REVENUE, request)
    page = items(gateway, who, found.items, found.next_cursor)
    period = urlencode({"from": found.total.since.isoformat(), "to": found.total.until.isoformat()})
    return RevenuePage(
        items=page.items, next_cursor=page.next_cursor, total=found.total, open_value=found.open_value,
        rows_path=f"/api/v1/metrics-catalog/{found.total.name}/rows?{period}",
    )  # fmt: skip


@router.post("/offers")
async def offer(body: OfferOrder, who: Asker, gateway: GatewayDep) -> partners.PartnerOffer:
    """An offer as a document. With `send` it becomes the governed action `partner_offer_send`, which waits for a person's approval."""
    request = partners.BuildOffer(
        principal=who, partner_id=body.partner_id, kind=body.kind, language=body.language, commission_percent=body.commission_percent,
        valid_days=body.valid_days, send=body.send,
    )  # fmt: skip
    made = await gateway.bus.call(PARTNER_OFFER, request)
    if body.send:
        gateway.pulse.nudge(who.tenant_id, "approvals")
    return made


@router.get("/{id}/scorecard")
async def scorecard(id: UUID, who: Reader, gateway: GatewayDep) -> partners.PartnerScorecard:
    """How a partnership is doing: introductions, deals, months, its tier, and what it brought."""
    return await gateway.bus.call(PARTNER_SCORECARD, partners.PartnerGet(principal=who, partner_id=id))
