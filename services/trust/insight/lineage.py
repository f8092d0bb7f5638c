"""From an action to its decisions, its approvals and their entries in the ledger."""

from __future__ import annotations

from libs.contracts import subjects
from libs.contracts.catalogue.words import effect_title, entry_title, joined, word
from libs.contracts.message import Plane
from libs.runtime.bus import Bus
from libs.runtime.database import Database
from libs.runtime.lineage import UUIDS, Lineage, Relation


def _recorded(kind: str) -> Relation:
    return Relation(
        kind, "entry", "recorded_in",
        f"select substr(target, {len(kind) + 2}) as cause, entry_id::text as effect, at from trust.ledger_entries where tenant_id = $1",
        f"target in (select '{kind}:' || x from unnest($2::text[]) x)", f"entry_id = {UUIDS} and target like '{kind}:%'",
    )  # fmt: skip


RELATIONS = (
    Relation(
        "action", "decision", "decided_by",
        "select action_id::text as cause, decision_id::text as effect, decided_at as at from trust.decisions where tenant_id = $1",
        f"action_id = {UUIDS}", f"decision_id = {UUIDS}",
    ),
    Relation(
        "action", "approval", "asked_for",
        "select action_id::text as cause, approval_id::text as effect, requested_at as at from trust.approvals where tenant_id = $1",
        f"action_id = {UUIDS}", f"approval_id = {UUIDS}",
    ),
    *(_recorded(kind) for kind in ("action", "import", "card", "contact")),
)  # fmt: skip
TITLES = {
    "decision": f"select decision_id::text as id, outcome, effect from trust.decisions where tenant_id = $1 and decision_id = {UUIDS}",
    "approval": f"select approval_id::text as id, action_type, state from trust.approvals where tenant_id = $1 and approval_id = {UUIDS}",
    "entry": f"select entry_id::text as id, kind from trust.ledger_entries where tenant_id = $1 and entry_id = {UUIDS}",
}
NAMED = {
    "decision": lambda row: joined(word("outcome", row["outcome"]), effect_title(row["effect"])),
    "approval": lambda row: joined(effect_title(row["action_type"]), word("approval_state", row["state"])),
    "entry": lambda row: entry_title(row["kind"]),
}


def serve_lineage(bus: Bus, database: Database) -> None:
    bus.serve(subjects.LINEAGE[Plane.TRUST], Lineage(database, RELATIONS, TITLES, NAMED).step)
