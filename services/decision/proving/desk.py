"""The proof pack: work from the ledger, what waits, what it may bring, what comes next. Made when it is asked for; nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.records import RecordKind, Stage, records
from libs.contracts.catalogue.words import effect_title
from libs.contracts.claims import ContradictionsRequest, ContradictionState
from libs.contracts.crm import GetRecord, ListRecords, Record
from libs.contracts.errors import DealixError
from libs.contracts.forecasts import Missing, Track
from libs.contracts.lineage import LineageNode, LineageRequest, LineageWay
from libs.contracts.message import Page, Plane, Principal, Provenance, Text
from libs.contracts.predictive import PredictiveRequest
from libs.contracts.proof_pack import (
    ApprovalSection,
    ProofPack,
    ProofPackRequest,
    ProvedWork,
    RevenueImpact,
    WaitingApproval,
    WorkSection,
)
from libs.contracts.work_units import MOST_TARGETS, WorkUnitsReply, WorkUnitsRequest
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.domain import provenance, untrusted
from services.decision.executive.reading import Approvals
from services.decision.forecasting.domain.predicting import chances
from services.decision.forecasting.predictive import PredictiveDesk, months_missing
from services.decision.forecasting.reading import read
from services.decision.forecasting.rules import rules as forecast_rules
from services.decision.proving.domain.impact import of_company, of_deal
from services.decision.proving.domain.onward import Standing, path, recommend
from services.decision.proving.rules import rules

T = TypeVar("T")
BY = "proof_pack"
OPEN_TASK = "open"


@dataclass
class _Read:
    """What could be read. `unread` names the rest in both languages."""

    unread: list[Text] = field(default_factory=list)

    async def maybe(self, what: Text, asked: Awaitable[T]) -> T | None:
        """The answer, or None with the part named where nobody answers: each part fails alone."""
        try:
            return await asked
        except DealixError:
            self.unread.append(what)
            return None


@dataclass(frozen=True)
class _Deal:
    """A deal with what its work is found by: `targets` of the ledger, `actions` about it."""

    record: Record
    targets: tuple[str, ...]
    actions: frozenset[UUID]
    overdue: tuple[str, datetime] | None


class Proving:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bus = runtime.bus
        self._predictive = PredictiveDesk(runtime)
        self._approvals = Approvals(runtime)

    async def pack(self, request: ProofPackRequest) -> ProofPack:
        """About a deal, or about the whole company. Raises NotFound for a deal that is not there, and what trust answers to the question for
        work: without the ledger there is nothing to prove."""
        who, now, found = request.principal, self._runtime.now(), _Read()
        deal = None if request.deal_id is None else await self._deal(who, request.deal_id, now, found)
        days = rules().work_days if deal is None else rules().deal_days
        asked = WorkUnitsRequest(
            principal=who, since=now - timedelta(days=days), until=now + timedelta(seconds=1), targets=deal.targets if deal else None,
            page=Page(limit=200),
        )  # fmt: skip
        work, waiting, contradiction, impact, counts = await asyncio.gather(
            self._bus.call(subjects.WORK_UNITS, asked),
            found.maybe(Text(en="Approvals that wait", ar="الموافقات المعلّقة"), self._waiting(who, deal)),
            found.maybe(Text(en="Open contradictions", ar="التناقضات المفتوحة"), self._contradiction(who, deal)),
            self._impact(who, deal, now, found),
            found.maybe(Text(en="Work of the whole company", ar="عمل المنشأة كلها"), self._counts(who, now)),
        )
        waits, more = waiting or ((), False)
        standing = Standing(waiting=waits, contradiction=contradiction or None, worked=bool(work.items))
        if deal is not None:
            standing = _standing(standing, deal, now)
        named = deal.record if deal else None
        return ProofPack(
            scope="deal" if named else "company", deal_id=named.id if named else None,
            deal_title=(untrusted.label(named.values.get("title")).text or "") if named else "",
            account_name=(untrusted.company_name(named.names.get("account_id", "")).text or "") if named else "",
            stage=_stage(named) if named else None, since=work.since, until=work.until,
            created=_section(work, "created"), protected=_section(work, "protected"),
            needs_approval=ApprovalSection(title=rules().sections["needs_approval"], items=waits[: rules().approvals], more=more or len(waits) > rules().approvals),
            revenue_impact=impact, next_action=recommend(standing, rules()), upgrade_path=path(counts or {}, rules()),
            weighted=work.weighted, weights_note=rules().weights_note, unread=tuple(found.unread),
            provenance=self._origin(now, work, impact, named),
        )  # fmt: skip

    async def _deal(self, who: Principal, id: UUID, now: datetime, found: _Read) -> _Deal:
        record = await self._bus.call(subjects.RECORD, GetRecord(principal=who, kind=RecordKind.DEAL, id=id))
        nodes = [LineageNode(kind="deal", id=str(id))]
        for kind in ("lead", "contact"):
            if named := record.values.get(f"{kind}_id"):
                nodes.append(LineageNode(kind=kind, id=str(named)))
        asked = LineageRequest(principal=who, nodes=tuple(nodes), way=LineageWay.CAUSED)
        caused = await found.maybe(
            Text(en="Actions about the deal", ar="الإجراءات المتعلقة بالصفقة"),
            self._bus.call(subjects.LINEAGE[Plane.EXECUTION], asked),
        )
        actions = [edge.effect.id for edge in caused.edges if edge.effect.kind == "action"] if caused else []
        tasks = await found.maybe(
            Text(en="Tasks of the deal", ar="مهام الصفقة"),
            self._bus.call(
                subjects.RECORDS,
                ListRecords(principal=who, kind=RecordKind.TASK, where={"deal_id": str(id)}, page=Page(limit=200)),
            ),
        )
        those = tasks.items if tasks else ()
        about = [f"{node.kind}:{node.id}" for node in nodes]
        about += [f"account:{record.values['account_id']}"] if record.values.get("account_id") else []
        about += [f"task:{one.id}" for one in those] + [f"action:{one}" for one in actions]
        return _Deal(
            record=record, targets=tuple(dict.fromkeys(about))[:MOST_TARGETS], actions=frozenset(map(UUID, actions)), overdue=_overdue(those, now)
        )  # fmt: skip

    async def _waiting(self, who: Principal, deal: _Deal | None) -> tuple[tuple[WaitingApproval, ...], bool]:
        """What waits for a decision, the first due first; and whether there may be more than was looked through."""
        found, more = await self._approvals.pending(who)
        return tuple(
            WaitingApproval(
                approval_id=one.approval_id, action_id=one.action_id, title=effect_title(one.action_type), role=one.role, risk=one.risk,
                due_at=one.due_at,
            )
            for one in found
            if deal is None or one.action_id in deal.actions
        ), more  # fmt: skip

    async def _contradiction(self, who: Principal, deal: _Deal | None) -> str:
        """The id of one that is open, or nothing."""
        for subject in (
            [None] if deal is None else [one for one in deal.targets if one.startswith(("deal:", "account:"))]
        ):
            asked = ContradictionsRequest(
                principal=who, state=ContradictionState.OPEN, subject=subject, page=Page(limit=1)
            )
            reply = await self._bus.call(subjects.CONTRADICTIONS, asked)
            if reply.items:
                return str(reply.items[0].contradiction_id)
        return ""

    async def _impact(self, who: Principal, deal: _Deal | None, now: datetime, found: _Read) -> RevenueImpact:
        what = Text(en="The history of deals", ar="سجل الصفقات")
        if deal is None:
            return of_company(await found.maybe(what, self._predictive.show(PredictiveRequest(principal=who))), rules())
        values = deal.record.values
        amount = Decimal(str(values["amount"])) if values.get("amount") is not None else None
        held, missing = None, tuple[Missing, ...]()
        if amount is not None and not records().stages[Stage(values["stage"])].closed:
            material = await found.maybe(what, read(self._runtime, who, Track.REVENUE, now))
            if material is not None:
                held = await asyncio.to_thread(chances, material.history(), forecast_rules())
                missing = months_missing(held)
        return of_deal(amount, values.get("currency") or "SAR", values["stage"], held, missing, rules())

    async def _counts(self, who: Principal, now: datetime) -> dict[str, int]:
        """Units of the whole company, over the time that the path of services looks back."""
        asked = WorkUnitsRequest(
            principal=who, since=now - timedelta(days=rules().path_days), until=now + timedelta(seconds=1), page=Page(limit=1)
        )  # fmt: skip
        reply = await self._bus.call(subjects.WORK_UNITS, asked)
        return {one.unit: one.count for one in reply.totals}

    def _origin(self, now: datetime, work: WorkUnitsReply, impact: RevenueImpact, deal: Record | None) -> Provenance:
        """As sure as the estimate was met by the past; without an estimate only what is on record is said."""
        basis = impact.basis
        sure = 1.0
        if basis is not None:
            sure = 1 - abs(basis.probability - basis.actual) if basis.actual is not None else 0.0
        seen = [one.at for one in work.items[:1]] + ([deal.updated_at] if deal else [])
        return provenance.local(
            now=now, by=BY, engine="rules", version=f"{rules().version}/{work.version}", confidence=sure,
            freshness=provenance.freshness_hours(now, seen or [now]),
            sources=("ledger", *((f"deal:{deal.id}",) if deal else ()), *(("metric:revenue_actual",) if impact.kind == "estimate" else ())),
            trace_id=telemetry.trace_id(),
        )  # fmt: skip


def _standing(standing: Standing, deal: _Deal, now: datetime) -> Standing:
    values = deal.record.values
    return replace(
        standing, overdue=deal.overdue, stage=values["stage"], deal_id=str(deal.record.id), has_amount=values.get("amount") is not None,
        idle_days=max(0, (now - deal.record.updated_at).days), idle_from=cards().watch.deal_idle_days, worked=True,
    )  # fmt: skip


def _overdue(tasks: tuple[Record, ...], now: datetime) -> tuple[str, datetime] | None:
    """The open task that was due first, and when."""
    late = [
        (due, str(one.id))
        for one in tasks
        if one.values.get("status") == OPEN_TASK
        and one.values.get("due_at")
        and (due := datetime.fromisoformat(str(one.values["due_at"]))) < now
    ]
    if not late:
        return None
    due, id = min(late)
    return id, due


def _section(work: WorkUnitsReply, section: str) -> WorkSection:
    """Work of one section: kinds that have any, each with the newest entries that prove it."""
    those = [one for one in work.totals if one.section == section]
    items = tuple(
        ProvedWork(
            unit=one.unit, title=one.title, count=one.count, entries=one.entries, weighted=one.weighted,
            proofs=tuple(unit for unit in work.items if unit.unit == one.unit)[: rules().proofs],
        )
        for one in those if one.count
    )  # fmt: skip
    return WorkSection(
        title=rules().sections[section], count=sum(one.count for one in items),
        weighted=sum((one.weighted for one in items), Decimal(0)), items=items,
    )  # fmt: skip


def _stage(deal: Record) -> Text:
    named = records().stages[Stage(deal.values["stage"])]
    return Text(en=named.en, ar=named.ar)


def serve_proving(runtime: Runtime) -> None:
    runtime.bus.serve(subjects.PROOF_PACK, Proving(runtime).pack)
