"""Short flows: seconds, one or two agents or effects, no compensation because nothing leaves the system."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.execution.flows.declared.shared import Facts, Line, Prose, inside
from services.execution.flows.domain.definition import Flow, Typed
from services.execution.flows.domain.steps import act, ask


class Subject(Typed):
    """What a flow is about: an id, and what is known of it."""

    subject_id: Annotated[str, Field(min_length=1, max_length=200)]
    facts: Facts = {}


class Answered(Subject):
    answer: Facts = {}
    recorded: Facts = {}


class LeadScoring(Flow[Answered], name="lead_scoring", version=1):
    input, state = Subject, Answered
    steps = (
        ask("score", "lead_qualification", lambda s: {"lead": {"lead_id": s.subject_id, **s.facts}}, into="answer"),
        act(
            "record",
            lambda s: inside(
                "internal_status_update", "lead", s.subject_id, {"score": s.answer}, "Record a lead's score"
            ),
            into="recorded",
        ),
    )


class Text_(Typed):
    text: Prose


class TextAnswered(Text_):
    answer: Facts = {}
    recorded: Facts = {}


class MessageClassification(Flow[TextAnswered], name="message_classification", version=1):
    input, state = Text_, TextAnswered
    steps = (
        ask("classify", "objection_handler", lambda s: {"messages": [s.text]}, into="answer"),
        act("record", lambda s: inside("classify", "message", "inbound", {"result": s.answer}, "Record a classification"), into="recorded"),
    )  # fmt: skip


class DialectDetection(Flow[TextAnswered], name="dialect_detection", version=1):
    input, state = Text_, TextAnswered
    steps = (
        ask("detect", "arabic_whatsapp", lambda s: {"message": s.text, "history": []}, into="answer"),
        act("record", lambda s: inside("tag", "message", "inbound", {"result": s.answer}, "Record a dialect"), into="recorded"),
    )  # fmt: skip


class Question(Typed):
    query: Line


class QuestionAnswered(Question):
    answer: Facts = {}


class KnowledgeRetrieval(Flow[QuestionAnswered], name="knowledge_retrieval", version=1):
    input, state = Question, QuestionAnswered
    steps = (ask("retrieve", "knowledge_retrieval", lambda s: {"query": s.query}, into="answer"),)


class Period(Typed):
    period: Line
    metrics: Facts = {}


class PeriodSummed(Period):
    answer: Facts = {}
    recorded: Facts = {}


class DashboardAggregation(Flow[PeriodSummed], name="dashboard_aggregation", version=1):
    input, state = Period, PeriodSummed
    steps = (
        act("collect", lambda s: inside("collect_signals", "period", s.period, {"metrics": s.metrics}, "Collect a period's figures")),
        ask("sum_up", "management_summary", lambda s: {"period": s.period, "metrics": s.metrics}, into="answer"),
        act("record", lambda s: inside("summarize", "period", s.period, {"summary": s.answer}, "Record a summary"), into="recorded"),
    )  # fmt: skip


class Nothing(Typed):
    note: Annotated[str, Field(max_length=200)] = ""


class Checked(Nothing):
    came_back: Facts = {}


class HealthCheck(Flow[Checked], name="health_check", version=1):
    input, state = Nothing, Checked
    steps = (
        act("probe", lambda s: inside("read_status", "system", "execution", {"note": s.note}, "See that an action passes trust"), into="came_back"),
    )  # fmt: skip


class TrustScore(Flow[Answered], name="trust_score", version=1):
    input, state = Subject, Answered
    steps = (
        ask("weigh", "risk_sentinel", lambda s: {"signals": {"subject_id": s.subject_id, **s.facts}}, into="answer"),
        act("record", lambda s: inside("predictive_analysis", "subject", s.subject_id, {"score": s.answer}, "Record a trust score"), into="recorded"),
    )  # fmt: skip


class Statement(Typed):
    subject_id: Annotated[str, Field(min_length=1, max_length=200)]
    statement: Line


class Recorded(Statement):
    recorded: Facts = {}


class AuditWrite(Flow[Recorded], name="audit_write", version=1):
    input, state = Statement, Recorded
    steps = (
        act(
            "record",
            lambda s: inside("internal_status_update", "subject", s.subject_id, {"statement": s.statement}, "Put a statement on record"),
            into="recorded",
        ),
    )  # fmt: skip


SHORT = (
    LeadScoring, MessageClassification, DialectDetection, KnowledgeRetrieval, DashboardAggregation, HealthCheck, TrustScore, AuditWrite,
)  # fmt: skip
