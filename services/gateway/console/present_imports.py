"""Imports as the console words them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from libs.contracts import data
from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.catalogue.sources import Handling, sources
from services.gateway.console import pages, views
from services.gateway.console.present import pick, source_name
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
