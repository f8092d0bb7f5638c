"""A person's word on an effect whose outcome nobody knew."""

from __future__ import annotations

from typing import Any

from libs.contracts.settling import OutcomeSettled


async def settle_outcome(connection: Any, settled: OutcomeSettled) -> bool:
    """Keep it, where the grant's outcome is unknown and nobody has settled it before. Returns whether it was kept."""
    return bool(
        await connection.fetchval(
            "insert into trust.outcome_resolutions (tenant_id, grant_id, action_id, outcome, vendor_id) select tenant_id, grant_id, "
            "action_id, $4, '' from trust.grant_closures where tenant_id = $1 and grant_id = $2 and action_id = $3 and outcome = 'unknown' "
            "on conflict do nothing returning true",
            settled.tenant_id, settled.grant_id, settled.action_id, settled.outcome.value,
        )
    )  # fmt: skip
