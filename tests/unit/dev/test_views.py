"""What a terminal shows: all of it, in the reader's language, and nothing that acts on the terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console, RenderableType

from dev.terminal import plain, took, when
from dev.views import actions, approvals, journey
from dev.words import word, words
from libs.contracts.agents import AgentVerdict
from libs.contracts.canaries import CanaryState
from libs.contracts.claims import ClaimStanding, ContradictionState, SuggestionState
from libs.contracts.compliance import ControlResult
from libs.contracts.data import ImportCounts, ImportState
from libs.contracts.enrichment import FactState
from libs.contracts.execution import ActionState
from libs.contracts.flows import CompensationState, FlowStatus, WaitKind
from libs.contracts.message import Plane
from libs.contracts.push import DeliveryState, SubscriptionKind, SubscriptionState
from libs.contracts.quality import QualityState
from libs.contracts.rights import RightsKind, RightsState
from libs.contracts.screening import FindingState
from libs.contracts.trust import ApprovalState, ConnectorMode, Contactability


def printed(*shown: RenderableType, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False)
    console.print(*shown, crop=False)
    return console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("pay \u202e0001\u202c SAR", "pay \\u202e0001\\u202c SAR"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("a\rb\x07\x9b", "a\\rb\\x07\\x9b"),
        ("line\nbreak", "line\\nbreak"),
        (None, ""),
    ],
)
def test_a_value_from_outside_can_neither_act_on_the_terminal_nor_reorder_it(hostile: Any, shown: str) -> None:
    assert plain(hostile) == shown


def test_arabic_is_left_as_it_is() -> None:
    text = "شركة نجد للتقنية ـ مـديرة، ١٢٣ mixed +966 50 می\u200cخواهم"
    assert plain(text) == text
    assert plain("سطر\nسطر", lines=True) == "سطر\nسطر"


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "0"),
        (0.25, "250 µs"),
        (12.34, "12.3 ms"),
        (1500, "1.5 s"),
        (90_000, "90.0 s"),
        (600_000, "10 min"),
        (172_800_000, "2 d"),
    ],
)
def test_durations_have_a_unit_that_fits(milliseconds: float, shown: str) -> None:
    assert took(milliseconds) == shown


def test_times_are_on_the_clock_of_riyadh_and_nonsense_stays_itself() -> None:
    assert when("2026-11-21T22:30:07Z") == "2026-11-22 01:30"
    assert when("2026-11-21T22:30:07Z", seconds=True) == "2026-11-22 01:30:07"
    assert when("soon") == "soon"
    assert when(None) == ""


@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("action_state", ActionState),
        ("approval_state", ApprovalState),
        ("import_state", ImportState),
        ("contactability", Contactability),
        ("plane", Plane),
        ("mode", ConnectorMode),
        ("import_outcome", set(ImportCounts.model_fields) - {"unchanged"}),
        ("import_outcome_means", set(ImportCounts.model_fields) - {"unchanged"}),
        ("agent_verdict", AgentVerdict),
        ("canary_state", CanaryState),
        ("claim_standing", ClaimStanding),
        ("compensation_state", CompensationState),
        ("contradiction_state", ContradictionState),
        ("control_result", ControlResult),
        ("delivery_state", DeliveryState),
        ("fact_state", FactState),
        ("finding_state", FindingState),
        ("flow_status", FlowStatus),
        ("flow_wait", WaitKind),
        ("quality_state", QualityState),
        ("rights_kind", RightsKind),
        ("rights_state", RightsState),
        ("subscription_kind", SubscriptionKind),
        ("subscription_state", SubscriptionState),
        ("suggestion_state", SuggestionState),
    ],
)
def test_every_machine_word_has_a_name_in_both_languages(group: str, values: Any) -> None:
    assert {str(value) for value in values} <= set(words()[group])
    for value in values:
        assert any("\u0600" <= c <= "\u06ff" for c in word(group, value, "ar"))


def test_a_word_nobody_named_is_shown_as_it_is() -> None:
    assert word("action_state", "teleported", "en") == "teleported"


# -- approvals ---------------------------------------------------------------------------------------------------


def approval(body: str) -> dict[str, Any]:
    field = {"name": "body", "label_en": "Message", "label_ar": "نص الرسالة", "value": body}
    view = {"title_en": "Send an e-mail", "title_ar": "إرسال بريد", "fields": [field], "reasons": []}
    return {"view": view, "payload": f'{{"body":"{body}"}}', "payload_hash": "a" * 64, "view_hash": "b" * 64}


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_an_approval_is_never_shortened_even_on_a_narrow_terminal(lang: Any) -> None:
    body = " ".join(f"word{n}" for n in range(400))
    shown = "".join(printed(approvals.in_full(lang, approval(body)), width=60).split())
    for n in range(400):
        assert f"word{n}" in shown
    assert "…" not in shown
    assert "a" * 50 in shown
    assert "b" * 50 in shown


def test_an_override_in_a_draft_is_seen_by_whoever_approves_it() -> None:
    assert "\\u202e" in printed(approvals.in_full("ar", approval("ادفع \u202e0001")))


# -- the journey -------------------------------------------------------------------------------------------------


def step(
    name: str, plane: str, starts: float, took_ms: float, *children: dict[str, Any], ok: bool = True
) -> dict[str, Any]:
    return {
        "span_id": name,
        "plane": plane,
        "name": name,
        "kind": "server",
        "starts_ms": starts,
        "took_ms": took_ms,
        "ok": ok,
        "links": [],
        "children": list(children),
    }


def lines(traces: Sequence[dict[str, Any]], lang: Any = "en") -> list[str]:
    return printed(*journey.trees(lang, traces)).splitlines()


def test_the_journey_is_a_tree_with_times_and_linked_traces_stand_apart() -> None:
    inner = step("trust.authorize.v1", "trust", 3.0, 1.5)
    first = step("POST /api/v1/actions", "gateway", 0, 9.0, step("execution.submit.v1", "execution", 1.0, 7.0, inner))
    later = step("approval decided", "execution", 0, 4.0, ok=False)
    traces = [
        {
            "trace_id": "t1",
            "starts_ms": 0,
            "took_ms": 9.0,
            "planes": ["execution", "gateway", "trust"],
            "roots": [first],
        },
        {"trace_id": "t2", "starts_ms": 172_800_000.0, "took_ms": 4.0, "planes": ["execution"], "roots": [later]},
    ]
    shown = lines(traces)
    at = {name: next(line for line in shown if name in line) for name in ("POST", "submit", "authorize", "decided")}
    assert "└─ execution.submit.v1" in at["submit"]
    assert "   └─ trust.authorize.v1" in at["authorize"]
    assert "+3.0 ms" in at["authorize"]
    assert "1.5 ms" in at["authorize"]
    assert "error" in at["decided"]
    assert any("trace t1: 3 spans, 3 planes, 9.0 ms" in line for line in shown)
    assert any("trace t2" in line and "2 d later" in line for line in shown)


def test_siblings_are_told_apart_from_children() -> None:
    root = step("root", "gateway", 0, 5, step("one", "trust", 1, 1), step("two", "data", 2, 1))
    shown = lines([{"trace_id": "t", "starts_ms": 0, "took_ms": 5, "planes": ["x"], "roots": [root]}])
    assert any("├─ one" in line for line in shown)
    assert any("└─ two" in line for line in shown)


def test_an_action_shows_why_it_was_refused_in_the_readers_language() -> None:
    reasons = [{"code": "opted_out", "en": "They opted out.", "ar": "طلب الشخص إيقاف التواصل."}]
    action = {
        "action_id": "a1",
        "action_type": "send_email",
        "state": "refused",
        "reasons": reasons,
        "action_class": "B",
    }
    assert "They opted out. (opted_out)" in printed(actions.in_full("en", action))
    assert "طلب الشخص إيقاف التواصل." in printed(actions.in_full("ar", action))
