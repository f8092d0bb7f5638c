"""The approved action that lets a connector act for real, or stops it: operating is told, and keeps the flag."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from libs.contracts.canonical import canonical
from libs.contracts.catalogue.flags import FlagKind, flags
from libs.contracts.connectors import LiveSwitched
from libs.contracts.execution import Receipt
from libs.contracts.subjects import LIVE_SWITCHED
from services.execution.connectors.base import receipt
from services.execution.connectors.internal import Internal
from services.execution.errors import VendorRejected
from services.execution.gate import Admitted
from services.execution.store import Store

TASK = "live_flag_change"
PREFIX = "live."
HasCredential = Callable[[UUID, str], Awaitable[bool]]


class LiveSwitch:
    """Carries out `live_flag_change`, payload `{flag, value}`. An event is emitted in a transaction of its own; telling twice is harmless,
    since it names the action and operating keeps the newest word."""

    profile = Internal.profile

    def __init__(self, store: Store, has_credential: HasCredential, now: Callable[[], datetime]) -> None:
        self._store = store
        self._has_credential = has_credential
        self._now = now

    async def perform(self, admitted: Admitted) -> Receipt:
        """Raises VendorRejected for a flag that is none of the live ones, and for switching on what has no credential."""
        started = self._now()
        name, value = admitted.payload.get("flag"), admitted.payload.get("value")
        flag = flags().get(name) if isinstance(name, str) else None
        if flag is None or flag.kind is not FlagKind.LIVE or not isinstance(value, bool):
            raise VendorRejected(
                "not_a_live_flag",
                "The payload names no live flag with true or false.",
                "لا تحدد الحمولة تفعيلًا فعليًا بقيمة صحيحة.",
            )
        if value and not await self._has_credential(admitted.tenant_id, flag.name.removeprefix(PREFIX)):
            raise VendorRejected(
                "no_credential", "The connector has no credential to act with.", "لا توجد بيانات اعتماد لهذا الموصل."
            )
        switched = LiveSwitched(
            tenant_id=admitted.tenant_id, action_id=admitted.claims.action_id, flag=flag.name, value=value, at=started
        )
        async with self._store.unit(admitted.tenant_id) as unit:
            unit.emit(LIVE_SWITCHED, switched)
        result = canonical({"flag": flag.name, "value": value})
        return receipt(
            admitted, vendor_id=admitted.vendor_key, request=canonical(admitted.payload), response=result, started_at=started,
            finished_at=self._now(),
        )  # fmt: skip
