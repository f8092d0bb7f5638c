"""A card for a check of data quality that fails: one a check, there until it holds again."""

from __future__ import annotations

from uuid import uuid5

from libs.contracts.arabic import counted
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.quality import quality_checks
from libs.contracts.message import Text
from libs.contracts.quality import CheckState, QualityChecked, QualityState
from libs.runtime.database import SessionWork
from libs.runtime.plane import Runtime
from services.decision.cards.domain import happenings
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import priority
from services.decision.store import Recommendations

EVENT = "data_quality_failed"
MUCH_BELOW = 0.8
"""Below this share of its goal a check is a high risk, else a medium one."""


class UncleanData:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def checked(self, work: SessionWork, event: QualityChecked) -> None:
        """Make the cards of what fails and take those away that hold again. One that a person closed stays closed while the same trouble lasts."""
        now, catalogue = self._runtime.now(), cards()
        store = Recommendations(await work.batch())
        for one in event.checks:
            if one.state is not QualityState.BELOW or one.since is None:
                for role in catalogue.events[EVENT].roles:
                    await store.close_by_key(
                        event.tenant_id, f"{EVENT}:{role}:{one.name}", "system:decision", "settled"
                    )
                continue
            made = [
                card.evolve(
                    card_id=uuid5(event.tenant_id, f"{card.dedupe_key}@{one.since.isoformat()}"),
                    priority=priority(card, catalogue, now),
                )
                for card in cards_of(self._happening(event, one), catalogue, now)
            ]
            await store.add_cards(made)

    def _happening(self, event: QualityChecked, one: CheckState) -> Happening:
        rule, share = quality_checks().get(one.name), one.share or 0.0
        said = Text(en=rule.en, ar=rule.ar) if rule else Text(en=one.name, ar=one.name)
        age = max(0.0, (self._runtime.now() - event.at).total_seconds() / 3600)
        records = counted(one.failed, one="سجل واحد مخالف", two="سجلان مخالفان", few="سجلات مخالفة", many="سجلًا مخالفًا", other="سجل مخالف")  # fmt: skip
        return Happening(
            event=EVENT,
            tenant_id=event.tenant_id,
            subject=one.name,
            values={
                "check": said,
                "share": Text(en=f"{share:.0%}", ar=f"{share:.0%}"),
                "goal": Text(en=f"{one.goal:.0%}", ar=f"{one.goal:.0%}"),
                "failed": Text(en=f"{one.failed:,} of {one.rows:,} records fail.", ar=f"{records} من {one.rows:,}."),
            },
            risk="high" if share < one.goal * MUCH_BELOW else "medium",
            provenance=happenings.origin(
                now=self._runtime.now(), confidence=1.0, freshness=round(age, 2), sources_read=(f"quality:{one.name}",)
            ),
            context={"check": one.name},
        )
