"""Engines of lead_qualification, outreach_writer, objection_handler and proposal_drafter."""

from __future__ import annotations

from typing import Any

from libs.contracts.business_time import STANDARD, after
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.data import Lead, LeadsRequest, TenantRequest
from libs.contracts.decision import Draft
from libs.contracts.memos import MemoName, MemoRequest
from libs.contracts.message import Text, new_id
from libs.contracts.subjects import LEADS, TENANT
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.agents.asked import NOTHING_KNOWN, NotAsked, Question, Said, withheld
from services.decision.agents.outreach.purposes import purposes
from services.decision.agents.outreach.writer import Withheld, write
from services.decision.domain import untrusted
from services.decision.drafting import Drafting
from services.decision.memos.desk import Memos
from services.decision.memos.domain.sales import ACT, REVIEW
from services.decision.negotiation.domain.classify import Reading, playbook
from services.decision.negotiation.reader import ENGINE, Reader
from services.decision.targeting.domain.explain import opportunity
from services.decision.targeting.domain.facts import facts_of
from services.decision.targeting.domain.rank import rank

LEGAL = frozenset(
    {"قانوني", "قانونية", "محامي", "محامٍ", "محكمة", "عقد", "نظامي", "legal", "lawyer", "court", "contract", "sue"}
)


class Selling:
    def __init__(self, runtime: Runtime, drafting: Drafting) -> None:
        self._bus = runtime.bus
        self._drafting = drafting
        self._memos = Memos(runtime)
        self._reader = Reader(runtime.bus)

    async def _lead(self, asked: Question) -> Lead | None:
        wanted = LeadsRequest(tenant_id=asked.tenant_id, lead_ids=(asked.id("lead", "lead_id"),))
        return next(iter((await self._bus.call(LEADS, wanted)).items), None)

    async def qualify(self, asked: Question, version: str) -> Said:
        """The lead's place in the ranking as its facts are now, with the reasons."""
        lead = await self._lead(asked)
        if lead is None:
            return withheld(NOTHING_KNOWN)
        found = opportunity(rank([facts_of(lead)], targeting(), asked.now)[0], targeting(), asked.now)
        missing = lead.email is None and lead.phone is None
        ready = found.score >= ACT and found.contactability == "safe"
        output = {
            "lead_id": found.lead_id, "score": found.score, "tier": found.tier, "signals": [why.en for why in found.why_now if why.en],
            "recommendation": "act" if ready else "review" if found.score >= REVIEW else "wait",
            "reasoning": {"en": " ".join(found.reasons_en), "ar": " ".join(found.reasons_ar)}, "parts": found.parts.model_dump(),
            "contactability": found.contactability, "missing_critical": missing,
            "reasons_en": found.reasons_en, "reasons_ar": found.reasons_ar,
        }  # fmt: skip
        origin = found.provenance
        facts = {"score": found.score, "missing_critical": missing}
        return Said(output, origin.confidence, facts, origin.sources, origin.freshness_hours)

    async def write(self, asked: Question, version: str) -> Said:
        """The lead's message. Asked for by a person it is kept and submitted as an action that waits, as every draft is."""
        if asked.via == "run":
            draft, created = await self._drafting.ensure(
                asked.tenant_id, asked.id("lead", "lead_id"), by=asked.principal.id
            )
            return _drafted(draft, asked, created=created)
        lead = await self._lead(asked)
        if lead is None:
            return withheld(NOTHING_KNOWN)
        profile = await self._bus.call(TENANT, TenantRequest(tenant_id=asked.tenant_id))
        one = rank([facts_of(lead)], targeting(), asked.now)[0]
        channel = asked.input.get("channel") or None
        made = write(
            one, profile, targeting(), asked.now, draft_id=new_id(), channel=channel, version=version, trace_id=telemetry.trace_id()
        )  # fmt: skip
        return withheld(made.reasons[0], made.to) if isinstance(made, Withheld) else _drafted(made, asked, created=None)

    async def answer_objection(self, asked: Question, version: str) -> Said:
        """Which objection the last message raises, and the playbook's answer. What gives instructions is read as nothing."""
        texts = asked.input.get("messages")
        if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
            raise NotAsked("messages")
        last = texts[-1]
        clean = untrusted.notes(last).text
        read = await self._reader.read(clean) if clean else Reading(None, 0.0, "en" if last.isascii() else "ar", ())
        deal = asked.input.get("deal")
        facts = objection_facts(clean or "", read.objection, deal)
        # That nothing was recognised is no answer that one could be sure of: a person reads it.
        wording = self._reader.version(read) if read.engine == ENGINE else ""
        return Said(
            objection_output(read), read.confidence, facts, ("text:asked",), engine=read.engine, wording=wording
        )

    async def propose(self, asked: Question, version: str) -> Said:
        """The proposal of a deal from what is recorded of it and what the price list says."""
        pricing = asked.input.get("pricing")
        stated = dict(pricing) if isinstance(pricing, dict) else {}
        deal = asked.input.get("deal")
        custom = bool(stated.pop("custom_terms", False))
        if isinstance(deal, dict):
            stated = {**{k: v for k, v in deal.items() if k not in ("deal_id", "title")}, **stated}
            stated.setdefault("title", deal.get("title"))
        stated["deal_id"] = str(asked.id("deal", "deal_id"))
        request = MemoRequest(principal=asked.principal, name=MemoName.PROPOSAL_PACK, inputs=stated)
        memo = (await self._memos.make(request)).memo
        origin = memo["provenance"]
        facts = {"total_sar": float(memo["total"]), "custom_terms": custom}
        return Said(memo, origin["confidence"], facts, tuple(origin["sources"]), origin["freshness_hours"])


def objection_facts(said: str, objection: str | None, deal: Any) -> dict[str, Any]:
    """What the escalation rules look at: whether law is spoken of, and the deal's value where its price is."""
    facts: dict[str, Any] = {"topics": ["legal"] if _legal(said) else []}
    if objection == "price" and isinstance(deal, dict) and isinstance(deal.get("value_sar"), int | float):
        facts["price_deal_sar"] = deal["value_sar"]
    return facts


def objection_output(read: Reading) -> dict[str, Any]:
    """The classification with the playbook's words, in the language that was written."""
    said, step = "", None
    if read.objection is not None:
        text = purposes("en" if read.language == "en" else "ar").objections[read.objection].warm
        said = f"{text.say[0]} {text.ask[0]}"
        rule = playbook().objections[read.objection]
        step = Text(en=rule.step.en, ar=rule.step.ar)
    return {
        "objection": read.objection, "confidence": read.confidence, "reply": said, "language": read.language, "evidence": read.evidence,
        "next_step": step,
    }  # fmt: skip


def _legal(text: str) -> bool:
    return not LEGAL.isdisjoint(text.casefold().replace("؟", " ").replace(".", " ").replace(",", " ").split())


def _drafted(draft: Draft, asked: Question, *, created: bool | None) -> Said:
    """`created` is None for a text that is not kept."""
    origin = draft.provenance
    output = {
        "draft": draft.body, "body": draft.body, "subject": draft.subject or "", "channel": draft.channel, "language": draft.language,
        "time": after(asked.now, 1, STANDARD), "variant": origin.prompt_version,
    }  # fmt: skip
    if created is not None:
        output |= {"draft_id": draft.draft_id, "action_id": draft.action_id, "created": created}
    return Said(
        output, origin.confidence, {"findings": list(draft.findings)}, origin.sources, origin.freshness_hours, wording=origin.prompt_version
    )  # fmt: skip
