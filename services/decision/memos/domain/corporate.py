"""Memos of partners, acquisitions and markets: what people state is checked, what follows from it is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from libs.contracts.memos import PMIPhase, Scenario, StopLossRule, Workstream
from services.decision.memos.domain.finance import internal_rate, longest_path, net_present_value, payback_months
from services.decision.memos.domain.made import BadInputs, Facts, rules


def _money(value: float | Decimal) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def _varied(inputs: dict[str, float], result: Callable[[dict[str, float]], float]) -> tuple[Scenario, ...]:
    """Each input alone, changed by each of the rules' shares."""
    return tuple(
        Scenario(input=name, change=change, result=_money(result({**inputs, name: value * (1 + change)})))
        for name, value in inputs.items()
        for change in rules()["changes"]
    )


def partner_dossier(facts: Facts) -> dict[str, Any]:
    """The catalogue's fit: the type's points and those of each flag that holds."""
    given, fit = dict(facts.inputs), rules()["fit"]
    if given["partner_type"] not in fit["types"]:
        raise BadInputs({"partner_type": "one of " + ", ".join(fit["types"])})
    flags = {name: bool(given.pop(name, False)) for name in fit["flags"]}
    score = min(
        100, fit["types"][given["partner_type"]] + sum(fit["flags"][name] for name, holds in flags.items() if holds)
    )
    says = next(band["says"] for band in fit["bands"] if score < band["below"])
    return {"partner_name_ar": "", "saudization_status": "", "cr_verified": False, **given, "strategic_fit_score": score, "recommendation": says}  # fmt: skip


def economics_model(facts: Facts) -> dict[str, Any]:
    """Yearly upside and running cost after one investment now, discounted at the stated rate."""
    given = facts.inputs
    years, numbers = (
        int(given["years"]),
        {name: float(given[name]) for name in ("investment", "yearly_upside", "yearly_cost", "rate")},
    )
    if not 1 <= years <= 30 or numbers["rate"] <= -1:
        raise BadInputs({"years": "from 1 to 30", "rate": "above -1"})

    def flows(n: dict[str, float]) -> list[float]:
        return [-n["investment"], *[n["yearly_upside"] - n["yearly_cost"]] * years]

    now = flows(numbers)
    rate = internal_rate(now)
    return {
        "entity": given["entity"], "revenue_upside": _money(numbers["yearly_upside"] * years),
        "cost": _money(numbers["investment"] + numbers["yearly_cost"] * years),
        "net_value": _money(net_present_value(numbers["rate"], now)), "payback_months": payback_months(now),
        "irr_percent": None if rate is None else round(rate * 100, 2), "assumptions": tuple(given.get("assumptions", ())),
        "sensitivity_scenarios": _varied(numbers, lambda n: net_present_value(n["rate"], flows(n))),
    }  # fmt: skip


def target_profile(facts: Facts) -> dict[str, Any]:
    """The fit is the mean of the stated fits of sector, size and place."""
    given = dict(facts.inputs)
    fits = [float(given.pop("sector_fit")), float(given.pop("size_fit")), float(given["geographic_fit"])]
    score = round(sum(fits) / len(fits), 1)
    says = "pursue" if score >= 70 else "watch" if score >= 50 else "pass"
    return {"company_name_ar": "", "cr_number": "", **given, "strategic_fit_score": score, "recommendation": says}


def dd_plan(facts: Facts) -> dict[str, Any]:
    streams = tuple(Workstream.model_validate(one) for one in facts.inputs["workstreams"])
    critical = tuple(found for one in streams if one.critical for found in one.findings)
    return {
        "target_id": facts.inputs["target_id"], "workstreams": streams, "total": len(streams), "completed": sum(one.done for one in streams),
        "critical_findings": critical,
    }  # fmt: skip


def valuation_memo(facts: Facts) -> dict[str, Any]:
    """Earnings by the lowest, middle and highest of the stated multiples, less net debt."""
    given = facts.inputs
    multiples = sorted(float(one) for one in given["multiples"])
    if len(multiples) < 3:
        raise BadInputs({"multiples": "at least three comparable multiples"})
    earnings, debt = float(given["earnings"]), float(given.get("net_debt", 0))
    middle = multiples[len(multiples) // 2]
    return {
        "target_id": given["target_id"], "methodology": f"{len(multiples)} comparable multiples of earnings, less net debt",
        "low": _money(earnings * multiples[0] - debt), "mid": _money(earnings * middle - debt), "high": _money(earnings * multiples[-1] - debt),
        "key_assumptions": tuple(given.get("key_assumptions", ())),
        "sensitivity": _varied({"earnings": earnings, "multiple": middle}, lambda n: n["earnings"] * n["multiple"] - debt),
    }  # fmt: skip


def synergy_model(facts: Facts) -> dict[str, Any]:
    given = facts.inputs
    names = ("revenue_synergies", "cost_synergies", "integration_costs")
    amounts = {name: Decimal(str(given[name])) for name in names}
    net = amounts["revenue_synergies"] + amounts["cost_synergies"] - amounts["integration_costs"]
    months, risks = given["realization_months"], tuple(given.get("risk_factors", ()))
    return {"target_id": given["target_id"], **amounts, "net": net, "realization_months": months, "risk_factors": risks}


def ic_memo(facts: Facts) -> dict[str, Any]:
    """A vote is needed above the rules' amount, and wherever risks outnumber what mitigates them."""
    given = facts.inputs
    risks, mitigants = tuple(given.get("key_risks", ())), tuple(given.get("key_mitigants", ()))
    conditions = tuple(given.get("conditions", ()))
    worth = Decimal(str(given["valuation"])) <= Decimal(str(given["synergies"])) + Decimal(
        str(given["standalone_value"])
    )
    says = (
        "reject" if not worth else "approve_with_conditions" if conditions or len(risks) > len(mitigants) else "approve"
    )
    return {
        "target_id": given["target_id"], "recommendation": says, "valuation": given["valuation"], "synergies": given["synergies"],
        "key_risks": risks, "key_mitigants": mitigants, "conditions": conditions,
        "vote_required": Decimal(str(given["valuation"])) > rules()["vote_above"] or len(risks) > len(mitigants),
    }  # fmt: skip


def expansion_plan(facts: Facts) -> dict[str, Any]:
    return {"market_ar": "", "dialect_support": (), "canary_criteria": (), "stop_loss_triggers": (), **facts.inputs}


def stop_loss_policy(facts: Facts) -> dict[str, Any]:
    """A rule without an actual value is neither tripped nor safe."""
    stated = tuple(StopLossRule.model_validate(one) for one in facts.inputs["metrics"])
    judged = tuple(one.evolve(tripped=_tripped(one)) for one in stated)
    return {"market": facts.inputs["market"], "metrics": judged, "active": bool(facts.inputs.get("active", True)), "tripped": any(one.tripped for one in judged)}  # fmt: skip


def _tripped(rule: StopLossRule) -> bool | None:
    if rule.actual is None:
        return None
    return rule.actual < rule.threshold if rule.when == "below" else rule.actual > rule.threshold


def pmi_program_plan(facts: Facts) -> dict[str, Any]:
    """The critical path is the longest chain of phases that wait for each other."""
    phases: Sequence[PMIPhase] = tuple(PMIPhase.model_validate(one) for one in facts.inputs["phases"])
    try:
        path, days = longest_path({one.key: one.days for one in phases}, {one.key: tuple(one.after) for one in phases})
    except ValueError as error:
        raise BadInputs({"phases": f"{error} is unknown or waits for itself"}) from error
    return {
        "acquisition_id": facts.inputs["acquisition_id"], "phases": phases, "critical_path": path, "critical_days": days,
        "risk_register": tuple(facts.inputs.get("risk_register", ())), "synergy_targets": tuple(facts.inputs.get("synergy_targets", ())),
    }  # fmt: skip
