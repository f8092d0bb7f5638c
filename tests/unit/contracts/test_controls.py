"""The catalogue of controls: complete, typed, and versioned by what it says."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from libs.contracts.catalogue.controls import DUE, FILE, MOST, ControlMode, Severity, controls, version


def test_the_catalogue_has_its_controls() -> None:
    found = controls()
    assert Counter(one.mode for one in found.values()) == {
        ControlMode.GATE: 35,
        ControlMode.SWEEP: 18,
        ControlMode.ATTEST: 5,
    }
    assert all(one.title_en and one.title_ar and one.requirement and one.source for one in found.values())


def test_a_reading_grows_stale_at_twice_its_cadence() -> None:
    assert controls()["PDPL-20-1"].stale_after == timedelta(minutes=10)
    assert controls()["PDPL-18"].stale_after == timedelta(days=2)
    assert controls()["PDPL-26"].every == MOST  # per send


def test_the_graver_a_failure_the_sooner_it_is_due() -> None:
    assert DUE[Severity.CRITICAL] < DUE[Severity.HIGH] < DUE[Severity.MEDIUM]


def test_law_and_regulation_bind_everybody_and_contracts_do_not() -> None:
    assert controls()["PDPL-26"].binds and controls()["ZATCA-P2-1"].binds
    assert not controls()["LI-8-2"].binds and not controls()["NCA-ECC-2-2-3-2"].binds


def test_the_version_is_the_file() -> None:
    assert len(version()) == 12
    assert FILE.name == "controls.csv"
