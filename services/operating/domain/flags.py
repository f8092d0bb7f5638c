"""Feature flags: what is in force for a tenant, and who may change what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from libs.contracts.catalogue.flags import Flag, FlagKind
from libs.contracts.message import PLATFORM, Principal, PrincipalKind, TenantId
from services.operating.errors import FlagForbidden, FlagLocked, LiveFlagNeedsApproval, UnknownFlag

MAY_CHANGE = frozenset({"owner", "admin", "compliance_officer"})
"""The row "policies, flags, live switches" of the table of roles."""


@dataclass(frozen=True, slots=True)
class FlagValue:
    """What a tenant, or for everybody the platform, has said about a flag; after `expires_at` it has said nothing."""

    tenant_id: TenantId
    name: str
    value: bool
    version: int
    changed_by: str
    changed_at: datetime
    expires_at: datetime | None = None


def in_force(
    catalogue: Mapping[str, Flag], values: Iterable[FlagValue], tenant_id: TenantId, now: datetime
) -> dict[str, bool]:
    """Every flag's value for the tenant.

    The tenant's own word counts before the platform's, and the platform's before the default. A locked flag has its default. A live
    flag is on only by the tenant's own word, and the platform can hold it off for everybody.
    """
    said: dict[tuple[TenantId, str], bool] = {
        (each.tenant_id, each.name): each.value
        for each in values
        if each.tenant_id in (tenant_id, PLATFORM) and (each.expires_at is None or now < each.expires_at)
    }
    return {
        flag.name: _value(flag, said.get((tenant_id, flag.name)), said.get((PLATFORM, flag.name)))
        for flag in catalogue.values()
    }


def _value(flag: Flag, own: bool | None, platform: bool | None) -> bool:
    if flag.locked:
        return flag.default
    if flag.kind is FlagKind.LIVE:
        return own is True and platform is not False
    if own is not None:
        return own
    return flag.default if platform is None else platform


def require_change(catalogue: Mapping[str, Flag], principal: Principal, name: str, value: bool) -> Flag:
    """The flag, when this principal may give it this value from outside an approved action.

    Raises UnknownFlag, FlagForbidden, FlagLocked, LiveFlagNeedsApproval.
    """
    flag = catalogue.get(name)
    if flag is None:
        raise UnknownFlag
    if principal.kind is PrincipalKind.AGENT or not MAY_CHANGE & set(principal.roles):
        raise FlagForbidden
    if flag.locked:
        raise FlagLocked
    if flag.kind is FlagKind.LIVE and value:
        raise LiveFlagNeedsApproval
    return flag
