"""What every store of claims promises; run over the in-memory one here and over PostgreSQL among the live tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.claims import ClaimsRecorded, ClaimStanding, ContradictionsRequest, NewClaim, RecordClaims, Resolve
from libs.contracts.message import Page, Principal, PrincipalKind, new_id
from services.trust.contradictions.handlers import Contradicting
from services.trust.contradictions.sweep import Sweep
from services.trust.contradictions.watching import with_contradictions
from services.trust.rows import Known
from services.trust.store import Store
from tests.unit.trust.store_promises import NOTHING, consent, facts, prepared

WHY = "The price list is the newer one."


def who(tenant: UUID, number: int = 1) -> Principal:
    return Principal(id=f"user:{number}", kind=PrincipalKind.USER, tenant_id=tenant, roles=("operator", "owner"))


async def say(
    store: Store, tenant: UUID, *values: str, subject: str = "product:crm", by: int = 1, **more: Any
) -> ClaimsRecorded:
    claims = tuple(
        NewClaim(
            claim_id=new_id(), subject=subject, value=value, source=f"source {value} {by}", **{"key": "price", **more}
        )
        for value in values
    )
    return await Contradicting(store).record(RecordClaims(principal=who(tenant, by), claims=claims))


async def _nobody() -> list[UUID]:
    return []


class ContradictionPromises:
    """Fixture of the subclass: `store`."""

    async def test_claims_are_kept_and_the_same_id_once(self, store: Store) -> None:
        tenant = new_id()
        recorded = await say(store, tenant, "1200", "1200")
        async with store.unit(tenant) as unit:
            kept = await unit.contradictions.current([(tenant, "product:crm")])
            assert [(c.claim_id, c.value, c.unit) for c in kept] == [
                (c.claim_id, "1200", "SAR") for c in recorded.claims
            ]
            assert await unit.contradictions.add([recorded.claims[0].evolve(value="1")]) == []
            assert (await unit.contradictions.current([(tenant, "product:crm")]))[0].value == "1200"

    async def test_a_contradiction_is_opened_once_and_survives(self, store: Store) -> None:
        tenant = new_id()
        (found,) = (await say(store, tenant, "1200", "900")).contradictions
        assert {c.value for c in found.claims} == {"1200", "900"}
        swept = await Sweep(store, _nobody).tenant(tenant)
        page = await Contradicting(store).page(ContradictionsRequest(principal=who(tenant)))
        assert (swept, [one.contradiction_id for one in page.items]) == ([], [found.contradiction_id])

    async def test_another_tenant_sees_neither_claims_nor_contradictions(self, store: Store) -> None:
        tenant, other = new_id(), new_id()
        (found,) = (await say(store, tenant, "1200", "900")).contradictions
        async with store.unit(other) as unit:
            assert await unit.contradictions.one(other, found.contradiction_id) is None
            assert await unit.contradictions.waiting([(other, "product:crm")]) == []
            assert await unit.contradictions.standings([(other, found.claims[0].claim_id)]) == {}
        assert (await say(store, other, "700")).contradictions == ()

    async def test_what_was_decided_no_longer_waits_and_the_refuted_claim_is_no_longer_compared(
        self, store: Store
    ) -> None:
        tenant = new_id()
        (found,) = (await say(store, tenant, "1200", "900")).contradictions
        standing = next(c for c in found.claims if c.value == "1200")
        request = Resolve(
            principal=who(tenant),
            contradiction_id=found.contradiction_id,
            standing_claim_id=standing.claim_id,
            reason=WHY,
        )
        decided = await Contradicting(store).resolve(request)
        assert {c.value: c.standing for c in decided.claims} == {
            "1200": ClaimStanding.CURRENT,
            "900": ClaimStanding.REFUTED,
        }
        async with store.unit(tenant) as unit:
            assert await unit.contradictions.waiting([(tenant, "product:crm")]) == []
        assert (await say(store, tenant, "1200", by=2)).contradictions == ()
        assert await Sweep(store, _nobody).tenant(tenant) == []

    async def test_pages_go_on_where_they_ended(self, store: Store) -> None:
        tenant = new_id()
        for number in range(3):
            await say(store, tenant, "1", "2", subject=f"product:{number}")
        seen: list[str] = []
        cursor: str | None = None
        while True:
            request = ContradictionsRequest(principal=who(tenant), page=Page(cursor=cursor, limit=2))
            page = await Contradicting(store).page(request)
            seen += [one.subject for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(seen) == ["product:0", "product:1", "product:2"]
        filtered = ContradictionsRequest(principal=who(tenant), subject="product:1")
        assert [one.subject for one in (await Contradicting(store).page(filtered)).items] == ["product:1"]

    async def test_the_sweep_finds_what_was_written_side_by_side(self, store: Store) -> None:
        """Two claims that were put on record without being compared, as by two processes at once."""
        tenant = new_id()
        first = await say(store, tenant, "1200")
        async with store.unit(tenant) as unit:
            await unit.contradictions.add([first.claims[0].evolve(claim_id=new_id(), value="900", source="other")])
        (found,) = await Sweep(store, _nobody).tenant(tenant)
        assert (found.found_by, await Sweep(store, _nobody).tenant(tenant)) == ("sweep", [])

    async def test_the_sweep_finds_consents_that_contradict_one_another(self, store: Store) -> None:
        tenant, contact = new_id(), new_id()
        now = datetime.now(UTC)
        async with store.unit(tenant) as unit:
            await unit.project(tenant, [facts(contact)], [("e", None)])
            await unit.add_consents(tenant, [consent(contact, captured_at=now - timedelta(days=9), channel="email")])
            await unit.withdraw(tenant, contact, None)
            later = consent(contact, captured_at=now - timedelta(days=8), channel="email", method="imported_list")
            await unit.add_consents(tenant, [later])
        await Sweep(store, _nobody).tenant(tenant)
        await Sweep(store, _nobody).tenant(tenant)
        page = await Contradicting(store).page(ContradictionsRequest(principal=who(tenant)))
        assert [(one.kind, one.subject) for one in page.items] == [("policy", f"contact:{contact}")]
        async with store.unit(tenant) as unit:
            await unit.withdraw(tenant, contact, None)
        await Sweep(store, _nobody).tenant(tenant)
        # Withdrawn everywhere since: the claim ends, and what was opened stays until a person decides.
        assert [
            one.state for one in (await Contradicting(store).page(ContradictionsRequest(principal=who(tenant)))).items
        ] == ["open"]

    async def test_looking_leaves_nothing_behind_and_deciding_keeps_what_a_payload_contradicts(
        self, store: Store
    ) -> None:
        tenant = new_id()
        await say(store, tenant, "1200")
        p = prepared(tenant, effect="plan", action_type="plan", payload={"product": "crm", "price": "900"})
        known = [Known(None, NOTHING)]
        now = datetime.now(UTC)
        async with store.unit(tenant) as unit:
            (seen,) = await with_contradictions(unit, [p], known, now, keep=False)
        assert len(seen.record.contradictions) == 1
        assert (await Contradicting(store).page(ContradictionsRequest(principal=who(tenant)))).items == ()
        for _ in range(2):
            async with store.unit(tenant) as unit:
                (kept,) = await with_contradictions(unit, [p], known, now, keep=True)
            assert [c.action_id for c in kept.record.contradictions] == [p.evaluation.action_id]
        assert len((await Contradicting(store).page(ContradictionsRequest(principal=who(tenant)))).items) == 1
