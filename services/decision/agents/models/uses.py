"""What models did, counted from the record of runs: the model-routing board's figures, each of which leads to its rows."""

from __future__ import annotations

from typing import Any

from libs.contracts.completions import ModelUse, ModelUsesReply, ModelUsesRequest
from libs.contracts.errors import Forbidden
from libs.runtime.database import Database
from services.decision.agents.conversations import READERS

MOST = 500
_USES = """
select provider, model, agent, count(*)::int as runs, count(*) filter (where verdict = 'failed')::int as failed,
  count(*) filter (where unfit > 0)::int as unfit, count(*) filter (where fallbacks > 0)::int as fallbacks,
  sum(tokens_in)::int as tokens_in, sum(tokens_out)::int as tokens_out, sum(cost_sar) as cost_sar,
  percentile_cont(0.5) within group (order by latency_ms) as p50_ms
from decision.ai_conversations
where tenant_id = $1 and at > now() - make_interval(days => $2) and provider is not null
group by provider, model, agent order by runs desc, provider, model, agent limit $3
"""


class ModelUses:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, request: ModelUsesRequest) -> ModelUsesReply:
        """By provider, model and agent, the most used first; a provider without a name stands for runs in which none answered.

        Raises Forbidden.
        """
        if not READERS & set(request.principal.roles):
            raise Forbidden
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            rows = await work.connection.fetch(_USES, tenant, request.days, MOST)
        return ModelUsesReply(items=tuple(_use(dict(row)) for row in rows))


def _use(row: dict[str, Any]) -> ModelUse:
    answered = row["runs"] if row["provider"] else 0
    valid = round(1 - row["unfit"] / answered, 4) if answered else None
    return ModelUse.model_validate({**row, "p50_ms": round(row["p50_ms"], 1), "schema_valid": valid})
