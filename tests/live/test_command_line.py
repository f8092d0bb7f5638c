"""The command line against the whole real system: the main job, one yes, its proof."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.directory import any_free_port

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.live


class Person:
    """Somebody at a terminal, with a data directory of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def types(self, *arguments: str, code: int = 0) -> str:
        """What `dealix …` prints; fails when it ends with another exit code."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DEALIX_", "LC_", "LANG"))}
        done = subprocess.run(
            [sys.executable, "-m", "dev.cli", *arguments],
            env={**clean, "PYTHONPATH": str(ROOT), "DEALIX_DATA_DIR": str(self.home / "data")},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == code, f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def asks(self, *arguments: str) -> Any:
        return json.loads(self.types(*arguments, "--json"))


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    person = Person(tmp_path_factory.mktemp("person"))
    started = person.asks("up", "--detach", "--port", str(any_free_port()))
    try:
        assert started["first_owner"]["password"]
        yield person
    finally:
        person.types("down")


@pytest.fixture(scope="module")
def report(person: Person) -> Any:
    """The main job on the example file."""
    return person.asks("run", str(ROOT / "examples" / "leads.csv"), "--tenant", "demo")


def test_the_first_password_is_shown_once(person: Person) -> None:
    kept = json.loads((person.home / "data" / "secrets" / "first-owner.json").read_text())
    assert "password" not in kept


def test_every_row_of_the_example_ends_in_exactly_one_outcome(report: Any) -> None:
    counts = report["import"]["counts"]
    outcomes = ("created", "merged", "needs_review", "blocked", "rejected")
    assert counts["rows"] == 200 == sum(counts[name] for name in outcomes)
    assert all(counts[name] for name in outcomes)
    scores = [o["score"] for o in report["opportunities"]]
    assert scores == sorted(scores, reverse=True)
    assert all(report["cards"].values())


def test_a_draft_is_approved_executed_and_proven(person: Person, report: Any) -> None:
    approval = report["approvals"][0]
    shown = person.types("approvals", "show", approval["approval_id"])
    assert approval["payload"] in shown
    person.types("approvals", "approve", approval["approval_id"], code=1)  # nobody was there to say yes
    done = person.asks("approvals", "approve", approval["approval_id"], "--yes")
    action = done["action"]
    assert done["approval"]["state"] == "approved"
    assert (action["state"], action["receipt"]["mode"]) == ("succeeded", "sandbox")

    journey = person.asks("actions", "journey", action["action_id"])
    planes = {plane for trace in journey["traces"] for plane in trace["planes"]}
    assert {"gateway", "execution", "trust"} <= planes

    person.types("evidence", "export", "--scope", f"action:{action['action_id']}", "-o", "pack.zip")
    person.types("trust-root", "-o", "jwks.json")
    person.types("verify", "pack.zip", "--trust-root", "jwks.json")
    pack = person.home / "pack.zip"
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)
    person.types("verify", "pack.zip", "--trust-root", "jwks.json", code=1)
    person.types("verify", "pack.zip", code=2)


def test_the_same_file_again_changes_nothing(person: Person, report: Any) -> None:
    again = person.asks("import", str(ROOT / "examples" / "leads.csv"))["counts"]
    assert (again["created"], again["unchanged"]) == (0, 200 - again["rejected"])


def test_the_smoke_test_passes_and_read_only_as_well(person: Person, report: Any) -> None:
    assert person.asks("smoke")["ok"] is True
    assert person.asks("smoke", "--read-only")["ok"] is True


def test_a_pause_is_taken_by_the_plane_that_enforces_it(person: Person) -> None:
    state = person.asks("control", "pause", "--scope", "connector", "--target", "whatsapp", "--reason", "a test")
    assert (state["paused"], state["acknowledged"]) == (True, {"execution": True})
    assert person.asks("control", "resume", "--scope", "connector", "--target", "whatsapp")["paused"] is False


def test_the_generated_documents_are_those_that_the_running_system_serves(person: Person) -> None:
    assert "/api/v1/targeting/import" in json.loads(person.types("openapi"))["paths"]
    assert "trust.authorize.v1" in json.loads(person.types("asyncapi"))["channels"]
    assert "nkey" in person.types("nats-config")
    assert "$DEALIX" not in person.types("nats-config")
