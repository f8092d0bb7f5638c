"""The CRM over HTTP on real servers: records and their history, deals that move, merges and their undoing, search, reviews."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
HEADER = "company,name,mobile,email,city\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    planes = (Plane.TRUST, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)
    async with served(tmp_path_factory.mktemp("crm"), *planes) as made:
        yield made


async def _made(running: Served, plural: str, **values: Any) -> dict[str, Any]:
    answer = await running.http.post(f"{API}/{plural}", json=values)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _account(running: Served, name: str, **values: Any) -> dict[str, Any]:
    return await _made(running, "accounts", name=name, **values)


async def test_a_record_is_created_once_under_its_key_and_normalised(running: Served) -> None:
    body = {
        "name": "Rimal Trading",
        "phone": "٠٥٠١٢٣٤٥٦٧",
        "city": "الرياض",
        "domain": "https://www.Rimal.example/about",
    }
    key = {"Idempotency-Key": str(uuid4())}
    first = await running.http.post(f"{API}/accounts", json=body, headers=key)
    again = await running.http.post(f"{API}/accounts", json=body, headers=key)
    assert first.json()["id"] == again.json()["id"]
    made = await running.get(f"/accounts/{first.json()['id']}")
    assert (made["phone"], made["domain"], made["city"]) == ("+966501234567", "rimal.example", "الرياض")
    listed = await running.get("/accounts", city="riyadh")
    assert made["id"] in [one["id"] for one in listed["items"]]


async def test_everything_that_is_wrong_is_said_at_once_in_both_languages(running: Served) -> None:
    body = {"name": "", "email": "x"}
    answer = await running.http.post(f"{API}/contacts", json={"email": "no", "account_id": str(uuid4())})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_fields")
    assert "email" in answer.json()["detail"] and "account_id" in answer.json()["detail"]
    arabic = await running.http.post(f"{API}/contacts", json={"email": "no"}, headers={"Accept-Language": "ar"})
    assert "البريد" in arabic.json()["detail"] and "مطلوب" in arabic.json()["detail"]
    assert (await running.http.post(f"{API}/accounts", json=body)).status_code == 422
    assert (await running.http.get(f"{API}/deals", params={"nonsense": "1"})).status_code == 422


async def test_an_edit_on_an_old_version_is_refused(running: Served) -> None:
    account = await _account(running, "Sanam Foods")
    path = f"{API}/accounts/{account['id']}"
    answer = await running.http.get(path)
    tag = answer.headers["etag"]
    assert (await running.http.patch(path, json={"employees": 20}, headers={"If-Match": tag})).status_code == 200
    late = await running.http.patch(path, json={"employees": 30}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert (await running.get(f"/accounts/{account['id']}"))["employees"] == 20
    assert (await running.http.delete(path, headers={"If-Match": tag})).status_code == 412
    assert (await running.http.patch(path, json={"employees": 1}, headers={"If-Match": "yesterday"})).status_code == 412


async def test_a_deal_moves_through_its_stages_and_its_timeline_says_who_and_why(running: Served) -> None:
    account = await _account(running, "Manar Contracting")
    deal = await _made(running, "deals", account_id=account["id"], title="صيانة سنوية", amount="125000.50")
    assert (deal["stage"], deal["amount"]) == ("new", "125000.50")
    path = f"{API}/deals/{deal['id']}"
    assert (await running.http.patch(path, json={"stage": "won"})).status_code == 422
    for stage in ("open", "negotiating"):
        assert (await running.http.post(f"{path}/move", json={"stage": stage})).json()["stage"] == stage
    silent = await running.http.post(f"{path}/move", json={"stage": "lost"})
    assert (silent.status_code, silent.json()["code"]) == (422, "reason_needed")
    lost = (await running.http.post(f"{path}/move", json={"stage": "lost", "reason": "السعر"})).json()
    assert lost["closed_at"] and lost["closed_reason"] == "السعر"
    assert (await running.http.post(f"{path}/move", json={"stage": "open"})).status_code == 422
    await _made(
        running, "activities", type="call", subject="مكالمة متابعة", at="2026-11-20T08:00:00Z", deal_id=deal["id"],
        account_id=account["id"],
    )  # fmt: skip
    happened = (await running.get(f"/deals/{deal['id']}/timeline"))["items"]
    moves = [one["detail"]["after"]["stage"] for one in happened if one["what"] == "moved"]
    assert moves == ["lost", "negotiating", "open"]
    assert {"created", "call"} <= {one["what"] for one in happened}
    assert all(one["actor"] for one in happened if one["what"] == "moved")
    of_account = (await running.get("/timeline", kind="account", id=account["id"]))["items"]
    assert "moved" in {one["what"] for one in of_account}


async def test_an_account_that_has_contacts_is_not_deleted(running: Served) -> None:
    account = await _account(running, "Dera Medical")
    contact = await _made(running, "contacts", account_id=account["id"], full_name="سعد")
    refused = await running.http.delete(f"{API}/accounts/{account['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "still_referred")
    assert (await running.http.delete(f"{API}/contacts/{contact['id']}")).status_code == 204
    assert (await running.http.delete(f"{API}/accounts/{account['id']}")).status_code == 204
    assert (await running.http.get(f"{API}/accounts/{account['id']}")).status_code == 404


@pytest.mark.parametrize(
    "query", ["مؤسسة الإبداع", "موسسه ابداع", "مُؤَسَّسَة الإِبْدَاع", "الابداع", "ابداع للتقنيه", "إبداعع"]
)
async def test_search_finds_arabic_however_it_is_written(running: Served, query: str) -> None:
    if not (await running.get("/search", q="موسسه ابداع"))["items"]:
        await _account(running, "مؤسسة الإبداع للتقنية", city="جدة")
    titles = [hit["title"] for hit in (await running.get("/search", q=query))["items"]]
    assert any("الإبداع" in title for title in titles)


async def test_search_finds_numbers_addresses_and_imported_records(running: Served) -> None:
    await running.imported(HEADER + "Qimam Energy,Majid Alanazi,0559876501,majid@qimam-energy.example,Riyadh")

    async def found() -> bool:
        return bool((await running.get("/search", q="0559876501"))["items"])

    await eventually(20, found)
    for query in ("+966559876501", "majid@qimam", "qimam energy"):
        assert (await running.get("/search", q=query))["items"], query


async def test_a_search_of_ten_thousand_characters_is_told_the_limit(running: Served) -> None:
    answer = await running.http.get(f"{API}/search", params={"q": "ا" * 10_000}, headers={"Accept-Language": "ar"})
    assert (answer.status_code, answer.json()["code"]) == (422, "query_too_long")
    assert "10000" in answer.json()["detail"]
    assert (await running.get("/search", q="%_\\'\";--"))["items"] == []


async def test_merging_a_suppressed_and_an_unsuppressed_contact_keeps_them_suppressed(running: Served) -> None:
    account = await _account(running, "Thabat Training")
    one = await _made(
        running, "contacts", account_id=account["id"], full_name="نورة الحربي", email="noura@thabat.example"
    )
    other = await _made(running, "contacts", account_id=account["id"], full_name="Noura Alharbi", phone="0551230099")
    answer = await running.http.post(f"{API}/suppressions", json={"identifier": "+966551230099", "reason": "asked"})
    assert answer.status_code < 300, answer.text
    merged = await running.http.post(f"{API}/contacts/{one['id']}/merge", json={"gone_id": other["id"]})
    assert merged.status_code == 200, merged.text
    record = merged.json()["record"]
    assert (record["opted_out"], record["phone"], record["email"]) == ("yes", "+966551230099", "noura@thabat.example")
    assert (await running.http.get(f"{API}/contacts/{other['id']}")).status_code == 404


async def test_whoever_turns_out_to_be_suppressed_is_not_shown_as_safe_for_a_moment(running: Served) -> None:
    account = await _account(running, "Sahab Training")
    safe = await _made(
        running, "contacts", account_id=account["id"], full_name="Huda Sahab", email="huda@sahab.example"
    )
    left = await _made(running, "contacts", account_id=account["id"], full_name="هدى سحاب", phone="0551230177")
    lead = await _made(running, "leads", account_id=account["id"], contact_id=safe["id"], source="own_crm")
    tenant = UUID((await running.get("/me"))["tenant_id"])

    async def shown() -> dict[str, str]:
        async with running.system.runtime(Plane.DATA).database.batch(tenant) as work:
            text = await work.connection.fetchval(
                "select contactability from data.leads where lead_id = $1", UUID(lead["id"])
            )
        found: dict[str, str] = json.loads(text)
        return found

    async def known() -> bool:
        return (await shown()).get("email") == "safe"

    await eventually(60, known)
    await running.http.post(f"{API}/suppressions", json={"identifier": "+966551230177", "reason": "asked"})
    merged = await running.http.post(f"{API}/contacts/{safe['id']}/merge", json={"gone_id": left["id"]})
    assert merged.json()["record"]["opted_out"] == "yes"
    assert "safe" not in (await shown()).values()

    async def left_alone() -> bool:
        return set((await shown()).values()) == {"blocked"}

    await eventually(60, left_alone)


async def test_a_merge_moves_what_belongs_to_it_and_is_taken_back_as_a_whole(running: Served) -> None:
    keep = await _account(running, "شركة العقيق للطاقة", city="الرياض")
    gone = await _account(running, "Alaqeeq Energy", domain="alaqeeq.example")
    contact = await _made(running, "contacts", account_id=gone["id"], full_name="Reem")
    deal = await _made(running, "deals", account_id=gone["id"], title="Solar")
    merged = (
        await running.http.post(f"{API}/merge", json={"kind": "account", "keep_id": keep["id"], "gone_id": gone["id"]})
    ).json()
    assert merged["moved"] == {"contacts": 1, "deals": 1}
    assert merged["record"]["domain"] == "alaqeeq.example"
    assert (await running.get(f"/contacts/{contact['id']}"))["account_id"] == keep["id"]
    assert "created" in {
        one["what"]
        for one in (await running.get(f"/accounts/{keep['id']}/timeline"))["items"]
        if one["record_id"] == gone["id"]
    }
    await running.http.patch(f"{API}/accounts/{keep['id']}", json={"employees": 77})
    undone = await running.http.post(f"{API}/merges/{merged['merge_id']}/undo")
    assert undone.status_code == 200, undone.text
    kept, restored = undone.json()["kept"], undone.json()["restored"]
    assert (kept["domain"], kept["employees"], kept["name"]) == (None, 77, "شركة العقيق للطاقة")
    assert (restored["id"], restored["domain"]) == (gone["id"], "alaqeeq.example")
    assert (await running.get(f"/deals/{deal['id']}"))["account_id"] == gone["id"]
    again = await running.http.post(f"{API}/merges/{merged['merge_id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "merge_not_undoable")


async def test_likely_duplicates_wait_side_by_side_and_a_decision_is_remembered(running: Served) -> None:
    text = HEADER + "شركة المجد للتجارة,سالم القحطاني,0551000001,,الرياض\nAlmajd Trading,Fahad Alotaibi,0551000002,,"
    done = await running.imported(text)
    assert done["counts"]["needs_review"] == 1
    queue = await running.get("/targeting/reviews", kind="account")
    pair = next(one for one in queue["items"] if "المجد" in one["left"]["name"])
    assert (queue["waiting"] >= 1, pair["right"]["name"]) == (True, "Almajd Trading")
    assert pair["why_ar"] and pair["why_en"]
    path = f"{API}/targeting/reviews/{pair['review_id']}/decision"
    apart = await running.http.post(path, json={"decision": "apart"})
    assert apart.json()["state"] == "apart"
    assert (await running.http.post(path, json={"decision": "merge"})).status_code == 409
    lead = (await running.get("/leads", account_id=pair["right"]["id"]))["items"][0]
    assert lead["outcome"] == "created"
    await running.imported(HEADER + "Almajd Trading,Nasser Alharbi,0551000003,,")
    left = {pair["left"]["id"], pair["right"]["id"]}
    waiting = (await running.get("/targeting/reviews", kind="account"))["items"]
    assert not [one for one in waiting if {one["left"]["id"], one["right"]["id"]} == left]


async def test_a_merged_review_is_undone_by_its_merge(running: Served) -> None:
    text = HEADER + "شركة السلام للأغذية,ماجد الشمري,0551000011,,الرياض\nAlsalam Foods,Hind Alharbi,0551000012,,"
    await running.imported(text)
    pair = next(
        one for one in (await running.get("/targeting/reviews"))["items"] if "السلام" in str(one["left"]["name"])
    )
    path = f"{API}/targeting/reviews/{pair['review_id']}/decision"
    merged = (await running.http.post(path, json={"decision": "merge", "keep_id": pair["right"]["id"]})).json()
    assert merged["state"] == "merged"
    people = (await running.get("/contacts", account_id=pair["right"]["id"]))["items"]
    assert len(people) == 2
    undone = await running.http.post(f"{API}/merges/{merged['merge_id']}/undo")
    assert undone.json()["restored"]["id"] == pair["left"]["id"]


async def test_a_bulk_edit_is_taken_back_except_where_somebody_went_on(running: Served) -> None:
    accounts = [await _account(running, f"Bulk {n}", sector="retail") for n in range(3)]
    ids = [one["id"] for one in accounts]
    done = (
        await running.http.post(f"{API}/accounts/bulk", json={"ids": [*ids, str(uuid4())], "values": {"employees": 9}})
    ).json()
    assert (done["changed"], len(done["skipped"])) == (3, 1)
    await running.http.patch(f"{API}/accounts/{ids[0]}", json={"employees": 500})
    undone = (await running.http.post(f"{API}/bulk-edits/{done['batch_id']}/undo")).json()
    assert (undone["changed"], undone["skipped"]) == (2, [ids[0]])
    found = [(await running.get(f"/accounts/{id}"))["employees"] for id in ids]
    assert found == [500, None, None]


async def test_a_tenants_own_fields_are_typed(running: Served) -> None:
    field = {"type": "choice", "en": "Tier", "ar": "الفئة", "choices": ["gold", "silver"]}
    assert (await running.http.put(f"{API}/custom-fields/account/tier", json=field)).status_code == 200
    account = await _account(running, "Custom Co", custom={"tier": "gold"})
    assert account["custom"] == {"tier": "gold"}
    wrong = await running.http.patch(f"{API}/accounts/{account['id']}", json={"custom": {"tier": "bronze", "other": 1}})
    assert wrong.status_code == 422 and "tier" in wrong.json()["detail"] and "other" in wrong.json()["detail"]
    taken = await running.http.put(f"{API}/custom-fields/account/name", json=field)
    assert (taken.status_code, taken.json()["code"]) == (409, "field_exists")


async def test_a_saved_view_keeps_its_filters(running: Served) -> None:
    view = {"kind": "deal", "name": "قيد التفاوض", "where": {"stage": "negotiating"}, "shared": True}
    saved = await running.http.post(f"{API}/saved-views", json=view)
    assert saved.status_code == 201, saved.text
    assert [one["where"] for one in (await running.get("/saved-views", kind="deal"))["items"]] == [
        {"stage": "negotiating"}
    ]
    assert (await running.http.delete(f"{API}/saved-views/{saved.json()['view_id']}")).status_code == 204
    assert (await running.http.post(f"{API}/saved-views", json={**view, "where": {"x": "1"}})).status_code == 422
