"""Models as people choose them: which one of a provider is asked and what it costs, and the most that is spent in a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.models import LOCAL, DayBudget, models
from libs.contracts.completions import DropModel, ModelsReply, ModelsRequest, SetModel, SetModelBudget
from libs.contracts.errors import NotFound
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.execution.models.desk import Holds
from services.execution.models.errors import ModelsForbidden, NothingLeaves, UnknownProvider
from services.execution.models.store import ModelRows

SETS_UP = frozenset({"owner", "admin"})


class ModelSetup:
    def __init__(self, runtime: Runtime, holds: Holds) -> None:
        self._runtime = runtime
        self._holds = holds

    async def list(self, request: ModelsRequest) -> ModelsReply:
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = ModelRows(work.connection, tenant)
            entries, budget = await rows.entries(), await rows.budget()
            used, calls, refused = await rows.today()
        keyed = [key for key in models().providers if key != LOCAL and await self._holds(tenant, key)]
        return ModelsReply(
            items=entries, keyed=tuple(keyed), tokens_a_day=budget.tokens_a_day, sar_a_day=budget.sar_a_day, tokens=used.tokens, sar=used.sar,
            calls=calls, refused=refused,
        )  # fmt: skip

    async def set(self, request: SetModel) -> ModelsReply:
        """Record a model with its price. Raises ModelsForbidden, UnknownProvider, NothingLeaves."""
        _may(request.principal)
        if request.provider not in models().providers:
            raise UnknownProvider(request.provider)
        if request.provider == LOCAL:
            raise NothingLeaves
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            await ModelRows(work.connection, tenant).put(request)
            data = {
                "input_sar": str(request.input_sar), "output_sar": str(request.output_sar), "usual": request.usual, "reference": request.reference,
            }  # fmt: skip
            self._note(work, tenant, request.principal.id, "model.set", f"{request.provider}:{request.model}", data)
        return await self.list(ModelsRequest(principal=request.principal))

    async def drop(self, request: DropModel) -> ModelsReply:
        """Forget a model: it is not asked any more. Raises ModelsForbidden, NotFound."""
        _may(request.principal)
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            if not await ModelRows(work.connection, tenant).drop(request.provider, request.model):
                raise NotFound
            self._note(work, tenant, request.principal.id, "model.dropped", f"{request.provider}:{request.model}", {})
        return await self.list(ModelsRequest(principal=request.principal))

    async def set_budget(self, request: SetModelBudget) -> ModelsReply:
        """Raises ModelsForbidden."""
        _may(request.principal)
        tenant = request.principal.tenant_id
        budget = DayBudget(tokens_a_day=request.tokens_a_day, sar_a_day=request.sar_a_day)
        async with self._runtime.database.batch(tenant) as work:
            await ModelRows(work.connection, tenant).set_budget(budget, request.principal.id)
            self._note(work, tenant, request.principal.id, "model.budget_set", "day", budget.model_dump(mode="json"))
        return await self.list(ModelsRequest(principal=request.principal))

    def _note(self, work: BatchWork, tenant: UUID, actor: str, kind: str, target: str, data: Mapping[str, Any]) -> None:
        work.emit(
            AUDITED[Plane.EXECUTION],
            AuditRecorded(
                entry_id=new_id(), tenant_id=tenant, kind=kind, actor=actor, target=f"model:{target}", at=self._runtime.now(), data=dict(data),
                trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip


def _may(who: Principal) -> None:
    if who.kind is PrincipalKind.AGENT or not SETS_UP & set(who.roles):
        raise ModelsForbidden
