"""What a person sees of a file before it is imported: how it was read, what of it was not, and its first rows.

A file in which no column for the company is found is refused, but not without showing its columns: whoever uploaded it says which it is.
"""

from __future__ import annotations

import json
from uuid import UUID

from libs.runtime.database import BatchWork
from services.data.importing.domain.detect import Limits, read_file
from services.data.importing.domain.records import ParsedFile
from services.data.importing.reading import ROWS

LONGEST = 200
"""Characters shown of a cell."""
UNNAMED = frozenset({"no_company_column", "no_recognised_column"})
"""Refusals after which a person can say what the columns are."""


def look_anyway(content: bytes) -> ParsedFile:
    """The columns and first rows of a file whose columns nobody has named yet. Raises FileRefused."""
    return read_file(content, limits=Limits(company=False, unnamed=True))


async def keep_look(work: BatchWork, tenant_id: UUID, import_id: UUID, parsed: ParsedFile, *, rows: bool) -> None:
    """Keep how the file was read, and with `rows` its first ones."""
    shown = [[cell[:LONGEST] for cell in row.cells] for row in parsed.rows[:ROWS]] if rows else []
    notices = [{"en": said.en, "ar": said.ar} for said in parsed.notices]
    await work.connection.execute(
        "update data.imports set encoding = $3, notices = $4::jsonb, sample = $5::jsonb where tenant_id = $1 and import_id = $2",
        tenant_id, import_id, parsed.encoding, json.dumps(notices, ensure_ascii=False), json.dumps(shown, ensure_ascii=False),
    )  # fmt: skip


async def keep_columns(work: BatchWork, tenant_id: UUID, import_id: UUID, parsed: ParsedFile) -> None:
    """Keep the columns of a file that was refused because nobody knows which holds what."""
    mapping = [{"column": c.header, "field": c.field, "confidence": c.confidence} for c in parsed.columns]
    await work.connection.execute(
        "update data.imports set mapping = $3::jsonb where tenant_id = $1 and import_id = $2",
        tenant_id, import_id, json.dumps(mapping, ensure_ascii=False),
    )  # fmt: skip
    await keep_look(work, tenant_id, import_id, parsed, rows=True)


async def forget_rows(work: BatchWork, tenant_id: UUID, looked_at: UUID | None) -> None:
    """Forget the first rows of a file that is imported now, and of those that nobody imported within a day."""
    await work.connection.execute(
        "update data.imports set sample = '[]' where tenant_id = $1 and sample <> '[]'::jsonb and (import_id = $2 or started_at < now() - interval '1 day')",
        tenant_id, looked_at,
    )  # fmt: skip
