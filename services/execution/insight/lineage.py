"""From the record that an action was about to what went out."""

from __future__ import annotations

from libs.contracts import subjects
from libs.contracts.catalogue.words import effect_title, joined, word
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
    "action": f"select action_id::text as id, action_type, state from execution.actions where tenant_id = $1 and action_id = {UUIDS}",
    "message": "select m.message_id::text as id, a.action_type from execution.sandbox m join execution.actions a on a.tenant_id = m.tenant_id "
    f"and a.action_id = m.action_id where m.tenant_id = $1 and m.message_id = {UUIDS}",
}
NAMED = {
    "action": lambda row: joined(effect_title(row["action_type"]), word("action_state", row["state"])),
    "message": lambda row: effect_title(row["action_type"]),
}


def serve_lineage(runtime: Runtime) -> None:
    runtime.bus.serve(subjects.LINEAGE[Plane.EXECUTION], Lineage(runtime.database, RELATIONS, TITLES, NAMED).step)
