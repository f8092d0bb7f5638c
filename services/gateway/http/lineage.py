"""Lineage: where something came from, and what it caused."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from libs.contracts.catalogue.lineage import lineage as catalogue
from libs.contracts.errors import DealixError, Invalid, NotFound
from libs.contracts.lineage import LineageNode, LineageReply, LineageRequest, LineageWay
from libs.contracts.message import Plane, Principal
from libs.contracts.subjects import HOLDERS, LINEAGE
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import allowed, require
from services.gateway.http.problems import RESPONSES
from services.gateway.lineage import Ask, LineageWalk, walk

router = APIRouter(prefix="/api/v1/lineage", tags=["lineage"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


class Traced(BaseModel):
    """A thing with all that it came from and all that it caused, as the planes' own rows have it."""

    kind: str
    id: str
    en: str
    ar: str
    came_from: LineageWalk
    caused: LineageWalk


class BadKind(Invalid):
    def __init__(self) -> None:
        kinds = ", ".join(catalogue().kinds)
        super().__init__(
            "bad_lineage_kind", f"Lineage knows these kinds: {kinds}.", f"الأنواع التي يُتتبَّع أصلها: {kinds}."
        )


class BadId(Invalid):
    def __init__(self, form: str) -> None:
        said = {"uuid": ("a UUID", "معرّفًا بصيغة UUID"), "row": ("an import's id, a colon and a row's number", "معرّف الاستيراد ثم نقطتين ثم رقم الصف")}[form]  # fmt: skip
        super().__init__("bad_lineage_id", f"The id of this kind is {said[0]}.", f"يكون معرّف هذا النوع {said[1]}.")


@router.get("/{kind}/{id}")
async def lineage(
    kind: Annotated[str, Path(max_length=30)], id: Annotated[str, Path(max_length=60)], who: Reader, gateway: GatewayDep
) -> Traced:
    """Both directions from one thing: back to the rows and the file, forward to cards, drafts, actions and their proof."""
    return await trace(gateway, who, kind, id)


async def trace(gateway: Gateway, who: Principal, kind: str, id: str) -> Traced:
    """Raises BadKind, BadId, NotFound."""
    rule = catalogue().kinds.get(kind)
    if rule is None:
        raise BadKind
    id = id.lower()
    if not rule.fits(id):
        raise BadId(rule.id)

    ask, planes = asking(gateway, who)
    start = LineageNode(kind=kind, id=id)
    came_from, known = await walk(start, LineageWay.CAME_FROM, ask, planes)
    caused, _ = await walk(start, LineageWay.CAUSED, ask, planes)
    if known is None and not came_from.steps and not caused.steps and rule.plane.value not in came_from.silent:
        raise NotFound
    return Traced(kind=kind, id=id, en=known.en if known else "", ar=known.ar if known else "", came_from=came_from, caused=caused)  # fmt: skip


def asking(gateway: Gateway, who: Principal) -> tuple[Ask, list[Plane]]:
    """How a person's lineage is asked for, and of which planes. Who may not read the ledger sees no entries and decisions here either."""

    async def ask(plane: Plane, nodes: tuple[LineageNode, ...], way: LineageWay) -> LineageReply | None:
        try:
            return await gateway.bus.call(LINEAGE[plane], LineageRequest(principal=who, nodes=nodes, way=way))
        except DealixError:
            return None

    return ask, [plane for plane in HOLDERS if plane is not Plane.TRUST or allowed(who, "evidence")]
