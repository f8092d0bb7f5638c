"""What a pack of a control holds beside its entries: what was read each time, and what was handed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from libs.contracts.canonical import canonical
from libs.contracts.catalogue.controls import controls, version
from services.trust.compliance.store import ControlRows
from services.trust.ledger.errors import PackTooLarge
from services.trust.ledger.limits import MAX_ENTRIES, MAX_MEGABYTES

_FILES = "select sha256, body from trust.control_attestations where tenant_id = $1 and control_id = $2 and sha256 <> ''"
_SIZE = "select coalesce(sum(length(body)), 0) from trust.control_attestations where tenant_id = $1 and control_id = $2"


async def documents(connection: Any, tenant: UUID, control_id: str) -> dict[str, bytes]:
    """`control.json`, with the control as the catalogue has it, its readings and attestations, and each file that was handed in.

    An entry says what a reading came to and the digest of each file; the rest of a reading (which rows, why) is the operator's record.
    Raises PackTooLarge.
    """
    rows = ControlRows(connection, tenant)
    readings = await rows.history(control_id, MAX_ENTRIES + 1)
    size = await connection.fetchval(_SIZE, tenant, control_id)
    if len(readings) > MAX_ENTRIES or size > MAX_MEGABYTES * 1_000_000:
        raise PackTooLarge
    handed_in = (await rows.attestations(control_id)).get(control_id, [])
    about = {
        "control": controls()[control_id].model_dump(mode="json"),
        "catalogue_version": version(),
        "readings": [one.model_dump(mode="json") for one in readings],
        "attestations": [one.model_dump(mode="json") for one in handed_in],
    }
    files = {
        f"attachments/{row['sha256']}": bytes(row["body"]) for row in await connection.fetch(_FILES, tenant, control_id)
    }
    return {"control.json": canonical(about), **files}
