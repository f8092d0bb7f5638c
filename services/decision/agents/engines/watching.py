"""Engines of knowledge_retrieval, management_summary, approval_briefer and risk_sentinel: what other planes keep, put in a few words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from libs.contracts.agent_outputs import Alert, Level
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.errors import DealixError
from libs.contracts.knowledge import KnowledgeSearch
from libs.contracts.message import Message, Plane, Text
from libs.contracts.metrics import MetricGet, MetricValue
from libs.contracts.outreach import ReputationRequest
from libs.contracts.subjects import APPROVAL, METRICS, REPUTATION, SEARCH_KNOWLEDGE, WAITING
from libs.contracts.trust import Approval, ApprovalRequest
from libs.contracts.waiting import WaitingReply, WaitingRequest
from libs.runtime.metrics import Metrics
from libs.runtime.plane import Runtime
from services.decision.agents.asked import NOTHING_KNOWN, NotAsked, Question, Said, withheld
from services.decision.domain import untrusted
from services.decision.domain.text import ago_ar, ago_en, hours_ar, money_ar, money_en

_MONTH = re.compile(r"^(20\d{2})-(0[1-9]|1[0-2])$")


class Words(Message):
    """Texts with named places, and the limits of what is out of the ordinary."""

    version: str
    passages: Annotated[int, Field(ge=1, le=20)]
    figures: Annotated[tuple[str, ...], Field(min_length=1)]
    anomaly_percent: float
    drop_percent: float
    texts: dict[str, Text]
    risks: dict[str, Text]


@cache
def words() -> Words:
    """Raises pydantic.ValidationError when the file does not fit."""
    return Words.model_validate(yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")))


class Watching:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bus = runtime.bus

    async def retrieve(self, asked: Question, version: str) -> Said:
        """The passages that answer a question best. None at all is handed over."""
        request = KnowledgeSearch(principal=asked.principal, q=asked.text("query")[:1000], limit=words().passages)
        found = (await self._bus.call(SEARCH_KNOWLEDGE, request)).items
        if not found:
            return Said({}, 0.0, {"passages": 0}, withheld=NOTHING_KNOWN, to="support")
        output = {
            "passages": [
                {"document_id": one.document_id, "title": one.title, "heading": one.heading, "page": one.page, "text": one.text, "score": one.score}
                for one in found
            ]
        }  # fmt: skip
        both = sum(len(one.found_by) > 1 for one in found)
        # Found by words and by meaning is surer than by one of them alone.
        sure = round(0.7 + 0.25 * both / len(found), 4)
        return Said(
            output, sure, {"passages": len(found)}, tuple(f"document:{one.document_id}" for one in found), min(one.age_hours for one in found)
        )  # fmt: skip

    async def summarise(self, asked: Question, version: str) -> Said:
        """A month's figures beside those of the month before, and what is out of the ordinary."""
        period = asked.text("period")
        since, until, before = _month(period, asked.now)
        now, then = await self._figures(asked, since, until), await self._figures(asked, before, since)
        known = [one for one in now if one.value is not None]
        if not known:
            return withheld(NOTHING_KNOWN, "ceo")
        # A figure of this moment has no month before.
        earlier = {one.name: one.value for one in then if metrics()[one.name].period}
        moves = {one.name: _change(one.value, earlier.get(one.name)) for one in known}
        revenue = moves.get("revenue_actual")
        output = {
            "period": period, "summary": _summary(known, earlier, moves), "figures": [_figure(one, earlier.get(one.name)) for one in known],
            "alerts": list(_moved(known, moves)), "revenue_change_percent": revenue,
        }  # fmt: skip
        anomaly = any(one is not None and abs(one) > words().anomaly_percent for one in moves.values())
        facts = {"anomaly": anomaly, **({} if revenue is None else {"revenue_change_percent": revenue})}
        return Said(
            output, round(len(known) / len(words().figures), 4), facts, tuple(f"metric:{one.name}" for one in known)
        )

    async def _figures(self, asked: Question, since: datetime, until: datetime) -> list[MetricValue]:
        found = []
        for name in words().figures:
            plane = metrics()[name].plane
            wanted = MetricGet(principal=asked.principal, name=name, since=since, until=until)
            own = plane is Plane.DECISION
            found.append(
                await Metrics(self._runtime).value(wanted) if own else await self._bus.call(METRICS[plane], wanted)
            )
        return found

    async def brief(self, asked: Question, version: str) -> Said:
        """Two lines on what waits for a vote: what would happen and by whom, what it is worth, until when, and whether it can be undone."""
        wanted = ApprovalRequest(principal=asked.principal, approval_id=asked.id("approval", "approval_id"))
        one = await self._bus.call(APPROVAL, wanted)
        age = max(0.0, (asked.now - one.requested_at).total_seconds() / 3600)
        shown = bool(one.view)
        return Said(
            {"brief": in_words(one)}, 1.0 if shown else 0.5, {"payload_unreadable": not shown}, (f"approval:{one.approval_id}",), round(age, 2)
        )  # fmt: skip

    async def sentinel(self, asked: Question, version: str) -> Said:
        """What in the records speaks of a risk: late tickets, quiet deals and customers, paused channels; of one subject where it is named.

        Signals of another kind are not weighed: a person does.
        """
        signals = asked.input.get("signals")
        given = dict(signals) if isinstance(signals, dict) else {}
        subject = str(given.pop("subject_id", "") or "")
        if any(value not in (None, "", {}, []) for value in given.values()):
            return withheld(NOTHING_KNOWN, "ceo")
        rules = cards().watch
        waiting = await self._bus.call(
            WAITING,
            WaitingRequest(
                tenant_id=asked.tenant_id, deal_idle_days=rules.deal_idle_days, partner_idle_days=rules.partner_idle_days,
                answered_within_days=rules.answered_within_days, won_within_days=rules.won_within_days,
                customer_idle_days=rules.customer_idle_days, most=rules.most,
            ),
        )  # fmt: skip
        alerts = list(_late(waiting, asked.now))
        looked = ["tickets", "deals", "customers"]
        # What could not be read is not said to have been looked at, and lowers how sure this is.
        with suppress(DealixError):
            channels = await self._bus.call(REPUTATION, ReputationRequest(principal=asked.principal))
            for channel in channels.items:
                if channel.paused:
                    subject_of = f"channel:{channel.channel}"
                    alerts.append(_alert("channel_paused", "high", subject_of, {}, {}, channel=channel.channel))
            looked.append("channels")
        if subject:
            alerts = [one for one in alerts if one.subject.endswith(subject)]
        order = ("high", "medium", "low")
        alerts.sort(key=lambda one: order.index(one.level))
        output = {"alerts": alerts[:50], "critical": any(one.level == "high" for one in alerts), "looked_at": looked}
        return Said(output, round(len(looked) / 4, 4), {"critical": output["critical"]}, tuple(looked))


def _month(period: str, now: datetime) -> tuple[datetime, datetime, datetime]:
    """Begin and end of a month, and the begin of the one before. Raises NotAsked for what is no month that has begun."""
    found = _MONTH.match(period)
    if found is None:
        raise NotAsked("period (YYYY-MM)")
    year, month = int(found[1]), int(found[2])
    since = datetime(year, month, 1, tzinfo=UTC)
    if since > now:
        raise NotAsked("period (YYYY-MM)")
    after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    before = datetime(year - (month == 1), (month - 2) % 12 + 1, 1, tzinfo=UTC)
    return since, min(after, now), before


def _change(value: Decimal | None, before: Decimal | None) -> float | None:
    return None if value is None or not before else round(float((value - before) / before) * 100, 1)


def _plain(one: MetricValue | None, value: Decimal | None) -> str:
    if value is None or one is None:
        return "-"
    if one.unit in ("share", "ratio", "%"):
        return f"{value * 100:.1f}%" if one.unit != "%" else f"{value:.1f}%"
    return f"{value:,.0f} {one.unit}".strip()


def _figure(one: MetricValue, before: Decimal | None) -> dict[str, Any]:
    return {
        "metric": one.name, "en": one.en, "ar": one.ar, "unit": one.unit, "value": str(one.value), "before": None if before is None else str(before),
    }  # fmt: skip


def _summary(
    known: Sequence[MetricValue], earlier: Mapping[str, Decimal | None], moves: Mapping[str, float | None]
) -> Text:
    lines = []
    for one in known:
        moved = moves[one.name]
        fill = {
            "value": _plain(one, one.value),
            "was": _plain(one, earlier.get(one.name)),
            "moved": "" if moved is None else f"{moved:+.1f}%",
        }
        text = words().texts["figure" if moved is None else "figure_moved"]
        lines.append(Text(en=text.en.format(name=one.en, **fill), ar=text.ar.format(name=one.ar, **fill)))
    return Text(en=" ".join(line.en for line in lines), ar=" ".join(line.ar for line in lines))


def _moved(known: Sequence[MetricValue], moves: Mapping[str, float | None]) -> Iterator[Alert]:
    rules = words()
    for one in known:
        moved = moves[one.name]
        if moved is None or (moved > rules.drop_percent and abs(moved) <= rules.anomaly_percent):
            continue
        text = rules.texts["out_of_the_ordinary"]
        yield Alert(
            code="figure_moved", level="high" if moved <= rules.drop_percent else "medium", subject=f"metric:{one.name}",
            en=text.en.format(name=one.en, moved=f"{moved:+.1f}%"), ar=text.ar.format(name=one.ar, moved=f"{moved:+.1f}%"),
        )  # fmt: skip


def in_words(one: Approval) -> Text:
    """What a request asks for, in a sentence: whose, how grave, whether it can be undone, until which day."""
    effect, texts = effects().get(one.action_type), words().texts
    risk = words().risks[one.risk if one.risk in words().risks else "unknown"]
    undo = texts["undone" if effect is not None and effect.compensation is not None else "final"]
    amount = Decimal(one.value_sar) if one.value_sar else None
    shared = {
        "who": untrusted.label(one.requester).text or "-",
        "until": one.expires_at.astimezone(RIYADH).date().isoformat(),
    }
    return Text(
        en=texts["brief"].en.format(
            what=effect.en if effect else one.action_type, risk=risk.en, undo=undo.en, **shared,
            worth=texts["worth"].en.format(amount=money_en(amount)) if amount is not None else "",
        ),
        ar=texts["brief"].ar.format(
            what=effect.ar if effect else one.action_type, risk=risk.ar, undo=undo.ar, **shared,
            worth=texts["worth"].ar.format(amount=money_ar(amount)) if amount is not None else "",
        ),
    )  # fmt: skip


def _late(found: WaitingReply, now: datetime) -> Iterator[Alert]:
    hours = cards().ticket_hours
    for ticket in found.tickets:
        age = (now - ticket.opened_at).total_seconds() / 3600
        limit = hours[ticket.priority]
        if age > limit.end or (ticket.answered_at is None and age > limit.answer):
            level: Level = "high" if ticket.priority in ("P0", "P1") else "medium"
            en, ar = {"age": int(age)}, {"age": hours_ar(int(age))}
            yield _alert("ticket_overdue", level, f"ticket:{ticket.ticket_id}", en, ar, priority=ticket.priority)
    for code, deals in (("deal_quiet", found.deals), ("customer_quiet", found.quiet)):
        for deal in deals:
            days = (now - deal.touched_at).days
            yield _alert(code, "medium", f"deal:{deal.deal_id}", {"when": ago_en(days)}, {"when": ago_ar(days)})


def _alert(
    code: str, level: Level, subject: str, en: Mapping[str, object], ar: Mapping[str, object], **shared: object
) -> Alert:
    text = words().texts[code]
    return Alert(
        code=code, level=level, subject=subject, en=text.en.format(**en, **shared), ar=text.ar.format(**ar, **shared)
    )
