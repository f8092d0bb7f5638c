"""How consents stand, as trust tells it: to count with, never to decide on."""

from __future__ import annotations

from libs.contracts.consent import ConsentsChanged
from libs.runtime.database import SessionWork


async def keep_consents(work: SessionWork, event: ConsentsChanged) -> None:
    """Keep what was told. A withdrawal stays, in whatever order the events come."""
    batch, told = await work.batch(), event.consents
    await batch.connection.execute(
        "insert into data.consents as c (tenant_id, consent_id, contact_id, purpose, channel, captured_at, expires_at, withdrawn_at) "
        "select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[]) "
        "on conflict (tenant_id, consent_id) do update set withdrawn_at = coalesce(c.withdrawn_at, excluded.withdrawn_at)",
        event.tenant_id, [one.consent_id for one in told], [one.contact_id for one in told], [one.purpose for one in told],
        [one.channel for one in told], [one.captured_at for one in told], [one.expires_at for one in told],
        [one.withdrawn_at for one in told],
    )  # fmt: skip
