"""Pages as the gateway's own routes make them, over planes that answer with rows: captured once a language, then served like the others."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any
from uuid import UUID

from libs.contracts import claims, partners, push, subjects
from libs.contracts.decision import DraftReview
from libs.contracts.errors import CallTimeout
from libs.contracts.message import Text, new_id
from libs.contracts.metrics import MetricRowsReply
from services.gateway.console.urls import url
from tests.browser import fixture_more
from tests.contracts.examples import example
from tests.unit.gateway import test_day_plan_page as plan_rows
from tests.unit.gateway import test_executive_page as executive_rows
from tests.unit.gateway import test_growth_pages as growth_rows
from tests.unit.gateway import test_inbox_pages as inbox_rows
from tests.unit.gateway import test_onboarding_pages as onboarding_rows
from tests.unit.gateway import test_partner_pages as partner_rows
from tests.unit.gateway import test_proof_pages as proof_rows
from tests.unit.gateway.fake_site import Site, open_site
from tests.unit.gateway.filled_site import DEAL, RUN, fill, people
from tests.unit.gateway.test_webhooks_page import delivery, subscription, told

FILE = {"file": ("register.csv", b"company,cr\nx,1010\n", "text/csv")}
LOOK = {
    "adapter": "public_register",
    "lawful_basis": "legitimate_interest",
    "licence": "open data",
    "obtained_on": "2026-11-01",
}
ASKED = {"lead": '{"name": "نورة", "phone": "+966 50 123 4567"}', "channel": "email"}
NAMES = (
    "settings", "tenant", "rules", "rules-refused", "fields", "field", "sources", "integrations", "integration", "whatsapp", "own", "users", "user",
    "api-keys", "suggestions", "suggestions-none", "enrichment", "enrichment-looked", "agent-runs", "agent-run", "agent-asked", "partners",
    "partner", "partner-draft", "partner-add", "partners-refused", "metric-rows", "metric-rows-none", "executive", "heatmap", "webhooks", "webhook", "webhook-delivery",
    "denied", "offline", "partner-revenue", "partner-offer", "partner-offer-sent", "proof-pack", "proof-company",
    "inbox", "inbox-item", "onboarding", "onboarding-customer", "weekly", "experiments", "experiment", "day-plan", "day-plan-none",
    *fixture_more.NAMES,
)  # fmt: skip


@cache
def real_pages(lang: str) -> dict[str, str]:
    """Every page of `NAMES` as HTML."""
    return asyncio.run(_captured(lang))


async def _captured(lang: str) -> dict[str, str]:
    site = await open_site()
    try:
        fill(site)
        owner = await people(site)
        token = str((await site.sign_in(owner.email)).json()["csrf_token"])
        site.client.cookies.set("dealix_lang", lang)
        return await _pages(site, token, str(owner.user_id))
    finally:
        await site.client.aclose()
        await site.planes.hub.stop()


async def _pages(site: Site, token: str, owner: str) -> dict[str, str]:
    out: dict[str, str] = {}

    async def get(name: str, path: str, status: int = 200) -> None:
        answer = await site.client.get(path)
        assert answer.status_code == status, (name, answer.text)
        out[name] = answer.text

    async def post(name: str, path: str, data: dict[str, Any], status: int = 200, **more: Any) -> None:
        answer = await site.client.post(path, data={"csrf": token, **data}, **more)
        assert answer.status_code == status, (name, answer.text)
        out[name] = answer.text

    for name in (
        "settings",
        "tenant",
        "rules",
        "fields",
        "sources",
        "integrations",
        "whatsapp",
        "own",
        "users",
        "suggestions",
        "enrichment",
    ):
        await get(name, url(name))
    await post("rules-refused", url("rules_save", "hours"), {"version": "4", "opens": "x"}, 422)
    await get("field", url("fields", kind="deal", key="tender"))
    await get("integration", url("integration", "slack"))
    await get("user", url("user", owner))
    await get("api-keys", url("api_keys"))
    await post("enrichment-looked", url("enrichment_look"), {"once": str(new_id()), **LOOK}, files=FILE)
    await _inbox(site, get)
    await get("agent-runs", url("agent_runs"))
    await get("agent-run", url("agent_run", str(RUN)))
    await post("agent-asked", url("agent_ask", "outreach_writer"), ASKED)
    await get("metric-rows", url("metric_rows", "pipeline_value"))
    await _nothing(site, get)
    site.planes.answer(subjects.EXECUTIVE_ROOM, executive_rows.room())
    site.planes.answer(subjects.RISK_MAP, executive_rows.risk_map())
    await get("executive", url("executive"))
    await get("heatmap", url("heatmap", likelihood=4, impact=5))
    await _partners(site, get, post)
    await _webhooks(site, get)
    await fixture_more.capture(site, token, get, post)
    site.planes.answer(subjects.RULES, CallTimeout("trust.rules.v1"))
    await get("offline", url("rules"), 503)
    auditor = await site.user("auditor")
    await site.sign_in(auditor.email)
    await get("denied", url("users"), 403)
    return out


async def _nothing(site: Site, get: Any) -> None:
    kept = dict(site.planes.answers)
    site.planes.answer(subjects.CLAIM_SUGGESTIONS, claims.SuggestionsReply(items=()))
    for call in subjects.METRIC_ROWS.values():
        site.planes.answer(call, MetricRowsReply(items=()))
    await get("suggestions-none", url("suggestions"))
    await get("metric-rows-none", url("metric_rows", "pipeline_value"))
    site.planes.answers.update(kept)


async def _inbox(site: Site, get: Any) -> None:
    kept = site.planes.answers[subjects.RECORD.subject]
    inbox_rows.fill(site)
    await get("inbox", url("inbox"))
    await get("inbox-item", url("inbox_item", str(inbox_rows.MESSAGE), kind="message"))
    site.planes.answers[subjects.RECORD.subject] = kept
    growth_rows.fill(site)
    await get("weekly", url("weekly"))
    await get("experiments", url("experiments"))
    await get("experiment", url("experiment", str(growth_rows.ONE)))
    onboarding_rows.fill(site)
    await get("onboarding", url("onboarding"))
    plan_rows.fill(site)
    await get("day-plan", url("day_plan"))
    site.planes.answer(subjects.DAILY_PLAN, plan_rows.plan())
    await get("day-plan-none", url("day_plan"))
    await get("onboarding-customer", url("onboarding_customer", str(onboarding_rows.ONE)))


async def _partners(site: Site, get: Any, post: Any) -> None:
    kept = site.planes.answers[subjects.RECORD.subject]
    partner_rows._answers(site)
    told_so: Any = site.planes.answers
    said = told_so[subjects.PARTNER_BRIEF.subject].evolve(
        known=(Text(en="It sells to 40 companies in Riyadh.", ar="يبيع لأربعين شركة في الرياض."),), ask=(Text(en="Who signs?", ar="من يوقّع؟"),),
        last=(Text(en="Met on 2026-11-12.", ar="اجتماع في 12 نوفمبر 2026."),), stage=Text(en="negotiation", ar="التفاوض"),
    )  # fmt: skip
    site.planes.answer(subjects.PARTNER_BRIEF, said)
    offered = Text(en="Joint diagnosis", ar="تشخيص مشترك")
    site.planes.answer(subjects.SCORE_PARTNER, told_so[subjects.SCORE_PARTNER.subject].evolve(offer_name=offered))
    await get("partners", url("partners"))
    await get("partner", url("partner", str(partner_rows.ID)))
    review = DraftReview(reviewer="qa_reviewer", verdict="pass", score=90)
    draft = example(partners.PartnerMessageReply).evolve(
        subject="تعاون مقترح", body="السلام عليكم، يسعدنا التعاون معكم.", reviews=(review,)
    )
    site.planes.answer(subjects.PARTNER_MESSAGE, draft)
    await post("partner-draft", url("partner_message", str(partner_rows.ID)), {"language": "ar"})
    await get("partner-add", url("partner_add"))
    await get("partner-revenue", url("partner_revenue"))
    site.planes.answer(subjects.PARTNER_OFFER, partner_rows.built())
    await post("partner-offer", url("partner_offer", str(partner_rows.ID)), {"language": "ar"})
    site.planes.answer(subjects.PARTNER_OFFER, partner_rows.built().evolve(action_id=partner_rows.ID, state="accepted"))
    await post("partner-offer-sent", url("partner_offer", str(partner_rows.ID)), {"language": "ar", "send": "yes"})
    site.planes.answer(subjects.PROOF_PACK, proof_rows.pack())
    await get("proof-pack", url("deal_proof", str(proof_rows.ID)))
    site.planes.answer(subjects.PROOF_PACK, proof_rows.pack(None).evolve(scope="company", deal_id=None, stage=None))
    await get("proof-company", url("proof"))
    await post("partners-refused", url("partner_move", str(partner_rows.ID)), {"stage": "exit"}, 404)
    site.planes.answers[subjects.RECORD.subject] = kept


async def _webhooks(site: Site, get: Any) -> None:
    one = subscription(url="https://hooks.example/in")
    told(site, one)
    sent = delivery(one)
    tried = push.DeliveryAttempt(
        number=1,
        action_id=UUID(int=DEAL.int),
        started_at=sent.created_at,
        ended_at=sent.created_at,
        outcome="failed",
        error=sent.error,
    )
    site.planes.answer(subjects.DELIVERY, push.DeliveryDetail(delivery=sent, tries=(tried,)))
    await get("webhooks", url("webhooks"))
    await get("webhook", url("webhook", str(one.subscription_id)))
    await get("webhook-delivery", url("webhook_delivery", str(one.subscription_id), delivery=str(sent.delivery_id)))
