"""Signals of how messages were received: from sends that went out, replies and opt-outs that were noted, and providers' reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.reputation import reputation
from libs.contracts.execution import ActionsSettled, ActionState
from libs.contracts.outreach import (
    ChannelPaused,
    ChannelReputation,
    RecordSignals,
    ReputationReply,
    ReputationRequest,
    SignalKind,
    SignalsReply,
)
from libs.contracts.subjects import CHANNEL_PAUSED
from libs.runtime.database import BatchWork, SessionWork
from libs.runtime.plane import Runtime
from services.data.crm.desk import require_editor
from services.data.crm.domain.reputation import channel_reputation
from services.data.telling import bounced, tell_facts

CHANNELS = ("email", "whatsapp")
Signal = tuple[str, str, SignalKind, datetime]
"""External id, channel, kind, when."""


class ReputationDesk:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database

    async def get(self, request: ReputationRequest) -> ReputationReply:
        """Every channel that has sent, or could."""
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            return ReputationReply(items=await self._standing(work, tenant))

    async def _standing(self, work: BatchWork, tenant: UUID) -> tuple[ChannelReputation, ...]:
        rules = reputation()
        rows = await work.connection.fetch(
            "select channel, kind, count(*) n from (select channel, kind from data.sender_signals where tenant_id = $1 "
            "and at > $2::timestamptz - make_interval(days => $3) union all "
            "select type, 'replied' from data.activities where tenant_id = $1 and direction = 'inbound' and type = any($4::text[]) "
            "and deleted_at is null and at > $2::timestamptz - make_interval(days => $3)) s group by 1, 2",
            tenant, self._runtime.now(), rules.days, list(CHANNELS),
        )  # fmt: skip
        counts: dict[str, dict[str, int]] = {channel: {} for channel in CHANNELS}
        for row in rows:
            counts.setdefault(row["channel"], {})[row["kind"]] = row["n"]
        return tuple(channel_reputation(channel, found, rules) for channel, found in counts.items())

    async def _guard(self, work: BatchWork, tenant: UUID) -> None:
        """Tell operating of a channel whose score has just fallen below the mark, once until it is above again: whoever resumes it before
        has decided so."""
        for one in await self._standing(work, tenant):
            if not one.paused:
                await work.connection.execute(
                    "delete from data.channel_pauses where tenant_id = $1 and channel = $2", tenant, one.channel
                )
                continue
            fresh = await work.connection.fetchval(
                "insert into data.channel_pauses (tenant_id, channel) values ($1, $2) on conflict do nothing returning true",
                tenant, one.channel,
            )  # fmt: skip
            if fresh:
                told = ChannelPaused(tenant_id=tenant, channel=one.channel, score=one.score, at=self._runtime.now())
                work.emit(CHANNEL_PAUSED, told)

    async def record(self, request: RecordSignals) -> SignalsReply:
        require_editor(request.principal)
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            recorded = await _write(
                work.connection,
                tenant,
                [(one, request.channel, request.kind, request.at) for one in request.external_ids],
            )
            if request.kind is SignalKind.BOUNCED:
                tell_facts(work, tenant, bounced(request.external_ids, request.channel), request.at)
            if recorded:
                await self._guard(work, tenant)
        return SignalsReply(recorded=recorded)

    async def settled(self, work: SessionWork, event: ActionsSettled) -> None:
        """Count what really went out. The sandbox reaches nobody, so it earns nothing and costs nothing."""
        known = effects()
        batch = await work.batch()
        for tenant in event.tenant_ids:
            sent: list[Signal] = [
                (f"action:{item.action_id}", effect.channel, SignalKind.SENT, item.at)
                for item in event.items
                if item.tenant_id == tenant
                and item.outcome is ActionState.SUCCEEDED
                and item.receipt is not None
                and item.receipt.mode == "live"
                and (effect := known.get(item.action_type)) is not None
                and effect.channel is not None
            ]
            if sent:
                await _write(batch.connection, tenant, sent)
                await self._guard(batch, tenant)


async def _write(connection: Any, tenant: UUID, signals: Iterable[Signal]) -> int:
    rows = list(signals)
    done = await connection.execute(
        "insert into data.sender_signals (tenant_id, external_id, channel, kind, at) select $1, i, c, k, a "
        "from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) as t(i, c, k, a) on conflict do nothing",
        tenant, [r[0] for r in rows], [r[1] for r in rows], [r[2].value for r in rows], [r[3] for r in rows],
    )  # fmt: skip
    return int(done.rpartition(" ")[2])
