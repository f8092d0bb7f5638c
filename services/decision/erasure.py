"""What decision holds about a person: drafts, opportunities, cards, places in experiments. Shown and erased."""

from __future__ import annotations

import json
from typing import Any

from libs.contracts.errors import Forbidden
from libs.contracts.message import Plane
from libs.contracts.rights import ErasureOrdered, ErasurePerformed, PersonReply, PersonRequest
from libs.contracts.subjects import ERASED
from libs.runtime.database import SessionWork
from libs.runtime.erasure import spellings, sweep
from libs.runtime.plane import Runtime

MAY_SEE = frozenset({"owner", "compliance_officer", "api_client"})
PHASE = 1
_LEADS = (
    "(select lead_id from decision.drafts where tenant_id = $1 and contact_id = $2 union "
    "select lead_id from decision.opportunities where tenant_id = $1 and document->>'contact_id' = $2::text)"
)
_ACTIONS = "(select action_id from decision.drafts where tenant_id = $1 and contact_id = $2)"
_CARDS = (
    f"tenant_id = $1 and (document->'context'->>'lead_id' in (select lead_id::text from {_LEADS} l) "
    f"or document->'context'->>'action_id' in (select action_id::text from {_ACTIONS} a) "
    "or document->'context'->>'contact_id' = $2::text)"
)


class People:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def person(self, request: PersonRequest) -> PersonReply:
        """Every draft, opportunity, card and place in an experiment of a contact."""
        if not MAY_SEE & set(request.principal.roles):
            raise Forbidden
        tenant, contact = request.principal.tenant_id, request.contact_id
        async with self._runtime.database.batch(tenant) as work:
            c = work.connection
            found = {
                "drafts": await c.fetch("select document from decision.drafts where tenant_id = $1 and contact_id = $2", tenant, contact),
                "opportunities": await c.fetch(
                    "select document from decision.opportunities where tenant_id = $1 and document->>'contact_id' = $2::uuid::text",
                    tenant, contact,
                ),
                "experiments": await c.fetch(
                    "select to_jsonb(s)::text document from decision.experiment_subjects s where tenant_id = $1 and contact_id = $2", tenant, contact,
                ),
                "cards": await c.fetch(f"select document from decision.cards where {_CARDS.replace('$2', '$2::uuid')}", tenant, contact),
            }  # fmt: skip
        return PersonReply(
            sections={name: tuple(json.loads(r["document"]) for r in rows) for name, rows in found.items()}
        )

    async def erase(self, work: SessionWork, order: ErasureOrdered) -> None:
        """Take out what was recommended about a contact: rows that are about nobody else."""
        if order.phase != PHASE:
            return
        c, tenant, contact = (await work.batch()).connection, order.tenant_id, order.contact_id
        name = await c.fetchval(
            "select document->>'contact_name' from decision.opportunities where tenant_id = $1 and document->>'contact_id' = $2::uuid::text",
            tenant, contact,
        )  # fmt: skip
        counts: dict[str, int] = {}
        for table, where in (
            ("cards", _CARDS.replace("$2", "$2::uuid")),
            ("opportunities", "tenant_id = $1 and document->>'contact_id' = $2::uuid::text"),
            ("drafts", "tenant_id = $1 and contact_id = $2"),
            ("experiment_subjects", "tenant_id = $1 and contact_id = $2"),
        ):
            counts[table] = _count(await c.execute(f"delete from decision.{table} where {where}", tenant, contact))
        counts |= await sweep(c, Plane.DECISION, tenant, spellings(None, None, name))
        work.emit(
            ERASED[Plane.DECISION],
            ErasurePerformed(
                tenant_id=tenant, request_id=order.request_id, plane=Plane.DECISION,
                counts={table: count for table, count in counts.items() if count}, at=self._runtime.now(),
            ),
        )  # fmt: skip


def _count(status: Any) -> int:
    return int(str(status).rpartition(" ")[2])
