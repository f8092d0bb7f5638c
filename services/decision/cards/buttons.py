"""Buttons that change records: each carried out by the plane that owns the record, under the name of whoever pressed it.

A press that is repeated after a crash does the same once: ids of what is created come from the card.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from libs.contracts.catalogue.records import RecordKind, Stage, records
from libs.contracts.crm import ChangeRecord, CreateRecord, GetRecord, MoveDeal, Record
from libs.contracts.decision import Card, DecideCard
from libs.contracts.onboarding import MarkStep
from libs.contracts.subjects import CHANGE_RECORD, CREATE_RECORD, MARK_ONBOARDING, MOVE_DEAL, RECORD
from libs.runtime.plane import Runtime
from services.decision.drafting import Drafting
from services.decision.errors import DraftWithheld, ReasonNeeded, nobody_to_write_to

Act = Callable[[Card, DecideCard], Awaitable[str]]
TASK_WITHIN = timedelta(hours=24)
_REFERENCES = ("account_id", "contact_id", "lead_id", "deal_id")


class RecordButtons:
    """What a button does, by its action; each answers with a word for the result."""

    def __init__(self, runtime: Runtime, drafting: Drafting) -> None:
        self._runtime = runtime
        self._bus = runtime.bus
        self._drafting = drafting
        self.acts: dict[str, Act] = {
            "create_task": self.create_task,
            "close_lost": self.close_lost,
            "note_done": self.note_done,
            "onboarding_done": self.onboarding_done,
            "advance_partner": self.advance_partner,
            "take_ticket": self.take_ticket,
            "resolve_ticket": self.resolve_ticket,
            "escalate_ticket": self.escalate_ticket,
            "prepare_followup": self.prepare_followup,
            "prepare_reply": self.prepare_reply,
        }

    async def create_task(self, card: Card, request: DecideCard) -> str:
        """A task of what the card recommends, due tomorrow, for whoever pressed."""
        body = "\n".join(part for part in (card.why_now_ar, card.recommended_action_ar, request.note.strip()) if part)
        values = {
            "title": card.title_ar, "body": body, "due_at": (self._runtime.now() + TASK_WITHIN).isoformat(),
            "assignee": request.principal.name or request.principal.id, **_references(card),
        }  # fmt: skip
        task = await self._create(card, request, RecordKind.TASK, values)
        return f"task:{task.id}"

    async def note_done(self, card: Card, request: DecideCard) -> str:
        """Write down that it was done, in the deal's timeline."""
        values = {
            "type": "note", "direction": "outbound", "subject": card.title_ar, "body": request.note.strip() or None,
            "at": self._runtime.now().isoformat(), **_references(card),
        }  # fmt: skip
        noted = await self._create(card, request, RecordKind.ACTIVITY, values)
        return f"activity:{noted.id}"

    async def onboarding_done(self, card: Card, request: DecideCard) -> str:
        """The step that the card is about is done, as whoever pressed says."""
        deal = UUID(str(card.context["deal_id"]))
        said = MarkStep(
            principal=request.principal, onboarding_id=deal, step=str(card.context["step"]), state="done", note=request.note.strip()[:1000]
        )  # fmt: skip
        await self._bus.call(MARK_ONBOARDING, said)
        return f"onboarding:{deal}"

    async def close_lost(self, card: Card, request: DecideCard) -> str:
        """Raises ReasonNeeded: a lost deal says why it was lost."""
        if not request.note.strip():
            raise ReasonNeeded
        deal = UUID(str(card.context["deal_id"]))
        await self._bus.call(
            MOVE_DEAL, MoveDeal(principal=request.principal, id=deal, stage=Stage.LOST, reason=request.note.strip())
        )
        return f"deal:{deal}"

    async def advance_partner(self, card: Card, request: DecideCard) -> str:
        """To the stage after the one that the card shows; the step that was due is done."""
        order = records().kinds[RecordKind.PARTNER].fields["stage"].choices
        now = str(card.context["stage"])
        following = order[min(order.index(now) + 1, order.index("renew"))]
        values = {"stage": following, "next_step": None, "next_step_on": None}
        return await self._change(card, request, RecordKind.PARTNER, values)

    async def take_ticket(self, card: Card, request: DecideCard) -> str:
        who = request.principal.name or request.principal.id
        return await self._change(card, request, RecordKind.TICKET, {"assignee": who, "status": "in_progress"})

    async def resolve_ticket(self, card: Card, request: DecideCard) -> str:
        now = self._runtime.now().isoformat()
        ticket = await self._ticket(card, request)
        values = {
            "status": "resolved", "resolved_at": now, "resolution": request.note.strip() or None,
            "answered_at": ticket.values.get("answered_at") or now,
        }  # fmt: skip
        return await self._change(card, request, RecordKind.TICKET, values)

    async def escalate_ticket(self, card: Card, request: DecideCard) -> str:
        """One priority up; its clock runs faster from the hour it was opened."""
        ticket = await self._ticket(card, request)
        order = records().kinds[RecordKind.TICKET].fields["priority"].choices
        higher = order[max(0, order.index(ticket.values["priority"]) - 1)]
        return await self._change(card, request, RecordKind.TICKET, {"priority": higher})

    async def prepare_followup(self, card: Card, request: DecideCard) -> str:
        return await self._draft(card, f"followup:{card.context['deal_id']}", f"deal:{card.context['deal_id']}")

    async def prepare_reply(self, card: Card, request: DecideCard) -> str:
        activity = card.context["activity_id"]
        return await self._draft(card, f"objection:{card.context['objection']}:{activity}", f"activity:{activity}")

    async def _draft(self, card: Card, purpose: str, basis: str) -> str:
        """Raises DraftWithheld where nobody may be, or is there to be, written to."""
        if "lead_id" not in card.context:
            raise DraftWithheld(nobody_to_write_to())
        lead = UUID(str(card.context["lead_id"]))
        draft, _ = await self._drafting.ensure(card.tenant_id, lead, purpose=purpose, basis=basis)
        return f"draft:{draft.draft_id}"

    async def _ticket(self, card: Card, request: DecideCard) -> Record:
        ticket = UUID(str(card.context["ticket_id"]))
        wanted = GetRecord(principal=request.principal, kind=RecordKind.TICKET, id=ticket)
        return await self._bus.call(RECORD, wanted)

    async def _create(self, card: Card, request: DecideCard, kind: RecordKind, values: dict[str, Any]) -> Record:
        made = uuid5(card.card_id, request.button)
        return await self._bus.call(
            CREATE_RECORD, CreateRecord(principal=request.principal, kind=kind, id=made, values=values)
        )

    async def _change(self, card: Card, request: DecideCard, kind: RecordKind, values: dict[str, Any]) -> str:
        id = UUID(str(card.context[f"{kind.value}_id"]))
        await self._bus.call(CHANGE_RECORD, ChangeRecord(principal=request.principal, kind=kind, id=id, values=values))
        return f"{kind.value}:{id}"


def _references(card: Card) -> dict[str, str]:
    return {name: str(card.context[name]) for name in _REFERENCES if card.context.get(name)}
