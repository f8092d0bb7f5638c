"""What was seen and said about a gate, and how ready that makes a launch. Unknown is never a pass."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from libs.contracts.catalogue.gates import Look, Source, gates
from libs.contracts.compliance import ControlResult
from libs.contracts.launch import GateAttestation, GateResult, GateSeen, GateStanding, LaunchFact, OwnCredentials
from libs.contracts.message import Plane, Text
from libs.contracts.metrics import MetricValue
from libs.contracts.operating import PlaneHealth
from services.operating.launch.domain.judging import matrix, readiness, standing
from services.operating.launch.installation import (
    own_secrets,
    plane_credentials,
    public_address,
    restore_tested,
    row_security,
)
from services.operating.launch.others import classified, fact, measured

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
TODAY = date(2026, 11, 22)
WHY = Text(en="why", ar="سبب")
PASS, FAIL, UNKNOWN = GateResult.PASS, GateResult.FAIL, GateResult.UNKNOWN


def seen(key: str, result: GateResult = PASS) -> dict[str, GateSeen]:
    return {look.key: GateSeen(what=look.key, result=result, why=WHY) for look in gates().gates[key].looks}


def word(*, holds: bool = True, expires_on: date = TODAY) -> GateAttestation:
    return GateAttestation(
        attestation_id=UUID(int=7), gate="alert_route", environment="production", holds=holds, statement="seen by the duty officer",
        role="operator", attested_by="user:1", attested_at=NOW, expires_on=expires_on,
    )  # fmt: skip


def stands(
    key: str, found: dict[str, GateSeen], said: GateAttestation | None = None, environment: str = "production"
) -> GateStanding:
    where = gates().environments[environment]
    return standing(gates().gates[key], found, said, environment=where, points=3, today=TODAY)


def test_what_was_not_looked_at_is_unknown_and_blocks() -> None:
    one = stands("row_security", {})
    assert (one.result, one.blocks) == (UNKNOWN, True)


def test_the_worst_of_what_was_seen_counts() -> None:
    found = seen("notices")
    assert stands("notices", found).result is PASS
    found["records:notices"] = found["records:notices"].evolve(result=UNKNOWN)
    assert stands("notices", found).result is UNKNOWN
    found["controls:PDPL-12"] = found["controls:PDPL-12"].evolve(result=FAIL)
    assert stands("notices", found).result is FAIL


def test_nobodys_word_covers_what_only_records_answer() -> None:
    assert stands("row_security", seen("row_security", UNKNOWN), word()).result is UNKNOWN


def test_a_word_counts_where_records_leave_it_unknown_and_never_where_they_fail() -> None:
    assert stands("signing_keys_backed_up", seen("signing_keys_backed_up", UNKNOWN), word()).result is PASS
    assert stands("signing_keys_backed_up", seen("signing_keys_backed_up", FAIL), word()).result is FAIL


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (None, UNKNOWN),
        (word(), PASS),
        (word(expires_on=TODAY - timedelta(days=1)), UNKNOWN),
        (word(holds=False), FAIL),
    ],
)
def test_a_gate_that_only_a_person_can_know(said: GateAttestation | None, result: GateResult) -> None:
    one = stands("alert_route", {}, said)
    assert (one.result, one.blocks) == (result, result is not PASS)


def test_development_shows_open_gates_and_blocks_nothing() -> None:
    one = stands("row_security", {}, environment="development")
    assert (one.result, one.blocking, one.blocks) == (UNKNOWN, True, False)


def test_a_gate_that_does_not_block_never_blocks() -> None:
    assert not stands("witness", seen("witness", FAIL)).blocks


def everything(result: GateResult = PASS) -> dict[str, GateSeen]:
    return {key: one for gate in gates().gates for key, one in seen(gate, result).items()}


def said_by_people() -> dict[str, GateAttestation]:
    return {key: word() for key, gate in gates().gates.items() if gate.attested_by}


def planes(status: str = "ok") -> list[PlaneHealth]:
    return [PlaneHealth(plane=plane, status=status, instances=1, version="1", last_seen_at=NOW) for plane in Plane]


def test_ready_is_a_launch_with_every_gate_passed_and_every_plane_well() -> None:
    found = matrix(gates(), everything(), said_by_people(), environment="production", now=NOW)
    assert (found.blocking_open, found.counts) == (0, {"pass": 24, "fail": 0, "unknown": 0})
    ready = readiness(found, planes(), plane_points=1)
    assert (ready.ready, ready.score, ready.reasons) == (True, 100, ())
    assert ready.points == 19 * 3 + 5 + 6


def test_the_score_is_what_is_earned_and_the_reasons_say_the_rest() -> None:
    looked = everything() | seen("dpo", UNKNOWN) | seen("witness", FAIL)
    found = matrix(gates(), looked, said_by_people(), environment="production", now=NOW)
    held = readiness(found, planes(), plane_points=1)
    assert [(one.key, one.blocking, one.points) for one in held.reasons] == [("dpo", True, 3), ("witness", False, 1)]
    assert (held.ready, held.earned, held.score) == (False, 64, 94)
    assert sum(one.points for one in held.reasons) + held.earned == held.points


def test_an_open_gate_that_does_not_block_leaves_it_ready() -> None:
    found = matrix(gates(), everything() | seen("witness", FAIL), said_by_people(), environment="production", now=NOW)
    assert readiness(found, planes(), plane_points=1).ready


def test_development_is_not_ready_for_being_lenient() -> None:
    found = matrix(gates(), {}, {}, environment="development", now=NOW)
    assert found.counts["pass"] == 0
    assert not readiness(found, planes(), plane_points=1).ready


@pytest.mark.parametrize("status", ["unknown", "down", "degraded"])
def test_a_plane_that_is_not_well_keeps_it_from_being_ready(status: str) -> None:
    found = matrix(gates(), everything(), said_by_people(), environment="production", now=NOW)
    assert not readiness(found, planes(status), plane_points=1).ready
    assert not readiness(found, [], plane_points=1).ready


def held(**changes: OwnCredentials | None) -> dict[Plane, OwnCredentials | None]:
    own = {
        plane: OwnCredentials(
            instance="a", database_user=f"dealix_{plane.value}", nats_user=f"U{plane.value}", secrets=2
        )
        for plane in Plane
    }
    return {**own, **{Plane(name): one for name, one in changes.items()}}


def test_secrets_pass_when_every_plane_answers_and_none_is_weak() -> None:
    assert own_secrets(held()).result is PASS
    assert own_secrets(held(trust=None)).result is UNKNOWN
    weak = OwnCredentials(instance="a", database_user="d", nats_user="u", secrets=2, weak=("DEALIX_SECRET_KEY",))
    found = own_secrets(held(gateway=weak, trust=None))
    assert (found.result, found.failing) == (FAIL, 1)
    assert "DEALIX_SECRET_KEY" in found.why.ar
    assert own_secrets({}).result is UNKNOWN


def test_credentials_that_two_planes_share_or_that_may_everything_fail() -> None:
    assert plane_credentials(held(), []).result is PASS
    assert plane_credentials(held(), ["dealix_trust"]).result is FAIL
    twin = OwnCredentials(instance="b", database_user="dealix_trust", nats_user="Udata", secrets=2)
    assert plane_credentials(held(data=twin), []).result is FAIL
    assert plane_credentials(held(data=None), []).result is UNKNOWN
    assert plane_credentials({}, []).result is UNKNOWN


def test_an_address_without_tls_fails_and_a_silent_gateway_is_unknown() -> None:
    assert public_address(held()).result is PASS
    assert public_address(held(gateway=None)).result is UNKNOWN
    plain = OwnCredentials(instance="a", database_user="d", nats_user="u", secrets=1, plain_addresses=("http://x.sa",))
    assert public_address(held(gateway=plain)).result is FAIL


def test_tables_and_restores() -> None:
    assert row_security({"rows": 0, "failing": 0, "sample": None}).result is UNKNOWN
    assert row_security({"rows": 9, "failing": 1, "sample": ["trust.approvals"]}).result is FAIL
    assert row_security({"rows": 9, "failing": 0, "sample": None}).result is PASS
    assert restore_tested({"rows": 0, "fresh": None}).result is UNKNOWN
    assert restore_tested({"rows": 1, "fresh": False}).result is FAIL
    assert restore_tested({"rows": 1, "fresh": True}).result is PASS


@pytest.mark.parametrize(
    ("result", "means"),
    [(ControlResult.PASS, PASS), (ControlResult.NOT_APPLICABLE, PASS), (ControlResult.FAIL, FAIL), (ControlResult.UNKNOWN, UNKNOWN)],
)  # fmt: skip
def test_what_a_control_says(result: ControlResult, means: GateResult) -> None:
    one = fact(Source.CONTROLS, LaunchFact(key="PDPL-30", result=result, why=WHY))
    assert (one.what, one.result) == ("controls:PDPL-30", means)


@pytest.mark.parametrize(("value", "means"), [("0.80", PASS), ("0.7999", FAIL), (None, UNKNOWN)])
def test_coverage_against_its_threshold(value: str | None, means: GateResult) -> None:
    look = Look(by=Source.METRIC, of="consent_coverage", at_least=Decimal("0.80"))
    share = MetricValue(
        name="consent_coverage", unit="share", en="Consent coverage", ar="تغطية الموافقات", definition_en="", definition_ar="",
        freshness_hours=1, value=None if value is None else Decimal(value), no_data=value is None, since=NOW, until=NOW, as_of=NOW, rows=5,
    )  # fmt: skip
    found = measured(look, share)
    assert found.result is means
    if value == "0.7999":
        assert "79.9%" in found.why.en


def test_models_abroad_need_a_transfer_on_record() -> None:
    assert classified((), ()).result is PASS
    assert classified(("self_host",), ()).result is PASS
    found = classified(("openai", "self_host"), {"openai"})
    assert (found.result, found.failing) == (FAIL, 1)
