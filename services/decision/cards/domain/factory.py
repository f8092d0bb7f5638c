"""From an event to the cards of the roles that it concerns. Texts and buttons are data; values come filled in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid5

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.cards import CardEvent, Cards
from libs.contracts.decision import Card, Fact
from libs.contracts.message import Provenance, TenantId, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event as the factory needs it.

    `event` is an entry of the catalogue; `subject` the id that the card is about; `values` fill the texts, each in both
    languages; `urgency` is 0-100 where something other than the deadline makes it urgent; `deadline` overrides the expiry.
    """

    event: str
    tenant_id: TenantId
    subject: str
    values: Mapping[str, Text]
    risk: str
    provenance: Provenance
    facts: tuple[Fact, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    urgency: float | None = None
    value_sar: Decimal | None = None
    deadline: datetime | None = None


def cards_of(happening: Happening, catalogue: Cards, now: datetime) -> tuple[Card, ...]:
    """One card for each role of the event. Ids are the same when the event is delivered again.

    Raises KeyError for an event or value that the catalogue does not know or the event did not bring.
    """
    entry = catalogue.events[happening.event]
    if missing := set(entry.values) - set(happening.values):
        raise KeyError(f"{happening.event} needs {sorted(missing)}")
    return tuple(_card(happening, entry, role, now) for role in entry.roles)


def _card(happening: Happening, entry: CardEvent, role: str, now: datetime) -> Card:
    english = {name: text.en for name, text in happening.values.items()} | {"subject": happening.subject}
    arabic = {name: text.ar for name, text in happening.values.items()} | {"subject": happening.subject}
    dedupe = f"{happening.event}:{role}:{entry.dedupe.format_map(english)}"
    context = dict(happening.context) | {"event": happening.event, "subject": happening.subject}
    if happening.urgency is not None:
        context["urgency"] = round(happening.urgency, 1)
    return Card(
        card_id=uuid5(happening.tenant_id, f"{dedupe}@{now.astimezone(RIYADH).date().isoformat()}"),
        tenant_id=happening.tenant_id,
        role=role,
        type=entry.type,
        title_ar=_line(entry.title.ar, arabic),
        title_en=_line(entry.title.en, english),
        why_now_ar=_line(entry.why_now.ar, arabic),
        why_now_en=_line(entry.why_now.en, english),
        recommended_action_ar=_line(entry.recommended.ar, arabic),
        recommended_action_en=_line(entry.recommended.en, english),
        facts=happening.facts,
        context=context,
        risk_level=happening.risk,
        buttons=tuple(button.button for button in entry.buttons),
        action_mode=entry.action_mode,
        proof_impact=entry.proof_impact,
        deal_value=None if happening.value_sar is None else f"{happening.value_sar:.2f}",
        dedupe_key=dedupe,
        created_at=now,
        expires_at=happening.deadline or now + timedelta(hours=entry.expires_hours),
        provenance=happening.provenance,
    )


def _line(template: str, values: Mapping[str, str]) -> str:
    return " ".join(template.format_map(values).split())
