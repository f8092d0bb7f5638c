"""The trust hop: a batch of evaluations in, a durable decision each, then the reply.

No durable decision row, no grant. The same evaluation again gets the same decision and the same grant.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from libs.contracts import merkle
from libs.contracts.canonical import digest
from libs.contracts.errors import DealixError
from libs.contracts.message import PrincipalKind, new_id
from libs.contracts.operating import FlagsRequest
from libs.contracts.subjects import APPROVAL_REQUESTED, FLAGS
from libs.contracts.trust import (
    ActionClass,
    ApprovalRequested,
    AuthorizeReply,
    AuthorizeRequest,
    Decision,
    EvaluateRequest,
    Evaluation,
    Grant,
    GrantClaims,
    Outcome,
)
from libs.runtime.bus import Bus
from services.trust.approvals.asking import Asking
from services.trust.approvals.sequences import cite, spend
from services.trust.approvals.tokens import redeem, use
from services.trust.bundles.force import Bundles, Whose
from services.trust.consent.capping import with_caps
from services.trust.contradictions.watching import with_contradictions
from services.trust.domain import approvals, decide
from services.trust.domain.decide import Prepared
from services.trust.domain.keys import Keys, issue
from services.trust.domain.policy import Answer, Bundle, Question
from services.trust.governance.watching import Agent, agents_of, with_standing
from services.trust.launch.switching import Gates, Held, gates_of
from services.trust.ledger.domain.commitments import (
    DECISION,
    approval_data,
    approval_kind,
    belonging,
    decision_data,
)
from services.trust.ledger.domain.entry import Entry
from services.trust.model_calls.watching import with_models
from services.trust.own_people.watching import with_own_people
from services.trust.projection import Projection
from services.trust.rows import Known, Ruling
from services.trust.sessions.watching import keep_reads, with_reads
from services.trust.store import Store, Unit

FLAGS_FRESH_SECONDS = 5.0
FLAGS_SECONDS = 0.5
"""How long a decision waits for the flags; after that nothing is live."""
POLICY_ACTIVATE = "policy_activate"


class LiveFlags:
    """Which connectors a tenant has switched live. Unknown is off: an unreadable flag never makes anything live."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._cache: dict[UUID, tuple[datetime, dict[str, bool]]] = {}

    async def load(self, tenants: Sequence[UUID], now: datetime) -> None:
        for tenant in tenants:
            seen = self._cache.get(tenant)
            if seen is not None and (now - seen[0]).total_seconds() < FLAGS_FRESH_SECONDS:
                continue
            try:
                reply = await self._bus.call(FLAGS, FlagsRequest(tenant_id=tenant), timeout=FLAGS_SECONDS)
                self._cache[tenant] = (now, dict(reply.flags))
            except DealixError:
                self._cache[tenant] = (now, {})

    async def any_live(self, tenant: UUID) -> bool:
        """Whether any connector of a tenant is live."""
        await self.load([tenant], datetime.now(UTC))
        return any(on for name, on in self._cache[tenant][1].items() if name.startswith("live."))

    def live(self, tenant: UUID, connector: str) -> bool:
        return self._cache.get(tenant, (None, {}))[1].get(f"live.{connector}", False)


class Authorizer:
    """Decides. Holds no state of its own besides caches of what is immutable or short-lived."""

    def __init__(
        self,
        store: Store,
        bundles: Bundles,
        keys: Keys,
        projection: Projection,
        flags: LiveFlags,
        *,
        grant_seconds: int,
    ) -> None:
        self._store = store
        self._bundles = bundles
        self._keys = keys
        self._projection = projection
        self._flags = flags
        self._grant_seconds = grant_seconds
        self.attached: Callable[[Prepared], Awaitable[bool]] | None = None
        """Whether an activation of policies names its replay report; without this none does."""
        self.controls: Callable[[Collection[UUID]], Awaitable[set[UUID]]] | None = None
        """Which tenants have a gate control that fails; without this no control is looked at."""
        self.launch: Gates | None = None
        """How a tenant's launch gates stand; without this nothing is switched live."""
        self.doubted: Callable[[Collection[Agent]], Awaitable[set[Agent]]] | None = None
        """Which agents have a low trust score; without this none is doubted. It can only make an agent ask people."""

    async def authorize(self, request: AuthorizeRequest) -> AuthorizeReply:
        """Decide a batch, keep every decision, and only then answer."""
        prepared = [decide.prepare(e, digest(bytes.fromhex(e.salt), e.payload.encode())) for e in request.evaluations]
        await self._freshen(prepared)
        held, low = await self._held(prepared), await self._low(prepared)
        tenants = {p.evaluation.tenant_id for p in prepared}
        async with self._store.unit(*tenants, plans="kept") as unit:
            known = await unit.known(prepared, [self._recipient(p) for p in prepared])
            now = await unit.now()
            await self._flags.load([t for t in tenants if _has_external(prepared, t)], now)
            replayed = await self._replayed(prepared)
            known = await redeem(unit, self._keys.identifier, prepared, known, now)
            known = await cite(unit, prepared, known, now)
            known = await with_reads(unit, prepared, await with_caps(unit, prepared, known, now))
            known = await with_standing(unit, prepared, known, low)
            known = await with_own_people(unit, prepared, known, [self._recipient(p) for p in prepared], now)
            known = await with_models(unit, prepared, known)
            known = await with_contradictions(unit, prepared, known, now, keep=True)
            # An attempt is decided once; after people have answered, execution asks again as the next attempt.
            fresh = [(p, k) for p, k in zip(prepared, known, strict=True) if k.prior is None]
            rulings = self._rule(fresh, replayed, held, now)
            await use(unit, self._keys.identifier, rulings)
            await spend(unit, rulings, now)
            await unit.keep(rulings)
            await keep_reads(unit, rulings)
            await self._ask_people(unit, rulings, now)
            await unit.append([_entry(ruling, now) for ruling in rulings])
        made = {id(ruling.prepared): ruling.decision for ruling in rulings}
        decisions = [made.get(id(p)) or _prior(k) for p, k in zip(prepared, known, strict=True)]
        return AuthorizeReply(decisions=tuple(decisions))

    async def evaluate(self, request: EvaluateRequest) -> AuthorizeReply:
        """What would be decided, without leaving anything behind and without a grant."""
        prepared = [decide.prepare(e, digest(bytes.fromhex(e.salt), e.payload.encode())) for e in request.evaluations]
        await self._freshen(prepared)
        held, low = await self._held(prepared), await self._low(prepared)
        tenants = {p.evaluation.tenant_id for p in prepared}
        async with self._store.unit(*tenants) as unit:
            known = await unit.known(prepared, [self._recipient(p) for p in prepared])
            now = await unit.now()
            known = await with_reads(unit, prepared, await with_caps(unit, prepared, known, now))
            known = await with_standing(unit, prepared, known, low)
            known = await with_own_people(unit, prepared, known, [self._recipient(p) for p in prepared], now)
            known = await with_models(unit, prepared, known)
            known = await with_contradictions(unit, prepared, known, now, keep=False)
        replayed = await self._replayed(prepared)
        questions = [self._question(p, k, replayed, held, now) for p, k in zip(prepared, known, strict=True)]
        answers = self._bundles.ask([_whose(p) for p in prepared], questions)
        return AuthorizeReply(
            decisions=tuple(
                self._decision(p, q, a, None, None) for p, q, a in zip(prepared, questions, answers, strict=True)
            )
        )

    async def explain(self, evaluation: Evaluation, bundle: Bundle | None) -> tuple[Decision, Question, Bundle]:
        """What `bundle`, or the one in force, says of one hypothetical action, and the facts that it looked at."""
        prepared = decide.prepare(evaluation, digest(bytes.fromhex(evaluation.salt), evaluation.payload.encode()))
        await self._freshen([prepared])
        held, low = await self._held([prepared]), await self._low([prepared])
        async with self._store.unit(evaluation.tenant_id) as unit:
            found = await unit.known([prepared], [self._recipient(prepared)])
            now = await unit.now()
            read = await with_reads(unit, [prepared], await with_caps(unit, [prepared], found, now))
            read = await with_standing(unit, [prepared], read, low)
            read = await with_own_people(unit, [prepared], read, [self._recipient(prepared)], now)
            read = await with_models(unit, [prepared], read)
            (known,) = await with_contradictions(unit, [prepared], read, now, keep=False)
        asked = self._question(prepared, known, await self._replayed([prepared]), held, now)
        bundle = bundle or self._bundles.of(_whose(prepared))
        decision = self._decision(prepared, asked, bundle.ask([asked])[0], None, None)
        return decision.evolve(policy_version=bundle.version), asked, bundle

    async def _replayed(self, prepared: Sequence[Prepared]) -> set[UUID]:
        """Actions that activate policies and name their replay's report."""
        found = set()
        for one in prepared:
            if one.evaluation.effect == POLICY_ACTIVATE and self.attached is not None and await self.attached(one):
                found.add(one.evaluation.action_id)
        return found

    async def _freshen(self, prepared: Sequence[Prepared]) -> None:
        contacts: dict[UUID, list[UUID]] = {}
        for p in prepared:
            if p.contact_id is not None and p.evaluation.subject.tenant_id == p.evaluation.tenant_id:
                contacts.setdefault(p.evaluation.tenant_id, []).append(p.contact_id)
        for tenant, ids in contacts.items():
            await self._projection.refresh(tenant, ids)

    async def _held(self, prepared: Sequence[Prepared]) -> Held:
        """Tenants that something is to leave and that have a failing gate control, and launch gates of those that would switch live."""
        leaving = {p.evaluation.tenant_id for p in prepared if p.effect is not None and p.effect.external}
        failing = await self.controls(leaving) if leaving and self.controls is not None else set()
        return Held(failing, await gates_of(prepared, self.launch))

    async def _low(self, prepared: Sequence[Prepared]) -> set[Agent]:
        """Agents among those who ask whose trust score is low."""
        asking = agents_of(prepared)
        return await self.doubted(asking) if asking and self.doubted is not None else set()

    def _recipient(self, prepared: Prepared) -> str:
        return self._projection.mac(prepared.evaluation.tenant_id, prepared.recipient) or ""

    def _question(self, prepared: Prepared, known: Known, replayed: set[UUID], held: Held, now: datetime) -> Question:
        connector = prepared.effect.connector if prepared.effect else ""
        asked = decide.question(
            prepared,
            known.record,
            recipient_mac=self._recipient(prepared),
            live=self._flags.live(prepared.evaluation.tenant_id, connector),
            now=now,
        )
        failing, gate = prepared.evaluation.tenant_id in held.controls, held.gate(prepared)
        attached = prepared.evaluation.action_id in replayed
        if not (failing or attached or gate != asked.go_live):
            return asked
        return replace(asked, control_failing=failing, go_live=gate, replay_attached=attached)

    def _rule(
        self, fresh: Sequence[tuple[Prepared, Known]], replayed: set[UUID], held: Held, now: datetime
    ) -> list[Ruling]:
        questions = [self._question(p, k, replayed, held, now) for p, k in fresh]
        answers = self._bundles.ask([_whose(p) for p, _ in fresh], questions)
        self._reserve(fresh, questions, answers)
        granted = [n for n, answer in enumerate(answers) if decide.outcome(answer) is Outcome.GRANTED]
        claims = [self._claims(fresh[n][0], fresh[n][1], questions[n], answers[n], now) for n in granted]
        grants = dict(zip(granted, zip(claims, issue(claims, self._keys.grant), strict=True), strict=True))
        rulings = []
        for n, (prepared, known) in enumerate(fresh):
            claim, grant = grants.get(n, (None, None))
            approval_id = known.record.approval_id
            if decide.outcome(answers[n]) is Outcome.PARKED and known.record.approval == "none":
                approval_id = new_id()
            decision = self._decision(prepared, questions[n], answers[n], grant, approval_id)
            grant_id = claim.grant_id if claim else None
            rulings.append(Ruling(prepared, questions[n], decision, grant_id, known.record.contradictions))
        return rulings

    def _reserve(
        self, fresh: Sequence[tuple[Prepared, Known]], questions: list[Question], answers: list[Answer]
    ) -> None:
        """Count caps and an agent's blocked attempts item by item inside the batch, and put what is beyond them to policy again, as
        what it is."""
        blocked: Counter[tuple[UUID, str]] = Counter()
        sent: Counter[tuple[UUID, str]] = Counter()
        touched: Counter[tuple[UUID, UUID, str]] = Counter()
        for n, (prepared, known) in enumerate(fresh):
            self._suspend(n, prepared, known, blocked, questions, answers)
            channel = prepared.effect.channel if prepared.effect else None
            if channel is None or decide.outcome(answers[n]) is not Outcome.GRANTED:
                continue
            sender = (prepared.evaluation.tenant_id, channel)
            person = (prepared.evaluation.tenant_id, prepared.contact_id or prepared.evaluation.action_id, channel)
            over_day = known.record.sent_today + sent[sender] >= known.record.daily_cap
            over_contact = known.record.touches_this_week + touched[person] >= known.record.contact_cap
            if over_day or over_contact:
                questions[n] = replace(questions[n], over_daily_cap=over_day, over_contact_cap=over_contact)
                answers[n] = self._bundles.ask([_whose(prepared)], [questions[n]])[0]
                continue
            sent[sender] += 1
            touched[person] += 1

    def _suspend(
        self,
        n: int,
        prepared: Prepared,
        known: Known,
        blocked: Counter[tuple[UUID, str]],
        questions: list[Question],
        answers: list[Answer],
    ) -> None:
        subject = prepared.evaluation.subject
        if subject.kind is not PrincipalKind.AGENT:
            return
        agent = (prepared.evaluation.tenant_id, subject.id)
        if not questions[n].suspended and known.record.agent_blocks + blocked[agent] >= decide.AGENT_BLOCKS:
            questions[n] = replace(questions[n], suspended=True)
            answers[n] = self._bundles.ask([_whose(prepared)], [questions[n]])[0]
        if decide.outcome(answers[n]) is Outcome.REFUSED and not questions[n].earlier_attempt_open:
            blocked[agent] += 1

    def _claims(
        self, prepared: Prepared, known: Known, question: Question, answer: Answer, now: datetime
    ) -> GrantClaims:
        evaluation, effect = prepared.evaluation, prepared.effect
        if effect is None:
            raise ValueError("an unregistered effect was granted")
        issued = int(now.timestamp())
        return GrantClaims(
            grant_id=new_id(),
            tenant_id=evaluation.tenant_id,
            action_id=evaluation.action_id,
            attempt=evaluation.attempt,
            audience=decide.AUDIENCE,
            connector=effect.connector,
            connector_mode=decide.connector_mode(answer, live=question.connector_mode == "live"),
            operation=effect.operation,
            template_version=str(prepared.payload.get("template_version", "")),
            payload_digest=prepared.digest,
            policy_version=self._bundles.of(_whose(prepared)).version,
            approval_id=known.record.approval_id if known.record.approval == "approved" else None,
            nonce=secrets.token_hex(16),
            issued_at=issued,
            expires_at=issued + self._grant_seconds,
        )

    def _decision(
        self, prepared: Prepared, question: Question, answer: Answer, grant: Grant | None, approval_id: UUID | None
    ) -> Decision:
        outcome = decide.outcome(answer)
        evaluation = prepared.evaluation
        return Decision(
            decision_id=new_id(),
            tenant_id=evaluation.tenant_id,
            action_id=evaluation.action_id,
            attempt=evaluation.attempt,
            outcome=outcome,
            allowed=answer.allowed,
            mode=answer.mode,
            action_class=ActionClass(question.action_class),
            reasons=answer.reasons,
            approval_required=outcome is Outcome.PARKED,
            approval_id=approval_id if outcome in (Outcome.PARKED, Outcome.GRANTED) else None,
            policy_version=self._bundles.of(_whose(prepared)).version,
            audit_event=new_id(),
            proof_impact=decide.PROOF_IMPACT[outcome],
            grant=grant,
        )

    async def _ask_people(self, unit: Unit, rulings: Sequence[Ruling], now: datetime) -> None:
        """An approval for every decision that parked, and that has none waiting already."""
        new = []
        asking = Asking(unit)
        for ruling in rulings:
            decision, prepared = ruling.decision, ruling.prepared
            if decision.outcome is not Outcome.PARKED or decision.approval_id is None or prepared.effect is None:
                continue
            if ruling.question.approval == "pending":
                continue
            asked = approvals.request(
                decision.approval_id,
                prepared.evaluation,
                prepared.effect,
                prepared.payload,
                decision.reasons,
                contradictions=ruling.contradictions,
                payload_hash=prepared.digest,
                policy_version=decision.policy_version,
                now=now,
                findings=prepared.findings,
                **dict(await asking.terms(prepared, now)),
            )
            new.append((asked, asked.approvers, prepared.evaluation.salt))
        if not new:
            return
        await unit.add_approvals(new)
        await asking.settle([asked for asked, _, _ in new])
        for asked, _, _ in new:
            unit.emit(
                APPROVAL_REQUESTED,
                ApprovalRequested(
                    approval_id=asked.approval_id,
                    tenant_id=asked.tenant_id,
                    action_id=asked.action_id,
                    action_type=asked.action_type,
                    role=asked.role,
                    risk=asked.risk,
                    requested_at=asked.requested_at,
                    due_at=asked.due_at,
                    expires_at=asked.expires_at,
                    value_sar=asked.value_sar,
                ),
            )
        await unit.append(
            [
                Entry(
                    tenant_id=asked.tenant_id,
                    kind=approval_kind("requested"),
                    actor=asked.requester,
                    target=f"action:{asked.action_id}",
                    at=now,
                    data=approval_data(asked, risk=asked.risk),
                    trace_id=asked.trace_id,
                )
                for asked, _, _ in new
            ]
        )


def _whose(prepared: Prepared) -> Whose:
    return prepared.evaluation.tenant_id, prepared.evaluation.action_id


def _prior(known: Known) -> Decision:
    if known.prior is None:
        raise ValueError("an evaluation was left without a decision")
    return known.prior


def _has_external(prepared: Sequence[Prepared], tenant: UUID) -> bool:
    return any(p.evaluation.tenant_id == tenant and p.effect is not None and p.effect.external for p in prepared)


def _entry(ruling: Ruling, now: datetime) -> Entry:
    """The ledger's record of a decision. Payloads stay out: their salted digest is enough to bind them."""
    p, d = ruling.prepared, ruling.decision
    grant = None
    if d.grant is not None:
        grant = (GrantClaims.model_validate_json(d.grant.claims), merkle.leaf_hash(d.grant.claims.encode()))
    return Entry(
        tenant_id=d.tenant_id,
        kind=DECISION,
        actor=p.evaluation.subject.id,
        target=f"action:{d.action_id}",
        at=now,
        data={
            "action_type": p.evaluation.action_type,
            "effect": p.evaluation.effect,
            **decision_data(d, p.digest, grant),
            **belonging(p.evaluation),
            **({"screening": sorted({f"{f.field}:{f.code}" for f in p.findings})} if p.findings else {}),
        },
        trace_id=p.evaluation.trace_id,
        entry_id=d.audit_event,
    )
