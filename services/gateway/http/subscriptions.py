"""`/webhook-subscriptions`: where the tenant's own systems hear what happened here, signed in the Standard Webhooks form."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from libs.contracts import push as contract
from libs.contracts.catalogue.webhook_events import Family, families
from libs.contracts.message import Principal
from libs.contracts.push import (
    Delivery,
    DeliveryDetail,
    DeliveryState,
    Form,
    Replaying,
    Subscription,
    SubscriptionCommand,
    SubscriptionKind,
    SubscriptionMade,
)
from libs.contracts.subjects import (
    CHANGE_SUBSCRIPTION,
    COMMAND_SUBSCRIPTION,
    DELIVERIES,
    DELIVERY,
    REPLAY_RANGE,
    RETRY_DELIVERY,
    ROTATE_SECRET,
    SUBSCRIBE,
    SUBSCRIPTION,
    SUBSCRIPTIONS,
)
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Items, Moment, PagingDep, items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/webhook-subscriptions", tags=["live"], responses=RESPONSES)

SetUp = Annotated[Principal, require("users")]
"""Whoever may give keys to people may say where their events go."""
Events = Annotated[list[contract.EventName], Field(min_length=1, max_length=50)]
Seq = Annotated[int, Field(ge=0, le=2**53)]


class NewSubscription(Body):
    """`event_types` as `GET /webhook-subscriptions/event-types` names them; `form` of a `siem` is `jsonl`, `cloudevents` or `cef`."""

    url: contract.Url
    event_types: Events
    kind: Annotated[SubscriptionKind, Field(strict=False)] = SubscriptionKind.WEBHOOK
    form: Annotated[Form | None, Field(strict=False)] = None
    description: Annotated[str, Field(max_length=200)] = ""
    disable_after: contract.Failures = 10
    from_start: bool = False


class Change(Body):
    """What is left out stays. `version` is the one that was read."""

    version: Annotated[int, Field(ge=1)]
    url: contract.Url | None = None
    event_types: Events | None = None
    description: Annotated[str, Field(max_length=200)] | None = None
    disable_after: contract.Failures | None = None


class Rotation(Body):
    """For so many hours the old secret signs beside the new one; 0 ends it at once."""

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class Range(Body):
    """By ledger number, both ends included, or from one moment until before another."""

    first_seq: Seq | None = None
    last_seq: Seq | None = None
    since: Moment | None = None
    until: Moment | None = None


@router.get("")
async def subscriptions(who: SetUp, gateway: GatewayDep, paging: PagingDep) -> Items[Subscription]:
    """The tenant's subscriptions, the newest first: state, failures, what waits."""
    request = contract.SubscriptionsRequest(principal=who, page=paging.page(gateway, who))
    reply = await gateway.bus.call(SUBSCRIPTIONS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("", status_code=201)
async def subscribe(body: NewSubscription, who: SetUp, gateway: GatewayDep, ids: IdsDep) -> SubscriptionMade:
    """Subscribe an endpoint. Its secret is in this answer and in no other."""
    request = contract.Subscribe(
        principal=who, subscription_id=ids("subscription"), kind=body.kind, url=body.url, event_types=tuple(body.event_types),
        form=body.form, description=body.description, disable_after=body.disable_after, from_start=body.from_start,
    )  # fmt: skip
    return await gateway.bus.call(SUBSCRIBE, request)


@router.get("/event-types")
async def event_types(_: SetUp) -> Items[Family]:
    """Families of events. `approval.*` is all of one, `approval.requested` one kind of it, `*` everything."""
    return Items(items=tuple(families().values()))


@router.get("/{subscription_id}")
async def subscription(subscription_id: UUID, who: SetUp, gateway: GatewayDep) -> Subscription:
    return await gateway.bus.call(
        SUBSCRIPTION, contract.SubscriptionGet(principal=who, subscription_id=subscription_id)
    )


@router.patch("/{subscription_id}")
async def change(subscription_id: UUID, body: Change, who: SetUp, gateway: GatewayDep) -> Subscription:
    """Another address, other events, another limit of failures."""
    request = contract.ChangeSubscription(
        principal=who, subscription_id=subscription_id, version=body.version, url=body.url,
        event_types=tuple(body.event_types) if body.event_types is not None else None, description=body.description,
        disable_after=body.disable_after,
    )  # fmt: skip
    return await gateway.bus.call(CHANGE_SUBSCRIPTION, request)


async def _command(
    gateway: Gateway, who: Principal, subscription_id: UUID, command: SubscriptionCommand
) -> Subscription:
    request = contract.CommandSubscription(principal=who, subscription_id=subscription_id, command=command)
    return await gateway.bus.call(COMMAND_SUBSCRIPTION, request)


@router.delete("/{subscription_id}", status_code=204, response_class=Response)
async def end(subscription_id: UUID, who: SetUp, gateway: GatewayDep) -> None:
    """End it: its secret is forgotten and what waits is cancelled. Its log stays."""
    await _command(gateway, who, subscription_id, SubscriptionCommand.END)


@router.post("/{subscription_id}/pause")
async def pause(subscription_id: UUID, who: SetUp, gateway: GatewayDep) -> Subscription:
    """Try nothing for now. What happens meanwhile is delivered later."""
    return await _command(gateway, who, subscription_id, SubscriptionCommand.PAUSE)


@router.post("/{subscription_id}/resume")
async def resume(subscription_id: UUID, who: SetUp, gateway: GatewayDep) -> Subscription:
    """Go on, after a pause or after failures had disabled it: with what waits first."""
    return await _command(gateway, who, subscription_id, SubscriptionCommand.RESUME)


@router.post("/{subscription_id}/test", status_code=202)
async def test(subscription_id: UUID, who: SetUp, gateway: GatewayDep) -> Subscription:
    """Send a message of type `webhook.test`; the delivery log says what became of it."""
    return await _command(gateway, who, subscription_id, SubscriptionCommand.TEST)


@router.post("/{subscription_id}/rotate-secret")
async def rotate(
    subscription_id: UUID, who: SetUp, gateway: GatewayDep, body: Rotation | None = None
) -> SubscriptionMade:
    """A new secret, in this answer alone."""
    hours = (body or Rotation()).overlap_hours
    request = contract.RotateSecret(principal=who, subscription_id=subscription_id, overlap_hours=hours)
    return await gateway.bus.call(ROTATE_SECRET, request)


@router.post("/{subscription_id}/replay", status_code=202)
async def replay(subscription_id: UUID, body: Range, who: SetUp, gateway: GatewayDep, ids: IdsDep) -> Replaying:
    """Deliver a range of the ledger again. A message has the id that it had the first time, so a receiver knows what it has seen."""
    if any(at is not None and at.tzinfo is None for at in (body.since, body.until)):
        raise Unprocessable("no_time_zone", "Times name their time zone.", "يجب أن تذكر الأوقات المنطقة الزمنية.")
    request = contract.ReplayRange(
        principal=who, subscription_id=subscription_id, replay_id=ids("replay"), first_seq=body.first_seq, last_seq=body.last_seq,
        since=body.since, until=body.until,
    )  # fmt: skip
    return await gateway.bus.call(REPLAY_RANGE, request)


@router.get("/{subscription_id}/deliveries")
async def deliveries(
    subscription_id: UUID, who: SetUp, gateway: GatewayDep, paging: PagingDep,
    state: Annotated[DeliveryState | None, Query()] = None,
) -> Items[Delivery]:  # fmt: skip
    """The delivery log, the newest first."""
    request = contract.DeliveriesRequest(
        principal=who, subscription_id=subscription_id, state=state, page=paging.page(gateway, who)
    )
    reply = await gateway.bus.call(DELIVERIES, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/{subscription_id}/deliveries/{delivery_id}")
async def delivery(subscription_id: UUID, delivery_id: UUID, who: SetUp, gateway: GatewayDep) -> DeliveryDetail:
    """One delivery and each try of it: the action that it was, and how it ended."""
    request = contract.DeliveryGet(principal=who, subscription_id=subscription_id, delivery_id=delivery_id)
    return await gateway.bus.call(DELIVERY, request)


@router.post("/{subscription_id}/deliveries/{delivery_id}/retry", status_code=202)
async def retry(subscription_id: UUID, delivery_id: UUID, who: SetUp, gateway: GatewayDep) -> Delivery:
    """Try one at once that waits or was given up."""
    request = contract.RetryDelivery(principal=who, subscription_id=subscription_id, delivery_id=delivery_id)
    return await gateway.bus.call(RETRY_DELIVERY, request)
