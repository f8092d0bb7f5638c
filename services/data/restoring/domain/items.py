"""One record of an export, its values checked as if a person had typed them; or the reason why it is not taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import FieldType, RecordField, RecordKind, records
from libs.contracts.catalogue.sources import Collection, Handling, SourceRule
from libs.contracts.message import derived_id, first_id
from services.data.crm.domain.values import check, shown
from services.data.importing.domain.messages import say
from services.data.importing.domain.records import ConsentClaim, Note, RowRejected, Said
from services.data.importing.domain.source_policy import OUTCOMES, STRICTEST, resolve_source, stricter
from services.data.restoring.domain.archive import Line

_UNFIXED = {
    kind: {name: field.evolve(fixed=False) for name, field in rule.fields.items()}
    for kind, rule in records().kinds.items()
}
_UNSAID = datetime.fromtimestamp(0, UTC)
_MOMENT = RecordField(type=FieldType.MOMENT, en="When", ar="الوقت")
_FRAME = {
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
    "id": RecordField(type=FieldType.REFERENCE, to=RecordKind.ACCOUNT, en="Id", ar="المعرّف"),
}


@dataclass(frozen=True)
class Item:
    """A record to take back. `values` has every field of its kind, None where it is empty; `id` is the one that it had, where it says one."""

    number: int
    kind: RecordKind
    raw: tuple[str, ...]
    id: UUID | None
    version: int
    created_at: datetime | None
    updated_at: datetime | None
    values: dict[str, Any]
    custom: dict[str, Any]
    beside: dict[str, Any]
    """What its table keeps beside the fields: columns of leads and accounts, and a contact's `consents`."""
    account_name: str | None
    notes: tuple[Note, ...] = ()

    @property
    def outcome(self) -> str:
        """How its row ends if it is new."""
        return str(self.values["outcome"]) if self.kind is RecordKind.LEAD else "created"

    def own_id(self, tenant_id: UUID) -> UUID:
        """The id that it had. Of a row without one an id that follows from the row, so that the same row again is the same record; of the time
        when the record was made, or before all others where the row does not say: lists, newest first, have it where it belongs."""
        return self.id or derived_id(first_id(self.created_at or _UNSAID), tenant_id, "\x1f".join(self.raw))


def read_item(line: Line, own: Mapping[str, RecordField], of_file: SourceRule) -> Item | RowRejected:
    """`own` are the tenant's fields of this kind; `of_file` is what the whole file is held to."""
    if line.item is None:
        said = say("row", "broken_json")
        return RowRejected(line.number, "", said.code, said.en, said.ar, line.raw)
    fields, given = _UNFIXED[line.kind], line.item
    values, wrong = check(fields, {name: given[name] for name in fields if given.get(name) is not None}, whole=True)
    frame, more = check(_FRAME, {name: given[name] for name in _FRAME if given.get(name)}, whole=False)
    wrong += more
    custom, notes = _own(own, given.get("custom"), wrong)
    beside: dict[str, Any] = {}
    if not wrong and line.kind is RecordKind.LEAD:
        beside = _lead(values, given, of_file, wrong)
    elif line.kind is RecordKind.CONTACT:
        beside = {"consents": _consents(given.get("consents"), wrong)}
    elif line.kind is RecordKind.ACCOUNT:
        names = _json(given.get("aliases"))
        beside = {"aliases": [str(name)[:300] for name in names[:50]] if isinstance(names, list) else []}
    if wrong:
        name, en, ar = wrong[0]
        return RowRejected(line.number, name, "bad_value", en, ar, line.raw)
    named = given.get("account_name")
    return Item(
        line.number, line.kind, line.raw, frame.get("id"), _version(given.get("version")), frame.get("created_at"), frame.get("updated_at"),
        {name: values.get(name) for name in fields}, custom, beside, str(named)[:300] if named else None, notes,
    )  # fmt: skip


def _own(
    own: Mapping[str, RecordField], given: Any, wrong: list[tuple[str, str, str]]
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The tenant's own fields; of others the record says that they were left out."""
    held = _json(given) or {}
    if not isinstance(held, dict):
        wrong.append(("custom", "It is not an object.", "القيمة ليست كائن JSON."))
        return {}, ()
    notes = tuple(
        Note(f"custom.{name}", said.code, said.en, said.ar)
        for name in sorted(held.keys() - own.keys())
        for said in (say("note", "no_such_own_field", value=name[:60]),)
    )
    values, more = check(own, {name: value for name, value in held.items() if name in own}, whole=False)
    wrong += [(f"custom.{name}", en, ar) for name, en, ar in more]
    return {name: shown(value) for name, value in values.items()}, notes


def _lead(values: dict[str, Any], given: Mapping[str, Any], of_file: SourceRule, wrong: list[tuple[str, str, str]]) -> dict[str, Any]:  # fmt: skip
    """Where a lead is from and what that permits, never more than the export said of it nor than the file's own source permits."""
    own = resolve_source(values["source"])
    rule = stricter(own, of_file)
    named = Said(rule.key, rule.en, rule.ar)
    if rule.handling is Handling.REFUSE:
        said = say("row", "source_refused", source=named)
        wrong.append(("source", said.en, said.ar))
        return {}
    values["source"] = rule.key
    cold = _true(given.get("cold"))
    indirect = Collection.INDIRECT in (own.collection, of_file.collection)
    direct = not indirect and _true(given.get("collected_directly", True))
    reasons = [one for one in _json(given.get("reasons")) or () if isinstance(one, dict) and one.keys() >= {"code", "en", "ar"}]  # fmt: skip
    standing = {OUTCOMES[rule.handling], values.get("outcome") or "created", "blocked" if cold else "created"}
    values["outcome"] = next(one for one in STRICTEST if one in standing)
    if rule.handling is not Handling.ACCEPT and not reasons:
        code = "source_blocked" if rule.handling is Handling.BLOCK else "source_needs_review"
        said = say("block" if rule.handling is Handling.BLOCK else "review", code, source=named)
        reasons = [{"code": said.code, "en": said.en, "ar": said.ar}]
    return {"cold": cold, "collected_directly": direct, "reasons": reasons}


def _consents(given: Any, wrong: list[tuple[str, str, str]]) -> tuple[ConsentClaim, ...]:
    try:
        return tuple(
            ConsentClaim(
                str(one["channel"])[:40], one["given"] is True, date.fromisoformat(one["at"]) if one.get("at") else None,
                str(one["how"])[:500] if one.get("how") else None,
            )
            for one in _json(given) or ()
        )  # fmt: skip
    except (TypeError, KeyError, ValueError, AttributeError):
        wrong.append(("consents", "The consents cannot be read.", "تعذّرت قراءة الموافقات."))
        return ()


def _json(given: Any) -> Any:
    """A value of JSON Lines as it is, one of CSV from the text of its cell."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        return given


def _true(given: Any) -> bool:
    return str(given).casefold() == "true"


def _version(given: Any) -> int:
    return int(given) if str(given).isdigit() and len(str(given)) < 10 and int(given) else 1
