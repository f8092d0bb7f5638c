"""Erasing a person takes along the packs that hold something about them, whether or not it was an action."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from libs.contracts.message import Plane, new_id
from services.trust.rights.erasing import erase
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = [pytest.mark.live, pytest.mark.asyncio]


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("erased")) as url:
        yield url


async def test_a_pack_that_names_the_person_goes_and_another_stays(admin_url: str) -> None:
    tenant, contact, named, other = (new_id() for _ in range(4))
    async with plane_database(admin_url, Plane.TRUST) as database, database.batch(tenant) as work:
        for pack, text in ((named, f'"target":"contact:{contact}"'), (other, '"target":"deal:1"')):
            await work.connection.execute(
                "insert into trust.evidence_packs (tenant_id, pack_id, scope, state, body, sha256, created_by) "
                "values ($1, $2, 'deal:1', 'ready', $3, '', 'user:1')",
                tenant, pack, text.encode(),
            )  # fmt: skip
        counts = await erase(work.connection, tenant, contact)
        rows = await work.connection.fetch(
            "select pack_id, state from trust.evidence_packs where tenant_id = $1", tenant
        )
    assert counts["evidence_packs"] == 1
    assert {row["pack_id"]: row["state"] for row in rows} == {named: "erased", other: "ready"}
