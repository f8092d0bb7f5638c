"""Drafts: written by the outreach agent, reviewed by rules, submitted as actions that wait for a person.

A draft is fully rendered: what is submitted is what would be sent, and what is approved is what was submitted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from libs.contracts.agents import AgentVerdict
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.consent import LinkRequest
from libs.contracts.data import Lead, LeadsRequest, TenantProfile, TenantRequest
from libs.contracts.decision import FIRST, Draft
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.execution import ActionItem, SubmitRequest
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.observed import DecisionFacts
from libs.contracts.subjects import LEADS, OBSERVED, SUBMIT, TENANT, UNSUBSCRIBE_LINK
from libs.contracts.trust import ResourceRef
from libs.runtime import telemetry
from libs.runtime.bus import Bus
from libs.runtime.plane import Runtime
from services.decision.agents.choosing import Asked, Choosing, Ended, TextsChanged
from services.decision.agents.outreach.writer import AGENT as WRITER
from services.decision.agents.outreach.writer import Withheld, sender_of, write
from services.decision.consumption.budget import BudgetSpent
from services.decision.domain.telling import draft_fact
from services.decision.errors import DraftWithheld
from services.decision.growth.store import Trials
from services.decision.growth.trials import Following
from services.decision.store import Recommendations
from services.decision.targeting.domain.facts import facts_of
from services.decision.targeting.domain.rank import Ranked, rank

log = logging.getLogger(__name__)

AGENT = f"agent:{WRITER}"
PLAN = "plane:decision"
"""Who asked for a draft that nobody asked for: the day's plan did."""
TOKEN_PLACE = "{token}"
"""Where a tenant's opt-out address takes a person's own token."""
ACTIONS = {"email": "send_email", "whatsapp": "send_whatsapp"}


class Drafting:
    def __init__(self, runtime: Runtime, choosing: Choosing) -> None:
        self._runtime = runtime
        self._choosing = choosing
        self._following = Following(runtime)

    async def prepare(self, tenant_id: UUID, ranked: Sequence[Ranked]) -> int:
        """Drafts for leads that were just ranked; those that have one keep it. Returns how many are new."""
        return await self._prepare(tenant_id, {one.lead.lead_id: one for one in ranked})

    async def prepare_leads(self, tenant_id: UUID, lead_ids: Sequence[UUID], by: str = PLAN) -> int:
        """Drafts for leads by id, as data knows them now."""
        leads = await self._leads(tenant_id, lead_ids)
        ranked = rank([facts_of(lead) for lead in leads.values()], targeting(), self._runtime.now())
        return await self._prepare(tenant_id, {one.lead.lead_id: one for one in ranked}, by)

    async def _prepare(self, tenant_id: UUID, ranked: dict[UUID, Ranked], by: str = PLAN) -> int:
        async with self._runtime.database.batch(tenant_id) as work:
            drafted = await Recommendations(work).drafted(tenant_id)
        wanted = [lead_id for lead_id in ranked if lead_id not in drafted]
        if not wanted:
            return 0
        leads = await self._leads(tenant_id, wanted)
        profile = await self._runtime.bus.call(TENANT, TenantRequest(tenant_id=tenant_id))
        made = 0
        for lead_id in wanted:
            lead = leads.get(lead_id)
            if lead is not None and await self._draft(profile, ranked[lead_id], lead, by):
                made += 1
        return made

    async def _leads(self, tenant_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, Lead]:
        if not lead_ids:
            return {}
        reply = await self._runtime.bus.call(LEADS, LeadsRequest(tenant_id=tenant_id, lead_ids=tuple(lead_ids)))
        return {lead.lead_id: lead for lead in reply.items}

    async def ensure(
        self, tenant_id: UUID, lead_id: UUID, *, purpose: str = FIRST, basis: str = "", by: str = PLAN
    ) -> tuple[Draft, bool]:
        """The lead's draft for a purpose, written now when it has none, and submitted; whether it is new.

        Submitting an earlier draft again is the same action, so nobody is written to twice.
        Raises NotFound, DraftWithheld, and what execution answers to a submission.
        """
        lead = (await self._leads(tenant_id, [lead_id])).get(lead_id)
        if lead is None:
            raise NotFound
        profile = await self._runtime.bus.call(TENANT, TenantRequest(tenant_id=tenant_id))
        profile = await with_own_link(self._runtime.bus, profile, lead.contact_id)
        async with self._runtime.database.batch(tenant_id) as work:
            kept = await Recommendations(work).draft_of(tenant_id, lead_id, purpose)
        if kept is not None:
            await self._submit(profile, kept, lead, "asked for again")
            return kept, False
        one = rank([facts_of(lead)], targeting(), self._runtime.now())[0]
        draft = await self._write(profile, one, purpose, basis, by=by)
        if isinstance(draft, Withheld):
            raise DraftWithheld(draft.reasons[0])
        await self._submit(profile, draft, lead, f"{one.tier} · {one.score:g}/100")
        return draft, True

    async def _draft(self, profile: TenantProfile, one: Ranked, lead: Lead, by: str) -> bool:
        """Write, keep and submit one draft of a plan; whether there is one."""
        profile = await with_own_link(self._runtime.bus, profile, lead.contact_id)
        try:
            draft = await self._write(profile, one, by=by)
        except (TextsChanged, BudgetSpent) as error:
            log.error("no draft: %s", error.code, extra={"ids": {"lead_id": str(one.lead.lead_id)}})
            return False
        if isinstance(draft, Withheld):
            codes = ", ".join(reason.code for reason in draft.reasons)
            log.info("no draft: %s", codes, extra={"ids": {"lead_id": str(one.lead.lead_id)}})
            return False
        try:
            await self._submit(profile, draft, lead, f"{one.tier} · {one.score:g}/100")
        except DealixError as error:
            # The draft stays; asking for it again submits the same action.
            log.warning(
                "a draft could not be submitted: %s", error.code, extra={"ids": {"draft_id": str(draft.draft_id)}}
            )
        return True

    async def _write(
        self, profile: TenantProfile, one: Ranked, purpose: str = FIRST, basis: str = "", *, by: str
    ) -> Draft | Withheld:
        """Write and keep one draft; the one that was there first wins. The draft's id is the action's, and the run's of a canary."""
        draft_id = new_id()
        trial = await self._following.treatment(profile.tenant_id, one, purpose)
        manner = trial.manner() if trial else {}

        async def written(version: str) -> Draft | Withheld:
            return write(
                one, profile, targeting(), self._runtime.now(), draft_id=draft_id, purpose=purpose,
                basis=(basis,) if basis else (), version=version, trace_id=telemetry.trace_id(), **manner,
            )  # fmt: skip

        given = {"lead": str(one.lead.lead_id), "purpose": purpose}
        asked = Asked(profile.tenant_id, by, "draft", WRITER, given, Draft.__name__, draft_id)
        draft = await self._choosing.run(asked, written, _came, trial.version() if trial else None)
        if isinstance(draft, Withheld):
            return draft
        kept: Draft = draft.evolve(action_id=draft.draft_id)
        async with self._runtime.database.batch(profile.tenant_id) as work:
            store = Recommendations(work)
            if await store.add_draft(kept):
                if trial is not None:
                    await Trials(work).drafted(profile.tenant_id, trial.experiment_id, kept.lead_id, kept.draft_id)
                facts = DecisionFacts(
                    tenant_id=profile.tenant_id, facts=(draft_fact(kept, _given(profile, one)),), at=self._runtime.now()
                )
                work.emit(OBSERVED[Plane.DECISION], facts)
                return kept
            return await store.draft_of(profile.tenant_id, kept.lead_id, purpose) or kept

    async def _submit(self, profile: TenantProfile, draft: Draft, lead: Lead, reason: str) -> None:
        item = ActionItem(
            action_id=draft.draft_id,
            action_type=ACTIONS[draft.channel],
            resource=ResourceRef(type="contact", id=str(draft.contact_id)),
            payload=payload_of(draft, lead, profile),
            reason=reason,
            run_id=f"draft:{draft.draft_id}",
        )
        principal = Principal(
            id=AGENT,
            kind=PrincipalKind.AGENT,
            tenant_id=profile.tenant_id,
            roles=("operator",),
            name=WRITER,
        )
        await self._runtime.bus.call(SUBMIT, SubmitRequest(principal=principal, items=(item,)))


async def with_own_link(bus: Bus, profile: TenantProfile, contact_id: UUID | None) -> TenantProfile:
    """The tenant's profile with this contact's own unsubscribe link, where the tenant's address has a place for it."""
    if TOKEN_PLACE not in profile.opt_out_url or contact_id is None:
        return profile
    request = LinkRequest(tenant_id=profile.tenant_id, contact_id=contact_id, channel="email")
    try:
        token = (await bus.call(UNSUBSCRIBE_LINK, request)).token
    except DealixError as error:
        # Without an address there is no link to it; the words that stop messages are in the text all the same.
        log.info("no unsubscribe link: %s", error.code, extra={"ids": {"contact_id": str(contact_id)}})
        token = ""
    changed: TenantProfile = profile.evolve(opt_out_url=profile.opt_out_url.replace(TOKEN_PLACE, token))
    return changed


def _given(profile: TenantProfile, one: Ranked) -> tuple[str, ...]:
    """What a draft's writer was given: figures that stand nowhere in it have no source."""
    return profile.model_dump_json(), json.dumps(asdict(one.lead), default=str, ensure_ascii=False)


def _came(made: Draft | Withheld) -> Ended:
    """What the record of a run says of a draft."""
    if isinstance(made, Withheld):
        return Ended(AgentVerdict.WITHHELD, made.reasons[0].code, made.to)
    return Ended(AgentVerdict.ANSWERED, confidence=made.provenance.confidence)


def payload_of(draft: Draft, lead: Lead, profile: TenantProfile) -> dict[str, Any]:
    """Exactly what would be sent, as the connector of the channel reads it. Values are strings: nothing in it is computed later."""
    common = {
        "body": draft.body,
        "from_name": sender_of(profile, "en" if draft.language == "en" else "ar").person,
        "language": draft.language,
        "template_version": draft.provenance.prompt_version,
        "account_name": lead.account_name,
    }
    if lead.estimated_value is not None:
        # What the lead may be worth, not what this message commits: it informs who decides and raises no limit.
        common["estimated_value_sar"] = f"{lead.estimated_value:.2f}"
    if draft.channel == "email":
        return {
            **common,
            "to": lead.email or "",
            "subject": draft.subject or "",
            "from_email": profile.sender_email,
            "opt_out_url": profile.opt_out_url,
        }
    return {**common, "to": lead.phone or "", "template": "dealix_outreach"}
