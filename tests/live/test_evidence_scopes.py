"""Evidence of a deal, a flow and a control from real planes: everything that belongs to it, verified offline, and nobody else's."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from dev.verify import Report, _read_archive, load_trust_root, verify_bytes
from libs.contracts.errors import DealixError
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.subjects import EVIDENCE_EXPORT
from libs.contracts.trust import EvidenceRequest
from libs.runtime.plane import RunningPlane
from libs.runtime.settings import load
from services.trust.ledger import limits
from tests.live.served import Served, eventually, served
from tests.unit.trust.pack_sample import repack

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
LEADS = """company,contact,title,email,phone,city,sector,opted_in_email
Ofoq Trading,Sara Alharbi,CEO,sara@ofoq.example,0501234567,Riyadh,retail,yes
Rimal Co,Omar Said,Manager,omar@rimal.example,0507654321,Jeddah,logistics,yes
"""
KEPT: dict[str, Any] = {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("scopes")
    async with served(folder, *Plane) as made:
        KEPT["folder"] = folder
        await made.imported(LEADS)
        yield made


async def _export(running: Served, scope: str) -> bytes:
    """The pack of a scope once its entries are under a checkpoint."""
    made: dict[str, Any] = {}

    async def ready() -> bool:
        answer = await running.http.post(f"{API}/evidence-packs", json={"scope": scope})
        made.update(answer.json())
        assert answer.status_code == 202 or made["code"] == "checkpoint_pending", made
        return answer.status_code == 202

    await eventually(30, ready)
    return (await running.http.get(f"{API}/evidence-packs/{made['pack_id']}/download")).content


async def _verified(running: Served, pack: bytes) -> Report:
    root = Path(KEPT["folder"]) / "jwks.json"
    root.write_bytes((await running.http.get("/.well-known/jwks.json")).content)
    KEPT["keys"] = await asyncio.to_thread(load_trust_root, root)
    report = verify_bytes(pack, KEPT["keys"])
    assert report.exit_code == 0, report.as_dict()
    return report


def _entries(pack: bytes) -> list[dict[str, Any]]:
    with zipfile.ZipFile(BytesIO(pack)) as archive:
        return [json.loads(archive.read(name)) for name in archive.namelist() if name.startswith("entries/")]


def _manifest(pack: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_read_archive(pack)["manifest.json"])
    return found


async def _deal(running: Served, company: str) -> dict[str, Any]:
    leads = (await running.get("/targeting/opportunities"))["items"]
    lead = next(one for one in leads if one["account_name"] == company)
    found: dict[str, Any] = await running.post(
        "/deals",
        {"title": f"{company} 2026", "account_id": lead["account_id"], "lead_id": lead["lead_id"], "contact_id": lead["contact_id"]},
    )  # fmt: skip
    return found


async def test_a_deals_pack_has_its_records_its_actions_and_nothing_of_another_deal(running: Served) -> None:
    async def drafted() -> bool:
        return len((await running.get("/approvals", state="pending"))["items"]) == 2

    await eventually(120, drafted)
    ours, theirs = await _deal(running, "Ofoq Trading"), await _deal(running, "Rimal Co")
    task = await running.post("/tasks", {"title": "Call", "deal_id": ours["id"]})
    done = []
    for deal in (ours, theirs):
        body = {
            "action_type": "internal_status_update",
            "resource": {"type": "deal", "id": deal["id"]},
            "payload": {"note": "met"},
        }
        done.append((await running.post("/actions", body, 202))["action_id"])

    async def decided() -> bool:
        found = await asyncio.gather(*(running.get(f"/actions/{one}") for one in done))
        return all(one["state"] == "succeeded" for one in found)

    await eventually(30, decided)
    KEPT.update(deal=ours["id"], other=theirs["id"], action=done[0], stranger=done[1])

    async def heard() -> bool:
        return bool((await running.get("/proof-ledger", target=f"task:{task['id']}"))["items"])

    await eventually(30, heard)
    pack = await _export(running, f"deal:{ours['id']}")
    report = await _verified(running, pack)
    targets = {one["target"] for one in _entries(pack)}
    assert {f"deal:{ours['id']}", f"task:{task['id']}", f"action:{done[0]}"} <= targets
    assert f"action:{done[1]}" not in targets and f"deal:{theirs['id']}" not in targets
    selection = _manifest(pack)["selection"]
    assert selection["actions"][done[0]] == "ledger", "the decision's own entry names the deal"
    assert selection["names"][f"contact:{ours['contact_id']}"] == "data"
    assert selection["asked"] == ["data.deal_records.v1", "execution.record_actions.v1"]
    assert any("is said by a plane of the operator, not by the ledger" in note.en for note in report.notes)
    mails = [one for one, by in selection["actions"].items() if by == "execution"]
    assert mails and f"action:{mails[0]}" in targets, "the mail to the deal's contact, on execution's word"
    KEPT["pack"] = pack


async def test_a_removed_changed_or_foreign_entry_fails_by_name(running: Served) -> None:
    pack, keys = KEPT["pack"], KEPT["keys"]
    foreign = await _export(running, f"deal:{KEPT['other']}")
    taken = _read_archive(foreign)

    def drop(files: dict[str, bytes]) -> None:
        del files["entries/000.json"]

    def change(files: dict[str, bytes]) -> None:
        files["entries/000.json"] = files["entries/000.json"].replace(b'"actor":"', b'"actor":"x')

    def graft(files: dict[str, bytes]) -> None:
        files["entries/000.json"] = taken["entries/000.json"]

    for lie in (drop, change, graft):
        report = verify_bytes(repack(pack, lie), keys)
        assert (report.failed, report.exit_code) == ("manifest", 1)


async def test_a_flows_pack_has_the_flow_and_every_action_that_it_asked_for(running: Served) -> None:
    started = await running.post("/flows", {"flow": "health_check", "input": {}}, 202)
    flow = started["flow_id"]

    async def ended() -> bool:
        found = await running.get("/proof-ledger", target=f"flow:{flow}")
        return "flow.completed" in {one["kind"] for one in found["items"]}

    await eventually(30, ended)
    pack = await _export(running, f"flow:{flow}")
    await _verified(running, pack)
    selection = _manifest(pack)["selection"]
    assert selection["asked"] == ["execution.flow_actions.v1"] and selection["actions"]
    assert set(selection["actions"].values()) == {"ledger"}, "each decision names its flow"
    decisions = [one for one in _entries(pack) if one["kind"] == "decision"]
    assert {one["data"]["run"] for one in decisions} == {f"flow:{flow}"}
    KEPT["flow"] = flow


async def test_a_controls_pack_has_its_readings_and_the_evidence_that_was_handed_in(running: Served) -> None:
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    answer = await running.http.post(
        f"{API}/compliance/controls/PDPL-12/attest", data={"statement": "The approved privacy policy", "valid_until": until},
        files={"file": ("policy.pdf", b"%PDF-1.7 text")},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    pack = await _export(running, "control:PDPL-12")
    await _verified(running, pack)
    assert b"%PDF-1.7 text" in [data for name, data in _read_archive(pack).items() if name.startswith("attachments/")]
    await running.post("/compliance/run", {"control_ids": ["PDPL-06"]}, 200)
    pack = await _export(running, "control:PDPL-06")
    report = await _verified(running, pack)
    about = json.loads(_read_archive(pack)["control.json"])
    assert about["readings"] and about["control"]["control_id"] == "PDPL-06"
    assert "changes of result recorded" in report.checks[7].detail


@pytest.mark.parametrize(
    ("scope", "status", "code"),
    [
        (f"deal:{UUID(int=7)}", 404, "unknown_scope"), (f"flow:{UUID(int=7)}", 404, "unknown_scope"),
        ("control:NONE-1", 404, "unknown_scope"), ("deal:seven", 422, "bad_scope"), ("company:1", 422, "bad_scope"),
    ],
)  # fmt: skip
async def test_a_scope_that_is_not_there_is_refused_in_both_languages(
    running: Served, scope: str, status: int, code: str
) -> None:
    answers = [
        await running.http.post(f"{API}/evidence-packs", json={"scope": scope}, headers={"Accept-Language": lang})
        for lang in ("en", "ar")
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(status, code)] * 2
    assert answers[0].json()["detail"] != answers[1].json()["detail"]


async def test_another_tenants_deal_flow_and_action_are_as_if_they_were_not_there(running: Served) -> None:
    stranger = Principal(id="user:9", kind="user", tenant_id=new_id(), roles=("owner",))
    refused = []
    async with running.system.bus(Plane.GATEWAY) as bus:
        for scope in (f"deal:{KEPT['deal']}", f"flow:{KEPT['flow']}", f"action:{KEPT['action']}", f"deal:{new_id()}"):
            with pytest.raises(DealixError) as error:
                await bus.call(EVIDENCE_EXPORT, EvidenceRequest(principal=stranger, scope=scope))
            refused.append((error.value.code, error.value.status, error.value.en))
        with pytest.raises(DealixError) as error:
            await bus.call(EVIDENCE_EXPORT, EvidenceRequest(principal=stranger, scope="control:PDPL-12"))
    assert len(set(refused)) == 1 and refused[0][:2] == ("unknown_scope", 404)
    assert error.value.code == "nothing_recorded", "a control is everybody's; what was recorded of it is not"


async def test_a_scope_beyond_the_limit_is_refused_with_the_limit(running: Served) -> None:
    before, limits.MAX_ENTRIES = limits.MAX_ENTRIES, 2
    try:
        answer = await running.http.post(f"{API}/evidence-packs", json={"scope": f"deal:{KEPT['deal']}"})
    finally:
        limits.MAX_ENTRIES = before
    assert (answer.status_code, answer.json()["code"]) == (422, "pack_too_large")
    assert "20,000 entries" in answer.json()["detail"] and "256 MB" in answer.json()["detail"]


async def test_a_restart_changes_nothing(running: Served) -> None:
    planes: Any = running.system.planes
    for plane in (Plane.TRUST, Plane.EXECUTION, Plane.DATA):
        await planes[plane].stop()
        planes[plane] = RunningPlane(plane, import_module(f"services.{plane.value}.app").build, load(plane))
        await planes[plane].start()
    pack = await _export(running, f"deal:{KEPT['deal']}")
    await _verified(running, pack)
    before, after = _manifest(KEPT["pack"])["selection"], _manifest(pack)["selection"]
    assert before == after
    kinds = [one["kind"] for one in _entries(pack)]
    assert "evidence.exported" in kinds, "that a pack was made is part of the deal's story"
    await _verified(running, await _export(running, f"flow:{KEPT['flow']}"))
