"""What executives and boards look at, over HTTP: every figure leads to its metric and its rows, every risk to its record."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal, cast
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from libs.contracts.analytics import Analytics, AnalyticsRequest, Stretch, Trend
from libs.contracts.attribution import Attribution, AttributionRequest, AttributionsRequest
from libs.contracts.board_pack import PERIOD, BoardPack, BoardPackRequest, PackSection
from libs.contracts.executive import ExecutiveRoom, ExecutiveRoomRequest, Level, Risk, RoomFigure, Source
from libs.contracts.message import Principal, Text
from libs.contracts.metrics import SeriesPoint
from libs.contracts.risk_map import RiskMap, RiskMapRequest
from libs.contracts.subjects import ANALYTICS, ATTRIBUTION, ATTRIBUTIONS, BOARD_PACK, EXECUTIVE_ROOM, RISK_MAP
from services.gateway.board_pdf import LANGUAGES, board_pdf
from services.gateway.domain.cursors import wrap
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.metrics_catalog import PLACES, PREFIX
from services.gateway.http.problems import RESPONSES

API, PDF = "/api/v1", "application/pdf"
router = APIRouter(prefix="/api/v1", tags=["executive"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Period = Annotated[
    str | None, Query(pattern=PERIOD, description="As 2026-10 or 2026-Q3; the last month that ended when left out.")
]
Lang = Annotated[Literal["ar", "en"] | None, Query(description="One language of the PDF; both when left out.")]


class LinkedFigure(RoomFigure):
    """A figure, and where its definition, its value and its rows over the same period are read."""

    metric_path: str
    rows_path: str


class LinkedRisk(Risk):
    """A risk, its score (likelihood times impact, 25 at most) and the record it comes from."""

    score: int
    path: str


class Room(ExecutiveRoom):
    kpis: tuple[LinkedFigure, ...]
    top_risks: tuple[LinkedRisk, ...]


class LinkedSection(PackSection):
    figures: tuple[LinkedFigure, ...] = ()


class Pack(BoardPack):
    sections: Annotated[tuple[LinkedSection, ...], Field(min_length=8, max_length=8)]
    top_risks: tuple[LinkedRisk, ...]
    pdf_path: str


class Heatmap(RiskMap):
    items: tuple[LinkedRisk, ...]


class LinkedPoint(SeriesPoint):
    rows_path: str


class LinkedTrend(Trend):
    points: tuple[LinkedPoint, ...]


class Trends(Analytics):
    trends: tuple[LinkedTrend, ...]


def linked(one: RoomFigure) -> LinkedFigure:
    """A figure with the paths behind it."""
    period = urlencode({"from": one.since.isoformat(), "to": one.until.isoformat()})
    base = f"{PREFIX}/{one.metric}"
    return LinkedFigure(**dict(one), metric_path=f"{base}/value?{period}", rows_path=f"{base}/rows?{period}")


def opened(one: Risk) -> LinkedRisk:
    """A risk with the path of its record."""
    kind = "account" if one.source is Source.CUSTOMER else one.source.value
    path = f"{API}{PLACES[kind].format(id=quote(one.id, safe=''))}"
    return LinkedRisk(**dict(one), score=one.product, path=path)


def room_of(found: ExecutiveRoom) -> Room:
    changed: dict[str, Any] = {
        "kpis": tuple(linked(one) for one in found.kpis), "top_risks": tuple(opened(one) for one in found.top_risks),
    }  # fmt: skip
    return Room(**{**dict(found), **changed})


def pack_of(found: BoardPack) -> Pack:
    sections = [{**dict(one), "figures": tuple(linked(each) for each in one.figures)} for one in found.sections]
    changed: dict[str, Any] = {
        "sections": tuple(LinkedSection(**one) for one in sections),
        "top_risks": tuple(opened(one) for one in found.top_risks), "pdf_path": f"{API}/board-pack.pdf?{urlencode({'period': found.period})}",
    }  # fmt: skip
    return Pack(**{**dict(found), **changed})


@router.get("/executive-room")
async def room(who: Reader, gateway: GatewayDep) -> Room:
    """Figures by their metrics' names, the worst risks, decisions that wait, open contradictions, actual beside forecast. A figure with an
    open contradiction says so (`disputed`, `caution`); a part that could not be read is named in `silent`."""
    return room_of(await gateway.bus.call(EXECUTIVE_ROOM, ExecutiveRoomRequest(principal=who)))


@router.get("/board-pack", response_model=Pack, responses={200: {"content": {PDF: {}}}})
async def board_pack(
    who: Reader,
    gateway: GatewayDep,
    period: Period = None,
    lang: Lang = None,
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> Any:
    """A draft for the board of a month or a quarter: eight sections, key risks, decisions required; as PDF for `Accept: application/pdf`."""
    found = await gateway.bus.call(BOARD_PACK, BoardPackRequest(principal=who, period_name=period))
    wanted = [one.partition(";")[0].strip().lower() for one in accept.split(",")]
    if PDF in wanted and "application/json" not in wanted[: wanted.index(PDF)]:
        return await _pdf(found, who, gateway, lang)
    return Response(pack_of(found).model_dump_json(), media_type="application/json", headers={"Vary": "Accept"})


@router.get("/board-pack.pdf", response_class=Response)
async def board_pack_pdf(who: Reader, gateway: GatewayDep, period: Period = None, lang: Lang = None) -> Response:
    """The board pack as PDF, in Arabic and English or in one of them."""
    return await _pdf(await gateway.bus.call(BOARD_PACK, BoardPackRequest(principal=who, period_name=period)), who, gateway, lang)  # fmt: skip


async def _pdf(found: BoardPack, who: Principal, gateway: Gateway, lang: Literal["ar", "en"] | None) -> Response:
    profile = await gateway.profile(who.tenant_id)
    named = Text(en=profile.name_en, ar=profile.name_ar) if profile else Text(en=str(who.tenant_id), ar=str(who.tenant_id))  # fmt: skip
    # Setting pages is work for a processor, not for the loop that answers others meanwhile.
    body = await asyncio.to_thread(board_pdf, found, named, (lang,) if lang else LANGUAGES)
    headers = {"Content-Disposition": f'attachment; filename="board-pack-{found.period}.pdf"', "Vary": "Accept"}
    return Response(body, media_type=PDF, headers=headers)


@router.get("/risks/heatmap")
async def heatmap(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    likelihood: Annotated[int | None, Query(ge=1, le=5)] = None,
    impact: Annotated[int | None, Query(ge=1, le=5)] = None,
    source: Source | None = None,
) -> Heatmap:
    """Likelihood by impact with how many risks stand where, and the risks of the cell, row, column or source that is asked for. Sources that
    could not be scored are named with why (`not_scored`)."""
    asked = RiskMapRequest(
        principal=who, likelihood=cast(Level | None, likelihood), impact=cast(Level | None, impact), source=source,
        page=paging.page(gateway, who),
    )  # fmt: skip
    found = await gateway.bus.call(RISK_MAP, asked)
    changed: dict[str, Any] = {
        "items": tuple(opened(one) for one in found.items), "next_cursor": wrap(gateway.keyring, who.tenant_id, found.next_cursor),
    }  # fmt: skip
    return Heatmap(**{**dict(found), **changed})


@router.get("/analytics")
async def analytics(
    who: Reader,
    gateway: GatewayDep,
    metric: Annotated[
        list[str] | None,
        Query(max_length=20, description="Metrics by name; the executive room's when left out."),
    ] = None,
    by: Stretch = Stretch.MONTH,
    stretches: Annotated[int, Query(ge=3, le=60, description="how many, the running one included")] = 12,
) -> Trends:
    """Metrics over time, each stretch the metric layer's own value with the path of its rows; no data is a gap, not zero."""
    asked = AnalyticsRequest(principal=who, names=tuple(metric or ()), by=by, stretches=stretches)
    found = await gateway.bus.call(ANALYTICS, asked)
    changed: dict[str, Any] = {"trends": tuple(_trend(one) for one in found.trends)}
    return Trends(**{**dict(found), **changed})


def _trend(one: Trend) -> LinkedTrend:
    def point(each: SeriesPoint) -> LinkedPoint:
        period = urlencode({"from": each.since.isoformat(), "to": each.until.isoformat()})
        return LinkedPoint(**dict(each), rows_path=f"{PREFIX}/{one.metric}/rows?{period}")

    changed: dict[str, Any] = {"points": tuple(point(each) for each in one.points)}
    return LinkedTrend(**{**dict(one), **changed})


@router.get("/attribution")
async def attribution(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    deal_id: Annotated[UUID | None, Query(description="One deal; the deals that were won when left out.")] = None,
) -> Attribution | Items[Attribution]:
    """A deal's touchpoints with how its outcome splits between them, by three models, and how sure that is. `needs_person` where rivals claim
    the deal or the models agree too little."""
    if deal_id is not None:
        return await gateway.bus.call(ATTRIBUTION, AttributionRequest(principal=who, deal_id=deal_id))
    reply = await gateway.bus.call(ATTRIBUTIONS, AttributionsRequest(principal=who, page=paging.page(gateway, who)))
    return items(gateway, who, reply.items, reply.next_cursor)
