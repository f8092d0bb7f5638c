"""Storage of claims and contradictions within one transaction: the protocol, its PostgreSQL form. Its in-memory twin is in `memory.py`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.claims import WAITING, Claim, ClaimStanding, Contradiction, ContradictionState
from libs.contracts.trust import ConsentRecord
from services.trust.contradictions.domain.people import Person

Key = tuple[UUID, str]
"""A tenant and a subject."""
NEEDED = tuple(state.value for state in WAITING)


class Contradictions(Protocol):
    async def lock(self, keys: Sequence[Key]) -> None:
        """One writer a subject at a time: of two claims written at once, the second one sees the first."""
        ...

    async def current(self, keys: Sequence[Key]) -> list[Claim]: ...

    async def add(self, claims: Sequence[Claim]) -> list[Claim]:
        """Put claims on record; those that were not there yet."""
        ...

    async def stand(self, tenant_id: UUID, claim_ids: Sequence[UUID], standing: ClaimStanding) -> None: ...

    async def standings(self, keys: Sequence[tuple[UUID, UUID]]) -> dict[UUID, ClaimStanding]:
        """How claims of these ids stand, of those that are on record; a key is a tenant and an id."""
        ...

    async def open(self, found: Sequence[Contradiction]) -> list[Contradiction]:
        """Put contradictions on record; those that were not there yet, decided or not."""
        ...

    async def known(self, found: Sequence[Contradiction]) -> set[UUID]:
        """Those of them that are on record, decided or not."""
        ...

    async def waiting(self, keys: Sequence[Key]) -> list[Contradiction]:
        """What nobody has decided yet about these subjects."""
        ...

    async def one(self, tenant_id: UUID, contradiction_id: UUID) -> Contradiction | None:
        """Locked until the transaction ends."""
        ...

    async def page(
        self, tenant_id: UUID, state: str | None, subject: str | None, before: UUID | None, limit: int
    ) -> list[Contradiction]: ...

    async def change(self, changed: Contradiction) -> None: ...

    async def people(self, tenant_id: UUID, contact_ids: Sequence[UUID] | None, limit: int) -> list[Person]:
        """Contacts with consents that may contradict one another, or their note: all of a tenant's, or those named."""
        ...

    async def crowded(self, tenant_id: UUID, after: str, limit: int) -> list[str]:
        """Subjects after this one, in order, that several claims are current about."""
        ...


_SELECT = (
    "select x.*, to_jsonb(a)::text as a, to_jsonb(b)::text as b from trust.contradictions x "
    "join trust.claims a on a.tenant_id = x.tenant_id and a.claim_id = x.first "
    "join trust.claims b on b.tenant_id = x.tenant_id and b.claim_id = x.second "
)
_ADD = """
insert into trust.claims (tenant_id, claim_id, subject, key, value, unit, valid_from, valid_to, source, confidence, recorded_by)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[],
  $10::real[], $11::text[])
on conflict (tenant_id, claim_id) do nothing returning claim_id
"""
# A consent that has been withdrawn since ends where it ended; what people and others said is never changed.
_ENDED = """
update trust.claims c set valid_to = x.ends from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as x(tenant, claim, ends)
where c.tenant_id = x.tenant and c.claim_id = x.claim and c.recorded_by = 'plane:trust' and c.valid_to is distinct from x.ends
"""
_PEOPLE = """
select c.contact_id as contact, coalesce(f.opted_out, 'unknown') as opted_out, c.consent_id, c.contact_id, c.purpose, c.channel, c.method,
  c.captured_at, c.evidence, c.notice_version, c.expires_at, c.withdrawn_at
from trust.consents c left join trust.contact_facts f on f.tenant_id = c.tenant_id and f.contact_id = c.contact_id
where c.tenant_id = $1 and c.contact_id in (
  select k.contact_id from trust.consents k left join trust.contact_facts o on o.tenant_id = k.tenant_id and o.contact_id = k.contact_id
  where k.tenant_id = $1 and ($2::uuid[] is null or k.contact_id = any($2::uuid[])) group by k.contact_id
  having bool_or(k.withdrawn_at is null and coalesce(k.expires_at, now()) >= now())
    and (bool_or(k.withdrawn_at is not null) or bool_or(o.opted_out = 'yes')) order by k.contact_id limit $3)
order by c.contact_id, c.captured_at
"""


class SqlContradictions:
    """In the caller's unit of work."""

    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def lock(self, keys: Sequence[Key]) -> None:
        names = sorted({f"claims/{tenant}/{subject}" for tenant, subject in keys})
        await self._c.execute(
            "select pg_advisory_xact_lock(hashtextextended(x, 0)) from (select x from unnest($1::text[]) as x order by x) y", names
        )  # fmt: skip

    async def current(self, keys: Sequence[Key]) -> list[Claim]:
        rows = await self._c.fetch(
            "select c.* from unnest($1::uuid[], $2::text[]) as x(t, s) join trust.claims c on c.tenant_id = x.t and c.subject = x.s "
            "where c.standing = 'current' order by c.claim_id",
            *_columns(keys),
        )
        return [Claim(**dict(row)) for row in rows]

    async def add(self, claims: Sequence[Claim]) -> list[Claim]:
        if not claims:
            return []
        columns = list(zip(*((
            c.tenant_id, c.claim_id, c.subject, c.key, c.value, c.unit, c.valid_from, c.valid_to, c.source, c.confidence, c.recorded_by,
        ) for c in claims), strict=True))  # fmt: skip
        await self._c.execute(_ENDED, *[list(columns[n]) for n in (0, 1, 7)])
        made = {row["claim_id"] for row in await self._c.fetch(_ADD, *[list(column) for column in columns])}
        return [claim for claim in claims if claim.claim_id in made]

    async def stand(self, tenant_id: UUID, claim_ids: Sequence[UUID], standing: ClaimStanding) -> None:
        await self._c.execute(
            "update trust.claims set standing = $3 where tenant_id = $1 and claim_id = any($2::uuid[])",
            tenant_id, list(claim_ids), standing.value,
        )  # fmt: skip

    async def standings(self, keys: Sequence[tuple[UUID, UUID]]) -> dict[UUID, ClaimStanding]:
        rows = await self._c.fetch(
            "select c.claim_id, c.standing from unnest($1::uuid[], $2::uuid[]) as x(t, i) "
            "join trust.claims c on c.tenant_id = x.t and c.claim_id = x.i",
            *_columns(keys),
        )
        return {row["claim_id"]: ClaimStanding(row["standing"]) for row in rows}

    async def open(self, found: Sequence[Contradiction]) -> list[Contradiction]:
        if not found:
            return []
        rows = await self._c.fetch(
            "insert into trust.contradictions (tenant_id, contradiction_id, subject, kind, severity, state, first, second, action_id, found_by) "
            "select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[], $9::uuid[], "
            "$10::text[]) on conflict do nothing returning contradiction_id",
            *[list(column) for column in zip(*((
                f.tenant_id, f.contradiction_id, f.subject, f.kind.value, f.severity, f.state.value, f.claims[0].claim_id, f.claims[1].claim_id,
                f.action_id, f.found_by,
            ) for f in found), strict=True)],
        )  # fmt: skip
        made = {row["contradiction_id"] for row in rows}
        return [one for one in found if one.contradiction_id in made]

    async def known(self, found: Sequence[Contradiction]) -> set[UUID]:
        rows = await self._c.fetch(
            "select contradiction_id from trust.contradictions where contradiction_id = any($1::uuid[])",
            [one.contradiction_id for one in found],
        )
        return {row["contradiction_id"] for row in rows}

    async def waiting(self, keys: Sequence[Key]) -> list[Contradiction]:
        rows = await self._c.fetch(
            _SELECT + "join unnest($1::uuid[], $2::text[]) as k(t, s) on x.tenant_id = k.t and x.subject = k.s "
            "where x.state in ('open', 'acknowledged') order by x.contradiction_id",
            *_columns(keys),
        )
        return [_contradiction(row) for row in rows]

    async def one(self, tenant_id: UUID, contradiction_id: UUID) -> Contradiction | None:
        row = await self._c.fetchrow(
            _SELECT + "where x.tenant_id = $1 and x.contradiction_id = $2 for update of x", tenant_id, contradiction_id
        )
        return _contradiction(row) if row else None

    async def page(
        self, tenant_id: UUID, state: str | None, subject: str | None, before: UUID | None, limit: int
    ) -> list[Contradiction]:
        rows = await self._c.fetch(
            _SELECT + "where x.tenant_id = $1 and ($2::text is null or x.state = $2) and ($3::text is null or x.subject = $3) "
            "and ($4::uuid is null or (x.opened_at, x.contradiction_id) < "
            "(select opened_at, contradiction_id from trust.contradictions where tenant_id = $1 and contradiction_id = $4)) "
            "order by x.opened_at desc, x.contradiction_id desc limit $5",
            tenant_id, state, subject, before, limit,
        )  # fmt: skip
        return [_contradiction(row) for row in rows]

    async def change(self, changed: Contradiction) -> None:
        await self._c.execute(
            "update trust.contradictions set state = $3, acknowledged_by = $4, acknowledged_at = $5, decided_by = $6, decided_at = $7, "
            "standing_claim_id = $8, reason = $9 where tenant_id = $1 and contradiction_id = $2",
            changed.tenant_id, changed.contradiction_id, changed.state.value, changed.acknowledged_by, changed.acknowledged_at,
            changed.decided_by, changed.decided_at, changed.standing_claim_id, changed.reason,
        )  # fmt: skip

    async def people(self, tenant_id: UUID, contact_ids: Sequence[UUID] | None, limit: int) -> list[Person]:
        rows = await self._c.fetch(_PEOPLE, tenant_id, None if contact_ids is None else list(contact_ids), limit)
        consents: dict[UUID, list[ConsentRecord]] = defaultdict(list)
        notes: dict[UUID, str] = {}
        for row in rows:
            values = dict(row)
            contact, notes[values["contact_id"]] = values.pop("contact"), values.pop("opted_out")
            consents[contact].append(ConsentRecord(**values))
        return [Person(contact, notes[contact], tuple(found)) for contact, found in consents.items()]

    async def crowded(self, tenant_id: UUID, after: str, limit: int) -> list[str]:
        rows = await self._c.fetch(
            "select subject from trust.claims where tenant_id = $1 and standing = 'current' and subject > $2 "
            "group by subject having count(*) > 1 order by subject limit $3",
            tenant_id, after, limit,
        )  # fmt: skip
        return [row["subject"] for row in rows]


def _columns(keys: Sequence[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [key[0] for key in keys], [key[1] for key in keys]


def _contradiction(row: Any) -> Contradiction:
    claims = tuple(Claim.model_validate(json.loads(row[side])) for side in ("a", "b"))
    kept = {name: value for name, value in dict(row).items() if name in Contradiction.model_fields and name != "claims"}
    return Contradiction(**{**kept, "state": ContradictionState(row["state"]), "claims": claims})
