"""People's rights on real servers: an erased person is gone from every plane and from the disk, and every proof still holds."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts import merkle
from libs.contracts.data import LeadsRequest
from libs.contracts.decision import PrepareDraft
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.rights import IdentifyRights, OpenRights
from libs.contracts.subjects import IDENTIFY_RIGHTS, LEADS, OPEN_RIGHTS, PREPARE_DRAFT
from libs.runtime.migrate import on_database
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

DIRECTORY: list[Path] = []
NUMBER, ADDRESS, NAME = "507654321", "planted.person@mawaddah.example", "سلمان المزروع"
HEADER = "company,name,mobile,email,city,last_activity,notes\n"
ROWS = (
    f"شركة مودة للتجارة,{NAME},0{NUMBER},{ADDRESS},الرياض,2026-11-01,اتصل على 0{NUMBER} يوم الأحد\n"
    f"شركة جارة للتجارة,محمد القحطاني,0555000111,m@jarah.example,جدة,2026-11-02,\n"
    f",{NAME},0{NUMBER},not an address,الرياض,,\n"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    directory = tmp_path_factory.mktemp("rights")
    async with served(directory) as made:
        DIRECTORY.append(directory)
        yield made


async def keeper(running: Served, number: int = 7, *roles: str) -> Principal:
    me = (await running.http.get("/api/v1/me")).json()
    return Principal(
        id=f"user:{number}", kind="user", tenant_id=me["tenant_id"], roles=roles or ("compliance_officer",)
    )


async def post(running: Served, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = await running.http.post(f"/api/v1{path}", json=body)
    assert answer.status_code == status, (path, answer.status_code, answer.text)
    return answer.json()


async def get(running: Served, path: str, status: int = 200, **params: Any) -> Any:
    answer = await running.http.get(f"/api/v1{path}", params=params)
    assert answer.status_code == status, (path, answer.status_code, answer.text)
    return answer.json()


# -- the registers ---------------------------------------------------------------------------------------------------------------

ACTIVITY = {
    "name": "Outreach", "purpose": "Direct marketing to companies", "legal_basis": "consent", "data_categories": ["contact"],
    "retention_days": 365,
}  # fmt: skip


async def test_a_register_keeps_entries_by_version_and_refuses_what_does_not_fit(running: Served) -> None:
    kind = "/registers/processing-activities"
    made = await post(running, kind, {"values": ACTIVITY}, 201)
    for wrong in (
        {**ACTIVITY, "legal_basis": "because"},
        {**ACTIVITY, "extra": 1},
        {"name": "x"},
        {**ACTIVITY, "name": 5},
    ):
        refused = await post(running, kind, {"values": wrong}, 422)
        assert refused["code"] == "bad_entry"
    path = f"/api/v1{kind}/{made['entry_id']}"
    changed = {"values": {**ACTIVITY, "retention_days": 30}}
    assert (await running.http.put(path, json=changed, headers={"If-Match": '"1"'})).json()["version"] == 2
    stale = await running.http.put(path, json=changed, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (409, "entry_changed")
    assert (await running.http.put(path, json=changed)).status_code == 422
    listed = (await get(running, kind))["items"]
    assert [(e["entry_id"], e["version"]) for e in listed] == [(made["entry_id"], 2)]
    assert (await running.http.delete(f"{path}?version=2")).status_code == 204
    assert (await get(running, kind))["items"] == []
    await get(running, "/registers/nothing", 404)


async def test_a_breach_has_seventy_two_hours_and_says_when_it_was_too_late(running: Served) -> None:
    base = {
        "summary": "A file was sent to the wrong person",
        "aware_at": "2026-01-01T00:00:00+03:00",
        "personal_data": True,
    }
    harmless = await post(running, "/registers/incidents", {"values": {**base, "harmful": False}}, 201)
    assert (harmless["due_at"], harmless["late"]) == (None, False)
    late = await post(running, "/registers/incidents", {"values": {**base, "harmful": True}}, 201)
    assert (late["due_at"], late["late"]) == ("2026-01-03T21:00:00Z", True)
    told = {**base, "harmful": True, "authority_notified_at": "2026-01-03T20:59:00Z"}
    in_time = await post(running, "/registers/incidents", {"values": told}, 201)
    assert in_time["late"] is False

    async def on_record() -> bool:
        found = await get(running, "/proof-ledger", kind="duty.overdue")
        return [e["target"] for e in found["items"]] == [f"register:{late['entry_id']}"]

    await eventually(30, on_record)


# -- requests ----------------------------------------------------------------------------------------------------------------------


async def test_a_request_has_thirty_days_and_one_extension_and_no_step_out_of_turn(running: Served) -> None:
    body = {"kind": "access", "contact_id": str(new_id()), "identifier": "someone@x.example"}
    made = await post(running, "/rights-requests", body, 201)
    assert (made["state"], made["identifier_matches"]) == ("received", False)
    path = f"/rights-requests/{made['request_id']}"
    assert (await get(running, f"{path}/export", 409))["code"] == "not_identified"
    assert (await post(running, f"{path}/close", {"note": "done"}, 409))["code"] == "not_identified"
    await post(running, f"{path}/identify", {"method": "call back", "evidence": "ticket 3"})
    assert (await post(running, f"{path}/identify", {"method": "x", "evidence": "y"}, 409))[
        "code"
    ] == "already_identified"
    assert (await post(running, f"{path}/erase", {}, 409))["code"] == "no_erasure"
    longer = await post(running, f"{path}/extend", {"reason": "many records"})
    assert (longer["extended"], longer["due_at"] > made["due_at"]) == (True, True)
    assert (await post(running, f"{path}/extend", {"reason": "again"}, 409))["code"] == "already_extended"
    assert (await get(running, f"{path}/export"))["held"].keys() == {"trust", "data", "decision", "execution"}
    closed = await post(running, f"{path}/close", {"note": "sent by post"})
    assert (closed["state"], closed["late"]) == ("completed", False)
    assert (await post(running, f"{path}/close", {"note": "x"}, 409))["code"] == "rights_closed"
    late = await post(running, "/rights-requests", {**body, "received_at": "2026-01-01T00:00:00Z"}, 201)
    assert late["late"] is True
    assert (await post(running, f"/rights-requests/{late['request_id']}/extend", {"reason": "x"}, 409))[
        "code"
    ] == "term_is_over"
    await post(running, "/rights-requests", {**body, "received_at": "2999-01-01T00:00:00Z"}, 422)


# -- erasure -----------------------------------------------------------------------------------------------------------------------


async def _planted(running: Served) -> tuple[str, str]:
    """A person who went the whole way: imported, ranked, drafted, approved, sent to the sandbox, exported. Contact and action."""
    status = await running.imported(HEADER + ROWS)
    assert (status["counts"]["created"], status["counts"]["rejected"]) == (2, 1), status
    who = await keeper(running)
    async with running.system.bus(Plane.GATEWAY) as bus:
        leads = (await bus.call(LEADS, LeadsRequest(tenant_id=who.tenant_id))).items
        lead = next(one for one in leads if one.email == ADDRESS)
        owner = who.evolve(roles=("owner",))
        await bus.call(PREPARE_DRAFT, PrepareDraft(principal=owner, lead_id=lead.lead_id))

    async def waiting() -> bool:
        return bool(await _mine(running, str(lead.contact_id)))

    await eventually(20, waiting)
    asked = (await _mine(running, str(lead.contact_id)))[0]
    await post(
        running, f"/approvals/{asked['approval_id']}/approve",
        {"payload_hash": asked["payload_hash"], "view_hash": asked["view_hash"]},
    )  # fmt: skip

    async def sent() -> bool:
        return bool((await get(running, f"/actions/{asked['action_id']}"))["state"] == "succeeded")

    await eventually(30, sent)
    return str(lead.contact_id), str(asked["action_id"])


async def _mine(running: Served, contact: str) -> list[dict[str, Any]]:
    found = (await get(running, "/approvals", state="pending", limit=200))["items"]
    return [a for a in found if a["view"]["resource"]["id"] == contact]


async def _numbered(running: Served, action: str) -> int:
    """The place in the log of an entry about an action, once it has one."""

    async def found() -> bool:
        entries = (await get(running, "/proof-ledger", target=f"action:{action}"))["items"]
        return bool(entries) and entries[-1]["seq"] is not None

    await eventually(20, found)
    return int((await get(running, "/proof-ledger", target=f"action:{action}"))["items"][-1]["seq"])


async def _provable(running: Served, seq: int) -> dict[str, Any]:
    async def covered() -> bool:
        return (await running.http.get(f"/api/v1/proof-ledger/entries/{seq}/proof")).status_code == 200

    await eventually(30, covered)
    return dict(await get(running, f"/proof-ledger/entries/{seq}/proof"))


def _holds(proof: dict[str, Any]) -> bool:
    root = base64.b64decode(proof["checkpoint"].splitlines()[2])
    path = [bytes.fromhex(step) for step in proof["path"]]
    return merkle.verify_inclusion(bytes.fromhex(proof["leaf_hash"]), proof["seq"], proof["size"], path, root)


async def test_an_erased_person_is_gone_everywhere_and_proofs_and_suppression_stay(running: Served) -> None:
    contact, action = await _planted(running)
    seq = await _numbered(running, action)
    before = await _provable(running, seq)
    assert before["entry"]
    assert _holds(before)

    who = await keeper(running)
    async with running.system.bus(Plane.GATEWAY) as bus:
        asked = OpenRights(
            principal=who, request_id=new_id(), kind="erasure", contact_id=contact, identifier=ADDRESS, details=f"number 0{NUMBER}"
        )  # fmt: skip
        opened = await bus.call(OPEN_RIGHTS, asked)
        assert opened.identifier_matches
        path = f"/rights-requests/{opened.request_id}"
        assert (await post(running, f"{path}/erase", {}, 409))["code"] == "not_identified"
        await bus.call(
            IDENTIFY_RIGHTS,
            IdentifyRights(principal=who, request_id=opened.request_id, method="code", evidence="log 4"),
        )
    held = (await get(running, f"{path}/export"))["held"]
    assert held["data"]["contact"][0]["email"] == ADDRESS
    assert held["decision"]["drafts"]
    assert held["execution"]["sandbox"]
    assert held["trust"]["approvals"]

    await post(running, f"{path}/erase", {}, 202)

    async def completed() -> bool:
        return bool((await get(running, path))["state"] == "completed")

    await eventually(40, completed)
    done = await get(running, path)
    counts = {task["plane"]: task["counts"] for task in done["tasks"]}
    assert set(counts) == {"data", "decision", "execution", "trust"}
    assert counts["data"]["contact"] == 1
    assert counts["execution"]["actions"] == counts["execution"]["sandbox"] == 1
    assert counts["decision"]["drafts"] == 1
    assert counts["trust"]["approvals"] == 1

    after = await _provable(running, seq)
    assert (after["entry"], after["salt"], after["leaf_hash"]) == ("", "", before["leaf_hash"])
    assert _holds(after)


async def test_the_same_person_does_not_check_and_erase_without_signing_in_again(running: Served) -> None:
    body = {"kind": "erasure", "contact_id": str(new_id()), "identifier": "someone@x.example"}
    made = await post(running, "/rights-requests", body, 201)
    path = f"/rights-requests/{made['request_id']}"
    await post(running, f"{path}/identify", {"method": "code", "evidence": "log"})
    assert (await post(running, f"{path}/erase", {}, 409))["code"] == "same_person"
    assert (await get(running, path))["state"] == "identified"


async def test_nothing_of_an_erased_person_is_left_on_the_disk(running: Served) -> None:
    """After the database has rewritten its files and forgotten its log: what `vacuum` and checkpoints do in their own time."""
    data_dir = DIRECTORY[0]
    await _settle(running)
    found = await asyncio.to_thread(_files_with, data_dir, [NUMBER.encode(), ADDRESS.encode(), NAME.encode()])
    assert found == []


async def test_who_was_erased_and_comes_back_in_a_list_is_not_written_to(running: Served) -> None:
    """Suppression survives erasure. The last test of this file: it brings the number back."""
    status = await running.imported(HEADER + f"شركة أخرى للتجارة,{NAME},0{NUMBER},{ADDRESS},الرياض,2026-11-03,")
    assert status["state"] == "completed"
    who = await keeper(running)
    async with running.system.bus(Plane.GATEWAY) as bus:
        leads = (await bus.call(LEADS, LeadsRequest(tenant_id=who.tenant_id))).items
    assert {str(one.contactability.get("email")) for one in leads if one.email == ADDRESS} == {"blocked"}


async def _settle(running: Served) -> None:
    admin = running.system.servers.admin_url
    connection = await asyncpg.connect(on_database(admin, "dealix"))
    try:
        await connection.execute("alter system set wal_recycle = off")
        await connection.execute("select pg_reload_conf()")
        await connection.execute("vacuum full")
        for _ in range(3):
            await connection.execute("select pg_switch_wal()")
            await connection.execute("checkpoint")
    finally:
        await connection.close()


def _files_with(directory: Path, texts: list[bytes]) -> list[str]:
    wanted = [*texts, *(json.dumps(t.decode())[1:-1].encode() for t in texts)]
    out = []
    for file in sorted(directory.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            hit = [t.decode(errors="replace") for t in wanted if t in content]
            if hit:
                out.append(f"{file.relative_to(directory)}: {sorted(set(hit))}")
    return out
