"""Storage of what surrounds a vote. `SqlDesk` is part of a unit of work; its in-memory twin is in `memory.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.approvals import Delegation, Edit, RulesReply, TrustRules
from libs.contracts.briefs import ApprovalBrief, BriefAnswer
from libs.contracts.trust import Approval
from services.trust.rows import approval_of


@dataclass(frozen=True, slots=True)
class Token:
    """A reference to an approval. `used_by` is the one action that it was used for."""

    approval_id: UUID
    expires_at: datetime
    used_by: UUID | None


class Desk(Protocol):
    """Within one transaction."""

    async def rules(self, tenant_id: UUID) -> RulesReply: ...

    async def set_rules(self, tenant_id: UUID, rules: TrustRules, version: int, by: str) -> None: ...

    async def add_ticks(self, tenant_id: UUID, approval_id: UUID, due: Mapping[str, datetime]) -> None: ...

    async def drop_ticks(self, approval_id: UUID, stages: Sequence[str]) -> None: ...

    async def move(self, tenant_id: UUID, approval_id: UUID, role: str, stage: str) -> None: ...

    async def lent_to(self, tenant_id: UUID, person: str) -> list[Delegation]: ...

    async def waiting(self, tenant_id: UUID, limit: int) -> list[Approval]:
        """Requests that nobody has decided and whose time is not over, with the votes on them, the one due first at the head."""
        ...

    async def lend(self, delegation: Delegation) -> None: ...

    async def end_loan(self, tenant_id: UUID, delegation_id: UUID) -> None: ...

    async def loans(self, tenant_id: UUID, before: UUID | None, limit: int) -> list[Delegation]: ...

    async def loan(self, tenant_id: UUID, delegation_id: UUID) -> Delegation | None: ...

    async def keep_edit(self, tenant_id: UUID, approval_id: UUID, edit: Edit) -> None: ...

    async def edit(self, tenant_id: UUID, approval_id: UUID) -> Edit | None: ...

    async def edited_from(self, tenant_id: UUID, action_id: UUID) -> UUID | None: ...

    async def supersede(self, tenant_id: UUID, old: UUID, new: UUID) -> None: ...

    async def keep_token(self, tenant_id: UUID, mac: str, approval_id: UUID, expires_at: datetime) -> bool: ...

    async def token(self, tenant_id: UUID, mac: str) -> Token | None: ...

    async def use_token(self, tenant_id: UUID, mac: str, action_id: UUID) -> bool: ...

    async def sequence(self, tenant_id: UUID, action_id: UUID) -> Approval | None:
        """The newest approval of an action that asks for a whole sequence."""
        ...

    async def sequence_uses(self, tenant_id: UUID, approval_id: UUID) -> dict[int, UUID]:
        """Which action each message of an approved sequence was used for."""
        ...

    async def use_sequence(self, tenant_id: UUID, approval_id: UUID, number: int, action_id: UUID) -> bool:
        """Take a message's place for one action, for ever. False when another action has it."""
        ...

    async def keep_brief(self, brief: ApprovalBrief) -> None: ...

    async def brief(self, tenant_id: UUID, brief_id: UUID) -> ApprovalBrief | None: ...

    async def briefs(self, tenant_id: UUID, person: str) -> list[ApprovalBrief]:
        """A person's last five, the newest first."""
        ...

    async def claim_reply(self, tenant_id: UUID, message_id: str, person: str) -> bool:
        """Take a message; False when it was taken before. Whoever comes at the same time waits for the first."""
        ...

    async def keep_answer(self, tenant_id: UUID, message_id: str, answer: BriefAnswer) -> None: ...

    async def answer(self, tenant_id: UUID, message_id: str) -> BriefAnswer | None: ...

    async def spent(self, tenant_id: UUID, approval_id: UUID) -> bool:
        """Whether a grant was given on this approval that may have had an effect."""
        ...


class SqlDesk:
    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def rules(self, tenant_id: UUID) -> RulesReply:
        row = await self._c.fetchrow(
            "select * from trust.rules where tenant_id = $1 order by version desc limit 1", tenant_id
        )
        if row is None:
            return RulesReply(rules=TrustRules())
        return RulesReply(
            rules=TrustRules.model_validate_json(row["document"]), version=row["version"], changed_by=row["changed_by"],
            changed_at=row["changed_at"],
        )  # fmt: skip

    async def set_rules(self, tenant_id: UUID, rules: TrustRules, version: int, by: str) -> None:
        await self._c.execute(
            "insert into trust.rules (tenant_id, version, document, changed_by) values ($1, $2, $3::jsonb, $4)",
            tenant_id, version, rules.model_dump_json(), by,
        )  # fmt: skip

    async def add_ticks(self, tenant_id: UUID, approval_id: UUID, due: Mapping[str, datetime]) -> None:
        await self._c.execute(
            "insert into trust.approval_ticks (approval_id, tenant_id, stage, due_at) select $1, $2, s, d "
            "from unnest($3::text[], $4::timestamptz[]) as x(s, d)",
            approval_id, tenant_id, list(due), list(due.values()),
        )  # fmt: skip

    async def drop_ticks(self, approval_id: UUID, stages: Sequence[str]) -> None:
        await self._c.execute(
            "delete from trust.approval_ticks where approval_id = $1 and stage = any($2::text[])",
            approval_id,
            list(stages),
        )

    async def move(self, tenant_id: UUID, approval_id: UUID, role: str, stage: str) -> None:
        await self._c.execute(
            "update trust.approvals set role = $3, stage = $4 where tenant_id = $1 and approval_id = $2",
            tenant_id, approval_id, role, stage,
        )  # fmt: skip

    async def lent_to(self, tenant_id: UUID, person: str) -> list[Delegation]:
        rows = await self._c.fetch(
            "select * from trust.delegations where tenant_id = $1 and to_id = $2 and ended_at is null and ends_at > now()",
            tenant_id, person,
        )  # fmt: skip
        return [_loan(row) for row in rows]

    async def waiting(self, tenant_id: UUID, limit: int) -> list[Approval]:
        rows = await self._c.fetch(
            "select * from trust.approvals where tenant_id = $1 and state = 'pending' and expires_at > now() order by due_at, approval_id limit $2",
            tenant_id, limit,
        )  # fmt: skip
        steps = await self._c.fetch(
            "select approval_id, at, actor, step, note, on_behalf from trust.approval_steps where tenant_id = $1 and approval_id = any($2::uuid[]) "
            "order by seq",
            tenant_id, [row["approval_id"] for row in rows],
        )  # fmt: skip
        of: dict[UUID, list[Any]] = {}
        for step in steps:
            of.setdefault(step["approval_id"], []).append(step)
        return [approval_of(row, of.get(row["approval_id"], ())) for row in rows]

    async def lend(self, delegation: Delegation) -> None:
        d = delegation
        await self._c.execute(
            "insert into trust.delegations (tenant_id, delegation_id, approval_id, from_id, to_id, starts_at, ends_at, document) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb) on conflict do nothing",
            d.tenant_id, d.delegation_id, d.approval_id, d.from_id, d.to_id, d.starts_at, d.ends_at, d.model_dump_json(),
        )  # fmt: skip

    async def end_loan(self, tenant_id: UUID, delegation_id: UUID) -> None:
        await self._c.execute(
            "update trust.delegations set ended_at = now() where tenant_id = $1 and delegation_id = $2 and ended_at is null",
            tenant_id, delegation_id,
        )  # fmt: skip

    async def loans(self, tenant_id: UUID, before: UUID | None, limit: int) -> list[Delegation]:
        rows = await self._c.fetch(
            "select * from trust.delegations where tenant_id = $1 and ($2::uuid is null or delegation_id < $2) "
            "order by delegation_id desc limit $3",
            tenant_id, before, limit,
        )  # fmt: skip
        return [_loan(row) for row in rows]

    async def loan(self, tenant_id: UUID, delegation_id: UUID) -> Delegation | None:
        row = await self._c.fetchrow(
            "select * from trust.delegations where tenant_id = $1 and delegation_id = $2", tenant_id, delegation_id
        )
        return _loan(row) if row else None

    async def keep_edit(self, tenant_id: UUID, approval_id: UUID, edit: Edit) -> None:
        await self._c.execute(
            "insert into trust.approval_edits (tenant_id, approval_id, action_id, document) values ($1, $2, $3, $4::jsonb)",
            tenant_id, approval_id, edit.action_id, edit.model_dump_json(),
        )  # fmt: skip
        await self._c.execute(
            "update trust.approvals set replaced_by_action = $3 where tenant_id = $1 and approval_id = $2",
            tenant_id, approval_id, edit.action_id,
        )  # fmt: skip

    async def edit(self, tenant_id: UUID, approval_id: UUID) -> Edit | None:
        text = await self._c.fetchval(
            "select document from trust.approval_edits where tenant_id = $1 and approval_id = $2",
            tenant_id,
            approval_id,
        )
        return Edit.model_validate_json(text) if text else None

    async def edited_from(self, tenant_id: UUID, action_id: UUID) -> UUID | None:
        found: UUID | None = await self._c.fetchval(
            "select approval_id from trust.approval_edits where tenant_id = $1 and action_id = $2", tenant_id, action_id
        )
        return found

    async def supersede(self, tenant_id: UUID, old: UUID, new: UUID) -> None:
        await self._c.execute(
            "update trust.approvals set superseded_by = $3 where tenant_id = $1 and approval_id = $2",
            tenant_id,
            old,
            new,
        )

    async def keep_token(self, tenant_id: UUID, mac: str, approval_id: UUID, expires_at: datetime) -> bool:
        row = await self._c.fetchrow(
            "insert into trust.approval_tokens (tenant_id, mac, approval_id, expires_at) values ($1, $2, $3, $4) "
            "on conflict do nothing returning 1",
            tenant_id, mac, approval_id, expires_at,
        )  # fmt: skip
        return row is not None

    async def token(self, tenant_id: UUID, mac: str) -> Token | None:
        row = await self._c.fetchrow(
            "select approval_id, expires_at, used_by from trust.approval_tokens where tenant_id = $1 and mac = $2 for update",
            tenant_id, mac,
        )  # fmt: skip
        return Token(row["approval_id"], row["expires_at"], row["used_by"]) if row else None

    async def use_token(self, tenant_id: UUID, mac: str, action_id: UUID) -> bool:
        row = await self._c.fetchrow(
            "update trust.approval_tokens set used_by = $3, used_at = now() where tenant_id = $1 and mac = $2 "
            "and (used_by is null or used_by = $3) returning 1",
            tenant_id, mac, action_id,
        )  # fmt: skip
        return row is not None

    async def sequence(self, tenant_id: UUID, action_id: UUID) -> Approval | None:
        row = await self._c.fetchrow(
            "select * from trust.approvals where tenant_id = $1 and action_id = $2 order by approval_id desc limit 1",
            tenant_id, action_id,
        )  # fmt: skip
        return approval_of(row, []) if row else None

    async def sequence_uses(self, tenant_id: UUID, approval_id: UUID) -> dict[int, UUID]:
        rows = await self._c.fetch(
            "select number, action_id from trust.sequence_uses where tenant_id = $1 and approval_id = $2",
            tenant_id, approval_id,
        )  # fmt: skip
        return {row["number"]: row["action_id"] for row in rows}

    async def use_sequence(self, tenant_id: UUID, approval_id: UUID, number: int, action_id: UUID) -> bool:
        row = await self._c.fetchrow(
            "insert into trust.sequence_uses as u (tenant_id, approval_id, number, action_id) values ($1, $2, $3, $4) "
            "on conflict (tenant_id, approval_id, number) do update set action_id = excluded.action_id "
            "where u.action_id = excluded.action_id returning 1",
            tenant_id, approval_id, number, action_id,
        )  # fmt: skip
        return row is not None

    async def keep_brief(self, brief: ApprovalBrief) -> None:
        await self._c.execute(
            "insert into trust.approval_briefs (tenant_id, brief_id, person, made_at, document) values ($1, $2, $3, $4, $5::jsonb)",
            brief.tenant_id, brief.brief_id, brief.person, brief.made_at, brief.model_dump_json(),
        )  # fmt: skip

    async def brief(self, tenant_id: UUID, brief_id: UUID) -> ApprovalBrief | None:
        text = await self._c.fetchval(
            "select document from trust.approval_briefs where tenant_id = $1 and brief_id = $2", tenant_id, brief_id
        )
        return ApprovalBrief.model_validate_json(text) if text else None

    async def briefs(self, tenant_id: UUID, person: str) -> list[ApprovalBrief]:
        rows = await self._c.fetch(
            "select document from trust.approval_briefs where tenant_id = $1 and person = $2 order by made_at desc, brief_id desc limit 5",
            tenant_id, person,
        )  # fmt: skip
        return [ApprovalBrief.model_validate_json(row["document"]) for row in rows]

    async def claim_reply(self, tenant_id: UUID, message_id: str, person: str) -> bool:
        row = await self._c.fetchrow(
            "insert into trust.approval_replies (tenant_id, message_id, person) values ($1, $2, $3) on conflict do nothing returning 1",
            tenant_id, message_id, person,
        )  # fmt: skip
        return row is not None

    async def keep_answer(self, tenant_id: UUID, message_id: str, answer: BriefAnswer) -> None:
        await self._c.execute(
            "update trust.approval_replies set answer = $3::jsonb where tenant_id = $1 and message_id = $2",
            tenant_id, message_id, answer.model_dump_json(),
        )  # fmt: skip

    async def answer(self, tenant_id: UUID, message_id: str) -> BriefAnswer | None:
        text = await self._c.fetchval(
            "select answer from trust.approval_replies where tenant_id = $1 and message_id = $2", tenant_id, message_id
        )
        return BriefAnswer.model_validate_json(text) if text else None

    async def spent(self, tenant_id: UUID, approval_id: UUID) -> bool:
        found: bool = await self._c.fetchval(
            "select exists(select 1 from trust.approvals a join trust.decisions d on d.tenant_id = a.tenant_id and d.action_id = a.action_id "
            "and d.approval_id = a.approval_id left join trust.grant_closures g on g.tenant_id = d.tenant_id and g.grant_id = d.grant_id "
            "where a.tenant_id = $1 and a.approval_id = $2 and d.grant_id is not null and coalesce(g.outcome, 'open') <> 'not_sent')",
            tenant_id, approval_id,
        )  # fmt: skip
        return found


def _loan(row: Any) -> Delegation:
    stored = Delegation.model_validate_json(row["document"])
    changed: Delegation = stored.evolve(ended_at=row["ended_at"])
    return changed
