"""The smoke test notices what is wrong: every step of it can fail, and the first that does ends it."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from dev.smoke import People
from tests.unit.dev.fake_gateway import FakeGateway, Several, problem
from tests.unit.trust import pack_sample

COUNTS = {"rows": 4, "created": 1, "merged": 1, "needs_review": 0, "blocked": 1, "rejected": 1}
HASHES = {"payload_hash": "a" * 64, "view_hash": "b" * 64}
STALE = problem(409, "stale_hash", "It has changed.")
STEPS = 15


@pytest.fixture(scope="module")
def pack() -> bytes:
    return asyncio.run(pack_sample.pack())


class SoundSystem(FakeGateway):
    """A system in which everything is as it must be: it has read the uploaded list, and drafts for who is on it."""

    wanted = ""
    opted_out = ""
    drafted = True

    def take_in(self, request: httpx.Request) -> dict[str, str]:
        rows = request.content.decode().split("smoke.csv")[1].splitlines()
        names = [row.split(",")[0] for row in rows if ".example" in row]
        self.wanted, _, self.opted_out = names
        return {"import_id": "i1"}

    def opportunities(self, request: httpx.Request) -> dict[str, Any]:
        asked = request.url.params.get("q")
        lead = {"lead_id": "l1", "score": 90.0, "account_name": self.wanted, "contactability": "safe"}
        out = {"lead_id": "l2", "score": 0.0, "account_name": self.opted_out, "contactability": "blocked"}
        return {"items": [o for o in (lead, out) if asked in (None, o["account_name"])], "next_cursor": None}

    def approval(self, _: httpx.Request) -> dict[str, Any]:
        to = f"noura@{self.wanted.lower()}.example"
        return {"approval_id": "a1", "action_id": "sent", "payload": json.dumps({"to": to}), **HASHES}

    def approvals(self, request: httpx.Request) -> dict[str, Any]:
        others = {"approval_id": "a0", "payload": json.dumps({"to": "real@customer.example"}), **HASHES}
        return {"items": [others, *([self.approval(request)] if self.drafted else [])], "next_cursor": None}

    def prepare(self, _: httpx.Request) -> dict[str, Any]:
        self.drafted = True
        return {"draft": {}, "created": True}


@pytest.fixture
def system(pack: bytes) -> SoundSystem:
    made = SoundSystem()
    buttons = [{"action": "prepare_draft"}, {"action": "later"}]
    made.answers = {
        "GET /readyz": {"planes": {"trust": {}}},
        "GET /me": {"tenant_slug": "demo", "tenant_id": "t1"},
        "GET /.well-known/jwks.json": pack_sample.jwks(),
        "POST /targeting/import": made.take_in,
        "GET /targeting/imports/i1": {"state": "completed", "progress": 1.0, "counts": dict(COUNTS)},
        "POST /targeting/rank": {"ranked": 3},
        "GET /targeting/opportunities": made.opportunities,
        "GET /cards/feed": {"items": [{"card_id": "c1", "context": {"lead_id": "l1"}, "buttons": buttons}]},
        "POST /targeting/opportunities/l1/draft": made.prepare,
        "POST /actions": Several({"action_id": "forbidden"}, {"action_id": "safe"}),
        "GET /actions/forbidden": {"action_id": "forbidden", "state": "refused", "reasons": [{"code": "class_c"}]},
        "GET /actions/safe": {"action_id": "safe", "state": "succeeded"},
        "GET /approvals": made.approvals,
        "GET /approvals/a1": made.approval,
        "POST /approvals/a1/approve": Several(STALE, {"state": "approved"}),
        "GET /actions/sent": {"action_id": "sent", "state": "succeeded", "receipt": {"mode": "sandbox"}},
        "GET /actions/sent/journey": {"traces": [{"planes": ["execution", "trust"]}]},
        "POST /evidence-packs": {"pack_id": "p1", "state": "ready", "sha256": "c" * 64},
        "GET /evidence-packs/p1/download": httpx.Response(200, content=pack),
        "POST /targeting/imports/i1/undo": {"removed": 2, "kept": 0},
        "GET /audit": {"items": [], "next_cursor": None},
        "GET /proof-ledger/checkpoint": {"size": 5},
    }
    return made


def test_a_sound_system_passes_every_step(system: SoundSystem) -> None:
    done = system.types("smoke", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (0, True), told
    assert [step["ok"] for step in told["steps"]] == [True] * STEPS


def test_read_only_changes_nothing(system: SoundSystem) -> None:
    done = system.types("smoke", "--read-only")
    assert done.exit_code == 0, done.output
    assert {request.method for request in system.asked} == {"GET"}


def test_a_draft_that_is_not_of_the_days_plan_is_asked_for(system: SoundSystem) -> None:
    system.drafted = False
    assert system.types("smoke").exit_code == 0
    assert len(system.bodies("POST", "/targeting/opportunities/l1/draft")) == 1


def test_other_peoples_approvals_are_never_touched(system: SoundSystem) -> None:
    system.types("smoke")
    assert {r.url.path for r in system.asked if r.url.path.endswith("/approve")} == {"/api/v1/approvals/a1/approve"}


def test_no_two_runs_make_up_the_same_people() -> None:
    made = [People.make() for _ in range(50)]
    assert len({name for people in made for name in (people.company, people.opted_out)}) == 100
    today = date(2026, 11, 21)
    rows = list(csv.reader(made[0].csv(today).splitlines()))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert all(cell.endswith(".example") for row in rows[1:] for cell in row if "@" in cell)


def _opted_out_is_safe(system: SoundSystem) -> None:
    safe = {"lead_id": "l2", "score": 1.0, "contactability": "safe"}
    system.answers["GET /targeting/opportunities"] = {"items": [safe], "next_cursor": None}


def _card_without_buttons(system: SoundSystem) -> None:
    system.answers["GET /cards/feed"] = {"items": [{"buttons": []}]}


def _lost_row(system: SoundSystem) -> None:
    system.answers["GET /targeting/imports/i1"]["counts"]["merged"] = 0


def _unordered(system: SoundSystem) -> None:
    sound = system.answers["GET /targeting/opportunities"]

    def reversed_(request: httpx.Request) -> dict[str, Any]:
        return {"items": sound(request)["items"][::-1], "next_cursor": None}

    system.answers["GET /targeting/opportunities"] = reversed_


def _private_key(system: SoundSystem) -> None:
    system.answers["GET /.well-known/jwks.json"]["keys"][0]["d"] = "secret"


def _forbidden_runs(system: SoundSystem) -> None:
    system.answers["GET /actions/forbidden"]["state"] = "succeeded"


def _any_yes_counts(system: SoundSystem) -> None:
    system.answers["POST /approvals/a1/approve"] = {"state": "approved"}


def _no_trace(system: SoundSystem) -> None:
    system.answers["GET /actions/sent/journey"] = {"traces": [{"planes": ["gateway"]}]}


def _forged_pack(system: SoundSystem) -> None:
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
        (_opted_out_is_safe, "leads are ranked"),
        (lambda s: s.answers.update({"GET /targeting/opportunities": {"items": []}}), "leads are ranked"),
        (_unordered, "opportunities are listed"),
        (_card_without_buttons, "cards are in front of their roles"),
        (_forbidden_runs, "a forbidden action is refused"),
        (_any_yes_counts, "a yes to another text is refused"),
        (_no_trace, "its journey crosses the planes"),
        (_forged_pack, "its evidence verifies offline"),
        (lambda s: s.answers.pop("POST /targeting/imports/i1/undo"), "the import is taken back"),
    ],
)
def test_what_is_broken_fails_at_its_own_step(
    system: SoundSystem, break_it: Callable[[SoundSystem], Any], step: str
) -> None:
    break_it(system)
    done = system.types("smoke", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["ok"] is False
    assert (told["steps"][-1]["step"], told["steps"][-1]["ok"]) == (step, False)
    assert all(earlier["ok"] for earlier in told["steps"][:-1])
