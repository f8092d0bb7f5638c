"""What is said about a dead letter: in the log, in the ledger by event, when it arrives, grows old, and ends."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from libs.contracts.dead_letters import DeadLetter, DeadLetterArrived, DeadLetterClosed
from libs.contracts.message import Message, Plane, new_id
from libs.contracts.subjects import AUDITED, DEAD_LETTER_ARRIVED, DEAD_LETTER_CLOSED, Event
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry

log = logging.getLogger(__name__)
SYSTEM = "system:execution"


class Emits(Protocol):
    def emit(self, event: Event[Any], message: Message) -> Any: ...


def tell(
    unit: Emits, kind: str, letters: Iterable[DeadLetter], now: datetime, actor: str = SYSTEM, **data: Any
) -> None:
    """Put `kind` on record of each letter, with the transaction that it happens in; arrivals and old ones are alarms in the log too."""
    for letter in letters:
        if actor == SYSTEM:
            ids = {"dead_letter_id": str(letter.dead_letter_id), "action_id": str(letter.action_id), "kind": kind}
            log.error("a dead letter waits for a person", extra={"ids": ids})
            alarm = DeadLetterArrived(tenant_id=letter.tenant_id, letter=letter, aged=kind == "aged", at=now)
            unit.emit(DEAD_LETTER_ARRIVED, alarm)
        unit.emit(
            AUDITED[Plane.EXECUTION],
            AuditRecorded(
                entry_id=new_id(),
                tenant_id=letter.tenant_id,
                kind=f"dead_letter.{kind}",
                actor=actor,
                target=f"action:{letter.action_id}",
                at=now,
                data={
                    "dead_letter_id": str(letter.dead_letter_id),
                    "cause": letter.cause.value,
                    "code": letter.error.code,
                    "connector": letter.connector,
                    **data,
                },
                trace_id=telemetry.trace_id() or letter.trace_id,
            ),
        )


def tell_closed(
    unit: Emits, kind: str, letter: DeadLetter, still_open: int, now: datetime, actor: str, **data: Any
) -> None:
    """What a person did about a letter; whoever shows it may take it away."""
    tell(unit, kind, [letter], now, actor, **data)
    closed = DeadLetterClosed(tenant_id=letter.tenant_id, letter=letter.evolve(note=""), still_open=still_open, at=now)
    unit.emit(DEAD_LETTER_CLOSED, closed)
