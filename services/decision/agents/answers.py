"""Counts whether agents answer with all that they declare: one row an answer, without its content."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from libs.contracts.agents import AgentRun, RunAgent
from libs.contracts.catalogue.agents import agents
from libs.contracts.flows import AgentAnswer, AskAgent
from libs.contracts.message import TenantId, new_id
from libs.runtime.plane import Runtime


class Answers:
    """Wraps what answers for agents. An answer that was withheld is none and is not counted."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def run(self, answer: Callable[[RunAgent], Awaitable[AgentRun]]) -> Callable[[RunAgent], Awaitable[AgentRun]]:
        async def counted(request: RunAgent) -> AgentRun:
            reply = await answer(request)
            await self._keep(request.principal.tenant_id, request.agent_id, reply.output)
            return reply

        return counted

    def ask(self, answer: Callable[[AskAgent], Awaitable[AgentAnswer]]) -> Callable[[AskAgent], Awaitable[AgentAnswer]]:
        async def counted(request: AskAgent) -> AgentAnswer:
            reply = await answer(request)
            if reply.output:
                await self._keep(request.principal.tenant_id, reply.agent, reply.output)
            return reply

        return counted

    async def _keep(self, tenant_id: TenantId, agent_id: str, output: dict[str, Any]) -> None:
        agent = agents().agents[agent_id]
        lacking = [name for name in agent.output if output.get(name) is None]
        async with self._runtime.database.batch(tenant_id) as work:
            await work.connection.execute(
                "insert into decision.answers (tenant_id, answer_id, agent, engine, valid_at_once, lacking) values ($1, $2, $3, $4, $5, $6)",
                tenant_id, new_id(), agent_id, str(agent.engine), not lacking, lacking,
            )  # fmt: skip
