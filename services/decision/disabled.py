"""A card for a webhook or SIEM subscription that failures have stopped."""

from __future__ import annotations

from libs.contracts.catalogue.cards import cards
from libs.contracts.message import Text
from libs.contracts.push import SubscriptionDisabled
from libs.runtime.database import SessionWork
from libs.runtime.plane import Runtime
from services.decision.cards.domain import happenings
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import priority
from services.decision.store import Recommendations


class DisabledSubscriptions:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def heard(self, work: SessionWork, event: SubscriptionDisabled) -> None:
        """One card a stop: where nothing goes any more, and why."""
        now, catalogue = self._runtime.now(), cards()
        happening = Happening(
            event="webhook_disabled",
            tenant_id=event.tenant_id,
            subject=f"{event.subscription_id}:{event.at.isoformat()}",
            values={
                "host": Text(en=event.host, ar=event.host),
                "failures": Text(en=str(event.failures), ar=str(event.failures)),
                "reason": Text(en=event.reason.en, ar=event.reason.ar),
            },
            risk="high",
            provenance=happenings.origin(
                now=now,
                confidence=1.0,
                freshness=max(0.0, (now - event.at).total_seconds() / 3600),
                sources_read=(f"subscription:{event.subscription_id}",),
            ),
            context={"subscription_id": str(event.subscription_id)},
        )
        made = [card.evolve(priority=priority(card, catalogue, now)) for card in cards_of(happening, catalogue, now)]
        await Recommendations(await work.batch()).add_cards(made)
