"""The secrets that sign a tenant's webhooks: one sealed document in the vault, leased to whoever presents an Admitted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.push import Form, SecretLife
from libs.runtime.database import Database
from services.execution.connectors.webhook import Target
from services.execution.gate import Admitted
from services.execution.push.domain.forms import body
from services.execution.push.store import PushRows
from services.execution.vault import Vault

CONNECTOR = "webhook"


class Secrets:
    """By subscription, the newest first: `{key_id, secret, until}`."""

    def __init__(self, database: Database, vault: Vault, now: Callable[[], datetime]) -> None:
        self._database = database
        self._vault = vault
        self._now = now

    async def put(
        self, connection: Any, tenant_id: UUID, subscription_id: UUID, secret: str, keys: tuple[SecretLife, ...]
    ) -> None:
        """Keep the newest key's secret, and of the others those that `keys` still names. The caller has the tenant's lock, so that no
        other change comes between reading and writing."""
        kept = await self._vault.open(tenant_id, CONNECTOR) or {}
        known = {one["key_id"]: one["secret"] for one in kept.get(str(subscription_id), [])}
        known[keys[0].key_id] = secret
        kept[str(subscription_id)] = [
            {
                "key_id": key.key_id,
                "secret": known[key.key_id],
                "until": key.until.isoformat() if key.until else None,
            }
            for key in keys
            if key.key_id in known
        ]
        await self._vault.put(connection, tenant_id, CONNECTOR, kept)

    async def drop(self, connection: Any, tenant_id: UUID, subscription_id: UUID) -> None:
        """Forget a subscription's secrets; with the last of them the connector has no credential any more."""
        kept = await self._vault.open(tenant_id, CONNECTOR) or {}
        kept.pop(str(subscription_id), None)
        if kept:
            await self._vault.put(connection, tenant_id, CONNECTOR, kept)
        else:
            await self._vault.drop(connection, tenant_id, CONNECTOR)

    async def lease(self, admitted: Admitted) -> Target | None:
        """Where the granted delivery goes, what it says, and what signs it now.

        Raises VendorRejected when the vault can't be opened.
        """
        try:
            delivery_id = UUID(str(admitted.payload.get("delivery_id")))
        except ValueError:
            return None
        async with self._database.batch(admitted.tenant_id) as work:
            rows = PushRows(work.connection, admitted.tenant_id)
            said, owner = await rows.said(delivery_id), await rows.owner(delivery_id)
        if said is None:
            return None
        url, form, value = said
        kept = await self._vault.lease(admitted) or {}
        now = self._now()
        in_force = tuple(
            str(one["secret"])
            for one in kept.get(str(owner), [])
            if one["until"] is None or datetime.fromisoformat(one["until"]) > now
        )
        return Target(url, body(Form(form), value), in_force)
