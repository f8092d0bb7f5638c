"""Onboarding of customers: seven steps each, moved on by what happens or by whoever says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from libs.contracts import onboarding
from libs.contracts.message import Principal
from libs.contracts.subjects import MARK_ONBOARDING, ONBOARDING, ONBOARDINGS
from services.gateway.http import bodies
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/onboarding", tags=["customers"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Editor = Annotated[Principal, require("import")]
Step = Annotated[str, Path(pattern="^[a-z][a-z_]{0,39}$")]


class OnboardingPage(Items[onboarding.CustomerOnboarding]):
    """`counts` is how many customers there are in each state."""

    counts: Mapping[str, int]


class Said(bodies.Request):
    """`open` takes back what a person said; what does not apply says why."""

    state: Annotated[onboarding.StepState, Field(strict=False)]
    note: Annotated[str, Field(max_length=1000)] = ""


@router.get("")
async def customers(
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    state: Annotated[onboarding.OnboardingState | None, Query()] = None,
) -> OnboardingPage:
    """Customers whose first deal was won lately, the newest first; `stuck` are those in which nothing has moved for 48 hours."""
    asked = onboarding.OnboardingsRequest(principal=who, state=state, page=paging.page(gateway, who))
    reply = await gateway.bus.call(ONBOARDINGS, asked)
    page = items(gateway, who, reply.items, reply.next_cursor)
    return OnboardingPage(items=page.items, next_cursor=page.next_cursor, counts=reply.counts)


@router.get("/{onboarding_id}")
async def customer(onboarding_id: UUID, who: Reader, gateway: GatewayDep) -> onboarding.CustomerOnboarding:
    """One customer's steps: each with the row that shows it, or with who said so."""
    return await gateway.bus.call(ONBOARDING, onboarding.OnboardingGet(principal=who, onboarding_id=onboarding_id))


@router.post("/{onboarding_id}/steps/{step}")
async def mark(
    onboarding_id: UUID, step: Step, body: Said, who: Editor, gateway: GatewayDep
) -> onboarding.CustomerOnboarding:
    """Say that a step is done, does not apply, or is open after all."""
    said = onboarding.MarkStep(principal=who, onboarding_id=onboarding_id, step=step, state=body.state, note=body.note)
    found = await gateway.bus.call(MARK_ONBOARDING, said)
    gateway.pulse.nudge(who.tenant_id, "cards")
    return found
