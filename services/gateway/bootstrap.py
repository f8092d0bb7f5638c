"""The very first start: the example tenant, an owner with a password that is shown once, a key for this machine's command line."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from libs.contracts.catalogue.roles import ALL_SCOPES
from libs.contracts.data import EnsureTenant, TenantProfile
from libs.contracts.errors import DealixError
from libs.contracts.message import new_id
from libs.contracts.subjects import ENSURE_TENANT
from services.gateway.domain import keys, passwords
from services.gateway.domain.people import ApiKey, User
from services.gateway.http.context import Gateway
from services.gateway.store import DATABASE_DOWN

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
OWNER_FILE = "first-owner.json"
CLI_FILE = "cli.json"


def demo_profile() -> TenantProfile:
    """The example tenant, if it has to be made; the data plane keeps the one that is there."""
    return TenantProfile(
        tenant_id=new_id(),
        slug="demo",
        name_en="Example Trading Company",
        name_ar="شركة المثال التجارية",
        sender_name="شركة المثال التجارية",
        sender_email="sales@demo.example",
        opt_out_url="https://demo.example/u/{token}",
    )


class Bootstrap:
    """Runs on every start, and makes something on the first one only."""

    def __init__(self, gateway: Gateway, data_dir: Path) -> None:
        self._gateway = gateway
        self._secrets = data_dir / "secrets"
        self.done = False

    async def check(self) -> str:
        return "ok" if self.done else "waiting"

    async def run(self) -> None:
        """Try until the data plane answers."""
        while not self.done:
            try:
                await self.once()
            except (DealixError, *DATABASE_DOWN) as error:
                log.info("the first owner waits: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def once(self) -> None:
        """Make what is missing. Raises DealixError while the data plane is silent."""
        tenant = await self._gateway.bus.call(ENSURE_TENANT, EnsureTenant(profile=demo_profile()))
        self._gateway.demo_tenant = tenant.tenant_id
        await self._first_owner(tenant)
        self.done = True

    async def _first_owner(self, tenant: TenantProfile) -> None:
        gateway = self._gateway
        email, password = gateway.settings.gateway_first_owner, passwords.generate()
        hashed = await gateway.authentication.hasher.hash(password)
        async with gateway.store.founding(tenant.tenant_id) as unit:
            if unit is None:
                return
            now = await unit.now()
            user = User(
                tenant.tenant_id, new_id(), passwords.normal_email(email), "Owner", ("owner",), "ceo", hashed, False, None,
                False, 0, False, 1, now, "system:bootstrap",
            )  # fmt: skip
            text = keys.mint(new_id())
            key = ApiKey(
                tenant.tenant_id, text.key_id, user.user_id, True, "command line", text.hash(gateway.keyring), (ALL_SCOPES,),
                now, "system:bootstrap", None, None, None,
            )  # fmt: skip
            await unit.add_user(user, gateway.authentication.email_door(email))
            await unit.add_key(key, gateway.authentication.key_door(key.key_id))
            await gateway.authentication.record(
                unit, user.tenant_id, "user.added", "system:bootstrap", user.actor, roles=["owner"]
            )
            # Before the commit: an owner whose password nobody has would be worse than a file that opens nothing.
            await asyncio.to_thread(
                self._write, OWNER_FILE, {"email": email, "password": password, "tenant": tenant.slug}
            )
            await asyncio.to_thread(
                self._write, CLI_FILE, {"api_key": str(text), "email": email, "tenant": tenant.slug}
            )
        log.info("the first owner is made", extra={"ids": {"user": str(user.user_id)}})

    def _write(self, name: str, content: dict[str, Any]) -> None:
        """Readable by this account alone from its first byte on, and whole or not at all."""
        self._secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, path = tempfile.mkstemp(dir=self._secrets, prefix=".")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, self._secrets / name)
