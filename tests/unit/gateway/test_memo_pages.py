"""Memos as pages: the form asks for exactly what the plane takes, what is typed arrives as the plane reads it, and the memo is read in words."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.memos import memos
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.memos import MEMOS, MemoName, MemoReply, MemoRequest
from services.decision.memos.desk import RECIPES
from services.decision.memos.domain.made import BadInputs, rules
from services.gateway.console.memo_parts import Unreadable, stated
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.filled_site import DEAL
from tests.unit.gateway.test_console_people import enter

PAGE = "/console/executive/memos"
ORIGIN = {"confidence": 0.61, "freshness_hours": 3.5, "generated_at": "2026-11-21T09:00:00+00:00", "sources": [f"deal:{DEAL}", "statement:user:1"]}  # fmt: skip


def proposal() -> dict[str, Any]:
    return {
        "tenant_id": "t", "provenance": ORIGIN, "deal_id": str(DEAL), "version": 1, "title": "عرض نظام المبيعات", "title_ar": "عرض نظام المبيعات",
        "value_proposition": "+966 50 123 4567", "line_items": [{"name": "Licence", "name_ar": "رخصة", "quantity": "2", "unit_price": "15000.50"}],
        "total": "30001.00", "discount_percent": "12", "discount_requires_approval": True, "payment_terms": "30 يومًا", "validity_days": 21,
    }  # fmt: skip


def fill(site: Site) -> None:
    def made(asked: MemoRequest) -> MemoReply:
        return MemoReply(name=asked.name, memo=proposal())

    site.planes.answer(subjects.MEMO, made)


def test_the_forms_ask_for_what_the_plane_takes_and_no_more() -> None:
    for name, recipe in RECIPES.items():
        rule = memos().memos[name]
        assert (set(rule.required), set(rule.optional)) == (set(recipe.required), set(recipe.optional)), name
    types = memos().inputs["partner_type"].values
    assert set(types) == set(rules()["fit"]["types"])


def test_every_field_of_every_memo_has_words() -> None:
    pairs = {f"{base}_{lang}" for base in ("reasoning", "why") for lang in ("en", "ar")}
    nameless = {
        f"{name.value}.{field}"
        for name, model in MEMOS.items()
        for field in model.model_fields.keys() - {"tenant_id", "provenance"} - pairs
        if memos().field(field).en == field
    }
    assert nameless == set()


def test_what_is_typed_arrives_as_the_plane_reads_it() -> None:
    given = {
        "target_id": "رمال", "workstreams": "المالية | نورة | نعم | no\r\nالقانونية | سلطان", "earnings": "1,250,000", "multiples": "4\n5.5\n6",
        "phases": "الأول | 30\nالثاني | 60 | الأول، صفر", "acquisition_id": "ر", "active": "yes", "market": "الكويت", "metrics": "x | below | 5",
    }  # fmt: skip
    assert stated(MemoName.DD_PLAN, given)["workstreams"] == [
        {"key": "المالية", "owner": "نورة", "done": True, "critical": False}, {"key": "القانونية", "owner": "سلطان"},
    ]  # fmt: skip
    assert stated(MemoName.VALUATION_MEMO, given) == {
        "target_id": "رمال",
        "earnings": 1250000,
        "multiples": [4, 5.5, 6],
    }
    assert stated(MemoName.PMI_PROGRAM_PLAN, given)["phases"][1] == {"key": "الثاني", "days": "60", "after": ["الأول", "صفر"]}  # fmt: skip
    assert stated(MemoName.STOP_LOSS_POLICY, given)["active"] is True


def test_a_metric_is_named_as_people_name_it() -> None:
    rows = "الإيراد الفعلي | below | 5\nrevenue_actual | below | 5\nغيره | below | 5"
    named = metrics()["revenue_actual"].ar
    read = stated(MemoName.STOP_LOSS_POLICY, {"market": "الكويت", "metrics": rows.replace("الإيراد الفعلي", named)})[
        "metrics"
    ]
    assert [row["metric"] for row in read] == ["revenue_actual", "revenue_actual", "غيره"]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("earnings", "كثير"), ("earnings", "NaN"), ("multiples", "4\nx"), ("net_debt", "1e9999999")],
)
def test_what_is_no_figure_is_named(name: str, wrong: str) -> None:
    with pytest.raises(Unreadable, match=name):
        stated(MemoName.VALUATION_MEMO, {"target_id": "r", name: wrong})


@pytest.mark.asyncio
async def test_every_memo_is_listed_and_has_a_form_with_what_it_needs(site: Site) -> None:
    await enter(site, "operator")
    page = (await site.client.get(PAGE)).text
    for name in MemoName:
        assert f"{PAGE}/{name.value}" in page, name
    form = (await site.client.get(f"{PAGE}/proposal_pack?deal_id={DEAL}")).text
    assert f'value="{DEAL}"' in form and "الاسم | الكمية | سعر الوحدة" in form
    assert (await site.client.get(f"{PAGE}/horoscope")).status_code == 422


@pytest.mark.asyncio
async def test_a_memo_is_read_in_words_with_its_sources_and_an_error_keeps_what_was_typed(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    form = {"csrf": token, "deal_id": str(DEAL), "title": "عرض", "value_proposition": "وقت أقل", "line_items": "رخصة | 2 | 15000.50", "payment_terms": "30 يومًا"}  # fmt: skip
    page = (await site.client.post(f"{PAGE}/proposal_pack", data=form)).text
    for said in ("30,001", "15,000.50", "رخصة", "الخصم يحتاج موافقة", "61%", "نعم"):
        assert said in page, said
    assert "tenant_id" not in page and "discount_requires_approval" not in page
    (asked,) = site.planes.requests(subjects.MEMO)
    assert asked.inputs["line_items"] == [{"name": "رخصة", "quantity": "2", "unit_price": "15000.50"}]
    site.planes.answer(subjects.MEMO, BadInputs({"deal_id": "is not a UUID"}))
    refused = await site.client.post(f"{PAGE}/proposal_pack", data=form)
    assert refused.status_code == 422 and "وقت أقل" in refused.text
    unread = await site.client.post(f"{PAGE}/proposal_pack", data={**form, "discount_percent": "عشرة"})
    assert unread.status_code == 422 and "لا يُقرأ: الخصم (%)" in unread.text


@pytest.mark.asyncio
async def test_an_auditor_reads_the_list_and_makes_none(site: Site) -> None:
    token = await enter(site, "auditor")
    fill(site)
    assert "أعدّ المذكرة" not in (await site.client.get(f"{PAGE}/executive_snapshot")).text
    assert (await site.client.post(f"{PAGE}/executive_snapshot", data={"csrf": token})).status_code == 403
