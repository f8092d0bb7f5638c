"""Trust's other answers: contactability, consent, suppression, the ledger's reads, evidence, keys; and what it hears from planes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.data import ContactsChanged
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.execution import ActionsSettled, Settled
from libs.contracts.message import PLATFORM, Principal
from libs.contracts.paging import before, page_of
from libs.contracts.reachable import (
    NewcomersReply,
    NewcomersRequest,
    ReachableReply,
    ReachableRequest,
    ReachedAlike,
)
from libs.contracts.settling import OutcomeSettled
from libs.contracts.trust import (
    Anchor,
    AuditRecorded,
    CheckpointReply,
    CheckpointRequest,
    ConsentsReply,
    ConsentsRequest,
    ConsistencyReply,
    ConsistencyRequest,
    Contactability,
    ContactabilityReply,
    ContactabilityRequest,
    ContactContactability,
    EvidenceChunk,
    EvidenceGet,
    EvidenceRead,
    EvidenceReply,
    KeysReply,
    KeysRequest,
    LedgerEntry,
    LedgerReply,
    LedgerRequest,
    ProofReply,
    ProofRequest,
    WitnessLine,
)
from libs.runtime.database import Database, SessionWork
from services.trust.consent.domain.newcomers import NewcomerJudge
from services.trust.domain.facts import CHANNELS, contactability
from services.trust.keys.rotation import Published
from services.trust.ledger.anchors import anchor
from services.trust.ledger.contents import contents_of
from services.trust.ledger.domain.checkpoint import origin_of, parse_checkpoint
from services.trust.ledger.domain.commitments import OUTCOME, outcome_data
from services.trust.ledger.domain.entry import Entry
from services.trust.ledger.platform import platform_checkpoint
from services.trust.ledger.proofs import consistency, prove
from services.trust.ledger.store import EntryFilter, SqlLedgerStore, StoredCheckpoint, StoredEntry
from services.trust.ledger.witnesses import WitnessRows, presentable
from services.trust.projection import Projection
from services.trust.store import SqlUnit, Store

READERS = frozenset({"owner", "admin", "auditor", "compliance_officer", "approver", "operator"})
CHUNK = 512 * 1024


class People:
    """Who may be contacted, and what they agreed to."""

    def __init__(self, store: Store, projection: Projection) -> None:
        self._store = store
        self._projection = projection

    async def contactability(self, request: ContactabilityRequest) -> ContactabilityReply:
        """Every channel of every contact, with reasons. A contact that data does not know is `unknown`."""
        await self._projection.refresh(request.tenant_id, request.contact_ids)
        async with self._store.unit(request.tenant_id) as unit:
            states = await unit.states(request.tenant_id, request.contact_ids)
        return ContactabilityReply(
            items=tuple(
                ContactContactability(
                    contact_id=c,
                    channels=tuple(
                        contactability(states.get(c), channel, reasons=request.reasons) for channel in CHANNELS
                    ),
                )
                for c in request.contact_ids
            )
        )

    async def reachable(self, request: ReachableRequest) -> ReachableReply:
        """The states of a whole list. A list of thousands has a few dozen different ones."""
        if request.anew:
            await self._projection.fetch(request.tenant_id, request.contact_ids)
        else:
            await self._projection.refresh(request.tenant_id, request.contact_ids)
        async with self._store.unit(request.tenant_id) as unit:
            states = await unit.states(request.tenant_id, request.contact_ids)
        alike: dict[tuple[Contactability, ...], list[UUID]] = {}
        for contact in dict.fromkeys(request.contact_ids):
            state = states.get(contact)
            said = tuple(contactability(state, channel, reasons=False).status for channel in CHANNELS)
            alike.setdefault(said, []).append(contact)
        return ReachableReply(
            items=tuple(
                ReachedAlike(channels=dict(zip(CHANNELS, said, strict=True)), contact_ids=tuple(contacts))
                for said, contacts in alike.items()
            )
        )

    async def newcomers(self, request: NewcomersRequest) -> NewcomersReply:
        """The states of people whom data is about to write, by the same rules. Nothing that is said here is kept."""
        tenant, mac = request.tenant_id, self._projection.mac
        macs = [
            [(mac(tenant, email), mac(tenant, phone)) for email, phone in zip(group.email, group.phone, strict=True)]
            for group in request.groups
        ]
        async with self._store.unit(tenant) as unit:
            all_of_them = [one for of_group in macs for both in of_group for one in both if one is not None]
            judge = NewcomerJudge(await unit.suppressed(tenant, all_of_them), await unit.now())
        groups = tuple(judge.judge(group, its) for group, its in zip(request.groups, macs, strict=True))
        states = tuple(dict(zip(CHANNELS, said, strict=True)) for said in judge.states)
        return NewcomersReply(states=states, groups=groups)

    async def consents(self, request: ConsentsRequest) -> ConsentsReply:
        _require(request.principal, READERS)
        async with self._store.unit(request.principal.tenant_id) as unit:
            items = await unit.consents(
                request.principal.tenant_id, request.contact_id, before(request.page), request.page.limit + 1
            )
        page, more = page_of(items, request.page.limit, lambda one: one.consent_id)
        return ConsentsReply(items=page, next_cursor=more)


class Books:
    """Reading the ledger, and packs from it."""

    def __init__(self, database: Database, origin: str, published: Published) -> None:
        self._database = database
        self._origin = origin
        self._published = published

    async def entries(self, request: LedgerRequest) -> LedgerReply:
        _require(request.principal, READERS)
        tenant = request.principal.tenant_id
        where = EntryFilter(
            tenant_id=tenant,
            kind=request.kind,
            actor=request.actor,
            target=request.target,
            trace_id=request.trace_id,
            since=request.since,
            until=request.until,
            before=before(request.page),
        )
        async with self._database.batch(tenant) as work:
            rows = await SqlLedgerStore(work.connection).entries(where, request.page.limit + 1)
            if request.export:
                now = await work.connection.fetchval("select now()")
                asked = {name: str(getattr(where, name)) for name in ("kind", "actor", "target", "since", "until")}
                fact = {name: value for name, value in asked.items() if value != "None"}
                await SqlUnit(work).append(
                    [
                        _fact(
                            tenant,
                            "ledger.exported",
                            request.principal.id,
                            "log:own",
                            now,
                            form=request.export,
                            where=fact,
                        )
                    ]
                )
        more = len(rows) > request.page.limit
        rows = rows[: request.page.limit]
        return LedgerReply(
            items=tuple(_ledger_entry(r) for r in rows), next_cursor=str(rows[-1].entry_id) if more else None
        )

    async def proof(self, request: ProofRequest) -> ProofReply:
        _require(request.principal, READERS)
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant, PLATFORM) as work:
            store, witnesses = SqlLedgerStore(work.connection), WitnessRows(work.connection, tenant)
            await presentable(work.connection, tenant, await store.checkpoint(tenant))
            cosigned = await witnesses.newest()
            size = cosigned.size if cosigned is not None and cosigned.size > request.seq else None
            proof, checkpoint = await prove(store, tenant, request.seq, size)
            entry = await store.entry(tenant, proof.leaf.entry_id)
            lines = await witnesses.signers(checkpoint.size)
            platform = await anchor(work.connection, tenant, checkpoint.size)
        return ProofReply(
            seq=request.seq,
            size=checkpoint.size,
            leaf_hash=proof.leaf.leaf_hash.hex(),
            path=tuple(step.hex() for step in proof.path),
            checkpoint=checkpoint.note,
            entry=entry.body.decode() if entry and entry.body else "",
            salt=entry.salt.hex() if entry and entry.salt else "",
            cosignatures=tuple(WitnessLine(name=n, public_key=key.hex(), line=line) for n, key, line in lines),
            platform=None
            if platform is None
            else Anchor(
                checkpoint=platform["checkpoint"], entry=platform["entry"], salt=platform["salt"], **platform["proof"]
            ),
        )

    async def checkpoint(self, request: CheckpointRequest) -> CheckpointReply:
        _require(request.principal, READERS | {"member", "api_client"})
        tenant = request.principal.tenant_id
        log_id = PLATFORM if request.log == "platform" else tenant
        async with self._database.batch(log_id) as work:
            stored = await self._newest(work.connection, log_id)
        if stored is None:
            return CheckpointReply(
                origin=origin_of(self._origin, log_id),
                size=0,
                root=hashlib.sha256(b"").hexdigest(),
                note="",
                created_at=None,
            )
        parsed = parse_checkpoint(stored.note)
        return CheckpointReply(
            origin=parsed.origin,
            size=parsed.size,
            root=parsed.root.hex(),
            note=stored.note,
            created_at=stored.created_at,
        )

    async def consistency(self, request: ConsistencyRequest) -> ConsistencyReply:
        _require(request.principal, READERS | {"member", "api_client"})
        log_id = PLATFORM if request.log == "platform" else request.principal.tenant_id
        async with self._database.batch(log_id) as work:
            await self._newest(work.connection, log_id)
            path = await consistency(SqlLedgerStore(work.connection), log_id, request.first, request.second)
        return ConsistencyReply(first=request.first, second=request.second, path=tuple(step.hex() for step in path))

    async def _newest(self, connection: Any, log_id: UUID) -> StoredCheckpoint | None:
        """The newest checkpoint of a log as it may be shown. Raises LogForked."""
        if log_id == PLATFORM:
            return await platform_checkpoint(connection)
        return await presentable(connection, log_id, await SqlLedgerStore(connection).checkpoint(log_id))

    async def keys(self, _: KeysRequest) -> KeysReply:
        return KeysReply(keys=await self._published())

    async def pack(self, request: EvidenceGet) -> EvidenceReply:
        _require(request.principal, READERS)
        async with self._database.batch(request.principal.tenant_id) as work:
            row = await work.connection.fetchrow(
                "select scope, state, length(body) size, sha256, created_at, created_by, reviewed_by, case when $3 then body end as body "
                "from trust.evidence_packs where tenant_id = $1 and pack_id = $2",
                request.principal.tenant_id,
                request.pack_id,
                request.contents,
            )
        if row is None:
            raise NotFound
        inside = await asyncio.to_thread(contents_of, row["body"]) if row["body"] else None
        return EvidenceReply(
            pack_id=request.pack_id, state=row["state"], scope=row["scope"], bytes=row["size"] or 0, sha256=row["sha256"] or "",
            created_at=row["created_at"], created_by=row["created_by"] or "", reviewed_by=row["reviewed_by"] or "", contents=inside,
        )  # fmt: skip

    async def read(self, request: EvidenceRead) -> EvidenceChunk:
        _require(request.principal, READERS)
        async with self._database.batch(request.principal.tenant_id) as work:
            row = await work.connection.fetchrow(
                "select substring(body from $3::int for $4::int) part, length(body) size from trust.evidence_packs where tenant_id = $1 and pack_id = $2",
                request.principal.tenant_id,
                request.pack_id,
                request.offset + 1,
                CHUNK,
            )
        if row is None:
            raise NotFound
        end = request.offset + len(row["part"])
        return EvidenceChunk(
            data=base64.b64encode(row["part"]).decode(), next_offset=end if end < row["size"] else None
        )


OnSettled = Callable[[SessionWork, Sequence[Settled]], Awaitable[None]]
"""Takes part in the transaction that closes grants, with the outcomes that are new."""


class Listener:
    """What trust hears: outcomes that close grants, changes of contacts, and other planes' audit records."""

    def __init__(self, store: Store, projection: Projection) -> None:
        self._store = store
        self._projection = projection
        self.on_settled: list[OnSettled] = []

    async def settled(self, work: SessionWork, event: ActionsSettled) -> None:
        async with self._store.join(work) as unit:
            fresh = await unit.close_grants(event.items)
            await unit.append(
                [
                    Entry(
                        tenant_id=item.tenant_id,
                        kind=OUTCOME,
                        actor="plane:execution",
                        target=f"action:{item.action_id}",
                        at=item.at,
                        data=outcome_data(item),
                    )
                    for item in fresh
                ]
            )
        for then in self.on_settled:
            await then(work, fresh)

    async def outcome_settled(self, work: SessionWork, event: OutcomeSettled) -> None:
        """A person said what became of an effect whose outcome was unknown: on record with the evidence, under that person's name."""
        async with self._store.join(work) as unit:
            if not await unit.settle_outcome(event):
                return
            entry = Entry(
                tenant_id=event.tenant_id,
                kind="outcome.settled",
                actor=event.settled_by,
                target=f"action:{event.action_id}",
                at=event.at,
                data={"grant_id": str(event.grant_id), "outcome": event.outcome.value, "evidence": event.evidence},
            )
            await unit.append([entry])

    async def contacts_changed(self, _: SessionWork, event: ContactsChanged) -> None:
        await self._projection.fetch(event.tenant_id, event.contact_ids)

    async def audited(self, work: SessionWork, event: AuditRecorded) -> None:
        entry = Entry(
            tenant_id=event.tenant_id, kind=event.kind, actor=event.actor, target=event.target, at=event.at, data=event.data,
            trace_id=event.trace_id, entry_id=event.entry_id,
        )  # fmt: skip
        async with self._store.join(work) as unit:
            await unit.append([entry])


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles):
        raise Forbidden


def _fact(tenant_id: UUID, kind: str, actor: str, target: str, at: datetime, **data: Any) -> Entry:
    return Entry(tenant_id=tenant_id, kind=kind, actor=actor, target=target, at=at, data=data)


def _ledger_entry(row: StoredEntry) -> LedgerEntry:
    body = json.loads(row.body) if row.body else {"data": {}}
    return LedgerEntry(
        entry_id=row.entry_id, tenant_id=row.tenant_id, kind=row.kind, actor=row.actor, target=row.target, at=row.at,
        trace_id=row.trace_id, data=body["data"], seq=row.seq, leaf_hash=row.leaf_hash.hex() if row.leaf_hash else "",
    )  # fmt: skip
