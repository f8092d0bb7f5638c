"""The digests by which an erased person would be recognised again are erased with the person, and stay away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.data import LeadsRequest
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.rights import IdentifyRights, OpenRights
from libs.contracts.subjects import IDENTIFY_RIGHTS, LEADS, OPEN_RIGHTS
from libs.runtime.migrate import on_database
from services.data.importing.domain.keys import digest
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

NUMBER, ADDRESS = "507654399", "planted.person@mawaddah.example"
HEADER = "company,name,mobile,email,city,last_activity,notes\n"
OF_THE_PERSON = [digest(f"email:{ADDRESS}"), digest(f"phone:+966{NUMBER}")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("digests")) as made:
        yield made


async def filed(running: Served) -> set[int]:
    connection = await asyncpg.connect(on_database(running.system.servers.admin_url, "dealix"))
    try:
        rows = await connection.fetch(
            "select distinct u.key from data.key_pages p, unnest(p.keys) u(key) where u.key = any($1::bigint[])",
            OF_THE_PERSON,
        )
    finally:
        await connection.close()
    return {row["key"] for row in rows}


async def test_an_erased_persons_digests_go_and_the_next_import_does_not_bring_them_back(running: Served) -> None:
    status = await running.imported(
        HEADER + f"شركة مودة للتجارة,سلمان المزروع,0{NUMBER},{ADDRESS},الرياض,2026-11-01,\n"
    )
    assert status["counts"]["created"] == 1, status
    assert await filed(running) == set(OF_THE_PERSON)

    me = (await running.http.get("/api/v1/me")).json()
    who = Principal(id="user:7", kind="user", tenant_id=me["tenant_id"], roles=("compliance_officer",))
    async with running.system.bus(Plane.GATEWAY) as bus:
        leads = (await bus.call(LEADS, LeadsRequest(tenant_id=who.tenant_id))).items
        contact = next(one.contact_id for one in leads if one.email == ADDRESS)
        asked = OpenRights(
            principal=who, request_id=new_id(), kind="erasure", contact_id=contact, identifier=ADDRESS, details=""
        )
        opened = await bus.call(OPEN_RIGHTS, asked)
        step = IdentifyRights(principal=who, request_id=opened.request_id, method="code", evidence="log 4")
        await bus.call(IDENTIFY_RIGHTS, step)
    path = f"/api/v1/rights-requests/{opened.request_id}"
    assert (await running.http.post(f"{path}/erase", json={})).status_code == 202

    async def completed() -> bool:
        return bool((await running.http.get(path)).json()["state"] == "completed")

    await eventually(60, completed)
    assert await filed(running) == set()

    # An import files anew what was taken off: the company comes back under its own keys, the person does not.
    again = await running.imported(
        HEADER + "شركة مودة للتجارة,نورة العتيبي,0507000111,noura@mawaddah.example,الرياض,2026-11-02,\n"
    )
    assert again["state"] == "completed"
    assert await filed(running) == set()
