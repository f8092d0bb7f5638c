"""Suggestions, facts from files and runs of agents as pages: two texts beside one another, and a person's word."""

from __future__ import annotations

import pytest

from libs.contracts import claims, subjects
from libs.contracts.claims import SuggestionState
from libs.contracts.enrichment import FactState
from libs.contracts.errors import Conflict, Invalid
from libs.contracts.message import new_id
from services.gateway.console.urls import url
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.filled_site import FACT, RUN, SUGGESTION, answer, fact, fill, run, suggestion
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
FILE = {"file": ("register.csv", b"company,cr\nx,1010\n", "text/csv")}
LOOK = {
    "adapter": "public_register",
    "lawful_basis": "legitimate_interest",
    "licence": "open data",
    "obtained_on": "2026-11-01",
}


async def test_a_suggestion_stands_beside_what_is_on_record_with_the_words_it_was_read_in(site: Site) -> None:
    await enter(site, "owner")
    fill(site)
    page = (await site.client.get(url("suggestions"))).text
    assert "نظام إدارة المبيعات" in page and "12%" in page and "10%" in page
    assert "الخصم المتفق عليه" in page and "الجملة 2" in page and "محضر اجتماع نوفمبر" in page
    assert "يخالف المسجّل" in page and "لا ادعاء مسجّل بهذا الشأن." in page


async def test_confirming_and_dismissing_say_so_once(site: Site) -> None:
    token = await enter(site, "owner")
    fill(site)
    opened = claims.SuggestionDecided(suggestion=suggestion(state=SuggestionState.CONFIRMED))
    site.planes.answer(subjects.DECIDE_SUGGESTION, opened)
    path = url("suggestion_decide", str(SUGGESTION))
    done = await site.client.post(path, data={"csrf": token, "word": "confirm"})
    assert done.status_code == 303 and "confirmed" in done.headers["location"]
    site.planes.answer(subjects.DECIDE_SUGGESTION, Conflict("suggestion_decided", "Decided.", "سبق البتّ فيه."))
    again = await site.client.post(path, data={"csrf": token, "word": "dismiss", "reason": "قديم"})
    assert again.status_code == 409 and "سبق البتّ فيه." in again.text
    first, second = site.planes.requests(subjects.DECIDE_SUGGESTION)
    assert (first.confirm, second.confirm, second.reason) == (True, False, "قديم")
    assert (await site.client.post(path, data={"csrf": token, "word": "maybe"})).status_code == 422


async def test_an_auditor_reads_suggestions_and_has_no_word(site: Site) -> None:
    token = await enter(site, "auditor")
    fill(site)
    assert "/decide" not in (await site.client.get(url("suggestions"))).text
    path = url("suggestion_decide", str(SUGGESTION))
    assert (await site.client.post(path, data={"csrf": token, "word": "confirm"})).status_code == 403


async def test_a_file_is_looked_at_before_anything_is_filled_in(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    once = str(new_id())
    looked = await site.client.post(url("enrichment_look"), data={"csrf": token, "once": once, **LOOK}, files=FILE)
    assert looked.status_code == 200, looked.text
    assert (
        "لم يتغيّر شيء بعد" in looked.text and "سيُضاف" in looked.text and "220" in looked.text and "180" in looked.text
    )
    assert "+966501234567" in looked.text and "register.csv:7" in looked.text and "لا سجل يطابقه هنا" in looked.text
    assert "/decide" not in looked.text, "what is not on record yet cannot be decided"
    (asked,) = site.planes.requests(subjects.ENRICH)
    assert asked.dry_run and list(site.files.kept) == [asked.object_name]
    form = {"csrf": token, "once": once, "name": "register.csv", **LOOK}
    filled = await site.client.post(url("enrichment_fill"), data=form)
    assert filled.status_code == 303 and "done=6.1" in filled.headers["location"]
    assert "6" in (await site.client.get(filled.headers["location"])).text
    _, taken = site.planes.requests(subjects.ENRICH)
    assert (taken.dry_run, taken.object_name, taken.batch_id) == (False, asked.object_name, asked.batch_id)


async def test_a_refused_file_is_forgotten_and_the_form_keeps_what_was_written(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    site.planes.answer(subjects.ENRICH, Invalid("no_licence", "Name the terms.", "اذكر شروط المصدر."))
    sent = {"csrf": token, "once": str(new_id()), **LOOK, "licence": "terms I wrote"}
    refused = await site.client.post(url("enrichment_look"), data=sent, files=FILE)
    assert refused.status_code == 422 and "اذكر شروط المصدر." in refused.text and "terms I wrote" in refused.text
    assert site.files.kept == {}
    nonsense = await site.client.post(url("enrichment_look"), data={**sent, "obtained_on": "soon"}, files=FILE)
    assert nonsense.status_code == 422 and 'role="alert"' in nonsense.text


async def test_a_disputed_fact_is_decided_beside_the_record_with_its_provenance(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    page = (await site.client.get(url("enrichment"))).text
    assert "شركة الرياض للتقنية" in page and "180" in page and "220" in page
    assert "سجل عام" in page and "مصلحة مشروعة" in page and "register.csv:7" in page and "90%" in page
    assert page.count("/decide") == 2, "only the disputed one has a word and its counterpart"
    site.planes.answer(subjects.DECIDE_FACT, fact(state=FactState.ACCEPTED))
    path = url("enrichment_decide", str(FACT))
    assert (await site.client.post(path, data={"csrf": token, "word": "accept"})).status_code == 303
    assert site.planes.requests(subjects.DECIDE_FACT)[0].accept
    site.planes.answer(subjects.DECIDE_FACT, Conflict("decided", "Decided.", "حُسمت من قبل."))
    assert "حُسمت من قبل." in (await site.client.post(path, data={"csrf": token, "word": "refuse"})).text


async def test_runs_are_listed_and_one_is_found_by_its_id(site: Site) -> None:
    await enter(site, "owner")
    fill(site)
    listed = (await site.client.get(url("agent_runs", verdict="handed_over", agent="outreach_writer"))).text
    assert "أحاله إلى شخص" in listed and "82%" in listed
    (asked,) = site.planes.requests(subjects.CONVERSATIONS)
    assert (asked.agent, asked.verdict.value) == ("outreach_writer", "handed_over")
    one = (await site.client.get(url("agent_run", str(RUN)))).text
    assert "مدير المبيعات" in one and "0af7651916cd43dd8448eb211c80319c" in one and "نصوص معتمدة" in one
    assert (await site.client.get(url("agent_run", str(new_id())))).status_code == 404


async def test_asking_an_agent_shows_input_answer_engine_and_provenance(site: Site) -> None:
    token = await enter(site, "owner")
    fill(site)
    path = url("agent_ask", "outreach_writer")
    assert 'name="lead"' in (await site.client.get(path)).text
    sent = {"csrf": token, "lead": '{"name": "نورة"}', "channel": "email", "campaign": ""}
    page = (await site.client.post(path, data=sent)).text
    assert "السلام عليكم أستاذة نورة" in page and "لا يجوز التواصل مع هذه الجهة." in page and "local / template" in page
    (asked,) = site.planes.requests(subjects.RUN_AGENT)
    assert asked.input == {"lead": {"name": "نورة"}, "channel": "email"}
    site.planes.answer(subjects.RUN_AGENT, Invalid("bad_agent_input", "Its input is: lead.", "مدخلاته هي: lead."))
    refused = await site.client.post(path, data=sent)
    assert refused.status_code == 422 and "مدخلاته هي" in refused.text and "نورة" in refused.text
    assert run().conversation_id == answer().conversation_id == RUN
