"""Flows of hours and days: an agent or a person judges, a person may be waited for, and the result is put on record."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from libs.contracts.trust import ResourceRef
from services.execution.flows.declared.shared import (
    DECIDERS,
    Facts,
    Line,
    Name,
    Note,
    Prose,
    Verdict,
    inside,
    rejected,
    team,
)
from services.execution.flows.domain.definition import Flow, Typed
from services.execution.flows.domain.steps import Deed, Finish, act, ask, branch, days, finish, wait_for

QUALIFIED = 65
"""Score from which a lead is qualified without a person: the lower bound of tier P1."""


class LeadToQualify(Typed):
    lead_id: Name
    facts: Facts = {}


class Qualification(LeadToQualify):
    card: Facts = {}
    review: Facts = {}
    recorded: Facts = {}


def _qualified(s: Qualification) -> bool:
    return float(s.card.get("score") or 0) >= QUALIFIED or bool(s.review.get("approved"))


class QualificationPipeline(Flow[Qualification], name="qualification_pipeline", version=1):
    horizon = "medium"
    input, state = LeadToQualify, Qualification
    steps = (
        ask("score", "lead_qualification", lambda s: {"lead": {"lead_id": s.lead_id, **s.facts}}, into="card"),
        branch(
            "sure",
            (_qualified, ()),
            otherwise=(
                wait_for("review", "lead.reviewed", Verdict, within=days(3), into="review", on_timeout=Finish("not_reviewed")),
                branch("declined", (rejected("review"), (finish("declined_end", "not_qualified"),))),
            ),
        ),
        act(
            "record",
            lambda s: inside("internal_status_update", "lead", s.lead_id, {"qualified": True, "card": s.card}, "Record a qualified lead"),
            lambda s: inside("internal_status_update", "lead", s.lead_id, {"qualified": False}, "Take a qualification back"),
            into="recorded",
        ),
    )  # fmt: skip


class MeetingAsked(Typed):
    lead_id: Name
    title: Line
    attendees: Annotated[list[Name], Field(min_length=1, max_length=20)]
    calendar: Facts = {}


class Slot(Typed):
    starts_at: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*$")]
    minutes: Annotated[int, Field(ge=15, le=480)] = 30


class Meeting(MeetingAsked):
    proposal: Facts = {}
    slot: Facts = {}
    event: Facts = {}


def _event(s: Meeting, action_type: str, reason: str) -> Deed:
    payload = {"title": s.title, "attendees": list(s.attendees), **s.slot}
    return Deed(
        action_type=action_type, resource=ResourceRef(type="lead", id=s.lead_id), payload=payload, reason=reason
    )


class MeetingBooking(Flow[Meeting], name="meeting_booking", version=1):
    horizon = "medium"
    input, state = MeetingAsked, Meeting
    steps = (
        ask("propose", "meeting_booking", lambda s: {"calendar": s.calendar, "lead": {"lead_id": s.lead_id}}, into="proposal"),
        wait_for("choose", "slot.chosen", Slot, within=days(7), into="slot", on_timeout=Finish("no_slot")),
        act(
            "book",
            lambda s: _event(s, "calendar_insert_event", "Put the agreed meeting on the calendar"),
            lambda s: _event(s, "calendar_delete_event", "Take the meeting off the calendar"),
            into="event",
        ),
    )  # fmt: skip


class ProposalAsked(Typed):
    deal_id: Name
    deal: Facts = {}
    pricing: Facts = {}


class Proposal(ProposalAsked):
    pack: Facts = {}
    quality: Facts = {}
    verdict: Facts = {}
    draft: Facts = {}


def _text(s: Proposal) -> str:
    return str(s.pack.get("body") or s.pack.get("value_proposition_ar") or s.pack.get("value_proposition") or s.pack)


class ProposalGeneration(Flow[Proposal], name="proposal_generation", version=1):
    horizon = "medium"
    input, state = ProposalAsked, Proposal
    steps = (
        ask("draft", "proposal_drafter", lambda s: {"deal": {"deal_id": s.deal_id, **s.deal}, "pricing": s.pricing}, into="pack"),
        ask("check", "qa_reviewer", lambda s: {"content": {"body": _text(s), "channel": "email"}}, into="quality"),
        wait_for("decide", "proposal.decided", Verdict, within=days(7), into="verdict", roles=DECIDERS, on_timeout=Finish("not_decided")),
        branch("declined", (rejected("verdict"), (finish("declined_end", "declined"),))),
        act(
            "keep",
            lambda s: inside("generate_draft", "deal", s.deal_id, {"proposal": s.pack}, "Keep the reviewed proposal"),
            lambda s: inside("internal_status_update", "deal", s.deal_id, {"proposal": "withdrawn"}, "Withdraw the proposal"),
            into="draft",
        ),
    )  # fmt: skip


class Application(Typed):
    applicant_id: Name
    application: Facts
    criteria: Facts = {}


class Affiliate(Application):
    verdict: Facts = {}
    papers: Facts = {}
    coaching: Facts = {}
    taken_on: Facts = {}


class AffiliateOnboarding(Flow[Affiliate], name="affiliate_onboarding", version=1):
    horizon = "medium"
    input, state = Application, Affiliate
    steps = (
        ask("weigh", "affiliate_evaluator", lambda s: {"application": s.application, "criteria": s.criteria}, into="verdict"),
        branch("refused", (lambda s: s.verdict.get("verdict") == "reject", (finish("refused_end", "refused"),))),
        wait_for("papers", "papers.received", Note, within=days(14), into="papers", on_timeout=Finish("no_papers")),
        act(
            "take_on",
            lambda s: inside("internal_status_update", "affiliate", s.applicant_id, {"status": "active"}, "Take an affiliate on"),
            lambda s: inside("internal_status_update", "affiliate", s.applicant_id, {"status": "withdrawn"}, "Let an affiliate go"),
            into="taken_on",
        ),
        ask("coach", "onboarding_coach", lambda s: {"profile": s.application, "steps": []}, into="coaching"),
        act("tell", lambda s: team(f"مسوّق جديد: {s.applicant_id}", s.applicant_id, "Tell the team of a new affiliate")),
    )  # fmt: skip


class TextToScan(Typed):
    content_id: Name
    body: Prose
    channel: Annotated[str, Field(pattern="^(email|whatsapp)$")] = "email"
    sender: list[Name] = []
    opt_out_url: Annotated[str, Field(max_length=500)] = ""


class Scan(TextToScan):
    findings: Facts = {}
    recorded: Facts = {}


class ComplianceScan(Flow[Scan], name="compliance_scan", version=1):
    horizon = "medium"
    input, state = TextToScan, Scan
    steps = (
        ask(
            "read",
            "compliance_reviewer",
            lambda s: {
                "content": {"body": s.body, "channel": s.channel, "sender": list(s.sender), "opt_out_url": s.opt_out_url, "status": "safe"},
                "policies": {},
            },
            into="findings",
        ),
        act("record", lambda s: inside("classify", "content", s.content_id, {"findings": s.findings}, "Record a compliance review"), into="recorded"),
    )  # fmt: skip


class ScopeAsked(Typed):
    scope: Annotated[str, Field(pattern=r"^(action|flow|deal|control|period):.{1,200}$")]


class Assembly(ScopeAsked):
    contents: Facts = {}
    exported: Facts = {}
    review: Facts = {}


class EvidenceAssembly(Flow[Assembly], name="evidence_assembly", version=1):
    horizon = "medium"
    input, state = ScopeAsked, Assembly
    steps = (
        ask("gather", "evidence_assembler", lambda s: {"scope": s.scope}, into="contents"),
        act("export", lambda s: inside("evidence_export", "evidence", s.scope, {"scope": s.scope, "contents": s.contents}, "Export evidence"), into="exported"),
        wait_for("review", "evidence.reviewed", Verdict, within=days(7), into="review", roles=DECIDERS, on_timeout=Finish("not_reviewed")),
        branch("declined", (rejected("review"), (finish("declined_end", "returned"),))),
    )  # fmt: skip


class ClaimsAsked(Typed):
    subject_id: Name
    claims: Annotated[list[Facts], Field(max_length=200)] = []


class Contradictions(ClaimsAsked):
    found: Facts = {}
    settled: Facts = {}
    recorded: Facts = {}


class ContradictionScan(Flow[Contradictions], name="contradiction_scan", version=1):
    horizon = "medium"
    input, state = ClaimsAsked, Contradictions
    steps = (
        ask("scout", "contradiction_scout", lambda s: {"claims": list(s.claims)}, into="found"),
        branch(
            "any",
            (
                lambda s: bool(s.found.get("suggestions")),
                (wait_for("settle", "contradictions.settled", Note, within=days(7), into="settled", on_timeout=Finish("open")),),
            ),
        ),
        act(
            "record",
            lambda s: inside("internal_status_update", "subject", s.subject_id, {"found": s.found, "settled": s.settled}, "Record a contradiction scan"),
            into="recorded",
        ),
    )  # fmt: skip


MEDIUM = (
    QualificationPipeline, MeetingBooking, ProposalGeneration, AffiliateOnboarding, ComplianceScan, EvidenceAssembly, ContradictionScan,
)  # fmt: skip
