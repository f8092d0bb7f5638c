"""Tells trust, in the transaction that keeps the texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.screening import MOST_ITEMS, ScreenedText, TextsScreened
from libs.contracts.subjects import TEXTS_SCREENED
from libs.runtime import telemetry
from services.data.screening.domain.texts import Found

_ABOUT = ("account", "contact", "deal", "lead")


def tell(work: Any, tenant_id: UUID, source: str, items: Sequence[ScreenedText], now: datetime) -> None:
    """Emit what was found; nothing when nothing was."""
    for start in range(0, len(items), MOST_ITEMS):
        part = tuple(items[start : start + MOST_ITEMS])
        work.emit(
            TEXTS_SCREENED,
            TextsScreened(tenant_id=tenant_id, source=source, items=part, at=now, trace_id=telemetry.trace_id()),
        )


def of_record(kind: str, id: UUID, values: Mapping[str, Any], found: Found) -> list[ScreenedText]:
    """What a record's fields showed: it is in quarantine, and so are the records that it is about."""
    subject = f"{kind}:{id}"
    about = {subject, *(f"{other}:{values[f'{other}_id']}" for other in _ABOUT if values.get(f"{other}_id"))}
    return [
        ScreenedText(subject=subject, about=tuple(sorted(about)), field=name, codes=codes)
        for name, codes in found.items()
    ]


async def of_import(work: Any, tenant_id: UUID, import_id: UUID, found: Mapping[int, Found]) -> list[ScreenedText]:
    """What rows of an import showed, about the contact, the company and the lead that each became. Rows that became none are left out."""
    if not found:
        return []
    rows = await work.connection.fetch(
        "select r.row_number, r.account_id, r.contact_id, array(select l.lead_id from data.leads l where l.tenant_id = r.tenant_id and "
        "l.contact_id = r.contact_id and l.deleted_at is null) leads from data.import_rows r "
        "where r.tenant_id = $1 and r.import_id = $2 and r.row_number = any($3::int[])",
        tenant_id, import_id, list(found),
    )  # fmt: skip
    items = []
    for row in rows:
        about = (
            f"contact:{row['contact_id']}",
            f"account:{row['account_id']}",
            *(f"lead:{lead}" for lead in row["leads"][:15]),
        )
        for name, codes in found[row["row_number"]].items():
            items.append(ScreenedText(subject=about[0], about=about, field=name, codes=codes))
    return items
