"""Imports as the console words them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from libs.contracts import data
from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.catalogue.sources import Handling, sources
from libs.contracts.import_rows import RemarkedRow
from services.gateway.console import pages, views
from services.gateway.console.present import pick, source_name
from services.gateway.console.urls import url
from services.gateway.console.views import Lang

_STATES: dict[str, tuple[str, str, views.Tone]] = {
    "queued": ("في الانتظار", "Waiting", "neutral"),
    "reading": ("قراءة الملف", "Reading", "neutral"),
    "matching": ("مطابقة السجلات", "Matching", "neutral"),
    "assessing": ("تحديد من يجوز التواصل معه", "Finding out who may be contacted", "neutral"),
    "completed": ("اكتمل", "Done", "low"),
    "refused": ("رُفض الملف", "Refused", "high"),
    "failed": ("تعذّر", "Failed", "high"),
    "undone": ("تم التراجع عنه", "Undone", "medium"),
    "cancelled": ("أُلغي", "Cancelled", "medium"),
}


_COLUMNS = {
    "company": ("المنشأة", "Company"), "company_ar": ("المنشأة بالعربية", "Company in Arabic"), "landline": ("هاتف المنشأة", "Office phone"),
    "consent": ("الموافقة", "Consent"),
}  # fmt: skip
"""Columns that no field of a record is named after."""
LONGEST_ROW = 120


def summary(lang: Lang, status: data.ImportStatus) -> views.ImportSummary:
    arabic, english, tone = _STATES[status.state.value]
    return views.ImportSummary(
        str(status.import_id), status.file_name, source_name(lang, status.source), status.started_at, pick(lang, arabic, english), tone,
        status.counts.rows,
    )  # fmt: skip


def state(status: data.ImportStatus) -> pages.ImportPhase:
    named: dict[str, pages.ImportPhase] = {
        "queued": "queued",
        "completed": "done",
        "refused": "failed",
        "failed": "failed",
        "undone": "undone",
        "cancelled": "cancelled",
    }
    return named.get(status.state.value, "running")


def step(lang: Lang, status: data.ImportStatus) -> str:
    arabic, english, _ = _STATES[status.state.value]
    return pick(lang, arabic, english)


def source_options(lang: Lang) -> tuple[views.SourceOption, ...]:
    policy: dict[Handling, Literal["allowed", "review", "refused"]] = {
        Handling.ACCEPT: "allowed",
        Handling.REVIEW: "review",
        Handling.BLOCK: "review",
        Handling.REFUSE: "refused",
    }
    return tuple(views.SourceOption(r.key, pick(lang, r.ar, r.en), policy[r.handling]) for r in sources().values())


def counts(status: data.ImportStatus) -> dict[str, int]:
    c = status.counts
    return {
        "rows": c.rows,
        "created": c.created,
        "merged": c.merged,
        "needs_review": c.needs_review,
        "blocked": c.blocked,
        "rejected": c.rejected,
    }


def rejects(lang: Lang, reply: data.RejectsReply) -> tuple[views.Reject, ...]:
    return tuple(
        views.Reject(r.row_number, column_word(lang, r.field), _cells(r.raw), pick(lang, r.ar, r.en))
        for r in reply.rows
    )


_OUTCOMES: dict[str, tuple[str, str, views.Tone]] = {
    "created": ("أُنشئ", "Created", "low"),
    "merged": ("دُمج", "Merged", "low"),
    "needs_review": ("يحتاج مراجعة", "Needs review", "medium"),
    "blocked": ("محظور", "Blocked", "high"),
}


def remarks(lang: Lang, rows: Sequence[RemarkedRow]) -> tuple[views.RowRemark, ...]:
    """What was left out of rows that were taken in, and why rows wait or are blocked."""
    return tuple(_remark(lang, row) for row in rows)


def _remark(lang: Lang, row: RemarkedRow) -> views.RowRemark:
    arabic, english, tone = _OUTCOMES[row.outcome]
    said = [pick(lang, one.ar, one.en) for one in row.reasons]
    for one in row.left_out:
        text = pick(lang, one.ar, one.en)
        said.append(f"{column_word(lang, one.field)}: {text}" if one.field else text)
    href = ""
    if row.contact_id:
        href = url("contact", str(row.contact_id))
    elif row.account_id:
        href = url("account", str(row.account_id))
    return views.RowRemark(
        row.row_number, row.person or row.company, href, pick(lang, arabic, english), tone, tuple(said)
    )


def samples(status: data.ImportStatus, column: int) -> tuple[str, ...]:
    """The first values of a column, as the file has them."""
    found = (row[column].strip() for row in status.sample if column < len(row))
    return tuple(dict.fromkeys(value for value in found if value))[:3]


def column_word(lang: Lang, key: str) -> str:
    """What a column of a list feeds, as people call it."""
    if key in _COLUMNS:
        return pick(lang, *_COLUMNS[key])
    for kind in (RecordKind.CONTACT, RecordKind.ACCOUNT, RecordKind.LEAD):
        field = records().kinds[kind].fields.get(key)
        if field is not None:
            return pick(lang, field.ar, field.en)
    return key


def _cells(raw: Sequence[str]) -> str:
    """The first cells of a row, whole ones."""
    shown = ""
    for cell in filter(None, raw):
        if len(shown) + len(cell) > LONGEST_ROW:
            return f"{shown} …" if shown else f"{cell[:LONGEST_ROW]}…"
        shown = f"{shown} · {cell}" if shown else cell
    return shown
