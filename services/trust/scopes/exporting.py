"""Makes an evidence pack of a scope and keeps it."""

from __future__ import annotations

import hashlib

from libs.contracts.errors import Forbidden
from libs.contracts.ledger import EvidenceAssembled
from libs.contracts.message import PLATFORM, new_id
from libs.contracts.subjects import EVIDENCE_ASSEMBLED
from libs.contracts.trust import EvidenceReply, EvidenceRequest
from libs.runtime.bus import Bus
from libs.runtime.database import Database
from services.trust.domain.keys import Keys
from services.trust.handlers import READERS
from services.trust.ledger.domain.entry import Entry
from services.trust.ledger.errors import NotYetProvable
from services.trust.ledger.store import SqlLedgerStore
from services.trust.packs import assemble
from services.trust.scopes.asking import ask, select
from services.trust.scopes.control import documents
from services.trust.scopes.domain import NAMED, ScopeKind, parse
from services.trust.scopes.errors import CheckpointPending, NothingRecorded, UnknownScope
from services.trust.store import SqlUnit


class Exporting:
    def __init__(self, database: Database, keys: Keys, bus: Bus) -> None:
        self._database = database
        self._keys = keys
        self._bus = bus

    async def export(self, request: EvidenceRequest) -> EvidenceReply:
        """Assemble a pack and keep it; that it was made goes to the ledger under the scope's name.

        Raises Forbidden, EvidenceScope for a scope nobody understands, UnknownScope for what this tenant does not have, NothingRecorded,
        CheckpointPending while the newest entries wait for theirs, PackTooLarge, and CallTimeout where a plane that owns part of the
        scope does not answer: a pack leaves nothing out silently.
        """
        who = request.principal
        if not READERS & set(who.roles):
            raise Forbidden
        scope, tenant, pack_id = parse(request.scope), who.tenant_id, new_id()
        asked = await ask(self._bus, tenant, scope)
        # The platform beside the tenant: the pack shows the tenant's checkpoint in the platform's log.
        async with self._database.batch(tenant, PLATFORM) as work:
            selected = await select(work.connection, tenant, scope, asked)
            store = SqlLedgerStore(work.connection)
            if not any([await store.entries(where, 1) for where in selected.filters(tenant)]):
                known = bool(asked) if scope.kind in NAMED else scope.kind is not ScopeKind.ACTION
                raise NothingRecorded if known else UnknownScope
            beside = await documents(work.connection, tenant, scope.value) if scope.kind is ScopeKind.CONTROL else {}
            try:
                body = await assemble(work.connection, tenant, selected, self._keys, beside)
            except NotYetProvable as error:
                raise CheckpointPending from error
            now = await work.connection.fetchval("select now()")
            digest = hashlib.sha256(body).hexdigest()
            await work.connection.execute(
                "insert into trust.evidence_packs (tenant_id, pack_id, scope, state, body, sha256, created_by) values ($1,$2,$3,'ready',$4,$5,$6)",
                tenant, pack_id, scope.text, body, digest, who.id,
            )  # fmt: skip
            told = {"pack_id": str(pack_id), "sha256": digest}
            await SqlUnit(work).append([Entry(tenant, "evidence.exported", who.id, scope.text, now, told)])
            work.emit(
                EVIDENCE_ASSEMBLED,
                EvidenceAssembled(
                    tenant_id=tenant, pack_id=pack_id, scope=scope.text, bytes=len(body), sha256=digest, created_by=who.id, at=now
                ),
            )  # fmt: skip
        return EvidenceReply(
            pack_id=pack_id,
            state="ready",
            scope=scope.text,
            bytes=len(body),
            sha256=digest,
            created_at=now,
            created_by=who.id,
        )
