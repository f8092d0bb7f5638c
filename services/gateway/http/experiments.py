"""Growth experiments: stated before they start, drawn by chance, read from rows, decided by a person."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from libs.contracts import experiments as contract
from libs.contracts.message import Principal
from libs.contracts.subjects import DECIDE_EXPERIMENT, EXPERIMENT, EXPERIMENTS, START_EXPERIMENT
from services.gateway.http import bodies
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/growth/experiments", tags=["growth"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Proposer = Annotated[Principal, require("submit")]


class Plan(bodies.Request):
    """All that is stated before the start: without any of it there is no experiment. `arms` are what is done now and what is tried."""

    hypothesis: Annotated[str, Field(min_length=10, max_length=500)]
    metric: contract.Key
    varies: Annotated[contract.Varies, Field(strict=False)]
    arms: Annotated[list[contract.Key], Field(min_length=2, max_length=2)]
    baseline: Annotated[float, Field(gt=0, lt=1)]
    detects: Annotated[float, Field(gt=0, lt=1)]
    sample_size: Annotated[int, Field(ge=30, le=100_000)]
    max_days: Annotated[int, Field(ge=7, le=180)]
    answer_days: Annotated[int, Field(ge=1, le=30)] = 7


class Decision(bodies.Request):
    """`keep` and `revert` once the stop rule is met; `stop` before, with a note that says why."""

    decision: Literal["keep", "revert", "stop"]
    note: contract.Note = ""


@router.get("")
async def experiments(who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[contract.Experiment]:
    """Experiments, the newest first."""
    asked = contract.ExperimentsRequest(principal=who, page=paging.page(gateway, who))
    reply = await gateway.bus.call(EXPERIMENTS, asked)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("", status_code=201)
async def start(body: Plan, who: Proposer, gateway: GatewayDep, ids: IdsDep) -> contract.Experiment:
    """Start one; from here on its plan is fixed. Nothing is sent by it: it draws how first messages are written that would be written anyway."""
    first, second = body.arms
    plan = contract.ExperimentPlan(**{**dict(body), "arms": (first, second)})
    asked = contract.StartExperiment(principal=who, experiment_id=ids("experiment"), plan=plan)
    return await gateway.bus.call(START_EXPERIMENT, asked)


@router.get("/{experiment_id}")
async def experiment(experiment_id: UUID, who: Reader, gateway: GatewayDep) -> contract.Experiment:
    """One experiment: who was drawn and reached so far, and its result once the stop rule is met."""
    return await gateway.bus.call(EXPERIMENT, contract.ExperimentGet(principal=who, experiment_id=experiment_id))


@router.post("/{experiment_id}/decision")
async def decide(experiment_id: UUID, body: Decision, who: Proposer, gateway: GatewayDep) -> contract.Experiment:
    """Keep what was tried or go back, once the stop rule is met; or stop before that, and why."""
    said = contract.DecideExperiment(principal=who, experiment_id=experiment_id, decision=body.decision, note=body.note)
    found = await gateway.bus.call(DECIDE_EXPERIMENT, said)
    gateway.pulse.nudge(who.tenant_id, "cards")
    return found
