"""Flows of weeks and months. Every step with an effect says how it is undone; what people decide against is rolled back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from libs.contracts.trust import ResourceRef
from services.execution.flows.declared.shared import (
    DECIDERS,
    OWNER,
    Facts,
    Letter,
    Line,
    Name,
    Note,
    Verdict,
    inside,
    letter,
    rejected,
    team,
)
from services.execution.flows.domain.definition import Flow, Typed
from services.execution.flows.domain.steps import (
    Deed,
    RollBack,
    act,
    ask,
    branch,
    days,
    parallel,
    roll_back,
    sleep,
    wait_for,
)

# Partner approval ----------------------------------------------------------------------------------------------------------------


class PartnerAsked(Typed):
    partner_name: Name
    contact_id: Name
    term_sheet: Letter
    retraction: Letter
    """What the partner reads if the term sheet is taken back; on record before the term sheet leaves."""


class Partner(PartnerAsked):
    evaluation: Facts = {}
    terms: Facts = {}
    legal: Facts = {}
    sent: Facts = {}
    executive: Facts = {}


class PartnerApproval(Flow[Partner], name="partner_approval", version=1):
    horizon = "long"
    input, state = PartnerAsked, Partner
    steps = (
        ask("evaluate", "affiliate_evaluator", lambda s: {"application": {"partner": s.partner_name}, "criteria": {}}, into="evaluation"),
        wait_for("terms", "terms.agreed", Note, within=days(7), into="terms", on_timeout=RollBack()),
        wait_for("legal", "legal.reviewed", Verdict, within=days(5), into="legal", roles=DECIDERS, on_timeout=RollBack()),
        branch("legal_no", (rejected("legal"), (roll_back("legal_back"),))),
        act(
            "send_terms",
            lambda s: letter("partner_offer_send", s.contact_id, s.term_sheet, "Send the term sheet"),
            lambda s: letter("partner_offer_send", s.contact_id, s.retraction, "Retract the term sheet"),
            into="sent",
        ),
        wait_for("executive", "executive.decided", Verdict, within=days(14), into="executive", roles=OWNER, on_timeout=RollBack()),
        branch("executive_no", (rejected("executive"), (roll_back("executive_back"),))),
        act(
            "register",
            lambda s: inside("internal_status_update", "partner", s.contact_id, {"status": "active"}, "Register the partner"),
            lambda s: inside("internal_status_update", "partner", s.contact_id, {"status": "withdrawn"}, "Withdraw the partner"),
        ),
        act(
            "tell",
            lambda s: team(f"اعتُمد الشريك: {s.partner_name}", s.contact_id, "Tell the team"),
            lambda s: team(f"سُحب اعتماد الشريك: {s.partner_name}", s.contact_id, "Tell the team that it was taken back"),
        ),
    )  # fmt: skip


# Due diligence -------------------------------------------------------------------------------------------------------------------


class TargetAsked(Typed):
    target_name: Name
    target_id: Name
    contact_id: Name
    invitation: Letter
    termination: Letter


class Findings(Typed):
    findings: Annotated[list[Line], Field(max_length=200)] = []
    critical: bool = False


class Room(TargetAsked):
    plan: Facts = {}
    financial: Facts = {}
    legal: Facts = {}
    commercial: Facts = {}
    technical: Facts = {}
    risks: Facts = {}
    committee: Facts = {}


class DueDiligence(Flow[Room], name="dd_room", version=1):
    horizon = "long"
    input, state = TargetAsked, Room
    steps = (
        act(
            "open",
            lambda s: inside("plan", "target", s.target_id, {"room": "open", "target": s.target_name}, "Open the data room"),
            lambda s: inside("internal_status_update", "target", s.target_id, {"room": "archived"}, "Archive the data room"),
            into="plan",
        ),
        act(
            "invite",
            lambda s: letter("partner_offer_send", s.contact_id, s.invitation, "Invite the target to the data room"),
            lambda s: letter("partner_offer_send", s.contact_id, s.termination, "Tell the target that it has ended"),
        ),
        parallel(
            "workstreams",
            financial=(wait_for("financial", "financial.delivered", Findings, within=days(42), into="financial"),),
            legal=(wait_for("legal", "legal.delivered", Findings, within=days(42), into="legal"),),
            commercial=(wait_for("commercial", "commercial.delivered", Findings, within=days(42), into="commercial"),),
            technical=(wait_for("technical", "technical.delivered", Findings, within=days(42), into="technical"),),
        ),
        ask("weigh", "risk_sentinel", lambda s: {"signals": {"legal": s.legal, "financial": s.financial}}, into="risks"),
        wait_for("committee", "committee.decided", Verdict, within=days(14), into="committee", roles=OWNER, on_timeout=RollBack()),
        branch("committee_no", (rejected("committee"), (roll_back("committee_back"),))),
        act(
            "record",
            lambda s: inside("internal_status_update", "target", s.target_id, {"diligence": "passed"}, "Record the committee's decision"),
            lambda s: inside("internal_status_update", "target", s.target_id, {"diligence": "withdrawn"}, "Withdraw the decision"),
        ),
    )  # fmt: skip


# Signature -----------------------------------------------------------------------------------------------------------------------


class ContractAsked(Typed):
    deal_id: Name
    document_id: Name
    signer_name: Name
    signer_email: Name
    title: Line


class Contract(ContractAsked):
    request: Facts = {}
    signed: Facts = {}


class Signed(Typed):
    signed: bool
    reference: Annotated[str, Field(max_length=200)] = ""


def _envelope(s: Contract, action_type: str, reason: str) -> Deed:
    payload = {
        "document_id": s.document_id,
        "signer_name": s.signer_name,
        "signer_email": s.signer_email,
        "title": s.title,
    }
    return Deed(
        action_type=action_type, resource=ResourceRef(type="deal", id=s.deal_id), payload=payload, reason=reason
    )


class Signature(Flow[Contract], name="signature", version=1):
    horizon = "long"
    input, state = ContractAsked, Contract
    steps = (
        act(
            "request",
            lambda s: _envelope(s, "send_contract_for_signature", "Send the contract for signature"),
            lambda s: _envelope(s, "void_contract", "Void the contract sent for signature"),
            into="request",
        ),
        wait_for("sign", "contract.signed", Signed, within=days(7), into="signed", on_timeout=RollBack()),
        branch("refused", (lambda s: not s.signed.get("signed"), (roll_back("refused_back"),))),
        act(
            "record",
            lambda s: inside("internal_status_update", "deal", s.deal_id, {"contract": "signed", **s.signed}, "Record the signed contract"),
            lambda s: inside("internal_status_update", "deal", s.deal_id, {"contract": "renegotiate"}, "Put the contract back to negotiation"),
        ),
        act(
            "tell",
            lambda s: team(f"وُقّع العقد: {s.title}", s.deal_id, "Tell the team"),
            lambda s: team(f"أُلغي توقيع العقد: {s.title}", s.deal_id, "Tell the team that it was voided"),
        ),
    )  # fmt: skip


# Acquisition offer ---------------------------------------------------------------------------------------------------------------


class OfferAsked(Typed):
    target_name: Name
    target_id: Name
    contact_id: Name
    offer: Letter
    withdrawal: Letter


class Valuation(Typed):
    low_sar: Annotated[int, Field(ge=0)]
    high_sar: Annotated[int, Field(ge=0)]
    note: Annotated[str, Field(max_length=2000)] = ""


class Offer(OfferAsked):
    valuation: Facts = {}
    board: Facts = {}
    sent: Facts = {}
    answer: Facts = {}


class AcquisitionOffer(Flow[Offer], name="ma_offer", version=1):
    horizon = "long"
    input, state = OfferAsked, Offer
    steps = (
        act(
            "screen",
            lambda s: inside("research", "target", s.target_id, {"target": s.target_name}, "Screen the target"),
            lambda s: inside("internal_status_update", "target", s.target_id, {"offer": "withdrawn"}, "Close the target's file"),
        ),
        wait_for("value", "valuation.delivered", Valuation, within=days(28), into="valuation", on_timeout=RollBack()),
        wait_for("board", "board.decided", Verdict, within=days(21), into="board", roles=OWNER, on_timeout=RollBack()),
        branch("board_no", (rejected("board"), (roll_back("board_back"),))),
        act(
            "offer",
            lambda s: letter("partner_offer_send", s.contact_id, s.offer, "Send the offer"),
            lambda s: letter("partner_offer_send", s.contact_id, s.withdrawal, "Withdraw the offer"),
            into="sent",
        ),
        wait_for("answer", "target.answered", Verdict, within=days(35), into="answer", on_timeout=RollBack()),
        branch("declined", (rejected("answer"), (roll_back("declined_back"),))),
        act(
            "record",
            lambda s: inside("internal_status_update", "target", s.target_id, {"offer": "accepted"}, "Record the acceptance"),
            lambda s: inside("internal_status_update", "target", s.target_id, {"offer": "withdrawn"}, "Take the acceptance back"),
        ),
    )  # fmt: skip


# Expansion -----------------------------------------------------------------------------------------------------------------------

CONVERSION_LEAST, COMPLAINTS_MOST, REVENUE_LEAST, CHURN_MOST = 0.05, 0.10, 0.50, 0.20
"""Stop-loss: conversion below 5 %, complaints above 10 %, revenue below half of the plan, churn above 20 %, any critical violation."""


class MarketAsked(Typed):
    market: Name
    canary_percent: Annotated[int, Field(ge=1, le=50)] = 10


class Measured(Typed):
    """Shares (0-1) over the period; `revenue_of_plan` is revenue as a share of what was planned."""

    conversion: Annotated[float, Field(ge=0, le=1)]
    complaints: Annotated[float, Field(ge=0, le=1)]
    revenue_of_plan: Annotated[float, Field(ge=0)]
    churn: Annotated[float, Field(ge=0, le=1)]
    critical_violations: Annotated[int, Field(ge=0)] = 0


class Market(MarketAsked):
    readiness: Facts = {}
    canary: Facts = {}
    gate: Facts = {}
    scale: Facts = {}


def stop_loss(measured: Facts) -> bool:
    """Whether a market's figures say stop. What was not measured says stop as well."""
    if not measured:
        return True
    return bool(
        measured["conversion"] < CONVERSION_LEAST
        or measured["complaints"] > COMPLAINTS_MOST
        or measured["revenue_of_plan"] < REVENUE_LEAST
        or measured["churn"] > CHURN_MOST
        or measured["critical_violations"] > 0
    )


def _route(s: Market, percent: int, reason: str) -> Deed:
    return inside("modify_lead_routing", "market", s.market, {"market": s.market, "percent": percent}, reason)


class ExpansionLaunch(Flow[Market], name="expansion_launch", version=1):
    horizon = "long"
    input, state = MarketAsked, Market
    steps = (
        wait_for("ready", "readiness.confirmed", Verdict, within=days(28), into="readiness", roles=DECIDERS, on_timeout=RollBack()),
        branch("not_ready", (rejected("readiness"), (roll_back("not_ready_back"),))),
        act("canary", lambda s: _route(s, s.canary_percent, "Open the trial market"), lambda s: _route(s, 0, "Close the trial market")),
        wait_for("canary_measured", "canary.measured", Measured, within=days(30), into="canary", on_timeout=RollBack()),
        branch("canary_stop", (lambda s: stop_loss(s.canary), (roll_back("canary_back"),))),
        wait_for("gate", "scale.decided", Verdict, within=days(14), into="gate", roles=OWNER, on_timeout=RollBack()),
        branch("gate_no", (rejected("gate"), (roll_back("gate_back"),))),
        act("scale", lambda s: _route(s, 100, "Open the whole market"), lambda s: _route(s, s.canary_percent, "Go back to the trial share")),
        wait_for("scale_measured", "scale.measured", Measured, within=days(60), into="scale", on_timeout=RollBack()),
        branch("scale_stop", (lambda s: stop_loss(s.scale), (roll_back("scale_back"),))),
        act(
            "tell",
            lambda s: team(f"اكتمل الإطلاق في {s.market}", s.market, "Tell the team"),
            lambda s: team(f"أُوقف الإطلاق في {s.market}", s.market, "Tell the team that it was stopped"),
        ),
    )  # fmt: skip


# Integration after a merger --------------------------------------------------------------------------------------------------------


class MergerAsked(Typed):
    acquisition_id: Name
    company_name: Name


class Review(Typed):
    on_track: bool
    note: Annotated[str, Field(max_length=2000)] = ""


class Program(MergerAsked):
    started: Facts = {}
    day_30: Facts = {}
    day_60: Facts = {}
    day_90: Facts = {}
    synergy: Facts = {}
    closed: Facts = {}


def _merger(s: Program, action_type: str, standing: str, reason: str) -> Deed:
    return inside(
        action_type, "acquisition", s.acquisition_id, {"company": s.company_name, "standing": standing}, reason
    )


class MergerProgram(Flow[Program], name="pmi_program", version=1):
    horizon = "long"
    input, state = MergerAsked, Program
    rollback_within = timedelta(hours=72)
    steps = (
        act(
            "day_1",
            lambda s: _merger(s, "plan", "day_1", "Begin the integration"),
            lambda s: _merger(s, "internal_status_update", "separate", "Keep the companies separate"),
            into="started",
        ),
        act(
            "combine",
            lambda s: _merger(s, "modify_lead_routing", "combined", "Route both companies' leads together"),
            lambda s: _merger(s, "modify_lead_routing", "separate", "Route each company's leads by itself again"),
        ),
        sleep("to_day_30", days(30)),
        wait_for("review_30", "day_30.reviewed", Review, within=days(7), into="day_30"),
        sleep("to_day_60", days(30)),
        wait_for("review_60", "day_60.reviewed", Review, within=days(7), into="day_60"),
        sleep("to_day_90", days(30)),
        wait_for("review_90", "day_90.reviewed", Review, within=days(7), into="day_90"),
        wait_for("synergies", "synergy.measured", Verdict, within=days(60), into="synergy", roles=DECIDERS),
        branch("no_synergy", (rejected("synergy"), (roll_back("synergy_back"),))),
        act(
            "close",
            lambda s: _merger(s, "internal_status_update", "integrated", "Close the program"),
            lambda s: _merger(s, "internal_status_update", "reopened", "Open the program again"),
            into="closed",
        ),
    )  # fmt: skip


LONG = (PartnerApproval, DueDiligence, Signature, AcquisitionOffer, ExpansionLaunch, MergerProgram)
