"""A card for dead letters: one for each kind of trouble at each connector, there until no letter of it is open any more."""

from __future__ import annotations

from uuid import uuid5

from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.words import effect_title
from libs.contracts.dead_letters import DeadLetterArrived, DeadLetterClosed
from libs.contracts.message import Text
from libs.runtime.database import SessionWork
from libs.runtime.plane import Runtime
from services.decision.cards.domain import happenings
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import priority
from services.decision.store import Recommendations

EVENT = "dead_letters_wait"


class LetterCards:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def arrived(self, work: SessionWork, event: DeadLetterArrived) -> None:
        """A card where none of the same trouble is open. One that a person has closed comes back when a letter grows old."""
        now, catalogue, letter = self._runtime.now(), cards(), event.letter
        happening = Happening(
            event=EVENT,
            tenant_id=letter.tenant_id,
            subject=_subject(letter.connector, letter.error.code),
            values={
                "action": effect_title(letter.action_type),
                "reason": Text(en=letter.error.en, ar=letter.error.ar),
            },
            risk="high" if event.aged else "medium",
            provenance=happenings.origin(
                now=now,
                confidence=1.0,
                freshness=max(0.0, (now - event.at).total_seconds() / 3600),
                sources_read=(f"action:{letter.action_id}",),
            ),
            context={"dead_letter_id": str(letter.dead_letter_id)},
        )
        made = [
            card.evolve(
                card_id=uuid5(letter.dead_letter_id, f"{card.dedupe_key}@{event.at.isoformat()}"),
                priority=priority(card, catalogue, now),
            )
            for card in cards_of(happening, catalogue, now)
        ]
        await Recommendations(await work.batch()).add_cards(made)

    async def closed(self, work: SessionWork, event: DeadLetterClosed) -> None:
        """Take the card away once nothing of the trouble waits."""
        if event.still_open:
            return
        store = Recommendations(await work.batch())
        for role in cards().events[EVENT].roles:
            key = f"{EVENT}:{role}:{_subject(event.letter.connector, event.letter.error.code)}"
            await store.close_by_key(event.letter.tenant_id, key, event.letter.ended_by or "", "ended")


def _subject(connector: str, code: str) -> str:
    return f"{connector}:{code}"
