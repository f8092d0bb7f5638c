"""`/model-routing`: which providers may see what, which are connected, what they did and cost, and the most that is spent in a day."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from libs.contracts.catalogue.agents import agents
from libs.contracts.catalogue.flags import LIVE
from libs.contracts.catalogue.models import LOCAL, models
from libs.contracts.catalogue.prompts import prompts
from libs.contracts.completions import (
    DropModel,
    ModelEntry,
    ModelsReply,
    ModelsRequest,
    ModelUse,
    ModelUsesRequest,
    SetModel,
    SetModelBudget,
)
from libs.contracts.message import Principal
from libs.contracts.operating import FlagsRequest
from libs.contracts.subjects import DROP_MODEL, FLAGS, MODEL_USES, MODELS, SET_MODEL, SET_MODEL_BUDGET
from services.gateway.http.bodies import Items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/model-routing", tags=["operating"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Auditor = Annotated[Principal, require("evidence")]
SetUp = Annotated[Principal, require("users")]
Provider = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
PER_MILLION = "SAR for a million tokens, up to four decimals"


class Route(BaseModel):
    """Which providers may see an input under a policy, first to last, which may not and why, and which one is asked first now.

    `modelled` are those of its agents that a model may answer for; the others answer by built-in texts and rules, or by a person.
    """

    model_policy: str
    data: str
    cross_border: bool
    agents: list[str]
    modelled: list[str]
    allowed: list[str]
    refused: dict[str, str]
    answers: str


class ConnectedProvider(BaseModel):
    """One provider: `keyed` has a credential, `live` may be asked for real, `models` are those recorded with a price. All three, and it is
    connected."""

    key: str
    en: str
    ar: str
    data: str
    country: str
    abroad: bool
    keyed: bool
    live: bool
    connected: bool
    models: list[ModelEntry]


class Budget(BaseModel):
    """The most that is used of models in a day, in Riyadh, and what of it is used; `refused` are questions that it did not cover."""

    tokens_a_day: int
    sar_a_day: Decimal
    tokens: int
    sar: Decimal
    calls: int
    refused: int


class Providers(Items[Route]):
    """`configured` are the providers that are connected; without any the built-in texts and rules answer."""

    version: str
    configured: list[str]
    providers: list[ConnectedProvider]
    budget: Budget


class ModelBody(RequestBody):
    """A model as its provider names it, and its price as a contract says it."""

    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}$")]
    input_sar: Annotated[Decimal, Field(strict=False, ge=0, le=100_000, decimal_places=4, description=PER_MILLION)]
    output_sar: Annotated[Decimal, Field(strict=False, ge=0, le=100_000, decimal_places=4, description=PER_MILLION)]
    usual: bool = True
    reference: Annotated[str, Field(max_length=500)] = ""


class BudgetBody(RequestBody):
    tokens_a_day: Annotated[int, Field(ge=0, le=1_000_000_000)]
    sar_a_day: Annotated[Decimal, Field(strict=False, ge=0, le=100_000, decimal_places=4)]


@router.get("")
async def model_routing(who: Reader, gateway: GatewayDep) -> Providers:
    """Which model providers may see which inputs, which are connected, and what is left of the day's budget."""
    return await shown(gateway, who, await gateway.bus.call(MODELS, ModelsRequest(principal=who)))


@router.get("/use")
async def use(who: Auditor, gateway: GatewayDep, days: Annotated[int, Query(ge=1, le=366)] = 30) -> Items[ModelUse]:
    """What each provider's model did for each agent: runs, failures, fallbacks, answers that fitted, tokens, cost in SAR, latency."""
    found = await gateway.bus.call(MODEL_USES, ModelUsesRequest(principal=who, days=days))
    return Items(items=list(found.items))


@router.put("/providers/{provider}/models")
async def set_model(provider: Provider, body: ModelBody, who: SetUp, gateway: GatewayDep) -> Providers:
    """Record a model of a provider with its price. Without one the provider is not asked."""
    asked = SetModel(principal=who, provider=provider, **body.model_dump())
    return await shown(gateway, who, await gateway.bus.call(SET_MODEL, asked))


@router.delete("/providers/{provider}/models")
async def drop_model(
    provider: Provider,
    model: Annotated[str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}$")],
    who: SetUp,
    gateway: GatewayDep,
) -> Providers:
    """Forget a model: it is not asked any more."""
    asked = DropModel(principal=who, provider=provider, model=model)
    return await shown(gateway, who, await gateway.bus.call(DROP_MODEL, asked))


@router.put("/budget")
async def set_budget(body: BudgetBody, who: SetUp, gateway: GatewayDep) -> Providers:
    """The most that is used of models in a day. At either limit nothing more is asked until tomorrow."""
    asked = SetModelBudget(principal=who, **body.model_dump())
    return await shown(gateway, who, await gateway.bus.call(SET_MODEL_BUDGET, asked))


async def shown(gateway: Gateway, who: Principal, own: ModelsReply) -> Providers:
    """The board, from the tenant's own models, the catalogues and the live flags."""
    known, flags = models(), (await gateway.bus.call(FLAGS, FlagsRequest(tenant_id=who.tenant_id))).flags
    providers = [_provider(one.key, own, flags) for one in known.providers.values() if one.key != LOCAL]
    connected = {one.key for one in providers if one.connected}
    everyone = agents()
    routes = []
    for name, policy in everyone.model_policies.items():
        asked = [one.key for one in known.asked(name, policy) if one.key in connected]
        own_agents = [one.id for one in everyone.agents.values() if one.model_policy == name]
        refused = {one.key: why for one in known.providers.values() if (why := known.why_not(one, policy)) is not None}
        routes.append(
            Route(
                model_policy=name, data=policy.data, cross_border=policy.cross_border, refused=refused, answers=asked[0] if asked else LOCAL,
                agents=own_agents, modelled=[one for one in own_agents if one in prompts().prompts],
                allowed=[one.key for one in known.route(policy)],
            )
        )  # fmt: skip
    budget = Budget(**{name: getattr(own, name) for name in Budget.model_fields})
    return Providers(
        items=routes, version=known.version, configured=sorted(connected), providers=providers, budget=budget
    )  # fmt: skip


def _provider(key: str, own: ModelsReply, flags: dict[str, Any]) -> ConnectedProvider:
    about, entries = models().providers[key], [one for one in own.items if one.provider == key]
    keyed, live = key in own.keyed, bool(flags.get(f"{LIVE}{key}", False))
    return ConnectedProvider(
        key=key, en=about.en, ar=about.ar, data=about.data, country=about.country, abroad=models().abroad(key), keyed=keyed, live=live,
        connected=keyed and live and bool(entries), models=entries,
    )  # fmt: skip
