"""Claims and contradictions in memory. `tables` are those of the unit of work that this is part of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.claims import WAITING, Claim, ClaimStanding, Contradiction
from libs.contracts.trust import ConsentRecord
from services.trust.contradictions.domain.people import RECORDER, Person, doubtful
from services.trust.contradictions.store import Key


@dataclass
class ClaimTables:
    """Every key begins with the tenant."""

    claims: dict[tuple[UUID, UUID], Claim] = field(default_factory=dict)
    contradictions: dict[tuple[UUID, UUID], Contradiction] = field(default_factory=dict)

    def copy(self) -> ClaimTables:
        return ClaimTables(**{name: rows.copy() for name, rows in vars(self).items()})


class MemoryContradictions:
    def __init__(self, tables: Any, now: datetime) -> None:
        self._all = tables
        self._t: ClaimTables = tables.claims
        self._now = now

    async def lock(self, keys: Sequence[Key]) -> None:
        """One unit of work runs at a time already."""

    async def current(self, keys: Sequence[Key]) -> list[Claim]:
        wanted = set(keys)
        found = [c for c in self._t.claims.values() if (c.tenant_id, c.subject) in wanted]
        return sorted((c for c in found if c.standing is ClaimStanding.CURRENT), key=lambda c: c.claim_id)

    async def add(self, claims: Sequence[Claim]) -> list[Claim]:
        made = []
        for claim in claims:
            key = (claim.tenant_id, claim.claim_id)
            before = self._t.claims.get(key)
            if before is None:
                self._t.claims[key] = claim.evolve(recorded_at=self._now)
                made.append(claim)
            elif before.recorded_by == RECORDER:
                self._t.claims[key] = before.evolve(valid_to=claim.valid_to)
        return made

    async def stand(self, tenant_id: UUID, claim_ids: Sequence[UUID], standing: ClaimStanding) -> None:
        for claim in claim_ids:
            self._t.claims[tenant_id, claim] = self._t.claims[tenant_id, claim].evolve(standing=standing)

    async def standings(self, keys: Sequence[tuple[UUID, UUID]]) -> dict[UUID, ClaimStanding]:
        return {key[1]: self._t.claims[key].standing for key in keys if key in self._t.claims}

    async def open(self, found: Sequence[Contradiction]) -> list[Contradiction]:
        made = []
        for one in found:
            if (one.tenant_id, one.contradiction_id) not in self._t.contradictions:
                self._t.contradictions[one.tenant_id, one.contradiction_id] = one
                made.append(one)
        return made

    async def known(self, found: Sequence[Contradiction]) -> set[UUID]:
        return {
            one.contradiction_id for one in found if (one.tenant_id, one.contradiction_id) in self._t.contradictions
        }

    def _whole(self, one: Contradiction) -> Contradiction:
        claims = tuple(self._t.claims[one.tenant_id, claim.claim_id] for claim in one.claims)
        whole: Contradiction = one.evolve(claims=claims)
        return whole

    async def waiting(self, keys: Sequence[Key]) -> list[Contradiction]:
        wanted = set(keys)
        found = [
            c for c in self._t.contradictions.values() if (c.tenant_id, c.subject) in wanted and c.state in WAITING
        ]
        return [self._whole(one) for one in sorted(found, key=lambda c: c.contradiction_id)]

    async def one(self, tenant_id: UUID, contradiction_id: UUID) -> Contradiction | None:
        found = self._t.contradictions.get((tenant_id, contradiction_id))
        return self._whole(found) if found else None

    async def page(
        self, tenant_id: UUID, state: str | None, subject: str | None, before: UUID | None, limit: int
    ) -> list[Contradiction]:
        rows = [c for (tenant, _), c in self._t.contradictions.items() if tenant == tenant_id]
        start = self._t.contradictions.get((tenant_id, before)) if before else None
        found = [
            c
            for c in rows
            if state in (None, c.state.value)
            and subject in (None, c.subject)
            and (start is None or (c.opened_at, c.contradiction_id) < (start.opened_at, start.contradiction_id))
        ]
        found.sort(key=lambda c: (c.opened_at, c.contradiction_id), reverse=True)
        return [self._whole(one) for one in found[:limit]]

    async def change(self, changed: Contradiction) -> None:
        self._t.contradictions[changed.tenant_id, changed.contradiction_id] = changed

    async def people(self, tenant_id: UUID, contact_ids: Sequence[UUID] | None, limit: int) -> list[Person]:
        consents: dict[UUID, list[ConsentRecord]] = defaultdict(list)
        for (tenant, _), one in self._all.consents.items():
            if tenant == tenant_id and (contact_ids is None or one.contact_id in contact_ids):
                consents[one.contact_id].append(one)
        found = []
        for contact, own in sorted(consents.items()):
            facts = self._all.facts.get((tenant_id, contact))
            note = facts.facts.opted_out if facts is not None else "unknown"
            person = Person(contact, str(note), tuple(sorted(own, key=lambda one: one.captured_at)))
            found += [person] if doubtful(person, self._now) else []
        return found[:limit]

    async def crowded(self, tenant_id: UUID, after: str, limit: int) -> list[str]:
        count = Counter(
            c.subject
            for (tenant, _), c in self._t.claims.items()
            if tenant == tenant_id and c.standing is ClaimStanding.CURRENT and c.subject > after
        )
        return sorted(subject for subject, claims in count.items() if claims > 1)[:limit]
