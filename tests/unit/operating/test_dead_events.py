"""Whose a dead event is follows from what anybody can read of it; what nobody can read is no tenant's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.dead_events import DeadEvent
from libs.contracts.message import Plane
from services.operating.dead_events.store import mine, tenants_of, text_of

ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("body", "tenants"),
    [
        ({"tenant_id": str(ONE), "more": 1}, [ONE]),
        ({"items": [{"tenant_id": str(TWO)}, {"tenant_id": str(ONE)}, {"tenant_id": str(TWO)}]}, [ONE, TWO]),
        ({"tenant_id": str(ONE), "items": [{"tenant_id": str(TWO)}]}, [ONE, TWO]),
        ({"items": [{"tenant_id": str(ONE)}, {"tenant_id": "nobody"}]}, []),
        ({"items": "none"}, []),
        ([], []),
        ("text", []),
        (None, []),
    ],
)
def test_whom_an_event_names(body: Any, tenants: list[UUID]) -> None:
    assert tenants_of(json.dumps(body).encode()) == tenants


@pytest.mark.parametrize("body", [b"\xff", b"{", b"[" * 100_000, b""])
def test_what_nobody_can_read_names_nobody(body: bytes) -> None:
    assert tenants_of(body) == []
    assert isinstance(text_of(body), str)


@pytest.mark.parametrize(("named", "theirs"), [((ONE,), True), ((ONE, TWO), False), ((TWO,), False), ((), False)])
def test_an_event_is_a_tenants_when_it_names_that_one_alone(named: tuple[UUID, ...], theirs: bool) -> None:
    event = DeadEvent(
        dead_event_id=UUID(int=9), plane=Plane.DATA, subject="s", message_id="m", tenant_ids=named, error="E", attempts=5, bytes=1,
        arrived_at=datetime(2026, 11, 22, tzinfo=UTC),
    )  # fmt: skip
    assert mine(event, ONE) is theirs
