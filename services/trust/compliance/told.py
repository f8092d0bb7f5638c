"""Keeps what other planes tell about themselves, so that controls are read from trust's own tables. The newest telling counts."""

from __future__ import annotations

import json

from libs.contracts.control_facts import DataFactsRecorded, DecisionFactsRecorded
from libs.contracts.inbound import ReplyReceived
from libs.contracts.message import Plane
from libs.runtime.database import SessionWork

INBOUND = "inbound"
_KEEP = """
insert into trust.control_facts as f (tenant_id, kind, fact_id, plane, at, document)
select distinct on (k, i) $1::uuid, k, i, $2::text, $3::timestamptz, d::jsonb from unnest($4::text[], $5::uuid[], $6::text[]) as t(k, i, d)
on conflict (tenant_id, kind, fact_id) do update set plane = excluded.plane, at = excluded.at, document = excluded.document
where f.at <= excluded.at
"""


class Told:
    """What came in is typed by plane: nobody but decision says who wrote a draft."""

    async def data(self, work: SessionWork, event: DataFactsRecorded) -> None:
        await _keep(work, Plane.DATA, event)

    async def decision(self, work: SessionWork, event: DecisionFactsRecorded) -> None:
        await _keep(work, Plane.DECISION, event)

    async def replied(self, work: SessionWork, event: ReplyReceived) -> None:
        """When somebody last wrote to us: a message outside a template needs that within 24 hours."""
        said = json.dumps({"contact_id": str(event.contact_id), "channel": event.channel})
        rows = [event.tenant_id, Plane.DATA.value, event.at, [INBOUND], [event.activity_id], [said]]
        await (await work.batch()).connection.execute(_KEEP, *rows)


async def _keep(work: SessionWork, plane: Plane, event: DataFactsRecorded | DecisionFactsRecorded) -> None:
    batch = await work.batch()
    await batch.connection.execute(
        _KEEP, event.tenant_id, plane.value, event.at, [item.kind for item in event.items], [item.fact_id for item in event.items],
        [item.model_dump_json() for item in event.items],
    )  # fmt: skip
