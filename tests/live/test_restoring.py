"""A full export comes back as it was: into an empty tenant record for record, into its own tenant without doubling anything, and never milder than it went."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.crm import ListRecords, SearchRequest
from libs.contracts.data import EnsureTenant, ImportGet, ImportRequest, ImportStatus, TenantProfile
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.outreach import ExportRequest
from libs.contracts.subjects import (
    ENSURE_TENANT,
    EXPORT_PAGE,
    IMPORT,
    IMPORT_STATUS,
    IMPORT_UNDO,
    RECORDS,
    SEARCH,
)
from libs.runtime.bus import NatsBus
from services.gateway.files import BusFiles
from tests.live.served import ENDED, Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
LIST = """company,company_ar,name,title,mobile,email,source,opted_out,cold,email_opt_in,email_opt_in_at,value,notes,city,sector
Marsad Co.,مرصد,Hala Marsad,CEO,0567800001,hala@marsad.example,event,,,yes,2026-03-05,25000,"طلبت عرضًا, عاجل",جدة,تقنية
Ofoq,,Sami Ofoq,,0567800002,sami@ofoq.example,purchased,,,,,,,الرياض,
Wadi,,Noura Wadi,,0567800003,noura@wadi.example,own_crm,yes,,,,,,,
Rimal,,Ali Rimal,,0567800004,ali@rimal.example,own_crm,,yes,,,,,,
"""


@dataclass
class Ground:
    running: Served
    bus: NatsBus

    async def tenant(self) -> Principal:
        """Somebody who owns a tenant with nothing in it."""
        who = Principal(id="user:2", kind=PrincipalKind.USER, tenant_id=uuid4(), roles=("owner",), name="Nora")
        profile = TenantProfile(
            tenant_id=who.tenant_id, slug=f"t-{who.tenant_id}", name_en="T", name_ar="ت", sender_name="T", sender_email="a@t.example",
            opt_out_url="https://t.example/u",
        )  # fmt: skip
        await self.bus.call(ENSURE_TENANT, EnsureTenant(profile=profile))
        return who

    async def import_(self, who: Principal, content: bytes, *, name: str = "export.zip", **more: Any) -> ImportStatus:
        id = new_id()
        size = await BusFiles(self.bus).put(f"{who.tenant_id}/{id}", io.BytesIO(content))
        request = ImportRequest(
            principal=who, import_id=id, object_name=f"{who.tenant_id}/{id}", file_name=name, size=size, **({"source": "own_crm"} | more)
        )  # fmt: skip
        await self.bus.call(IMPORT, request)
        async with asyncio.timeout(60):
            while True:
                status = await self.bus.call(IMPORT_STATUS, ImportGet(principal=who, import_id=id))
                if status.state.value in ENDED:
                    return status
                await asyncio.sleep(0.05)

    async def export(self, who: Principal) -> dict[str, list[dict[str, Any]]]:
        """All that is exported of a tenant, by kind."""
        out: dict[str, list[dict[str, Any]]] = {}
        for kind in RecordKind:
            reply = await self.bus.call(EXPORT_PAGE, ExportRequest(principal=who, kind=kind))
            out[kind.value] = list(reply.items)
        return out

    async def zip(self) -> bytes:
        return (await self.running.http.get(f"{API}/export")).content

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.running.http.post(f"{API}/{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """A tenant with records of every kind, fields of its own among them."""
    planes = (Plane.TRUST, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)
    async with (
        served(tmp_path_factory.mktemp("restoring"), *planes) as running,
        running.system.bus(Plane.GATEWAY) as bus,
    ):
        made = Ground(running, bus)
        assert (await running.imported(LIST))["state"] == "completed"
        for kind, key, type in (("account", "tier", "choice"), ("contact", "birthday", "date"), ("deal", "seats", "integer")):  # fmt: skip
            choices = {"choices": ["gold", "silver"]} if type == "choice" else {}
            field = {"type": type, "en": key, "ar": "حقل", **choices}
            answer = await running.http.put(f"{API}/custom-fields/{kind}/{key}", json=field)
            assert answer.status_code < 300, answer.text
        account = await made.post("accounts", name="=cmd()", name_ar="شركة التصدير", employees=12, cr="1010123456", custom={"tier": "gold"})  # fmt: skip
        contact = await made.post("contacts", account_id=account["id"], full_name="Sara, \"S\"", custom={"birthday": "1990-01-02"})  # fmt: skip
        lead = await made.post("leads", account_id=account["id"], contact_id=contact["id"], source="referral")
        await made.post("leads", account_id=account["id"], source="event", interest="من دون شخص")
        partner = await made.post("partners", name="Sharik", type="freelancer_network", account_id=account["id"])
        deal = await made.post(
            "deals", account_id=account["id"], contact_id=contact["id"], lead_id=lead["id"], partner_id=partner["id"], title="عقد", amount="10.50",
            custom={"seats": 4},
        )  # fmt: skip
        await made.post(f"deals/{deal['id']}/move", stage="won", reason="")
        ours = {"account_id": account["id"], "deal_id": deal["id"]}
        await made.post("activities", type="call", subject="اتصال", at="2026-11-20T09:00:00Z", **ours)
        await made.post("tasks", title="متابعة", due_at="2026-12-01T09:00:00Z", **ours)
        await made.post("tickets", title="سؤال", account_id=account["id"])
        await made.post("spending", title="إعلان", channel="ads", amount="99", spent_on="2026-11-01")
        await made.post("payments", amount="5.25", paid_on="2026-11-02", **ours)
        yield made


async def test_a_whole_export_comes_back_into_an_empty_tenant_record_for_record(ground: Ground) -> None:
    content = await ground.zip()
    there = {
        kind: [json.loads(line) for line in _member(content, f"{records().kinds[RecordKind(kind)].plural}.jsonl")]
        for kind in RecordKind
    }
    assert all(there.values()), "a kind without records shows nothing"
    who = await ground.tenant()
    status = await ground.import_(who, content)
    assert (status.state, status.counts.rejected, status.counts.merged) == ("completed", 0, 0), status
    assert status.counts.rows == sum(len(items) for items in there.values())
    assert await ground.export(who) == there
    again = await ground.import_(who, content)
    assert (again.counts.unchanged, again.counts.merged) == (again.counts.rows, again.counts.rows)
    assert await ground.export(who) == there

    async def found() -> bool:
        return bool((await ground.bus.call(SEARCH, SearchRequest(principal=who, q="شركه التصدير"))).items)

    await eventually(30, found)  # the background puts what came into the text


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_each_file_of_an_export_comes_back_by_itself_in_either_form(ground: Ground, form: str) -> None:
    content = await ground.zip()
    who = await ground.tenant()
    for kind in (RecordKind.ACCOUNT, RecordKind.CONTACT, RecordKind.LEAD):
        name = f"{records().kinds[kind].plural}.{form}"
        status = await ground.import_(who, b"\n".join(line.encode() for line in _member(content, name)), name=name)
        assert (status.state, status.counts.rejected) == ("completed", 0), status
    came = await ground.export(who)
    for kind in (RecordKind.ACCOUNT, RecordKind.CONTACT, RecordKind.LEAD):
        went = [json.loads(line) for line in _member(content, f"{records().kinds[kind].plural}.jsonl")]
        assert _bare(came[kind.value]) == _bare(went)


async def test_rows_whose_ids_were_taken_out_are_found_again_and_stand_where_their_time_is(ground: Ground) -> None:
    who = await ground.tenant()
    lines = [json.loads(line) | {"id": None} for line in _member(await ground.zip(), "accounts.jsonl")]
    lines[0]["created_at"] = "2001-01-01T00:00:00Z"
    content = "\n".join(json.dumps(line) for line in lines).encode()
    await ground.import_(who, content)
    first = await ground.export(who)
    again = await ground.import_(who, content)
    assert (again.counts.unchanged, again.counts.rejected) == (len(lines), 0)
    assert await ground.export(who) == first
    reply = await ground.bus.call(RECORDS, ListRecords(principal=who, kind=RecordKind.ACCOUNT))
    assert (len(reply.items), reply.items[-1].values["name"]) == (len(lines), lines[0]["name"])


async def test_people_alone_bring_the_companies_that_they_name(ground: Ground) -> None:
    content = await ground.zip()
    who = await ground.tenant()
    await ground.import_(who, "\n".join(_member(content, "contacts.csv")).encode())
    first = await ground.export(who)
    assert {one["account_name"] for one in first["contact"]} >= {"مرصد", "Ofoq", "شركة التصدير"}
    deals = await ground.import_(who, "\n".join(_member(content, "payments.csv")).encode())
    assert deals.counts.rejected == 0
    await ground.import_(who, "\n".join(_member(content, "accounts.csv")).encode())
    second = await ground.export(who)
    assert len(second["account"]) == len(first["account"])
    assert {one["employees"] for one in second["account"]} == {12, None}


async def test_into_its_own_tenant_an_export_changes_nothing(ground: Ground) -> None:
    before = (await ground.running.http.get(f"{API}/accounts", params={"limit": 200})).json()["items"]
    content = await ground.zip()
    started = await ground.running.http.post(
        f"{API}/targeting/import", data={"source": "own_crm"}, files={"file": ("export.zip", content)}
    )
    status = await ground.running.ended(started.json()["import_id"])
    assert (status["counts"]["unchanged"], status["counts"]["created"]) == (status["counts"]["rows"], 0)
    assert (await ground.running.http.get(f"{API}/accounts", params={"limit": 200})).json()["items"] == before


async def test_who_is_there_under_another_id_is_not_doubled_and_the_stricter_counts(ground: Ground) -> None:
    who = await ground.tenant()
    milder = LIST.replace(",own_crm,yes,", ",own_crm,,").replace(",own_crm,,yes,", ",own_crm,,,").replace("purchased", "event")  # fmt: skip
    await ground.import_(who, milder.encode(), name="leads.csv")
    before = await ground.export(who)
    assert {one["opted_out"] for one in before["contact"]} == {"no"}
    await ground.import_(who, await ground.zip())
    after = await ground.export(who)
    for kind in ("account", "contact"):
        assert {one["id"] for one in before[kind]} <= {one["id"] for one in after[kind]}
        assert len(after[kind]) == len(before[kind]) + 1, "one company and its person are new"
    of = {one["full_name"]: one for one in after["contact"]}
    assert of["Noura Wadi"]["opted_out"] == "yes"
    leads = {one["contact_name"]: one for one in after["lead"]}
    assert (leads["Ali Rimal"]["cold"], leads["Ali Rimal"]["outcome"]) == (True, "blocked")
    assert leads["Sami Ofoq"]["outcome"] == "needs_review"


async def test_an_export_is_held_to_the_stricter_source(ground: Ground) -> None:
    who = await ground.tenant()
    status = await ground.import_(who, await ground.zip(), source="purchased")
    assert status.counts.needs_review + status.counts.blocked == len((await ground.export(who))["lead"])
    leads = (await ground.export(who))["lead"]
    assert {one["source"] for one in leads} == {"purchased"} and not any(one["collected_directly"] for one in leads)


async def test_a_restored_import_is_undone_as_a_whole_but_for_what_people_worked_on(ground: Ground) -> None:
    who = await ground.tenant()
    status = await ground.import_(who, await ground.zip())
    await ground.bus.call(IMPORT_UNDO, ImportGet(principal=who, import_id=status.import_id))
    assert {kind: len(items) for kind, items in (await ground.export(who)).items() if items} == {}
    again = await ground.import_(who, await ground.zip())
    assert (again.state, again.counts.merged, again.counts.rejected) == ("completed", 0, 0)
    third = await ground.import_(who, await ground.zip())
    assert third.counts.unchanged == third.counts.rows, "what was deleted comes back once"


async def test_a_rehearsal_stores_nothing(ground: Ground) -> None:
    who = await ground.tenant()
    status = await ground.import_(who, await ground.zip(), dry_run=True)
    assert status.state == "completed" and status.counts.rows > 10 and status.notices
    reply = await ground.bus.call(RECORDS, ListRecords(principal=who, kind=RecordKind.ACCOUNT))
    assert reply.items == ()


async def test_a_broken_record_is_rejected_by_itself_and_can_be_mended(ground: Ground) -> None:
    who = await ground.tenant()
    content = await ground.zip()
    lines = _member(content, "contacts.jsonl")
    bad = json.loads(lines[0]) | {"email": "not an address"}
    other = json.loads(lines[1]) | {"custom": {"shoe": 4}}
    text = "\n".join([json.dumps(bad), json.dumps(other), "{half", *lines[2:]])
    status = await ground.import_(who, text.encode())
    assert (status.state, status.counts.rejected) == ("completed", 2)
    assert all(one["custom"] == {} or "birthday" in one["custom"] for one in (await ground.export(who))["contact"])


async def test_a_damaged_export_changes_nothing(ground: Ground) -> None:
    who = await ground.tenant()
    content = await ground.zip()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(out, "w") as to:
        for name in archive.namelist():
            to.writestr(name, archive.read(name))
    whole = bytearray(out.getvalue())
    at = whole.rindex(
        b"\xd8\xb9\xd9\x82\xd8\xaf", 0, whole.index(b"deals.csv")
    )  # a letter inside deals.jsonl: its sum is no longer right
    whole[at] ^= 1
    status = await ground.import_(who, bytes(whole))
    assert (status.state, status.error_code) == ("refused", "damaged_export")
    assert not any((await ground.export(who)).values())


def _member(content: bytes, name: str) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [line for line in archive.read(name).decode("utf-8-sig").splitlines() if line]


def _bare(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the tenant's own fields, which only the zip describes."""
    return [{**one, "custom": {}} for one in items]
