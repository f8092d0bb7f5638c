"""Where each kind's fields are stored. Accounts and contacts keep theirs in `fields` as imports write them, and the ones that are
asked for often as columns beside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from libs.contracts.catalogue.records import RecordKind, records
from services.data.crm.domain.values import shown
from services.data.importing.codec import to_json
from services.data.importing.domain import values as import_values
from services.data.importing.domain.records import AccountFields, ContactFields

K = RecordKind


@dataclass(frozen=True)
class Table:
    """A kind's table: field to column, and for what lives in `fields` field to JSON key."""

    kind: RecordKind
    name: str
    id: str
    columns: Mapping[str, str]
    inside: Mapping[str, str] = field(default_factory=dict)
    blank: str = "{}"
    """What `fields` holds in a new record."""
    searched: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def select(self) -> str:
        wanted = [f"t.{self.id} as id", "t.version", "t.custom", "t.created_at", "t.updated_at"]
        wanted += [f't.{column} as "{name}"' for name, column in self.columns.items()]
        return ", ".join([*wanted, *(["t.fields as _fields"] if self.inside else [])])

    def values(self, row: Any) -> dict[str, Any]:
        """All fields of a row of `select`, as JSON has them."""
        out = {name: shown(row[name]) for name in self.columns}
        stored = json.loads(row["_fields"]) if self.inside else {}
        out |= {name: stored.get(key) for name, key in self.inside.items() if name not in self.columns}
        for name in ("city", "sector"):
            if name in self.inside:
                out[name] = stored.get(f"{name}_text") or stored.get(name)  # as it was typed: the key is for machines
        return {name: out.get(name) for name in records().kinds[self.kind].fields}

    def patch(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What of `values` goes into `fields`, by JSON key. Cities and sectors that are known become their catalogue key."""
        out: dict[str, Any] = {key: shown(values[name]) for name, key in self.inside.items() if name in values}
        for name, known in (("city", import_values.city), ("sector", import_values.sector)):
            if name in out:
                out[f"{name}_text"] = out[name]
                out[name] = known(out[name]) if out[name] else None
        if out.get("city") and "region" not in values:
            out["region"] = import_values.region_of(out["city"])
        return out


def _blank(made: AccountFields | ContactFields) -> str:
    return to_json(made)


_REFERENCES = ("account_id", "contact_id", "lead_id", "deal_id", "partner_id")


def _plain(kind: RecordKind, name: str, **more: Any) -> Table:
    return Table(kind, name, f"{kind.value}_id", {field: field for field in records().kinds[kind].fields}, **more)


TABLES: dict[RecordKind, Table] = {
    K.ACCOUNT: Table(
        K.ACCOUNT, "accounts", "account_id", {"name": "name", "name_ar": "name_ar"},
        {**{n: n for n in ("name", "name_ar", "domain", "cr", "vat", "city", "region", "sector", "employees")}, "phone": "phone_e164"},
        _blank(AccountFields(name="")),
    ),
    K.CONTACT: Table(
        K.CONTACT, "contacts", "contact_id",
        {name: name for name in ("account_id", "full_name", "title", "phone", "email", "opted_out")},
        {**{n: n for n in ("full_name", "title", "email", "opted_out")}, "phone": "phone_e164"},
        _blank(ContactFields()), defaults={"opted_out": "no"},
    ),
    K.LEAD: _plain(
        K.LEAD, "leads", searched=False,
        defaults={"outcome": "needs_review", "reasons": "[]", "collected_directly": False, "cold": False},
    ),
    K.DEAL: _plain(K.DEAL, "deals", defaults={"currency": "SAR", "stage": "new", "left_alone": "no"}),
    K.ACTIVITY: _plain(K.ACTIVITY, "activities"),
    K.TASK: _plain(K.TASK, "tasks", defaults={"status": "open"}),
    K.PARTNER: _plain(K.PARTNER, "partners", defaults={"stage": "scout"}),
    K.TICKET: _plain(K.TICKET, "tickets", defaults={"status": "open", "priority": "P2"}),
    K.SPEND: _plain(K.SPEND, "spending", defaults={"currency": "SAR"}),
    K.PAYMENT: _plain(K.PAYMENT, "payments", defaults={"currency": "SAR"}),
}  # fmt: skip


def references(kind: RecordKind) -> tuple[str, ...]:
    """The fields of a kind that hold ids of other records."""
    return tuple(name for name in _REFERENCES if name in records().kinds[kind].fields)


def referring(kind: RecordKind) -> tuple[tuple[Table, str], ...]:
    """The tables, with their column, that may refer to a record of this kind."""
    column = f"{kind.value}_id"
    return tuple((table, column) for table in TABLES.values() if table.kind is not kind and column in table.columns)
