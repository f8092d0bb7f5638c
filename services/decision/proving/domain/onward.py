"""What comes next: the first recommendation whose case holds, and how far along the path of services the proof reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.work_units import work_units
from libs.contracts.message import Text
from libs.contracts.proof_pack import NextAction, UpgradeNeed, UpgradePath, UpgradeStep, WaitingApproval
from services.decision.proving.rules import Case, PathRule, ProofRules


@dataclass(frozen=True)
class Standing:
    """What is known when a recommendation is made. `stage` is a deal's, empty for a company; `overdue` is a task: id, and when it was due."""

    waiting: tuple[WaitingApproval, ...] = ()
    contradiction: str | None = None
    overdue: tuple[str, datetime] | None = None
    stage: str = ""
    deal_id: str = ""
    has_amount: bool = True
    idle_days: int = 0
    idle_from: int = 7
    worked: bool = True


def recommend(standing: Standing, rules: ProofRules) -> NextAction:
    """The first rule whose case holds, filled in."""
    cases = _cases(standing)
    for rule in rules.next:
        if rule.case in cases:
            kind, id, blanks = cases[rule.case]
            return NextAction(
                code=rule.case, text=Text(en=rule.en.format(**blanks), ar=rule.ar.format(**blanks)),
                because=Text(en=rule.why_en.format(**blanks), ar=rule.why_ar.format(**blanks)), kind=kind, id=id,
            )  # fmt: skip
    raise AssertionError("the last rule holds always")


def _cases(standing: Standing) -> dict[Case, tuple[str, str, dict[str, object]]]:
    """The cases that hold, each with the record where it is settled and what its sentence is filled with."""
    found: dict[Case, tuple[str, str, dict[str, object]]] = {"always": ("", "", {})}
    if standing.waiting:
        first = min(standing.waiting, key=lambda one: (one.due_at, one.approval_id))
        found["approvals"] = (
            "approval",
            str(first.approval_id),
            {"count": len(standing.waiting), "day": _day(first.due_at)},
        )
    if standing.contradiction is not None:
        found["contradictions"] = ("contradiction", standing.contradiction, {})
    if standing.overdue is not None:
        id, due = standing.overdue
        found["overdue"] = ("task", id, {"day": _day(due)})
    if not standing.worked:
        found["no_work"] = ("", "", {})
    if standing.stage:
        deal = ("deal", standing.deal_id)
        by_stage: dict[str, Case] = {
            "new": "new",
            "open": "open",
            "negotiating": "negotiating",
            "won": "won",
            "lost": "lost",
        }
        found[by_stage[standing.stage]] = (*deal, {})
        if standing.stage not in ("won", "lost"):
            if standing.idle_days >= standing.idle_from:
                found["idle"] = (*deal, {"days": standing.idle_days})
            if not standing.has_amount:
                found["no_amount"] = (*deal, {})
    return found


def path(counts: Mapping[str, int], rules: ProofRules) -> UpgradePath:
    """The services in order, each with what of its proof there is. `counts` are units of the period that the rules name."""
    steps = tuple(_step(rule, counts) for rule in rules.path)
    earned = [one.service for one in steps if one.earned]
    return UpgradePath(
        title=rules.sections["upgrade_path"], steps=steps, offer=earned[-1] if earned else None,
        next=next((one.service for one in steps if not one.earned), None),
    )  # fmt: skip


def _step(rule: PathRule, counts: Mapping[str, int]) -> UpgradeStep:
    units = work_units().units
    needs = tuple(
        UpgradeNeed(unit=unit, title=Text(en=units[unit].en, ar=units[unit].ar), have=counts.get(unit, 0), need=need)
        for unit, need in rule.needs.items()
    )
    return UpgradeStep(
        service=rule.service, title=Text(en=rule.en, ar=rule.ar), proof_metric=Text(en=rule.metric_en, ar=rule.metric_ar),
        price_from=rule.price_from, price_to=rule.price_to, needs=needs, earned=all(one.have >= one.need for one in needs),
    )  # fmt: skip


def _day(at: datetime) -> str:
    return f"{at.astimezone(RIYADH):%Y-%m-%d}"
