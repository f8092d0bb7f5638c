"""Trust's composition root: the only file that wires."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from libs.contracts import subjects
from libs.contracts.message import Plane
from libs.runtime.bus import Bus
from libs.runtime.database import Database
from libs.runtime.metrics import serve_metrics
from libs.runtime.plane import Runtime
from libs.runtime.settings import SettingsError
from services.trust.approvals.briefing import Briefing
from services.trust.approvals.handlers import Desk
from services.trust.approvals.waiting import VotesWaiting
from services.trust.approving import Approving
from services.trust.authorize import Authorizer, LiveFlags
from services.trust.bundles.force import Bundles
from services.trust.bundles.handlers import Policies
from services.trust.bundles.replay import Replays
from services.trust.bundles.violations import Violations
from services.trust.bundles.watch import Watch
from services.trust.compliance.files import EvidenceFiles
from services.trust.compliance.gate import Gates
from services.trust.compliance.handlers import Compliance
from services.trust.compliance.sweep import Sweep
from services.trust.consent.handlers import Consenting
from services.trust.contradictions.handlers import Contradicting
from services.trust.contradictions.sweep import Sweep as Comparing
from services.trust.domain.keys import Keys, KeysUnusable, LiveKeys, TrustKeys
from services.trust.domain.policy import Bundle
from services.trust.governance.handlers import Governance
from services.trust.handlers import Books, Listener, People
from services.trust.insight.lineage import serve_lineage
from services.trust.keys.rotation import KeyBook
from services.trust.launch.handlers import Launch
from services.trust.launch.switching import LaunchGates
from services.trust.ledger import sequencer
from services.trust.ledger.cosigning import Cosigning
from services.trust.ledger.feed import Feed
from services.trust.ledger.packing import Packing
from services.trust.ledger.store import LedgerStore, SqlLedgerStore
from services.trust.ledger.verifying import LogWatch
from services.trust.ledger.work import Work
from services.trust.observations.handlers import hear_reports, own_links
from services.trust.own_people.watching import OwnNumbers
from services.trust.projection import Projection
from services.trust.receipts.handlers import Receipts
from services.trust.receipts.reconcile import Reconciliation
from services.trust.rights.expiring import Expiry
from services.trust.rights.handlers import Rights
from services.trust.rights.registers import Registers
from services.trust.scopes.exporting import Exporting
from services.trust.scores.handlers import Scores
from services.trust.screening.handlers import Screening
from services.trust.settings import TrustSettings
from services.trust.store import SqlStore, Store
from services.trust.suggestions.handlers import Suggesting

POLICIES = Path(__file__).parent / "policies" / "platform.cedar"
EXPIRY_SECONDS = 15.0


async def build(runtime: Runtime) -> None:
    """Wire the plane.

    Raises SettingsError when the signing keys are missing or unusable.
    """
    try:
        settings = TrustSettings()
        keys = TrustKeys.from_json(settings.keys)
    except (ValidationError, KeysUnusable) as error:
        raise SettingsError("DEALIX_TRUST_KEYS is missing or unusable: trust can't sign without its keys.") from error
    bus, database, live = runtime.bus, runtime.database, LiveKeys(keys)
    book = KeyBook(database, live)
    await book.record(keys)
    bundle = Bundle(POLICIES.read_text(encoding="utf-8"))
    bundles = Bundles(bundle)
    watch, replays, violations = Watch(database, bundles), Replays(database, bundles), Violations(database)
    await watch.load()
    served = serve(bus, SqlStore(database), bundles, live, grant_seconds=settings.grant_seconds)
    policies = Policies(database, bundles, watch, served.authorizer)
    served.authorizer.attached = policies.attached
    served.listener.on_settled.append(policies.settled)
    serve_policies(bus, policies, replays, violations)
    approving = served.approving
    books = Books(database, settings.origin, book.jwks)
    cosigning = Cosigning(database, settings.origin)
    receipts, reconciliation = Receipts(database), Reconciliation(database, bus, every=settings.reconcile_seconds)
    serve_lineage(bus, database)
    serve_metrics(runtime)
    bus.serve(subjects.TOOL_RECEIPTS, receipts.page)
    bus.serve(subjects.VERIFY_TOOL, receipts.verify)
    bus.serve(subjects.RECONCILIATION, receipts.reconciliation)
    runtime.loop("reconciliation", reconciliation.run)
    packing = Packing(database)
    bus.serve(subjects.REVIEW_EVIDENCE, packing.review)
    bus.serve(subjects.SEAL_EVIDENCE, packing.seal)
    bus.serve(subjects.COSIGN, cosigning.cosign)
    bus.serve(subjects.LEDGER_FEED, Feed(database).read)
    bus.serve(subjects.COSIGNATURES, cosigning.page)
    bus.serve(subjects.KEYS, books.keys)
    bus.serve(subjects.LEDGER, books.entries)
    bus.serve(subjects.WORK_UNITS, Work(database).page)
    bus.serve(subjects.PROOF, books.proof)
    bus.serve(subjects.CHECKPOINT, books.checkpoint)
    bus.serve(subjects.CONSISTENCY, books.consistency)
    bus.serve(subjects.EVIDENCE_EXPORT, Exporting(database, live, bus).export)
    bus.serve(subjects.EVIDENCE, books.pack)
    bus.serve(subjects.EVIDENCE_READ, books.read)

    rights = serve_rights(bus, database, keys)
    served.authorizer.controls = Gates(database).failing
    scores = Scores(database)
    served.authorizer.doubted = scores.low
    bus.serve(subjects.TRUST_SCORE, scores.get)
    sweep = Sweep(database, LiveFlags(bus).any_live)
    serve_compliance(bus, Compliance(database, sweep, EvidenceFiles(bus).take))
    runtime.loop("compliance", sweep.run)
    bus.serve(subjects.LAUNCH_FACTS, Launch(database).facts)
    hear_reports(bus)
    runtime.loop("own connections", lambda: own_links(runtime))
    runtime.loop("log verification", LogWatch(database, settings.origin).run)

    runtime.loop("retention", Expiry(database, sweep.tenants).run)

    runtime.loop("contradictions", Comparing(SqlStore(database), sweep.tenants).run)

    stop = asyncio.Event()

    @asynccontextmanager
    async def connect() -> AsyncIterator[LedgerStore]:
        connection = await asyncpg.connect(runtime.settings.database_url)
        try:
            yield SqlLedgerStore(connection)
        finally:
            await connection.close()

    async def sequence() -> None:
        await sequencer.run(
            connect,
            live.signer("checkpoint"),
            origin=settings.origin,
            stop=stop,
            interval=settings.checkpoint_seconds,
            poll=0.05,
        )

    async def finish() -> None:
        stop.set()

    async def expire() -> None:
        while True:
            await approving.tick()
            await approving.expire_overdue()
            await rights.tick()
            await asyncio.sleep(EXPIRY_SECONDS)

    runtime.loop("ledger", sequence)
    runtime.loop("clocks", expire)
    if settings.keys_file is not None:
        file = settings.keys_file
        runtime.loop("keys", lambda: book.watch(file))
    runtime.loop("policy switch", watch.follow)
    runtime.loop("policy canaries and shadows", watch.measure)
    runtime.loop("policy replays", replays.run)
    runtime.on_stop.append(finish)


def serve_compliance(bus: Bus, compliance: Compliance) -> None:
    """Answer what concerns the compliance matrix."""
    bus.serve(subjects.CONTROL_MATRIX, compliance.matrix)
    bus.serve(subjects.RUN_COMPLIANCE, compliance.run)
    bus.serve(subjects.CONTROL_STATE, compliance.get)
    bus.serve(subjects.ATTEST, compliance.attest)
    bus.serve(subjects.ASSIGN_CONTROL, compliance.assign)


def serve_gate(bus: Bus, store: Store) -> None:
    """Answer and hear what concerns texts from outside (the security gate, what they state), and who may act."""
    screening, governance = Screening(store), Governance(store)
    bus.serve(subjects.SCREEN, screening.screen)
    bus.serve(subjects.FINDINGS, screening.page)
    bus.serve(subjects.DECIDE_FINDING, screening.decide)
    bus.serve(subjects.STANDINGS, governance.all)
    bus.serve(subjects.SET_STANDING, governance.put)
    bus.on(subjects.TEXTS_SCREENED, screening.heard)
    suggesting = Suggesting(store)
    bus.serve(subjects.CLAIM_SUGGESTIONS, suggesting.page)
    bus.serve(subjects.DECIDE_SUGGESTION, suggesting.decide)
    bus.on(subjects.CLAIMS_SUGGESTED, suggesting.heard)


def serve_policies(bus: Bus, policies: Policies, replays: Replays, violations: Violations) -> None:
    """Answer what concerns policy bundles, replays and violations."""
    bus.serve(subjects.POLICY_BUNDLES, policies.page)
    bus.serve(subjects.POLICY_BUNDLE, policies.get)
    bus.serve(subjects.POLICY_PROPOSE, policies.propose)
    bus.serve(subjects.POLICY_DIFF, policies.diff)
    bus.serve(subjects.POLICY_SHADOW, policies.shadow)
    bus.serve(subjects.POLICY_PREPARE, policies.prepare)
    bus.serve(subjects.POLICY_EXPLAIN, policies.explain)
    bus.serve(subjects.POLICY_REPLAY, replays.start)
    bus.serve(subjects.POLICY_REPLAY_GET, replays.get)
    bus.serve(subjects.POLICY_REPLAYS, replays.page)
    bus.serve(subjects.POLICY_REPLAY_CHANGES, replays.changes)
    bus.serve(subjects.VIOLATIONS, violations.page)


@dataclass(frozen=True)
class Served:
    """What others build on: approvals have to be expired, and outcomes and explanations have more readers than these."""

    approving: Approving
    authorizer: Authorizer
    listener: Listener


def serve(bus: Bus, store: Store, bundles: Bundles, keys: Keys, *, grant_seconds: int) -> Served:
    """Answer and hear everything that needs a bus and a store alone: decisions, approvals, people. Reading the ledger needs SQL."""
    projection = Projection(store, bus, keys.identifier)
    authorizer = Authorizer(store, bundles, keys, projection, LiveFlags(bus), grant_seconds=grant_seconds)
    authorizer.launch = LaunchGates(bus)
    approving, desk = Approving(store), Desk(store, keys.identifier)
    people, consenting = People(store, projection), Consenting(store, projection, keys.identifier)
    listener = Listener(store, projection)

    bus.serve(subjects.AUTHORIZE, authorizer.authorize)
    bus.serve(subjects.EVALUATE, authorizer.evaluate)
    bus.serve(subjects.APPROVALS, approving.page)
    bus.serve(subjects.APPROVAL, approving.show)
    bus.serve(subjects.APPROVE, approving.approve)
    bus.serve(subjects.REJECT, approving.reject)
    bus.serve(subjects.WITHDRAW, approving.withdraw)
    bus.serve(subjects.REVISE, approving.revise)
    bus.serve(subjects.APPROVE_BULK, approving.approve_bulk)
    bus.serve(subjects.COMPARE, desk.compare)
    bus.serve(subjects.RULES, desk.rules)
    bus.serve(subjects.TENANT_HOURS, desk.hours)
    bus.serve(subjects.SET_RULES, desk.set_rules)
    bus.serve(subjects.DELEGATE, desk.delegate)
    bus.serve(subjects.END_DELEGATION, desk.end)
    bus.serve(subjects.DELEGATIONS, desk.delegations)
    bus.serve(subjects.EDIT, desk.edit)
    bus.serve(subjects.TOKEN, desk.token)
    briefing = Briefing(store)
    bus.serve(subjects.VOTES_WAITING, VotesWaiting(store).read)
    bus.serve(subjects.APPROVAL_BRIEF, briefing.make)
    bus.serve(subjects.BRIEF_WAITING, briefing.waiting)
    bus.serve(subjects.BRIEF_REPLY, briefing.reply)
    bus.serve(subjects.OWN_NUMBER, OwnNumbers(store, projection).put)
    bus.serve(subjects.CONTACTABILITY, people.contactability)
    bus.serve(subjects.REACHABLE, people.reachable)
    bus.serve(subjects.NEWCOMERS, people.newcomers)
    bus.serve(subjects.RECORD_CONSENTS, consenting.record)
    bus.serve(subjects.WITHDRAW_CONSENT, consenting.withdraw)
    bus.serve(subjects.CONSENTS, people.consents)
    bus.serve(subjects.SUPPRESS, consenting.suppress)
    bus.serve(subjects.SUPPRESSIONS, consenting.suppressions)
    bus.serve(subjects.UNSUBSCRIBE_LINK, consenting.link)
    bus.serve(subjects.UNSUBSCRIBE, consenting.unsubscribe)
    contradicting = Contradicting(store)
    bus.serve(subjects.RECORD_CLAIMS, contradicting.record)
    bus.serve(subjects.CONTRADICTIONS, contradicting.page)
    bus.serve(subjects.CONTRADICTION, contradicting.get)
    bus.serve(subjects.ACKNOWLEDGE, contradicting.acknowledge)
    bus.serve(subjects.RESOLVE, contradicting.resolve)
    serve_gate(bus, store)
    bus.on(subjects.ACTIONS_SETTLED, listener.settled)
    bus.on(subjects.OUTCOME_SETTLED, listener.outcome_settled)
    bus.on(subjects.CONTACTS_CHANGED, listener.contacts_changed)
    for event in subjects.AUDITED.values():
        bus.on(event, listener.audited)
    return Served(approving, authorizer, listener)


def serve_rights(bus: Bus, database: Database, keys: TrustKeys) -> Rights:
    """Answer and hear everything about people's rights and the registers, which need SQL."""
    registers = Registers(database)
    rights = Rights(database, Projection(SqlStore(database), bus, keys.identifier))
    bus.serve(subjects.REGISTER, registers.list)
    bus.serve(subjects.REGISTER_ENTRY, registers.get)
    bus.serve(subjects.REGISTER_PUT, registers.put)
    bus.serve(subjects.REGISTER_DELETE, registers.delete)
    bus.serve(subjects.OPEN_RIGHTS, rights.open)
    bus.serve(subjects.RIGHTS, rights.list)
    bus.serve(subjects.RIGHTS_REQUEST, rights.get)
    bus.serve(subjects.IDENTIFY_RIGHTS, rights.identify)
    bus.serve(subjects.EXTEND_RIGHTS, rights.extend)
    bus.serve(subjects.CLOSE_RIGHTS, rights.close)
    bus.serve(subjects.ERASE_RIGHTS, rights.erase)
    bus.serve(subjects.PERSON[Plane.TRUST], rights.person)
    for event in subjects.ERASED.values():
        bus.on(event, rights.performed)
    return rights
