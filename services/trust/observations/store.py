"""Keeps the newest of each fact. An older report never undoes a newer one, whichever arrives first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from libs.contracts.message import Plane
from libs.contracts.observed import FactsReported

_KEEP = """
insert into trust.observations as o (tenant_id, plane, kind, subject, at, document)
select $1, $2, k, s, $3, d from unnest($4::text[], $5::text[], $6::jsonb[]) as x(k, s, d)
on conflict (tenant_id, kind, subject) do update set plane = excluded.plane, at = excluded.at, document = excluded.document
where o.at <= excluded.at
"""
_END = "delete from trust.observations where tenant_id = $1 and plane = $2 and kind = any($4::text[]) and at < $3"


async def keep(connection: Any, plane: Plane, told: FactsReported) -> None:
    """Keep a report, in the caller's transaction. Of a whole kind, what was told earlier and is not in it goes."""
    kinds, subjects, documents = _columns(told)
    if kinds:
        await connection.execute(_KEEP, told.tenant_id, plane.value, told.at, kinds, subjects, documents)
    if told.whole:
        await connection.execute(_END, told.tenant_id, plane.value, told.at, list(told.whole))


def _columns(told: FactsReported) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    # A statement may touch a row once: of two words about one subject the last stands.
    last = {(fact.kind, str(fact.subject)): fact for fact in told.facts}
    documents = [json.dumps(fact.model_dump(mode="json", exclude={"kind", "subject"})) for fact in last.values()]
    return [kind for kind, _ in last], [subject for _, subject in last], documents
