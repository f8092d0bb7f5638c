"""Bundles in PostgreSQL, on the connection of a caller's unit of work."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.contracts.policy import PolicyBundle

_COLUMNS = (
    "version, additions, text, platform_version, state, title, proposed_by, proposed_at, settings, measured, changed_at"
)


class BundleRows:
    """A tenant's bundles. The unit of work has to name the tenant."""

    def __init__(self, connection: Any, tenant_id: UUID) -> None:
        self._c = connection
        self._tenant = tenant_id

    async def get(self, version: str, *, lock: bool = False) -> Any | None:
        return await self._c.fetchrow(
            f"select {_COLUMNS} from trust.policy_bundles where tenant_id = $1 and version = $2"
            + (" for update" if lock else ""),
            self._tenant,
            version,
        )

    async def in_state(self, state: str) -> Any | None:
        return await self._c.fetchrow(
            f"select {_COLUMNS} from trust.policy_bundles where tenant_id = $1 and state = $2", self._tenant, state
        )

    async def page(self, before: str | None, limit: int) -> list[Any]:
        rows: list[Any] = await self._c.fetch(
            f"select {_COLUMNS} from trust.policy_bundles where tenant_id = $1 and ($2::text is null or "
            "(proposed_at, version) < (select proposed_at, version from trust.policy_bundles where tenant_id = $1 and version = $2)) "
            "order by proposed_at desc, version desc limit $3",
            self._tenant,
            before,
            limit,
        )
        return rows

    async def add(
        self, version: str, additions: str, text: str, platform_version: str, title: str, actor: str, state: str
    ) -> None:
        """Keep a bundle. One that was there before, and is over, is proposed again."""
        await self._c.execute(
            "insert into trust.policy_bundles (tenant_id, version, additions, text, platform_version, title, proposed_by, state) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (tenant_id, version) do update set state = excluded.state, "
            "title = excluded.title, proposed_by = excluded.proposed_by, proposed_at = now(), changed_at = now(), settings = '{}', "
            "measured = '{}' where policy_bundles.state in ('proposed', 'retired', 'rolled_back')",
            self._tenant, version, additions, text, platform_version, title, actor, state,
        )  # fmt: skip

    async def move(self, version: str, state: str, settings: Mapping[str, Any] | None = None) -> None:
        await self._c.execute(
            "update trust.policy_bundles set state = $3, changed_at = now(), settings = coalesce($4::text::jsonb, settings), "
            "measured = case when $4::text::jsonb is null then measured else '{}' end where tenant_id = $1 and version = $2",
            self._tenant,
            version,
            state,
            None if settings is None else json.dumps(settings),
        )

    async def retire(self, state: str, to: str = "retired") -> None:
        """End whatever is in a state that only one bundle can be in."""
        await self._c.execute(
            "update trust.policy_bundles set state = $3, changed_at = now() where tenant_id = $1 and state = $2",
            self._tenant,
            state,
            to,
        )

    async def measure(self, version: str, measured: Mapping[str, Any]) -> None:
        await self._c.execute(
            "update trust.policy_bundles set measured = $3::text::jsonb where tenant_id = $1 and version = $2",
            self._tenant,
            version,
            json.dumps(measured),
        )

    async def announce(self) -> None:
        """Let every replica read this tenant's bundles again."""
        await self._c.execute(
            "insert into trust.policy_switches values ($1, nextval('trust.policy_revision')) "
            "on conflict (tenant_id) do update set revision = excluded.revision",
            self._tenant,
        )

    async def texts(self, versions: Sequence[str]) -> list[str]:
        """The texts of these versions, the platform's and the tenant's own."""
        rows = await self._c.fetch(
            "select text from trust.policy_texts where version = any($2::text[]) union "
            "select text from trust.policy_bundles where tenant_id = $1 and version = any($2::text[])",
            self._tenant,
            list(versions),
        )
        return [row["text"] for row in rows]


def shown(row: Any) -> PolicyBundle:
    """A row as people see it, without its rules."""
    return PolicyBundle(
        version=row["version"], state=row["state"], title=row["title"], platform_version=row["platform_version"],
        proposed_by=row["proposed_by"], proposed_at=row["proposed_at"], changed_at=row["changed_at"],
        settings=json.loads(row["settings"]), measured=json.loads(row["measured"]), additions=row["additions"],
    )  # fmt: skip
