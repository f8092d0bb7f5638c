"""Witnesses on a real PostgreSQL: what they cosigned binds the log, across restores of the database."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from dev import witness
from dev.verify import verify_bytes
from libs.contracts import merkle
from libs.contracts.errors import DealixError
from libs.contracts.ledger import CosignaturesRequest, CosignRequest, PackStep
from libs.contracts.message import PLATFORM, Page, Plane, Principal, new_id
from libs.contracts.trust import CheckpointRequest, ConsistencyRequest, EvidenceRead, EvidenceRequest, ProofRequest
from libs.runtime.database import Database
from libs.runtime.testing import MemoryHub
from services.trust.handlers import Books
from services.trust.ledger.cosigning import Cosigning
from services.trust.ledger.domain.checkpoint import Checkpoint, sign_checkpoint
from services.trust.ledger.domain.records import EntryFilter
from services.trust.ledger.packing import Packing
from services.trust.ledger.platform import MOST_WITNESSES
from services.trust.ledger.sequencer import Sequencer
from services.trust.ledger.store import SqlLedgerStore
from services.trust.scopes.exporting import Exporting
from tests.flows.world import KEYS_OF_TRUST
from tests.live.migrated import migrated_postgres, plane_database
from tests.unit.trust.ledger_promises import entries

pytestmark = [pytest.mark.live, pytest.mark.asyncio]
ORIGIN = "example.test/log"


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("witness")) as url:
        yield url


async def published() -> tuple[dict[str, Any], ...]:
    return KEYS_OF_TRUST.jwks()


class Log:
    """One tenant's log with its readers."""

    def __init__(self, database: Database, admin_url: str, folder: Path) -> None:
        self.database, self.admin_url = database, admin_url
        self.tenant = new_id()
        self.auditor = Principal(id="user:9", kind="user", tenant_id=self.tenant, roles=("auditor",))
        self.owner = Principal(id="user:1", kind="user", tenant_id=self.tenant, roles=("owner",))
        self.books = Books(database, ORIGIN, published)
        self.exporting = Exporting(database, KEYS_OF_TRUST, MemoryHub().bus(Plane.TRUST))
        self.cosigning = Cosigning(database, ORIGIN)
        self.key = witness.load_key(folder / "key", "witness.example")

    async def grow(self, count: int) -> None:
        async with self.database.batch(self.tenant) as work:
            await SqlLedgerStore(work.connection).append(entries(self.tenant, count, kind="login", target="session:1"))
        await self.sequence()

    async def sequence(self) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            sequencer = Sequencer(SqlLedgerStore(connection), KEYS_OF_TRUST.checkpoint, origin=ORIGIN)
            await sequencer.drain()
            await sequencer.checkpoint()
        finally:
            await connection.close()

    async def note(self) -> str:
        return (await self.books.checkpoint(CheckpointRequest(principal=self.auditor))).note

    async def platform_note(self) -> str:
        return (await self.books.checkpoint(CheckpointRequest(principal=self.auditor, log="platform"))).note

    async def cosign(self, note: str, key: witness.Key | None = None) -> None:
        used = key or self.key
        request = CosignRequest(principal=self.auditor, note=used.cosign(note, 1_795_248_000), witness=used.vkey)
        await self.cosigning.cosign(request)

    async def kinds(self) -> list[str]:
        async with self.database.batch(self.tenant) as work:
            return [e.kind for e in await SqlLedgerStore(work.connection).entries(EntryFilter(self.tenant), 500)]


@pytest_asyncio.fixture
async def log(admin_url: str, tmp_path: Path) -> AsyncIterator[Log]:
    async with plane_database(admin_url, Plane.TRUST) as database:
        yield Log(database, admin_url, tmp_path)


async def test_a_cosignature_of_our_checkpoint_is_kept_and_shown(log: Log) -> None:
    await log.grow(5)
    await log.cosign(await log.note())
    page = await log.cosigning.page(CosignaturesRequest(principal=log.auditor))
    assert [(c.size, c.name, c.witness) for c in page.items] == [(5, "witness.example", log.key.vkey)]
    assert "ledger.cosigned" in await log.kinds()
    await log.grow(3)
    await log.cosign(await log.note())
    assert await log.note()


async def test_a_proof_carries_its_cosignatures_and_its_checkpoints_place_in_the_platforms_log(log: Log) -> None:
    await log.grow(5)
    bare = await log.books.proof(ProofRequest(principal=log.auditor, seq=2))
    assert bare.cosignatures == ()
    await log.cosign(await log.note())
    await log.grow(3)
    proof = await log.books.proof(ProofRequest(principal=log.auditor, seq=2))
    # Against the tree that somebody else has seen, though the log has grown since.
    assert proof.size == 5
    (line,) = proof.cosignatures
    assert (line.name, line.public_key) == ("witness.example", log.key.public.hex())
    assert log.key.cosign(proof.checkpoint, 1_795_248_000).endswith(line.line.strip() + "\n")
    assert proof.platform is not None
    leaf = merkle.leaf_hash(bytes.fromhex(proof.platform.salt) + proof.platform.entry.encode())
    assert leaf.hex() == proof.platform.leaf_hash
    size, root = witness.parse(proof.platform.checkpoint).size, witness.parse(proof.platform.checkpoint).root
    path = [bytes.fromhex(step) for step in proof.platform.path]
    assert merkle.verify_inclusion(leaf, proof.platform.seq, size, path, root)
    said = json.loads(proof.platform.entry)["data"]
    assert (said["size"], said["origin"]) == (5, f"{ORIGIN}/{log.tenant}")
    # What nobody has cosigned yet is proven against the newest tree.
    assert (await log.books.proof(ProofRequest(principal=log.auditor, seq=6))).size > 5


async def test_a_witness_with_a_forked_view_is_refused_and_ledgered(log: Log) -> None:
    await log.grow(5)
    origin = f"{ORIGIN}/{log.tenant}"
    for size, root, named in (
        (5, b"\x01" * 32, origin),
        (4, b"\x01" * 32, origin),
        (5, b"\x01" * 32, f"{ORIGIN}/{new_id()}"),
    ):
        forked = sign_checkpoint(Checkpoint(named, size, root), KEYS_OF_TRUST.checkpoint)
        with pytest.raises(DealixError) as error:
            await log.cosign(forked)
        assert error.value.code == "forked_view"
    assert (await log.kinds()).count("ledger.cosignature_refused") == 3
    assert not (await log.cosigning.page(CosignaturesRequest(principal=log.auditor))).items


async def test_a_name_belongs_to_the_key_of_its_first_cosignature(log: Log, tmp_path: Path) -> None:
    await log.grow(2)
    await log.cosign(await log.note())
    with pytest.raises(DealixError) as error:
        await log.cosign(await log.note(), witness.load_key(tmp_path / "else", "witness.example"))
    assert error.value.code == "not_cosigned"
    assert "ledger.cosignature_refused" in await log.kinds()
    (kept,) = (await log.cosigning.page(CosignaturesRequest(principal=log.auditor))).items
    assert kept.witness == log.key.vkey
    # The binding outlasts the tree: the same name under the other key is refused later as well, and the first key is taken.
    await log.grow(2)
    with pytest.raises(DealixError):
        await log.cosign(await log.note(), witness.load_key(tmp_path / "else", "witness.example"))
    await log.cosign(await log.note())


async def test_a_name_that_another_tenants_witness_has_is_free_here(log: Log, tmp_path: Path) -> None:
    await log.grow(2)
    await log.cosign(await log.note())
    other = Log(log.database, log.admin_url, tmp_path / "other")
    other.key = witness.load_key(tmp_path / "theirs", "witness.example")
    await other.grow(2)
    await other.cosign(await other.note())
    (theirs,) = (await other.cosigning.page(CosignaturesRequest(principal=other.auditor))).items
    assert theirs.witness == other.key.vkey


async def test_the_platforms_log_is_cosigned_by_anybodys_witness_and_shown_to_everybody(
    log: Log, tmp_path: Path
) -> None:
    await log.grow(3)
    await log.cosign(await log.platform_note())
    other = Log(log.database, log.admin_url, tmp_path / "neighbour")
    other.key = witness.load_key(tmp_path / "theirs", "witness.example")
    await other.cosign(await log.platform_note())
    page = await log.cosigning.page(CosignaturesRequest(principal=other.auditor, log="platform", page=Page(limit=1)))
    rest = await log.cosigning.page(
        CosignaturesRequest(principal=other.auditor, log="platform", page=Page(limit=1, cursor=page.next_cursor))
    )
    assert {page.items[0].witness, rest.items[0].witness} == {log.key.vkey, other.key.vkey}
    # A proof is against the tree that they have seen, and carries their lines.
    proof = await log.books.proof(ProofRequest(principal=log.auditor, seq=1))
    assert proof.platform is not None
    assert proof.platform.checkpoint.count("witness.example") == 2
    # What anybody's witness cosigned is on the ledger of the tenant that handed it in, and its own log has no witness for that.
    assert "ledger.cosigned" in await log.kinds()
    assert not (await log.cosigning.page(CosignaturesRequest(principal=log.auditor))).items


async def test_a_forked_view_of_the_platforms_log_is_refused(log: Log) -> None:
    await log.grow(3)
    size = witness.parse(await log.platform_note()).size
    forged = sign_checkpoint(Checkpoint(f"{ORIGIN}/{PLATFORM}", size, b"\x01" * 32), KEYS_OF_TRUST.checkpoint)
    with pytest.raises(DealixError) as error:
        await log.cosign(forged)
    assert error.value.code == "forked_view"
    assert "ledger.cosignature_refused" in await log.kinds()


async def test_a_tenant_brings_a_few_witnesses_to_the_platforms_log_and_no_flood(log: Log, tmp_path: Path) -> None:
    await log.grow(2)
    note = await log.platform_note()
    for number in range(MOST_WITNESSES):
        await log.cosign(note, witness.load_key(tmp_path / f"w{number}", f"w{number}.example"))
    for name, code in (("another.example", "too_many_witnesses"), ("w1.example", "not_cosigned")):
        with pytest.raises(DealixError) as error:
            await log.cosign(note, witness.load_key(tmp_path / "more", name))
        assert error.value.code == code


async def rewrite(log: Log, *statements: str) -> None:
    """What somebody does who has the database, and is no friend."""
    connection = await asyncpg.connect(log.admin_url)
    try:
        await connection.execute("set session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement, log.tenant)
    finally:
        await connection.close()


async def test_a_log_set_back_behind_what_was_cosigned_is_not_shown_any_more(log: Log) -> None:
    await log.grow(5)
    await log.grow(5)
    await log.cosign(await log.note())
    await rewrite(log, "delete from trust.ledger_checkpoints where log_id = $1 and size > 5")
    for ask in (
        log.books.checkpoint(CheckpointRequest(principal=log.auditor)),
        log.books.proof(ProofRequest(principal=log.auditor, seq=1)),
        log.books.consistency(ConsistencyRequest(principal=log.auditor, first=1, second=2)),
        log.exporting.export(EvidenceRequest(principal=log.auditor, scope="period:2026-01-01..2027-12-31")),
    ):
        with pytest.raises(DealixError) as error:
            await ask
        assert error.value.code == "log_forked"


async def test_a_log_rewritten_below_what_was_cosigned_is_not_shown_any_more(log: Log) -> None:
    await log.grow(5)
    await log.cosign(await log.note())
    await log.grow(1)
    assert await log.note()
    note = sign_checkpoint(Checkpoint(f"{ORIGIN}/{log.tenant}", 20, b"\x07" * 32), KEYS_OF_TRUST.checkpoint)
    connection = await asyncpg.connect(log.admin_url)
    await connection.execute(
        "insert into trust.ledger_checkpoints (log_id, size, note) values ($1, 20, $2)", log.tenant, note
    )
    await connection.close()
    with pytest.raises(DealixError) as error:
        await log.note()
    assert error.value.code == "log_forked"


async def test_a_pack_carries_the_cosignature_and_the_platforms_proof_and_goes_its_way_to_the_seal(log: Log) -> None:
    await log.grow(3)
    await log.cosign(await log.note())
    scope = "period:2026-01-01..2027-12-31"
    made = await log.exporting.export(EvidenceRequest(principal=log.owner, scope=scope))
    chunk = await log.books.read(EvidenceRead(principal=log.owner, pack_id=made.pack_id))
    root: dict[str, dict[str, bytes]] = {use: {} for use in ("statement", "checkpoint", "grant", "witness")}
    for jwk in KEYS_OF_TRUST.jwks():
        root[jwk["dealix_use"]][jwk["kid"]] = base64.urlsafe_b64decode(jwk["x"] + "==")
    root["witness"][log.key.name] = log.key.public
    report = verify_bytes(base64.b64decode(chunk.data), root)
    assert report.exit_code == 0, report.as_dict()
    details = {check.name: check.detail for check in report.checks}
    assert details["witness"] == "1 of 1 checked"
    assert details["platform"].startswith("entry ")
    packing = Packing(log.database)
    step = PackStep(principal=log.auditor, pack_id=made.pack_id, note="قرئت")
    for refused, code in (
        (packing.seal(step), "pack_state"),
        (packing.review(step.evolve(principal=log.owner)), "own_pack"),
    ):
        with pytest.raises(DealixError) as error:
            await refused
        assert error.value.code == code
    assert (await packing.review(step)).state == "reviewed"
    sealed = await packing.seal(step)
    assert (sealed.state, sealed.sha256) == ("sealed", made.sha256)
    with pytest.raises(DealixError):
        await packing.review(step)
    assert {"evidence.reviewed", "evidence.sealed"} <= set(await log.kinds())


async def test_a_platform_log_set_back_behind_what_was_cosigned_is_not_shown_any_more(log: Log) -> None:
    """Last in this file: whoever has the platform's log set back has no platform log any more."""
    await log.grow(3)
    before = witness.parse(await log.platform_note()).size
    await log.grow(3)
    await log.cosign(await log.platform_note())
    connection = await asyncpg.connect(log.admin_url)
    await connection.execute("set session_replication_role = replica")
    await connection.execute("delete from trust.ledger_checkpoints where log_id = $1 and size > $2", PLATFORM, before)
    await connection.close()
    for ask in (
        log.books.checkpoint(CheckpointRequest(principal=log.auditor, log="platform")),
        log.books.consistency(ConsistencyRequest(principal=log.auditor, first=1, second=2, log="platform")),
        log.books.proof(ProofRequest(principal=log.auditor, seq=1)),
    ):
        with pytest.raises(DealixError) as error:
            await ask
        assert error.value.code == "log_forked"
