"""Vendor credentials, sealed at rest. They are leased to whoever presents an Admitted, and to nobody else."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from nacl.encoding import RawEncoder
from nacl.exceptions import CryptoError
from nacl.hash import blake2b
from nacl.secret import SecretBox

from libs.runtime.database import Database
from services.execution.connectors.email_smtp import SmtpAccount
from services.execution.connectors.whatsapp import WhatsAppAccount
from services.execution.errors import VendorRejected
from services.execution.gate import Admitted
from services.execution.live.errors import PrivateHost
from services.execution.live.reach import require_reachable


class Vault:
    """Credentials by tenant and connector, encrypted with a key derived from `DEALIX_SECRET_KEY`."""

    def __init__(
        self, database: Database, secret: str, given: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    ) -> None:
        """`given` are the operator's own credentials by connector, for tenants that have stored none."""
        self.given = given
        self._database = database
        self._box = SecretBox(blake2b(secret.encode(), digest_size=32, person=b"dealix-vault", encoder=RawEncoder))

    async def put(self, connection: Any, tenant_id: UUID, connector: str, credential: Mapping[str, Any]) -> None:
        """Keep a credential in the caller's transaction; the old one is gone."""
        sealed = bytes(self._box.encrypt(json.dumps(dict(credential)).encode()))
        await connection.execute(
            "insert into execution.credentials (tenant_id, connector, sealed) values ($1, $2, $3) "
            "on conflict (tenant_id, connector) do update set sealed = excluded.sealed, changed_at = clock_timestamp()",
            tenant_id, connector, sealed,
        )  # fmt: skip

    async def sealed(self, connection: Any, tenant_id: UUID, connector: str) -> bool:
        """Whether what lies in the row opens with our key alone: it is read back, not taken for granted."""
        sql = "select sealed from execution.credentials where tenant_id = $1 and connector = $2"
        kept = await connection.fetchval(sql, tenant_id, connector)
        try:
            opened = json.loads(self._box.decrypt(kept or b""))
        except (CryptoError, ValueError):
            return False
        return not any(
            isinstance(value, str) and len(value) > 3 and value.encode() in kept for value in opened.values()
        )

    async def drop(self, connection: Any, tenant_id: UUID, connector: str) -> None:
        """Forget a credential in the caller's transaction."""
        sql = "delete from execution.credentials where tenant_id = $1 and connector = $2"
        await connection.execute(sql, tenant_id, connector)

    async def holds(self, tenant_id: UUID, connector: str) -> bool:
        """Whether a credential is kept, or given by the operator."""
        if connector in self.given:
            return True
        async with self._database.batch(tenant_id) as work:
            sql = "select exists(select 1 from execution.credentials where tenant_id = $1 and connector = $2)"
            return bool(await work.connection.fetchval(sql, tenant_id, connector))

    async def lease(self, admitted: Admitted) -> dict[str, Any] | None:
        """The credential of exactly the tenant and connector that were admitted; None when there is none.

        Raises VendorRejected when it can't be opened: the key has changed.
        """
        return await self.open(admitted.tenant_id, admitted.claims.connector)

    async def open(self, tenant_id: UUID, connector: str) -> dict[str, Any] | None:
        """A credential for a probe, which has no effect at the vendor. Whoever has one goes by `lease`.

        Raises VendorRejected as `lease` does.
        """
        async with self._database.batch(tenant_id) as work:
            sealed = await work.connection.fetchval(
                "select sealed from execution.credentials where tenant_id = $1 and connector = $2", tenant_id, connector
            )
        if sealed is None:
            given = self.given.get(connector)
            return dict(given) if given is not None else None
        try:
            opened: dict[str, Any] = json.loads(self._box.decrypt(sealed))
        except CryptoError as error:
            raise VendorRejected(
                "credential_sealed", "The credential can't be opened with this key.", "تعذّر فتح بيانات الاعتماد."
            ) from error
        return opened


class VaultSmtp:
    """Looks at the host again each time: a name may lead elsewhere than when it was stored."""

    def __init__(self, vault: Vault, allowed: Collection[str] = ()) -> None:
        self._vault = vault
        self._allowed = allowed

    async def lease(self, admitted: Admitted) -> SmtpAccount | None:
        found = await self._vault.lease(admitted)
        return await self.account(found) if found else None

    async def account(self, credential: Mapping[str, Any]) -> SmtpAccount:
        """The account of a credential. Raises VendorRejected for a host that may not be reached."""
        account = SmtpAccount(**credential)
        try:
            await require_reachable(account.host, account.port, account.tls, self._allowed)
        except PrivateHost as error:
            raise VendorRejected(error.code, error.en, error.ar) from error
        return account


class VaultWhatsApp:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def lease(self, admitted: Admitted) -> WhatsAppAccount | None:
        found = await self._vault.lease(admitted)
        return WhatsAppAccount(**found) if found else None


class VaultSlack:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def lease(self, admitted: Admitted) -> str | None:
        found = await self._vault.lease(admitted)
        return str(found["path"]) if found else None
