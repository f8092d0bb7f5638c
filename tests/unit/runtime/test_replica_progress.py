"""How old a read-only copy is follows from what the primary had acknowledged and what the copy has replayed."""

from __future__ import annotations

import math

import pytest

from libs.contracts.message import Plane
from libs.runtime.replica import KEPT_NOTES, Progress, Replica
from libs.runtime.settings import SettingsError, load


def test_a_copy_of_which_nothing_is_known_is_infinitely_old() -> None:
    progress = Progress()
    assert progress.age(5.0) == math.inf
    progress.note(1.0, 100)
    progress.replayed(99)
    assert progress.age(5.0) == math.inf, "what was committed before the note is not there yet"


def test_a_copy_is_complete_until_the_last_note_that_it_has_passed() -> None:
    progress = Progress()
    for at, position in ((1.0, 100), (2.0, 200), (3.0, 300)):
        progress.note(at, position)
    progress.replayed(250)
    assert progress.age(4.0) == 2.0
    progress.replayed(300)
    assert progress.age(4.0) == 1.0, "exactly as far as the primary stood then"


def test_an_idle_primary_leaves_its_copy_fresh() -> None:
    progress = Progress()
    for at in (1.0, 2.0, 3.0):
        progress.note(at, 100)
        progress.replayed(100)
    assert progress.age(3.5) == 0.5


def test_a_copy_that_stands_still_grows_older_and_is_no_younger_for_many_notes() -> None:
    progress = Progress()
    progress.note(0.0, 1)
    progress.replayed(1)
    for at in range(1, KEPT_NOTES + 50):
        progress.note(float(at), at + 1)
        progress.replayed(1)
    assert progress.age(KEPT_NOTES + 50.0) == KEPT_NOTES + 50.0
    progress.lost()
    assert progress.age(KEPT_NOTES + 50.0) == math.inf


def test_the_metrics_show_its_age_and_who_answered() -> None:
    replica = Replica(Plane.DATA, "postgresql://127.0.0.1/none", limit=10)
    assert replica.pool is None, "never asked before anything is known of it"
    assert list(replica.lines()) == [
        "# TYPE dealix_replica_age_seconds gauge",
        'dealix_replica_age_seconds{plane="data"} inf',
        "# TYPE dealix_reads_total counter",
        'dealix_reads_total{plane="data",source="replica"} 0',
        'dealix_reads_total{plane="data",source="primary"} 0',
    ]


def test_the_copys_address_is_the_planes_own_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALIX_DATA_NATS_SEED", "seed")
    monkeypatch.setenv("DEALIX_DATA_DATABASE_URL", "postgresql://dealix_data@primary/dealix")
    assert load(Plane.DATA).read_database_url == ""
    monkeypatch.setenv("DEALIX_DATA_READ_DATABASE_URL", "postgresql://dealix_data@copy/dealix")
    assert load(Plane.DATA).read_database_url == "postgresql://dealix_data@copy/dealix"
    monkeypatch.setenv("DEALIX_DATA_READ_DATABASE_URL", "the other one")
    with pytest.raises(SettingsError, match="DEALIX_DATA_READ_DATABASE_URL is unusable"):
        load(Plane.DATA)
