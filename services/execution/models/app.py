"""Wires what asks models, for execution's composition root."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from libs.contracts.canaries import RunOutcome
from libs.contracts.catalogue.models import LOCAL, models
from libs.contracts.subjects import COMPLETE, DROP_MODEL, MODELS, SET_MODEL, SET_MODEL_BUDGET
from libs.runtime.plane import Runtime
from services.execution.canaries.choosing import Canaries
from services.execution.canaries.store import CanaryRows
from services.execution.connectors.base import Sandbox
from services.execution.connectors.model import Keys, Model
from services.execution.live.reach import allowed_hosts
from services.execution.models.asking import Asking, Carry
from services.execution.models.calls import Calls
from services.execution.models.desk import Completing, Holds
from services.execution.models.setup import ModelSetup
from services.execution.router import TaskRouter
from services.execution.store import Store


def vendors(runtime: Runtime, sandbox: Sandbox, keys: Keys, calls: Calls) -> Sequence[Model]:
    """A connector for every provider beside the local one, from which nothing leaves."""
    return [
        Model(provider, sandbox, keys, calls, runtime.now, allowed_hosts())
        for provider in models().providers.values()
        if provider.key != LOCAL
    ]


def serve_models(
    runtime: Runtime, store: Store, router: TaskRouter, carry: Carry, calls: Calls, canaries: Canaries, holds: Holds
) -> Completing:
    """Answer everything about models."""

    async def report(tenant: UUID, run_id: UUID, outcome: RunOutcome) -> None:
        async with runtime.database.batch(tenant) as work:
            await CanaryRows(work.connection).report(tenant, run_id, outcome.value)

    asking = Asking(runtime, store, router, carry, calls)
    completing = Completing(runtime.database, asking, holds, canaries.assign_run, report)
    setup = ModelSetup(runtime, holds)
    runtime.bus.serve(COMPLETE, completing.complete)
    runtime.bus.serve(MODELS, setup.list)
    runtime.bus.serve(SET_MODEL, setup.set)
    runtime.bus.serve(DROP_MODEL, setup.drop)
    runtime.bus.serve(SET_MODEL_BUDGET, setup.set_budget)
    return completing
