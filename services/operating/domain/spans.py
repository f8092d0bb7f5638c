"""Finished spans as they are kept: under the tenant that they name."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from libs.contracts.message import TenantId
from libs.contracts.operating import SpanRecord

TENANT = "dealix.tenant"
"""Attribute that says whose a span is. A span without it belongs to no tenant, and holds ids and sizes only."""


@dataclass(frozen=True, slots=True)
class KeptSpan:
    tenant_id: TenantId | None
    span: SpanRecord


def keep(span: SpanRecord) -> KeptSpan | None:
    """The span under its tenant; None when it names a tenant in a way that cannot be read: shown to all, it might be shown to the wrong one."""
    named = span.attributes.get(TENANT)
    if named is None or named == "":
        return KeptSpan(None, span)
    try:
        return KeptSpan(UUID(str(named)), span)
    except ValueError:
        return None


class Buffer:
    """Spans that wait to be stored together. When storing falls behind, the oldest go first and are counted."""

    def __init__(self, limit: int = 20_000) -> None:
        self._waiting: deque[KeptSpan] = deque(maxlen=limit)
        self.dropped = 0

    def add(self, spans: Iterable[SpanRecord]) -> None:
        for span in spans:
            kept = keep(span)
            if kept is None or len(self._waiting) == self._waiting.maxlen:
                self.dropped += 1
            if kept is not None:
                self._waiting.append(kept)

    def take(self, limit: int) -> list[KeptSpan]:
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def __len__(self) -> int:
        return len(self._waiting)
