"""AuthZEN 1.0 (OpenID): a policy decision point over HTTP. It answers what would be decided, and never grants anything.

Subjects: the caller, or a user of the same tenant by id. Their roles are those on record; properties that a client asserts about a
subject are not facts and are not read.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from libs.contracts.canonical import CanonicalizationError, canonical
from libs.contracts.catalogue.actions import effects, normalise
from libs.contracts.errors import NotFound
from libs.contracts.message import Principal, PrincipalKind, new_id
from libs.contracts.subjects import EVALUATE
from libs.contracts.trust import Decision, EvaluateRequest, Evaluation, ResourceRef
from libs.runtime import telemetry
from services.gateway.domain.people import Caller
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Body, Word
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import CallerDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/access/v1", tags=["access"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Properties = dict[str, Any]


class Subject(Body):
    type: Word
    id: Annotated[str, Field(min_length=1, max_length=200)]
    properties: Properties = {}


class ActionAsked(Body):
    """`properties.payload` is what would be executed."""

    name: Word
    properties: Properties = {}


class ResourceAsked(Body):
    type: Annotated[str, Field(min_length=1, max_length=50)]
    id: Annotated[str, Field(min_length=1, max_length=200)]
    properties: Properties = {}


class Question(RequestBody):
    subject: Subject
    action: ActionAsked
    resource: ResourceAsked
    context: Properties = {}


class PartialQuestion(Body):
    subject: Subject | None = None
    action: ActionAsked | None = None
    resource: ResourceAsked | None = None
    context: Properties | None = None


class Questions(RequestBody):
    """Up to 100 questions; what one leaves out is taken from the top (AuthZEN 1.0 section 7.1)."""

    subject: Subject | None = None
    action: ActionAsked | None = None
    resource: ResourceAsked | None = None
    context: Properties | None = None
    evaluations: Annotated[list[PartialQuestion], Field(max_length=100)] = []
    options: Properties = {}


class Answer(BaseModel):
    """`decision` is true only where it would run at once; a request that would wait for people is not allowed yet."""

    decision: bool
    context: dict[str, Any] = {}


class Answers(BaseModel):
    evaluations: list[Answer]


@router.post("/evaluation")
async def evaluation(body: Question, who: Reader, caller: CallerDep, gateway: GatewayDep) -> Answer:
    """One decision."""
    return (await _ask(gateway, caller, [body]))[0]


@router.post("/evaluations")
async def evaluations(body: Questions, who: Reader, caller: CallerDep, gateway: GatewayDep) -> Answers | Answer:
    """Several decisions, in order. Without `evaluations` it is one question and one answer."""
    asked = [_whole(body, part) for part in body.evaluations or [PartialQuestion()]]
    answers = await _ask(gateway, caller, asked)
    return Answers(evaluations=answers) if body.evaluations else answers[0]


def _whole(body: Questions, part: PartialQuestion) -> Question:
    subject, action, resource = part.subject or body.subject, part.action or body.action, part.resource or body.resource
    if subject is None or action is None or resource is None:
        raise Unprocessable(
            "incomplete_question", "Each question needs subject, action and resource.",
            "كل سؤال يحتاج subject وaction وresource.",
        )  # fmt: skip
    context = part.context if part.context is not None else body.context or {}
    return Question(subject=subject, action=action, resource=resource, context=context)


async def _ask(gateway: Gateway, caller: Caller, asked: list[Question]) -> list[Answer]:
    asked_of_trust = [await evaluation_of(gateway, caller, q) for q in asked]
    reply = await gateway.bus.call(EVALUATE, EvaluateRequest(evaluations=tuple(asked_of_trust)))
    return [_answer(decision) for decision in reply.decisions]


async def evaluation_of(gateway: Gateway, caller: Caller, question: Question) -> Evaluation:
    """What trust is asked for a question. Raises Unprocessable when its payload has no canonical form."""
    return _evaluation(question, await _subject(gateway, caller, question.subject))


async def _subject(gateway: Gateway, caller: Caller, subject: Subject) -> Principal:
    """The principal that a subject names. A stranger is somebody without any role."""
    who = caller.principal
    if subject.id in (who.id, str(caller.user.user_id), caller.user.email):
        return who
    try:
        user = await gateway.people.user(caller, UUID(subject.id.removeprefix("user:")))
    except (ValueError, NotFound):
        kinds = {kind.value: kind for kind in PrincipalKind}
        kind = kinds.get(subject.type, PrincipalKind.USER)
        return Principal(id=f"subject:{subject.id}", kind=kind, tenant_id=who.tenant_id)
    return user.principal()


def _evaluation(question: Question, subject: Principal) -> Evaluation:
    payload = question.action.properties.get("payload", {})
    try:
        text = canonical(payload).decode() if isinstance(payload, dict) else ""
    except CanonicalizationError:
        text = ""
    if not text:
        raise Unprocessable(
            "payload_not_json", "The payload is an object with a canonical form.", "الحمولة كائن JSON بصيغة معيارية."
        )
    effect = effects().get(normalise(question.action.name))
    run_id = question.context.get("run_id", "")
    return Evaluation(
        tenant_id=subject.tenant_id,
        action_id=new_id(),
        attempt=1,
        subject=subject,
        action_type=question.action.name,
        effect=effect.name if effect else normalise(question.action.name),
        connector=effect.connector if effect else None,
        operation=effect.operation if effect else None,
        resource=ResourceRef(type=question.resource.type, id=question.resource.id),
        payload=text,
        salt=secrets.token_hex(32),
        run_id=run_id if isinstance(run_id, str) else "",
        trace_id=telemetry.trace_id(),
    )


def _answer(decision: Decision) -> Answer:
    first = decision.reasons[0] if decision.reasons else None
    return Answer(
        decision=decision.allowed,
        context={
            "id": str(decision.decision_id),
            "reason_user": {"en": first.en, "ar": first.ar} if first else {},
            "allowed": decision.allowed,
            "mode": decision.mode.value,
            "class": decision.action_class.value,
            "outcome": decision.outcome.value,
            "reasons": [reason.model_dump() for reason in decision.reasons],
            "approval_required": decision.approval_required,
            "policy_version": decision.policy_version,
            "audit_event": str(decision.audit_event),
            "proof_impact": decision.proof_impact,
        },
    )
