"""A card for an open contradiction, in front of who can settle it; gone once a person has."""

from __future__ import annotations

from collections.abc import Mapping

from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.claims import ContradictionKind
from libs.contracts.claims import ContradictionDecided, ContradictionOpened
from libs.contracts.message import Text
from libs.runtime.database import SessionWork
from libs.runtime.plane import Runtime
from services.decision.cards.domain import happenings
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import priority
from services.decision.domain.disputes import WHAT
from services.decision.store import Recommendations

DEAL, RISK = "contradiction_deal", "contradiction_risk"
SALES = frozenset({"deal", "account", "lead", "contact"})
"""Subjects that sales can settle; what concerns consent or figures goes to the executive."""
ABOVE_SALES = frozenset({ContradictionKind.POLICY, ContradictionKind.METRIC})
SEVERITY: Mapping[str, Text] = {
    "high": Text(en="severe", ar="خطورة عالية"),
    "medium": Text(en="medium", ar="خطورة متوسطة"),
    "low": Text(en="minor", ar="خطورة منخفضة"),
}


class Contradicted:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def opened(self, work: SessionWork, event: ContradictionOpened) -> None:
        """One card a contradiction, for the role that can settle it."""
        now, catalogue = self._runtime.now(), cards()
        kind, _, id = event.subject.partition(":")
        sales = kind in SALES and event.kind not in ABOVE_SALES
        age = max(0.0, (now - event.opened_at).total_seconds() / 3600)
        happening = Happening(
            event=DEAL if sales else RISK,
            tenant_id=event.tenant_id,
            subject=str(event.contradiction_id),
            values={"what": WHAT[event.kind], "severity": SEVERITY.get(event.severity, SEVERITY["high"])},
            risk=event.severity if event.severity in SEVERITY else "high",
            provenance=happenings.origin(
                now=now, confidence=1.0, freshness=age, sources_read=(f"contradiction:{event.contradiction_id}",)
            ),
            context={
                "contradiction_id": str(event.contradiction_id), "about": event.subject,
                **({f"{kind}_id": id} if kind in SALES else {}),
                **({"action_id": str(event.action_id)} if event.action_id else {}),
            },
        )  # fmt: skip
        made = [card.evolve(priority=priority(card, catalogue, now)) for card in cards_of(happening, catalogue, now)]
        await Recommendations(await work.batch()).add_cards(made)

    async def decided(self, work: SessionWork, event: ContradictionDecided) -> None:
        store = Recommendations(await work.batch())
        for name in (DEAL, RISK):
            for role in cards().events[name].roles:
                key = f"{name}:{role}:{event.contradiction_id}"
                await store.close_by_key(event.tenant_id, key, event.decided_by, event.state.value)
