"""`/integrations`: every other system that Dealix may work with, how far it is for this tenant, and connecting it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from libs.contracts import connectors as contract
from libs.contracts import operating
from libs.contracts.catalogue.credentials import CredentialField, credential_fields
from libs.contracts.catalogue.integrations import Integration, Scope, Status, integrations
from libs.contracts.errors import Conflict, NotFound
from libs.contracts.execution import ConnectorInfo, ConnectorStatus
from libs.contracts.message import Principal, Reason, Text
from libs.contracts.subjects import DROP_CREDENTIAL, PROBE_CONNECTOR, PUT_CREDENTIAL, SET_FLAG
from services.gateway.http.bodies import Items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.connectors import LIVE, standing
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/integrations", tags=["connectors"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
SetUp = Annotated[Principal, require("users")]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,49}$")]
State = Literal["live", "connected", "sandbox", "built_in", "planned", "refused"]


class NotConnectable(Conflict):
    def __init__(self, why: Text) -> None:
        super().__init__("not_connectable", why.en, why.ar)


class Connection(Body):
    """The connector's own values, as `credential` of the integration names them. They are sealed and never answered with."""

    values: Annotated[dict[str, str | int], Field(min_length=1, max_length=20, repr=False)]


class IntegrationView(BaseModel):
    """`state`: `live` acts for real; `connected` has a credential and stays in the sandbox; `sandbox` has none. `health` is what the newest
    probe found, never a guess; `scopes` what may be done, and under which rule."""

    name: str
    title: Text
    category: str
    use_case: Text
    status: Status
    state: State
    health: ConnectorStatus
    health_reason: Reason | None
    probed_at: datetime | None
    connector: str | None
    launch_phase: int
    risk_level: str
    required_env_vars: tuple[str, ...]
    credential: tuple[CredentialField, ...]
    safe_default: str
    scopes: tuple[Scope, ...]
    allowed_actions: tuple[str, ...]
    approval_required_actions: tuple[str, ...]
    blocked_actions: tuple[str, ...]
    notes_ar: str
    test_required: bool
    data_classification: str
    cross_border: bool


def shown(one: Integration, info: ConnectorInfo | None) -> IntegrationView:
    """An entry of the registry with how it stands for a tenant."""
    scopes = one.scopes

    def ruled(rule: str) -> tuple[str, ...]:
        return tuple(scope.action for scope in scopes if scope.rule == rule)

    return IntegrationView(
        name=one.name, title=Text(en=one.en, ar=one.ar), category=one.category, use_case=one.use, status=status(one, info),
        state=state(one, info), health=info.status if info else ConnectorStatus.UNKNOWN, health_reason=info.probe if info else None,
        probed_at=info.probed_at if info else None, connector=one.connector, launch_phase=one.phase, risk_level=one.risk,
        required_env_vars=one.settings, credential=credential_fields().get(one.connector or "", ()) if info else (),
        safe_default=one.default, scopes=scopes, allowed_actions=ruled("allowed"), approval_required_actions=ruled("approval_required"),
        blocked_actions=ruled("blocked"), notes_ar=one.notes_ar, test_required=status(one, info) == "available",
        data_classification=one.data, cross_border=one.cross_border,
    )  # fmt: skip


def status(one: Integration, info: ConnectorInfo | None) -> Status:
    """The registry's word, or `available` once execution has the connector, a plugin's for instance."""
    return "available" if info is not None and one.status == "planned" else one.status


def state(one: Integration, info: ConnectorInfo | None) -> State:
    """How far an integration is for a tenant."""
    now = status(one, info)
    if now != "available" or info is None:
        return "planned" if now == "available" else now
    if info.mode == "live":
        return "live"
    return "connected" if info.registered else "sandbox"


async def listed(gateway: Gateway, who: Principal) -> list[IntegrationView]:
    """The whole registry as it stands for the tenant."""
    known = {info.connector_key: info for info in await standing(gateway, who)}
    return [shown(one, known.get(one.connector or "")) for one in integrations().values()]


@router.get("")
async def list_integrations(
    who: Reader,
    gateway: GatewayDep,
    category: Annotated[str | None, Query(max_length=50)] = None,
    state: Annotated[State | None, Query()] = None,
) -> Items[IntegrationView]:
    """The registry: state, health and scopes of each. What is refused is listed too, with the reason."""
    found = await listed(gateway, who)
    return Items(
        items=[one for one in found if category in (None, one.category) and state in (None, one.state)],
        next_cursor=None,
    )


async def found_one(gateway: Gateway, who: Principal, name: str) -> IntegrationView:
    """One of the registry. Raises NotFound."""
    found = next((one for one in await listed(gateway, who) if one.name == name), None)
    if found is None:
        raise NotFound
    return found


@router.get("/{name}")
async def integration(name: Name, who: Reader, gateway: GatewayDep) -> IntegrationView:
    return await found_one(gateway, who, name)


def _connectable(one: IntegrationView) -> str:
    """The connector that is set up. Raises NotConnectable, which says what to do instead."""
    if one.connector is None or one.state in ("built_in", "planned", "refused"):
        raise NotConnectable(
            Text(en=f"{one.title.en} has no connector to set up.", ar=f"لا يوجد موصل لضبط {one.title.ar}.")
        )
    if not one.credential:
        raise NotConnectable(
            Text(
                en="Webhooks are set up one by one: POST /webhook-subscriptions.",
                ar="تُضبط الإشعارات البرمجية واحدًا واحدًا: POST /webhook-subscriptions.",
            )
        )
    return one.connector


async def join(gateway: Gateway, who: Principal, name: str, values: dict[str, str | int]) -> IntegrationView:
    """Connect it and probe it. Raises NotFound, NotConnectable, and what execution refuses."""
    key = _connectable(await found_one(gateway, who, name))
    await gateway.bus.call(PUT_CREDENTIAL, contract.PutCredential(principal=who, connector=key, values=values))
    await gateway.bus.call(PROBE_CONNECTOR, contract.ProbeConnector(principal=who, connector=key))
    return await found_one(gateway, who, name)


async def leave(gateway: Gateway, who: Principal, name: str) -> IntegrationView:
    """Disconnect it. Raises NotFound, NotConnectable, and what execution refuses."""
    found = await found_one(gateway, who, name)
    key = _connectable(found)
    if found.state == "live":
        await gateway.bus.call(SET_FLAG, operating.SetFlag(principal=who, name=f"{LIVE}{key}", value=False))
    await gateway.bus.call(DROP_CREDENTIAL, contract.DropCredential(principal=who, connector=key))
    return await found_one(gateway, who, name)


@router.post("/{name}/connect")
async def connect(name: Name, body: Connection, who: SetUp, gateway: GatewayDep) -> IntegrationView:
    """Store the credential and ask the vendor whether it works. It acts for real only once that was approved: `POST
    /connectors/{key}/live`."""
    return await join(gateway, who, name, body.values)


@router.post("/{name}/disconnect")
async def disconnect(name: Name, who: SetUp, gateway: GatewayDep) -> IntegrationView:
    """Back to the sandbox at once, then forget the credential."""
    return await leave(gateway, who, name)
