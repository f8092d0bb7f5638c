"""Operating's rules: what may be said of a plane's health, who may control what, which flags are in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.flags import Flag, FlagKind, flags
from libs.contracts.errors import DealixError
from libs.contracts.message import PLATFORM, Plane, Principal, PrincipalKind, new_id
from libs.contracts.operating import ControlCommand, HealthReported, SpanRecord
from services.operating.domain.control import Control, understand
from services.operating.domain.flags import FlagValue, in_force, require_change
from services.operating.domain.health import Board
from services.operating.domain.spans import TENANT, Buffer, keep
from services.operating.errors import (
    ControlForbidden,
    FlagForbidden,
    FlagLocked,
    ForeignTenant,
    LiveFlagNeedsApproval,
    UnknownCommand,
    UnknownFlag,
    UnknownScope,
    UnknownTarget,
)

OURS, THEIRS = new_id(), new_id()
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
INTERVAL = timedelta(seconds=3)
ROLES = ("owner", "admin", "approver", "operator", "member", "auditor", "compliance_officer", "api_client")


def principal(*roles: str, tenant: UUID = OURS, kind: PrincipalKind = PrincipalKind.USER) -> Principal:
    return Principal(id="user:1", kind=kind, tenant_id=tenant, roles=roles)


def report(plane: Plane, instance: str = "a", **changes: object) -> HealthReported:
    fields = {"version": "0.1.0", "at": NOW, "healthy": True, "checks": {"bus": "ok"}, **changes}
    return HealthReported.model_validate({"plane": plane, "instance": instance, **fields})


def status(board: Board, plane: Plane, now: datetime = NOW) -> str:
    return next(p.status for p in board.planes(now) if p.plane is plane)


# health


def test_a_plane_that_was_never_heard_is_unknown() -> None:
    board = Board(INTERVAL)
    assert {p.plane: p.status for p in board.planes(NOW)} == dict.fromkeys(Plane, "unknown")


def test_a_plane_is_unknown_after_three_missed_heartbeats_and_not_before() -> None:
    board = Board(INTERVAL)
    board.hear(report(Plane.TRUST), NOW)
    assert status(board, Plane.TRUST, NOW + 2.9 * INTERVAL) == "ok"
    assert status(board, Plane.TRUST, NOW + 3 * INTERVAL) == "unknown"
    silent = next(p for p in board.planes(NOW + 3 * INTERVAL) if p.plane is Plane.TRUST)
    assert (silent.instances, silent.last_seen_at, silent.checks) == (0, NOW, {})


@pytest.mark.parametrize(
    "changes", [{"checks": {}}, {"checks": {"bus": "ok", "database": "TimeoutError"}}, {"healthy": False}]
)
def test_a_report_that_is_not_well_or_checked_nothing_is_never_ok(changes: dict[str, object]) -> None:
    board = Board(INTERVAL)
    board.hear(report(Plane.DATA, **changes), NOW)
    assert status(board, Plane.DATA) == "down"


def test_one_ill_replica_beside_a_well_one_is_degraded_and_its_check_is_shown() -> None:
    board = Board(INTERVAL)
    board.hear(report(Plane.DATA, "b", checks={"bus": "ok", "database": "refused"}), NOW)
    board.hear(report(Plane.DATA, "a", checks={"bus": "ok", "database": "ok"}), NOW)
    shown = next(p for p in board.planes(NOW) if p.plane is Plane.DATA)
    assert (shown.status, shown.instances, shown.checks) == ("degraded", 2, {"bus": "ok", "database": "refused"})


def test_a_clock_that_is_wrong_at_the_sender_does_not_keep_a_silent_plane_alive() -> None:
    board = Board(INTERVAL)
    board.hear(report(Plane.TRUST, at=NOW + timedelta(days=1)), NOW)
    assert status(board, Plane.TRUST, NOW + timedelta(minutes=1)) == "unknown"


def test_replicas_that_are_gone_are_forgotten_but_the_last_sight_of_a_plane_is_not() -> None:
    board = Board(INTERVAL)
    board.hear(report(Plane.TRUST, "old"), NOW)
    board.hear(report(Plane.TRUST, "last"), NOW + timedelta(seconds=1))
    board.forget(NOW + timedelta(days=2))
    assert [beat.report.instance for beat in board.heartbeats()] == ["last"]


# control


def command(who: Principal, verb: str, scope: str = "connector", target: str = "whatsapp") -> ControlCommand:
    return ControlCommand(principal=who, scope=scope, target=target, command=verb)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", ["pause", "stop", "resume"])
def test_only_the_roles_of_the_table_control_and_a_compliance_officer_only_stops(role: str, verb: str) -> None:
    allowed = role in {"owner", "admin", "operator"} or (role == "compliance_officer" and verb == "stop")
    if allowed:
        assert understand(command(principal(role), verb)).paused is (verb != "resume")
    else:
        with pytest.raises(ControlForbidden):
            understand(command(principal(role), verb))


def test_nobody_without_a_role_and_no_agent_controls_anything() -> None:
    with pytest.raises(ControlForbidden):
        understand(command(principal(), "stop"))
    with pytest.raises(ControlForbidden):
        understand(command(principal("owner", kind=PrincipalKind.AGENT), "resume"))


@pytest.mark.parametrize(
    ("verb", "scope", "target", "error"),
    [
        ("halt", "all", "*", UnknownCommand),
        ("Stop", "all", "*", UnknownCommand),
        ("stop", "planet", "*", UnknownScope),
        ("stop", "all", "whatsapp", UnknownTarget),
        ("stop", "connector", "whatsap", UnknownTarget),
        ("stop", "connector", "*", UnknownTarget),
        ("stop", "connector", "none", UnknownTarget),
        ("stop", "action_type", "send_everything", UnknownTarget),
        ("stop", "tenant", "not-an-id", UnknownTarget),
    ],
)
def test_a_control_of_something_that_does_not_exist_is_refused(
    verb: str, scope: str, target: str, error: type[DealixError]
) -> None:
    with pytest.raises(error):
        understand(command(principal("owner"), verb, scope, target))


def test_a_tenants_owner_cannot_control_another_tenant_and_the_platform_can() -> None:
    with pytest.raises(ForeignTenant):
        understand(command(principal("owner"), "stop", "tenant", str(THEIRS)))
    ours = understand(command(principal("owner"), "stop", "tenant", "*"))
    assert (ours.tenant_id, ours.target) == (OURS, str(OURS))
    theirs = understand(command(principal("owner", tenant=PLATFORM), "stop", "tenant", str(THEIRS)))
    assert (theirs.tenant_id, theirs.target) == (PLATFORM, str(THEIRS))
    with pytest.raises(UnknownTarget):
        understand(command(principal("owner", tenant=PLATFORM), "stop", "tenant", "*"))


def _control(tenant: UUID, scope: str = "all", target: str = "*") -> Control:
    return Control(new_id(), tenant, scope, target, True, 3, "user:9", NOW, {Plane.EXECUTION: 2})


def test_a_tenant_sees_what_holds_it_and_not_who_at_the_platform_did_it() -> None:
    assert _control(PLATFORM).concerns(OURS)
    assert _control(PLATFORM, "tenant", str(OURS)).concerns(OURS)
    assert not _control(PLATFORM, "tenant", str(THEIRS)).concerns(OURS)
    assert not _control(THEIRS).concerns(OURS)
    assert _control(PLATFORM).state(OURS).changed_by == "platform"
    assert _control(OURS).state(OURS).changed_by == "user:9"


def test_an_acknowledgement_of_an_older_version_is_shown_as_none() -> None:
    assert _control(OURS).state(OURS).acknowledged == {"execution": False}


# flags


def value(name: str, on: bool, tenant: UUID = OURS, expires_at: datetime | None = None) -> FlagValue:
    return FlagValue(tenant, name, on, 1, "user:1", NOW, expires_at)


def test_out_of_the_box_no_connector_is_live() -> None:
    answer = in_force(flags(), [], OURS, NOW)
    assert [name for name, on in answer.items() if on and name.startswith("live.")] == []
    external = {effect.connector for effect in effects().values() if effect.external}
    assert {f"live.{connector}" for connector in external} <= set(answer)


def test_a_live_flag_cannot_be_on_by_default() -> None:
    with pytest.raises(ValueError, match="off by default"):
        Flag(name="live.fax", kind=FlagKind.LIVE, default=True, owner="owner", en="Fax", ar="فاكس")
    with pytest.raises(ValueError, match="named live"):
        Flag(name="fax_for_real", kind=FlagKind.LIVE, default=False, owner="owner", en="Fax", ar="فاكس")


@pytest.mark.parametrize(
    ("values", "live"),
    [
        ([value("live.whatsapp", True)], True),
        ([value("live.whatsapp", False)], False),
        ([value("live.whatsapp", True, PLATFORM)], False),
        ([value("live.whatsapp", True), value("live.whatsapp", False, PLATFORM)], False),
        ([value("live.whatsapp", False), value("live.whatsapp", True, PLATFORM)], False),
        ([value("live.whatsapp", True, THEIRS)], False),
        ([value("live.whatsapp", True, expires_at=NOW)], False),
        ([value("live.whatsapp", True, expires_at=NOW + timedelta(seconds=1))], True),
    ],
)
def test_live_needs_the_tenants_own_word_and_no_veto_of_the_platform(values: list[FlagValue], live: bool) -> None:
    assert in_force(flags(), values, OURS, NOW)["live.whatsapp"] is live


def test_a_tenants_off_beats_the_platforms_on() -> None:
    values = [value("whatsapp_brief", False), value("whatsapp_brief", True, PLATFORM)]
    assert in_force(flags(), values, OURS, NOW)["whatsapp_brief"] is False
    assert in_force(flags(), values, THEIRS, NOW)["whatsapp_brief"] is True


def test_strict_privacy_cannot_be_switched_off_by_anybody() -> None:
    with pytest.raises(FlagLocked):
        require_change(flags(), principal("owner", tenant=PLATFORM), "strict_privacy", False)
    values = [value("strict_privacy", False), value("strict_privacy", False, PLATFORM)]
    assert in_force(flags(), values, OURS, NOW)["strict_privacy"] is True


def test_a_value_of_a_flag_that_is_not_in_the_catalogue_has_no_effect() -> None:
    assert "live.fax" not in in_force(flags(), [value("live.fax", True)], OURS, NOW)


def test_switching_live_needs_an_approved_action_and_switching_off_does_not() -> None:
    with pytest.raises(LiveFlagNeedsApproval):
        require_change(flags(), principal("owner"), "live.whatsapp", True)
    assert require_change(flags(), principal("owner"), "live.whatsapp", False).name == "live.whatsapp"


@pytest.mark.parametrize("role", ["approver", "operator", "member", "auditor", "api_client"])
def test_a_role_outside_the_table_changes_no_flag(role: str) -> None:
    with pytest.raises(FlagForbidden):
        require_change(flags(), principal(role), "whatsapp_brief", False)


def test_an_unknown_flag_and_an_agent_are_refused() -> None:
    with pytest.raises(UnknownFlag):
        require_change(flags(), principal("owner"), "live.fax", False)
    with pytest.raises(FlagForbidden):
        require_change(flags(), principal("owner", kind=PrincipalKind.AGENT), "whatsapp_brief", False)


# spans


def _span(tenant: object) -> SpanRecord:
    return SpanRecord(
        trace_id="a" * 32, span_id=new_id().hex[:16], parent_id=None, plane=Plane.DATA, name="n", kind="server",
        start_ns=1, end_ns=2, ok=True, attributes={} if tenant is None else {TENANT: tenant},
    )  # fmt: skip


def test_a_span_whose_tenant_cannot_be_read_is_not_kept_where_everyone_would_see_it() -> None:
    assert keep(_span("acme")) is None
    assert keep(_span(7)) is None
    kept = keep(_span(str(OURS)))
    assert kept is not None
    assert kept.tenant_id == OURS


def test_a_full_buffer_drops_the_oldest_spans_and_counts_them() -> None:
    buffer = Buffer(limit=2)
    spans = [_span(None) for _ in range(3)]
    buffer.add([*spans, _span("unreadable")])
    assert buffer.dropped == 2
    assert [kept.span for kept in buffer.take(10)] == spans[1:]
    assert len(buffer) == 0


def test_every_refusal_speaks_both_languages() -> None:
    refusals = [
        ControlForbidden("pause"), ForeignTenant(), UnknownCommand(), UnknownScope(), UnknownTarget("connector", "x"),
        UnknownFlag(), FlagForbidden(), FlagLocked(), LiveFlagNeedsApproval(),
    ]  # fmt: skip
    for refusal in refusals:
        fault = refusal.fault()
        assert fault.message.isascii()
        assert any("\u0600" <= letter <= "\u06ff" for letter in fault.message_ar)
        assert 400 <= fault.status < 500
