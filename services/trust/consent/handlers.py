"""Recording and withdrawing consent, the do-not-contact list, unsubscribing."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.consent import (
    LinkReply,
    LinkRequest,
    SuppressionsReply,
    SuppressionsRequest,
    Unsubscribe,
    UnsubscribeReply,
)
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import PLATFORM, Ok, Principal
from libs.contracts.trust import ConsentRecord, RecordConsents, SuppressRequest, WithdrawConsent
from services.trust.consent.domain import links
from services.trust.consent.domain.entries import consent_entry
from services.trust.consent.stopping import stop
from services.trust.consent.telling import tell_consents, tell_withdrawn
from services.trust.contradictions.watching import of_people
from services.trust.errors import BadConsent
from services.trust.ledger.domain.entry import Entry
from services.trust.projection import Projection
from services.trust.store import Store, Unit

KEEPERS = frozenset({"owner", "compliance_officer", "api_client"})
READERS = frozenset({"owner", "admin", "auditor", "compliance_officer", "approver", "operator"})
CHANNELS = (*links.CHANNELS, "meeting")


class Consenting:
    def __init__(self, store: Store, projection: Projection, key: bytes) -> None:
        self._store = store
        self._projection = projection
        self._key = key

    async def record(self, request: RecordConsents) -> Ok:
        """Record consents, all or none; each with its proof (PDPL Implementing Regulation art. 11).

        Raises BadConsent.
        """
        _same_tenant(request.principal, request.tenant_id)
        _require(request.principal, KEEPERS)
        async with self._store.unit(request.tenant_id) as unit:
            now = await unit.now()
            for one in request.consents:
                check(one, now)
            await unit.add_consents(request.tenant_id, request.consents)
            tell_consents(unit, request.tenant_id, request.consents)
            await unit.append(
                [consent_entry(request.tenant_id, request.principal.id, c, now) for c in request.consents]
            )
            await of_people(unit, request.tenant_id, [c.contact_id for c in request.consents], found_by="write")
        return Ok()

    async def withdraw(self, request: WithdrawConsent) -> Ok:
        """Effective at once: the next decision about this person reads it, and what already waits for them ends."""
        _same_tenant(request.principal, request.tenant_id)
        _require(request.principal, KEEPERS | {"operator", "approver", "admin"})
        tenant = request.tenant_id
        async with self._store.unit(tenant) as unit:
            count = await unit.withdraw(tenant, request.contact_id, request.channel)
            await tell_withdrawn(unit, tenant, request.contact_id)
            await _record(
                unit, tenant, "consent.withdrawn", request.principal.id, f"contact:{request.contact_id}",
                channel=request.channel, consents=count,
            )  # fmt: skip
            await stop(unit, tenant, [request.contact_id], request.channel, "consent_withdrawn")
        return Ok()

    async def suppress(self, request: SuppressRequest) -> Ok:
        """Never contact this identifier again; what waits for whoever has it ends."""
        _same_tenant(request.principal, request.tenant_id)
        _require(request.principal, KEEPERS | {"admin", "operator"})
        mac = self._projection.mac(request.tenant_id, request.identifier) or ""
        async with self._store.unit(request.tenant_id) as unit:
            await self._suppress(unit, request.tenant_id, mac, request.reason, request.principal.id)
        return Ok()

    async def _suppress(self, unit: Unit, tenant_id: UUID, mac: str, reason: str, actor: str) -> None:
        await unit.suppress(tenant_id, mac, reason, actor)
        await _record(unit, tenant_id, "suppression.added", actor, f"identifier:{mac[:16]}")
        await stop(unit, tenant_id, await unit.consent.contacts_of(tenant_id, mac), None, "suppressed")

    async def suppressions(self, request: SuppressionsRequest) -> SuppressionsReply:
        _require(request.principal, READERS)
        tenant, limit = request.principal.tenant_id, request.page.limit
        async with self._store.unit(tenant) as unit:
            found = await unit.consent.suppressions(tenant, request.page.cursor, limit + 1)
        more, found = len(found) > limit, found[:limit]
        return SuppressionsReply(items=tuple(s for _, s in found), next_cursor=found[-1][0] if more else None)

    async def link(self, request: LinkRequest) -> LinkReply:
        """The token of a contact's unsubscribe link.

        Raises NotFound when nothing is known of the contact, or it has no identifier on the channel.
        """
        await self._projection.refresh(request.tenant_id, [request.contact_id])
        async with self._store.unit(request.tenant_id) as unit:
            email, phone = await unit.consent.macs(request.tenant_id, request.contact_id)
        mac = email if request.channel == "email" else phone
        if mac is None or request.channel not in links.CHANNELS:
            raise NotFound
        return LinkReply(
            token=links.sign(self._key, links.Link(request.tenant_id, request.contact_id, request.channel, mac))
        )

    async def unsubscribe(self, request: Unsubscribe) -> UnsubscribeReply:
        """Look at a link, or act on it: consent for the channel is withdrawn and the identifier suppressed, at once and for good.

        Raises BadLink.
        """
        link = links.read(self._key, request.token)
        if request.confirmed:
            actor = f"contact:{link.contact_id}"
            async with self._store.unit(link.tenant_id) as unit:
                count = await unit.withdraw(link.tenant_id, link.contact_id, link.channel)
                await tell_withdrawn(unit, link.tenant_id, link.contact_id)
                await _record(
                    unit, link.tenant_id, "consent.withdrawn", actor, actor, channel=link.channel, consents=count,
                    method="unsubscribe_link",
                )  # fmt: skip
                await self._suppress(unit, link.tenant_id, link.mac, "unsubscribed", actor)
                await stop(unit, link.tenant_id, [link.contact_id], link.channel, "unsubscribed")
        return UnsubscribeReply(tenant_id=link.tenant_id, channel=link.channel, done=request.confirmed)


def check(consent: ConsentRecord, now: datetime) -> None:
    """Raises BadConsent naming the first thing that a proof of consent lacks."""
    if not consent.evidence.strip():
        raise BadConsent("A consent needs its evidence.", "الموافقة تحتاج دليلها.")
    if not consent.notice_version.strip() or not consent.method.strip():
        raise BadConsent(
            "A consent says how and under which notice it was given.", "اذكر كيف أُخذت الموافقة وبأي إشعار."
        )
    if consent.bundled_with_service:
        raise BadConsent(
            "A consent that a service depends on is no consent.", "الموافقة المشروطة بتقديم خدمة لا تُعد موافقة."
        )
    if consent.channel not in CHANNELS:
        raise BadConsent(f"A channel is one of {', '.join(CHANNELS)}.", f"القناة واحدة من: {', '.join(CHANNELS)}.")
    if consent.captured_at > now:
        raise BadConsent("A consent was given in the past.", "تاريخ الموافقة لا يكون في المستقبل.")
    if consent.expires_at is not None and consent.expires_at <= consent.captured_at:
        raise BadConsent("A consent expires after it was given.", "تنتهي الموافقة بعد إعطائها لا قبله.")


async def _record(unit: Unit, tenant_id: UUID, kind: str, actor: str, target: str, **data: Any) -> None:
    entry = Entry(tenant_id=tenant_id, kind=kind, actor=actor, target=target, at=await unit.now(), data=data)
    await unit.append([entry])


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles):
        raise Forbidden


def _same_tenant(principal: Principal, tenant_id: UUID) -> None:
    if principal.tenant_id != tenant_id or tenant_id == PLATFORM:
        raise NotFound
