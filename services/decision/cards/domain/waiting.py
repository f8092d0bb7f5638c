"""Cards of what waits in the records: deals, answers, partners, tickets, customers, channels. Pure; the clock is passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from libs.contracts.arabic import counted
from libs.contracts.business_time import RIYADH, STANDARD, Opening, after, between
from libs.contracts.catalogue.cards import Cards
from libs.contracts.catalogue.records import Stage, records
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.decision import Fact
from libs.contracts.ledger import EvidenceAssembled
from libs.contracts.message import Provenance, TenantId, Text
from libs.contracts.onboarding import CustomerOnboarding, OnboardingState
from libs.contracts.outreach import ChannelReputation
from libs.contracts.waiting import Answer, WaitingDeal, WaitingPartner, WaitingReply, WaitingTicket
from services.decision.cards.domain.factory import Happening
from services.decision.cards.domain.happenings import from_stalled_deal, origin
from services.decision.domain import untrusted
from services.decision.domain.text import ago_ar, ago_en, date_ar, date_en, days_ar, hours_ar, money_ar
from services.decision.negotiation.domain.classify import Reading, classify, playbook

OBJECTION = "objection_raised"
WATCHED = (
    "deal_stalled", OBJECTION, "partner_step", "ticket_waiting", "ticket_overdue", "channel_paused", "customer_won", "customer_quiet",
    "onboarding_stuck",
)  # fmt: skip
"""Events of this module: a card of one of them closes by itself once what it is about no longer waits."""
QUOTED = 160


def happenings(
    reply: WaitingReply, channels: Iterable[ChannelReputation], tenant_id: TenantId, catalogue: Cards, now: datetime,
    hours: Opening = STANDARD, onboardings: Iterable[CustomerOnboarding] = (),
    read: Callable[[str], Reading] = classify,
) -> Iterator[Happening]:  # fmt: skip
    """Everything that deserves a card now. `hours` are those that the tenant works: tickets' clocks run in them. `read` says what
    a text objects to, cleaned as `said` cleans it; by itself by phrases alone."""
    for deal in reply.deals:
        yield _stalled(deal, tenant_id, now)
    for answer in reply.answers:
        if (found := _objection(answer, tenant_id, now, read)) is not None:
            yield found
    for partner in reply.partners:
        yield _partner(partner, tenant_id, catalogue, now)
    for ticket in reply.tickets:
        yield _ticket(ticket, tenant_id, catalogue, now, hours)
    stuck = tuple(one for one in onboardings if one.state is OnboardingState.STUCK)
    for one in stuck:
        yield _onboarding(one, tenant_id, now)
    # A customer whose onboarding is stuck at its first step is asked about once.
    asked = {one.onboarding_id for one in stuck}
    for deal in reply.won:
        if deal.deal_id in asked:
            continue
        yield _customer("customer_won", deal, tenant_id, now)
    for deal in reply.quiet:
        yield _customer("customer_quiet", deal, tenant_id, now)
    for channel in channels:
        if channel.paused:
            yield _paused(channel, tenant_id, now)


def _origin(now: datetime, seen: datetime, source: str, confidence: float = 1.0) -> Provenance:
    hours = max(0.0, (now - seen).total_seconds() / 3600)
    return origin(now=now, confidence=confidence, freshness=round(hours, 2), sources_read=(source,))


def _sar(amount: Decimal | None, currency: str) -> Decimal | None:
    rate = targeting().sar_rates.get(currency)
    return None if amount is None or rate is None else (amount * rate).quantize(Decimal("0.01"))


def _value(amount: Decimal | None) -> tuple[Fact, ...]:
    return () if amount is None else (Fact(label_ar="قيمة الصفقة", label_en="Deal value", value=money_ar(amount)),)


def _company(name: str | None) -> str:
    return untrusted.company_name(name).text or "—"


def _stalled(deal: WaitingDeal, tenant_id: TenantId, now: datetime) -> Happening:
    stage = records().stages[Stage(deal.stage)]
    return from_stalled_deal(
        deal_id=str(deal.deal_id), tenant_id=tenant_id, account=deal.account_name, stage=Text(en=stage.en, ar=stage.ar),
        idle_days=(now - deal.touched_at).days, value_sar=_sar(deal.amount, deal.currency),
        origin=_origin(now, deal.touched_at, f"deal:{deal.deal_id}"), lead_id=deal.lead_id,
    )  # fmt: skip


def said(answers: Iterable[Answer]) -> tuple[str, ...]:
    """What answers say, as far as it may be read: what tries to give instructions is quoted to nobody and classed as nothing."""
    found = (untrusted.notes(one.text).text for one in answers)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _objection(
    answer: Answer, tenant_id: TenantId, now: datetime, reading: Callable[[str], Reading]
) -> Happening | None:
    """A card where what they said is clearly an objection."""
    clean = next(iter(said((answer,))), None)
    if clean is None:
        return None
    read = reading(clean)
    if read.objection is None:
        return None
    rule = playbook().objections[read.objection]
    days = (now - answer.at).days
    quote = untrusted.visible(read.evidence[0])[:QUOTED] if read.evidence else ""
    facts = (Fact(label_ar="ما قالوه", label_en="What they said", value=f"«{quote}»"),) if quote else ()
    amount = _sar(answer.amount, answer.currency)
    name = _company(answer.account_name)
    return Happening(
        event=OBJECTION,
        tenant_id=tenant_id,
        subject=str(answer.activity_id),
        values={
            "account": Text(en=name, ar=name),
            "objection": Text(en=rule.en.lower(), ar=rule.ar),
            "step": rule.step,
            "when": Text(en=ago_en(days), ar=ago_ar(days)),
        },
        risk="high" if read.objection == "want_guarantee" else "medium",
        provenance=_origin(now, answer.at, f"activity:{answer.activity_id}", read.confidence),
        facts=(*facts, *_value(amount)),
        context=_ids(deal_id=answer.deal_id, lead_id=answer.lead_id)
        | {"activity_id": str(answer.activity_id), "objection": read.objection, "confidence": read.confidence},
        value_sar=amount,
    )


def _partner(partner: WaitingPartner, tenant_id: TenantId, catalogue: Cards, now: datetime) -> Happening:
    rule = catalogue.partner_stages[partner.stage]
    own = untrusted.label(partner.next_step).text
    name = untrusted.company_name(partner.name_ar or partner.name).text or "—"
    if partner.next_step_on is not None:
        late = (now.astimezone(RIYADH).date() - partner.next_step_on).days
        due = Text(
            en=f"The step was due on {date_en(partner.next_step_on)}." if late else "The step is due today.",
            ar=f"حان موعد الخطوة في {date_ar(partner.next_step_on)}." if late else "موعد الخطوة اليوم.",
        )
    else:
        idle = (now - partner.touched_at).days
        due = Text(en=f"Nothing has moved for {idle} days.", ar=f"لا جديد منذ {days_ar(idle)}.")
    step = f"{own.rstrip('.')}." if own else ""
    return Happening(
        event="partner_step",
        tenant_id=tenant_id,
        subject=str(partner.partner_id),
        values={
            "partner": Text(en=name, ar=name),
            "stage": Text(en=rule.en, ar=rule.ar),
            "step": Text(en=step or rule.step.en, ar=step or rule.step.ar),
            "due": due,
        },
        risk="low",
        provenance=_origin(now, partner.touched_at, f"partner:{partner.partner_id}"),
        facts=_value(partner.amount),
        context={"partner_id": str(partner.partner_id), "stage": partner.stage},
        value_sar=partner.amount,
    )


def _ticket(ticket: WaitingTicket, tenant_id: TenantId, catalogue: Cards, now: datetime, opening: Opening) -> Happening:
    """A ticket within its time asks support; one beyond it is a risk that the executive sees too. Its hours are hours of work."""
    hours = catalogue.ticket_hours[ticket.priority]
    due = after(ticket.opened_at, (hours.end if ticket.answered_at else hours.answer) * 60, opening)
    late = now > due
    left = abs(round(between(now, due, opening) / 60))
    title = untrusted.label(ticket.title).text or str(ticket.ticket_id)[:8]
    account = untrusted.company_name(ticket.account_name).text
    what = Text(en="The answer", ar="الرد") if ticket.answered_at is None else Text(en="The solution", ar="الحل")
    clock = (
        Text(en=f"{what.en} is {left} working hours late", ar=f"تجاوز المهلة: تأخر {what.ar} {hours_ar(left)} عمل")
        if late
        else Text(
            en=f"{what.en} is due within {left} working hours.", ar=f"ضمن المهلة: {what.ar} خلال {hours_ar(left)} عمل."
        )
    )
    return Happening(
        event="ticket_overdue" if late else "ticket_waiting",
        tenant_id=tenant_id,
        subject=str(ticket.ticket_id),
        values={
            "title": Text(en=title, ar=title),
            "priority": Text(
                en=f"Priority {hours.en} ({ticket.priority})", ar=f"أولوية {hours.ar} ({ticket.priority})"
            ),
            "account": Text(en=f", {account}", ar=f"، {account}") if account else Text(en="", ar=""),
            "clock": clock,
        },
        risk="high" if late or ticket.priority == "P0" else "medium" if ticket.priority == "P1" else "low",
        provenance=_origin(now, ticket.opened_at, f"ticket:{ticket.ticket_id}"),
        facts=(
            Fact(label_ar="الأولوية", label_en="Priority", value=ticket.priority, ltr=True),
            Fact(label_ar="فُتحت", label_en="Opened", value=ago_ar((now - ticket.opened_at).days)),
        ),
        context={"ticket_id": str(ticket.ticket_id), "priority": ticket.priority},
        urgency=100.0 if late else None,
        deadline=None if late else max(due, now + timedelta(minutes=1)),
    )


def _customer(event: str, deal: WaitingDeal, tenant_id: TenantId, now: datetime) -> Happening:
    name = _company(deal.account_name)
    days = (now - deal.touched_at).days
    amount = _sar(deal.amount, deal.currency)
    idle = Text(en=f"{days} days", ar=counted(days, one="يوم واحد", two="يومين", few="أيام", many="يومًا", other="يوم"))
    return Happening(
        event=event,
        tenant_id=tenant_id,
        subject=str(deal.deal_id),
        values={
            "account": Text(en=name, ar=name),
            "since": Text(en=ago_en(days), ar=ago_ar(days)),
            "idle": idle,
        },
        risk="low" if event == "customer_won" else "medium",
        provenance=_origin(now, deal.touched_at, f"deal:{deal.deal_id}"),
        facts=_value(amount),
        context=_ids(deal_id=deal.deal_id, lead_id=deal.lead_id),
        value_sar=amount,
    )


def _onboarding(one: CustomerOnboarding, tenant_id: TenantId, now: datetime) -> Happening:
    name, step = _company(one.account_name), next(step for step in one.steps if step.step == one.current)
    hours = round(one.stuck_hours)
    return Happening(
        event="onboarding_stuck",
        tenant_id=tenant_id,
        subject=str(one.onboarding_id),
        values={
            "account": Text(en=name, ar=name),
            "step": step.name,
            "idle": Text(en=f"{hours // 24} days", ar=days_ar(hours // 24)),
            "next": one.next_step or step.name,
        },
        risk="medium",
        provenance=_origin(now, one.moved_at, f"deal:{one.onboarding_id}"),
        facts=(
            Fact(label_ar="الخطوات المنجزة", label_en="Steps done", value=f"{one.done}/{len(one.steps)}", ltr=True),
        ),
        context={"deal_id": str(one.onboarding_id), "step": step.step},
    )


def _paused(channel: ChannelReputation, tenant_id: TenantId, now: datetime) -> Happening:
    named = targeting().channels.get(channel.channel)
    return Happening(
        event="channel_paused",
        tenant_id=tenant_id,
        subject=channel.channel,
        values={
            "channel": Text(en=named.en, ar=named.ar) if named else Text(en=channel.channel, ar=channel.channel),
            "score": Text(en=str(channel.score), ar=str(channel.score)),
            "reasons": Text(
                en="; ".join(one.en for one in channel.deductions), ar="؛ ".join(one.ar for one in channel.deductions)
            ),
        },
        risk="high",
        provenance=origin(now=now, confidence=1.0, freshness=0.0, sources_read=(f"reputation:{channel.channel}",)),
        context={"channel": channel.channel},
    )


def from_evidence(event: EvidenceAssembled, now: datetime) -> Happening:
    """A pack that is ready. Its scope is shown as it was asked for."""
    size = f"{max(1, round(event.bytes / 1024)):,} KB"
    scope = untrusted.visible(event.scope)[:60]
    return Happening(
        event="proof_ready",
        tenant_id=event.tenant_id,
        subject=str(event.pack_id),
        values={"pack": Text(en=scope, ar=scope), "size": Text(en=size, ar=size)},
        risk="low",
        provenance=_origin(now, event.at, f"evidence:{event.pack_id}"),
        facts=(Fact(label_ar="بصمة الحزمة", label_en="Pack hash", value=event.sha256[:16], ltr=True),),
        context={"pack_id": str(event.pack_id), "scope": event.scope},
    )


def _ids(**ids: object) -> dict[str, str]:
    return {name: str(value) for name, value in ids.items() if value is not None}
