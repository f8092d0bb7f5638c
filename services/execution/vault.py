"""Vendor credentials, sealed at rest. They are leased to whoever presents an Admitted, and to nobody else."""

from __future__ import annotations

import json
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


class Vault:
    """Credentials by tenant and connector, encrypted with a key derived from `DEALIX_SECRET_KEY`."""

    def __init__(self, database: Database, secret: str) -> None:
        self._database = database
        self._box = SecretBox(blake2b(secret.encode(), digest_size=32, person=b"dealix-vault", encoder=RawEncoder))

    async def put(self, tenant_id: UUID, connector: str, credential: dict[str, Any]) -> None:
        """Keep a credential; the old one is gone."""
        sealed = bytes(self._box.encrypt(json.dumps(credential).encode()))
        async with self._database.batch(tenant_id) as work:
            await work.connection.execute(
                "insert into execution.credentials (tenant_id, connector, sealed) values ($1, $2, $3) "
                "on conflict (tenant_id, connector) do update set sealed = excluded.sealed, changed_at = now()",
                tenant_id, connector, sealed,
            )  # fmt: skip

    async def lease(self, admitted: Admitted) -> dict[str, Any] | None:
        """The credential of exactly the tenant and connector that were admitted; None when there is none.

        Raises VendorRejected when it can't be opened: the key has changed.
        """
        claims = admitted.claims
        async with self._database.batch(claims.tenant_id) as work:
            sealed = await work.connection.fetchval(
                "select sealed from execution.credentials where tenant_id = $1 and connector = $2",
                claims.tenant_id,
                claims.connector,
            )
        if sealed is None:
            return None
        try:
            opened: dict[str, Any] = json.loads(self._box.decrypt(sealed))
        except CryptoError as error:
            raise VendorRejected(
                "credential_sealed", "The credential can't be opened with this key.", "تعذّر فتح بيانات الاعتماد."
            ) from error
        return opened


class VaultSmtp:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def lease(self, admitted: Admitted) -> SmtpAccount | None:
        found = await self._vault.lease(admitted)
        return SmtpAccount(**found) if found else None


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
