"""Messages of the proof pack: what was done about a deal or for a whole company, and what it may bring, with its basis."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from libs.contracts.forecasts import Missing
from libs.contracts.message import Message, Principal, Provenance, Text
from libs.contracts.work_units import WorkUnit


class ProofPackRequest(Message):
    """About one deal, or about the whole company where none is named."""

    principal: Principal
    deal_id: UUID | None = None


class ProvedWork(Message):
    """Work of one kind: how many, what it weighs as work, and the newest entries that prove it (`entries` there are in all)."""

    unit: str
    title: Text
    count: int
    entries: int
    weighted: Decimal
    proofs: tuple[WorkUnit, ...]


class WorkSection(Message):
    """One section of work; kinds with nothing are left out."""

    title: Text
    count: int
    weighted: Decimal
    items: tuple[ProvedWork, ...]


class WaitingApproval(Message):
    """A decision that a person still has to take."""

    approval_id: UUID
    action_id: UUID
    title: Text
    role: str
    risk: str
    due_at: datetime


class ApprovalSection(Message):
    title: Text
    items: tuple[WaitingApproval, ...]
    more: bool = False


class ImpactBasis(Message):
    """What an estimate rests on: the deal's value and the share of the company's own deals at that stage that were won within
    `horizon_days`. `tested` deals were held to it, of which `actual` were won (80% interval `low` to `high`); `months` were read."""

    deal_value: Decimal
    stage: str
    stage_name: Text
    probability: float
    horizon_days: int
    tested: int
    actual: float | None
    low: float | None
    high: float | None
    months: int


class RevenueImpact(Message):
    """`kind` says what `value` is: an `estimate` (always labelled one), the `actual` value of a deal that was won, or `none`.

    `low` and `high` are the value at the ends of the basis's interval. `missing` says what an estimate lacks. Never the weight of work.
    """

    title: Text
    kind: Literal["estimate", "actual", "none"]
    label: Text
    value: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    currency: str = "SAR"
    basis: ImpactBasis | None = None
    because: Text
    missing: tuple[Missing, ...] = ()


class NextAction(Message):
    """What to do next, why, and the record or approval where it is done."""

    code: str
    text: Text
    because: Text
    kind: str = ""
    id: str = ""


class UpgradeNeed(Message):
    """Work that a step of the path asks to be proved first."""

    unit: str
    title: Text
    have: int
    need: int


class UpgradeStep(Message):
    """A service that becomes worthwhile once its `needs` are proved. Prices are SAR."""

    service: str
    title: Text
    proof_metric: Text
    price_from: Decimal
    price_to: Decimal
    needs: tuple[UpgradeNeed, ...]
    earned: bool


class UpgradePath(Message):
    """Steps in order; `offer` is the furthest that is earned, `next` the first that is not."""

    title: Text
    steps: tuple[UpgradeStep, ...]
    offer: str | None
    next: str | None


class ProofPack(Message):
    """Six sections. `unread` names parts that could not be read and are therefore not shown, so that nothing is missing silently."""

    scope: Literal["deal", "company"]
    deal_id: UUID | None = None
    deal_title: str = ""
    account_name: str = ""
    stage: Text | None = None
    since: datetime
    until: datetime
    created: WorkSection
    protected: WorkSection
    needs_approval: ApprovalSection
    revenue_impact: RevenueImpact
    next_action: NextAction
    upgrade_path: UpgradePath
    weighted: Decimal
    weights_note: Text
    unread: tuple[Text, ...] = ()
    provenance: Provenance
