"""A tenant's checkpoint in the platform's log: that the operator showed everybody the same one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from libs.contracts.message import PLATFORM
from services.trust.ledger.errors import NotYetProvable
from services.trust.ledger.platform import PlatformWitnesses, platform_checkpoint
from services.trust.ledger.proofs import prove_all
from services.trust.ledger.sequencer import CHECKPOINT_KIND
from services.trust.ledger.store import Leaf, SqlLedgerStore

# The entry is made in the transaction that keeps the checkpoint, so that its time is the checkpoint's within a minute.
_ENTRY = """
select e.body, e.salt, l.seq, l.entry_id, l.leaf_hash from trust.ledger_checkpoints c
join trust.ledger_entries e on e.tenant_id = $2 and e.target = 'log:' || c.log_id and e.kind = $4
  and e.at between c.created_at - interval '1 minute' and c.created_at + interval '1 minute'
join trust.ledger_leaves l on l.log_id = e.tenant_id and l.entry_id = e.entry_id
where c.log_id = $1 and c.size = $3 and (convert_from(e.body, 'UTF8')::json->'data'->>'size')::bigint = $3
"""


async def anchor(connection: Any, tenant_id: UUID, size: int) -> dict[str, Any] | None:
    """The entry of the tenant's checkpoint of `size` in the platform's log, with its proof; None while it has no place there.

    The unit of work has to name the platform beside the tenant. Raises LogForked when the platform's log does not extend what was
    cosigned of it.
    """
    row = await connection.fetchrow(_ENTRY, tenant_id, PLATFORM, size, CHECKPOINT_KIND)
    if row is None:
        return None
    leaf = Leaf(PLATFORM, row["seq"], row["entry_id"], row["leaf_hash"])
    await platform_checkpoint(connection)
    witnesses = PlatformWitnesses(connection)
    try:
        # Against a tree that somebody else has seen, where one holds the entry.
        cosigned = await witnesses.covering(leaf.seq)
        (proof,), checkpoint = await prove_all(SqlLedgerStore(connection), PLATFORM, [leaf], cosigned)
    except NotYetProvable:
        return None
    lines = await witnesses.lines(checkpoint.size)
    return {
        "checkpoint": checkpoint.note + "".join(f"{line}\n" for line in lines),
        "entry": bytes(row["body"]).decode(),
        "salt": bytes(row["salt"]).hex(),
        "proof": {
            "seq": leaf.seq,
            "leaf_hash": leaf.leaf_hash.hex(),
            "path": [step.hex() for step in proof.path],
        },
    }
