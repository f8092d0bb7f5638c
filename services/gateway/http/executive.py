"""The executive room over HTTP: an `ExecutiveSnapshot` whose every figure leads to its metric and its rows."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter

from libs.contracts.executive import ExecutiveRoom, ExecutiveRoomRequest, Risk, RoomFigure, Source
from libs.contracts.message import Principal
from libs.contracts.subjects import EXECUTIVE_ROOM
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.metrics_catalog import PLACES, PREFIX
from services.gateway.http.problems import RESPONSES

API = "/api/v1"
router = APIRouter(prefix=API, tags=["executive"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


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


@router.get("/executive-room")
async def room(who: Reader, gateway: GatewayDep) -> Room:
    """Figures by their metrics' names, the worst risks, decisions that wait, open contradictions, actual beside forecast. A figure with an
    open contradiction says so (`disputed`, `caution`); a part that could not be read is named in `silent`."""
    return room_of(await gateway.bus.call(EXECUTIVE_ROOM, ExecutiveRoomRequest(principal=who)))
