"""How ledger entries are written for the systems that read them. The same entries give the same bytes, at every try. No I/O.

CloudEvents 1.0 (JSON batch format, section 4); CEF: ArcSight Common Event Format, revision 25, whose header escapes `|` and `\\` and whose
extension escapes `=` and `\\`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from libs.contracts.push import Form, SubscriptionKind
from libs.contracts.trust import LedgerEntry

CONTENT_TYPES = {
    Form.JSON: "application/json",
    Form.JSONL: "application/x-ndjson",
    Form.CLOUDEVENTS: "application/cloudevents-batch+json",
    Form.CEF: "text/plain; charset=utf-8",
}
ALLOWED = {
    SubscriptionKind.WEBHOOK: (Form.JSON,),
    SubscriptionKind.SIEM: (Form.JSONL, Form.CLOUDEVENTS, Form.CEF),
}
"""Forms of each kind, the usual first."""
_SEVERE = {"refused": 5, "failed": 6, "unknown": 6}
_WORST = ("reconciliation.", "screening.", "session.refused", "webhook.refused", "ledger.cosignature_refused")


def content(form: Form, entries: Sequence[LedgerEntry]) -> Any:
    """What an action's payload holds: JSON, from which `body` makes the bytes."""
    if form is Form.JSON:
        (entry,) = entries
        return {"type": entry.kind, "timestamp": _at(entry), "data": _entry(entry)}
    if form is Form.CLOUDEVENTS:
        return [_cloud_event(entry) for entry in entries]
    if form is Form.CEF:
        return [_cef(entry) for entry in entries]
    return [_entry(entry) for entry in entries]


def body(form: Form, value: Any) -> bytes:
    """The bytes of a message. Raises TypeError for content that is not of this form."""
    if form in (Form.JSON, Form.CLOUDEVENTS):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if not isinstance(value, list):
        raise TypeError("lines are a list")
    if form is Form.CEF:
        return "".join(f"{line}\n" for line in value).encode()
    return b"".join(orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n" for line in value)


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    shown: dict[str, Any] = entry.model_dump(mode="json")
    return shown


def _at(entry: LedgerEntry) -> str:
    return entry.at.isoformat().replace("+00:00", "Z")


def _cloud_event(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(entry.entry_id),
        "source": f"//dealix/ledger/{entry.tenant_id}",
        "type": f"com.dealix.ledger.{entry.kind}",
        "subject": entry.target,
        "time": _at(entry),
        "datacontenttype": "application/json",
        "sequence": f"{entry.seq:020}",  # an extension: CloudEvents' own name for a place in a stream
        "data": _entry(entry),
    }


def _cef(entry: LedgerEntry) -> str:
    header = "|".join(
        ["CEF:0", "Dealix", "Dealix", "1", _header(entry.kind), _header(_title(entry)), str(_severity(entry))]
    )
    fields = {
        "rt": str(int(entry.at.timestamp() * 1000)),
        "externalId": str(entry.entry_id),
        "suser": entry.actor,
        "request": entry.target,
        "outcome": str(entry.data.get("outcome", "")),
        "cs1Label": "seq",
        "cs1": str(entry.seq),
        "cs2Label": "leafHash",
        "cs2": entry.leaf_hash,
        "cs3Label": "traceId",
        "cs3": entry.trace_id,
        "msg": orjson.dumps(entry.data, option=orjson.OPT_SORT_KEYS).decode(),
    }
    return f"{header}|" + " ".join(f"{name}={_value(text)}" for name, text in fields.items() if text)


def _title(entry: LedgerEntry) -> str:
    return entry.kind.replace(".", " ").replace("_", " ")


def _severity(entry: LedgerEntry) -> int:
    """0 to 10 as CEF counts: what was refused or failed above what went well, what nobody granted at the top."""
    if entry.kind.startswith(_WORST):
        return 8
    return _SEVERE.get(str(entry.data.get("outcome", "")), 3)


def _header(text: str) -> str:
    return _flat(text.replace("\\", "\\\\").replace("|", "\\|"))


def _value(text: str) -> str:
    return _flat(text.replace("\\", "\\\\").replace("=", "\\="))


def _flat(text: str) -> str:
    """On one line: a break would begin another event."""
    return "".join(c if c.isprintable() else " " for c in text)
