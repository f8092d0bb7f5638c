"""Evidence, verification, policies and generated documents from the command line; the first owner's password."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from dev.client import ApiError
from dev.commands.documents import nats_authorization, route_rows, subject_rows
from dev.commands.evidence import make_pack
from dev.first_owner import FILE, first_owner, forget_password
from dev.secrets import MIGRATOR, PLANES
from libs.contracts.subjects import CALLS, EVENTS, SIGNALS
from libs.runtime.asyncapi import document
from tests.unit.dev.fake_gateway import FakeGateway, Several, problem
from tests.unit.trust import pack_sample

POLICIES = Path(__file__).parents[3] / "services" / "trust" / "policies" / "platform.cedar"
PENDING = problem(409, "checkpoint_pending", "Try again in a few seconds.")
PACK = {"pack_id": "p1", "state": "ready", "sha256": "c" * 64}


# -- evidence ----------------------------------------------------------------------------------------------------


def packs(*answers: Any) -> FakeGateway:
    return FakeGateway(
        {
            "POST /evidence-packs": Several(*answers),
            "GET /evidence-packs/p1": PACK,
            "GET /evidence-packs/p1/download": httpx.Response(200, content=b"PK bytes"),
        }
    )


def test_a_pack_is_waited_for_until_its_checkpoint_is_signed() -> None:
    gateway = packs(PENDING, PENDING, {**PACK, "state": "assembling"})
    pack, content = make_pack(gateway.client(), "action:1", patience=5, every=0)
    assert (pack["state"], content) == ("ready", b"PK bytes")
    assert gateway.bodies("POST", "/evidence-packs") == [{"scope": "action:1"}] * 3


def test_without_patience_a_pending_checkpoint_is_an_error() -> None:
    with pytest.raises(ApiError, match="Try again"):
        make_pack(packs(PENDING).client(), "action:1", patience=0)


def test_another_conflict_is_not_waited_for() -> None:
    gateway = packs(problem(409, "other", "No."))
    with pytest.raises(ApiError, match="No"):
        make_pack(gateway.client(), "action:1", patience=60)
    assert len(gateway.asked) == 1


def test_an_export_writes_the_pack_and_says_how_to_check_it(tmp_path: Path) -> None:
    to = tmp_path / "pack.zip"
    done = packs(PACK).types("evidence", "export", "--scope", "action:1", "-o", str(to))
    assert done.exit_code == 0, done.output
    assert to.read_bytes() == b"PK bytes"
    assert "dealix verify" in done.stdout
    assert "c" * 64 in done.stdout


def test_a_pack_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    done = packs(PACK).types("evidence", "export", "--scope", "action:1", "-o", str(tmp_path / "no" / "pack.zip"))
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr


# -- verify ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pack() -> bytes:
    return asyncio.run(pack_sample.pack())


def verify(tmp_path: Path, data: bytes, *more: str, root: dict[str, Any] | None = None) -> Any:
    (tmp_path / "pack.zip").write_bytes(data)
    (tmp_path / "jwks.json").write_text(json.dumps(root if root is not None else pack_sample.jwks()))
    where = ("--trust-root", str(tmp_path / "jwks.json"))
    return FakeGateway().types("verify", str(tmp_path / "pack.zip"), *where, *more)


def test_a_true_pack_verifies_without_a_server(tmp_path: Path, pack: bytes) -> None:
    done = verify(tmp_path, pack)
    assert done.exit_code == 0, done.output
    assert "All checks hold." in done.stdout


def test_a_changed_byte_fails_by_the_name_of_the_check_in_both_languages(tmp_path: Path, pack: bytes) -> None:
    at = len(pack) // 2
    forged = pack[:at] + bytes([pack[at] ^ 1]) + pack[at + 1 :]
    done = verify(tmp_path, forged)
    assert done.exit_code == 1
    assert "Check failed: " in done.stdout
    assert "فشل الفحص" in verify(tmp_path, forged, "--lang", "ar").stdout
    told = json.loads(verify(tmp_path, forged, "--json").stdout)
    assert told["failed"]
    assert told["exit_code"] == 1


def test_an_unknown_signer_is_neither_success_nor_failure(tmp_path: Path, pack: bytes) -> None:
    assert verify(tmp_path, pack, root={"keys": []}).exit_code == 2
    assert FakeGateway().types("verify", str(tmp_path / "pack.zip")).exit_code == 2


def test_a_pack_that_is_not_there_is_a_failed_check_and_not_an_unknown_signer(tmp_path: Path) -> None:
    done = FakeGateway().types("verify", str(tmp_path / "none.zip"))
    assert done.exit_code == 1
    assert "layout" in done.stdout


# -- policies ----------------------------------------------------------------------------------------------------


def test_the_shipped_policies_pass_the_check() -> None:
    done = FakeGateway().types("policy", "check", str(POLICIES), "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["valid"] is True


@pytest.mark.parametrize(
    "text",
    [
        "permit (principal, action, resource",
        "permit (principal, action, resource);",
        '@id("x") @mode("blocked") @reason_en("No.") @reason_ar("لا.") forbid (principal, action, resource) when { context.nosuch };',
    ],
)
def test_a_policy_that_could_not_be_activated_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "p.cedar"
    file.write_text(text, encoding="utf-8")
    done = FakeGateway().types("policy", "check", str(file))
    assert done.exit_code == 1
    assert "p.cedar" in done.stderr


def test_an_action_can_be_asked_about_as_it_would_be_submitted() -> None:
    reasons = [{"code": "cold_whatsapp", "policy_id": "cold_whatsapp", "en": "No opt-in.", "ar": "لا توجد موافقة."}]
    answer = {
        "decision": False, "mode": "blocked", "class": "B", "outcome": "refused", "reasons": reasons, "approval_required": False,
        "policies": [{"id": "cold_whatsapp", "text": "forbid (principal, action, resource);"}],
    }  # fmt: skip
    gateway = FakeGateway({"GET /me": {"principal_id": "user:1"}, "POST /policy/explain": answer})
    action = {"action_type": "send_whatsapp", "resource": {"type": "contact", "id": "c"}, "payload": {"to": "x"}}
    done = gateway.types("policy", "explain", "-", stdin=json.dumps(action))
    assert "is not carried out (refused, blocked, B)" in done.stdout
    assert "cold_whatsapp" in done.stdout
    assert "forbid (principal, action, resource);" in done.stdout
    asked = json.loads(gateway.asked[-1].content)["question"]
    assert asked["subject"] == {"type": "user", "id": "user:1"}
    assert asked["action"] == {"name": "send_whatsapp", "properties": {"payload": {"to": "x"}}}


def test_a_replay_is_followed_to_its_end_and_names_what_would_be_newly_allowed() -> None:
    running = {"replay_id": "r1", "bundle": "a" * 64, "state": "running", "done": 1, "total": 2}
    report = {
        "decisions": 2, "newly_allowed": 1, "newly_blocked": 0, "newly_parked": 0, "value_delayed_sar": "0.00",
        "actions_of_unknown_value": 0, "approvals_per_approver": [],
    }  # fmt: skip
    change = {"decided_at": "t", "effect": "slack_notify", "subject": "user:1", "action_id": "action-77"}
    gateway = FakeGateway(
        {
            "POST /policy/replay": running,
            "GET /policy/replays/r1": Several(running, {**running, "state": "done", "report": report}),
            "GET /policy/replays/r1/changes": {"items": [change]},
        }
    )
    done = gateway.types("policy", "replay", "a" * 64)
    assert done.exit_code == 0, done.stderr
    assert "action-77" in done.stdout
    failed = FakeGateway({"POST /policy/replay": {**running, "state": "failed"}}).types("policy", "replay", "a" * 64)
    assert failed.exit_code == 2


@pytest.mark.parametrize("text", ["[]", "{}", '"x"'])
def test_what_asks_nothing_is_said_before_anything_is_sent(text: str) -> None:
    gateway = FakeGateway()
    assert gateway.types("policy", "explain", "-", stdin=text).exit_code == 2
    assert not gateway.asked


# -- documents ---------------------------------------------------------------------------------------------------


def test_the_list_of_subjects_leaves_none_out() -> None:
    listed = {row["subject"] for row in subject_rows()}
    assert {c.subject for c in CALLS} | {e.subject for e in EVENTS} <= listed
    assert len(listed) == len(CALLS) + len(EVENTS) + len(SIGNALS)
    markdown = FakeGateway().types("subjects", "--format", "markdown").stdout
    assert all(f"| `{subject}` |" in markdown for subject in listed)
    assert json.loads(FakeGateway().types("subjects", "--json").stdout) == subject_rows()


def test_the_asyncapi_document_has_every_subject_and_no_loose_end() -> None:
    made = json.loads(FakeGateway().types("asyncapi").stdout)
    assert made == json.loads(json.dumps(document()))
    assert {c.subject for c in CALLS} | {e.subject for e in EVENTS} <= set(made["channels"])
    for reference in _references(made):
        found: Any = made
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    for call in CALLS:
        operation = made["operations"][f"serve.{call.subject}"]
        assert operation["x-callers"] == sorted(p.value for p in call.callers)
        assert operation["reply"]["messages"][0]["$ref"].endswith(f"/{call.reply.__name__}")


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [r for k, v in value.items() for r in ([v] if k == "$ref" else _references(v))]
    return [r for v in value for r in _references(v)] if isinstance(value, list) else []


def test_nats_fills_in_the_keys_that_are_not_known_yet() -> None:
    users = {user: f"$DEALIX_{user.upper()}_NKEY" for user in (*PLANES, MIGRATOR)}
    text = nats_authorization(users)
    for name in users.values():
        assert f'"nkey": {name},' in text
    block = yaml.safe_load(text.removeprefix("authorization: "))
    assert len(block["users"]) == len(PLANES) + 1


def test_routes_are_the_operations_of_the_document() -> None:
    made = route_rows({"paths": {"/b": {"post": {"summary": "does"}, "parameters": []}, "/a": {"get": {}}}})
    assert [(row["method"], row["path"], row["summary"]) for row in made] == [("GET", "/a", ""), ("POST", "/b", "does")]


# -- the first owner ---------------------------------------------------------------------------------------------


def test_the_first_password_is_shown_until_it_is_forgotten_and_never_again(tmp_path: Path) -> None:
    assert first_owner(tmp_path) is None
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text(json.dumps({"email": "owner@demo.example", "password": "once"}))
    owner = first_owner(tmp_path)
    assert owner is not None
    assert "once" in owner.sentence().en
    assert "once" in owner.sentence().ar
    assert "once" not in repr(owner)
    forget_password(tmp_path)
    assert first_owner(tmp_path) is None
    assert json.loads((tmp_path / FILE).read_text()) == {"email": "owner@demo.example"}
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
