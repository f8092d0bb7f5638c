"""The smoke test notices what is wrong: every step of it can fail, and the first that does ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dev.smoke import PEOPLE
from tests.unit.dev.fake_gateway import FakeGateway, Several, problem
from tests.unit.trust import pack_sample

ROWS = len(PEOPLE.splitlines()) - 1
COUNTS = {"rows": ROWS, "created": 2, "merged": 1, "needs_review": 0, "blocked": 1, "rejected": 1}
APPROVAL = {
    "approval_id": "a1",
    "action_id": "sent",
    "payload": json.dumps({"to": "noura@oasis-factory.example"}),
    "payload_hash": "a" * 64,
    "view_hash": "b" * 64,
}
STALE = problem(409, "stale_hash", "It has changed.")


@pytest.fixture(scope="module")
def pack() -> bytes:
    return asyncio.run(pack_sample.pack())


@pytest.fixture
def system(pack: bytes) -> FakeGateway:
    """A system in which everything is as it must be."""
    opportunities = {"items": [{"score": 90.0}, {"score": 70.0}], "next_cursor": None}
    approvals = {"items": [{**APPROVAL, "payload": '{"to": "real@customer.example"}'}, APPROVAL], "next_cursor": None}
    return FakeGateway(
        {
            "GET /readyz": {"planes": ["trust"]},
            "GET /me": {"tenant_slug": "demo"},
            "GET /.well-known/jwks.json": pack_sample.jwks(),
            "POST /targeting/import": {"import_id": "i1"},
            "GET /targeting/imports/i1": {"state": "completed", "progress": 1.0, "counts": dict(COUNTS)},
            "POST /targeting/rank": {"ranked": 3},
            "GET /targeting/opportunities": opportunities,
            "GET /cards/feed": {"items": [{"buttons": [{"action": "approve"}]}]},
            "POST /actions": Several({"action_id": "forbidden"}, {"action_id": "safe"}),
            "GET /actions/forbidden": {"action_id": "forbidden", "state": "refused", "reasons": [{"code": "class_c"}]},
            "GET /actions/safe": {"action_id": "safe", "state": "succeeded"},
            "GET /approvals": approvals,
            "GET /approvals/a1": APPROVAL,
            "POST /approvals/a1/approve": Several(STALE, {**APPROVAL, "state": "approved"}),
            "GET /actions/sent": {"action_id": "sent", "state": "succeeded", "receipt": {"mode": "sandbox"}},
            "GET /actions/sent/journey": {"traces": [{"planes": ["execution", "trust"]}]},
            "POST /evidence-packs": {"pack_id": "p1", "state": "ready", "sha256": "c" * 64},
            "GET /evidence-packs/p1/download": httpx.Response(200, content=pack),
            "GET /audit": {"items": [], "next_cursor": None},
            "GET /proof-ledger/checkpoint": {"size": 5},
        }
    )


def test_a_sound_system_passes_every_step(system: FakeGateway) -> None:
    done = system.types("smoke", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (0, True), told
    assert [step["ok"] for step in told["steps"]] == [True] * 14


def test_read_only_changes_nothing(system: FakeGateway) -> None:
    done = system.types("smoke", "--read-only")
    assert done.exit_code == 0, done.output
    assert {request.method for request in system.asked} == {"GET"}


def test_other_peoples_approvals_are_never_touched(system: FakeGateway) -> None:
    system.answers["GET /approvals"]["items"].pop()
    done = system.types("smoke", "--json")
    assert done.exit_code == 1
    assert not [r for r in system.asked if r.url.path.endswith("/approve")]


def _card_without_buttons(system: FakeGateway) -> None:
    system.answers["GET /cards/feed"] = {"items": [{"buttons": []}]}


def _lost_row(system: FakeGateway) -> None:
    system.answers["GET /targeting/imports/i1"]["counts"]["merged"] = 0


def _unordered(system: FakeGateway) -> None:
    system.answers["GET /targeting/opportunities"]["items"].reverse()


def _private_key(system: FakeGateway) -> None:
    system.answers["GET /.well-known/jwks.json"]["keys"][0]["d"] = "secret"


def _forbidden_runs(system: FakeGateway) -> None:
    system.answers["GET /actions/forbidden"]["state"] = "succeeded"


def _any_yes_counts(system: FakeGateway) -> None:
    system.answers["POST /approvals/a1/approve"] = {**APPROVAL, "state": "approved"}


def _no_trace(system: FakeGateway) -> None:
    system.answers["GET /actions/sent/journey"] = {"traces": [{"planes": ["gateway"]}]}


def _forged_pack(system: FakeGateway) -> None:
    content = system.answers["GET /evidence-packs/p1/download"].content
    forged = content.replace(b"approved", b"rejected", 1)
    assert forged != content
    system.answers["GET /evidence-packs/p1/download"] = httpx.Response(200, content=forged)


@pytest.mark.parametrize(
    ("break_it", "step"),
    [
        (lambda s: s.answers.pop("GET /readyz"), "every plane is ready"),
        (lambda s: s.answers.update({"GET /me": problem(401, "no", "No.")}), "the key is valid"),
        (_private_key, "public keys are published"),
        (_lost_row, "a list is imported"),
        (lambda s: s.answers.update({"POST /targeting/rank": {"ranked": 0}}), "leads are ranked"),
        (_unordered, "opportunities are listed"),
        (_card_without_buttons, "cards are in front of their roles"),
        (_forbidden_runs, "a forbidden action is refused"),
        (_any_yes_counts, "a yes to another text is refused"),
        (_no_trace, "its journey crosses the planes"),
        (_forged_pack, "its evidence verifies offline"),
    ],
)
def test_what_is_broken_fails_at_its_own_step(
    system: FakeGateway, break_it: Callable[[FakeGateway], Any], step: str
) -> None:
    break_it(system)
    done = system.types("smoke", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["ok"] is False
    assert (told["steps"][-1]["step"], told["steps"][-1]["ok"]) == (step, False)
    assert all(earlier["ok"] for earlier in told["steps"][:-1])
