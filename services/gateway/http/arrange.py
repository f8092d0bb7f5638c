"""The review queue of likely duplicates, fields of a tenant's own, and saved views."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts import crm
from libs.contracts.catalogue.records import FieldType, RecordKind
from libs.contracts.message import Principal
from libs.contracts.subjects import (
    CUSTOM_FIELDS,
    DECIDE_REVIEW,
    DROP_CUSTOM_FIELD,
    DROP_VIEW,
    REVIEW,
    REVIEWS,
    SAVE_CUSTOM_FIELD,
    SAVE_VIEW,
    SAVED_VIEWS,
)
from services.gateway.http import bodies
from services.gateway.http.bodies import Id, Items, PagingDep, items
from services.gateway.http.context import GatewayDep
from services.gateway.http.crm import Shown, query_of, shown
from services.gateway.http.guards import IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["crm"], responses=RESPONSES)

Editor = Annotated[Principal, require("import")]
Administrator = Annotated[Principal, require("users")]
Reader = Annotated[Principal, require("read", reading=True)]
Key = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{0,39}$")]


class ShownReview(BaseModel):
    review_id: UUID
    kind: RecordKind
    state: crm.ReviewState
    score: float
    why_en: tuple[str, ...]
    why_ar: tuple[str, ...]
    left: Shown
    right: Shown
    import_id: UUID
    merge_id: UUID | None = None


class ReviewPage(Items[ShownReview]):
    waiting: int = 0


class Decision(bodies.Request):
    decision: Literal["merge", "apart"]
    keep_id: Id | None = None


class FieldIn(bodies.Request):
    type: Annotated[FieldType, Field(strict=False)]
    en: Annotated[str, Field(min_length=1, max_length=100)]
    ar: Annotated[str, Field(min_length=1, max_length=100)]
    choices: Annotated[list[str], Field(max_length=100)] = []


class ViewIn(bodies.Request):
    kind: Annotated[RecordKind, Field(strict=False)]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    where: dict[str, str] = {}
    q: str = ""
    shared: bool = False


def _shown(review: crm.Review) -> ShownReview:
    plain: dict[str, Any] = {name: getattr(review, name) for name in ShownReview.model_fields}
    return ShownReview(**{**plain, "left": shown(review.left), "right": shown(review.right)})


@router.get("/targeting/reviews", tags=["targeting"])
async def reviews(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    kind: Annotated[RecordKind | None, Query()] = None,
    state: Annotated[crm.ReviewState, Query()] = crm.ReviewState.WAITING,
) -> ReviewPage:
    """Pairs that are probably one, side by side, the longest waiting first."""
    wanted = crm.ReviewsRequest(principal=who, kind=kind, state=state, page=paging.page(gateway, who))
    reply = await gateway.bus.call(REVIEWS, wanted)
    page = items(gateway, who, [_shown(one) for one in reply.items], reply.next_cursor)
    return ReviewPage(items=page.items, next_cursor=page.next_cursor, waiting=reply.waiting)


@router.get("/targeting/reviews/{review_id}", tags=["targeting"])
async def review(review_id: UUID, who: Reader, gateway: GatewayDep) -> ShownReview:
    return _shown(await gateway.bus.call(REVIEW, crm.ReviewGet(principal=who, review_id=review_id)))


@router.post("/targeting/reviews/{review_id}/decision", tags=["targeting"])
async def decide(review_id: UUID, body: Decision, who: Editor, gateway: GatewayDep, ids: IdsDep) -> ShownReview:
    """`merge` makes them one (undo it by its `merge_id`), `apart` remembers that they are two."""
    wanted = crm.DecideReview(
        principal=who, review_id=review_id, merge=body.decision == "merge", merge_id=ids("merge"), keep_id=body.keep_id
    )
    found = await gateway.bus.call(DECIDE_REVIEW, wanted)
    gateway.pulse.nudge(who.tenant_id, "records")
    return _shown(found)


@router.get("/custom-fields")
async def custom_fields(
    who: Reader, gateway: GatewayDep, kind: Annotated[RecordKind | None, Query()] = None
) -> Items[crm.CustomField]:
    """The tenant's own fields."""
    return Items(items=(await gateway.bus.call(CUSTOM_FIELDS, crm.CustomFieldsRequest(principal=who, kind=kind))).items)


@router.put("/custom-fields/{kind}/{key}")
async def save_custom_field(
    kind: RecordKind, key: Key, body: FieldIn, who: Administrator, gateway: GatewayDep
) -> crm.CustomField:
    """Add a field of one's own to a kind, or change its words and choices."""
    field = crm.CustomField(kind=kind, key=key, type=body.type, en=body.en, ar=body.ar, choices=tuple(body.choices))
    return await gateway.bus.call(SAVE_CUSTOM_FIELD, crm.SaveCustomField(principal=who, field=field))


@router.delete("/custom-fields/{kind}/{key}", status_code=204)
async def drop_custom_field(kind: RecordKind, key: str, who: Administrator, gateway: GatewayDep) -> Response:
    await gateway.bus.call(DROP_CUSTOM_FIELD, crm.DropCustomField(principal=who, kind=kind, key=key))
    return Response(status_code=204)


@router.get("/saved-views")
async def saved_views(
    who: Reader, gateway: GatewayDep, kind: Annotated[RecordKind | None, Query()] = None
) -> Items[crm.SavedView]:
    """Shared views and one's own."""
    return Items(items=(await gateway.bus.call(SAVED_VIEWS, crm.ViewsRequest(principal=who, kind=kind))).items)


@router.post("/saved-views", status_code=201)
async def save_view(body: ViewIn, who: Editor, gateway: GatewayDep, ids: IdsDep) -> crm.SavedView:
    """Keep a list with its filters."""
    query_of(body.q)
    view = crm.SavedView(
        view_id=ids("view"), kind=body.kind, name=body.name, where=body.where, q=body.q, shared=body.shared
    )
    return await gateway.bus.call(SAVE_VIEW, crm.SaveView(principal=who, view=view))


@router.delete("/saved-views/{view_id}", status_code=204)
async def drop_view(view_id: UUID, who: Editor, gateway: GatewayDep) -> Response:
    await gateway.bus.call(DROP_VIEW, crm.DropView(principal=who, view_id=view_id))
    return Response(status_code=204)
