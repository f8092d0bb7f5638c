"""An open contradiction is a card for the role that can settle it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.claims import ContradictionKind
from libs.contracts.claims import ContradictionDecided, ContradictionOpened, ContradictionState
from libs.contracts.decision import Card
from services.decision.contradicted import SEVERITY, WHAT, Contradicted

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


class Connection:
    """Writes down what a handler would have written."""

    def __init__(self) -> None:
        self.made: list[Card] = []
        self.closed: list[str] = []

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        self.made += [Card.model_validate_json(text) for text in values[6]]
        return [{"card_id": card_id} for card_id in values[1]]

    async def execute(self, sql: str, *values: Any) -> None:
        self.closed.append(values[1])


class Work:
    def __init__(self) -> None:
        self.connection = Connection()

    async def batch(self) -> Work:
        return self


async def made(subject: str, kind: ContradictionKind, severity: str = "high") -> Card:
    work, runtime = Work(), SimpleNamespace(now=lambda: NOW)
    event = ContradictionOpened(
        contradiction_id=UUID(int=7),
        tenant_id=UUID(int=1),
        subject=subject,
        kind=kind,
        severity=severity,
        opened_at=NOW,
    )
    await Contradicted(runtime).opened(work, event)  # type: ignore[arg-type]  # what it uses of both
    (card,) = work.connection.made
    return card


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("subject", "kind", "role"),
    [
        ("deal:1", ContradictionKind.VALUE, "sales_manager"),
        ("account:1", ContradictionKind.TIMELINE, "sales_manager"),
        ("contact:1", ContradictionKind.POLICY, "ceo"),
        ("metric:win_rate", ContradictionKind.METRIC, "ceo"),
        ("product:crm", ContradictionKind.VALUE, "ceo"),
    ],
)
async def test_it_stands_in_front_of_who_can_settle_it(subject: str, kind: ContradictionKind, role: str) -> None:
    card = await made(subject, kind)
    assert card.role == role and card.context["about"] == subject and card.risk_level == "high"
    assert card.type in cards().roles[role].types, "the role sees cards of this type"
    assert 1 <= len(card.buttons) <= 3 and "تناقض" in card.title_ar


@pytest.mark.asyncio
async def test_what_a_person_decided_closes_the_card_wherever_it_hangs() -> None:
    work, runtime = Work(), SimpleNamespace(now=lambda: NOW)
    decided = ContradictionDecided(
        contradiction_id=UUID(int=7), tenant_id=UUID(int=1), subject="deal:1", state=ContradictionState.RESOLVED, decided_by="user:1",
        decided_at=NOW,
    )  # fmt: skip
    await Contradicted(runtime).decided(work, decided)  # type: ignore[arg-type]  # what it uses of both
    assert (await made("deal:1", ContradictionKind.VALUE)).dedupe_key in work.connection.closed
    assert (await made("metric:x", ContradictionKind.METRIC)).dedupe_key in work.connection.closed


def test_every_kind_and_severity_has_words() -> None:
    assert set(WHAT) == set(ContradictionKind) and set(SEVERITY) == {"high", "medium", "low"}
