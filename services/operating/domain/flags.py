"""Feature flags: what is in force for a tenant, and who may change what."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.contracts.catalogue.flags import Flag, FlagKind
from libs.contracts.flag_values import FlagSource
from libs.contracts.message import PLATFORM, Principal, PrincipalKind, TenantId
from services.operating.errors import FlagForbidden, FlagLocked, LiveFlagNeedsApproval, UnknownFlag

MAY_CHANGE = frozenset({"owner", "admin", "compliance_officer"})
"""The row "policies, flags, live switches" of the table of roles."""


@dataclass(frozen=True, slots=True)
class FlagValue:
    """What a tenant, or for everybody the platform, has said about a flag. Before `starts_at` and from `expires_at` on it has said nothing.

    `share` is of a hundred: of the tenant's keys where the tenant speaks, of tenants where the platform does.
    """

    tenant_id: TenantId
    name: str
    value: bool
    version: int
    changed_by: str
    changed_at: datetime
    expires_at: datetime | None = None
    share: int = 100
    starts_at: datetime | None = None


def state(value: FlagValue, now: datetime) -> Literal["waiting", "counts", "over"]:
    """Whether a word counts already, or still."""
    if value.starts_at is not None and now < value.starts_at:
        return "waiting"
    return "over" if value.expires_at is not None and now >= value.expires_at else "counts"


def in_force(
    catalogue: Mapping[str, Flag], values: Iterable[FlagValue], tenant_id: TenantId, now: datetime
) -> dict[str, bool]:
    """Every flag's value for the tenant as a whole.

    The tenant's own word counts before the platform's, and the platform's before the default. A locked flag has its default. A live
    flag is on only by the tenant's own word, and the platform can hold it off for everybody.
    """
    said = {(each.tenant_id, each.name): each for each in values}
    return {
        flag.name: decided(flag, said.get((tenant_id, flag.name)), said.get((PLATFORM, flag.name)), tenant_id, now)[0]
        for flag in catalogue.values()
    }


def decided(
    flag: Flag, own: FlagValue | None, platform: FlagValue | None, tenant_id: TenantId, now: datetime, key: str = ""
) -> tuple[bool, FlagSource, bool]:
    """A flag's value for one key of a tenant, whose word that is, and whether another key could get another value.

    Without a key a tenant's word for a share of its people is as if it had not been said: nobody in particular asks.
    """
    if flag.locked:
        return flag.default, "locked", False
    # A veto of the platform is for everybody: no share of tenants escapes it.
    holds = platform is not None and state(platform, now) == "counts"
    if flag.kind is FlagKind.LIVE:
        on = own is not None and own.value and own.share == 100 and state(own, now) == "counts"
        vetoed = holds and platform is not None and not platform.value
        return on and not vetoed, "platform" if vetoed else "tenant" if on else "default", False
    split = own is not None and state(own, now) == "counts" and own.share < 100
    if own is not None and state(own, now) == "counts" and _falls_to(flag, own.share, key):
        return own.value, "tenant", split
    if holds and platform is not None and _falls_to(flag, platform.share, str(tenant_id)):
        return platform.value, "platform", split
    return flag.default, "default", split


def _falls_to(flag: Flag, share: int, key: str) -> bool:
    """Whether a key is in the first `share` hundredths: the same key always is, and stays so as the share grows."""
    if share >= 100:
        return True
    if not key:
        return False
    drawn = int.from_bytes(hashlib.sha256(f"{flag.name}/{key}".encode()).digest()[:8])
    return drawn % 10_000 < share * 100


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
