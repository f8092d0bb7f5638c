"""What a partner is called in a reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.decision.domain import untrusted


def name_of(values: Mapping[str, Any], language: str = "ar") -> str:
    """The name of a partner's record in a language, the other one where there is none; a dash for none at all."""
    names = ("name_ar", "name") if language == "ar" else ("name", "name_ar")
    given = next((str(values[name]) for name in names if values.get(name)), "")
    return untrusted.company_name(given).text or "—"
