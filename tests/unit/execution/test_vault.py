"""Credentials are sealed at rest, and opened for exactly what was admitted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.message import new_id
from services.execution.errors import VendorRejected
from services.execution.vault import Vault
from tests.unit.execution.admitting import TENANT, admitted

SECRET = "s" * 40
CREDENTIAL = {"host": "mail.example", "port": 587, "password": "hunter2-hunter2"}


class Rows:
    """The credentials table, and the unit of work around it: rows of the named tenants only."""

    def __init__(self) -> None:
        self.rows: dict[tuple[UUID, str], bytes] = {}

    @asynccontextmanager
    async def batch(self, *tenants: UUID) -> AsyncIterator[Any]:
        async def execute(_: str, tenant: UUID, connector: str, sealed: bytes) -> None:
            assert tenant in tenants
            self.rows[tenant, connector] = sealed

        async def fetchval(_: str, tenant: UUID, connector: str) -> bytes | None:
            return self.rows.get((tenant, connector)) if tenant in tenants else None

        yield SimpleNamespace(connection=SimpleNamespace(execute=execute, fetchval=fetchval))


async def keep(vault: Vault, rows: Rows) -> None:
    async with rows.batch(TENANT) as work:
        await vault.put(work.connection, TENANT, "email_smtp", CREDENTIAL)


async def test_what_is_kept_is_sealed_and_opens_again() -> None:
    rows = Rows()
    vault = Vault(rows, SECRET)  # type: ignore[arg-type]
    await keep(vault, rows)
    (sealed,) = rows.rows.values()
    for value in ("hunter2", "mail.example", "password"):
        assert value.encode() not in sealed
    assert await vault.lease(admitted("send_email", {"to": "x"})) == CREDENTIAL
    await keep(vault, rows)
    assert list(rows.rows.values()) != [sealed], "the same credential twice is sealed differently"


async def test_a_lease_is_for_the_tenant_and_connector_that_were_admitted() -> None:
    rows = Rows()
    vault = Vault(rows, SECRET)  # type: ignore[arg-type]
    await keep(vault, rows)
    assert await vault.lease(admitted("send_email", {"to": "x"}, tenant=new_id())) is None
    assert await vault.lease(admitted("slack_notify", {"text": "x"})) is None


async def test_another_key_opens_nothing_and_says_so() -> None:
    rows = Rows()
    await keep(Vault(rows, SECRET), rows)  # type: ignore[arg-type]
    with pytest.raises(VendorRejected) as raised:
        await Vault(rows, "t" * 40).lease(admitted("send_email", {"to": "x"}))  # type: ignore[arg-type]
    assert raised.value.code == "credential_sealed"


async def test_a_changed_seal_opens_nothing() -> None:
    rows = Rows()
    vault = Vault(rows, SECRET)  # type: ignore[arg-type]
    await keep(vault, rows)
    ((key, sealed),) = rows.rows.items()
    rows.rows[key] = sealed[:-1] + bytes([sealed[-1] ^ 1])
    with pytest.raises(VendorRejected):
        await vault.lease(admitted("send_email", {"to": "x"}))


async def test_a_row_counts_as_sealed_when_our_key_opens_it_and_it_shows_nothing() -> None:
    rows = Rows()
    vault = Vault(rows, SECRET)  # type: ignore[arg-type]
    await keep(vault, rows)
    async with rows.batch(TENANT) as work:
        assert await vault.sealed(work.connection, TENANT, "email_smtp")
        assert not await vault.sealed(work.connection, TENANT, "slack"), "nothing is kept there"
        assert not await Vault(rows, "t" * 40).sealed(work.connection, TENANT, "email_smtp")  # type: ignore[arg-type]
    rows.rows[TENANT, "email_smtp"] = json.dumps(CREDENTIAL).encode()
    async with rows.batch(TENANT) as work:
        assert not await vault.sealed(work.connection, TENANT, "email_smtp"), "in the clear"
