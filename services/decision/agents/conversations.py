"""Runs of agents as they are kept and listed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from libs.contracts.agents import AgentVerdict, Conversation, ConversationsReply, ConversationsRequest, ModelRun
from libs.contracts.errors import Forbidden, NotFound
from libs.runtime.database import BatchWork, Database

_OF_MODEL = ("provider", "model", "prompt_version", "temperature", "tokens_in", "tokens_out", "unfit", "fallbacks")
READERS = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "api_client"})


class Conversations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, one: Conversation) -> None:
        """Keep a run, in a transaction of its own: it stands whatever becomes of the answer."""
        async with self._database.batch(one.tenant_id) as work:
            await _insert(work, one)

    async def page(self, request: ConversationsRequest) -> ConversationsReply:
        """Runs, the newest first. Raises Forbidden, and NotFound for a cursor that is none."""
        if not READERS & set(request.principal.roles):
            raise Forbidden
        tenant, limit = request.principal.tenant_id, request.page.limit
        async with self._database.batch(tenant) as work:
            rows = await work.connection.fetch(
                "select * from decision.ai_conversations where tenant_id = $1 and ($2::text is null or agent = $2) "
                "and ($3::text is null or verdict = $3) and ($4::uuid is null or conversation_id < $4) order by conversation_id desc limit $5",
                tenant, request.agent, request.verdict.value if request.verdict else None, _before(request.page.cursor), limit + 1,
            )  # fmt: skip
        items = tuple(_shown(dict(row)) for row in rows[:limit])
        return ConversationsReply(
            items=items, next_cursor=str(items[-1].conversation_id) if len(rows) > limit else None
        )


async def _insert(work: BatchWork, one: Conversation) -> None:
    await work.connection.execute(
        "insert into decision.ai_conversations (tenant_id, conversation_id, at, asked_by, via, agent, version, engine, input_digest, "
        "output_schema, verdict, code, to_role, confidence, cost_sar, latency_ms, trace_id, "
        "provider, model, prompt_version, temperature, tokens_in, tokens_out, unfit, fallbacks) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        "$11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25) on conflict do nothing",
        one.tenant_id, one.conversation_id, one.at, one.asked_by, one.via, one.agent, one.version, one.engine, one.input_digest,
        one.output_schema, one.verdict.value, one.code, one.to, one.confidence, one.cost_sar, one.latency_ms, one.trace_id,
        *(getattr(one.asked_model, name, None) for name in _OF_MODEL),
    )  # fmt: skip


def _shown(row: dict[str, Any]) -> Conversation:
    fields = {
        **row,
        "to": row["to_role"],
        "verdict": AgentVerdict(str(row["verdict"])),
        "cost_sar": _sar(row["cost_sar"]),
    }
    del fields["to_role"]
    of_model = {name: fields.pop(name) for name in _OF_MODEL}
    if of_model["provider"] is not None:
        fields["asked_model"] = ModelRun(**of_model, cost_sar=fields["cost_sar"])
    return Conversation.model_validate(fields)


def _sar(kept: Decimal) -> Decimal:
    """Two decimals where they say all of it."""
    short = kept.quantize(Decimal("0.01"))
    return short if short == kept else kept


def _before(cursor: str | None) -> UUID | None:
    try:
        return UUID(cursor) if cursor else None
    except ValueError as error:
        raise NotFound("bad_cursor", "The cursor is not one of ours.", "مؤشر الصفحة غير صالح.") from error
