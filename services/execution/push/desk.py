"""Subscriptions as people keep them: made, changed, stopped, looked into, and asked again."""

from __future__ import annotations

import secrets as random
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from libs.contracts.catalogue.webhook_events import known
from libs.contracts.errors import Conflict, NotFound
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.paging import before
from libs.contracts.push import (
    ChangeSubscription,
    CommandSubscription,
    DeliveriesReply,
    DeliveriesRequest,
    Delivery,
    DeliveryDetail,
    DeliveryGet,
    FeedReply,
    FeedRequest,
    Form,
    Replaying,
    ReplayRange,
    RetryDelivery,
    RotateSecret,
    SecretLife,
    Subscribe,
    Subscription,
    SubscriptionCommand,
    SubscriptionGet,
    SubscriptionMade,
    SubscriptionsReply,
    SubscriptionsRequest,
    SubscriptionState,
)
from libs.contracts.subjects import AUDITED, LEDGER_FEED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.execution.connectors.public import Resolve, reachable, resolve
from services.execution.push.domain.address import read_endpoint
from services.execution.push.domain.forms import ALLOWED
from services.execution.push.domain.signing import make_secret
from services.execution.push.errors import (
    EmptyRange,
    NotRetriable,
    PushForbidden,
    SubscriptionChanged,
    SubscriptionEnded,
    TooManySubscriptions,
    UnknownEvents,
    WrongForm,
)
from services.execution.push.secrets import Secrets
from services.execution.push.store import Made, PushRows

SETS_UP = frozenset({"owner", "admin"})
MOST = 20
"""Subscriptions of one tenant."""
TEST = "webhook.test"
_STATES = {
    SubscriptionCommand.PAUSE: SubscriptionState.PAUSED,
    SubscriptionCommand.RESUME: SubscriptionState.ACTIVE,
    SubscriptionCommand.END: SubscriptionState.ENDED,
}


class PushDesk:
    """`allowed` names hosts of the operator's own network that tenants may send to."""

    def __init__(
        self,
        runtime: Runtime,
        secrets: Secrets,
        allowed: Collection[str],
        wake: Callable[[], None],
        resolver: Resolve = resolve,
    ) -> None:
        self._runtime = runtime
        self._secrets = secrets
        self._allowed = allowed
        self._wake = wake
        self._resolve = resolver

    async def subscribe(self, request: Subscribe) -> SubscriptionMade:
        """A new subscription and its secret, which is shown this once.

        Raises PushForbidden, BadEndpoint, UnknownEndpoint, PrivateEndpoint, UnknownEvents, WrongForm, TooManySubscriptions.
        """
        who, tenant = _require(request.principal), request.principal.tenant_id
        await self._check(request.url, request.event_types)
        forms = ALLOWED[request.kind]
        form = request.form or forms[0]
        if form not in forms:
            raise WrongForm(", ".join(one.value for one in forms))
        size = (await self._feed(tenant)).size
        now, secret = self._runtime.now(), make_secret()
        key = SecretLife(key_id=random.token_hex(4), created_at=now)
        made = Subscription(
            subscription_id=request.subscription_id, tenant_id=tenant, kind=request.kind, url=request.url,
            event_types=request.event_types, form=form, description=request.description, state=SubscriptionState.ACTIVE,
            disable_after=request.disable_after, cursor=0 if request.from_start else size, signing_keys=(key,), created_by=who.id,
            created_at=now, version=1,
        )  # fmt: skip
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            await rows.alone()
            if await rows.count() >= MOST:
                raise TooManySubscriptions(MOST)
            if not await rows.add(made):
                raise Conflict("subscription_exists", "This subscription exists.", "هذا الاشتراك موجود.")
            await self._secrets.put(work.connection, tenant, made.subscription_id, secret, made.signing_keys)
            self._note(work, who, made, "subscription.created", events=list(made.event_types), form=form.value)
            found = await rows.get(made.subscription_id)
        if found is None:
            raise NotFound
        self._wake()
        return SubscriptionMade(subscription=found, secret=secret)

    async def _check(self, url: str, events: Collection[str]) -> None:
        await reachable(read_endpoint(url, self._allowed), self._resolve)
        if unknown := next((name for name in events if not known(name)), None):
            raise UnknownEvents(unknown)

    async def change(self, request: ChangeSubscription) -> Subscription:
        """Raises SubscriptionChanged when somebody was faster, SubscriptionEnded, and as `subscribe` does."""
        who, tenant = _require(request.principal), request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            found = await _open(rows, request.subscription_id)
            if found.version != request.version:
                raise SubscriptionChanged
            named = ("url", "event_types", "description", "disable_after")
            given = {name: value for name in named if (value := getattr(request, name)) is not None}
            changed: Subscription = found.evolve(**given)
            await self._check(changed.url, changed.event_types)
            await rows.change(changed)
            self._note(work, who, changed, "subscription.changed", fields=sorted(given))
            after = await rows.get(request.subscription_id)
        self._wake()
        return _there(after)

    async def command(self, request: CommandSubscription) -> Subscription:
        """Pause, resume, end, or send a test message. Raises PushForbidden, NotFound, SubscriptionEnded."""
        who, tenant = _require(request.principal), request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            await rows.alone()
            found = await _open(rows, request.subscription_id)
            if request.command is SubscriptionCommand.TEST:
                await rows.queue(found.subscription_id, [self._test(found, who)])
                await rows.wake(found.subscription_id)
            else:
                await rows.set_state(found.subscription_id, _STATES[request.command])
                if request.command is SubscriptionCommand.END:
                    await self._secrets.drop(work.connection, tenant, found.subscription_id)
            self._note(work, who, found, f"subscription.{request.command.value}")
            after = await rows.get(request.subscription_id)
        self._wake()
        return _there(after)

    def _test(self, one: Subscription, who: Principal) -> Made:
        at = self._runtime.now().isoformat().replace("+00:00", "Z")
        said: Any = {"type": TEST, "timestamp": at, "data": {"asked_by": who.id}}
        if one.form is Form.CEF:
            said = [f"CEF:0|Dealix|Dealix|1|{TEST}|webhook test|1|suser={who.id}"]
        elif one.form is Form.CLOUDEVENTS:
            said = [
                {"specversion": "1.0", "id": str(new_id()), "source": f"//dealix/ledger/{one.tenant_id}", "type": f"com.dealix.{TEST}",
                 "time": at, "data": said["data"]}
            ]  # fmt: skip
        elif one.form is Form.JSONL:
            said = [said]
        delivery_id = new_id()
        return Made(delivery_id, f"test_{delivery_id.hex}", TEST, None, None, 0, said)

    async def rotate(self, request: RotateSecret) -> SubscriptionMade:
        """A new secret, shown this once; the old ones sign beside it until their hours are over. Raises as `command` does."""
        who, tenant, now = _require(request.principal), request.principal.tenant_id, self._runtime.now()
        secret, until = make_secret(), now + timedelta(hours=request.overlap_hours)
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            await rows.alone()
            found = await _open(rows, request.subscription_id)
            old = (key if key.until is not None else key.evolve(until=until) for key in found.signing_keys)
            keys = (
                SecretLife(key_id=random.token_hex(4), created_at=now),
                *(key for key in old if key.until is not None and key.until > now),
            )
            changed: Subscription = found.evolve(signing_keys=keys)
            await rows.change(changed)
            await self._secrets.put(work.connection, tenant, found.subscription_id, secret, keys)
            self._note(work, who, found, "subscription.secret_rotated", overlap_hours=request.overlap_hours)
            after = await rows.get(request.subscription_id)
        return SubscriptionMade(subscription=_there(after), secret=secret)

    async def get(self, request: SubscriptionGet) -> Subscription:
        _require(request.principal)
        async with self._runtime.database.batch(request.principal.tenant_id) as work:
            return _there(await PushRows(work.connection, request.principal.tenant_id).get(request.subscription_id))

    async def page(self, request: SubscriptionsRequest) -> SubscriptionsReply:
        _require(request.principal)
        tenant, limit = request.principal.tenant_id, request.page.limit
        async with self._runtime.database.batch(tenant) as work:
            found = await PushRows(work.connection, tenant).page(before(request.page), limit + 1)
        more = str(found[limit - 1].subscription_id) if len(found) > limit else None
        return SubscriptionsReply(items=tuple(found[:limit]), next_cursor=more)

    async def deliveries(self, request: DeliveriesRequest) -> DeliveriesReply:
        """The log of a subscription, the newest first."""
        _require(request.principal)
        tenant, limit = request.principal.tenant_id, request.page.limit
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            _there(await rows.get(request.subscription_id))
            found = await rows.log(request.subscription_id, request.state, before(request.page), limit + 1)
        more = str(found[limit - 1].delivery_id) if len(found) > limit else None
        return DeliveriesReply(items=tuple(found[:limit]), next_cursor=more)

    async def delivery(self, request: DeliveryGet) -> DeliveryDetail:
        _require(request.principal)
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            found = await rows.delivery(request.subscription_id, request.delivery_id)
            if found is None:
                raise NotFound
            return DeliveryDetail(delivery=found, tries=tuple(await rows.tries(request.delivery_id)))

    async def retry(self, request: RetryDelivery) -> Delivery:
        """Raises NotRetriable for one that arrived or is on its way."""
        who, tenant = _require(request.principal), request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            one = await _open(rows, request.subscription_id)
            if await rows.delivery(request.subscription_id, request.delivery_id) is None:
                raise NotFound
            if not await rows.retry(request.delivery_id):
                raise NotRetriable
            await rows.wake(one.subscription_id)
            self._note(work, who, one, "subscription.delivery_retried", delivery_id=str(request.delivery_id))
            found = await rows.delivery(request.subscription_id, request.delivery_id)
        self._wake()
        if found is None:
            raise NotFound
        return found

    async def replay(self, request: ReplayRange) -> Replaying:
        """Deliver a range again, behind what waits already. Raises EmptyRange, NotFound, SubscriptionEnded."""
        who, tenant = _require(request.principal), request.principal.tenant_id
        first, last = await self._range(tenant, request)
        asked = Replaying(
            replay_id=request.replay_id, subscription_id=request.subscription_id, first_seq=first, last_seq=last, next_seq=first,
            queued=0, done=False,
        )  # fmt: skip
        async with self._runtime.database.batch(tenant) as work:
            rows = PushRows(work.connection, tenant)
            one = await _open(rows, request.subscription_id)
            await rows.add_replay(asked, who.id)
            await rows.wake(one.subscription_id)
            self._note(work, who, one, "subscription.replayed", first_seq=first, last_seq=last)
            found = await rows.replay(request.subscription_id, request.replay_id)
        self._wake()
        return found or asked

    async def _range(self, tenant: UUID, request: ReplayRange) -> tuple[int, int]:
        """The numbers of a range. Raises EmptyRange."""
        size = (await self._feed(tenant)).size
        first, last = request.first_seq or 0, size - 1
        if request.since is not None:
            first = max(first, (await self._feed(tenant, request.since)).first)
        if request.until is not None:
            last = min(last, (await self._feed(tenant, request.until)).first - 1)
        if request.last_seq is not None:
            last = min(last, request.last_seq)
        if first > last:
            raise EmptyRange
        return first, last

    async def _feed(self, tenant: UUID, since: datetime | None = None) -> FeedReply:
        return await self._runtime.bus.call(LEDGER_FEED, FeedRequest(tenant_id=tenant, since=since, limit=1))

    def _note(self, work: BatchWork, who: Principal, one: Subscription, kind: str, **data: Any) -> None:
        host = urlsplit(one.url).hostname or ""
        work.emit(
            AUDITED[Plane.EXECUTION],
            AuditRecorded(
                entry_id=new_id(), tenant_id=one.tenant_id, kind=kind, actor=who.id, target=f"subscription:{one.subscription_id}",
                at=self._runtime.now(), data={"kind": one.kind.value, "host": host, **data}, trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip


def _require(principal: Principal) -> Principal:
    if principal.kind is PrincipalKind.AGENT or not SETS_UP & set(principal.roles):
        raise PushForbidden
    return principal


async def _open(rows: PushRows, subscription_id: UUID) -> Subscription:
    found = _there(await rows.get(subscription_id, lock=True))
    if found.state is SubscriptionState.ENDED:
        raise SubscriptionEnded
    return found


def _there(found: Subscription | None) -> Subscription:
    if found is None:
        raise NotFound
    return found
