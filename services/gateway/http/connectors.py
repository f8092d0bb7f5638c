"""Connectors: what may act outside, how each is set up and stands, and what the sandbox would have sent."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from libs.contracts import connectors as contract
from libs.contracts import execution, operating
from libs.contracts.catalogue.credentials import CredentialField, credential_fields
from libs.contracts.errors import NotFound
from libs.contracts.execution import ActionState, ConnectorInfo, SandboxMessage
from libs.contracts.message import Principal, Reason
from libs.contracts.operating import ControlState
from libs.contracts.subjects import (
    CONNECTORS,
    CONTROL,
    DROP_CREDENTIAL,
    FLAGS,
    PROBE_CONNECTOR,
    PUT_CREDENTIAL,
    SANDBOX,
    SET_CONNECTOR,
    SET_FLAG,
    SWITCH_LIVE,
)
from services.gateway.http.actions import refused
from services.gateway.http.bodies import Items, Note, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/connectors", tags=["connectors"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
SetUp = Annotated[Principal, require("users")]
"""Whoever may give keys to people may give them to connectors."""
Proposer = Annotated[Principal, require("propose")]
Operator = Annotated[Principal, require("control")]
Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,49}$")]
LIVE = "live."


class Settings(RequestBody):
    """`per_minute`: live effects a minute at most."""

    per_minute: Annotated[int, Field(ge=1, le=100_000)]


class Credential(RequestBody):
    """Values by field, as `GET /connectors/{key}` names them. They are sealed at once and never answered with."""

    values: Annotated[dict[str, str | int], Field(min_length=1, max_length=20, repr=False)]


class Why(RequestBody):
    reason: Note = ""


class LiveAsked(BaseModel):
    """The action that people have to approve before the connector acts for real."""

    action_id: UUID
    state: ActionState


async def standing(gateway: Gateway, who: Principal) -> tuple[ConnectorInfo, ...]:
    """Every connector with its mode: execution knows what is set up, operating what is switched live."""
    flags = (await gateway.bus.call(FLAGS, operating.FlagsRequest(tenant_id=who.tenant_id))).flags
    live = tuple(sorted(name.removeprefix(LIVE) for name, on in flags.items() if on and name.startswith(LIVE)))
    return (await gateway.bus.call(CONNECTORS, execution.ConnectorsRequest(principal=who, live=live))).items


@router.get("")
async def connectors(who: Reader, gateway: GatewayDep) -> Items[ConnectorInfo]:
    """Every connector, its mode and state. Without a probe nothing is `ok`."""
    return Items(items=await standing(gateway, who))


@router.get("/governance")
async def governance(who: Reader, gateway: GatewayDep) -> Items[ConnectorInfo]:
    """What may act outside: the connectors whose effects leave the system, those that cross a border first."""
    leaving = sorted(await standing(gateway, who), key=lambda one: (not one.cross_border, one.connector_key))
    return Items(items=leaving)


async def _one(gateway: Gateway, who: Principal, key: str) -> ConnectorInfo:
    found = next((one for one in await standing(gateway, who) if one.connector_key == key), None)
    if found is None:
        raise NotFound
    return found


@router.get("/{key}")
async def connector(key: Key, who: Reader, gateway: GatewayDep) -> ConnectorInfo:
    """One connector: mode, status, its newest probe, and when its credential was stored."""
    return await _one(gateway, who, key)


@router.get("/{key}/credential-fields")
async def fields(key: Key, who: Reader, gateway: GatewayDep) -> Items[CredentialField]:
    """What a credential for this connector consists of."""
    await _one(gateway, who, key)
    return Items(items=credential_fields().get(key, ()))


@router.put("/{key}/settings")
async def settings(key: Key, body: Settings, who: SetUp, gateway: GatewayDep) -> ConnectorInfo:
    """Set how many live effects a minute this connector may have."""
    request = contract.SetConnector(principal=who, connector=key, per_minute=body.per_minute)
    await gateway.bus.call(SET_CONNECTOR, request)
    return await _one(gateway, who, key)


@router.post("/{key}/credential")
async def credential(key: Key, body: Credential, who: SetUp, gateway: GatewayDep) -> ConnectorInfo:
    """Store a credential, or replace it. It can be used from then on, and never be read again."""
    await gateway.bus.call(PUT_CREDENTIAL, contract.PutCredential(principal=who, connector=key, values=body.values))
    return await _one(gateway, who, key)


@router.delete("/{key}/credential")
async def forget(key: Key, who: SetUp, gateway: GatewayDep) -> ConnectorInfo:
    """Forget the credential."""
    await gateway.bus.call(DROP_CREDENTIAL, contract.DropCredential(principal=who, connector=key))
    return await _one(gateway, who, key)


@router.post("/{key}/probe")
async def probe(key: Key, who: SetUp, gateway: GatewayDep) -> ConnectorInfo:
    """Ask the vendor, without any effect there, whether the credential works."""
    await gateway.bus.call(PROBE_CONNECTOR, contract.ProbeConnector(principal=who, connector=key))
    return await _one(gateway, who, key)


async def _control(gateway: Gateway, who: Principal, key: str, command: str, reason: str) -> ControlState:
    asked: dict[str, Any] = {"scope": "connector", "target": key, "command": command, "reason": reason}
    return await gateway.bus.call(CONTROL, operating.ControlCommand(principal=who, **asked))


@router.post("/{key}/pause")
async def pause(key: Key, who: Operator, gateway: GatewayDep, body: Why | None = None) -> ControlState:
    """Hold every effect of this connector."""
    return await _control(gateway, who, key, "pause", body.reason if body else "")


@router.post("/{key}/resume")
async def resume(key: Key, who: Operator, gateway: GatewayDep, body: Why | None = None) -> ControlState:
    """Let its effects go on."""
    return await _control(gateway, who, key, "resume", body.reason if body else "")


@router.post("/{key}/live", status_code=202)
async def live(key: Key, who: Proposer, gateway: GatewayDep, body: Why | None = None) -> LiveAsked:
    """Ask to let this connector act for real: an action that two people approve. It needs a credential that works."""
    request = contract.SwitchLive(principal=who, connector=key, reason=body.reason if body else "")
    result = await gateway.bus.call(SWITCH_LIVE, request)
    if result.error is not None or result.state is None:
        raise refused(result.error or Reason(code="not_accepted", en="It was not accepted.", ar="لم يُقبل الطلب."))
    gateway.pulse.nudge(who.tenant_id, "approvals", "ledger")
    return LiveAsked(action_id=result.action_id, state=result.state)


@router.post("/{key}/sandbox")
async def back(key: Key, who: Proposer, gateway: GatewayDep) -> ConnectorInfo:
    """Back to the sandbox, at once and without an approval."""
    await _one(gateway, who, key)
    await gateway.bus.call(SET_FLAG, operating.SetFlag(principal=who, name=f"{LIVE}{key}", value=False))
    return await _one(gateway, who, key)


@router.get("/{key}/sandbox")
async def sandbox(key: Key, who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[SandboxMessage]:
    """What would have left the building, the newest first."""
    await _one(gateway, who, key)
    request = execution.SandboxRequest(principal=who, connector=key, page=paging.page(gateway, who))
    reply = await gateway.bus.call(SANDBOX, request)
    return items(gateway, who, reply.items, reply.next_cursor)
