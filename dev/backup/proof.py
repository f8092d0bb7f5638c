"""What proves that a database came back whole: rows by table, and each ledger recomputed from its leaves to its signed checkpoint."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import nacl.signing

from libs.contracts.merkle import EMPTY_ROOT, leaf_hash, node_hash
from libs.contracts.message import Plane
from services.trust.ledger.domain.checkpoint import parse_checkpoint, verify_checkpoint
from services.trust.ledger.errors import MalformedNote, UnverifiedNote

BATCH = 5000


class Untrue(Exception):
    """The database does not hold what it should; the message says where."""


async def row_counts(connection: Any) -> dict[str, int]:
    """Rows of every table of every plane, by `schema.table`."""
    tables = await connection.fetch(
        "select schemaname || '.' || tablename as name, quote_ident(schemaname) || '.' || quote_ident(tablename) as quoted"
        " from pg_tables where schemaname = any($1::text[]) order by 1",
        [plane.value for plane in Plane],
    )
    return {row["name"]: await connection.fetchval(f"select count(*) from {row['quoted']}") for row in tables}


async def ledger_heads(connection: Any) -> dict[str, dict[str, Any]]:
    """Size and root (hex) of each log, by log."""
    rows = await connection.fetch("select log_id, size, root from trust.ledger_heads order by log_id")
    return {str(row["log_id"]): {"size": row["size"], "root": row["root"].hex()} for row in rows}


async def verify_ledger(connection: Any, checkpoint_keys: Sequence[bytes]) -> dict[str, int]:
    """Recompute every log: entry → leaf → root → head → last signed checkpoint. Returns {logs, leaves, erased, checkpoints}.

    `checkpoint_keys` are raw Ed25519 public keys. Raises Untrue at the first thing that does not hold.
    """
    counted = {"logs": 0, "leaves": 0, "erased": 0, "checkpoints": 0}
    async with connection.transaction():
        for log, head in (await ledger_heads(connection)).items():
            notes = await connection.fetch(
                "select size, note from trust.ledger_checkpoints where log_id = $1::text::uuid order by size desc limit 1",
                log,
            )
            wanted = {row["size"]: row["note"] for row in notes}
            tree, roots = _Tree(), {0: EMPTY_ROOT}
            async for leaf in _leaves(connection, log, counted):
                tree.add(leaf)
                if tree.size in wanted:
                    roots[tree.size] = tree.root()
            counted["logs"] += 1
            counted["leaves"] += tree.size
            if (tree.size, tree.root().hex()) != (head["size"], head["root"]):
                raise Untrue(
                    f"log {log}: its {tree.size} leaves have another root than its head of {head['size']} says"
                )
            for size, note in wanted.items():
                _check_note(log, note, size, roots.get(size), checkpoint_keys)
                counted["checkpoints"] += 1
    return counted


def _check_note(log: str, note: str, size: int, root: bytes | None, keys: Sequence[bytes]) -> None:
    try:
        signed = verify_checkpoint(note, parse_checkpoint(note).origin, *keys)
    except (MalformedNote, UnverifiedNote) as error:
        raise Untrue(
            f"log {log}: its checkpoint of {size} leaves is not signed by a key of this installation"
        ) from error
    if (signed.size, signed.root) != (size, root):
        raise Untrue(f"log {log}: its checkpoint of {size} leaves names another root")


async def _leaves(connection: Any, log: str, counted: dict[str, int]) -> AsyncIterator[bytes]:
    """The leaf hashes of a log in order. Where the entry is still there, its hash must be the leaf's."""
    expected = 0
    cursor = connection.cursor(
        "select l.seq, l.leaf_hash, e.salt, e.body from trust.ledger_leaves l"
        " left join trust.ledger_entries e on e.entry_id = l.entry_id where l.log_id = $1::text::uuid order by l.seq",
        log,
        prefetch=BATCH,
    )
    async for row in cursor:
        if row["seq"] != expected:
            raise Untrue(f"log {log}: leaf {expected} is missing")
        expected += 1
        if row["body"] is None:
            counted["erased"] += 1
        elif leaf_hash(row["salt"] + row["body"]) != row["leaf_hash"]:
            raise Untrue(f"log {log}: the entry of leaf {row['seq']} is not the one that was recorded")
        yield row["leaf_hash"]


class _Tree:
    """The right edge of a growing Merkle tree (RFC 9162 section 2.1): its root without keeping its leaves."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        self.size += 1
        node = (1, leaf)
        while self._edge and self._edge[-1][0] == node[0]:
            width, left = self._edge.pop()
            node = (width * 2, node_hash(left, node[1]))
        self._edge.append(node)

    def root(self) -> bytes:
        if not self._edge:
            return EMPTY_ROOT
        out = self._edge[-1][1]
        for _, left in reversed(self._edge[:-1]):
            out = node_hash(left, out)
        return out


def checkpoint_keys(trust_keys: Mapping[str, Mapping[str, str]]) -> list[bytes]:
    """Public keys of the checkpoint keys of an installation (`Secrets.trust_keys`), retired ones included."""
    seeds = [key["seed"] for name, key in trust_keys.items() if name.startswith("checkpoint")]
    return [bytes(nacl.signing.SigningKey(base64.b64decode(seed)).verify_key) for seed in seeds]
