"""What a tenant pays its vendors for one effect: recorded by people from their contracts, never guessed, with its history."""

from __future__ import annotations

from collections.abc import Collection

from libs.contracts.errors import NotFound
from libs.contracts.message import Plane, PrincipalKind, new_id
from libs.contracts.prices import Price, PricesReply, PricesRequest, SetPrice
from libs.contracts.subjects import AUDITED, PRICES, SET_PRICE
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.execution.live.errors import ConnectorForbidden
from services.execution.live.handlers import SETS_UP

SHOWN = 200


def serve_prices(runtime: Runtime, connectors: Collection[str]) -> None:
    """Answer for prices of these connectors."""
    prices = Prices(runtime, connectors)
    runtime.bus.serve(SET_PRICE, prices.set)
    runtime.bus.serve(PRICES, prices.list)


class Prices:
    def __init__(self, runtime: Runtime, connectors: Collection[str]) -> None:
        self._runtime = runtime
        self._connectors = frozenset(connectors)

    async def set(self, request: SetPrice) -> PricesReply:
        """Record a price; one for the same moment takes its place. Raises ConnectorForbidden, NotFound."""
        who = request.principal
        if who.kind is PrincipalKind.AGENT or not SETS_UP & set(who.roles):
            raise ConnectorForbidden
        self._known(request.connector)
        since = request.since or self._runtime.now()
        async with self._runtime.database.batch(who.tenant_id) as work:
            await work.connection.execute(
                "insert into execution.prices (tenant_id, connector, since, sar, reference, set_by) values ($1, $2, $3, $4, $5, $6) "
                "on conflict (tenant_id, connector, since) do update set sar = excluded.sar, reference = excluded.reference, "
                "set_by = excluded.set_by, recorded_at = now()",
                who.tenant_id, request.connector, since, request.sar, request.reference, who.id,
            )  # fmt: skip
            work.emit(
                AUDITED[Plane.EXECUTION],
                AuditRecorded(
                    entry_id=new_id(), tenant_id=who.tenant_id, kind="connector.price_set", actor=who.id,
                    target=f"connector:{request.connector}", at=self._runtime.now(),
                    data={"sar": str(request.sar), "since": since.isoformat()}, trace_id=telemetry.trace_id(),
                ),
            )  # fmt: skip
        return await self.list(PricesRequest(principal=who, connector=request.connector))

    async def list(self, request: PricesRequest) -> PricesReply:
        """A connector's prices, the one that holds latest first. Raises NotFound."""
        self._known(request.connector)
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = await work.connection.fetch(
                "select connector, sar, since, reference, set_by, recorded_at from execution.prices "
                "where tenant_id = $1 and connector = $2 order by since desc limit $3",
                tenant, request.connector, SHOWN,
            )  # fmt: skip
        return PricesReply(items=tuple(Price(**dict(row)) for row in rows))

    def _known(self, connector: str) -> None:
        if connector not in self._connectors:
            raise NotFound
