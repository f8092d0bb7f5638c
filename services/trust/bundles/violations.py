"""What policy refused, as people look at it, and the agents that are suspended for it."""

from __future__ import annotations

from datetime import timedelta

from libs.contracts.errors import Forbidden
from libs.contracts.paging import before
from libs.contracts.policy import SuspendedAgent, ViolationsReply, ViolationsRequest
from libs.contracts.policy import Violation as Shown
from libs.contracts.trust import Decision
from libs.runtime.database import Database
from services.trust.domain.decide import AGENT_BLOCKS

READERS = frozenset({"owner", "admin", "auditor", "compliance_officer", "approver", "operator"})
WINDOW = timedelta(minutes=10)

_PAGE = """
select d.decision_id, d.action_id, d.effect, d.subject_id, d.reply, d.decided_at from trust.decisions d
where d.tenant_id = $1 and d.outcome = 'refused' and ($2::text is null or d.subject_id = $2) and ($3::uuid is null or d.decision_id < $3)
  and ($4::text is null or exists (select 1 from json_array_elements(convert_from(d.reply, 'UTF8')::json->'reasons') r
       where r->>'code' = $4))
order by d.decision_id desc limit $5
"""

_SUSPENDED = """
select subject_id, count(*) n, (array_agg(decided_at order by decided_at desc))[3] as third from trust.decisions d
where tenant_id = $1 and outcome = 'refused' and subject_id like 'agent:%' and decided_at > now() - interval '10 minutes'
  and not exists (select 1 from trust.questions w where w.digest = d.question and (w.document->>'earlier_attempt_open')::boolean)
group by subject_id having count(*) >= $2 order by subject_id
"""


class Violations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, request: ViolationsRequest) -> ViolationsReply:
        """Refused attempts, the newest first."""
        if not READERS & set(request.principal.roles):
            raise Forbidden
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            rows = await work.connection.fetch(
                _PAGE, tenant, request.actor, before(request.page), request.policy, request.page.limit + 1
            )
            agents = await work.connection.fetch(_SUSPENDED, tenant, AGENT_BLOCKS)
        more = len(rows) > request.page.limit
        items = []
        for row in rows[: request.page.limit]:
            decision = Decision.model_validate_json(row["reply"])
            items.append(
                Shown(
                    violation_id=row["decision_id"], tenant_id=tenant, action_id=row["action_id"], effect=row["effect"],
                    actor=row["subject_id"], mode=decision.mode.value, codes=tuple(r.code for r in decision.reasons),
                    reasons_en=tuple(r.en for r in decision.reasons), reasons_ar=tuple(r.ar for r in decision.reasons),
                    policy_version=decision.policy_version, at=row["decided_at"],
                )
            )  # fmt: skip
        suspended = tuple(
            SuspendedAgent(agent=a["subject_id"], blocked=a["n"], until=a["third"] + WINDOW) for a in agents
        )
        return ViolationsReply(
            items=tuple(items), suspended=suspended, next_cursor=str(items[-1].violation_id) if more else None
        )
