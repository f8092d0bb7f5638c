"""There is one way to an Admitted."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from services.execution.errors import NotAdmitted
from services.execution.gate import Admitted
from tests.unit.execution.admitting import admitted


@pytest.mark.parametrize("seal", [None, object(), True, "gate"])
def test_nobody_but_the_gate_makes_an_admitted(seal: object) -> None:
    real = admitted("slack_notify", {"text": "x"})
    with pytest.raises(NotAdmitted):
        Admitted(seal, real.claims, real.payload, real.vendor_key)


@pytest.mark.parametrize("change", [{"payload": {"text": "other"}}, {"vendor_key": "other"}])
def test_a_real_one_does_not_make_another_with_other_contents(change: dict[str, Any]) -> None:
    real = admitted("slack_notify", {"text": "x"})
    with pytest.raises((ValueError, NotAdmitted)):
        dataclasses.replace(real, **change)
    assert not hasattr(real, "seal")


def test_a_real_one_cannot_be_changed() -> None:
    real = admitted("slack_notify", {"text": "x"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        real.payload = {}  # type: ignore[misc]


def test_the_vendors_key_names_the_action_and_not_the_attempt() -> None:
    real = admitted("slack_notify", {"text": "x"})
    assert real.vendor_key == f"dlx-{real.claims.action_id}"
