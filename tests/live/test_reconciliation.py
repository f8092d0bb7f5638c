"""Reconciliation on a real PostgreSQL, against a vendor that did something nobody asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from libs.contracts.errors import DealixError
from libs.contracts.execution import (
    ActionState,
    Effect,
    EffectsReply,
    EffectsRequest,
    Receipt,
    Settled,
)
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.operating import ControlCommand, ControlState
from libs.contracts.receipts import ReconciliationRequest, ToolReceiptsRequest, VerifyTool
from libs.contracts.subjects import CONTROL, LIST_EFFECTS
from libs.contracts.trust import AuthorizeRequest, Decision, Evaluation, GrantClaims, ResourceRef
from libs.runtime.database import Database
from libs.runtime.testing import MemoryHub
from services.trust import app as trust
from services.trust.bundles.force import Bundles
from services.trust.ledger.domain.records import EntryFilter
from services.trust.ledger.store import SqlLedgerStore
from services.trust.receipts.handlers import Receipts
from services.trust.receipts.reconcile import Reconciliation
from services.trust.store import SqlStore
from tests.flows.world import BUNDLE, KEYS_OF_TRUST
from tests.live.migrated import migrated_postgres, plane_database

pytestmark = [pytest.mark.live, pytest.mark.asyncio]
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("reconciliation")) as url:
        yield url


class Office:
    """Trust on a real database; execution's answer is a vendor's own log, operating's is what it was told."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tenant = new_id()
        self.owner = Principal(id="user:1", kind="user", tenant_id=self.tenant, roles=("owner",))
        self.log: dict[str, list[Effect]] = {}
        self.readable = {"slack"}
        self.told: list[ControlCommand] = []
        self.operating_answers = True
        hub = MemoryHub()
        bus = hub.bus(Plane.TRUST)
        served = trust.serve(bus, SqlStore(database), Bundles(BUNDLE), KEYS_OF_TRUST, grant_seconds=120)
        self.authorizer = served.authorizer
        hub.bus(Plane.EXECUTION).serve(LIST_EFFECTS, self._list)
        hub.bus(Plane.OPERATING).serve(CONTROL, self._control)
        for each in hub.buses:
            each.connected = True
        self.store = SqlStore(database)
        self.reconciliation = Reconciliation(database, bus, every=60)
        self.receipts = Receipts(database)

    async def _list(self, request: EffectsRequest) -> EffectsReply:
        known = request.connector in self.readable
        return EffectsReply(checkable=known, items=tuple(self.log.get(request.connector, ())))

    async def _control(self, command: ControlCommand) -> ControlState:
        if not self.operating_answers:
            raise DealixError("down", "down", "متوقف")
        self.told.append(command)
        return ControlState(
            scope=command.scope,
            target=command.target,
            paused=True,
            version=1,
            changed_by="x",
            changed_at=datetime.now(UTC),
        )

    async def granted(self) -> GrantClaims:
        evaluation = Evaluation(
            tenant_id=self.tenant, action_id=new_id(), attempt=1, subject=self.owner, action_type="slack_notify",
            effect="slack_notify", connector=None, operation=None, resource=ResourceRef(type="tenant", id=str(self.tenant)),
            payload='{"text":"x"}', salt="ab" * 32,
        )  # fmt: skip
        decision: Decision = (await self.authorizer.authorize(AuthorizeRequest(evaluations=(evaluation,)))).decisions[0]
        assert decision.grant is not None
        return GrantClaims.model_validate_json(decision.grant.claims)

    async def closed(self, outcome: ActionState = ActionState.SUCCEEDED, vendor_id: str = "v1") -> GrantClaims:
        claims, at = await self.granted(), datetime.now(UTC) - HOUR
        receipt = Receipt(
            receipt_id=new_id(), tenant_id=self.tenant, action_id=claims.action_id, attempt=1, grant_id=claims.grant_id,
            connector="slack", operation="post", mode="sandbox", vendor_id=vendor_id, request_digest="", response_digest="",
            started_at=at, finished_at=at,
        )  # fmt: skip
        item = Settled(
            tenant_id=self.tenant, action_id=claims.action_id, attempt=1, action_type="slack_notify", grant_id=claims.grant_id,
            outcome=outcome, receipt=receipt if outcome is ActionState.SUCCEEDED else None, at=at,
        )  # fmt: skip
        async with self.store.unit(self.tenant) as unit:
            await unit.close_grants([item])
        return claims

    def vendor_did(self, vendor_id: str, claims: GrantClaims | None = None) -> None:
        effect = Effect(
            vendor_id=vendor_id,
            action_id=claims.action_id if claims else None,
            at=datetime.now(UTC) - HOUR,
            operation="post",
        )
        self.log.setdefault("slack", []).append(effect)

    async def kinds(self) -> list[str]:
        async with self.database.batch(self.tenant) as work:
            return [e.kind for e in await SqlLedgerStore(work.connection).entries(EntryFilter(self.tenant), 500)]

    async def verdicts(self) -> list[tuple[str, str]]:
        page = await self.receipts.page(ToolReceiptsRequest(principal=self.owner))
        return [(item.verification.value, item.why) for item in page.items]


@pytest_asyncio.fixture
async def office(admin_url: str) -> AsyncIterator[Office]:
    async with plane_database(admin_url, Plane.TRUST) as database:
        yield Office(database)


async def test_what_a_vendor_did_unasked_raises_an_alarm_a_ledger_entry_and_stops_the_connector(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.vendor_did("v1", await office.closed())
    await office.reconciliation.tenant(office.tenant)
    assert not office.told
    office.vendor_did("nobody-asked")
    with caplog.at_level(logging.CRITICAL):
        await office.reconciliation.tenant(office.tenant)
        await office.reconciliation.tenant(office.tenant)
    assert [r.levelname for r in caplog.records if "ORPHAN" in r.message] == ["CRITICAL"]
    assert (await office.kinds()).count("reconciliation.orphan_effect") == 1
    (command,) = office.told
    assert (command.scope, command.target, command.command) == ("connector", "slack", "pause")
    assert command.principal.tenant_id == office.tenant
    shown = await office.receipts.reconciliation(ReconciliationRequest(principal=office.owner))
    assert [(o.vendor_id, o.connector, o.paused) for o in shown.orphans] == [("nobody-asked", "slack", True)]
    assert {run.connector: run.checkable for run in shown.runs}["slack"] is True
    assert {run.connector: run.checkable for run in shown.runs}["stripe"] is False


async def test_a_pause_that_operating_did_not_take_is_asked_for_again(office: Office) -> None:
    office.vendor_did("nobody-asked")
    office.operating_answers = False
    with suppress(DealixError):
        await office.reconciliation.tenant(office.tenant)
    assert not office.told
    office.operating_answers = True
    await asyncio.sleep(0)
    await office.reconciliation.tenant(office.tenant)
    assert len(office.told) == 1


async def test_an_unknown_outcome_is_told_to_execution_once_the_vendor_says(office: Office) -> None:
    done, never = await office.closed(ActionState.UNKNOWN), await office.closed(ActionState.UNKNOWN)
    office.vendor_did("v9", done)
    for _ in range(2):
        await office.reconciliation.tenant(office.tenant)
    async with office.database.batch(office.tenant) as work:
        rows = await work.connection.fetch(
            "select action_id, outcome from trust.outcome_resolutions where tenant_id = $1", office.tenant
        )
        told = await work.connection.fetchval(
            "select count(*) from trust.outbox where subject = 'trust.outcome_resolved.v1' and convert_from(body, 'UTF8') like $1",
            f"%{office.tenant}%",
        )
    assert {(r["action_id"], r["outcome"]) for r in rows} == {
        (done.action_id, "succeeded"),
        (never.action_id, "not_sent"),
    }
    assert told == 2
    assert (await office.kinds()).count("outcome.resolved") == 2


async def test_receipts_say_what_they_are_worth(office: Office) -> None:
    claims = await office.closed()
    assert await office.verdicts() == [("partially_verified", "vendor_not_asked")]
    await office.reconciliation.tenant(office.tenant)
    assert await office.verdicts() == [("contradicted", "vendor_has_none")]
    office.vendor_did("v1", claims)
    await office.reconciliation.tenant(office.tenant)
    assert await office.verdicts() == [("verified", "vendor_confirms")]


async def test_a_claim_is_compared_with_the_receipt_and_a_contradiction_is_ledgered(office: Office) -> None:
    claims = await office.closed()
    asked = VerifyTool(
        principal=office.owner, action_id=claims.action_id, tool="slack_notify", claim={"outcome": "sent"}
    )
    assert (await office.receipts.verify(asked)).verification.value == "partially_verified"
    lie = asked.evolve(claim={"outcome": "sent", "mode": "live"})
    assert (await office.receipts.verify(lie)).verification.value == "contradicted"
    assert (await office.receipts.verify(asked.evolve(tool="send_email"))).why == "another_tool"
    assert (await office.kinds()).count("tool.contradicted") == 2
    for wrong, code in (
        (asked.evolve(tool="teleport"), "unknown_tool"),
        (asked.evolve(action_id=new_id()), "not_found"),
    ):
        with pytest.raises(DealixError) as error:
            await office.receipts.verify(wrong)
        assert error.value.code == code
