"""The compliance matrix on a real PostgreSQL: what makes each control pass, fail and stay unknown, and what a failure stops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.controls import ControlMode, controls
from libs.contracts.compliance import (
    AssignControl,
    Attest,
    ControlGet,
    ControlResult,
    GateEffect,
    MatrixReply,
    MatrixRequest,
    RunCompliance,
)
from libs.contracts.errors import DealixError, Forbidden
from libs.contracts.message import PLATFORM, Plane, new_id
from libs.contracts.observed import FactsReported, SessionSeen
from libs.runtime.database import Database
from services.trust.compliance.checks import checks
from services.trust.compliance.gate import Gates
from services.trust.compliance.handlers import Compliance
from services.trust.compliance.store import ControlRows
from services.trust.compliance.sweep import Sweep
from services.trust.ledger.sequencer import Sequencer
from services.trust.ledger.store import SqlLedgerStore
from tests.flows.world import KEYS_OF_TRUST
from tests.live.control_fixtures import NOON, Book, Write, carry
from tests.live.control_fixtures_privacy import PRIVACY
from tests.live.control_fixtures_security import (
    DATASET,
    HOLE,
    NO_MFA,
    SECURITY,
    invoice,
    people,
    unreported,
)
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = pytest.mark.live
PDF = b"%PDF-1.7\nevidence"
UNTIL = (datetime.now(RIYADH) + timedelta(days=30)).date()


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("compliance")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.TRUST) as made:
        yield made


@pytest.fixture
def book(database: Database, admin_url: str) -> Book:
    return Book(database, url=admin_url)


class Files:
    """Evidence that waits in the object store."""

    def __init__(self, **kept: bytes) -> None:
        self.kept = kept

    async def take(self, name: str) -> bytes:
        return self.kept[name]


def plane(database: Database, *, live: bool = False, **files: bytes) -> Compliance:
    async def is_live(_: UUID) -> bool:
        return live

    return Compliance(database, Sweep(database, is_live), Files(**files).take)


async def standing(compliance: Compliance, book: Book, control: str) -> Any:
    reply = await compliance.run(RunCompliance(principal=book.who(), control_ids=(control,)))
    return next(one for one in reply.items if one.control.control_id == control)


# -- every check ------------------------------------------------------------------------------------------------------------------

ALL = PRIVACY | SECURITY
CASES = [
    pytest.param(control, write, result, id=f"{control}-{result.value}")
    for control, written in ALL.items()
    for write, result in zip(written, (ControlResult.PASS, ControlResult.FAIL, ControlResult.UNKNOWN), strict=True)
    if write is not None
]


@pytest.mark.parametrize(("control", "write", "result"), CASES)
async def test_a_control_says_what_the_rows_say(
    database: Database, book: Book, control: str, write: Write, result: ControlResult
) -> None:
    await write(book)
    found = await standing(plane(database), book, control)
    assert found.result is result, found.why
    assert found.reading.result is result
    if result is ControlResult.FAIL:
        assert found.reading.failing == len(found.reading.sample) > 0
        assert (found.owner, found.overdue) == ("compliance_officer", False) and found.due_at is not None
    else:
        assert (found.reading.failing, found.owner) == (0, "")


def test_every_check_has_its_fixtures() -> None:
    assert ALL.keys() == checks().keys()


def test_a_control_that_can_never_pass_says_which_record_is_missing() -> None:
    assert {key for key, (passes, _, _) in ALL.items() if passes is None} == {
        key for key, check in checks().items() if check.unrecorded_en
    }


# -- the matrix -------------------------------------------------------------------------------------------------------------------


async def test_a_tenant_without_records_passes_nothing(database: Database, book: Book) -> None:
    compliance = plane(database)
    await unreported(book)
    before = await compliance.matrix(MatrixRequest(principal=book.who()))
    after = await compliance.run(RunCompliance(principal=book.who()))
    assert before.counts == after.counts == {"pass": 0, "fail": 0, "unknown": 58, "n/a": 0}
    assert [one.control.control_id for one in after.items] == list(controls())
    assert all(one.why.en and one.why.ar for one in after.items)
    assert "not legal advice" in after.not_advice.en


async def test_an_old_reading_is_unknown(database: Database, book: Book) -> None:
    compliance = plane(database)
    await book.contact()
    assert (await standing(compliance, book, "LI-8-2")).result is ControlResult.PASS
    await _age(database, book, "LI-8-2", "3 hours")
    reply = await compliance.get(ControlGet(principal=book.who(), control_id="LI-8-2"))
    assert (reply.state.result, reply.state.stale) == (ControlResult.UNKNOWN, True)
    assert reply.state.reading is not None and reply.state.reading.result is ControlResult.PASS


async def test_a_checks_today_is_riyadhs_and_no_other_statements(database: Database) -> None:
    zone = "select current_setting('timezone') as zone, current_date = (now() at time zone 'Asia/Riyadh')::date as same, $1::uuid"
    async with database.batch(PLATFORM) as work:
        row = await ControlRows(work.connection, PLATFORM).count(zone, ())
    async with database.batch(PLATFORM) as work:
        after = await work.connection.fetchval("select current_setting('timezone')")
    assert (row["zone"], row["same"], after) == ("Asia/Riyadh", True, "UTC")


async def test_the_schedule_looks_again_at_what_is_due_and_at_nothing_else(database: Database, book: Book) -> None:
    compliance = plane(database)
    await compliance._sweep.due(book.tenant)
    async with database.batch(book.tenant) as work:
        first = await ControlRows(work.connection, book.tenant).newest()
    await _age(database, book, "PDPL-06", "61 minutes")
    await _age(database, book, "PDPL-18", "61 minutes")  # a daily one
    await compliance._sweep.due(book.tenant)
    async with database.batch(book.tenant) as work:
        second = await ControlRows(work.connection, book.tenant).newest()
    assert len(first) == sum(control.kind == "automatic" for control in controls().values()) == 53
    assert {key for key in first if second[key].checked_at > first[key].checked_at} == {"PDPL-06"}


async def test_the_schedule_finds_every_tenant_by_its_log(database: Database, book: Book, admin_url: str) -> None:
    compliance = plane(database)
    await book.entry("retention", {"category": "contact", "basis": "policy", "keep_days": 365})  # an entry in the log
    await book.contact()
    connection = await asyncpg.connect(admin_url)
    await Sequencer(SqlLedgerStore(connection), KEYS_OF_TRUST.checkpoint, origin="test.example").drain()
    await connection.close()
    assert book.tenant in await compliance._sweep.tenants()
    await compliance._sweep.due(book.tenant)  # of this tenant alone: the other tests have left hundreds
    reply = await compliance.get(ControlGet(principal=book.who(), control_id="LI-8-2"))
    assert reply.state.result is ControlResult.PASS and reply.state.reading is not None


async def test_history_has_a_row_for_every_change_and_none_for_the_same_again(database: Database, book: Book) -> None:
    compliance = plane(database)
    for _ in range(3):
        await standing(compliance, book, "LI-8-2")
    await book.contact(source="scraped")
    for _ in range(2):
        await standing(compliance, book, "LI-8-2")
    reply = await compliance.get(ControlGet(principal=book.who(), control_id="LI-8-2"))
    assert [one.result.value for one in reply.history] == ["fail", "unknown"]
    async with database.batch(book.tenant) as work:
        rows = await work.connection.fetch("select kind, target from trust.ledger_entries order by entry_id")
    assert [tuple(row) for row in rows] == [("control.read", "control:LI-8-2")] * 2


async def test_a_failure_keeps_its_owner_and_date_until_nothing_fails(database: Database, book: Book) -> None:
    compliance = plane(database)
    contact = await book.contact(source="scraped")
    due = datetime.now(UTC) + timedelta(days=3)
    asked = AssignControl(principal=book.who(), control_id="LI-8-2", owner="user:9", due_at=due)
    with pytest.raises(DealixError, match="does not fail"):
        await compliance.assign(asked)
    since = (await standing(compliance, book, "LI-8-2")).failing_since
    await compliance.assign(asked)
    found = await standing(compliance, book, "LI-8-2")
    assert (found.owner, found.due_at, found.failing_since) == ("user:9", due, since)
    async with database.batch(book.tenant) as work:
        await work.connection.execute("delete from trust.contact_facts where contact_id = $1", contact)
    assert (await standing(compliance, book, "LI-8-2")).owner == ""


async def test_one_tenants_rows_never_show_in_anothers_matrix(database: Database, book: Book) -> None:
    def seen(reply: MatrixReply) -> dict[str, tuple[Any, ...]]:
        return {
            one.control.control_id: (one.result, one.reading.rows, one.reading.failing, one.reading.sample)
            for one in reply.items
            if one.reading is not None
        }

    compliance, other = plane(database), Book(database, url=book.url)
    await people()(book)  # what is told of the whole installation is everybody's
    before = seen(await compliance.run(RunCompliance(principal=book.who())))
    await other.contact(source="scraped")
    await other.sent(approved=False)
    for kind, values in (invoice(vat="1.00", total="101.00"), ("test-datasets", DATASET), ("vulnerabilities", HOLE)):
        await other.entry(kind, values)
    await people({"session": NO_MFA}, {"roles": ("auditor", "operator")})(other)
    failing = {
        one.control.control_id
        for one in (await compliance.run(RunCompliance(principal=other.who()))).items
        if one.result == "fail"
    }
    assert failing >= {
        "LI-8-2",
        "ZATCA-VAT-1",
        "NCA-DCC-2-4-1-3",
        "NCA-ECC-2-10-3",
        "NCA-ECC-2-2-3-2",
        "NCA-ECC-2-2-3-3",
        "SDAIA-AI-3",
    }
    assert seen(await compliance.run(RunCompliance(principal=book.who()))) == before


async def test_only_those_who_keep_the_matrix_run_it(database: Database, book: Book) -> None:
    compliance = plane(database)
    auditor = book.who().evolve(roles=("auditor",))
    await compliance.matrix(MatrixRequest(principal=auditor))
    for refused in (
        compliance.run(RunCompliance(principal=auditor)),
        compliance.matrix(MatrixRequest(principal=auditor.evolve(roles=("member",)))),
        compliance.attest(_evidence(book, "PDPL-12").evolve(principal=auditor)),
    ):
        with pytest.raises(Forbidden):
            await refused


# -- evidence ---------------------------------------------------------------------------------------------------------------------


def _evidence(book: Book, control: str, **changes: Any) -> Attest:
    base = Attest(
        principal=book.who(), attestation_id=new_id(), control_id=control, statement="The approved privacy policy", object_name="file",
        file_name="policy.pdf", valid_until=UNTIL,
    )  # fmt: skip
    made: Attest = base.evolve(**changes)
    return made


async def test_evidence_counts_until_its_day_and_not_after(database: Database, book: Book) -> None:
    compliance = plane(database, file=PDF)
    made = await compliance.attest(_evidence(book, "PDPL-12"))
    assert (made.state.result, made.attestations[0].bytes) == (ControlResult.PASS, len(PDF))
    today = datetime.now(RIYADH).date()
    await compliance.attest(_evidence(book, "PDPL-30", valid_until=today))
    async with database.batch(book.tenant) as work:
        seen = await ControlRows(work.connection, book.tenant).attestations("PDPL-30")
    from services.trust.compliance.domain.judge import attested

    assert attested(seen["PDPL-30"], today)[0] is ControlResult.PASS
    assert attested(seen["PDPL-30"], today + timedelta(days=1))[0] is ControlResult.UNKNOWN


@pytest.mark.parametrize(
    ("body", "changes", "code"),
    [
        (b"MZ\x90\x00", {}, "evidence_type"),
        (PDF, {"file_name": "policy.png"}, "evidence_type"),
        (b"PK\x03\x04 no archive", {"file_name": "policy.docx"}, "evidence_type"),
        (PDF + b"x" * 5 * 1024**2, {}, "evidence_size"),
        (b"", {"object_name": ""}, "evidence_missing"),
        (PDF, {"valid_until": UNTIL - timedelta(days=40)}, "evidence_term"),
        (PDF, {"valid_until": UNTIL + timedelta(days=400)}, "evidence_term"),
        (PDF, {"control_id": "PDPL-26"}, "not_attested"),
        (b"", {"control_id": "PDPL-26", "applies": False, "object_name": ""}, "always_applies"),
    ],
)
async def test_evidence_that_does_not_fit_is_refused_on_record_and_changes_nothing(
    database: Database, book: Book, body: bytes, changes: dict[str, Any], code: str
) -> None:
    compliance = plane(database, file=body)
    asked = _evidence(book, "PDPL-12", **changes)
    with pytest.raises(DealixError) as refused:
        await compliance.attest(asked)
    assert (refused.value.code, bool(refused.value.ar)) == (code, True)
    reply = await compliance.get(ControlGet(principal=book.who(), control_id=asked.control_id))
    assert (reply.state.result, reply.attestations) == (ControlResult.UNKNOWN, ())
    async with database.batch(book.tenant) as work:
        kinds = await work.connection.fetch("select kind from trust.ledger_entries")
    assert [row["kind"] for row in kinds] == ["control.evidence_refused"]


async def test_the_same_evidence_twice_is_kept_once(database: Database, book: Book) -> None:
    compliance, asked = plane(database, file=PDF), _evidence(book, "PDPL-12")
    await compliance.attest(asked)
    assert len((await compliance.attest(asked)).attestations) == 1


# -- the gate ---------------------------------------------------------------------------------------------------------------------


async def test_a_failing_gate_control_holds_what_is_live_until_it_is_mended_or_set_aside(
    database: Database, book: Book
) -> None:
    other = Book(database)
    assert controls()["LI-8-2"].mode is ControlMode.GATE
    assert await Gates(database).failing([book.tenant, other.tenant]) == set()
    await book.contact(source="scraped")
    sandbox = await standing(plane(database), book, "LI-8-2")
    live = await standing(plane(database, live=True), book, "LI-8-2")
    assert (sandbox.gate, live.gate) == (GateEffect.WOULD_BLOCK, GateEffect.BLOCKS_LIVE)
    assert await Gates(database).failing([book.tenant, other.tenant]) == {book.tenant}
    aside = _evidence(book, "LI-8-2", applies=False, object_name="", statement="We have no LinkedIn account")
    reply = await plane(database).attest(aside)
    assert (reply.state.result, reply.state.gate) == (ControlResult.NOT_APPLICABLE, GateEffect.NOTHING)
    assert await Gates(database).failing([book.tenant]) == set()


async def test_an_owner_without_a_second_factor_holds_what_is_live_until_they_showed_two(
    database: Database, book: Book
) -> None:
    control = "NCA-ECC-2-2-3-2"
    await people({"session": NO_MFA})(book)
    assert (await standing(plane(database, live=True), book, control)).gate is GateEffect.BLOCKS_LIVE
    assert await Gates(database).failing([book.tenant]) == {book.tenant}
    await told(book, whole=("session",))
    assert (await standing(plane(database, live=True), book, control)).result is ControlResult.UNKNOWN
    now = datetime.now(UTC)
    again = SessionSeen(
        subject="session:2", person="user:1", roles=("owner",), second_factor=True, remote=True, by="oidc", started_at=now,
        expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    await told(book, again)
    assert (await standing(plane(database, live=True), book, control)).result is ControlResult.PASS
    assert await Gates(database).failing([book.tenant]) == set()


async def told(book: Book, *facts: SessionSeen, whole: tuple[str, ...] = ()) -> None:
    report = FactsReported(tenant_id=book.tenant, at=datetime.now(UTC), facts=facts, whole=whole)
    await carry(book, Plane.GATEWAY, report)


async def test_a_failing_sweep_control_holds_nothing(database: Database, book: Book) -> None:
    await book.contact()
    assert controls()["PDPL-06"].mode is ControlMode.SWEEP
    assert (await standing(plane(database, live=True), book, "PDPL-06")).gate is GateEffect.NOTHING
    assert await Gates(database).failing([book.tenant]) == set()


async def test_what_the_sandbox_would_have_sent_counts_until_the_tenant_is_live(database: Database, book: Book) -> None:
    await book.sent(await book.contact(), approved=False)
    assert (await standing(plane(database), book, "SDAIA-AI-3")).result is ControlResult.FAIL
    assert (await standing(plane(database, live=True), book, "SDAIA-AI-3")).result is ControlResult.UNKNOWN
    await book.sent(await book.contact(), approved=False, connector_mode="live", at=NOON)
    assert (await standing(plane(database, live=True), book, "SDAIA-AI-3")).result is ControlResult.FAIL


async def _age(database: Database, book: Book, control: str, by: str) -> None:
    async with database.batch(book.tenant) as work:
        await work.connection.execute(
            "update trust.control_looks set checked_at = checked_at - $2::text::interval where control_id = $1",
            control,
            by,
        )
