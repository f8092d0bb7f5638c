"""What the routes work with, and how they get at it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from starlette.responses import Response
from starlette.types import Scope

from libs.contracts.data import TenantProfile, TenantRequest
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Principal, PrincipalKind, TenantId
from libs.contracts.subjects import TENANT
from libs.runtime.bus import Bus
from services.gateway.authentication import Authentication
from services.gateway.domain.keyring import Keyring
from services.gateway.errors import Unavailable
from services.gateway.files import ImportFiles
from services.gateway.idempotency import Idempotency
from services.gateway.metrics import Meter
from services.gateway.oidc.sign_in import SingleSignOn
from services.gateway.people import People
from services.gateway.pulse import Pulse
from services.gateway.readiness import Ready
from services.gateway.settings import GatewaySettings
from services.gateway.store import Store
from services.gateway.webhooks.desk import Hooks

PROFILE_SECONDS = 60.0
"""How long a tenant's name is believed without asking."""


@dataclass
class Gateway:
    """Everything a request may need. Made once, in the composition root."""

    bus: Bus
    store: Store
    settings: GatewaySettings
    keyring: Keyring
    authentication: Authentication
    people: People
    idempotency: Idempotency
    files: ImportFiles
    pulse: Pulse
    meter: Meter
    now: Callable[[], datetime]
    readiness: Callable[[], Awaitable[Ready]]
    hooks: Hooks
    """Vendors' deliveries, and the numbers of people."""
    problem_page: Callable[[Scope, Mapping[str, Any]], Response | None] | None = None
    """Shows a refusal as a page of the console; None as its answer leaves it a problem document."""
    evidence: ImportFiles | None = None
    """Takes evidence on its way to trust."""
    single_sign_on: SingleSignOn | None = None
    """None without an identity provider."""
    demo_tenant: TenantId | None = None
    """The example tenant, once the data plane has said which it is."""
    _profiles: dict[UUID, tuple[float, TenantProfile]] = field(default_factory=dict)

    async def profile(self, tenant_id: TenantId) -> TenantProfile | None:
        """The tenant's names; None while the data plane is silent."""
        known = self._profiles.get(tenant_id)
        if known is not None and time.monotonic() - known[0] < PROFILE_SECONDS:
            return known[1]
        try:
            found = await self.bus.call(TENANT, TenantRequest(tenant_id=tenant_id), timeout=2.0)
        except DealixError:
            return known[1] if known else None
        self._profiles[tenant_id] = (time.monotonic(), found)
        return found

    def sso_tenant(self) -> TenantId | None:
        """The tenant that single sign-on leads into; None while the first one is not known yet."""
        return self.settings.gateway_oidc_tenant or self.demo_tenant

    def demo_principal(self) -> Principal:
        """Somebody who may look at the example tenant, and change nothing.

        Raises NotFound when the demo is off, Unavailable while the tenant is not known yet.
        """
        if not self.settings.gateway_demo:
            raise NotFound
        if self.demo_tenant is None:
            raise Unavailable("no_demo", "The example tenant is not available.", "المنشأة التجريبية غير متاحة الآن.")
        return Principal(
            id="system:demo", kind=PrincipalKind.SYSTEM, tenant_id=self.demo_tenant, roles=("auditor",), name="demo"
        )


def gateway_of(request: Request) -> Gateway:
    found: Gateway = request.app.state.gateway
    return found


GatewayDep = Annotated[Gateway, Depends(gateway_of)]
