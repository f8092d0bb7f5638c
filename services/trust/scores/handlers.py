"""Trust scores, counted when they are asked for, and which agents have a low one."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.agents import agents
from libs.contracts.catalogue.sources import sources
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.governance import TrustScore, TrustScoreGet
from libs.contracts.message import PLATFORM
from libs.runtime.database import Database
from services.trust.governance.domain import PREFIX
from services.trust.scores.domain import Scored, factors, is_low, scored

READERS = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "api_client"})
FRESH_SECONDS = 30.0
EFFECT_EN = (
    "A low score of an agent has a person approve everything that it asks for. A high score permits nothing by itself."
)
EFFECT_AR = "الدرجة المنخفضة للوكيل تجعل كل ما يطلبه بموافقة شخص. والدرجة المرتفعة لا تسمح وحدها بشيء."

Agent = tuple[UUID, str]


class Scores:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[Agent, tuple[float, bool]] = {}

    async def get(self, request: TrustScoreGet) -> TrustScore:
        """The score of one agent, connector, source or contact, with its parts. Raises NotFound for what there is none of."""
        who = request.principal
        if not READERS & set(who.roles):
            raise Forbidden
        if not _there(request.kind, request.id):
            raise NotFound(
                "no_such_subject",
                "There is no trust score of that kind and id.",
                "لا توجد درجة ثقة بهذا النوع والمعرّف.",
            )
        async with self._database.batch(who.tenant_id) as work:
            found = await _count(work.connection, who.tenant_id, request.kind, request.id)
            now = await work.connection.fetchval("select now()")
        return TrustScore(
            kind=request.kind, id=request.id, score=found.score, state=found.state, rows=found.rows, parts=found.parts,
            window_days=factors().window_days, computed_at=now, effect_en=EFFECT_EN, effect_ar=EFFECT_AR,
        )  # fmt: skip

    async def low(self, asked: Collection[Agent]) -> set[Agent]:
        """The agents, of those named by tenant and principal, whose score is low. Believed for half a minute."""
        now = time.monotonic()
        old = [key for key in asked if key not in self._seen or now - self._seen[key][0] >= FRESH_SECONDS]
        for tenant, agent in old:
            async with self._database.batch(tenant) as work:
                found = await _count(work.connection, tenant, "agent", agent.removeprefix(PREFIX))
            self._seen[tenant, agent] = (now, is_low(found))
        return {key for key in asked if self._seen[key][1]}


async def _count(connection: Any, tenant: UUID, kind: str, id: str) -> Scored:
    own = factors().kinds[kind]
    since = await connection.fetchval("select now() - $1::interval", timedelta(days=factors().window_days))
    named = [name for name, effect in effects().items() if effect.connector == id] if kind == "connector" else []
    counts = []
    for factor in own:
        row = await connection.fetchrow(
            _numbered(factor.sql, named_used="$3" in factor.sql), *_given(factor.sql, tenant, id, named, since)
        )
        counts.append((int(row["rows"]), int(row["good"])) if row else (0, 0))
    return scored(own, counts, thin_below=factors().thin_below)


def _numbered(sql: str, *, named_used: bool) -> str:
    """PostgreSQL wants every parameter used: without $3, $4 takes its place."""
    return sql if named_used else sql.replace("$4", "$3")


def _given(sql: str, tenant: UUID, id: str, named: list[str], since: Any) -> tuple[Any, ...]:
    return (tenant, id, named, since) if "$3" in sql else (tenant, id, since)


def _there(kind: str, id: str) -> bool:
    """Whether scores of that kind exist, and for catalogued kinds, whether the catalogue has the id."""
    if kind == "agent":
        return id in agents().agents
    if kind == "connector":
        return id in {effect.connector for effect in effects().values()} - {"none"}
    if kind == "source":
        return id in sources()
    return kind == "contact" and _is_id(id)


def _is_id(id: str) -> bool:
    try:
        return UUID(id) != PLATFORM
    except ValueError:
        return False
