"""Canaries as people and decision use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from libs.contracts.canaries import (
    Assigned,
    AssignRun,
    CanariesReply,
    CanariesRequest,
    Canary,
    CanaryChange,
    CanaryGet,
    CanaryKind,
    CanaryRunsReply,
    CanaryRunsRequest,
    CanaryState,
    ChangeCanary,
    ReportRun,
    StartCanary,
)
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Ok, Page, Plane, Principal, PrincipalKind
from libs.contracts.subjects import AUDITED
from libs.runtime.plane import Runtime
from services.execution.canaries.choosing import Canaries
from services.execution.canaries.errors import AlreadyTaking, Ended, PercentMissing, UnknownVersion
from services.execution.canaries.store import CanaryRows
from services.execution.canaries.watch import Watch, entry

CHANGERS = frozenset({"owner", "admin", "operator"})
CHANGES = {
    CanaryChange.RESIZE: CanaryState.RUNNING, CanaryChange.PROMOTE: CanaryState.PROMOTED, CanaryChange.STOP: CanaryState.STOPPED,
}  # fmt: skip
RECORDED = {
    CanaryChange.RESIZE: "canary.resized", CanaryChange.PROMOTE: "canary.promoted", CanaryChange.STOP: "canary.stopped",
}  # fmt: skip

ModelVersions = Callable[[UUID, str], Awaitable[list[str]]]
"""Of a tenant and an agent the models that a canary may name, as `provider:model`."""


class CanaryDesk:
    def __init__(
        self, runtime: Runtime, canaries: Canaries, watch: Watch, of_models: ModelVersions | None = None
    ) -> None:
        """`of_models` says which models a tenant's canary of an agent may name; without it there are none."""
        self._of_models = of_models
        self._runtime = runtime
        self._canaries = canaries
        self._watch = watch

    async def start(self, request: StartCanary) -> Canary:
        """Start a canary; a repeated request answers with the one it started.

        Raises UnknownVersion for a version that nobody would run, AlreadyTaking.
        """
        _may_change(request.principal)
        known = self._canaries.known(request.kind, request.target)
        if request.kind is CanaryKind.MODEL and self._of_models is not None:
            known = await self._of_models(request.principal.tenant_id, request.target)
        if request.version not in known:
            raise UnknownVersion(request.kind.value, f"{request.target} {request.version}", known)
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = CanaryRows(work.connection)
            started = await rows.start(request)
            found = await rows.get(tenant, request.canary_id)
            if found is None:
                raise AlreadyTaking(request.target)
            if started:
                kind, actor = "canary.started", request.principal.id
                work.emit(AUDITED[Plane.EXECUTION], entry(self._runtime, found, kind, actor, request.reason))
        await self._watch.refresh()
        return found

    async def change(self, request: ChangeCanary) -> Canary:
        """Another share, everything or nothing.

        Raises Ended when it takes no runs any more, PercentMissing.
        """
        _may_change(request.principal)
        if request.change is CanaryChange.RESIZE and request.percent is None:
            raise PercentMissing
        who, state = request.principal, CHANGES[request.change]
        percent = request.percent if request.change is CanaryChange.RESIZE else None
        async with self._runtime.database.batch(who.tenant_id) as work:
            rows = CanaryRows(work.connection)
            found = await self._found(rows, who.tenant_id, request.canary_id)
            if not await rows.change(who.tenant_id, request.canary_id, state.value, percent, who.id, request.reason):
                raise Ended(found.state.value)
            found = await self._found(rows, who.tenant_id, request.canary_id)
            work.emit(
                AUDITED[Plane.EXECUTION],
                entry(self._runtime, found, RECORDED[request.change], who.id, request.reason),
            )
        await self._watch.refresh()
        return found

    async def get(self, request: CanaryGet) -> Canary:
        async with self._runtime.database.batch(request.principal.tenant_id) as work:
            return await self._found(CanaryRows(work.connection), request.principal.tenant_id, request.canary_id)

    async def page(self, request: CanariesRequest) -> CanariesReply:
        tenant, limit = request.principal.tenant_id, request.page.limit
        async with self._runtime.database.batch(tenant) as work:
            rows = CanaryRows(work.connection)
            found = await rows.page(tenant, request.state, request.kind, _before(request.page), limit + 1)
        more = str(found[limit - 1].canary_id) if len(found) > limit else None
        return CanariesReply(items=tuple(found[:limit]), next_cursor=more)

    async def runs(self, request: CanaryRunsRequest) -> CanaryRunsReply:
        """Assignments, the newest first."""
        tenant, limit = request.principal.tenant_id, request.page.limit
        async with self._runtime.database.batch(tenant) as work:
            rows = CanaryRows(work.connection)
            await self._found(rows, tenant, request.canary_id)
            found = await rows.runs(tenant, request.canary_id, _before(request.page), limit + 1)
        more = str(found[limit - 1].run_id) if len(found) > limit else None
        return CanaryRunsReply(items=tuple(found[:limit]), next_cursor=more)

    async def assign(self, request: AssignRun) -> Assigned:
        return await self._canaries.assign_run(request)

    async def report(self, request: ReportRun) -> Ok:
        async with self._runtime.database.batch(request.tenant_id) as work:
            await CanaryRows(work.connection).report(request.tenant_id, request.run_id, request.outcome.value)
        return Ok()

    async def _found(self, rows: CanaryRows, tenant: UUID, canary_id: UUID) -> Canary:
        found = await rows.get(tenant, canary_id)
        if found is None:
            raise NotFound
        return found


def _may_change(who: Principal) -> None:
    """People and keys with the role; an agent does not choose its own version."""
    if who.kind is PrincipalKind.AGENT or not CHANGERS & set(who.roles):
        raise Forbidden


def _before(page: Page) -> UUID | None:
    try:
        return UUID(page.cursor) if page.cursor else None
    except ValueError as error:
        raise NotFound("bad_cursor", "The cursor is not one of ours.", "مؤشر الصفحة غير صالح.") from error
