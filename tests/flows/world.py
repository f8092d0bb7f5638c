"""Trust and execution as they are, on the in-memory bus and stores; data, operating and the vendors written by hand.

Nothing here decides anything: what a test sees refused was refused by the planes.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.actions import effects
from libs.contracts.data import ConsentClaim, ContactFacts, FactsReply, FactsRequest
from libs.contracts.execution import Action, ActionGet, ActionItem, Receipt, SubmitRequest, SubmitResult
from libs.contracts.flows import AgentAnswer, AskAgent
from libs.contracts.launch import LiveAllowed, LiveAllowedRequest
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.operating import FlagsReply, FlagsRequest
from libs.contracts.subjects import (
    ACTION,
    APPROVAL,
    APPROVE,
    ASK_AGENT,
    AUTHORIZE,
    FACTS,
    FLAGS,
    KEYS,
    LIVE_ALLOWED,
    SUBMIT,
)
from libs.contracts.trust import (
    Approval,
    ApprovalRequest,
    ApproveRequest,
    AuthorizeReply,
    AuthorizeRequest,
    ResourceRef,
)
from libs.runtime.plane import Runtime, ended
from libs.runtime.testing import FakeClock, MemoryBus, MemoryHub
from services.execution import app as execution
from services.execution.connectors.base import Profile, Sandbox, receipt
from services.execution.flows.domain.definition import Definitions
from services.execution.flows.memory import MemoryBackend
from services.execution.gate import Admitted
from services.execution.memory import MemoryStore as ExecutionStore
from services.execution.router import TaskRouter, catalogue_router
from services.trust import app as trust
from services.trust.bundles.force import Bundles
from services.trust.domain.keys import TrustKeys
from services.trust.domain.policy import Bundle
from services.trust.handlers import Books
from services.trust.memory import MemoryStore as TrustStore

TENANT = UUID("01930000-0000-7000-8000-00000000000a")
OTHER_TENANT = UUID("01930000-0000-7000-8000-00000000000b")
BUNDLE = Bundle(trust.POLICIES.read_text(encoding="utf-8"))
GRANT_SECONDS = 120


def keys_from(name: str) -> TrustKeys:
    """A key set made from a name: the same name, the same keys."""

    def seed(purpose: str) -> str:
        return base64.b64encode(hashlib.sha256(f"{name} {purpose}".encode()).digest()).decode()

    document: dict[str, object] = {
        purpose: {"kid": f"{purpose}-{name}", "seed": seed(purpose)} for purpose in ("grant", "checkpoint", "statement")
    }
    return TrustKeys.from_json(json.dumps({**document, "identifier": seed("identifier")}))


KEYS_OF_TRUST = keys_from("trust")


def person(number: int, *roles: str, tenant: UUID = TENANT) -> Principal:
    return Principal(id=f"user:{number}", kind="user", tenant_id=tenant, roles=roles or ("member",))


REQUESTER = person(1, "operator")
APPROVER = person(2, "approver")
SECOND_APPROVER = person(3, "owner")
API_KEY = Principal(id="key:1", kind="api_key", tenant_id=TENANT, roles=("api_client", "approver", "owner"))
AGENT = Principal(id="agent:outreach_writer", kind="agent", tenant_id=TENANT, roles=("approver", "owner"))


@dataclass
class FakeData:
    """The data plane's answer to FACTS: what it holds, and nothing for other tenants' contacts."""

    contacts: dict[tuple[UUID, UUID], ContactFacts] = field(default_factory=dict)
    asked: list[FactsRequest] = field(default_factory=list)

    async def facts(self, request: FactsRequest) -> FactsReply:
        self.asked.append(request)
        found = (self.contacts.get((request.tenant_id, contact)) for contact in request.contact_ids)
        return FactsReply(items=tuple(facts for facts in found if facts is not None))


@dataclass
class FakeOperating:
    """The operating plane's answers to FLAGS and LIVE_ALLOWED. Launch gates are closed unless `gates` says otherwise."""

    flags: dict[UUID, dict[str, bool]] = field(default_factory=dict)
    gates: dict[UUID, LiveAllowed] = field(default_factory=dict)

    async def allowed(self, request: LiveAllowedRequest) -> LiveAllowed:
        return self.gates.get(request.tenant_id, LiveAllowed(allowed=True))

    async def answer(self, request: FlagsRequest) -> FlagsReply:
        return FlagsReply(flags=self.flags.get(request.tenant_id, {}), version=1)


@dataclass(frozen=True)
class Sent:
    """What reached the wire."""

    connector: str
    operation: str
    mode: str
    tenant_id: UUID
    action_id: UUID
    attempt: int
    grant_id: UUID
    payload: Mapping[str, Any]


@dataclass
class Wire:
    """Where every connector ends. `fail_with` lets the next effects fail, one by one, after they were sent."""

    sent: list[Sent] = field(default_factory=list)
    fail_with: list[BaseException] = field(default_factory=list)
    before: Callable[[Admitted], Any] | None = None

    @property
    def payloads(self) -> list[Mapping[str, Any]]:
        return [one.payload for one in self.sent]


class RecordingConnector:
    """Stands where a vendor's connector stands; takes an Admitted, as they all do, and writes down what it was given."""

    def __init__(self, key: str, wire: Wire, clock: FakeClock) -> None:
        self.profile = Profile(key, key, key, "1", ("send",), "confidential", False, False, "none")
        self._wire = wire
        self._clock = clock

    async def perform(self, admitted: Admitted) -> Receipt:
        claims = admitted.claims
        if self._wire.before is not None:
            await self._wire.before(admitted)
        self._wire.sent.append(
            Sent(
                claims.connector,
                claims.operation,
                claims.connector_mode.value,
                claims.tenant_id,
                claims.action_id,
                claims.attempt,
                claims.grant_id,
                dict(admitted.payload),
            )
        )
        if self._wire.fail_with:
            raise self._wire.fail_with.pop(0)
        at = self._clock()
        return receipt(
            admitted,
            vendor_id=f"vendor-{len(self._wire.sent)}",
            request=b"",
            response=b"",
            started_at=at,
            finished_at=at,
        )


@dataclass
class World:
    clock: FakeClock
    hub: MemoryHub
    gateway: MemoryBus
    execution_bus: MemoryBus
    trust_bus: MemoryBus
    operating_bus: MemoryBus
    data: FakeData
    operating: FakeOperating
    wire: Wire
    trust_store: TrustStore
    execution_store: ExecutionStore
    approving: trust.Approving
    authorizer: trust.Authorizer
    parts: execution.Parts
    requests: list[AuthorizeRequest]
    replies: list[AuthorizeReply]
    tamper: Callable[[AuthorizeRequest, AuthorizeReply], AuthorizeReply] | None = None
    _workers: list[asyncio.Task[None]] = field(default_factory=list)

    # -- living and dying ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let execution's workers begin, as a process does."""
        intake = self.parts.intake
        self._workers = [asyncio.create_task(run()) for run in (intake.accept, intake.work, intake.work)]

    async def kill(self) -> None:
        """End execution's workers wherever they are, as a killed process does. What was committed stays."""
        await ended(self._workers)
        self._workers = []

    # -- moving on -------------------------------------------------------------------------------------------------------

    def _progress(self) -> tuple[int, ...]:
        hub = self.hub
        counts = (len(hub.calls), len(hub.published), self.trust_store.commits, self.execution_store.commits)
        return (*counts, len(self.wire.sent))

    async def quiet(self) -> None:
        """Until nothing moves any more. Everything is in this process, so that loop turns are all it takes."""
        still = 0
        while still < 100:
            before = self._progress()
            await asyncio.sleep(0)
            still = still + 1 if self._progress() == before else 0
        await self.hub.settle()

    async def settle(self) -> None:
        """Let everything that is due now happen: batches, events, and what the claimer takes up."""
        await self.quiet()
        while await self.parts.claimer.claim() or await self.parts.flows.engine.tick():
            await self.quiet()

    # -- asking ----------------------------------------------------------------------------------------------------------

    async def submit(self, *items: ActionItem, by: Principal = REQUESTER) -> tuple[SubmitResult, ...]:
        reply = await self.gateway.call(SUBMIT, SubmitRequest(principal=by, items=items))
        await self.settle()
        return reply.results

    async def action(self, action_id: UUID, by: Principal = REQUESTER) -> Action:
        return await self.gateway.call(ACTION, ActionGet(principal=by, action_id=action_id))

    async def run(self, item: ActionItem, by: Principal = REQUESTER) -> Action:
        """Submit one action, let happen what can, and look at it."""
        (result,) = await self.submit(item, by=by)
        assert result.error is None, result.error
        return await self.action(result.action_id, by)

    async def approval_of(self, action: Action, by: Principal = APPROVER) -> Approval:
        assert action.approval_id is not None, (action.state, [r.code for r in action.reasons])
        return await self.gateway.call(APPROVAL, ApprovalRequest(principal=by, approval_id=action.approval_id))

    async def approve(self, action: Action, *by: Principal) -> Action:
        """Have people approve exactly what is asked for, and let happen what follows."""
        for one in by or (APPROVER,):
            asked = await self.approval_of(action, one)
            await self.gateway.call(APPROVE, vote(asked, one))
        await self.settle()
        return await self.action(action.action_id)

    # -- who is written to -----------------------------------------------------------------------------------------------

    def contact(self, *, tenant: UUID = TENANT, **facts: Any) -> ContactFacts:
        """A contact that may be written to, unless `facts` say otherwise; data knows it, trust has not asked yet."""
        number = len(self.data.contacts)
        base = ContactFacts(
            contact_id=new_id(),
            account_id=None,
            email=f"person{number}@customer.example",
            phone=f"+96650000{number:04d}",
            source="website_form",
            obtained_at=None,
            collected_directly=True,
            email_valid=True,
            consents=(self.consent("whatsapp"),),
        )
        made: ContactFacts = base.evolve(**facts)
        self.data.contacts[tenant, made.contact_id] = made
        return made

    def consent(self, channel: str, purpose: str = "marketing", **claim: Any) -> ConsentClaim:
        base = ConsentClaim(
            channel=channel, purpose=purpose, captured_at=self.clock(), method="web_form", evidence="form 12, row 3"
        )
        made: ConsentClaim = base.evolve(**claim)
        return made

    def relearn(self, contact: ContactFacts, *, tenant: UUID = TENANT, **facts: Any) -> ContactFacts:
        """Data's truth of a contact changes."""
        changed: ContactFacts = contact.evolve(version=contact.version + 1, **facts)
        self.data.contacts[tenant, contact.contact_id] = changed
        return changed


def vote(asked: Approval, by: Principal, **changes: Any) -> ApproveRequest:
    fields = {"payload_hash": asked.payload_hash, "view_hash": asked.view_hash, **changes}
    return ApproveRequest(principal=by, approval_id=asked.approval_id, **fields)


# -- actions that would be carried out, were nothing against it -----------------------------------------------------------------


def item(action_type: str, payload: dict[str, Any], resource: ResourceRef | None = None, **fields: Any) -> ActionItem:
    about = resource or ResourceRef(type="tenant", id=str(TENANT))
    return ActionItem(action_id=new_id(), action_type=action_type, resource=about, payload=payload, **fields)


def notice(text: str = "مرحبا", **fields: Any) -> ActionItem:
    return item("slack_notify", {"text": text}, **fields)


def about(contact: ContactFacts) -> ResourceRef:
    return ResourceRef(type="contact", id=str(contact.contact_id))


def email_payload(contact: ContactFacts, **changes: Any) -> dict[str, Any]:
    return {
        "to": contact.email,
        "subject": "عرض تعريفي",
        "body": "السلام عليكم، معكم شركة أفق. لإيقاف الرسائل: رد بكلمة إيقاف.",
        "from_name": "شركة أفق",
        "from_email": "sales@ofoq.example",
        **changes,
    }


def email(contact: ContactFacts, *, action_type: str = "send_email", **changes: Any) -> ActionItem:
    return item(action_type, email_payload(contact, **changes), about(contact))


def whatsapp(contact: ContactFacts, **changes: Any) -> ActionItem:
    payload = {k: v for k, v in email_payload(contact).items() if k not in ("subject", "from_email")}
    return item("send_whatsapp", {**payload, "to": contact.phone, "template": "intro", **changes}, about(contact))


def charge(**fields: Any) -> ActionItem:
    return item("create_charge", {"amount": "1500.00", "currency": "SAR", "customer": "c-1"}, **fields)


# -- building ------------------------------------------------------------------------------------------------------------------


def vendors(wire: Wire, clock: FakeClock) -> list[RecordingConnector]:
    """One for every connector that the catalogue names, so that nothing can leave unseen."""
    keys = sorted({effect.connector for effect in effects().values()} - {"internal", "manual", "none"})
    return [RecordingConnector(key, wire, clock) for key in keys]


async def _published() -> tuple[dict[str, Any], ...]:
    return KEYS_OF_TRUST.jwks()


@asynccontextmanager
async def world(
    *,
    router: TaskRouter | None = None,
    connectors: Callable[[Sandbox, FakeClock], Sequence[Any]] | None = None,
    over: Callable[[ExecutionStore], Any] = lambda store: store,
    definitions: Definitions | None = None,
    answer: Callable[[AskAgent], Awaitable[AgentAnswer]] | None = None,
) -> AsyncIterator[World]:
    """Running planes. `connectors` makes others than the recording ones; `over` puts something between execution and its store.
    `definitions` are other flows than the catalogue's; `answer` stands where decision answers for its agents."""
    clock, hub, wire = FakeClock(), MemoryHub(), Wire()
    data, operating = FakeData(), FakeOperating()
    trust_bus, execution_bus = hub.bus(Plane.TRUST), hub.bus(Plane.EXECUTION)
    data_bus, operating_bus, gateway = hub.bus(Plane.DATA), hub.bus(Plane.OPERATING), hub.bus(Plane.GATEWAY)
    data_bus.serve(FACTS, data.facts)
    operating_bus.serve(FLAGS, operating.answer)
    operating_bus.serve(LIVE_ALLOWED, operating.allowed)
    if answer is not None:
        hub.bus(Plane.DECISION).serve(ASK_AGENT, answer)

    trust_store = TrustStore(trust_bus.database, now=clock)
    served = trust.serve(trust_bus, trust_store, Bundles(BUNDLE), KEYS_OF_TRUST, grant_seconds=GRANT_SECONDS)
    trust_bus.serve(KEYS, Books(trust_bus.database, "example.test/log", _published).keys)  # type: ignore[arg-type]

    execution_store = ExecutionStore(execution_bus.database, now=clock)
    runtime = Runtime(Plane.EXECUTION, None, execution_bus, execution_bus.database, now=clock)  # type: ignore[arg-type]
    sandbox = Sandbox(clock)
    parts = execution.serve(
        runtime,
        over(execution_store),
        connectors(sandbox, clock) if connectors is not None else vendors(wire, clock),
        sandbox,
        router or catalogue_router(),
        flows=MemoryBackend(execution_bus.database, execution_store, clock),
        clock=lambda: clock().timestamp(),
        definitions=definitions,
    )
    made = World(
        clock, hub, gateway, execution_bus, trust_bus, operating_bus, data, operating, wire, trust_store,
        execution_store, served.approving, served.authorizer, parts, [], [],
    )  # fmt: skip
    _listen_in(made)
    await hub.start()
    await parts.pipeline.load_keys()
    made.start()
    try:
        yield made
    finally:
        await made.kill()
        await hub.stop()


def _listen_in(made: World) -> None:
    """Keep what trust was asked and answered; `tamper` changes answers on their way."""
    call, handler = made.trust_bus.call_handlers[AUTHORIZE.subject]

    async def authorize(request: AuthorizeRequest) -> AuthorizeReply:
        reply: AuthorizeReply = await handler(request)
        made.requests.append(request)
        made.replies.append(reply)
        return made.tamper(request, reply) if made.tamper is not None else reply

    made.trust_bus.call_handlers[AUTHORIZE.subject] = (call, authorize)


def granted(reply: AuthorizeReply, **changes: Any) -> AuthorizeReply:
    """The reply with fields of its first decision's grant changed."""
    first = reply.decisions[0]
    assert first.grant is not None
    changed = first.evolve(grant=first.grant.evolve(**changes))
    return AuthorizeReply(decisions=(changed, *reply.decisions[1:]))
