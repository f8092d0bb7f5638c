"""A card for a flow that can't go on, or can't be undone, by itself."""

from __future__ import annotations

from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.flows import flow_title, step_title
from libs.contracts.flows import FlowStalled
from libs.contracts.message import Text
from libs.runtime.database import SessionWork
from libs.runtime.plane import Runtime
from services.decision.cards.domain import happenings
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import priority
from services.decision.store import Recommendations


class StalledFlows:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def heard(self, work: SessionWork, event: FlowStalled) -> None:
        """One card a stop: the flow, where it stopped and why."""
        now, catalogue = self._runtime.now(), cards()
        source = f"flow:{event.flow_id}"
        happening = Happening(
            event="flow_stalled",
            tenant_id=event.tenant_id,
            subject=f"{event.flow_id}:{event.step}:{event.at.isoformat()}",
            values={
                "flow": flow_title(event.flow),
                "step": step_title(event.flow, event.step),
                "reason": Text(en=event.reason.en, ar=event.reason.ar),
            },
            risk="high",
            provenance=happenings.origin(
                now=now,
                confidence=1.0,
                freshness=max(0.0, (now - event.at).total_seconds() / 3600),
                sources_read=(source,),
            ),
            context={"flow_id": str(event.flow_id)},
        )
        made = [card.evolve(priority=priority(card, catalogue, now)) for card in cards_of(happening, catalogue, now)]
        await Recommendations(await work.batch()).add_cards(made)
