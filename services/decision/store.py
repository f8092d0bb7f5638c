"""Decision's storage: what was recommended, to whom, and what people made of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.decision import FIRST, Card, CardStatus, Draft, Opportunity
from libs.runtime.database import BatchWork


class Recommendations:
    """One transaction over one tenant."""

    def __init__(self, work: BatchWork) -> None:
        self._c = work.connection

    async def drop_opportunities(self, tenant_id: UUID) -> None:
        """The old ranking goes, for a new one. Two at once, asked for and by an import, take turns."""
        await self.one_ranking(tenant_id)
        await self._c.execute("delete from decision.opportunities where tenant_id = $1", tenant_id)

    async def one_ranking(self, tenant_id: UUID) -> None:
        """Wait until nobody else writes this tenant's ranking."""
        await self._c.execute(
            "select pg_advisory_xact_lock(hashtextextended('decision.opportunities:' || $1::text, 0))", str(tenant_id)
        )

    async def insert_opportunities(self, tenant_id: UUID, items: Sequence[Opportunity], first: int = 0) -> None:
        """Insert opportunities, the best first; the best of these has the place `first`."""
        await self._c.execute(
            "insert into decision.opportunities (tenant_id, lead_id, position, score, tier, contactability, account_name, actionable, document) "
            "select $1, l, p, s, t, c, n, a, d::jsonb from unnest($2::uuid[], $3::int[], $4::real[], $5::text[], $6::text[], $7::text[], $8::bool[], "
            "$9::text[]) as x(l, p, s, t, c, n, a, d)",
            tenant_id, [o.lead_id for o in items], list(range(first, first + len(items))), [o.score for o in items], [o.tier for o in items],
            [o.contactability for o in items], [o.account_name for o in items], [o.channel is not None for o in items],
            [o.model_dump_json() for o in items],
        )  # fmt: skip

    async def opportunities(
        self, tenant_id: UUID, tier: str | None, contactability: str | None, q: str | None, after: int, limit: int
    ) -> tuple[list[tuple[int, Opportunity]], int]:
        """A page by position, with the number of all that match."""
        where = (
            "tenant_id = $1 and ($2::text is null or tier = $2) and ($3::text is null or contactability = $3) "
            "and ($4::text is null or position(lower($4) in lower(account_name)) > 0)"
        )
        rows = await self._c.fetch(
            f"select position, document from decision.opportunities where {where} and position > $5 order by position limit $6",
            tenant_id, tier, contactability, q, after, limit,
        )  # fmt: skip
        total = await self._c.fetchval(
            f"select count(*) from decision.opportunities where {where}", tenant_id, tier, contactability, q
        )
        return [(row["position"], Opportunity.model_validate_json(row["document"])) for row in rows], int(total)

    async def opportunity(self, tenant_id: UUID, lead_id: UUID) -> Opportunity | None:
        text = await self._c.fetchval(
            "select document from decision.opportunities where tenant_id = $1 and lead_id = $2", tenant_id, lead_id
        )
        return Opportunity.model_validate_json(text) if text else None

    async def add_cards(self, cards: Sequence[Card]) -> int:
        """Add cards; one that is open already under the same key stays as it is. Returns how many are new."""
        return len(await self.new_cards(cards))

    async def new_cards(self, cards: Sequence[Card]) -> set[UUID]:
        """The same, and which of them are new."""
        if not cards:
            return set()
        # What nobody decided in its time makes room: open, it would keep the same matter from ever being shown again.
        await self._c.execute(
            "update decision.cards set status = 'expired' where tenant_id = any($1::uuid[]) and dedupe_key = any($2::text[]) "
            "and status = 'open' and expires_at <= now()",
            list({c.tenant_id for c in cards}), [c.dedupe_key for c in cards],
        )  # fmt: skip
        rows = await self._c.fetch(
            "insert into decision.cards (tenant_id, card_id, role, type, dedupe_key, status, priority, document, expires_at, created_at) "
            "select t, c, r, ty, k, 'open', p, d::jsonb, e, cr from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::real[], "
            "$7::text[], $8::timestamptz[], $9::timestamptz[]) as x(t, c, r, ty, k, p, d, e, cr) on conflict do nothing returning card_id",
            [c.tenant_id for c in cards], [c.card_id for c in cards], [c.role for c in cards], [c.type.value for c in cards],
            [c.dedupe_key for c in cards], [c.priority for c in cards], [c.model_dump_json() for c in cards],
            [c.expires_at for c in cards], [c.created_at for c in cards],
        )  # fmt: skip
        return {row["card_id"] for row in rows}

    async def feed(self, tenant_id: UUID, role: str) -> list[Card]:
        """Open cards of a role that have not expired, the most pressing first."""
        rows = await self._c.fetch(
            "select document, priority from decision.cards where tenant_id = $1 and role = $2 and status = 'open' "
            "and (expires_at is null or expires_at > now()) and (hidden_until is null or hidden_until <= now()) order by priority desc, created_at limit 200",
            tenant_id, role,
        )  # fmt: skip
        return [Card.model_validate_json(row["document"]) for row in rows]

    async def card(self, tenant_id: UUID, card_id: UUID, *, lock: bool = False) -> Card | None:
        row = await self._c.fetchrow(
            "select document, status, decided_by, decided_button, expires_at < now() as late from decision.cards "
            "where tenant_id = $1 and card_id = $2" + (" for update" if lock else ""),
            tenant_id, card_id,
        )  # fmt: skip
        return _card(row) if row else None

    async def close_card(self, tenant_id: UUID, card_id: UUID, by: str, button: str) -> None:
        await self._c.execute(
            "update decision.cards set status = 'decided', decided_at = now(), decided_by = $3, decided_button = $4 "
            "where tenant_id = $1 and card_id = $2 and status = 'open'",
            tenant_id, card_id, by, button,
        )  # fmt: skip

    async def close_likes(self, card: Card) -> None:
        """Close the same matter in front of other roles: one of them has answered it for all."""
        await self._c.execute(
            "update decision.cards set status = 'decided', decided_at = now(), decided_by = 'system:decision', decided_button = 'settled' "
            "where tenant_id = $1 and status = 'open' and card_id <> $2 and document->'context'->>'event' = $3 "
            "and document->'context'->>'subject' = $4",
            card.tenant_id, card.card_id, card.context.get("event"), card.context.get("subject"),
        )  # fmt: skip

    async def close_by_key(self, tenant_id: UUID, dedupe_key: str, by: str, button: str) -> None:
        """Close a card wherever it hangs: what it asked has been answered elsewhere."""
        await self._c.execute(
            "update decision.cards set status = 'decided', decided_at = now(), decided_by = $3, decided_button = $4 "
            "where tenant_id = $1 and dedupe_key = $2 and status = 'open'",
            tenant_id, dedupe_key, by, button,
        )  # fmt: skip

    async def postpone(self, tenant_id: UUID, card_id: UUID, until: datetime) -> None:
        """Out of the feed until then; it expires when it would have."""
        await self._c.execute(
            "update decision.cards set hidden_until = $3 where tenant_id = $1 and card_id = $2",
            tenant_id, card_id, until,
        )  # fmt: skip

    async def drafted(self, tenant_id: UUID) -> set[UUID]:
        """Leads that have a first message already."""
        return {
            row["lead_id"]
            for row in await self._c.fetch(
                "select lead_id from decision.drafts where tenant_id = $1 and purpose = 'first'", tenant_id
            )
        }

    async def add_draft(self, draft: Draft) -> bool:
        """Keep a draft; False when the lead has one on that channel already."""
        row = await self._c.fetchrow(
            "insert into decision.drafts (tenant_id, draft_id, lead_id, contact_id, channel, action_id, purpose, document) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb) "
            "on conflict do nothing returning 1",
            draft.tenant_id, draft.draft_id, draft.lead_id, draft.contact_id, draft.channel, draft.action_id, draft.purpose, draft.model_dump_json(),
        )  # fmt: skip
        if row is not None and draft.purpose == FIRST:
            # What the lead's opportunity card proposed has been done.
            await self._c.execute(
                "update decision.cards set status = 'decided', decided_at = now(), decided_by = 'agent:outreach_writer', "
                "decided_button = 'prepare_draft' where tenant_id = $1 and status = 'open' and type = 'opportunity' "
                "and document->'context'->>'lead_id' = $2",
                draft.tenant_id,
                str(draft.lead_id),
            )
        return row is not None

    async def draft_of(self, tenant_id: UUID, lead_id: UUID, purpose: str = FIRST) -> Draft | None:
        """The latest draft to a lead for a purpose."""
        document = await self._c.fetchval(
            "select document from decision.drafts where tenant_id = $1 and lead_id = $2 and purpose = $3 order by draft_id desc limit 1",
            tenant_id, lead_id, purpose,
        )  # fmt: skip
        return None if document is None else Draft.model_validate_json(document)

    async def drafts(self, tenant_id: UUID, before: UUID | None, limit: int) -> list[Draft]:
        rows = await self._c.fetch(
            "select document from decision.drafts where tenant_id = $1 and ($2::uuid is null or draft_id < $2) order by draft_id desc limit $3",
            tenant_id, before, limit,
        )  # fmt: skip
        return [Draft.model_validate_json(row["document"]) for row in rows]


def _card(row: Any) -> Card:
    card = Card.model_validate_json(row["document"])
    status = CardStatus.EXPIRED if row["status"] == "open" and row["late"] else CardStatus(row["status"])
    changed: Card = card.evolve(status=status, decided_by=row["decided_by"], decided_button=row["decided_button"])
    return changed
