"""Effects that stay inside: a registered task runs and its result is the receipt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.canonical import canonical
from libs.contracts.execution import Receipt
from services.execution.connectors.base import Profile, receipt
from services.execution.gate import Admitted

Task = Callable[[UUID, dict[str, Any]], Awaitable[dict[str, Any]]]
"""A handler: `(tenant_id, payload) -> result`, a JSON object."""


class Internal:
    profile = Profile(
        key="internal",
        name="Inside Dealix",
        name_ar="داخل النظام",
        version="1",
        operations=("none",),
        data_classification="internal",
        cross_border=False,
        idempotent=True,
        read_back="lookup",
    )

    def __init__(self, task: Task, now: Callable[[], datetime]) -> None:
        self._task = task
        self._now = now

    async def perform(self, admitted: Admitted) -> Receipt:
        started = self._now()
        result = await self._task(admitted.tenant_id, admitted.payload)
        return receipt(
            admitted,
            vendor_id=admitted.vendor_key,
            request=canonical(admitted.payload),
            response=canonical(result),
            started_at=started,
            finished_at=self._now(),
        )
