"""Enrichment on real servers: facts keep their provenance, never overwrite a person's word, and come once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from tests.live.served import Served, days_ago, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
OBTAINED = days_ago(21)
REGISTER = "السجل التجاري,اسم الشركة بالعربية,المدينة,القطاع,عدد الموظفين\n1010123456,شركة أفق,الرياض,تقنية المعلومات,55\n1010999999,لا أحد,جدة,,\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("enrichment"), *Plane) as made:
        yield made


async def _enrich(running: Served, text: str, status: int = 200, **form: str) -> dict[str, Any]:
    given = {
        "adapter": "public_register",
        "lawful_basis": "legitimate_interest",
        "licence": "Open Data Licence 1.0",
        "obtained_on": OBTAINED,
    }
    answer = await running.http.post(
        f"{API}/targeting/enrichment", data={**given, **form}, files={"file": ("register.csv", text.encode())}
    )
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _facts(running: Served, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await running.http.get(f"{API}/targeting/enrichment/facts", params=params)).json()[
        "items"
    ]
    return found


async def test_what_may_not_be_used_is_refused_in_both_languages_and_changes_nothing(running: Served) -> None:
    for form, code in (
        ({"licence": " "}, "licence_missing"), ({"lawful_basis": "because"}, "no_lawful_basis"), ({"adapter": "scraper"}, "no_such_adapter"),
        ({"obtained_on": "2999-01-01"}, "obtained_later"),
    ):  # fmt: skip
        assert (await _enrich(running, REGISTER, 422, **form))["code"] == code
    assert (await _enrich(running, "name,city\nx,Riyadh\n", 422))["code"] == "nothing_to_match"
    assert (await _enrich(running, "\x00\x01\x02", 422))["code"]
    arabic = await running.http.post(
        f"{API}/targeting/enrichment", headers={"Accept-Language": "ar"}, files={"file": ("a.csv", REGISTER.encode())},
        data={"adapter": "public_register", "lawful_basis": "legitimate_interest", "obtained_on": OBTAINED},
    )  # fmt: skip
    assert "الرخصة" in arabic.json()["detail"]
    assert await _facts(running) == []


async def test_a_register_fills_what_is_empty_disputes_what_was_stated_and_says_where_from(running: Served) -> None:
    made = await running.http.post(f"{API}/accounts", json={"name": "Ofoq", "cr": "1010123456", "employees": 20})
    account = made.json()["id"]
    looked = await _enrich(running, REGISTER, dry_run="true")
    assert looked["facts"] == {"applied": 3, "confirmed": 1, "disputed": 1} and looked["refused"] == 1
    assert {one["field"]: one["state"] for one in looked["found"]}["employees"] == "disputed"
    untouched = (await running.http.get(f"{API}/accounts/{account}")).json()
    assert (untouched["version"], untouched["city"]) == (made.json()["version"], None) and await _facts(
        running
    ) == [], "looking is not doing"
    found = await _enrich(running, REGISTER)
    assert found["found"] == [], "what was taken in is listed as facts"
    assert (found["rows"], found["matched"], found["refused"]) == (2, 1, 1) and found["refusals"][0]["row"] == 3
    assert found["facts"] == {"applied": 3, "confirmed": 1, "disputed": 1}
    now = (await running.http.get(f"{API}/accounts/{account}")).json()
    assert (now["name_ar"], now["city"], now["employees"]) == ("شركة أفق", "الرياض", 20), "a person said 20"
    (disputed,) = await _facts(running, state="disputed")
    assert (disputed["field"], disputed["value"], disputed["current"]) == ("employees", "55", "20")
    assert (disputed["source"], disputed["lawful_basis"], disputed["licence"]) == ("public_register", "legitimate_interest", "Open Data Licence 1.0")  # fmt: skip
    assert disputed["confidence"] == pytest.approx(0.9) and disputed["reference"] == "register.csv:2"
    open_ones = (await running.http.get(f"{API}/contradictions")).json()["items"]
    assert [one["subject"] for one in open_ones] == [f"account:{account}"], "trust knows that both can't hold"
    again = await _enrich(running, REGISTER)
    assert again["facts"] == {"known": 5} and len(await _facts(running)) == 5, "the same file changes nothing"
    timeline = (await running.http.get(f"{API}/accounts/{account}/timeline")).json()["items"]
    assert any(one["what"] == "enriched" for one in timeline)

    path = f"{API}/targeting/enrichment/facts/{disputed['fact_id']}/decision"
    accepted = await running.http.post(path, json={"accept": True, "reason": "called them"})
    assert accepted.json()["state"] == "accepted", accepted.text
    assert (await running.http.get(f"{API}/accounts/{account}")).json()["employees"] == 55
    assert (await running.http.post(path, json={"accept": False})).json()["code"] == "already_decided"
    newer = await _enrich(running, REGISTER.replace(",55", ",70"), obtained_on=days_ago(12))
    assert newer["facts"]["applied"] == 1, "the source follows itself"


async def test_a_web_form_fills_the_person_and_becomes_a_reason_to_act(running: Served) -> None:
    leads = "company,contact,email,source\nNajd Foods,Sara Alharbi,sara@najd.example,referral\n"
    assert (await running.imported(leads))["state"] == "completed"
    form = "email,job title,employees,message\nsara@najd.example,Chief Executive Officer,80,نحتاج عرض سعر قبل نهاية الشهر\n"
    found = await _enrich(
        running, form.replace("message", "notes"), adapter="web_form", lawful_basis="consent", licence=""
    )
    assert found["matched"] == 1 and found["facts"]["told"] == 1, found
    contacts = (await running.http.get(f"{API}/contacts")).json()["items"]
    sara = next(one for one in contacts if one["email"] == "sara@najd.example")
    assert sara["title"] == "Chief Executive Officer"
    committee = (await running.http.get(f"{API}/targeting/committee", params={"account_id": sara["account_id"]})).json()
    assert "Chief Executive Officer" in str(committee) and "decision_maker" in str(committee)
    activities = (await running.http.get(f"{API}/activities")).json()["items"]
    assert [one["body"] for one in activities if one["contact_id"] == sara["id"]] == ["نحتاج عرض سعر قبل نهاية الشهر"]
    lead = next(
        one for one in (await running.http.get(f"{API}/leads")).json()["items"] if one["contact_id"] == sara["id"]
    )
    assert lead["last_activity"] == OBTAINED and "عرض سعر" in lead["notes"]
    ranked = (await running.http.get(f"{API}/targeting/opportunities")).json()["items"]
    (najd,) = [one for one in ranked if one["lead_id"] == lead["id"]]
    assert najd["why_now"], "what they wrote is a reason to act now"
    assert (await _enrich(running, form.replace("message", "notes"), adapter="web_form", lawful_basis="consent"))[
        "facts"
    ].get("told") is None


async def test_columns_that_a_person_assigned_are_shown_and_forgotten(running: Served) -> None:
    async def kept() -> list[dict[str, Any]]:
        answer = await running.http.get(f"{API}/targeting/mappings")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    listed = "Unheard of,Mail\nTuwaiq,a@tuwaiq.example\n"
    sent = await running.http.post(
        f"{API}/targeting/import", files={"file": ("list.csv", listed.encode())},
        data={"source": "own_crm", "mapping": '{"Unheard of": "company", "Mail": "email"}'},
    )  # fmt: skip
    assert sent.status_code == 202, sent.text

    async def remembered() -> bool:
        return len(await kept()) == 2

    await eventually(60, remembered)
    assert {one["header"]: one["field"] for one in await kept()} == {"unheard of": "company", "mail": "email"}
    assert all(one["named"]["ar"] for one in await kept())
    path = f"{API}/targeting/mappings/own_crm"
    assert (await running.http.delete(path, params={"header": "mail"})).json() == {"columns": 1}
    assert (await running.http.delete(path)).json() == {"columns": 1}
    assert (await running.http.delete(path)).json() == {"columns": 0}, "twice is once"
    assert await kept() == []
