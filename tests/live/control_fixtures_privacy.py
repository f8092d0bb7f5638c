"""Rows for the controls of `checks_privacy.yaml`, as `control_fixtures` writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from libs.contracts.business_time import RIYADH
from libs.contracts.compliance import ControlResult
from libs.contracts.message import Plane, new_id
from libs.contracts.observed import BounceFact, DocumentFact, DraftFact, Fact, FactsReported, ImportFact, RankingFact
from libs.contracts.rights import IdentifyRights, OpenRights, RightsKind, RightsRequest, RightsState
from libs.contracts.screening import DecideFinding, FindingsRequest, FindingState, ScreenedText, TextsScreened
from libs.runtime.testing import MemoryHub
from services.trust.ledger.domain.entry import Entry
from services.trust.projection import Projection
from services.trust.rights.handlers import Rights
from services.trust.rights.store import RightsStore
from services.trust.screening.handlers import Screening
from services.trust.store import SqlStore, SqlUnit
from tests.live.control_fixtures import (
    ACTIVITY,
    BREACH,
    NOON,
    PROCESSOR,
    TRANSFER,
    Book,
    Write,
    carry,
    consents,
    contacts,
    entries,
    message,
    nothing,
    requests,
)

P = "processing-activities"
_ON_TIME = {"authority_notified_at": "2026-01-02T00:00:00+03:00", "report_ref": "R-1"}
_YEARS_AGO, _RECENT = (
    (datetime.now(RIYADH) - timedelta(days=900)).date(),
    (datetime.now(RIYADH) - timedelta(days=9)).date(),
)
_TODAY = datetime.now(RIYADH).date().isoformat()
_DPIA = {
    "subject": "Outreach",
    "risk": "low",
    "measures": "m",
    "assessed_on": _TODAY,
    "approved_by": "DPO",
    "approved_on": _TODAY,
}
_TOMORROW = (datetime.now(RIYADH) + timedelta(days=1)).date().isoformat()
_YESTERDAY = (datetime.now(RIYADH) - timedelta(days=1)).date().isoformat()
_SOURCE = {"source": "referral", "exception": "public", "acquired_on": _YESTERDAY, "evidence_ref": "E-1"}
_NOTICE = {"source": "referral", "obtained_until": _TODAY, "sent_on": _YESTERDAY, "evidence_ref": "E-2"}
_LEGITIMATE = {**ACTIVITY, "legal_basis": "legitimate_interest"}
_BALANCE = {
    "activity": "Outreach", "interest": "i", "balance": "b", "outcome": "approved", "assessed_on": _TODAY, "approved_by": "DPO",
}  # fmt: skip
_DATASET = {
    "name": "Contacts", "sources": ["website_form"], "level": "restricted", "classified_on": _TODAY, "classified_by": "DPO",
}  # fmt: skip
_SENDER = {"sender": "Acme", "channel": "email", "country": "SA", "promotional": True}
_ASSESSED = {**TRANSFER, "risk_assessment_ref": "RA-1"}
_REFERRED: dict[str, Any] = {"source": "referral", "collected_directly": False}
_KEPT = ImportFact(subject=new_id(), source="referral", fields=("email",), dropped=2)
_MAPPED = {"field": "email", "activity": "Outreach", "why": "to write to them"}
_RANKING = RankingFact(subject=new_id(), version="1+abc", features=("sector", "signal:hiring"), leads=3)
_FAIR = {"version": "1+abc", "result": "fair", "reported_on": _TODAY, "evidence_ref": "B-1"}
_OLD = (datetime.now(RIYADH) - timedelta(days=40)).date()
_NIGHT = NOON + timedelta(hours=12)
_NOW_BREACH = {**BREACH, "aware_at": datetime.now(UTC).isoformat()}


def told(about: str, *, disclosed: bool = True, notified: bool = True, activity: bool = True) -> Write:
    """A withdrawal or a correction that was carried out, and perhaps an earlier disclosure and a notice of it to the recipient."""

    async def write(book: Book) -> None:
        contact = await book.contact(obtained_at=_RECENT)
        if activity:
            await book.entry(P, ACTIVITY)
        if disclosed:
            at = (datetime.now(UTC) - timedelta(days=20)).isoformat()
            await book.entry("disclosures", {"contact_id": str(contact), "recipient": "Courier", "disclosed_at": at, "purpose": "delivery"})  # fmt: skip
        if about == "withdrawal":
            await book.consents(contact, withdrawn=True)
        elif about == "correction":
            await corrected(book, contact, days_ago=10, done=True)
        else:
            await corrected(book, contact, days_ago=10, done=False, kind=RightsKind.ERASURE, erased=True)
        if notified:
            values = {"contact_id": str(contact), "recipient": "Courier", "about": about, "notified_at": datetime.now(UTC).isoformat(), "evidence_ref": "E-3"}  # fmt: skip
            await book.entry("recipient-notices", values)

    return write


async def corrected(book: Book, contact: UUID, *, days_ago: int, done: bool, kind: RightsKind = RightsKind.CORRECTION, erased: bool = False) -> None:  # fmt: skip
    """A request of that person, recorded, perhaps answered, by the rights desk's own storage."""
    received = datetime.now(UTC) - timedelta(days=days_ago)
    made = RightsRequest(
        request_id=new_id(), tenant_id=book.tenant, kind=kind, state=RightsState.RECEIVED, contact_id=contact,
        identifier_matches=True, received_at=received, due_at=received + timedelta(days=30),
    )  # fmt: skip
    closed = {"state": RightsState.COMPLETED, "closed_at": datetime.now(UTC)} if done else {}
    async with book.database.batch(book.tenant) as work:
        store = RightsStore(work.connection)
        await store.add(made)
        await store.change(made.evolve(identified_by="user:1", **closed))
        if erased:
            await store.add_tasks(book.tenant, made.request_id, [Plane.DATA])
            await store.done(book.tenant, made.request_id, Plane.DATA, {"contacts": 1})
            done_entry = Entry(
                tenant_id=book.tenant, kind="rights.erased", actor="plane:data", target=f"rights:{made.request_id}", at=datetime.now(UTC), data={},
            )  # fmt: skip
            await SqlUnit(work).append([done_entry])


def desk(book: Book) -> Rights:
    return Rights(book.database, Projection(SqlStore(book.database), MemoryHub().bus(Plane.TRUST), b"k" * 32))


def contested(*, identified: bool = True) -> Write:
    """A message to somebody who asked for a correction, and perhaps showed who they are."""

    async def write(book: Book) -> None:
        contact, who = await book.contact(), book.who()
        await book.consents(contact)
        asked = OpenRights(
            principal=who, request_id=new_id(), kind=RightsKind.CORRECTION, contact_id=contact, identifier="a@b.example"
        )
        opened = await desk(book).open(asked)
        if identified:
            await desk(book).identify(
                IdentifyRights(principal=who, request_id=opened.request_id, method="code", evidence="log 4")
            )
        await book.sent(contact, at=datetime.now(UTC) + timedelta(minutes=1))

    return write


def ward(**guardian: Any) -> Write:
    """A contact without full capacity."""

    async def write(book: Book) -> None:
        contact = await book.contact()
        await book.entry("guardians", {"contact_id": str(contact), "reason": "minor", **guardian})

    return write


def told_by(plane: Plane, *facts: Fact, at: datetime | None = None) -> Write:
    async def write(book: Book) -> None:
        await carry(book, plane, FactsReported(tenant_id=book.tenant, facts=facts, at=at or datetime.now(UTC)))

    return write


def document(
    identity: Literal["", "national_id", "passport"] = "", *, erased: bool = False, kept: dict[str, Any] | None = None
) -> Write:
    """A stored file, perhaps a copy of an identity document, and perhaps the duty to keep one."""

    async def write(book: Book) -> None:
        fact = DocumentFact(subject=new_id(), identity=identity, erased=erased)
        await told_by(Plane.DATA, fact)(book)
        if kept is not None:
            await book.entry("identity-documents", {"document_id": str(fact.subject), **kept})

    return write


def agents_message(*, fact: bool = True, **changes: Any) -> Write:
    """A message that an agent wrote, approved and sent, and perhaps what decision told of its writing."""

    async def write(book: Book) -> None:
        contact = await book.contact()
        await book.consents(contact)
        action = await book.sent(contact, agent="agent:outreach_writer")
        if fact:
            made = DraftFact(
                subject=action, agent="outreach_writer", provider="local", model_id="engine=template", prompt_version="3", inputs=2,
                by_model=False, disclosed=False,
            )  # fmt: skip
            await told_by(Plane.DECISION, made.evolve(**changes))(book)

    return write


def bounced(*, earlier: bool) -> Write:
    """Two messages to one person, the first of which came back before or after the second one."""

    async def write(book: Book) -> None:
        contact = await book.contact(last_verified_at=datetime.now(UTC))
        first = await book.sent(contact)
        at = NOON + timedelta(hours=1 if earlier else 5)
        await told_by(Plane.DATA, BounceFact(subject=first, channel="email"), at=at)(book)
        await book.sent(contact, at=NOON + timedelta(hours=3))

    return write


def sensitive(
    *, state: FindingState | None = None, level: str = "sensitive", written: bool = False, **consented: Any
) -> Write:
    """A contact whose notes showed sensitive data, a person's word on it, perhaps a message after, perhaps a consent."""

    async def write(book: Book) -> None:
        contact = await book.contact()
        subject = f"contact:{contact}"
        text = ScreenedText(subject=subject, about=(subject,), field="notes", codes=(level,))
        event = TextsScreened(tenant_id=book.tenant, source="record", items=(text,), at=datetime.now(UTC))
        screening = Screening(SqlStore(book.database))
        async with book.database.work(book.tenant) as work:
            await screening.heard(work, event)
        if state is not None:
            who = book.who()
            (found,) = (await screening.page(FindingsRequest(principal=who))).items
            asked = DecideFinding(
                principal=who, finding_id=found.finding_id, state=state, reason="looked at it closely"
            )
            await screening.decide(asked)
        if written:
            await book.sent(contact, at=datetime.now(UTC) + timedelta(minutes=1))
        if consented:
            await book.consents(contact, **consented)

    return write


def after(first: Write, *more: Write) -> Write:
    async def write(book: Book) -> None:
        for one in (first, *more):
            await one(book)

    return write


# control: (rows with which it holds, rows with which it fails, rows with which it can't be told). None: something that it needs has no
# record yet, so that nothing makes it pass.
PRIVACY: dict[str, tuple[Write | None, Write, Write]] = {
    "PDPL-06": (contacts({}, activity=ACTIVITY), contacts({}), nothing()),
    "PDPL-IR11": (consents(bundled_with_service=False), consents(purpose="marketing,profiling"), consents()),
    "PDPL-IR11-2": (message(), message(approved=False), nothing()),
    "PDPL-IR12": (told("withdrawal"), message(withdrawn=True), told("withdrawal", disclosed=False, activity=False)),
    "PDPL-25": (message(), message(sender_identity=False), nothing()),
    "PDPL-26": (message(), message(consented=False), entries(effect="send_email")),
    "PDPL-10": (after(contacts(_REFERRED, {}), entries(("lead-sources", _SOURCE))), contacts(_REFERRED), nothing()),
    "PDPL-IR4-3": (
        after(contacts({**_REFERRED, "obtained_at": _OLD}), entries(("person-notices", _NOTICE))),
        contacts({**_REFERRED, "obtained_at": _OLD}), contacts({**_REFERRED, "obtained_at": None}),
    ),
    "PDPL-11": (
        after(told_by(Plane.DATA, _KEPT), entries((P, ACTIVITY), ("data-map", _MAPPED))),
        after(told_by(Plane.DATA, _KEPT), entries((P, ACTIVITY))), told_by(Plane.DATA, _KEPT.evolve(fields=())),
    ),
    "PDPL-14": (
        message(contact={"last_verified_at": NOON}), message(contact={"last_verified_at": NOON - timedelta(days=181)}), message(),
    ),
    "PDPL-IR3": (requests(days_ago=3, done=True), requests(days_ago=40, done=False), nothing()),
    "PDPL-17": (told("correction"), contested(), told("correction", disclosed=False, activity=False)),
    "PDPL-18": (
        after(contacts({"obtained_at": _RECENT}, rule={"keep_days": 365, "backup_days": 30}), told("destruction")),
        contacts({"obtained_at": _YEARS_AGO}, rule={"keep_days": 365}), told("destruction"),
    ),
    "PDPL-20-1": (entries(("incidents", {**BREACH, **_ON_TIME})), entries(("incidents", BREACH)), nothing()),
    "PDPL-20-2": (
        entries(("incidents", {**BREACH, "no_harm_reason": "it was encrypted"})), entries(("incidents", BREACH)), entries(("incidents", _NOW_BREACH)),
    ),
    "PDPL-22": (
        entries((P, ACTIVITY), ("dpias", _DPIA)), entries((P, ACTIVITY), ("dpias", {k: v for k, v in _DPIA.items() if k != "approved_on"})), nothing(),
    ),
    "PDPL-IR16": (entries((P, _LEGITIMATE), ("legitimate-interest", _BALANCE)), entries((P, _LEGITIMATE)), nothing()),
    "PDPL-08": (
        entries(("processors", PROCESSOR), effect="send_email"),
        entries(("processors", {**PROCESSOR, "agreement_expires_on": "2026-01-01"}), effect="send_email"), nothing(),
    ),
    "PDPL-29": (
        entries(("processors", {**PROCESSOR, "country": "DE"}), ("transfers", _ASSESSED), effect="send_email"),
        entries(("processors", {**PROCESSOR, "country": "DE"}), ("transfers", TRANSFER), effect="send_email"), entries(effect="send_email"),
    ),
    "PDPL-31": (entries((P, ACTIVITY), effect="send_email"), entries((P, {**ACTIVITY, "recipients": ["x"]}), effect="send_email"), nothing()),
    "PDPL-1-11": (ward(guardian_consent_ref="G-1", verified_on=_YESTERDAY), ward(), nothing()),
    "PDPL-28": (document(), document("passport"), document("passport", erased=True)),
    "SDAIA-AI-3": (message(), message(approved=False), nothing()),
    "SDAIA-AI-7": (after(agents_message(), message()), message(same=False), nothing()),
    "SDAIA-AI-6": (agents_message(), agents_message(by_model=True), message()),
    "SDAIA-AI-1": (
        after(told_by(Plane.DECISION, _RANKING), entries(("bias-reports", _FAIR))), told_by(Plane.DECISION, _RANKING), nothing(),
    ),
    "NDMO-DC-1": (
        after(contacts({}), entries(("datasets", _DATASET), ("processors", {**PROCESSOR, "max_level": "restricted"}), effect="send_email")),
        contacts({}), after(contacts({}), entries(("datasets", _DATASET), effect="send_email")),
    ),
    "CST-469-1": (message(), message(at=_NIGHT), nothing()),
    "CST-469-2": (after(message(), entries(("senders", _SENDER))), message(purpose=""), message()),
    "LI-8-2": (contacts({}), contacts({"source": "scraped"}), nothing()),
}  # fmt: skip
# Other ways in which the same controls turn out.
MORE: tuple[tuple[str, Write, ControlResult], ...] = (
    ("PDPL-IR12", told("withdrawal", notified=False), ControlResult.UNKNOWN),
    ("PDPL-IR12", told("withdrawal", disclosed=False), ControlResult.PASS),
    ("PDPL-10", after(contacts(_REFERRED), entries(("lead-sources", {**_SOURCE, "expires_on": _YESTERDAY}))), ControlResult.FAIL),
    ("PDPL-10", after(contacts(_REFERRED), entries(("lead-sources", {**_SOURCE, "source": "purchased"}))), ControlResult.FAIL),
    ("PDPL-10", contacts({"source": "scraped"}), ControlResult.FAIL),
    ("PDPL-IR4-3", after(contacts({**_REFERRED, "obtained_at": _OLD}), entries(("person-notices", {k: v for k, v in _NOTICE.items() if k != "sent_on"}))), ControlResult.FAIL),
    ("PDPL-IR4-3", contacts({**_REFERRED, "obtained_at": _RECENT}), ControlResult.PASS),
    ("PDPL-11", after(told_by(Plane.DATA, _KEPT), entries(("data-map", _MAPPED))), ControlResult.FAIL),
    ("PDPL-14", bounced(earlier=True), ControlResult.FAIL),
    ("PDPL-14", bounced(earlier=False), ControlResult.PASS),
    ("PDPL-14", message(contact={"last_verified_at": NOON, "email_valid": False}), ControlResult.FAIL),
    ("PDPL-28", document("national_id", kept={"requirement": "law", "reference": "AML art. 7"}), ControlResult.PASS),
    ("PDPL-28", document("national_id", kept={"requirement": "law", "reference": "AML art. 7", "keep_until": _YESTERDAY}), ControlResult.FAIL),
    ("SDAIA-AI-7", agents_message(fact=False), ControlResult.FAIL),
    ("SDAIA-AI-7", agents_message(prompt_version=""), ControlResult.FAIL),
    ("SDAIA-AI-7", agents_message(inputs=0), ControlResult.FAIL),
    ("SDAIA-AI-6", agents_message(fact=False), ControlResult.FAIL),
    ("SDAIA-AI-6", agents_message(by_model=True, disclosed=True), ControlResult.PASS),
    ("SDAIA-AI-1", after(told_by(Plane.DECISION, _RANKING), entries(("bias-reports", {**_FAIR, "result": "biased"}))), ControlResult.FAIL),
    ("SDAIA-AI-1", after(told_by(Plane.DECISION, _RANKING.evolve(features=("sector", "gender"))), entries(("bias-reports", _FAIR))), ControlResult.FAIL),
    ("PDPL-1-11", sensitive(), ControlResult.PASS),
    ("PDPL-1-11", sensitive(written=True), ControlResult.FAIL),
    ("PDPL-1-11", sensitive(state=FindingState.CONFIRMED, written=True), ControlResult.FAIL),
    ("PDPL-1-11", sensitive(state=FindingState.RELEASED, written=True), ControlResult.PASS),
    ("PDPL-1-11", sensitive(level="personal", written=True), ControlResult.PASS),
    ("PDPL-IR11-2", sensitive(state=FindingState.CONFIRMED), ControlResult.FAIL),
    ("PDPL-IR11-2", sensitive(state=FindingState.CONFIRMED, explicit=False), ControlResult.FAIL),
    ("PDPL-IR11-2", sensitive(state=FindingState.CONFIRMED, explicit=True), ControlResult.PASS),
    ("PDPL-17", message(), ControlResult.PASS),
    ("PDPL-17", contested(identified=False), ControlResult.PASS),
    ("PDPL-18", told("destruction", activity=False, disclosed=False), ControlResult.UNKNOWN),
    ("PDPL-22", entries((P, {**ACTIVITY, "data_categories": ["staff"]})), ControlResult.PASS),
    ("PDPL-22", entries((P, {**ACTIVITY, "data_categories": ["staff"], "new_tech": True})), ControlResult.FAIL),
    ("PDPL-22", entries((P, ACTIVITY), ("dpias", {**_DPIA, "review_on": _YESTERDAY})), ControlResult.FAIL),
    ("PDPL-IR16", entries((P, {**_LEGITIMATE, "purpose": "Marketing"}), ("legitimate-interest", _BALANCE)), ControlResult.FAIL),
    ("PDPL-IR16", entries((P, _LEGITIMATE), ("legitimate-interest", {**_BALANCE, "outcome": "rejected"})), ControlResult.FAIL),
    ("PDPL-29", entries(("processors", {**PROCESSOR, "country": "DE"}), ("transfers", {**_ASSESSED, "ends_on": _YESTERDAY}), effect="send_email"), ControlResult.FAIL),
    ("PDPL-1-11", ward(guardian_consent_ref="G-1", verified_on=_YESTERDAY, expires_on=_YESTERDAY), ControlResult.FAIL),
    ("NDMO-DC-1", after(contacts({}), entries(("datasets", {**_DATASET, "level": "secret"}))), ControlResult.FAIL),
    ("NDMO-DC-1", after(contacts({}), entries(("datasets", _DATASET), ("processors", {**PROCESSOR, "max_level": "public"}), effect="send_email")), ControlResult.FAIL),
    ("CST-469-2", after(message(), entries(("senders", {**_SENDER, "country": "AE"}))), ControlResult.FAIL),
    ("CST-469-2", after(message(), entries(("senders", {**_SENDER, "expires_on": _YESTERDAY}))), ControlResult.FAIL),
)  # fmt: skip
