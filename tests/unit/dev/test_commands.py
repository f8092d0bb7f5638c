"""The commands as a person types them, against a hand-written gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.contracts.catalogue.sources import sources
from tests.unit.dev.fake_gateway import FakeGateway, Several, problem

IMPORT = "0198a000-0000-7000-8000-000000000001"
APPROVAL = "0198a000-0000-7000-8000-0000000000a1"
ACTION = "0198a000-0000-7000-8000-0000000000b1"
CARD = "0198a000-0000-7000-8000-0000000000c1"
PAYLOAD_HASH, VIEW_HASH = "a" * 64, "b" * 64
BODY = "السلام عليكم أستاذة نورة،\nنعرض عليكم إدارة المبيعات."


def approval(state: str = "pending", **changes: Any) -> dict[str, Any]:
    fields = [
        {"name": "body", "label_en": "Message", "label_ar": "نص الرسالة", "value": BODY},
        {"name": "to", "label_en": "To", "label_ar": "إلى", "value": "noura@oasis.example"},
    ]
    return {
        "approval_id": APPROVAL,
        "action_id": ACTION,
        "action_type": "send_email",
        "state": state,
        "role": "sales_manager",
        "risk": "low",
        "reason": "best opportunity",
        "requester": "agent:outreach",
        "value_sar": None,
        "payload": json.dumps({"body": BODY, "to": "noura@oasis.example"}, ensure_ascii=False),
        "payload_hash": PAYLOAD_HASH,
        "view": {
            "title_en": "Send an e-mail",
            "title_ar": "إرسال بريد",
            "fields": fields,
            "reasons": [{"code": "needs_yes", "en": "A person must approve.", "ar": "تلزم موافقة شخص."}],
            "compensation_en": "It cannot be undone.",
            "compensation_ar": "لا يمكن التراجع عنه.",
        },
        "view_hash": VIEW_HASH,
        "policy_version": "p1",
        "due_at": "2026-11-21T09:00:00Z",
        "expires_at": "2026-11-28T09:00:00Z",
        **changes,
    }


def status(state: str, progress: float, **more: Any) -> dict[str, Any]:
    counts = {"rows": 10, "created": 4, "merged": 2, "needs_review": 1, "blocked": 2, "rejected": 1, "unchanged": 0}
    return {"import_id": IMPORT, "file_name": "l.csv", "state": state, "progress": progress, "counts": counts, **more}


def opportunity(score: float) -> dict[str, Any]:
    return {
        "account_name": "مصنع الواحة [bold]",
        "score": score,
        "tier": "A",
        "channel": "email",
        "contactability": "safe",
        "why_now": [{"en": "Asked for a quote", "ar": "طلب عرض سعر"}],
        "reasons_ar": ["ملاءمة عالية"],
        "reasons_en": ["High fit"],
    }


def card(**changes: Any) -> dict[str, Any]:
    return {
        "card_id": CARD,
        "title_en": "Approve the draft to Oasis",
        "title_ar": "اعتمد مسودة الواحة",
        "why_now_en": "It asked for a quote",
        "why_now_ar": "طلب عرض سعر",
        "recommended_action_en": "Approve",
        "recommended_action_ar": "اعتمد",
        "risk_level": "low",
        "facts": [{"label_en": "Phone", "label_ar": "الجوال", "value": "+966 50 000 0101", "ltr": True}],
        "buttons": [
            {"action": "approve", "label_en": "Approve", "label_ar": "اعتمد"},
            {"action": "later", "label_en": "Later", "label_ar": "لاحقًا"},
        ],
        "context": {"approval_id": APPROVAL},
        **changes,
    }


def main_job() -> FakeGateway:
    return FakeGateway(
        {
            "POST /targeting/import": {"import_id": IMPORT},
            f"GET /targeting/imports/{IMPORT}": Several(
                status("reading", 0.2), status("assessing", 0.8), status("completed", 1.0)
            ),
            "POST /targeting/rank": {"ranked": 6, "tiers": {"A": 2, "B": 4}, "cards": 5, "drafts": 2, "took_ms": 9.0},
            "GET /targeting/opportunities": {"items": [opportunity(91), opportunity(80)], "next_cursor": None},
            "GET /cards/feed": {"items": [card()], "waiting": 0},
            "GET /approvals": {"items": [approval()], "next_cursor": None},
            "GET /me": {"tenant_slug": "demo", "tenant_id": "t1"},
        }
    )


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    file = tmp_path / "l.csv"
    file.write_text("company,name\nOasis,Noura\n", encoding="utf-8")
    return file


# -- the main job ------------------------------------------------------------------------------------------------


def test_the_main_job_says_what_became_of_the_rows_and_what_to_type_next(leads: Path) -> None:
    done = main_job().types("run", str(leads), "--tenant", "demo")
    assert done.exit_code == 0, done.output
    for words in ("blocked", "opted out", "مصنع الواحة [bold]", "Asked for a quote", "A 2 · B 4", "Send an e-mail"):
        assert words in done.stdout
    assert f"dealix approvals approve {APPROVAL}" in done.stdout
    assert f"dealix rejects {IMPORT} -o rejects.csv" in done.stdout


def test_the_report_is_arabic_for_whom_reads_arabic_and_in_logical_order(leads: Path) -> None:
    done = main_job().types("run", str(leads), "--lang", "ar")
    for words in ("محظور", "طلب عرض سعر", "إرسال بريد", "القرارات التالية: مدير المبيعات", "الخطوة التالية"):
        assert words in done.stdout


def test_the_main_job_as_json_is_one_document(leads: Path) -> None:
    told = json.loads(main_job().types("run", str(leads), "--json").stdout)
    assert told["import"]["counts"]["blocked"] == 2
    assert [o["score"] for o in told["opportunities"]] == [91, 80]
    assert set(told["cards"]) == {"ceo", "sales_manager"}
    assert told["approvals"][0]["payload_hash"] == PAYLOAD_HASH


def test_the_file_and_its_source_are_what_is_uploaded(leads: Path) -> None:
    gateway = main_job()
    gateway.types("run", str(leads), "--source", "event")
    upload = gateway.asked[0]
    assert b"Oasis,Noura" in upload.content
    assert b'filename="l.csv"' in upload.content
    assert b"event" in upload.content


def test_a_refused_file_fails_with_the_reason_in_the_readers_language(leads: Path) -> None:
    refused = status("refused", 1.0, error_code="empty", error_en="The file is empty.", error_ar="الملف فارغ.")
    gateway = main_job()
    gateway.answers[f"GET /targeting/imports/{IMPORT}"] = refused
    done = gateway.types("run", str(leads), "--lang", "ar")
    assert done.exit_code == 1
    assert "الملف فارغ." in done.stderr
    assert not gateway.bodies("POST", "/targeting/rank")


def test_a_key_of_another_tenant_imports_nothing(leads: Path) -> None:
    gateway = main_job()
    done = gateway.types("run", str(leads), "--tenant", "other")
    assert done.exit_code == 1
    assert "demo" in done.stderr
    assert not any(r.method == "POST" for r in gateway.asked)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "missing.csv"), ["missing.csv"]),
        (("import", "missing.csv"), ["missing.csv"]),
        (("run", "missing.csv", "--source", "nowhere"), list(sources())),
    ],
)
def test_a_missing_file_or_source_is_said_before_anything_is_sent(arguments: tuple[str, ...], said: list[str]) -> None:
    gateway = main_job()
    done = gateway.types(*arguments)
    assert done.exit_code == 2
    assert [name for name in said if name not in done.stderr] == []
    assert not any(r.method == "POST" for r in gateway.asked)


def test_a_trial_import_says_that_nothing_was_stored(leads: Path) -> None:
    gateway = main_job()
    gateway.answers[f"GET /targeting/imports/{IMPORT}"] = status(
        "completed", 1.0, dry_run=True, mapping=[{"column": "الجوال", "field": "phone", "confidence": 0.98}]
    )
    done = gateway.types("import", str(leads), "--dry-run")
    assert "nothing was stored" in done.stdout
    assert "الجوال" in done.stdout
    assert "98%" in done.stdout


# -- approvals ---------------------------------------------------------------------------------------------------


def approving(after: str = "approved", action: str = "succeeded") -> FakeGateway:
    return FakeGateway(
        {
            f"GET /approvals/{APPROVAL}": approval(),
            f"POST /approvals/{APPROVAL}/approve": approval(after),
            f"POST /approvals/{APPROVAL}/reject": approval("rejected"),
            f"GET /actions/{ACTION}": {"action_id": ACTION, "state": action, "reasons": []},
            "GET /approvals": {"items": [approval()], "next_cursor": None},
        }
    )


def test_approving_shows_the_exact_payload_and_hashes_and_sends_exactly_these() -> None:
    gateway = approving()
    done = gateway.types("approvals", "approve", APPROVAL, "--yes", "--note", "ok")
    assert done.exit_code == 0, done.output
    for shown in (PAYLOAD_HASH, VIEW_HASH, "noura@oasis.example", "السلام عليكم أستاذة نورة،", "cannot be undone"):
        assert shown in done.stdout
    assert gateway.bodies("POST", f"/approvals/{APPROVAL}/approve") == [
        {"payload_hash": PAYLOAD_HASH, "view_hash": VIEW_HASH, "note": "ok"}
    ]
    assert f"dealix actions journey {ACTION}" in done.stdout


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_nobody_there_to_say_yes_means_no(arguments: tuple[str, ...]) -> None:
    gateway = approving()
    done = gateway.types("approvals", "approve", APPROVAL, *arguments, stdin="y\n")
    assert done.exit_code == 1
    assert not gateway.bodies("POST", f"/approvals/{APPROVAL}/approve")
    assert "--yes" in done.output


def test_a_changed_request_is_a_conflict_and_no_success() -> None:
    gateway = approving()
    gateway.answers[f"POST /approvals/{APPROVAL}/approve"] = problem(409, "stale_hash", "It has changed.")
    done = gateway.types("approvals", "approve", APPROVAL, "--yes")
    assert done.exit_code == 1
    assert "It has changed." in done.stderr


def test_the_first_of_two_votes_does_not_claim_that_the_action_runs() -> None:
    done = approving(after="pending").types("approvals", "approve", APPROVAL, "--yes")
    assert done.exit_code == 0
    assert "another person" in done.stdout


def test_a_rejection_without_a_reason_is_not_sent() -> None:
    gateway = approving()
    assert gateway.types("approvals", "reject", APPROVAL).exit_code == 2
    assert gateway.types("approvals", "reject", APPROVAL, "--reason", " ").exit_code == 2
    assert not gateway.asked
    assert gateway.types("approvals", "reject", APPROVAL, "--reason", "wrong price").exit_code == 0
    assert gateway.bodies("POST", f"/approvals/{APPROVAL}/reject") == [{"reason": "wrong price"}]


@pytest.mark.parametrize("arguments", [("approvals",), ("approvals", "list")])
def test_the_queue_is_what_waits(arguments: tuple[str, ...]) -> None:
    gateway = approving()
    done = gateway.types(*arguments)
    assert APPROVAL in done.stdout
    assert gateway.asked[0].url.params["state"] == "pending"
    assert "2026-11-21 12:00" in done.stdout  # Riyadh is three hours ahead of UTC


# -- cards -------------------------------------------------------------------------------------------------------


def test_a_card_shows_its_choices_as_commands() -> None:
    done = FakeGateway({"GET /cards/feed": {"items": [card()], "waiting": 4}}).types("cards", "--role", "ceo")
    assert f"dealix decide {CARD} approve" in done.stdout
    assert "+966 50 000 0101" in done.stdout
    assert "3 more" in done.stdout


def test_a_brief_is_read_and_answered_by_numbers() -> None:
    made = {"text": "*Today's decisions*", "cards": [CARD], "buttons": []}
    gateway = FakeGateway(
        {
            "GET /cards/whatsapp-brief": made,
            "POST /cards/whatsapp-brief/reply": {"answer": {"en": "Later.", "ar": "لاحقًا."}, "decided": None},
        }
    )
    shown = gateway.types("brief").stdout
    assert "Today's decisions" in shown and f"dealix brief 1-2 --of {CARD}" in shown
    assert gateway.types("brief", "1-2").exit_code != 0, "which brief was read is not said"
    assert not gateway.bodies("POST", "/cards/whatsapp-brief/reply")
    assert "لاحقًا." in gateway.types("brief", "1-2", "--of", CARD, "--lang", "ar").stdout
    assert gateway.bodies("POST", "/cards/whatsapp-brief/reply") == [{"cards": [CARD], "text": "1-2", "note": ""}]


def deciding() -> FakeGateway:
    decided = {"card": card(status="decided"), "result": "approved", "action_id": ACTION, "approval_id": APPROVAL}
    return FakeGateway(
        {
            f"GET /cards/{CARD}": card(),
            f"GET /approvals/{APPROVAL}": approval(),
            f"POST /cards/{CARD}/decision": decided,
        }
    )


def test_a_choice_that_approves_carries_the_hashes_of_what_was_shown() -> None:
    gateway = deciding()
    done = gateway.types("decide", CARD, "approve", "--yes")
    assert done.exit_code == 0, done.output
    assert VIEW_HASH in done.stdout
    assert gateway.bodies("POST", f"/cards/{CARD}/decision") == [
        {"button": "approve", "note": "", "payload_hash": PAYLOAD_HASH, "view_hash": VIEW_HASH}
    ]


def test_a_choice_that_approves_is_not_made_without_a_yes() -> None:
    gateway = deciding()
    assert gateway.types("decide", CARD, "approve").exit_code == 1
    assert not gateway.bodies("POST", f"/cards/{CARD}/decision")


def test_a_choice_that_approves_nothing_asks_nothing() -> None:
    gateway = deciding()
    assert gateway.types("decide", CARD, "later", "--note", "Sunday").exit_code == 0
    assert gateway.bodies("POST", f"/cards/{CARD}/decision") == [{"button": "later", "note": "Sunday"}]


def test_a_choice_that_the_card_does_not_have_is_refused_with_those_it_has() -> None:
    done = deciding().types("decide", CARD, "approv")
    assert done.exit_code == 2
    assert "approve, later" in done.stderr


# -- actions -----------------------------------------------------------------------------------------------------


def test_an_action_from_standard_input_is_submitted_with_an_idempotency_key() -> None:
    gateway = FakeGateway({"POST /actions": {"action_id": ACTION, "state": "succeeded"}})
    asked = {"action_type": "read_status", "resource": {"type": "tenant", "id": "t"}, "payload": {}}
    done = gateway.types("actions", "submit", "-", "--idempotency-key", "k1", stdin=json.dumps(asked))
    assert done.exit_code == 0, done.output
    assert gateway.bodies("POST", "/actions") == [asked]
    assert gateway.asked[0].headers["Idempotency-Key"] == "k1"
    assert f"{ACTION}  succeeded" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1"),
        ("[]", "no action"),
        ('"x"', "no action"),
        ('{"items": [1]}', "no action"),
        ('{"payload": {}}', "action_type, resource"),
    ],
)
def test_what_is_no_action_is_said_before_anything_is_sent(text: str, words: str) -> None:
    gateway = FakeGateway()
    done = gateway.types("actions", "submit", "-", stdin=text)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not gateway.asked


def test_items_that_were_not_accepted_make_the_command_fail() -> None:
    error = {"code": "unknown_action_type", "en": "No handler.", "ar": "لا يوجد معالج."}
    results = [{"action_id": ACTION, "state": "accepted"}, {"action_id": "x", "state": None, "error": error}]
    gateway = FakeGateway({"POST /actions": {"results": results}})
    item = {"action_type": "a", "resource": {"type": "t", "id": "1"}, "payload": {}}
    done = gateway.types("actions", "submit", "-", stdin=json.dumps([item, item]))
    assert done.exit_code == 1
    assert "No handler." in done.stdout
    assert "1 of 2" in done.stderr


# -- controls, keys, people --------------------------------------------------------------------------------------


def test_a_pause_says_which_planes_have_taken_it() -> None:
    state = {
        "scope": "connector",
        "target": "whatsapp",
        "paused": True,
        "changed_by": "owner",
        "changed_at": "2026-11-21T06:00:00Z",
        "acknowledged": {"execution": False},
    }
    gateway = FakeGateway({"POST /control": state})
    done = gateway.types("control", "pause", "--scope", "connector", "--target", "whatsapp", "--reason", "complaints")
    assert gateway.bodies("POST", "/control") == [
        {"scope": "connector", "target": "whatsapp", "command": "pause", "reason": "complaints"}
    ]
    assert "execution …" in done.stdout


def test_a_new_key_is_shown_once_and_said_to_be() -> None:
    gateway = FakeGateway({"POST /api-keys": {"api_key": "dlx_secret"}})
    done = gateway.types("key", "create", "--name", "ci", "--scope", "read", "--expires", "2027-01-31")
    assert gateway.bodies("POST", "/api-keys") == [
        {"name": "ci", "scopes": ["read"], "personal": False, "expires_at": "2027-01-31T00:00:00+00:00"}
    ]
    assert "dlx_secret" in done.stdout
    assert "not shown again" in done.stdout


@pytest.mark.parametrize("scopes", [(), ("--scope", "everything")])
def test_a_key_that_could_do_nothing_is_not_made(scopes: tuple[str, ...]) -> None:
    gateway = FakeGateway()
    assert gateway.types("key", "create", "--name", "ci", *scopes).exit_code == 2
    assert not gateway.asked


def test_a_new_persons_first_password_is_shown() -> None:
    gateway = FakeGateway({"POST /users": {"user_id": "u", "password": "once-only"}})
    done = gateway.types("user", "add", "noura@oasis.example", "--role", "approver", "--business-role", "ceo")
    assert "once-only" in done.stdout
    assert gateway.bodies("POST", "/users") == [
        {"email": "noura@oasis.example", "name": "noura", "roles": ["approver"], "business_role": "ceo"}
    ]


def test_errors_as_json_carry_status_and_code_on_standard_output() -> None:
    gateway = FakeGateway({"GET /approvals/x": problem(404, "not_found", "There is no such item.")})
    done = gateway.types("approvals", "show", "x", "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["error"], told["status"], told["code"]) == ("There is no such item.", 404, "not_found")


# -- earlier imports ---------------------------------------------------------------------------------------------


def test_an_import_is_taken_back_only_after_a_yes() -> None:
    gateway = FakeGateway(
        {
            f"GET /targeting/imports/{IMPORT}": status("completed", 1.0),
            f"POST /targeting/imports/{IMPORT}/undo": {"import_id": IMPORT, "removed": 4, "kept": 2},
        }
    )
    assert gateway.types("undo", IMPORT).exit_code == 1
    assert not gateway.bodies("POST", f"/targeting/imports/{IMPORT}/undo")
    done = gateway.types("undo", IMPORT, "--yes")
    assert done.exit_code == 0, done.output
    assert "Removed: 4. Kept: 2." in done.stdout


def test_imports_are_listed_with_what_became_of_their_rows() -> None:
    gateway = FakeGateway({"GET /targeting/imports": {"items": [status("completed", 1.0)], "next_cursor": None}})
    done = gateway.types("imports")
    assert IMPORT in done.stdout
    assert "imported" in done.stdout
    assert "needs review" in done.stdout and "needs_review" not in done.stdout
    assert "يحتاج مراجعة" in gateway.types("imports", "--lang", "ar").stdout


def test_rejected_rows_are_written_as_they_came(tmp_path: Path) -> None:
    content = "\ufeffrow,الاسم\r\n3,\r\n".encode()
    gateway = FakeGateway({f"GET /targeting/imports/{IMPORT}/rejects.csv": httpx.Response(200, content=content)})
    to = tmp_path / "rejects.csv"
    assert gateway.types("rejects", IMPORT, "-o", str(to)).exit_code == 0
    assert to.read_bytes() == content
    assert gateway.types("rejects", IMPORT).stdout.startswith("row,الاسم")


def test_options_before_the_command_are_not_silently_dropped() -> None:
    gateway = approving()
    assert gateway.types("approvals", "--base-url", "http://other.example", "list").exit_code == 2
    assert json.loads(gateway.types("approvals", "--json").stdout)["items"][0]["approval_id"] == APPROVAL
