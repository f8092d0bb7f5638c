"""From a file to the records that its rows became."""

from __future__ import annotations

from typing import Any

from libs.contracts import subjects
from libs.contracts.catalogue.sources import sources
from libs.contracts.message import Plane, Text
from libs.runtime.lineage import UUIDS, Lineage, Relation
from libs.runtime.plane import Runtime

_ROW = "import_id::text || ':' || row_number"
_ROWS = "(import_id, row_number) in (select split_part(x, ':', 1)::uuid, split_part(x, ':', 2)::int from unnest($2::text[]) x)"


def _became(kind: str) -> Relation:
    return Relation(
        "row", kind, "became",
        f"select {_ROW} as cause, {kind}_id::text as effect, null::timestamptz as at from data.import_rows where tenant_id = $1 and {kind}_id is not null",
        _ROWS, f"{kind}_id = {UUIDS}",
    )  # fmt: skip


def _merged(kind: str) -> Relation:
    return Relation(
        kind, kind, "merged_into",
        f"select gone_id::text as cause, kept_id::text as effect, at from data.merges where tenant_id = $1 and kind = '{kind}' and undone_at is null",
        f"gone_id = {UUIDS}", f"kept_id = {UUIDS}",
    )  # fmt: skip


RELATIONS = (
    Relation(
        "file", "import", "imported_as",
        "select import_id::text as cause, import_id::text as effect, started_at as at from data.imports where tenant_id = $1",
        f"import_id = {UUIDS}", f"import_id = {UUIDS}",
    ),
    Relation(
        "import", "row", "has_row",
        f"select import_id::text as cause, {_ROW} as effect, null::timestamptz as at from data.import_rows where tenant_id = $1",
        f"import_id = {UUIDS}", _ROWS,
    ),
    _became("account"),
    _became("contact"),
    Relation(
        "row", "lead", "became",
        f"select {_ROW} as cause, lead_id::text as effect, created_at as at from data.leads where tenant_id = $1 and import_id is not null and deleted_at is null",
        _ROWS, f"lead_id = {UUIDS}",
    ),
    _merged("account"),
    _merged("contact"),
    Relation(
        "lead", "deal", "opened",
        "select lead_id::text as cause, deal_id::text as effect, created_at as at from data.deals where tenant_id = $1 and lead_id is not null and deleted_at is null",
        f"lead_id = {UUIDS}", f"deal_id = {UUIDS}",
    ),
)  # fmt: skip
_FILE = f"select import_id::text as id, request->>'file_name' as en, request->>'file_name' as ar from data.imports where tenant_id = $1 and import_id = {UUIDS}"
TITLES = {
    "file": _FILE,
    "import": "select import_id::text as id, request->>'file_name' as file, request->>'source' as source "
    f"from data.imports where tenant_id = $1 and import_id = {UUIDS}",
    "row": f"select {_ROW} as id, 'row ' || row_number as en, 'الصف ' || row_number as ar from data.import_rows where tenant_id = $1 and {_ROWS}",
    "account": f"select account_id::text as id, name as en, coalesce(name_ar, name) as ar from data.accounts where tenant_id = $1 and account_id = {UUIDS}",
    "contact": f"select contact_id::text as id, full_name as en, full_name as ar from data.contacts where tenant_id = $1 and contact_id = {UUIDS}",
    "lead": "select l.lead_id::text as id, a.name as en, coalesce(a.name_ar, a.name) as ar from data.leads l join data.accounts a "
    f"using (tenant_id, account_id) where l.tenant_id = $1 and l.lead_id = {UUIDS}",
    "deal": f"select deal_id::text as id, title as en, title as ar from data.deals where tenant_id = $1 and deal_id = {UUIDS}",
}


def _import(row: Any) -> Text:
    """An import by its file and where the list came from."""
    source = sources().get(row["source"] or "")
    parts = (row["file"], source.en if source else None), (row["file"], source.ar if source else None)
    return Text(en=", ".join(filter(None, parts[0])), ar="، ".join(filter(None, parts[1])))


def serve_lineage(runtime: Runtime) -> None:
    step = Lineage(runtime.database, RELATIONS, TITLES, {"import": _import}).step
    runtime.bus.serve(subjects.LINEAGE[Plane.DATA], step)
