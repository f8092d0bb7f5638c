"""Rows for the controls of `checks_security.yaml`: registers, receipts, and what other planes report, carried as events carry it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from libs.contracts.agents import AgentVerdict, Conversation
from libs.contracts.business_time import RIYADH
from libs.contracts.decision import Draft, DraftReview
from libs.contracts.message import PLATFORM, Plane, Provenance, new_id
from libs.contracts.observed import BackupMade, Fact, FactsReported, LinkSeen, RestoreTested, SignInRules
from libs.contracts.rights import RegisterPut
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime.delivery import handle_once
from services.decision.consumption.budget import Budget, BudgetSpent
from services.decision.consumption.meter import Meter
from services.decision.domain.telling import draft_fact
from services.gateway.domain.people import ApiKey, Session, User
from services.gateway.reporting.people import PeopleReports
from services.gateway.settings import GatewaySettings
from services.gateway.store import SqlStore as GatewayStore
from services.trust.domain.keys import LiveKeys
from services.trust.handlers import Listener
from services.trust.keys.rotation import KeyBook
from services.trust.ledger.sequencer import Sequencer
from services.trust.ledger.store import SqlLedgerStore
from services.trust.ledger.verifying import LogWatch
from services.trust.rights.registers import Registers
from services.trust.store import SqlStore
from tests.flows.world import KEYS_OF_TRUST
from tests.live.control_fixtures import NO_PROJECTION, Book, Write, carry, carry_told, entries, message, nothing
from tests.live.migrated import plane_database

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(RIYADH).date()
ORIGIN = "test.example"
VAT, BUYER = "310000000000003", "399999999900003"


def day(ago: int) -> str:
    return (TODAY - timedelta(days=ago)).isoformat()


def at(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


# -- what planes report -----------------------------------------------------------------------------------------------------------


def reported(plane: Plane, *facts: Fact, whole: Iterable[str], ago: float = 0) -> Write:
    """What holds for the whole installation."""

    async def write(book: Book) -> None:
        told_at = datetime.now(UTC) - timedelta(seconds=ago)
        # Installation facts are of all tests: what an earlier one told is over.
        await carry(book, plane, FactsReported(tenant_id=PLATFORM, at=datetime.now(UTC), facts=(), whole=tuple(whole)))
        await carry(book, plane, FactsReported(tenant_id=PLATFORM, at=told_at, facts=facts))

    return write


def both(*writes: Write) -> Write:
    async def write(book: Book) -> None:
        for one in writes:
            await one(book)

    return write


def settings(**given: Any) -> GatewaySettings:
    return GatewaySettings(secret_key="x" * 32, _env_file=None, **given)


def people(*given: dict[str, Any], rules: dict[str, Any] | None = None) -> Write:
    """Accounts with their sessions and keys, written by the gateway's store and told by its reports."""

    async def write(book: Book) -> None:
        async with plane_database(book.url, Plane.GATEWAY) as database:
            for one in given:
                await _person(GatewayStore(database), book, **one)
            await PeopleReports(database, settings(**(rules or {}))).run_once()
            await carry_told(book, Plane.GATEWAY, database)

    return write


async def _person(
    store: GatewayStore, book: Book, *, roles: tuple[str, ...] = ("owner",), session: dict[str, Any] | None = None,
    key: tuple[str, ...] = (), personal: bool = True, disabled: bool = False, user: Any = None,
) -> None:  # fmt: skip
    user_id = user or new_id()
    made = User(
        book.tenant, user_id, f"{user_id.hex}@a.example", "Sara", roles, None, "$argon2id$", False, None, False, 0, False, 1, NOW, "test",
    )  # fmt: skip
    async with store.unit(book.tenant) as unit:
        await unit.add_user(made, user_id.bytes * 2)
        if disabled:
            await unit.save_user(replace(made, disabled=True))
        now = await unit.now()
        if session is not None:
            given = {
                "created_at": now,
                "seen_at": now,
                "expires_at": now + timedelta(hours=9),
                "by": "password",
                **session,
            }
            opened = Session(tenant_id=book.tenant, session_id=new_id(), user_id=user_id, **given)
            await unit.add_session(opened, opened.session_id.bytes * 2)
        if key:
            api_key = ApiKey(book.tenant, new_id(), user_id, personal, "k", b"h", key, now, "user:1", None, None, None)
            await unit.add_key(api_key, api_key.key_id.bytes * 2)


def left(*, disabled: bool) -> Write:
    """Somebody who left yesterday, and their account."""

    async def write(book: Book) -> None:
        gone = new_id()
        await people({"roles": ("member",), "disabled": disabled, "user": gone})(book)
        await entries(REVIEW, ("leavers", {"person": f"user:{gone}", "ended_at": at(days=1)}))(book)

    return write


async def unreported(book: Book) -> None:
    """Nobody has told anything about the installation."""
    for plane, whole in ((OPS, (*LINKS, *RECOVERY)), (DOOR, ("sign_in_rules",))):
        await reported(plane, whole=whole)(book)


# -- logs -------------------------------------------------------------------------------------------------------------------------


def watched(*, tampered: bool = False, verified: bool = True, days: bool = True) -> Write:
    """A log with an entry, placed, signed, and looked at by trust's own watch."""

    async def write(book: Book) -> None:
        await entries(("retention", {"category": "contact", "basis": "policy", "keep_days": 30}))(book)
        await KeyBook(book.database, LiveKeys(KEYS_OF_TRUST)).record(KEYS_OF_TRUST)
        connection = await asyncpg.connect(book.url)
        sequencer = Sequencer(SqlLedgerStore(connection), KEYS_OF_TRUST.checkpoint, origin=ORIGIN)
        await sequencer.drain()
        await sequencer.checkpoint()
        if tampered:
            await connection.execute(
                "update trust.ledger_entries set body = convert_to('{}', 'UTF8') where tenant_id = $1", book.tenant
            )
        await connection.close()
        watch = LogWatch(book.database, ORIGIN)
        if verified:
            await watch.look(book.tenant)

    return write


def paused(**ago: float) -> Write:
    """A pause of everything of the tenant that execution acknowledged, as operating's record of it arrives."""

    async def write(book: Book) -> None:
        event = AuditRecorded(
            entry_id=new_id(), tenant_id=book.tenant, kind="control_acknowledged", actor="plane:execution", target=f"tenant:{book.tenant}",
            at=datetime.now(UTC) - timedelta(**ago), data={"paused": True, "version": 1},
        )  # fmt: skip
        listener = Listener(SqlStore(book.database), NO_PROJECTION)
        await handle_once(
            book.database, AUDITED[Plane.OPERATING], listener.audited, str(new_id()), event.model_dump_json().encode()
        )

    return write


# -- agents -----------------------------------------------------------------------------------------------------------------------


def ran(text: str, *, engine: str = "rules", counted: bool = True) -> Write:
    """A run of an agent, counted and told by decision's meter."""

    async def write(book: Book) -> None:
        async with plane_database(book.url, Plane.DECISION) as database:
            meter = Meter(database, lambda: datetime.now(UTC), 10)
            if counted:
                await meter.take(book.tenant)
            run = Conversation(
                conversation_id=new_id(), tenant_id=book.tenant, at=NOW, asked_by="user:1", via="run", agent="qa_reviewer", version="1",
                engine=engine, input_digest="x", output_schema="X", verdict=AgentVerdict.ANSWERED, confidence=1.0, cost_sar=Decimal("0.00"),
                latency_ms=1.0,
            )  # fmt: skip
            await meter.tell(run, {"content": {"body": text}})
            await carry_told(book, Plane.DECISION, database)

    return write


def overspent() -> Write:
    """A day whose budget was lowered below what had run by then."""

    async def write(book: Book) -> None:
        await ran("one")(book)
        await ran("two")(book)
        async with plane_database(book.url, Plane.DECISION) as database:
            with contextlib.suppress(BudgetSpent):
                await Budget(database, 1).take(book.tenant)
        await ran("told of", counted=False)(book)

    return write


def drafted(body: str = "Good morning") -> Write:
    """A draft that an agent wrote, told by decision, and the action that it was submitted as, which left."""

    async def write(book: Book) -> None:
        action = await book.sent(await book.contact())
        origin = Provenance(
            generated_at=NOW, generated_by="outreach_writer", model_provider="local", model_id="t", prompt_version="1", confidence=1.0,
            freshness_hours=0.0,
        )  # fmt: skip
        made = Draft(
            draft_id=action, tenant_id=book.tenant, lead_id=new_id(), contact_id=new_id(), channel="email", language="en", subject="Hello",
            body=body, facts_used=(), qa_score=90.0, action_id=action, provenance=origin,
            reviews=(DraftReview(reviewer="qa_reviewer", verdict="pass"),),
        )  # fmt: skip
        fact = draft_fact(made, ("12%",))
        await carry(book, Plane.DECISION, FactsReported(tenant_id=book.tenant, facts=(fact,), at=datetime.now(UTC)))

    return write


# -- invoices ---------------------------------------------------------------------------------------------------------------------


def qr(fields: dict[int, str]) -> str:
    parts = [bytes([tag, len(value.encode())]) + value.encode() for tag, value in fields.items()]
    return base64.b64encode(b"".join(parts)).decode()


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def invoice(number: int = 1, **changes: Any) -> tuple[str, dict[str, Any]]:
    made = {
        "number": f"INV-{number}", "document": "invoice", "standard": "standard", "uuid": str(new_id()), "counter": number,
        "hash": digest(f"invoice {number}"), "previous_hash": digest(f"invoice {number - 1}"), "seller_vat": VAT, "buyer_vat": BUYER,
        "net": "100.00", "vat": "15.00", "total": "115.00", "issued_at": at(hours=30), "state": "CLEARED", "settled_at": at(hours=30),
        "local_errors": 0, **changes,
    }  # fmt: skip
    fields = {
        1: "Ofoq",
        2: VAT,
        3: "2026-11-20T10:00:00",
        4: made["total"],
        5: made["vat"],
        6: made["hash"],
        7: "sig",
        8: "key",
    }
    return "tax-invoices", {"qr": qr(fields), **made}


def edited(**changes: Any) -> Write:
    """An invoice that somebody changed after it was issued."""

    async def write(book: Book) -> None:
        kind, values = invoice()
        entry = new_id()
        for version, held in enumerate((values, {**values, **changes})):
            put = RegisterPut(principal=book.who(), kind=kind, entry_id=entry, values=held, expected_version=version)
            await Registers(book.database).put(put)

    return write


# -- the fixtures -----------------------------------------------------------------------------------------------------------------

REVIEW = ("access-reviews", {"reviewed_on": day(9), "reviewer": "user:1", "evidence_ref": "AR-1"})
SCAN = ("vulnerability-scans", {"scope": "console", "scanned_on": day(9), "tool": "zap", "report_ref": "VS-1"})
HOLE = {"name": "CVE-1", "severity": "critical", "found_on": day(9)}
DISK = ("encrypted-storage", {"asset": "db", "encrypted": True, "evidence_ref": "E-1", "valid_until": day(-30)})
DOMAIN = {"domain": "ofoq.example", "spf": "pass", "dkim": "aligned", "dmarc": "reject"}
DATASET = {"name": "staging", "environment": "staging", "personal_data": True, "checked_on": day(1)}
TEMPLATE = {"name": "hello", "language": "ar", "status": "APPROVED"}
NUMBER = {"number_id": "77", "quality": "GREEN", "limit_per_day": 250}
PAID = {"reference": "pay_1", "paid_at": at(hours=30), "amount": "115.00"}
COMPLAINTS = {"domain": "ofoq.example", "day": day(1), "delivered": 10_000}
MAILED = {"sender_domain": "ofoq.example", "unsubscribe": "one_click"}
WHATSAPPED = {"template": "hello", "language": "ar", "number": "77"}
LOG_RULE = ("retention", {"category": "audit_log", "basis": "law", "keep_days": 365})
MFA, NO_MFA = {"second_factor": True}, {"second_factor": False}
RULES = SignInRules(subject="gateway", idle_minutes=30, life_hours=12, free_attempts=5, first_lock_seconds=30)
LINK = LinkSeen(subject="trust/database", encrypted=True, version="TLSv1.3", local=False)
BACKUP = BackupMade(subject="b1", made_at=NOW - timedelta(hours=2), rows=9, leaves=3)
RESTORE = RestoreTested(subject="b1", restored_at=NOW - timedelta(days=9), rows=9, leaves=3)
LINKS, RECOVERY = ("link",), ("backup", "restore_test")
OPS, DOOR = Plane.OPERATING, Plane.GATEWAY


def whatsapp(
    *given: tuple[str, dict[str, Any]], consented: bool = True, carried: dict[str, str] | None = None
) -> Write:
    """A WhatsApp message of now, after what the registers say."""
    sent = message(
        consented=consented, channel="whatsapp", effect="send_whatsapp", carried=carried or WHATSAPPED, at=datetime.now(UTC) + timedelta(seconds=2)
    )  # fmt: skip
    return both(entries(*given), sent)


# As in `control_fixtures_privacy.PRIVACY`.
SECURITY: dict[str, tuple[Write | None, Write, Write]] = {
    "NCA-ECC-2-2-3-2": (
        people({"session": MFA}, {"roles": ("member",), "session": NO_MFA}), people({"session": NO_MFA}), people({"session": {}}),
    ),
    "NCA-ECC-2-2-3-3": (
        both(message(), people({"key": ("*",)}, {"roles": ("member",), "key": ("read",)})),
        people({"roles": ("auditor", "operator")}), nothing(),
    ),
    "NCA-ECC-2-2-3-5": (left(disabled=True), left(disabled=False), people({})),
    "NCA-ECC-2-12-3-5": (
        both(watched(), entries(LOG_RULE)), both(watched(), entries(("retention", {**LOG_RULE[1], "keep_days": 90}))), watched(),
    ),
    "NCA-ECC-2-12-3-2": (both(message(), watched()), watched(tampered=True), watched(verified=False)),
    "NCA-ECC-2-8-3": (
        both(reported(OPS, LINK, whole=LINKS), entries(DISK)), reported(OPS, LINK.evolve(version="TLSv1.1"), whole=LINKS),
        reported(OPS, LINK, whole=LINKS),
    ),
    "NCA-ECC-2-10-3": (
        entries(SCAN, ("vulnerabilities", {**HOLE, "fixed_on": day(1)})), entries(SCAN, ("vulnerabilities", HOLE)), nothing(),
    ),
    "NCA-ECC-2-4-3-5": (
        both(message(carried=MAILED), entries(("sender-domains", {**DOMAIN, "checked_at": at(hours=1)}))),
        entries(("sender-domains", {**DOMAIN, "dmarc": "monitor", "checked_at": at(hours=1)})),
        both(message(carried=MAILED), entries(("sender-domains", {**DOMAIN, "checked_at": at(hours=30)}))),
    ),
    "NCA-DCC-2-4-1-3": (entries(("test-datasets", {**DATASET, "masked": True})), entries(("test-datasets", DATASET)), nothing()),
    "NCA-CCC-2-2-T-1-3": (
        people({"session": MFA}, rules={"gateway_session_idle_minutes": 30}), people({}, rules={"gateway_session_idle_minutes": 60}),
        reported(DOOR, RULES, whole=("sign_in_rules",), ago=9000),
    ),
    "NCA-ECC-2-9-3": (
        reported(OPS, BACKUP, RESTORE, whole=RECOVERY),
        reported(OPS, BACKUP.evolve(made_at=NOW - timedelta(days=2)), RESTORE, whole=RECOVERY), reported(OPS, BACKUP, whole=RECOVERY),
    ),
    "OWASP-LLM01": (message(screening="review"), message(quarantined=True, approved=False), nothing()),
    "OWASP-LLM03": (both(message(), paused(days=3)), both(message(), paused(days=40)), message()),
    "OWASP-LLM02": (ran("09:00"), ran("call 0551234567", engine="groq"), nothing()),
    "OWASP-LLM06": (ran("09:00"), overspent(), nothing()),
    "OWASP-LLM10": (drafted(), drafted(body="Growth of 30% guaranteed"), nothing()),
    "ZATCA-VAT-1": (entries(invoice()), entries(invoice(vat="10.00", total="110.00")), nothing()),
    "ZATCA-P2-1": (
        entries(("payments", PAID), invoice(payments=["pay_1"])), entries(("payments", PAID), invoice(payments=["pay_2"])),
        entries(("payments", {**PAID, "paid_at": at(hours=1)})),
    ),
    "ZATCA-P2-2": (entries(invoice(1), invoice(2)), entries(invoice(1), invoice(3)), entries(invoice(local_errors=None))),
    "ZATCA-P2-3": (
        edited(state="REPORTED"), edited(total="999.00"), nothing(),
    ),
    "META-WA-1": (
        whatsapp(("whatsapp-templates", {**TEMPLATE, "checked_at": at(hours=1)})),
        whatsapp(("whatsapp-templates", {**TEMPLATE, "status": "PAUSED", "checked_at": at(hours=1)})), whatsapp(carried={"template": ""}),
    ),
    "META-WA-2": (
        whatsapp(("whatsapp-numbers", {**NUMBER, "checked_at": at(hours=1)})),
        whatsapp(("whatsapp-numbers", {**NUMBER, "quality": "RED", "checked_at": at(hours=1)})), whatsapp(),
    ),
    "EMAIL-1": (
        both(message(carried=MAILED), entries(("mail-complaints", {**COMPLAINTS, "complaints": 9}))),
        both(message(carried=MAILED), entries(("mail-complaints", {**COMPLAINTS, "complaints": 30}))), message(carried=MAILED),
    ),
}  # fmt: skip
