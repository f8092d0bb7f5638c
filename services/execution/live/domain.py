"""How a connector stands, from what is on record of it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.contracts.execution import ConnectorInfo, ConnectorStatus
from libs.contracts.message import Reason
from services.execution.connectors.base import Profile

PROBE_LASTS = timedelta(hours=24)
"""A probe older than this says nothing about now."""


@dataclass(frozen=True, slots=True)
class Probed:
    status: ConnectorStatus
    found: Reason
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What is on record of one tenant's connector."""

    credential_at: datetime | None = None
    probed: Probed | None = None
    per_minute: int | None = None
    held_seconds: float | None = None


def status(standing: Standing, now: datetime) -> ConnectorStatus:
    """Unknown unless a fresh probe of this very credential says otherwise; degraded while the vendor keeps failing."""
    probed = standing.probed
    if standing.credential_at is None or probed is None or probed.at < standing.credential_at:
        return ConnectorStatus.UNKNOWN
    if now - probed.at > PROBE_LASTS:
        return ConnectorStatus.UNKNOWN
    if probed.status is ConnectorStatus.OK and standing.held_seconds is not None:
        return ConnectorStatus.DEGRADED
    return probed.status


def shown(profile: Profile, standing: Standing, *, live: bool, fields: tuple[str, ...], now: datetime) -> ConnectorInfo:
    """A connector as the board shows it."""
    base = profile.info(mode="live" if live else "sandbox", registered=standing.credential_at is not None)
    info: ConnectorInfo = base.evolve(
        status=status(standing, now),
        per_minute=standing.per_minute or profile.per_minute,
        credential_at=standing.credential_at,
        credential_fields=fields,
        probed_at=standing.probed.at if standing.probed else None,
        probe=standing.probed.found if standing.probed else None,
        held_seconds=standing.held_seconds,
    )
    return info
