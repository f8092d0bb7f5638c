"""`dealix launch-readiness` and `dealix go-live` against a hand-written gateway: the exit code, the reasons, the word."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dev.fake_gateway import FakeGateway, problem

REASON = {
    "kind": "gate", "key": "restore_tested", "title": {"en": "A backup was restored", "ar": "استُعيدت نسخة"},
    "why": {"en": "No restore is on record.", "ar": "لا توجد استعادة مسجّلة."}, "todo": {"en": "Restore one.", "ar": "استعد نسخة."},
    "owner": "operator", "blocking": True, "points": 3,
}  # fmt: skip
GATE = {
    "gate": "alert_route", "title": {"en": "An alert reached a person", "ar": "وصل تنبيه"}, "todo": {"en": "Set one off.", "ar": "أطلق تنبيهًا."},
    "evidence": {"en": "a test", "ar": "تجربة"}, "owner": "operator", "blocking": True, "result": "pass", "why": {"en": "Attested.", "ar": "شُهد."},
    "attestations": [
        {"attested_at": "2026-11-21T09:00:00Z", "holds": True, "statement": "Got it.", "role": "owner", "attested_by": "user:1", "expires_on": "2026-12-21"}
    ],
}  # fmt: skip


def readiness(**changes: Any) -> dict[str, Any]:
    found = {"environment": "production", "enforced": True, "ready": False, "score": 95, "reasons": [REASON]}
    return {**found, **changes}


def at(**answers: Any) -> FakeGateway:
    return FakeGateway({"GET /launch-readiness": readiness(**answers)})


def test_a_launch_that_is_not_ready_ends_with_exit_code_1_and_its_reasons() -> None:
    said = at().types("launch-readiness", "--lang", "en")
    assert said.exit_code == 1
    assert all(word in said.stdout for word in ("restore_tested", "No restore is on record.", "Restore one.", "95/100"))


@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_only_a_ready_launch_ends_with_exit_code_0(extra: tuple[str, ...]) -> None:
    assert at(ready=True, score=100, reasons=[]).types("launch-readiness", *extra).exit_code == 0
    assert at(ready=False, score=100, reasons=[]).types("launch-readiness", *extra).exit_code == 1


def test_it_says_so_where_gates_hold_nothing_up() -> None:
    said = at(environment="development", enforced=False).types("launch-readiness", "--lang", "ar").stdout
    assert "development" in said and "لا تمنع" in said and "لا توجد استعادة مسجّلة." in said


def test_the_matrix_and_one_gate_are_shown() -> None:
    gateway = FakeGateway(
        {
            "GET /go-live": {"environment": "production", "enforced": True, "items": [GATE]},
            "GET /go-live/alert_route": GATE,
        }
    )
    assert "alert_route" in gateway.types("go-live", "show").stdout
    assert "Got it." in gateway.types("go-live", "show", "alert_route").stdout


def test_a_word_is_sent_as_it_was_given_and_a_refusal_fails() -> None:
    gateway = FakeGateway({"POST /go-live/alert_route/attest": GATE})
    given = ("--statement", "The duty officer got it.", "--until", "2026-12-21")
    assert gateway.types("go-live", "attest", "alert_route", *given).exit_code == 0
    assert gateway.types("go-live", "attest", "alert_route", *given, "--not-any-more").exit_code == 0
    sent = gateway.bodies("POST", "/go-live/alert_route/attest")
    assert [one["holds"] for one in sent] == [True, False]
    assert sent[0]["expires_on"] == "2026-12-21"
    refused = FakeGateway({"POST /go-live/row_security/attest": problem(409, "gate_read_from_records", "Records say.")})
    assert refused.types("go-live", "attest", "row_security", *given).exit_code != 0
