"""What tenants say of flags: for a share, from a time on, until a time; and what a live flag does not take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.catalogue.flags import flags
from libs.contracts.errors import RemoteFault
from libs.contracts.flag_values import DropFlag, FlagStanding, FlagStandingsRequest, PutFlag
from libs.contracts.message import PLATFORM, Plane, Principal, PrincipalKind, new_id
from libs.contracts.operating import FlagsRequest
from libs.contracts.subjects import AUDITED, DROP_FLAG, FLAG_STANDINGS, FLAGS, PUT_FLAG
from libs.contracts.trust import AuditRecorded
from libs.runtime.testing import FakeClock, MemoryBus, MemoryHub
from services.operating.app import wire
from services.operating.domain.flags import FlagValue, decided, in_force
from services.operating.memory import MemoryStore
from services.operating.settings import OperatingSettings

OURS, THEIRS = new_id(), new_id()
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
BRIEF = "whatsapp_brief"
KEYS = [f"user:{n}" for n in range(2000)]


def said(value: bool = False, *, tenant: UUID = OURS, name: str = BRIEF, **more: Any) -> FlagValue:
    return FlagValue(tenant, name, value, 1, "user:1", NOW, **more)


def value(own: FlagValue | None = None, platform: FlagValue | None = None, key: str = "", at: datetime = NOW) -> bool:
    return decided(flags()[(own or platform or said()).name], own, platform, OURS, at, key)[0]


def test_a_share_falls_to_about_as_many_keys_and_always_to_the_same() -> None:
    off = {key for key in KEYS if not value(said(share=20), key=key)}
    assert 300 < len(off) < 500
    assert off == {key for key in KEYS if not value(said(share=20), key=key)}


def test_as_a_share_grows_nobody_falls_out() -> None:
    off = {key for key in KEYS if not value(said(share=20), key=key)}
    more = {key for key in KEYS if not value(said(share=60), key=key)}
    assert off < more
    assert {key for key in KEYS if not value(said(share=100), key=key)} == set(KEYS)


def test_where_nobody_in_particular_asks_a_share_counts_for_nothing() -> None:
    assert value(said(share=99)) is True
    assert in_force(flags(), [said(share=99)], OURS, NOW)[BRIEF] is True


def test_the_platforms_share_is_of_tenants_whoever_asks() -> None:
    tenants = [new_id() for _ in range(500)]
    platform = said(tenant=PLATFORM, share=30)
    off = {t for t in tenants if not decided(flags()[BRIEF], None, platform, t, NOW)[0]}
    assert 100 < len(off) < 200
    assert all(not decided(flags()[BRIEF], None, platform, t, NOW, "user:1")[0] for t in off)


def test_a_word_counts_from_its_time_until_its_time() -> None:
    one = said(starts_at=NOW, expires_at=NOW + timedelta(hours=1))
    times = (-timedelta(seconds=1), timedelta(0), timedelta(minutes=59), timedelta(hours=1))
    assert [value(one, at=NOW + ahead) for ahead in times] == [True, False, False, True]


def test_a_live_flag_is_on_whole_or_not_at_all() -> None:
    live = "live.slack"
    assert value(said(True, name=live)) is True
    assert value(said(True, name=live, share=99), key="user:1") is False
    assert value(said(True, name=live, starts_at=NOW + timedelta(seconds=1))) is False
    veto = said(False, tenant=PLATFORM, name=live, share=1)
    assert decided(flags()[live], said(True, name=live), veto, OURS, NOW)[0] is False


class System:
    def __init__(self) -> None:
        self.hub, self.clock = MemoryHub(), FakeClock(NOW)
        operating = self.hub.bus(Plane.OPERATING)
        self.store = MemoryStore(operating.database, now=self.clock)
        wire(operating, self.store, OperatingSettings(), now=self.clock)
        self.gateway: MemoryBus = self.hub.bus(Plane.GATEWAY)
        self.trust: MemoryBus = self.hub.bus(Plane.TRUST)

    async def put(self, who: Principal, **more: Any) -> FlagStanding:
        reply = await self.gateway.call(PUT_FLAG, PutFlag(principal=who, **{"name": BRIEF, "value": False, **more}))
        return next(one for one in reply.items if one.name == more.get("name", BRIEF))

    def audits(self) -> list[AuditRecorded]:
        return [
            AuditRecorded.model_validate_json(one.body)
            for one in self.hub.published
            if one.event is AUDITED[Plane.OPERATING]
        ]


@pytest_asyncio.fixture
async def system() -> AsyncIterator[System]:
    made = System()
    await made.hub.start()
    yield made
    await made.hub.stop()


def person(*roles: str, tenant: UUID = OURS) -> Principal:
    return Principal(id="user:1", kind=PrincipalKind.USER, tenant_id=tenant, roles=roles)


async def test_what_is_said_is_shown_is_in_force_and_is_on_the_ledger(system: System) -> None:
    until = NOW + timedelta(days=3)
    one = await system.put(person("admin"), expires_at=until)
    assert (one.value, one.source, one.default) == (False, "tenant", True)
    assert one.tenant is not None
    assert (one.tenant.share, one.tenant.expires_at, one.tenant.state) == (100, until, "counts")
    (entry,) = system.audits()
    assert (entry.kind, entry.target) == ("flag_changed", f"flag:{BRIEF}")
    assert entry.data["expires_at"] == until.isoformat()
    assert not (await system.trust.call(FLAGS, FlagsRequest(tenant_id=OURS))).flags[BRIEF]
    system.clock.advance(days=3)
    reply = await system.gateway.call(FLAG_STANDINGS, FlagStandingsRequest(principal=person("member")))
    (now,) = [one for one in reply.items if one.name == BRIEF]
    assert (now.value, now.source, now.tenant and now.tenant.state) == (True, "default", "over")


async def test_a_share_is_evaluated_for_the_key_that_asks(system: System) -> None:
    await system.put(person("owner"), share=50)
    found = []
    for key in KEYS[:60]:
        reply = await system.gateway.call(FLAG_STANDINGS, FlagStandingsRequest(principal=person("member"), key=key))
        found += [(one.value, one.split) for one in reply.items if one.name == BRIEF]
    assert {value for value, _ in found} == {True, False}
    assert all(split for _, split in found)


async def test_another_tenant_hears_nothing_of_it(system: System) -> None:
    await system.put(person("owner"))
    reply = await system.gateway.call(FLAG_STANDINGS, FlagStandingsRequest(principal=person("owner", tenant=THEIRS)))
    (one,) = [one for one in reply.items if one.name == BRIEF]
    assert (one.value, one.tenant) == (True, None)


async def test_a_word_is_taken_back_once(system: System) -> None:
    await system.put(person("owner"))
    for _ in range(2):
        reply = await system.gateway.call(DROP_FLAG, DropFlag(principal=person("owner"), name=BRIEF))
    (one,) = [one for one in reply.items if one.name == BRIEF]
    assert (one.value, one.source, one.tenant) == (True, "default", None)
    assert [entry.kind for entry in system.audits()] == ["flag_changed", "flag_dropped"]


@pytest.mark.parametrize(
    ("roles", "said", "code"),
    [
        (("admin",), {"name": "live.slack", "value": True}, "live_flag_needs_approval"),
        (("admin",), {"name": "live.slack", "share": 50}, "live_flag_whole"),
        (("admin",), {"name": "live.slack", "starts_at": NOW + timedelta(hours=1)}, "live_flag_whole"),
        (("admin",), {"name": "live.slack", "expires_at": NOW + timedelta(hours=1)}, "live_flag_whole"),
        (("admin",), {"name": "strict_privacy"}, "flag_locked"),
        (("admin",), {"name": "nothing"}, "unknown_flag"),
        (("admin",), {"expires_at": NOW}, "flag_term"),
        (("admin",), {"starts_at": NOW + timedelta(hours=2), "expires_at": NOW + timedelta(hours=1)}, "flag_term"),
        (("member",), {}, "flag_forbidden"),
        (("approver",), {}, "flag_forbidden"),
    ],
)
async def test_what_may_not_be_said_changes_nothing(
    system: System, roles: tuple[str, ...], said: dict[str, Any], code: str
) -> None:
    with pytest.raises(RemoteFault) as refused:
        await system.put(person(*roles), **said)
    assert refused.value.code == code
    assert refused.value.ar
    assert system.audits() == []
