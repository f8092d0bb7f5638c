"""`/go-live` and `/launch-readiness`: the gates before connectors act for real, people's word on them, the score and its reasons."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from libs.contracts import launch
from libs.contracts.launch import GateAttestation, GateDetail, GateStanding, LaunchReadiness
from libs.contracts.message import Principal
from libs.contracts.subjects import ATTEST_GATE, GATE, GO_LIVE, LAUNCH_READINESS
from services.gateway.http.bodies import Items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Attester = Annotated[Principal, require("propose", otherwise="control")]
Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,49}$")]


class Matrix(Items[GateStanding]):
    """All gates on one page. `enforced`: whether open gates that block keep connectors from going live here."""

    environment: str
    enforced: bool
    checked_at: datetime
    counts: dict[str, int]
    blocking_open: int


class ShownGate(GateStanding):
    """A gate with every word that people gave on it, the newest first."""

    attestations: tuple[GateAttestation, ...]


class Word(Body):
    """`holds` false takes it back; `expires_on` is the last day on which it counts."""

    statement: Annotated[str, Field(min_length=10, max_length=2000)]
    expires_on: Annotated[date, Field(strict=False)]
    holds: bool = True


@router.get("/go-live")
async def go_live(who: Reader, gateway: GatewayDep) -> Matrix:
    """Every gate as it stands now. What nobody knows is `unknown`, and never a pass."""
    found = await gateway.bus.call(GO_LIVE, launch.GoLiveRequest(principal=who))
    return Matrix(**dict(found))


@router.get("/go-live/{gate}")
async def one_gate(gate: Key, who: Reader, gateway: GatewayDep) -> ShownGate:
    return shown(await gateway.bus.call(GATE, launch.GateGet(principal=who, gate=gate)))


@router.post("/go-live/{gate}/attest", status_code=201)
async def attest(gate: Key, body: Word, who: Attester, gateway: GatewayDep, ids: IdsDep) -> ShownGate:
    """Say, as a person and in your role, that a gate holds which no record answers. It is on the ledger."""
    said = launch.AttestGate(
        principal=who, attestation_id=ids("attestation"), gate=gate, holds=body.holds, statement=body.statement, expires_on=body.expires_on
    )  # fmt: skip
    return shown(await gateway.bus.call(ATTEST_GATE, said))


@router.get("/launch-readiness")
async def launch_readiness(who: Reader, gateway: GatewayDep) -> LaunchReadiness:
    """The score, whether the launch is ready, and every reason that holds it down, the dearest first."""
    return await gateway.bus.call(LAUNCH_READINESS, launch.GoLiveRequest(principal=who))


def shown(found: GateDetail) -> ShownGate:
    return ShownGate(**dict(found.state), attestations=found.attestations)
