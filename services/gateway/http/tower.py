"""`/services`: what a client can buy, beside what this tenant itself says it sells."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.services import PriceRange, ServiceRule, services
from libs.contracts.message import Principal, Text
from services.gateway.http.bodies import Items
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["growth"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


class Proof(BaseModel):
    """The metric that shows whether a service worked, and where this tenant's own value of it is read."""

    metric: str
    name: Text
    definition: Text
    value_path: str


class ServiceShown(BaseModel):
    """One service. Prices are in `currency` before VAT; `sla_days` are working days until the first delivery."""

    key: str
    name: Text
    price: PriceRange
    currency: str = "SAR"
    sla_days: int
    deliverables: tuple[Text, ...]
    inputs: tuple[Text, ...]
    workflow: tuple[Text, ...]
    proof: Proof


class Tower(Items[ServiceShown]):
    """`own_offer` is what this tenant says it sells, in its own words; null where nobody said it in either language."""

    own_offer: Text | None = None


@router.get("/services")
async def tower(who: Reader, gateway: GatewayDep) -> Tower:
    """The service tower, from a free diagnosis upwards: price range, deliverables, inputs, workflow, time and proof of each."""
    profile = await gateway.profile(who.tenant_id)
    said = profile is not None and bool(profile.offer_ar or profile.offer_en)
    own = Text(en=profile.offer_en, ar=profile.offer_ar) if profile is not None and said else None
    return Tower(items=[_shown(key, rule) for key, rule in services().items()], own_offer=own)


def _shown(key: str, rule: ServiceRule) -> ServiceShown:
    metric = metrics()[rule.proof_metric]
    proof = Proof(
        metric=metric.name, name=Text(en=metric.en, ar=metric.ar), definition=Text(en=metric.definition_en, ar=metric.definition_ar),
        value_path=f"/api/v1/metrics-catalog/{metric.name}/value",
    )  # fmt: skip
    return ServiceShown(
        key=key, name=rule.name, price=rule.price, sla_days=rule.sla_days, deliverables=rule.deliverables, inputs=rule.inputs,
        workflow=rule.workflow, proof=proof,
    )  # fmt: skip
