"""Makes memos: reads what they need, lets people state the rest, and fills in where it all came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import DecimalException
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from libs.contracts import crm, subjects
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.forecasts import VarianceRequest
from libs.contracts.memos import MEMOS, MemoName, MemoReply, MemoRequest
from libs.contracts.message import Page, Principal
from libs.contracts.metrics import MetricValue
from libs.contracts.trust import ApprovalRequest, ApprovalsRequest, ApprovalState, EvidenceGet
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.executive.figures import Figures
from services.decision.forecasting.desk import ForecastDesk
from services.decision.forecasting.making import Making
from services.decision.forecasting.rules import rules as tracks
from services.decision.memos.domain import corporate, executive, sales
from services.decision.memos.domain.made import BadInputs, Facts, provenance, rules
from services.decision.store import Recommendations

M = MemoName


@dataclass(frozen=True)
class Recipe:
    """How a memo is made: what is read first (`needs`), and what people state."""

    make: Callable[[Facts], dict[str, Any]]
    needs: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


RECIPES: Mapping[MemoName, Recipe] = {
    M.LEAD_SCORE_CARD: Recipe(sales.lead_score_card, ("lead",), ("lead_id",)),
    M.QUALIFICATION_MEMO: Recipe(sales.qualification_memo, ("deal",), ("deal_id",)),
    M.PROPOSAL_PACK: Recipe(
        sales.proposal_pack, ("deal",), ("deal_id", "title", "value_proposition", "line_items", "payment_terms"),
        ("title_ar", "value_proposition_ar", "discount_percent", "validity_days", "version"),
    ),
    M.PRICING_DECISION_RECORD: Recipe(
        sales.pricing_decision_record, ("deal",), ("deal_id", "base_price", "discount_percent", "discount_reason")
    ),
    M.HANDOFF_CHECKLIST: Recipe(sales.handoff_checklist, ("deal",), ("deal_id",)),
    M.PARTNER_DOSSIER: Recipe(
        corporate.partner_dossier, (), ("partner_name", "partner_type", "revenue_potential", "risk_assessment"),
        ("partner_name_ar", "saudization_status", "cr_verified", "b2b", "shares_customers", "saudi", "in_region", "bonus"),
    ),
    M.ECONOMICS_MODEL: Recipe(
        corporate.economics_model, (), ("entity", "investment", "yearly_upside", "yearly_cost", "years", "rate"), ("assumptions",)
    ),
    M.APPROVAL_PACKET: Recipe(executive.approval_packet, ("approval",), ("approval_id",)),
    M.TARGET_PROFILE: Recipe(
        corporate.target_profile, (),
        ("company_name", "sector", "revenue", "employee_count", "geographic_fit", "sector_fit", "size_fit", "saudization_ratio"),
        ("company_name_ar", "cr_number"),
    ),
    M.DD_PLAN: Recipe(corporate.dd_plan, (), ("target_id", "workstreams")),
    M.VALUATION_MEMO: Recipe(corporate.valuation_memo, (), ("target_id", "earnings", "multiples"), ("net_debt", "key_assumptions")),
    M.SYNERGY_MODEL: Recipe(
        corporate.synergy_model, (), ("target_id", "revenue_synergies", "cost_synergies", "integration_costs", "realization_months"),
        ("risk_factors",),
    ),
    M.IC_MEMO: Recipe(
        corporate.ic_memo, (), ("target_id", "valuation", "synergies", "standalone_value"), ("key_risks", "key_mitigants", "conditions")
    ),
    M.BOARD_PACK_DRAFT: Recipe(
        executive.board_pack_draft, ("metrics", "ahead"), ("period",), ("revenue_forecast", "key_risks", "decisions_required")
    ),
    M.EXPANSION_PLAN: Recipe(
        corporate.expansion_plan, (), ("market", "phase", "regulatory_complexity", "gtm_strategy"),
        ("market_ar", "dialect_support", "canary_criteria", "stop_loss_triggers"),
    ),
    M.STOP_LOSS_POLICY: Recipe(corporate.stop_loss_policy, (), ("market", "metrics"), ("active",)),
    M.PMI_PROGRAM_PLAN: Recipe(corporate.pmi_program_plan, (), ("acquisition_id", "phases"), ("risk_register", "synergy_targets")),
    M.EXEC_WEEKLY_PACK: Recipe(
        executive.exec_weekly_pack, ("metrics",), ("week_of",),
        ("completed", "planned", "blockers", "synergy_actual", "synergy_target", "people_update", "risk_summary"),
    ),
    M.EXECUTIVE_SNAPSHOT: Recipe(executive.executive_snapshot, ("metrics", "waiting")),
    M.EVIDENCE_PACK: Recipe(executive.evidence_pack, ("pack",), ("pack_id", "title", "pack_type"), ("title_ar", "statement")),
    M.FORECAST_VARIANCE: Recipe(executive.forecast_variance, ("metric", "gap"), ("metric",), ("forecast", "month")),
}  # fmt: skip


def compose(name: MemoName, facts: Facts, *, trace_id: str = "") -> dict[str, Any]:
    """The memo of what is known, as JSON values. Raises BadInputs naming the fields, NotFound when there is nothing to make it from."""
    try:
        fields = RECIPES[name].make(facts)
        origin = provenance(facts, fields, by=f"memo:{name.value}", trace_id=trace_id)
        memo = MEMOS[name].model_validate({**fields, "tenant_id": facts.tenant_id, "provenance": origin})
    except ValidationError as error:
        wrong = {".".join(str(part) for part in one["loc"]): one["msg"] for one in error.errors()}
        raise BadInputs(wrong) from error
    except (DecimalException, TypeError, ValueError) as error:
        raise BadInputs({"inputs": str(error)[:200] or type(error).__name__}) from error
    return memo.model_dump(mode="json")


def checked(name: MemoName, inputs: Mapping[str, Any]) -> None:
    """Raises BadInputs for what is missing, and for what is read or computed and so is not anybody's to state."""
    recipe = RECIPES[name]
    wrong = {field: "is missing" for field in recipe.required if inputs.get(field) in (None, "")}
    wrong |= {
        field: "is not an input of this memo" for field in inputs if field not in (*recipe.required, *recipe.optional)
    }
    if wrong:
        raise BadInputs(wrong)


class Memos:
    """Memos as people ask for them."""

    def __init__(self, runtime: Runtime) -> None:
        rules()  # a wrong file stops the start
        self._runtime = runtime
        self._forecasts = ForecastDesk(runtime, Making(runtime))
        self._figures = Figures(runtime)

    async def make(self, request: MemoRequest) -> MemoReply:
        """Raises BadInputs, NotFound."""
        who = request.principal
        checked(request.name, request.inputs)
        facts = Facts(who.tenant_id, self._runtime.now(), who.id, request.inputs)
        for need in RECIPES[request.name].needs:
            facts = replace(facts, **await getattr(self, f"_{need}")(who, request.inputs))
        return MemoReply(name=request.name, memo=compose(request.name, facts, trace_id=telemetry.trace_id()))

    async def _lead(self, who: Principal, inputs: Mapping[str, Any]) -> dict[str, Any]:
        async with self._runtime.database.batch(who.tenant_id) as work:
            found = await Recommendations(work).opportunity(who.tenant_id, _id(inputs, "lead_id"))
        # Which lead it is about is no statement about it.
        return {"opportunity": found, "inputs": {}}

    async def _deal(self, who: Principal, inputs: Mapping[str, Any]) -> dict[str, Any]:
        call, K = self._runtime.bus.call, RecordKind
        deal = await call(subjects.RECORD, crm.GetRecord(principal=who, kind=K.DEAL, id=_id(inputs, "deal_id")))
        where, page = {"deal_id": str(deal.id)}, Page(limit=20)
        acts = await call(subjects.RECORDS, crm.ListRecords(principal=who, kind=K.ACTIVITY, where=where, page=page))
        account = {"account_id": str(deal.values["account_id"])}
        people = await call(subjects.RECORDS, crm.ListRecords(principal=who, kind=K.CONTACT, where=account, page=page))
        opportunity = None
        if lead := deal.values.get("lead_id"):
            opportunity = (await self._lead(who, {"lead_id": str(lead)}))["opportunity"]
        stated = {name: value for name, value in inputs.items() if name != "deal_id"}
        return {
            "deal": deal,
            "activities": len(acts.items),
            "people": len(people.items),
            "opportunity": opportunity,
            "inputs": stated,
        }

    async def _approval(self, who: Principal, inputs: Mapping[str, Any]) -> dict[str, Any]:
        asked = ApprovalRequest(principal=who, approval_id=_id(inputs, "approval_id"))
        return {"approval": await self._runtime.bus.call(subjects.APPROVAL, asked), "inputs": {}}

    async def _pack(self, who: Principal, inputs: Mapping[str, Any]) -> dict[str, Any]:
        asked = EvidenceGet(principal=who, pack_id=_id(inputs, "pack_id"), contents=True)
        return {"pack": await self._runtime.bus.call(subjects.EVIDENCE, asked)}

    async def _waiting(self, who: Principal, _: Mapping[str, Any]) -> dict[str, Any]:
        asked = ApprovalsRequest(principal=who, state=ApprovalState.PENDING)
        return {"waiting": len((await self._runtime.bus.call(subjects.APPROVALS, asked)).items)}

    async def _metric(self, who: Principal, inputs: Mapping[str, Any]) -> dict[str, Any]:
        name = str(inputs["metric"])
        return {"metrics": await self._values(who, [name] if name in metrics() else [])}

    async def _gap(self, who: Principal, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The stored forecast's gap of the month that is named. Raises BadInputs, and what forecasts say of a month that has none."""
        month = str(inputs.get("month") or "")
        if not month:
            return {}
        track = next((one for one, rule in tracks().tracks.items() if rule.metric == inputs["metric"]), None)
        if track is None:
            raise BadInputs({"metric": "is not forecast: state the forecast instead of a month"})
        try:
            asked = VarianceRequest(principal=who, track=track, month=month)
        except ValidationError as error:
            raise BadInputs({"month": "as 2026-10"}) from error
        # Which month it is about is no statement about it.
        return {"gap": await self._forecasts.variance(asked), "inputs": {}}

    async def _ahead(self, who: Principal, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"ahead": await self._forecasts.next_month(who.tenant_id)}

    async def _metrics(self, who: Principal, _: Mapping[str, Any]) -> dict[str, Any]:
        named = dict.fromkeys((*rules()["kpis"], *(name for one in rules()["board"] for name in one["figures"])))
        return {"metrics": await self._values(who, [name for name in named if self._figures.within_reach(name)])}

    async def _values(self, who: Principal, names: list[str]) -> dict[str, MetricValue]:
        return {name: await self._figures.value(who, name) for name in names}


def _id(inputs: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(str(inputs[name]))
    except ValueError as error:
        raise BadInputs({name: "is not a UUID"}) from error
