"""Tells trust what compliance controls are judged by, in the transaction that did it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.message import Plane
from libs.contracts.observed import MOST_FACTS, BounceFact, DataFacts, DocumentFact, ImportFact
from libs.contracts.subjects import OBSERVED


def tell_facts(
    work: Any, tenant_id: UUID, facts: Sequence[ImportFact | DocumentFact | BounceFact], now: datetime
) -> None:
    """Emit them; nothing when there are none."""
    for start in range(0, len(facts), MOST_FACTS):
        part = tuple(facts[start : start + MOST_FACTS])
        work.emit(OBSERVED[Plane.DATA], DataFacts(tenant_id=tenant_id, facts=part, at=now))


def bounced(external_ids: Sequence[str], channel: str) -> list[BounceFact]:
    """Messages that came back, of those that are named by their action (`action:ID`, as sends are counted)."""
    out = []
    for one in external_ids:
        kind, _, name = one.partition(":")
        if kind == "action":
            with suppress(ValueError):  # a vendor's own name for a message
                out.append(BounceFact(subject=UUID(name), channel=channel))
    return out
