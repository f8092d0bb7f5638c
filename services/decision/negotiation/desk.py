"""Objections answered: read by phrases and by meaning, answered from the playbook's reviewed texts, handed to a person where the rules say so."""

from __future__ import annotations

from uuid import UUID

from libs.contracts.agents import AgentVerdict
from libs.contracts.catalogue.agents import agents
from libs.contracts.catalogue.targeting import targeting
from libs.contracts.data import LeadsRequest, TenantRequest
from libs.contracts.decision import Draft
from libs.contracts.errors import Conflict, Invalid, NotFound
from libs.contracts.message import Principal, Provenance, Text, new_id
from libs.contracts.negotiation import AnswerObjection, AnswerReply, ClassifyObjection, ObjectionReply
from libs.contracts.subjects import LEADS, TENANT
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.agents.choosing import Asked, Choosing, Ended
from services.decision.agents.outreach.purposes import purposes
from services.decision.agents.outreach.writer import Withheld, write
from services.decision.domain import provenance, untrusted
from services.decision.errors import DraftWithheld
from services.decision.negotiation.domain.classify import Reading, playbook
from services.decision.negotiation.reader import ONLY_PHRASES, Reader
from services.decision.targeting.domain.facts import facts_of
from services.decision.targeting.domain.rank import rank

AGENT = "objection_handler"
HUMAN = "want_guarantee"
_LARGE = "price_deal_sar"


class NothingToAnswer(Conflict):
    def __init__(self, away: bool = False) -> None:
        also = ONLY_PHRASES if away else Text(en="", ar="")
        super().__init__(
            "no_objection",
            f"Nothing in the text is clearly an objection; a person should read it. {also.en}".strip(),
            f"لا يحمل النص اعتراضًا واضحًا، ويلزم أن يقرأه شخص. {also.ar}".strip(),
        )


class Negotiation:
    def __init__(self, runtime: Runtime, choosing: Choosing) -> None:
        self._runtime = runtime
        self._choosing = choosing
        self._bus = runtime.bus
        self._reader = Reader(runtime.bus)

    async def classify(self, request: ClassifyObjection) -> ObjectionReply:
        """The objection of a text; none where nothing clear was said. Instructions in it are read as nothing."""
        read = await self._read(request.principal, request.text)
        rule = playbook().objections[read.objection] if read.objection else None
        return ObjectionReply(
            objection=read.objection, confidence=read.confidence, language=read.language, evidence=read.evidence,
            name=Text(en=rule.en, ar=rule.ar) if rule else None, next_step=rule.step if rule else None,
            note=ONLY_PHRASES if read.away else None, provenance=self._origin(read, read.confidence, ()),
        )  # fmt: skip

    async def respond(self, request: AnswerObjection) -> AnswerReply:
        """The playbook's answer as a proposal. For a lead it is written to that lead; nothing is sent or kept.

        Raises NothingToAnswer, NotFound, DraftWithheld, Invalid, TextsChanged.
        """
        read = await self._read(request.principal, request.text)
        if read.objection is None:
            raise NothingToAnswer(read.away)
        rule = playbook().objections[read.objection]
        language = request.language or ("en" if read.language == "en" else "ar")
        if language not in ("ar", "en") or request.tone not in (None, "formal", "warm"):
            raise Invalid(
                "unknown_wording",
                "language is ar or en, tone formal or warm.",
                "اللغة ar أو en، والأسلوب formal أو warm.",
            )
        reasons = [Text(en="A guarantee was asked for.", ar="طُلب ضمان.")] if read.objection == HUMAN else []
        if request.lead_id is None:
            said = (
                purposes("en" if language == "en" else "ar")
                .objections[read.objection]
                .said("formal" if request.tone == "formal" else "warm")
            )
            return AnswerReply(
                objection=read.objection, confidence=read.confidence, subject=None, body=f"{said.say[0]} {said.ask[0]}", next_step=rule.step,
                needs_person=True, reasons=tuple(reasons), provenance=self._origin(read, read.confidence, ()),
            )  # fmt: skip
        draft, value = await self._draft(request, request.lead_id, read.objection, language)
        price = value if read.objection == "price" else None
        if (escalation := agents().agents[AGENT].escalation({_LARGE: price})) is not None:
            reasons.append(Text(en=escalation.en, ar=escalation.ar))
        return AnswerReply(
            objection=read.objection, confidence=read.confidence, subject=draft.subject, body=draft.body, next_step=rule.step,
            needs_person=True, reasons=tuple(reasons), reviews=draft.reviews,
            provenance=self._origin(read, min(read.confidence, draft.provenance.confidence), draft.facts_used),
        )  # fmt: skip

    async def _read(self, who: Principal, text: str) -> Reading:
        async def classified(_: str) -> Reading:
            clean = untrusted.notes(text).text
            return await self._reader.read(clean) if clean else Reading(None, 0.0, "en" if text.isascii() else "ar", ())

        asked = Asked(who.tenant_id, who.id, "desk", AGENT, {"messages": [text]}, ObjectionReply.__name__, new_id())
        return await self._choosing.run(asked, classified, _came)

    async def _draft(
        self, request: AnswerObjection, lead_id: UUID, objection: str, language: str
    ) -> tuple[Draft, float | None]:
        tenant = request.principal.tenant_id
        leads = (await self._bus.call(LEADS, LeadsRequest(tenant_id=tenant, lead_ids=(lead_id,)))).items
        if not leads:
            raise NotFound
        profile = await self._bus.call(TENANT, TenantRequest(tenant_id=tenant))
        now = self._runtime.now()
        draft = write(
            rank([facts_of(leads[0])], targeting(), now)[0], profile, targeting(), now, draft_id=new_id(),
            channel=request.channel, language="en" if language == "en" else "ar",
            tone="formal" if request.tone == "formal" else "warm" if request.tone else None,
            purpose=f"objection:{objection}:asked", trace_id=telemetry.trace_id(),
        )  # fmt: skip
        if isinstance(draft, Withheld):
            raise DraftWithheld(draft.reasons[0])
        value = leads[0].estimated_value
        return draft, float(value) if value is not None else None

    def _origin(self, read: Reading, confidence: float, facts: tuple[str, ...]) -> Provenance:
        now = self._runtime.now()
        return provenance.local(
            now=now, by=AGENT, engine=read.engine, version=self._reader.version(read), confidence=confidence, freshness=0.0,
            sources=("text:asked", *facts), trace_id=telemetry.trace_id(),
        )  # fmt: skip


def _came(read: Reading) -> Ended:
    """What the record of a run says of a classification: that nothing was objected to is an answer too."""
    return Ended(AgentVerdict.ANSWERED, confidence=read.confidence, engine=read.engine)
