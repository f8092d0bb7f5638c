"""Flags as people set them and as clients read them: with who said what, from when, until when, for which share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from libs.contracts import subjects
from libs.contracts.catalogue.flags import Flag, FlagKind
from libs.contracts.catalogue.flags import flags as catalogue
from libs.contracts.errors import Forbidden
from libs.contracts.flag_values import DropFlag, FlagSaid, FlagStanding, FlagStandings, FlagStandingsRequest, PutFlag
from libs.contracts.message import PLATFORM, Plane, Principal, new_id
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.bus import Bus
from services.operating.domain.flags import FlagValue, decided, require_change, state
from services.operating.errors import FlagTerm, LiveFlagWhole
from services.operating.store import Store, Unit


class FlagDesk:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def standings(self, request: FlagStandingsRequest) -> FlagStandings:
        """Every flag as it is in force for the key. Raises Forbidden for a principal without any role."""
        who = request.principal
        if not who.roles:
            raise Forbidden
        async with self._store.unit(who.tenant_id, PLATFORM) as unit:
            return await self._standings(unit, who, request.key)

    async def put(self, request: PutFlag) -> FlagStandings:
        """Say something about a flag, in the ledger too.

        Raises UnknownFlag, FlagForbidden, FlagLocked, LiveFlagNeedsApproval, LiveFlagWhole, FlagTerm.
        """
        who = request.principal
        flag = require_change(catalogue(), who, request.name, request.value)
        if flag.kind is FlagKind.LIVE and (request.share != 100 or request.starts_at or request.expires_at):
            raise LiveFlagWhole
        async with self._store.unit(who.tenant_id) as unit:
            now = await unit.now()
            if request.expires_at is not None and request.expires_at <= max(now, request.starts_at or now):
                raise FlagTerm
            await unit.set_flag(
                who.tenant_id, flag.name, request.value, who.id, request.expires_at, share=request.share, starts_at=request.starts_at
            )  # fmt: skip
            said = {
                "value": request.value, "share": request.share, "starts_at": _text(request.starts_at),
                "expires_at": _text(request.expires_at),
            }  # fmt: skip
            unit.emit(AUDITED[Plane.OPERATING], _entry(who, flag, "flag_changed", said, now))
        return await self.standings(FlagStandingsRequest(principal=who))

    async def drop(self, request: DropFlag) -> FlagStandings:
        """Take a word back; without one nothing changes.

        Raises UnknownFlag, FlagForbidden, FlagLocked.
        """
        who = request.principal
        flag = require_change(catalogue(), who, request.name, False)
        async with self._store.unit(who.tenant_id) as unit:
            if await unit.drop_flag(who.tenant_id, flag.name):
                unit.emit(AUDITED[Plane.OPERATING], _entry(who, flag, "flag_dropped", {}, await unit.now()))
        return await self.standings(FlagStandingsRequest(principal=who))

    async def _standings(self, unit: Unit, who: Principal, key: str) -> FlagStandings:
        values, now = await unit.flag_values(), await unit.now()
        said = {(value.tenant_id, value.name): value for value in values}
        items = tuple(
            _standing(flag, said.get((who.tenant_id, flag.name)), said.get((PLATFORM, flag.name)), who, now, key)
            for flag in catalogue().values()
        )
        return FlagStandings(items=items, version=sum(value.version for value in values))


def _standing(
    flag: Flag, own: FlagValue | None, platform: FlagValue | None, who: Principal, now: datetime, key: str
) -> FlagStanding:
    value, source, split = decided(flag, own, platform, who.tenant_id, now, key)
    return FlagStanding(
        name=flag.name, kind=flag.kind.value, value=value, source=source, split=split, default=flag.default, locked=flag.locked,
        owner=flag.owner, en=flag.en, ar=flag.ar, tenant=_said(own, now), platform=_said(platform, now),
    )  # fmt: skip


def _said(value: FlagValue | None, now: datetime) -> FlagSaid | None:
    if value is None:
        return None
    return FlagSaid(
        value=value.value, share=value.share, starts_at=value.starts_at, expires_at=value.expires_at, changed_by=value.changed_by,
        changed_at=value.changed_at, state=state(value, now),
    )  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _entry(who: Principal, flag: Flag, kind: str, data: dict[str, Any], at: datetime) -> AuditRecorded:
    return AuditRecorded(
        entry_id=new_id(), tenant_id=who.tenant_id, kind=kind, actor=who.id, target=f"flag:{flag.name}", at=at, data=data,
        trace_id=telemetry.trace_id(),
    )  # fmt: skip


def serve_flags(bus: Bus, store: Store) -> None:
    desk = FlagDesk(store)
    bus.serve(subjects.FLAG_STANDINGS, desk.standings)
    bus.serve(subjects.PUT_FLAG, desk.put)
    bus.serve(subjects.DROP_FLAG, desk.drop)
