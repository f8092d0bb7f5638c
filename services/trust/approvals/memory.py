"""What surrounds a vote, in memory. `approvals` are the rows of the unit of work that this desk is part of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.approvals import Delegation, Edit, RulesReply, TrustRules
from libs.contracts.briefs import ApprovalBrief, BriefAnswer
from libs.contracts.execution import ActionState
from libs.contracts.trust import Approval, ApprovalState
from services.trust.approvals.store import Token


@dataclass
class DeskTables:
    rules: dict[tuple[UUID, int], RulesReply] = field(default_factory=dict)
    ticks: dict[tuple[UUID, str], tuple[UUID, datetime]] = field(default_factory=dict)
    loans: dict[tuple[UUID, UUID], Delegation] = field(default_factory=dict)
    edits: dict[tuple[UUID, UUID], Edit] = field(default_factory=dict)
    tokens: dict[tuple[UUID, str], Token] = field(default_factory=dict)
    sequence_uses: dict[tuple[UUID, UUID, int], UUID] = field(default_factory=dict)
    briefs: dict[tuple[UUID, UUID], ApprovalBrief] = field(default_factory=dict)
    replies: dict[tuple[UUID, str], BriefAnswer | None] = field(default_factory=dict)

    def copy(self) -> DeskTables:
        return DeskTables(**{name: rows.copy() for name, rows in vars(self).items()})

    def due(self, now: datetime, limit: int) -> list[tuple[UUID, UUID, str]]:
        found = sorted((at, str(approval), tenant, approval, stage)
                       for (approval, stage), (tenant, at) in self.ticks.items() if at <= now)  # fmt: skip
        return [(tenant, approval, stage) for _, _, tenant, approval, stage in found[:limit]]

    def used(self, tenant_id: UUID, approval_id: UUID) -> bool:
        """Whether an approval's token has been used for another action."""
        return any(
            (tenant, one.approval_id) == (tenant_id, approval_id) and one.used_by is not None
            for (tenant, _), one in self.tokens.items()
        )


class MemoryDesk:
    def __init__(self, tables: Any, now: datetime) -> None:
        self._tables = tables
        self._t: DeskTables = tables.desk
        self._now = now

    async def rules(self, tenant_id: UUID) -> RulesReply:
        versions = [version for tenant, version in self._t.rules if tenant == tenant_id]
        return self._t.rules[tenant_id, max(versions)] if versions else RulesReply(rules=TrustRules())

    async def set_rules(self, tenant_id: UUID, rules: TrustRules, version: int, by: str) -> None:
        if (tenant_id, version) in self._t.rules:
            raise ValueError("a version is written once")
        self._t.rules[tenant_id, version] = RulesReply(
            rules=rules, version=version, changed_by=by, changed_at=self._now
        )

    async def add_ticks(self, tenant_id: UUID, approval_id: UUID, due: Mapping[str, datetime]) -> None:
        self._t.ticks |= {(approval_id, stage): (tenant_id, at) for stage, at in due.items()}

    async def drop_ticks(self, approval_id: UUID, stages: Sequence[str]) -> None:
        for stage in stages:
            self._t.ticks.pop((approval_id, stage), None)

    async def move(self, tenant_id: UUID, approval_id: UUID, role: str, stage: str) -> None:
        self._change(tenant_id, approval_id, role=role, stage=stage)

    def _change(self, tenant_id: UUID, approval_id: UUID, **changes: Any) -> None:
        row = self._tables.approvals[tenant_id, approval_id]
        self._tables.approvals[tenant_id, approval_id] = replace(row, approval=row.approval.evolve(**changes))

    async def lent_to(self, tenant_id: UUID, person: str) -> list[Delegation]:
        return [
            d
            for (tenant, _), d in self._t.loans.items()
            if (tenant, d.to_id) == (tenant_id, person) and d.ended_at is None and d.ends_at > self._now
        ]

    async def waiting(self, tenant_id: UUID, limit: int) -> list[Approval]:
        found = [
            row.approval.evolve(history=self._tables.steps.get((tenant, approval_id), ()))
            for (tenant, approval_id), row in self._tables.approvals.items()
            if tenant == tenant_id
            and row.approval.state is ApprovalState.PENDING
            and row.approval.expires_at > self._now
        ]
        return sorted(found, key=lambda one: (one.due_at, one.approval_id))[:limit]

    async def lend(self, delegation: Delegation) -> None:
        self._t.loans.setdefault((delegation.tenant_id, delegation.delegation_id), delegation)

    async def end_loan(self, tenant_id: UUID, delegation_id: UUID) -> None:
        found = self._t.loans[tenant_id, delegation_id]
        if found.ended_at is None:
            self._t.loans[tenant_id, delegation_id] = found.evolve(ended_at=self._now)

    async def loans(self, tenant_id: UUID, before: UUID | None, limit: int) -> list[Delegation]:
        found = [
            d for (tenant, key), d in self._t.loans.items() if tenant == tenant_id and (before is None or key < before)
        ]
        return sorted(found, key=lambda d: d.delegation_id, reverse=True)[:limit]

    async def loan(self, tenant_id: UUID, delegation_id: UUID) -> Delegation | None:
        return self._t.loans.get((tenant_id, delegation_id))

    async def keep_edit(self, tenant_id: UUID, approval_id: UUID, edit: Edit) -> None:
        if (tenant_id, approval_id) in self._t.edits:
            raise ValueError("a request is edited once")
        self._t.edits[tenant_id, approval_id] = edit
        self._change(tenant_id, approval_id, replaced_by_action=edit.action_id)

    async def edit(self, tenant_id: UUID, approval_id: UUID) -> Edit | None:
        return self._t.edits.get((tenant_id, approval_id))

    async def edited_from(self, tenant_id: UUID, action_id: UUID) -> UUID | None:
        found = (
            key for (tenant, key), edit in self._t.edits.items() if (tenant, edit.action_id) == (tenant_id, action_id)
        )
        return next(found, None)

    async def supersede(self, tenant_id: UUID, old: UUID, new: UUID) -> None:
        self._change(tenant_id, old, superseded_by=new)

    async def keep_token(self, tenant_id: UUID, mac: str, approval_id: UUID, expires_at: datetime) -> bool:
        if any(tenant == tenant_id and one.approval_id == approval_id for (tenant, _), one in self._t.tokens.items()):
            return False
        self._t.tokens[tenant_id, mac] = Token(approval_id, expires_at, None)
        return True

    async def token(self, tenant_id: UUID, mac: str) -> Token | None:
        return self._t.tokens.get((tenant_id, mac))

    async def use_token(self, tenant_id: UUID, mac: str, action_id: UUID) -> bool:
        found = self._t.tokens.get((tenant_id, mac))
        if found is None or found.used_by not in (None, action_id):
            return False
        self._t.tokens[tenant_id, mac] = replace(found, used_by=action_id)
        return True

    async def sequence(self, tenant_id: UUID, action_id: UUID) -> Approval | None:
        found = [
            row.approval for (tenant, _), row in self._tables.approvals.items()
            if (tenant, row.approval.action_id) == (tenant_id, action_id)
        ]  # fmt: skip
        return max(found, key=lambda one: one.approval_id, default=None)

    async def sequence_uses(self, tenant_id: UUID, approval_id: UUID) -> dict[int, UUID]:
        return {
            number: action
            for (tenant, approval, number), action in self._t.sequence_uses.items()
            if (tenant, approval) == (tenant_id, approval_id)
        }

    async def use_sequence(self, tenant_id: UUID, approval_id: UUID, number: int, action_id: UUID) -> bool:
        return self._t.sequence_uses.setdefault((tenant_id, approval_id, number), action_id) == action_id

    async def keep_brief(self, brief: ApprovalBrief) -> None:
        if (brief.tenant_id, brief.brief_id) in self._t.briefs:
            raise ValueError("a brief is made once")
        self._t.briefs[brief.tenant_id, brief.brief_id] = brief

    async def brief(self, tenant_id: UUID, brief_id: UUID) -> ApprovalBrief | None:
        return self._t.briefs.get((tenant_id, brief_id))

    async def briefs(self, tenant_id: UUID, person: str) -> list[ApprovalBrief]:
        found = [b for (tenant, _), b in self._t.briefs.items() if (tenant, b.person) == (tenant_id, person)]
        return sorted(found, key=lambda b: (b.made_at, b.brief_id), reverse=True)[:5]

    async def claim_reply(self, tenant_id: UUID, message_id: str, person: str) -> bool:
        if (tenant_id, message_id) in self._t.replies:
            return False
        self._t.replies[tenant_id, message_id] = None
        return True

    async def keep_answer(self, tenant_id: UUID, message_id: str, answer: BriefAnswer) -> None:
        self._t.replies[tenant_id, message_id] = answer

    async def answer(self, tenant_id: UUID, message_id: str) -> BriefAnswer | None:
        return self._t.replies.get((tenant_id, message_id))

    async def spent(self, tenant_id: UUID, approval_id: UUID) -> bool:
        asked = self._tables.approvals[tenant_id, approval_id].approval
        for (tenant, action, _, _), row in self._tables.decisions.items():
            if (tenant, action, row.decision.approval_id) != (tenant_id, asked.action_id, approval_id):
                continue
            closure = self._tables.closures.get((tenant_id, row.grant_id))
            if row.grant_id is not None and (closure is None or closure.outcome is not ActionState.NOT_SENT):
                return True
        return False
