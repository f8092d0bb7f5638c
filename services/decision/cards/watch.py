"""The watch over the records: what waits becomes cards, and a card goes once what it is about waits no more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from libs.contracts.business_time import STANDARD, Opening
from libs.contracts.catalogue.cards import Cards, cards
from libs.contracts.decision import Card
from libs.contracts.errors import DealixError
from libs.contracts.ledger import EvidenceAssembled
from libs.contracts.message import Page, Principal, PrincipalKind
from libs.contracts.onboarding import OnboardingsRequest, OnboardingState
from libs.contracts.outreach import ReputationRequest
from libs.contracts.subjects import ONBOARDINGS, REPUTATION, TENANT_HOURS, WAITING
from libs.contracts.tenant_hours import HoursRequest
from libs.contracts.waiting import WaitingRequest
from libs.runtime import telemetry
from libs.runtime.database import BatchWork, SessionWork
from libs.runtime.plane import Runtime
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import priority
from services.decision.cards.domain.waiting import OBJECTION, WATCHED, from_evidence, happenings, said
from services.decision.negotiation.reader import Reader
from services.decision.store import Recommendations

log = logging.getLogger(__name__)

FRESH_SECONDS = 5
"""A feed that is opened asks for another look, unless there was one so recently."""
_LOOK = (
    "insert into decision.watch_queue (tenant_id) values ($1) on conflict (tenant_id) do update set due_at = now() "
    "where decision.watch_queue.due_at between now() and now() + make_interval(secs => $2)"
)
_CLAIM = (
    "update decision.watch_queue q set lease_until = now() + interval '60 seconds' from (select tenant_id from decision.watch_queue "
    "where due_at <= now() and (lease_until is null or lease_until < now()) order by due_at limit 1 for update skip locked) d "
    "where q.tenant_id = d.tenant_id returning q.tenant_id"
)
_DONE = "update decision.watch_queue set due_at = now() + make_interval(mins => $2), lease_until = null where tenant_id = $1"
_GONE = (
    "update decision.cards set status = 'decided', decided_at = now(), decided_by = 'system:decision', decided_button = 'settled' "
    "where tenant_id = $1 and status = 'open' and document->'context'->>'event' = any($2::text[]) and not (dedupe_key = any($3::text[])) "
    "and created_at <= $4"
)
_ONCE = (
    "select dedupe_key from decision.cards where tenant_id = $1 and dedupe_key = any($2::text[]) and status = 'decided' "
    "and decided_by <> 'system:decision' and decided_at > now() - interval '7 days'"
)


class Look(Protocol):
    """Something else that is watched: the events whose cards it makes, and what deserves one now."""

    @property
    def events(self) -> tuple[str, ...]: ...

    async def happenings(self, tenant_id: UUID) -> list[Happening]: ...


class Watch:
    """`looks` are made beside the records; one that can't be made leaves its cards as they are."""

    def __init__(self, runtime: Runtime, looks: Sequence[Look] = ()) -> None:
        self._runtime = runtime
        self._looks = looks
        self._reader = Reader(runtime.bus)
        self.wake = asyncio.Event()

    async def loop(self) -> None:
        """Look at tenants whose time has come; one that has been looked at comes again after the catalogue's minutes."""
        while True:
            self.wake.clear()
            async with self._runtime.database.batch() as work:
                tenant: UUID | None = await work.connection.fetchval(_CLAIM)
            if tenant is None:
                try:
                    async with asyncio.timeout(5.0):
                        await self.wake.wait()
                except TimeoutError:
                    continue
                continue
            with telemetry.span(self._runtime.plane, "watch records", attributes={"dealix.tenant": str(tenant)}):
                await self.look(tenant)
            async with self._runtime.database.batch() as work:
                await work.connection.execute(_DONE, tenant, cards().watch.every_minutes)

    async def ask(self, work: BatchWork, tenant_id: UUID, *, at_once: bool = False) -> None:
        """Have a tenant looked at soon: after the transaction, unless that was just done."""
        # The next look stands so many minutes after the last: the nearer it is, the longer ago that was.
        since = cards().watch.every_minutes * 60 - (0 if at_once else FRESH_SECONDS)
        status = await work.connection.execute(_LOOK, tenant_id, since)
        if not str(status).endswith(" 0"):
            work.then(self.wake.set)

    async def look(self, tenant_id: UUID) -> int:
        """Make the cards of what waits now and close those of what does not. Returns how many are new."""
        now, catalogue = self._runtime.now(), cards()
        rules = catalogue.watch
        reply = await self._runtime.bus.call(
            WAITING,
            WaitingRequest(
                tenant_id=tenant_id, deal_idle_days=rules.deal_idle_days, partner_idle_days=rules.partner_idle_days,
                answered_within_days=rules.answered_within_days, won_within_days=rules.won_within_days,
                customer_idle_days=rules.customer_idle_days, most=rules.most,
            ),
        )  # fmt: skip
        principal = Principal(id="plane:decision", kind=PrincipalKind.SYSTEM, tenant_id=tenant_id, roles=("operator",))
        channels = (await self._runtime.bus.call(REPUTATION, ReputationRequest(principal=principal))).items
        stuck = OnboardingsRequest(principal=principal, state=OnboardingState.STUCK, page=Page(limit=rules.most))
        onboardings = (await self._runtime.bus.call(ONBOARDINGS, stuck)).items
        hours, read = await self._hours(tenant_id), await self._reader.read_all(said(reply.answers))
        # What could not be read whole says nothing about the cards that are there.
        unread = {OBJECTION} if any(one.away for one in read.values()) else set()
        watched, more = [event for event in WATCHED if event not in unread], []
        for look in self._looks:
            try:
                more += await look.happenings(tenant_id)
            except DealixError as error:
                log.warning("a look could not be made: %s", error.code, extra={"ids": {"tenant": str(tenant_id)}})
            else:
                watched += look.events
        made = [
            card
            for one in happenings(reply, channels, tenant_id, catalogue, now, hours, onboardings, read.__getitem__)
            for card in self._weighed(one, catalogue)
        ]
        made += [card for one in more for card in self._weighed(one, catalogue)]
        keys = [card.dedupe_key for card in made]
        async with self._runtime.database.batch(tenant_id) as work:
            await work.connection.execute(_GONE, tenant_id, watched, keys, now)
            # What somebody decided this week is not asked again while nothing has changed.
            settled = {row["dedupe_key"] for row in await work.connection.fetch(_ONCE, tenant_id, keys)}
            return await Recommendations(work).add_cards([card for card in made if card.dedupe_key not in settled])

    async def _hours(self, tenant_id: UUID) -> Opening:
        """The tenant's hours of work; the standard ones while trust is silent."""
        try:
            return await self._runtime.bus.call(TENANT_HOURS, HoursRequest(tenant_id=tenant_id))
        except DealixError as error:
            log.warning("the standard hours of work count: %s", error.code)
            return STANDARD

    async def evidence(self, work: SessionWork, event: EvidenceAssembled) -> None:
        """A pack is ready: those whom proof concerns see it."""
        made = self._weighed(from_evidence(event, self._runtime.now()), cards())
        await Recommendations(await work.batch()).add_cards(made)

    def _weighed(self, happening: Happening, catalogue: Cards) -> list[Card]:
        now = self._runtime.now()
        made = cards_of(happening, catalogue, now)
        return [card.evolve(priority=priority(card, catalogue, now)) for card in made]
