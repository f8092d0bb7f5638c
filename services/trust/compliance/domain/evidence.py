"""What may be handed in as evidence: by its first bytes, not by its name, and for how long."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta

from services.trust.compliance.errors import EVIDENCE_SIZE, EVIDENCE_TERM, EVIDENCE_TYPE, BadEvidence

MOST_BYTES = 5 * 1024**2
LONGEST = timedelta(days=366)
_STARTS = {
    "application/pdf": (b"%PDF-", (".pdf",)),
    "image/png": (b"\x89PNG\r\n\x1a\n", (".png",)),
    "image/jpeg": (b"\xff\xd8\xff", (".jpg", ".jpeg")),
}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def media_type(name: str, body: bytes) -> str:
    """The type of a file, which its content and its name must agree on.

    Raises BadEvidence for any other type, for one in disguise, and for one that is too large.
    """
    if len(body) > MOST_BYTES:
        raise BadEvidence(*EVIDENCE_SIZE)
    lower = name.casefold()
    for media, (start, endings) in _STARTS.items():
        if body.startswith(start) and lower.endswith(endings):
            return media
    if lower.endswith(".docx") and _is_docx(body):
        return DOCX
    raise BadEvidence(*EVIDENCE_TYPE)


def check_term(valid_until: date, today: date) -> None:
    """Raises BadEvidence for a term that has ended, or has no end that anybody would live to see."""
    if not today <= valid_until <= today + LONGEST:
        raise BadEvidence(*EVIDENCE_TERM)


def _is_docx(body: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return {"[Content_Types].xml", "word/document.xml"} <= set(archive.namelist())
    except zipfile.BadZipFile:
        return False
