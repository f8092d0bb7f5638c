"""A data directory: one system at a time, room enough, and a state that is believed only while it is true."""

from __future__ import annotations

import errno
import io
import socket
from pathlib import Path

import pytest

from dev.directory import (
    MINIMUM_FREE_BYTES,
    DirectoryLock,
    RememberedPort,
    holder,
    open_directory,
    read_json,
    unusable,
    write_json,
)
from dev.logs import Terminal, readable
from dev.messages import AlreadyRunning, DataDirectoryUnusable, Sentence
from dev.state import SystemState, read_state, write_state

HELD = Sentence("held", "مشغول")


def test_a_full_disk_is_noticed_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryUnusable) as refused:
        open_directory(tmp_path / "d", free=lambda _: MINIMUM_FREE_BYTES - 1)
    assert "300 MB" in refused.value.sentence.en
    assert "300" in refused.value.sentence.ar
    assert open_directory(tmp_path / "d", free=lambda _: MINIMUM_FREE_BYTES).is_dir()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "less than 300 MB"),
        (errno.ENOTDIR, "not a directory"),
        (errno.EACCES, "Cannot write"),
        (errno.EROFS, "Cannot write"),
    ],
)
def test_the_systems_refusal_becomes_a_sentence_that_names_the_option(number: int, words: str) -> None:
    sentence = unusable(Path("/x"), OSError(number, "no")).sentence
    assert words in sentence.en
    assert "--data-dir" in sentence.en
    assert "--data-dir" in sentence.ar


def test_an_existing_directory_keeps_its_mode(tmp_path: Path) -> None:
    existing = tmp_path / "mine"
    existing.mkdir(mode=0o700)
    open_directory(existing)
    assert existing.stat().st_mode & 0o777 == 0o700


def test_only_one_holds_the_lock_and_it_is_free_when_released(tmp_path: Path) -> None:
    first, second = DirectoryLock(tmp_path / "lock", HELD), DirectoryLock(tmp_path / "lock", HELD)
    with first:
        assert holder(tmp_path) is not None
        with pytest.raises(AlreadyRunning):
            second.acquire()
    assert holder(tmp_path) is None
    with second:
        assert holder(tmp_path) is not None


def test_what_a_dead_supervisor_wrote_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "lock").write_text("1\n")
    write_state(SystemState("ready", str(tmp_path), 1, "0"))
    assert read_state(tmp_path).state == "stopped"


def test_a_state_of_another_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with DirectoryLock(tmp_path / "lock", HELD):
        pid = holder(tmp_path)
        state = {
            "state": "ready",
            "data_dir": str(tmp_path),
            "pid": pid,
            "new_field": 1,
            "planes": {"trust": {"pid": pid, "new": 2}},
        }
        write_json(tmp_path / "run" / "system.json", state)
        assert read_state(tmp_path).planes["trust"].pid == pid


def test_half_a_json_file_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": ')
    assert read_json(tmp_path / "x.json") == {}
    write_json(tmp_path / "x.json", {"a": 1})
    assert read_json(tmp_path / "x.json") == {"a": 1}
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o600


def test_a_remembered_port_is_kept_unless_taken(tmp_path: Path) -> None:
    remembered = RememberedPort(tmp_path)
    port = remembered.choose()
    remembered.remember(port)
    assert remembered.choose() == port
    with socket.create_server(("127.0.0.1", port)):
        assert remembered.choose() != port
    (tmp_path / "port").write_text("nonsense")
    assert 1024 < remembered.choose() < 65536


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"level": "info", "message": "serving", "plane": "trust", "trace_id": "t"}', "INFO serving trace_id=t"),
        ('{"a": 1}', '{"a": 1}'),
        ("{broken", "{broken"),
        ("plain", "plain"),
    ],
)
def test_a_json_log_line_is_shown_as_a_sentence(line: str, shown: str) -> None:
    assert readable(line) == shown


def test_a_terminal_that_goes_away_stops_nothing() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.line("trust", "one")
    stream.close()
    terminal.line("trust", "two")
    terminal.line("trust", "three")
