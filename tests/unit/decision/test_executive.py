"""The executive room's rules: where a risk stands, what comes first, and that a disputed figure says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast
from uuid import UUID

import pytest

from libs.contracts.catalogue.claims import ContradictionKind
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.claims import Contradiction, ContradictionState
from libs.contracts.compliance import ControlResult, ControlStanding
from libs.contracts.deal_history import PastDeal
from libs.contracts.errors import CallTimeout
from libs.contracts.executive import Source
from libs.contracts.message import Principal, PrincipalKind, new_id
from libs.contracts.metrics import MetricValue
from libs.contracts.paging import page_of
from libs.contracts.predictive import Customer
from libs.contracts.trust import Approval, ApprovalsReply, ApprovalsRequest
from libs.runtime.plane import Runtime
from services.decision.executive.board import required
from services.decision.executive.domain import risks
from services.decision.executive.domain.figures import dispute, figure, open_ones, unread
from services.decision.executive.reading import Approvals, decisions
from services.decision.executive.rules import rules
from services.decision.forecasting.domain.knowing import OPEN_STAGES, OpenDeal
from services.decision.forecasting.domain.predicting import Chances
from tests.contracts.examples import example

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def contradiction(subject: str, **changes: object) -> Contradiction:
    base = example(Contradiction)
    assert isinstance(base, Contradiction)
    given = {"subject": subject, "state": ContradictionState.OPEN, "action_id": None, "kind": ContradictionKind.METRIC}
    made: Contradiction = base.evolve(contradiction_id=new_id(), severity="high", opened_at=NOW, **{**given, **changes})
    return made


def value(number: str | None = "10") -> MetricValue:
    rule = metrics()["revenue_actual"]
    said = rule.model_dump(include={"name", "unit", "en", "ar", "definition_en", "definition_ar", "freshness_hours"})
    given = None if number is None else Decimal(number)
    return MetricValue(
        **said,
        value=given,
        no_data=given is None,
        since=NOW - timedelta(days=30),
        until=NOW,
        as_of=NOW,
        rows=4,
        counted=3,
    )


def approval(**changes: object) -> Approval:
    base = example(Approval)
    assert isinstance(base, Approval)
    made: Approval = base.evolve(view={"title_ar": "عرض سعر"}, value_sar=None, risk="medium", **changes)
    return made


@pytest.mark.parametrize(("share", "level"), [(0.0, 1), (0.0999, 1), (0.1, 2), (0.3, 3), (0.6, 4), (0.85, 5), (1.0, 5)])
def test_a_likelihood_is_of_the_level_whose_bound_it_reaches(share: float, level: int) -> None:
    assert risks.placed(rules(), likelihood=share, severity="low")["likelihood_level"] == level


def test_impact_is_the_greater_of_money_and_severity_and_an_unknown_severity_is_high() -> None:
    small = risks.placed(rules(), likelihood=0.5, amount=Decimal(9_999), severity="medium")
    large = risks.placed(rules(), likelihood=0.5, amount=Decimal(1_000_000), severity="low")
    strange = risks.placed(rules(), likelihood=0.5, severity="purple")
    assert (small["impact_level"], large["impact_level"], strange["impact_level"]) == (3, 5, 4)
    assert risks.placed(rules(), likelihood=0.5, amount=Decimal(9_999))["impact_level"] == 1, (
        "money alone decides where nothing else is known"
    )


def test_a_failing_control_is_as_likely_as_the_records_that_fail_it_and_one_that_is_unknown_is_no_risk() -> None:
    base = example(ControlStanding)
    assert isinstance(base, ControlStanding) and base.reading is not None
    failing = base.evolve(result=ControlResult.FAIL, reading=base.reading.evolve(rows=40, failing=10))
    silent = base.evolve(result=ControlResult.FAIL, reading=None)
    found = risks.of_controls([failing, silent, base.evolve(result=ControlResult.UNKNOWN)], NOW, rules())
    assert [one.likelihood for one in found] == [0.25, 1.0]
    assert found[0].basis.en == "10 of 40 records fail." and found[0].basis.ar


def test_an_approval_is_as_likely_to_be_late_as_the_share_of_its_time_that_is_gone() -> None:
    begun, over = NOW - timedelta(hours=3), NOW - timedelta(minutes=1)
    waits = approval(requested_at=begun, due_at=NOW + timedelta(hours=1))
    late = approval(requested_at=begun, due_at=over, approval_id=new_id())
    found = risks.of_approvals([waits, late], NOW, rules())
    assert [one.likelihood for one in found] == [0.75, 1.0] and found[0].title.ar == "بانتظار قرار: عرض سعر"
    assert found[0].impact_level == 3


def test_only_deals_that_matter_by_themselves_are_risks_at_the_chance_of_their_stage() -> None:
    was = example(PastDeal)
    assert isinstance(was, PastDeal)
    stage = OPEN_STAGES[-1]
    chance = Chances(dict.fromkeys(OPEN_STAGES, 0.3), (), None, 20)
    small, large = (OpenDeal(new_id(), stage, Decimal(amount), "-", was) for amount in (20_000, 300_000))
    (found,) = risks.of_deals([small, large], chance, NOW, rules())
    assert (found.id, found.likelihood, found.impact_level) == (str(large.deal_id), 0.7, 4)
    assert "30%" in found.basis.en and "30%" in found.basis.ar


def test_the_worst_comes_first_and_money_decides_between_equals() -> None:
    def customer(risk: float, yearly: int) -> Customer:
        return Customer(
            account_id=new_id(),
            account_name="R",
            won=2,
            silent_days=90,
            risk=risk,
            yearly=Decimal(yearly),
            at_risk=Decimal(1),
        )

    found = risks.of_customers([customer(0.2, 60_000), customer(0.9, 60_000), customer(0.9, 70_000)], NOW, rules())
    ordered = risks.worst_first([*found, *risks.of_contradictions([contradiction("metric:win_rate")], rules())])
    assert [(one.source, one.amount) for one in ordered] == [
        (Source.CONTRADICTION, None), (Source.CUSTOMER, 70_000), (Source.CUSTOMER, 60_000), (Source.CUSTOMER, 60_000),
    ]  # fmt: skip
    assert ordered[0].product == 20 and ordered[-1].likelihood == 0.2


def test_a_figure_with_an_open_contradiction_says_so_and_one_that_could_not_be_checked_says_that() -> None:
    rule = metrics()["revenue_actual"]
    about, record = contradiction("metric:revenue_actual"), contradiction(f"deal:{new_id()}")
    clean = figure(rule, value(), ())
    said = figure(rule, value(), (dispute(about, claims=True), dispute(record, claims=False)))
    partly = figure(rule, value(), (dispute(record, claims=False),))
    assert clean.caution is None and not clean.disputed
    assert said.caution and "disagree about this figure" in said.caution.en and len(said.disputed[0].claims) == 2
    assert said.disputed[1].claims == (), "what was claimed is evidence, that there is a dispute is not"
    assert partly.caution and "Records in it" in partly.caution.en and "تناقض" in partly.caution.ar
    unchecked = figure(rule, value(), None)
    assert unchecked.unchecked and unchecked.caution and "could not be read" in unchecked.caution.en
    silent = unread(rule, NOW, NOW, NOW)
    assert silent.unread and silent.value is None and silent.why_ar


def test_what_is_decided_or_concerns_one_action_alone_disputes_no_figure() -> None:
    found = [
        contradiction("metric:win_rate"), contradiction("metric:win_rate", state=ContradictionState.ACKNOWLEDGED),
        contradiction("metric:win_rate", state=ContradictionState.RESOLVED), contradiction("metric:win_rate", action_id=new_id()),
    ]  # fmt: skip
    assert open_ones(found) == tuple(found[:2])


class Trust:
    """As much of a running plane as approvals are read through: trust's pages, the newest first; silent without any."""

    def __init__(self, kept: list[Approval] | None) -> None:
        self.bus, self._kept = self, kept

    async def call(self, _: object, asked: ApprovalsRequest) -> ApprovalsReply:
        if self._kept is None:
            raise CallTimeout("trust.approvals.v1")
        newest = sorted(self._kept, key=lambda one: one.approval_id, reverse=True)
        items, cursor = page_of(
            [one for one in newest if not asked.page.cursor or str(one.approval_id) < asked.page.cursor], asked.page.limit,
            lambda one: one.approval_id,
        )  # fmt: skip
        return ApprovalsReply(items=items, next_cursor=cursor)


async def test_what_is_due_first_leads_however_much_was_asked_for_since() -> None:
    oldest = approval(approval_id=UUID(int=1), requested_at=NOW, due_at=NOW + timedelta(hours=1))
    later = [approval(approval_id=UUID(int=n), requested_at=NOW, due_at=NOW + timedelta(days=3)) for n in range(2, 252)]
    principal = Principal(id="user:1", kind=PrincipalKind.USER, tenant_id=new_id(), roles=("owner",))
    found, more = await Approvals(cast(Runtime, Trust([oldest, *later]))).pending(principal)
    assert (len(found), found[0], more) == (251, oldest, False)
    assert decisions(found, NOW)[0].approval_id == oldest.approval_id
    assert await Approvals(cast(Runtime, Trust(None))).waiting(principal) is None


def test_a_board_reads_that_decisions_could_not_be_read_and_not_that_none_waits() -> None:
    (unread,) = required(None, NOW)
    assert "could not be read" in unread.en and unread.ar
    assert required((), NOW) == []
    (late,) = required((approval(requested_at=NOW, due_at=NOW - timedelta(hours=1)),), NOW)
    assert "was due 2026-11-21 11:00" in late.en, "by the clock of Riyadh"
