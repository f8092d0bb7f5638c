"""What execution holds about a person: the payloads of actions about them, and what the sandbox caught. Shown and erased."""

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
_OWN = "tenant_id = $1 and resource_type = 'contact' and resource_id = $2"


class People:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def person(self, request: PersonRequest) -> PersonReply:
        """Every action about a contact with its payload, and every sandboxed message."""
        if not MAY_SEE & set(request.principal.roles):
            raise Forbidden
        tenant, contact = request.principal.tenant_id, str(request.contact_id)
        async with self._runtime.database.batch(tenant) as work:
            c = work.connection
            actions = await c.fetch(
                "select action_id::text, action_type, state, payload, reason, accepted_at::text, receipt::text from execution.actions "
                f"where {_OWN} order by action_id",
                tenant, contact,
            )  # fmt: skip
            caught = await c.fetch(
                "select message_id::text, connector, at::text, request::text from execution.sandbox where tenant_id = $1 and action_id in "
                f"(select action_id from execution.actions where {_OWN}) order by message_id",
                tenant, contact,
            )  # fmt: skip
        return PersonReply(
            sections={
                "actions": tuple(_read(r, "payload", "receipt") for r in actions),
                "sandbox": tuple(_read(r, "request") for r in caught),
            }
        )

    async def erase(self, work: SessionWork, order: ErasureOrdered) -> None:
        """Forget payloads and their salts: what remains of an action is that it happened, and a digest that nobody can open."""
        if order.phase != PHASE:
            return
        c, tenant, contact = (await work.batch()).connection, order.tenant_id, str(order.contact_id)
        rows = await c.fetch(f"select action_id, payload from execution.actions where {_OWN}", tenant, contact)
        texts = {text for row in rows for text in _identifiers(row["payload"])}
        ids = [row["action_id"] for row in rows]
        status = await c.execute(
            f"update execution.actions set payload = '{{}}', salt = '', reason = '', approval_token = null where {_OWN}",
            tenant,
            contact,
        )
        counts = {"actions": int(status.rpartition(" ")[2])}
        counts["sandbox"] = await c.fetchval("select execution.erase_sandbox($1, $2::uuid[])", tenant, ids)
        counts |= await sweep(c, Plane.EXECUTION, tenant, sorted(texts, key=len, reverse=True))
        work.emit(
            ERASED[Plane.EXECUTION],
            ErasurePerformed(
                tenant_id=tenant, request_id=order.request_id, plane=Plane.EXECUTION,
                counts={name: count for name, count in counts.items() if count}, at=self._runtime.now(),
            ),
        )  # fmt: skip


def _identifiers(payload: str) -> list[str]:
    try:
        to = json.loads(payload).get("to")
    except (ValueError, AttributeError):
        return []
    if not isinstance(to, str) or not to:
        return []
    return spellings(to, None) if "@" in to else spellings(None, to)


def _read(row: Any, *documents: str) -> dict[str, Any]:
    values = dict(row)
    return {**values, **{name: json.loads(values[name]) for name in documents if values.get(name)}}
