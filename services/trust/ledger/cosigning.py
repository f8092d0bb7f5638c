"""Witnesses as trust hears them: a cosignature is taken when it holds and its tree is ours."""

from __future__ import annotations

import base64
from typing import Any

from libs.contracts.errors import DealixError, Forbidden
from libs.contracts.ledger import Cosignature, CosignaturesReply, CosignaturesRequest, CosignRequest
from libs.contracts.message import PLATFORM, Principal
from libs.runtime.database import Database
from services.trust.bundles.watch import record
from services.trust.ledger.domain.checkpoint import origin_of, parse_body
from services.trust.ledger.domain.cosignature import Cosignature as Made
from services.trust.ledger.domain.cosignature import key_id, parse_vkey, split_note, verify_cosignature
from services.trust.ledger.errors import ForkedView, MalformedNote, NotCosigned, UnverifiedNote
from services.trust.ledger.platform import PlatformWitnesses, platform_checkpoint
from services.trust.ledger.store import SqlLedgerStore
from services.trust.ledger.witnesses import Cosigned, WitnessRows, presentable

WITNESSES = frozenset({"owner", "admin", "auditor", "compliance_officer", "api_client"})


class Cosigning:
    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        self._origin = origin

    async def cosign(self, request: CosignRequest) -> Cosignature:
        """Keep a witness's cosignature. A name is bound to the key of its first one.

        Raises NotCosigned when it does not hold, ForkedView when the tree is not ours. Both are ledgered.
        """
        _require(request.principal)
        try:
            return await self._take(request)
        except (ForkedView, NotCosigned) as error:
            await self._refused(request.principal, error)
            raise

    async def _take(self, request: CosignRequest) -> Cosignature:
        tenant = request.principal.tenant_id
        try:
            witness = parse_vkey(request.witness)
            body, lines = split_note(request.note)
            made, seen = verify_cosignature(body, lines, witness), parse_body(body)
        except (MalformedNote, UnverifiedNote) as error:
            raise NotCosigned(str(error)) from error
        platform = seen.origin == origin_of(self._origin, PLATFORM)
        log_id = PLATFORM if platform else tenant
        async with self._database.batch(*{tenant, log_id}) as work:
            ours = await SqlLedgerStore(work.connection).checkpoint(log_id, seen.size)
            if ours is None or split_note(ours.note)[0] != body or seen.origin != origin_of(self._origin, log_id):
                raise ForkedView
            keep = self._keep_platforms if platform else self._keep_own
            if await keep(work.connection, request.principal, Cosigned(seen.size, seen.root), made):
                fact = {
                    "log": "platform" if platform else "own",
                    "size": seen.size,
                    "root": seen.root.hex(),
                    "witness": witness.name,
                    "key_id": witness.key_id.hex(),
                }
                await record(
                    work.connection,
                    [(tenant, "ledger.cosigned", request.principal.id, f"witness:{witness.name}", fact)],
                )
            signed_at = await work.connection.fetchval("select to_timestamp($1)", made.time)
        return Cosignature(
            size=seen.size,
            root=seen.root.hex(),
            name=witness.name,
            witness=request.witness,
            line=made.line,
            signed_at=signed_at,
        )

    async def _keep_own(self, connection: Any, who: Principal, seen: Cosigned, made: Made) -> bool:
        tenant, witness = who.tenant_id, made.witness
        await presentable(connection, tenant, await SqlLedgerStore(connection).checkpoint(tenant))
        rows = WitnessRows(connection, tenant)
        known = await rows.key(witness.name)
        if known is not None and known != witness.public_key:
            raise NotCosigned("this name belongs to another key")
        await rows.bind(witness.name, witness.public_key, who.id)
        return await rows.add(seen, made)

    async def _keep_platforms(self, connection: Any, who: Principal, seen: Cosigned, made: Made) -> bool:
        await platform_checkpoint(connection)
        rows = PlatformWitnesses(connection)
        await rows.bind(who.tenant_id, made.witness, who.id)
        return await rows.add(seen, made)

    async def page(self, request: CosignaturesRequest) -> CosignaturesReply:
        """Cosignatures, the largest tree first."""
        _require(request.principal)
        if request.log == "platform":
            return await self._platforms(request)
        cursor = request.page.cursor
        before = int(cursor) if cursor and cursor.isdigit() else None
        async with self._database.batch(request.principal.tenant_id) as work:
            rows = await WitnessRows(work.connection, request.principal.tenant_id).page(before, request.page.limit + 1)
        items = tuple(_shown(row) for row in rows[: request.page.limit])
        more = len(rows) > request.page.limit
        return CosignaturesReply(items=items, next_cursor=str(items[-1].size) if more else None)

    async def _platforms(self, request: CosignaturesRequest) -> CosignaturesReply:
        size, _, line = (request.page.cursor or "").partition(":")
        before = (int(size), line) if size.isdigit() else None
        async with self._database.batch() as work:
            rows = await PlatformWitnesses(work.connection).page(before, request.page.limit + 1)
        items = tuple(_shown(row) for row in rows[: request.page.limit])
        more = len(rows) > request.page.limit
        return CosignaturesReply(items=items, next_cursor=f"{items[-1].size}:{items[-1].line}" if more else None)

    async def _refused(self, principal: Principal, error: DealixError) -> None:
        async with self._database.batch(principal.tenant_id) as work:
            fact = {"why": error.code}
            await record(
                work.connection, [(principal.tenant_id, "ledger.cosignature_refused", principal.id, "log:own", fact)]
            )


def _shown(row: Any) -> Cosignature:
    key = bytes(row["public_key"])
    vkey = f"{row['name']}+{key_id(row['name'], key).hex()}+{base64.b64encode(bytes([4]) + key).decode()}"
    return Cosignature(
        size=row["size"], root=bytes(row["root"]).hex(), name=row["name"], witness=vkey, line=row["line"],
        signed_at=row["signed_at"],
    )  # fmt: skip


def _require(principal: Principal) -> None:
    if not WITNESSES & set(principal.roles):
        raise Forbidden
