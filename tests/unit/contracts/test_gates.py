"""The catalogue of launch gates: all of them, each answerable, in both languages, and strict where it must be."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from libs.contracts.catalogue.gates import Gate, Look, Source, gates
from services.operating.launch import installation
from services.trust.launch.handlers import checks

BLOCKING = {
    "own_secrets", "encrypted_links", "owner_second_factor", "plane_credentials", "row_security", "restore_tested", "signing_keys_backed_up",
    "retention", "lawful_basis", "notices", "dpo", "rights_contact", "breach_contact", "consent_coverage", "suppression_imported",
    "sender_domain", "models_classified", "alert_route", "approvers",
}  # fmt: skip
OTHERS = {"witness", "whatsapp_approved", "crm_mapping", "payment_webhook", "support_hours"}
ARABIC = re.compile(r"[؀-ۿ]")


def test_there_are_the_24_gates_and_which_of_them_block() -> None:
    assert {key for key, gate in gates().gates.items() if gate.blocking} == BLOCKING
    assert {key for key, gate in gates().gates.items() if not gate.blocking} == OTHERS


@pytest.mark.parametrize("key", sorted(BLOCKING | OTHERS))
def test_each_gate_says_what_it_is_and_who_or_what_answers(key: str) -> None:
    gate = gates().gates[key]
    for english, arabic in ((gate.en, gate.ar), (gate.evidence_en, gate.evidence_ar), (gate.todo_en, gate.todo_ar)):
        assert english
        assert ARABIC.search(arabic), arabic
    for look in gate.looks:
        if look.by is Source.RECORDS:
            assert look.of in checks()
        if look.by is Source.INSTALLATION:
            assert callable(getattr(installation, look.of))


def test_every_check_of_trust_belongs_to_a_gate() -> None:
    looked = {look.of for gate in gates().gates.values() for look in gate.looks if look.by is Source.RECORDS}
    assert looked == set(checks())


def test_a_blocking_gate_that_records_answer_can_not_be_talked_open() -> None:
    spoken = {key for key, gate in gates().gates.items() if gate.blocking and gate.looks and gate.attested_by}
    assert spoken == {"signing_keys_backed_up", "suppression_imported"}


def test_gates_hold_wherever_nobody_says_that_it_is_for_development() -> None:
    assert {key for key, one in gates().environments.items() if one.enforced} == {"production", "staging"}


def changed(**changes: object) -> Gate:
    return Gate.model_validate({**gates().gates["alert_route"].model_dump(), **changes})


@pytest.mark.parametrize(
    "changes",
    [{"attested_by": ()}, {"owner": "nobody"}, {"attested_by": ("nobody",)}, {"longest_days": 3650}, {"ar": ""}],
)
def test_a_wrong_gate_stops_the_start(changes: dict[str, object]) -> None:
    changed()
    with pytest.raises(ValidationError):
        changed(**changes)


@pytest.mark.parametrize(
    "look",
    [
        {"by": "controls", "of": "PDPL-999"},
        {"by": "metric", "of": "nothing", "at_least": "0.5"},
        {"by": "metric", "of": "consent_coverage"},
        {"by": "records", "of": "witness", "at_least": "0.5"},
    ],
)
def test_a_look_at_what_there_is_not_stops_the_start(look: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Look.model_validate(look)
