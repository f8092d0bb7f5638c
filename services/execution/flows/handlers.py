"""What is asked and told about flows by call: start, look, signal, command. Roles are checked here, whoever calls."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import ValidationError

from libs.contracts.catalogue.flows import flow_entries
from libs.contracts.errors import DealixError, Forbidden, NotFound
from libs.contracts.flows import (
    ENDED,
    MAX_PAYLOAD_BYTES,
    CommandFlow,
    Flow,
    FlowGet,
    FlowKind,
    FlowKindsReply,
    FlowKindsRequest,
    FlowsReply,
    FlowsRequest,
    FlowsStarted,
    FlowStarted,
    FlowVerb,
    RevisionsReply,
    RevisionsRequest,
    SignalFlow,
    StartFlow,
    StartFlows,
)
from libs.contracts.message import Principal, Reason, Text, new_id
from services.execution.flows.backend import ExecutionBackend, FlowUnit
from services.execution.flows.domain.definition import Definition, Definitions
from services.execution.flows.domain.moving import command, fork, migrate
from services.execution.flows.domain.run import Run, Signal
from services.execution.flows.domain.sizes import json_size
from services.execution.flows.engine import FlowEngine
from services.execution.flows.errors import (
    BadInput,
    FlowEnded,
    MayNotSignal,
    NothingToMigrate,
    NotKept,
    PayloadTooLarge,
    StepNeeded,
    UnknownFlow,
    UnknownSignal,
    VersionMissing,
)
from services.execution.flows.starting import Answer, Kept, Start, Starts

SUBMITTERS = frozenset({"owner", "admin", "approver", "operator", "member", "api_client"})


class FlowDesk:
    def __init__(self, backend: ExecutionBackend, definitions: Definitions, engine: FlowEngine) -> None:
        self._backend = backend
        self._definitions = definitions
        self._engine = engine
        self._starts = Starts(backend, engine)

    async def start(self, request: StartFlow) -> Flow:
        """Keep a new flow; it is durable when this answers. The same id again answers with the flow that is there.

        Raises Forbidden, UnknownFlow, BadInput, PayloadTooLarge, FlowIdTaken, Busy.
        """
        start = self._read(_submitter(request.principal), request.flow_id, request.flow, request.input)
        (answer,) = await self._starts.keep([start])
        if isinstance(answer, Exception):
            raise answer
        return answer.shown() if isinstance(answer, Kept) else answer

    async def start_many(self, request: StartFlows) -> FlowsStarted:
        """Keep up to a thousand new flows. Each is kept or refused by itself, and what is kept is durable when this answers.

        Raises Forbidden, Busy: then nothing is kept.
        """
        who = _submitter(request.principal)
        read: list[Start | DealixError] = []
        for one in request.items:
            try:
                read.append(self._read(who, one.flow_id, one.flow, one.input))
            except DealixError as refusal:
                read.append(refusal)
        starts = [one for one in read if isinstance(one, Start)]
        kept = iter(await self._starts.keep(starts) if starts else ())
        answers = [next(kept) if isinstance(one, Start) else one for one in read]
        return FlowsStarted(
            results=tuple(_started(one.flow_id, answer) for one, answer in zip(request.items, answers, strict=True))
        )

    def _read(self, who: Principal, flow_id: UUID, name: str, given: dict[str, Any]) -> Start:
        definition = self._definitions.newest(name)
        if definition is None:
            raise UnknownFlow(name)
        _fits(given)
        return Start(who, flow_id, definition, given)

    async def signal(self, request: SignalFlow) -> Flow:
        """Keep a signal. It is durable when this answers, and the same one again changes nothing.

        Raises Forbidden, NotFound, FlowEnded, UnknownSignal, MayNotSignal, BadInput, PayloadTooLarge, SignalIdTaken.
        """
        who = _submitter(request.principal)
        _fits(request.payload)
        async with self._backend.unit(who.tenant_id) as unit:
            run = await unit.run(who.tenant_id, request.flow_id)
            if run is None:
                raise NotFound
            if run.status in ENDED:
                raise FlowEnded(run.status)
            known = self._of(run).signals()
            if request.name not in known:
                raise UnknownSignal(request.name, known)
            kind, may = known[request.name]
            if may and not set(may) & set(who.roles):
                raise MayNotSignal(may)
            try:
                kind.model_validate(request.payload)
            except ValidationError as error:
                raise BadInput("payload", "محتوى الإشارة", error) from error
            await unit.add_signal(
                who.tenant_id, request.flow_id, Signal(request.signal_id, request.name, request.payload, who.id)
            )
            found = await _shown(unit, who.tenant_id, request.flow_id)
        self._engine.sent(())
        return found

    async def command(self, request: CommandFlow) -> Flow:
        """Do what a person commands; whoever has the flow in hand is fenced.

        Raises Forbidden, NotFound, VersionMissing, and what `domain.moving` refuses.
        """
        who = _submitter(request.principal)
        tenant = who.tenant_id
        async with self._backend.unit(tenant) as unit:
            if request.verb is FlowVerb.FORK:
                changed = await self._fork(unit, request, who)
                jobs: list[Any] = []
            else:
                run = await unit.take(tenant, request.flow_id)
                if run is None:
                    raise NotFound
                now = await unit.now()
                facts = (await unit.facts([run], now))[run.key]
                if request.verb is FlowVerb.MIGRATE:
                    definition = self._definitions.newest(run.flow)
                    if definition is None:
                        raise NothingToMigrate(f"{run.flow}@{run.version}")
                    made = migrate(definition, run, facts, who)
                else:
                    definition = self._of(run)
                    made = command(definition, run, facts, request.verb, who, step=request.step)
                made.again = True
                jobs = await self._engine.write(unit, [(definition, made)], now)
                changed = request.flow_id
            found = await _shown(unit, tenant, changed)
        self._engine.sent(jobs)
        return found

    async def _fork(self, unit: FlowUnit, request: CommandFlow, who: Principal) -> UUID:
        if request.step is None:
            raise StepNeeded
        run = await unit.run(who.tenant_id, request.flow_id)
        if run is None:
            raise NotFound
        definition, now = self._of(run), await unit.now()
        history = await unit.history(who.tenant_id, request.flow_id)
        made = fork(definition, run, history, request.step, request.new_id or new_id(), who, now)
        if await unit.add([made]):
            await self._engine.write(unit, [(definition, made)], now, new=True)
        return made.run.flow_id

    def _of(self, run: Run) -> Definition:
        definition = self._definitions.get(run.flow, run.version)
        if definition is None:
            raise VersionMissing(f"{run.flow}@{run.version}")
        return definition

    async def get(self, request: FlowGet) -> Flow:
        async with self._backend.unit(request.principal.tenant_id) as unit:
            return await _shown(unit, request.principal.tenant_id, request.flow_id)

    async def list(self, request: FlowsRequest) -> FlowsReply:
        tenant, page = request.principal.tenant_id, request.page
        async with self._backend.unit(tenant) as unit:
            found = await unit.flows(tenant, request.flow, request.status, _cursor(page.cursor), page.limit + 1)
        items = found[: page.limit]
        return FlowsReply(items=tuple(items), next_cursor=str(items[-1].flow_id) if len(found) > page.limit else None)

    async def revisions(self, request: RevisionsRequest) -> RevisionsReply:
        """Every transition in order, each with the whole state after it."""
        tenant, page = request.principal.tenant_id, request.page
        after = int(page.cursor) if page.cursor and page.cursor.isdigit() else 0
        async with self._backend.unit(tenant) as unit:
            if await unit.run(tenant, request.flow_id) is None:
                raise NotFound
            found = await unit.revisions(tenant, request.flow_id, after, page.limit + 1)
        items = found[: page.limit]
        return RevisionsReply(items=tuple(items), next_cursor=str(items[-1].seq) if len(found) > page.limit else None)

    async def kinds(self, _: FlowKindsRequest) -> FlowKindsReply:
        """What can be started, and what each wants to know."""
        entries = flow_entries()
        return FlowKindsReply(items=tuple(_kind(one, entries) for one in self._definitions))


def _kind(definition: Definition, entries: Any) -> FlowKind:
    entry = entries.get(definition.name)
    return FlowKind(
        flow=definition.name, version=definition.version, horizon=definition.flow.horizon,
        title=entry.title if entry else Text(en=definition.name, ar=definition.name), about=entry.about if entry else Text(en="", ar=""),
        input_schema=definition.input.model_json_schema(),
        signals={name: kind.model_json_schema() for name, (kind, _) in definition.signals().items()}, steps=tuple(definition.nodes),
        step_titles=entry.steps if entry else {},
    )  # fmt: skip


def _started(flow_id: UUID, answer: Answer) -> FlowStarted:
    if isinstance(answer, Kept | Flow):
        return FlowStarted(flow_id=flow_id, status=answer.status)
    told = answer if isinstance(answer, DealixError) else NotKept()
    return FlowStarted(flow_id=flow_id, status=None, error=Reason(code=told.code, en=told.en, ar=told.ar))


async def _shown(unit: FlowUnit, tenant_id: UUID, flow_id: UUID) -> Flow:
    found = await unit.get(tenant_id, flow_id)
    if found is None:
        raise NotFound
    return found


def _submitter(principal: Principal) -> Principal:
    if not SUBMITTERS & set(principal.roles):
        raise Forbidden
    return principal


def _fits(payload: dict[str, Any]) -> None:
    if json_size(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadTooLarge


def _cursor(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise NotFound("bad_cursor", "The cursor is not one of ours.", "مؤشر الصفحة غير صالح.") from error
