"""Planes that answer the console's settings, suggestions, enrichment and runs with rows as a company has them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from libs.contracts import approvals, claims, crm, data, knowledge, subjects
from libs.contracts.agents import AgentRun, AgentVerdict, Conversation, ConversationsReply
from libs.contracts.catalogue.flags import flags
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.catalogue.records import FieldType, RecordKind
from libs.contracts.enrichment import Enriched, EnrichedFact, FactsListed, FactState, RowRefused
from libs.contracts.errors import NotFound
from libs.contracts.execution import ConnectorInfo, ConnectorsReply, ConnectorStatus
from libs.contracts.message import Principal, PrincipalKind, Provenance, Reason, new_id
from libs.contracts.metrics import MetricRow, MetricRowsReply, MetricValue
from libs.contracts.operating import FlagsReply
from services.gateway.briefs.domain import Kind, Outgoing, Rules, State
from services.gateway.domain.people import Caller, User
from tests.contracts.examples import example
from tests.unit.gateway.fake_site import Site

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ACCOUNT, CONTACT, DEAL, ACTIVITY, DOCUMENT = (UUID(int=2**120 + n) for n in range(5))
SUGGESTION, FACT, RUN = (UUID(int=2**121 + n) for n in range(3))
SAID = "وصلنا عرضكم. الخصم المتفق عليه 12% ومهلة السداد 45 يومًا، وللاستفسار +966 50 123 4567."


def record(kind: RecordKind, id: UUID, **values: Any) -> crm.Record:
    made: crm.Record = example(crm.Record).evolve(
        id=id, kind=kind, values=values, custom={}, names={}, created_at=AT, updated_at=AT
    )
    return made


RECORDS = {
    ACCOUNT: record(RecordKind.ACCOUNT, ACCOUNT, name="Riyadh Tech", name_ar="شركة الرياض للتقنية"),
    CONTACT: record(RecordKind.CONTACT, CONTACT, full_name="نورة العتيبي"),
    DEAL: record(RecordKind.DEAL, DEAL, title="نظام إدارة المبيعات", stage="negotiation"),
    ACTIVITY: record(RecordKind.ACTIVITY, ACTIVITY, subject="رد العميل", body=SAID, deal_id=str(DEAL)),
}


def _record(request: crm.GetRecord) -> crm.Record:
    found = RECORDS.get(request.id)
    if found is None or found.kind is not request.kind:
        raise NotFound
    return found


def claim(**changes: Any) -> claims.Claim:
    base = claims.Claim(
        claim_id=new_id(), tenant_id=new_id(), subject=f"deal:{DEAL}", key="discount_percent", value="10", unit="%", source="crm:import",
        recorded_by="user:noura", recorded_at=AT,
    )  # fmt: skip
    made: claims.Claim = base.evolve(**changes)
    return made


def suggestion(**changes: Any) -> claims.ClaimSuggestion:
    base = claims.ClaimSuggestion(
        suggestion_id=SUGGESTION, subject=f"deal:{DEAL}", key="discount_percent", value="12", unit="%", place="sentence 2", confidence=0.9,
        source=f"activity:{ACTIVITY}", state=claims.SuggestionState.SUGGESTED, contradicts=True, suggested_at=AT, on_record=(claim(),),
    )  # fmt: skip
    made: claims.ClaimSuggestion = base.evolve(**changes)
    return made


def fact(**changes: Any) -> EnrichedFact:
    base = EnrichedFact(
        fact_id=FACT, tenant_id=new_id(), batch_id=new_id(), kind="account", record_id=ACCOUNT, field="employees", value="220", current="180",
        source="public_register", adapter="public_register", lawful_basis="legitimate_interest", licence="شروط بوابة البيانات المفتوحة",
        reference="register.csv:7", obtained_on=date(2026, 11, 1), confidence=0.9, state=FactState.DISPUTED, recorded_at=AT,
        recorded_by="user:noura",
    )  # fmt: skip
    made: EnrichedFact = base.evolve(**changes)
    return made


def facts() -> tuple[EnrichedFact, ...]:
    phone = {"field": "phone", "kind": "contact", "record_id": CONTACT, "value": "+966501234567", "current": None}
    return (fact(), fact(fact_id=new_id(), state=FactState.APPLIED, **phone))


def run(**changes: Any) -> Conversation:
    base = Conversation(
        conversation_id=RUN, tenant_id=new_id(), at=AT, asked_by="user:noura", via="run", agent="outreach_writer", version="1",
        engine="template", input_digest="9f2c" * 16, output_schema="OutreachDraft", verdict=AgentVerdict.HANDED_OVER, code="do_not_contact",
        to="sales_manager", confidence=0.82, cost_sar=Decimal("0.0000"), latency_ms=12.5, trace_id="0af7651916cd43dd8448eb211c80319c",
    )  # fmt: skip
    made: Conversation = base.evolve(**changes)
    return made


def answer() -> AgentRun:
    origin = Provenance(
        generated_at=AT, generated_by="outreach_writer", model_provider="local", model_id="template", prompt_version="1", confidence=0.82,
        freshness_hours=4.0, sources=(f"lead:{CONTACT}",), policy_version="7",
    )  # fmt: skip
    return AgentRun(
        agent_id="outreach_writer", engine="template", output={"subject": "عرض سعر", "body": "السلام عليكم أستاذة نورة"},
        escalation=Reason(code="do_not_contact", en="This contact may not be contacted.", ar="لا يجوز التواصل مع هذه الجهة."), to="sales_manager",
        confidence=0.82, provenance=origin, conversation_id=RUN,
    )  # fmt: skip


def connector(key: str, **changes: Any) -> ConnectorInfo:
    base = ConnectorInfo(
        connector_key=key, display_name=key.title(), display_name_ar=key, version="1", mode="sandbox", status=ConnectorStatus.UNKNOWN,
        registered=False, operations=("send",), data_classification="confidential", cross_border=True, idempotent=False, read_back="none",
    )  # fmt: skip
    made: ConnectorInfo = base.evolve(**changes)
    return made


def value(name: str) -> MetricValue:
    rule = metrics()[name]
    return MetricValue(
        name=name, unit=rule.unit, en=rule.en, ar=rule.ar, definition_en=rule.definition_en, definition_ar=rule.definition_ar,
        freshness_hours=1.0, value=Decimal("1250000.00"), no_data=False, since=AT - timedelta(days=30), until=AT, as_of=AT, rows=14, counted=12,
        excluded=2,
    )  # fmt: skip


def fill(site: Site) -> None:
    """Have every plane answer with rows."""
    answers = site.planes.answer
    works = Reason(code="ok", en="The server took the credential.", ar="قبل الخادم بيانات الاعتماد.")
    found = (
        connector("whatsapp"), connector("slack", registered=True, status=ConnectorStatus.OK, probe=works, probed_at=AT),
        connector("email_smtp", mode="live", registered=True), connector("webhook"),
    )  # fmt: skip
    answers(subjects.CONNECTORS, ConnectorsReply(items=found))
    answers(subjects.FLAGS, FlagsReply(flags=dict.fromkeys(flags(), False), version=1))
    profile = data.TenantProfile(
        tenant_id=site.tenant.tenant_id, slug="demo", name_en="Example Company", name_ar="شركة المثال", sender_name="شركة المثال",
        sender_email="sales@example.com", opt_out_url="https://example.com/out", offer_ar="أنظمة إدارة المبيعات", offer_en="sales systems",
        offer_by="user:noura", offer_at=AT,
    )  # fmt: skip
    answers(subjects.TENANT, profile)
    answers(subjects.SET_OFFER, profile)
    rules = approvals.TrustRules(
        daily_caps={"email": 300}, contact_caps={"whatsapp": 1}, closed_on=(date(2026, 12, 1),)
    )
    kept = approvals.RulesReply(rules=rules, version=4, changed_by="user:noura", changed_at=AT)
    answers(subjects.RULES, kept)
    answers(subjects.SET_RULES, kept)
    own = (
        crm.CustomField(kind=RecordKind.ACCOUNT, key="branch_code", type=FieldType.TEXT, en="Branch code", ar="رمز الفرع"),
        crm.CustomField(kind=RecordKind.DEAL, key="tender", type=FieldType.CHOICE, en="Tender", ar="منافسة", choices=("عامة", "محدودة")),
    )  # fmt: skip
    answers(subjects.CUSTOM_FIELDS, crm.CustomFieldsReply(items=own))
    answers(subjects.RECORD, _record)
    document = example(knowledge.Document).evolve(document_id=DOCUMENT, title="محضر اجتماع نوفمبر")
    answers(subjects.DOCUMENT, document)
    second = suggestion(
        suggestion_id=new_id(), key="payment_days", value="45", unit="days", contradicts=False, on_record=(), source=f"document:{DOCUMENT}"
    )  # fmt: skip
    answers(subjects.CLAIM_SUGGESTIONS, claims.SuggestionsReply(items=(suggestion(), second)))
    answers(subjects.ENRICHED_FACTS, FactsListed(items=facts()))
    refused = RowRefused(
        row=9, field="cr", en="It fits no record here, or several.", ar="لا سجل يطابقه هنا، أو يطابقه أكثر من سجل."
    )
    answers(
        subjects.ENRICH,
        lambda asked: Enriched(
            batch_id=asked.batch_id, rows=12, matched=11, facts={"applied": 6, "disputed": 1, "confirmed": 2}, refused=1, refusals=(refused,),
            found=facts() if asked.dry_run else (),
        ),
    )  # fmt: skip
    answers(
        subjects.CONVERSATIONS,
        ConversationsReply(items=(run(), run(conversation_id=UUID(int=RUN.int - 1), verdict=AgentVerdict.ANSWERED))),
    )
    answers(subjects.RUN_AGENT, answer())
    rows = (
        MetricRow(kind="deal", id=str(DEAL), at=AT, figure=Decimal("-1250.00")),
        MetricRow(kind="action", id=str(new_id()), at=AT, figure=None),
    )
    for plane in {rule.plane for rule in metrics().values()}:
        answers(subjects.METRIC_ROWS[plane], MetricRowsReply(items=rows))
        answers(subjects.METRICS[plane], lambda asked: value(asked.name))


async def people(site: Site) -> User:
    """An owner who signs in, with colleagues, keys, a number's hours and messages of the gateway's own tables."""
    owner = await site.user("owner", email="noura@example.com")
    await site.user("approver", email="sultan@example.com", business_role="sales_manager")
    await site.key(owner, "read", "import", personal=False)
    async with site.store.unit(site.tenant.tenant_id) as unit:
        await unit.briefs.set_rules(
            Rules(site.tenant.tenant_id, True, ("low",), (), "approval_brief", "ar", "user:noura")
        )
        await unit.briefs.add(
            Outgoing(site.tenant.tenant_id, new_id(), owner.user_id, Kind.BRIEF, "", (new_id(),), AT, State.SENT)
        )
    caller = Caller(
        Principal(id=owner.actor, kind=PrincipalKind.USER, tenant_id=owner.tenant_id, roles=("owner",)), owner
    )
    await site.gateway.hooks.bind(caller, "whatsapp", "1055512345", "a secret of the vendor's own")
    return owner
