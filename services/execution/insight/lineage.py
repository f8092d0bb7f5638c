"""From the record that an action was about to what went out."""

from __future__ import annotations

from libs.contracts import subjects
from libs.contracts.message import Plane
from libs.runtime.lineage import UUIDS, Lineage, Relation
from libs.runtime.plane import Runtime


def _acted(kind: str) -> Relation:
    return Relation(
        kind, "action", "acted_on",
        f"select resource_id as cause, action_id::text as effect, accepted_at as at from execution.actions where tenant_id = $1 and resource_type = '{kind}'",
        "resource_id = any($2::text[])", f"action_id = {UUIDS}",
    )  # fmt: skip


RELATIONS = (
    *(_acted(kind) for kind in ("account", "contact", "lead", "deal")),
    Relation(
        "action", "message", "went_out_as",
        "select action_id::text as cause, message_id::text as effect, at from execution.sandbox where tenant_id = $1",
        f"action_id = {UUIDS}", f"message_id = {UUIDS}",
    ),
)  # fmt: skip
TITLES = {
    "action": "select action_id::text as id, action_type || ' · ' || state as en, action_type || ' · ' || state as ar "
    f"from execution.actions where tenant_id = $1 and action_id = {UUIDS}",
    "message": "select message_id::text as id, connector || ' · ' || operation as en, connector || ' · ' || operation as ar "
    f"from execution.sandbox where tenant_id = $1 and message_id = {UUIDS}",
}


def serve_lineage(runtime: Runtime) -> None:
    runtime.bus.serve(subjects.LINEAGE[Plane.EXECUTION], Lineage(runtime.database, RELATIONS, TITLES).step)
