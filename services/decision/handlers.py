"""Decision's answers: opportunities, cards and what people decide on them, drafts; and what it hears from other planes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from libs.contracts.approvals import ApprovalEscalated
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.cards import cards
from libs.contracts.data import ImportCompleted, ImportGet, LeadsChanged
from libs.contracts.decision import (
    AnswerBrief,
    BriefAnswered,
    BriefButton,
    BriefReply,
    Card,
    CardGet,
    CardsReply,
    CardsRequest,
    CardStatus,
    DecideCard,
    DecideCardReply,
    DraftsReply,
    DraftsRequest,
    OpportunitiesReply,
    OpportunitiesRequest,
    PrepareDraft,
    PrepareDraftReply,
    RankReply,
    RankRequest,
)
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Principal, PrincipalKind, Text, new_id
from libs.contracts.paging import before, page_of
from libs.contracts.subjects import APPROVAL, APPROVE, AUDITED, IMPORT_STATUS, REJECT
from libs.contracts.trust import (
    ApprovalDecided,
    ApprovalRequest,
    ApprovalRequested,
    ApproveRequest,
    AuditRecorded,
    RejectRequest,
)
from libs.runtime import telemetry
from libs.runtime.database import SessionWork
from libs.runtime.plane import Runtime
from services.decision.cards.buttons import Act, RecordButtons
from services.decision.cards.domain import happenings
from services.decision.cards.domain.brief import UNSEEN, Unclear, parse_reply, render_brief, render_buttons
from services.decision.cards.domain.factory import Happening, cards_of
from services.decision.cards.domain.feed import feed, priority
from services.decision.cards.watch import Watch
from services.decision.drafting import Drafting
from services.decision.errors import CardClosed, HashesNeeded, NoteNeeded, UnknownButton
from services.decision.growth.day_plans import DayPlans
from services.decision.ranking import Ranking
from services.decision.store import Recommendations
from services.decision.targeting.domain.plan import day_began
from services.decision.targeting.queue import ENQUEUE, Rankings

MAY_RANK = frozenset({"owner", "admin", "approver", "operator", "api_client", "system"})
MAY_DECIDE = frozenset({"owner", "admin", "approver", "operator", "member"})
POSTPONE = timedelta(hours=24)


class Opportunities:
    def __init__(self, runtime: Runtime, ranking: Ranking) -> None:
        self._database = runtime.database
        self._ranking = ranking

    async def rank(self, request: RankRequest) -> RankReply:
        _require(request.principal, MAY_RANK)
        return await self._ranking.run(request.principal.tenant_id)

    async def list(self, request: OpportunitiesRequest) -> OpportunitiesReply:
        after = int(request.page.cursor) if request.page.cursor and request.page.cursor.isdigit() else -1
        async with self._database.batch(request.principal.tenant_id) as work:
            found, total = await Recommendations(work).opportunities(
                request.principal.tenant_id,
                request.tier,
                request.contactability,
                request.q,
                after,
                request.page.limit + 1,
            )
        more = len(found) > request.page.limit
        found = found[: request.page.limit]
        return OpportunitiesReply(
            items=tuple(o for _, o in found), next_cursor=str(found[-1][0]) if more else None, total=total
        )


class Cards:
    """Feeds, and what a button does. Whoever decides must hold the role that the decision itself needs."""

    def __init__(
        self, runtime: Runtime, drafting: Drafting, watch: Watch, more: Mapping[str, Act] | None = None
    ) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._drafting = drafting
        self._watch = watch
        self._acts = RecordButtons(runtime, drafting).acts | dict(more or {})
        self._buttons: dict[str, Callable[[Card, DecideCard], Awaitable[DecideCardReply]]] = {
            "approve": self._approve,
            "reject": self._reject,
            "prepare_draft": self._prepare,
            "prepare_drafts": self._prepare,
            "skip": self._skip,
            "later": self._later,
            "open": self._opened,
            "open_list": self._opened,
            "review_source": self._opened,
        }

    async def feed(self, request: CardsRequest) -> CardsReply:
        """A role's most pressing cards, at most seven, and how many wait in all."""
        self._known_role(request.role)
        async with self._database.batch(request.principal.tenant_id) as work:
            waiting = await Recommendations(work).feed(request.principal.tenant_id, request.role)
            await self._watch.ask(work, request.principal.tenant_id)
        shown = feed(waiting, request.role, cards(), self._runtime.now())
        return CardsReply(items=shown.cards[: request.limit], waiting=shown.waiting)

    async def get(self, request: CardGet) -> Card:
        async with self._database.batch(request.principal.tenant_id) as work:
            card = await Recommendations(work).card(request.principal.tenant_id, request.card_id)
        if card is None:
            raise NotFound
        return card

    async def brief(self, request: CardsRequest) -> BriefReply:
        """The WhatsApp decision brief of a role."""
        reply = await self.feed(request)
        shown = render_brief(reply.items, cards())
        alone = render_buttons(reply.items[0]).buttons if len(shown.cards) == 1 else ()
        buttons = tuple(BriefButton(id=id, label=label) for id, label in alone)
        return BriefReply(text=shown.text, cards=shown.cards, buttons=buttons)

    async def answer(self, request: AnswerBrief) -> BriefAnswered:
        """Press the button that a reply to a brief means. One that could mean two things decides nothing, and neither does a yes to what
        the brief does not show in full.

        Raises NotFound, and what `decide` does.
        """
        _require(request.principal, MAY_DECIDE)
        shown = [await self.get(CardGet(principal=request.principal, card_id=id)) for id in request.cards]
        meant = parse_reply(request.text, shown)
        if isinstance(meant, Unclear):
            return BriefAnswered(answer=meant.answer)
        choice = DecideCard(principal=request.principal, card_id=meant.card_id, button=meant.action, note=request.note)
        try:
            decided = await self.decide(choice)
        except HashesNeeded:
            return BriefAnswered(answer=UNSEEN)
        pressed = next(button for button in decided.card.buttons if button.action == meant.action)
        answer = Text(
            en=f"{decided.card.title_en}: {pressed.label_en}.", ar=f"{decided.card.title_ar}: {pressed.label_ar}."
        )
        return BriefAnswered(answer=answer, decided=decided)

    async def decide(self, request: DecideCard) -> DecideCardReply:
        """Carry out what a button says.

        Raises CardClosed, UnknownButton, Forbidden, and whatever trust answers to a vote.
        """
        _require(request.principal, MAY_DECIDE)
        card = await self.get(CardGet(principal=request.principal, card_id=request.card_id))
        if request.button not in {button.action for button in card.buttons}:
            raise UnknownButton
        if card.status is not CardStatus.OPEN:
            raise CardClosed
        if (changes := self._acts.get(request.button)) is not None:
            reply = await self._closed(card, request, await changes(card, request), None, None)
        else:
            reply = await self._buttons.get(request.button, self._note)(card, request)
        await self._record(card, request)
        return reply

    async def _approve(self, card: Card, request: DecideCard) -> DecideCardReply:
        if not request.payload_hash or not request.view_hash:
            raise HashesNeeded
        approval = await self._runtime.bus.call(
            APPROVE,
            ApproveRequest(
                principal=request.principal,
                approval_id=UUID(str(card.context["approval_id"])),
                payload_hash=request.payload_hash,
                view_hash=request.view_hash,
                note=request.note,
                reauthenticated=request.reauthenticated,
            ),
        )
        return await self._closed(card, request, approval.state.value, approval.action_id, approval.approval_id)

    async def _reject(self, card: Card, request: DecideCard) -> DecideCardReply:
        if "approval_id" not in card.context:
            return await self._note(card, request)
        if not request.note.strip():
            raise NoteNeeded
        approval = await self._runtime.bus.call(
            REJECT,
            RejectRequest(
                principal=request.principal, approval_id=UUID(str(card.context["approval_id"])), reason=request.note
            ),
        )
        return await self._closed(card, request, approval.state.value, approval.action_id, approval.approval_id)

    async def _prepare(self, card: Card, request: DecideCard) -> DecideCardReply:
        """Drafts for the leads that the card is about; each waits for its own approval. Of a plan, whom somebody skipped is left out."""
        leads = [UUID(str(i)) for i in card.context.get("leads") or [card.context["lead_id"]]]
        if "leads" in card.context:
            async with self._database.batch(card.tenant_id) as work:
                days = cards().skipped_days
                apart = await DayPlans(work).apart(card.tenant_id, day_began(self._runtime.now()), days)
            leads = [lead for lead in leads if lead not in apart.skipped]
        made = await self._drafting.prepare_leads(request.principal.tenant_id, leads, request.principal.id)
        return await self._closed(card, request, f"drafts:{made}", None, None, for_all=True)

    async def _skip(self, card: Card, request: DecideCard) -> DecideCardReply:
        """Not now, for everybody who has it in view: the lead also leaves the day's plan."""
        return await self._closed(card, request, request.button, None, None, for_all=True)

    async def _later(self, card: Card, request: DecideCard) -> DecideCardReply:
        async with self._database.batch(card.tenant_id) as work:
            await Recommendations(work).postpone(card.tenant_id, card.card_id, self._until(card))
        return DecideCardReply(card=card, result="postponed")

    def _until(self, card: Card) -> datetime:
        """A day away, or half the time that the card has left: put off is not given up."""
        now = self._runtime.now()
        return now + (POSTPONE if card.expires_at is None else min(POSTPONE, (card.expires_at - now) / 2))

    async def _opened(self, card: Card, request: DecideCard) -> DecideCardReply:
        """Looking at something decides nothing: the card stays."""
        return DecideCardReply(card=card, result="opened")

    async def _note(self, card: Card, request: DecideCard) -> DecideCardReply:
        """A button that only answers: the answer is kept, and nothing else happens."""
        return await self._closed(card, request, request.button, None, None)

    async def _closed(
        self, card: Card, request: DecideCard, result: str, action_id: UUID | None, approval_id: UUID | None,
        *, for_all: bool = False,
    ) -> DecideCardReply:  # fmt: skip
        async with self._database.batch(card.tenant_id) as work:
            store = Recommendations(work)
            await store.close_card(card.tenant_id, card.card_id, request.principal.id, request.button)
            if for_all:
                await store.close_likes(card)
            closed = await store.card(card.tenant_id, card.card_id)
        return DecideCardReply(card=closed or card, result=result, action_id=action_id, approval_id=approval_id)

    async def _record(self, card: Card, request: DecideCard) -> None:
        async with self._database.batch(card.tenant_id) as work:
            work.emit(
                AUDITED[self._runtime.plane],
                AuditRecorded(
                    entry_id=new_id(),
                    tenant_id=card.tenant_id,
                    kind="card.decided",
                    actor=request.principal.id,
                    target=f"card:{card.card_id}",
                    at=self._runtime.now(),
                    data={"button": request.button, "type": card.type.value, "role": card.role},
                    trace_id=telemetry.trace_id(),
                ),
            )

    def _known_role(self, role: str) -> None:
        if role not in cards().roles:
            raise NotFound("unknown_role", "There is no such role.", "لا يوجد هذا الدور.")


class Drafts:
    def __init__(self, runtime: Runtime, drafting: Drafting) -> None:
        self._database = runtime.database
        self._drafting = drafting

    async def prepare(self, request: PrepareDraft) -> PrepareDraftReply:
        """The draft of one lead, made now when there is none; it waits for approval like every other.

        Raises Forbidden, NotFound, DraftWithheld.
        """
        _require(request.principal, MAY_DECIDE | MAY_RANK)
        draft, created = await self._drafting.ensure(
            request.principal.tenant_id, request.lead_id, by=request.principal.id
        )
        return PrepareDraftReply(draft=draft, created=created)

    async def list(self, request: DraftsRequest) -> DraftsReply:
        async with self._database.batch(request.principal.tenant_id) as work:
            items = await Recommendations(work).drafts(
                request.principal.tenant_id, before(request.page), request.page.limit + 1
            )
        page, more = page_of(items, request.page.limit, lambda one: one.draft_id)
        return DraftsReply(items=page, next_cursor=more)


class Listener:
    """What decision hears: imports to rank, approvals to show, approvals that are over."""

    def __init__(self, runtime: Runtime, ranking: Ranking, watch: Watch) -> None:
        self._runtime = runtime
        self._ranking = ranking
        self._watch = watch

    async def imported(self, work: SessionWork, event: ImportCompleted) -> None:
        batch = await work.batch()
        if not event.few:
            await batch.connection.execute(ENQUEUE, event.tenant_id, True)
        await self._watch.ask(batch, event.tenant_id, at_once=True)
        if event.blocked_by:
            await self._add(work, await self._blocked(event))
        work.then(self._ranking.wake.set)

    async def leads_changed(self, work: SessionWork, event: LeadsChanged) -> None:
        """They are ranked among all."""
        batch = await work.batch()
        await Rankings(batch).note(event)
        await batch.connection.execute(ENQUEUE, event.tenant_id, False)
        work.then(self._ranking.wake.set)

    async def approval_requested(self, work: SessionWork, event: ApprovalRequested) -> None:
        """A card for the approver, with the hashes that a vote must name."""
        principal = Principal(
            id="plane:decision", kind=PrincipalKind.SYSTEM, tenant_id=event.tenant_id, roles=("operator",)
        )
        approval = await self._runtime.bus.call(
            APPROVAL, ApprovalRequest(principal=principal, approval_id=event.approval_id)
        )
        if approval.state.value != "pending":
            return
        effect = effects().get(approval.action_type)
        shown = {field["name"]: field["value"] for field in approval.view["fields"]}
        now = self._runtime.now()
        happening = happenings.from_approval(
            approval_id=str(event.approval_id),
            action_id=str(event.action_id),
            tenant_id=event.tenant_id,
            effect=Text(en=effect.en, ar=effect.ar)
            if effect
            else Text(en=approval.action_type, ar=approval.action_type),
            target=str(
                shown.get("account_name")
                or shown.get("to_name")
                or shown.get("to")
                or approval.view["resource"]["type"]
            ),
            risk=event.risk,
            due_at=event.due_at,
            expires_at=event.expires_at,
            payload_hash=approval.payload_hash,
            view_hash=approval.view_hash,
            value_sar=_amount(event.value_sar),
            now=now,
            origin=happenings.origin(
                now=now,
                confidence=1.0,
                freshness=max(0.0, (now - event.requested_at).total_seconds() / 3600),
                sources_read=(f"approval:{event.approval_id}",),
                trace_id=telemetry.trace_id(),
            ),
        )
        await self._add(work, happening)

    async def approval_decided(self, work: SessionWork, event: ApprovalDecided) -> None:
        batch = await work.batch()
        await batch.connection.execute(
            "update decision.cards set status = 'decided', decided_at = now(), decided_by = $3, decided_button = $4 "
            "where tenant_id = $1 and status = 'open' and document->'context'->>'approval_id' = $2",
            event.tenant_id,
            str(event.approval_id),
            event.decided_by,
            event.state.value,
        )

    async def approval_escalated(self, work: SessionWork, event: ApprovalEscalated) -> None:
        """The card follows its request into the other role's queue; where that role has it already, the old one goes."""
        connection = (await work.batch()).connection
        here = "tenant_id = $1 and status = 'open' and document->'context'->>'approval_id' = $2"
        await connection.execute(
            f"update decision.cards set status = 'decided', decided_at = now(), decided_by = 'system:trust', decided_button = $4 "
            f"where {here} and role <> $3 and exists (select 1 from decision.cards where {here} and role = $3)",
            event.tenant_id, str(event.approval_id), event.to_role, event.stage,
        )  # fmt: skip
        await connection.execute(
            "update decision.cards set role = $3, priority = priority + 1, document = jsonb_set(document, '{role}', to_jsonb($3::text)) "
            f"where {here}",
            event.tenant_id, str(event.approval_id), event.to_role,
        )  # fmt: skip

    async def _blocked(self, event: ImportCompleted) -> Happening | None:
        now = self._runtime.now()
        principal = Principal(id="plane:decision", kind=PrincipalKind.SYSTEM, tenant_id=event.tenant_id)
        status = await self._runtime.bus.call(IMPORT_STATUS, ImportGet(principal=principal, import_id=event.import_id))
        return happenings.from_blocked_import(
            import_id=str(event.import_id),
            tenant_id=event.tenant_id,
            file_name=status.file_name,
            blocked_by=event.blocked_by,
            origin=happenings.origin(
                now=now,
                confidence=1.0,
                freshness=max(0.0, (now - event.at).total_seconds() / 3600),
                sources_read=(f"import:{event.import_id}",),
            ),
        )

    async def _add(self, work: SessionWork, happening: Happening | None) -> None:
        if happening is None:
            return
        now, catalogue = self._runtime.now(), cards()
        made = [card.evolve(priority=priority(card, catalogue, now)) for card in cards_of(happening, catalogue, now)]
        await Recommendations(await work.batch()).add_cards(made)


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles):
        raise Forbidden


def _amount(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None
