"""The platform's policies: every effect is decided as the catalogue says, and no approval opens what is forbidden."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from libs.contracts.catalogue.actions import Effect, effects
from libs.contracts.message import new_id
from libs.contracts.trust import ActionClass, Mode, Outcome
from services.trust.app import POLICIES
from services.trust.domain import decide
from services.trust.domain.facts import ContactState
from services.trust.domain.policy import Bundle, Question
from services.trust.errors import PolicyInvalid

TEXT = POLICIES.read_text(encoding="utf-8")
BUNDLE = Bundle(TEXT)


def spotless(effect: Effect, **changes: Any) -> Question:
    """A question with nothing against it, and a person's approval."""
    base = Question(
        effect=effect.name,
        principal_kind="user",
        action_class=effect.action_class.value,
        registered=True,
        tenant_match=True,
        external=effect.external,
        draft_effect=effect.draft,
        connector_mode="sandbox",
        approval="approved",
        replay_attached=True,
        own_recipient="known" if effect.own_people else "none",
    )
    if effect.channel is not None:
        base = replace(
            base,
            channel=effect.channel,
            purpose=effect.purpose or "",
            facts="known",
            recipient_match=True,
            opted_out="no",
            consent="active",
            source_policy="ok",
            opt_out_text=True,
            sender_identity=True,
        )
    return replace(base, **changes)


def ask(question: Question) -> Any:
    return BUNDLE.ask([question])[0]


def codes(question: Question) -> set[str]:
    return {reason.code for reason in ask(question).reasons}


EFFECTS = sorted(effects().values(), key=lambda effect: effect.name)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_an_effect_is_decided_as_the_catalogue_says(effect: Effect) -> None:
    who = "system" if effect.name in ITSELF else "user"
    approved = ask(spotless(effect, principal_kind=who))
    unasked = ask(spotless(effect, approval="none", principal_kind=who))
    if effect.action_class is ActionClass.C or effect.blocked:
        assert (decide.outcome(approved), approved.mode) == (Outcome.REFUSED, Mode.BLOCKED)
        assert decide.outcome(unasked) is Outcome.REFUSED
    elif effect.action_class is ActionClass.A:
        assert decide.outcome(unasked) is Outcome.GRANTED
    elif effect.draft:
        assert (decide.outcome(unasked), unasked.mode) == (Outcome.GRANTED, Mode.DRAFT_ONLY)
    else:
        assert (decide.outcome(unasked), unasked.mode) == (Outcome.PARKED, Mode.APPROVAL_REQUIRED)
        assert (decide.outcome(approved), approved.mode) == (Outcome.GRANTED, Mode.APPROVED_EXECUTE)


ITSELF = ("webhook_deliver", "approval_brief_send")
"""What the system sends by itself, where a person has set it up."""


@pytest.mark.parametrize("name", ITSELF)
@pytest.mark.parametrize("kind", ["user", "api_key", "agent"])
def test_nobody_asks_for_what_the_system_sends_by_itself(name: str, kind: str) -> None:
    question = spotless(effects()[name], principal_kind=kind)
    assert decide.outcome(ask(question)) is Outcome.REFUSED
    assert "system_effect" in codes(question)


@pytest.mark.parametrize(
    ("own", "code"),
    [("none", "own_recipient_unknown"), ("unknown", "own_recipient_unknown"), ("outside_hours", "outside_own_hours")],
)
def test_a_brief_goes_to_verified_people_in_their_hours_and_nowhere_else(own: str, code: str) -> None:
    question = spotless(effects()["approval_brief_send"], principal_kind="system", own_recipient=own)
    assert decide.outcome(ask(question)) is Outcome.REFUSED
    assert code in codes(question)


RULES: dict[str, dict[str, Any]] = {
    "tenant_mismatch": {"tenant_match": False},
    "previous_attempt_open": {"earlier_attempt_open": True},
    "agent_suspended": {"suspended": True},
    "approval_token_unknown": {"approval": "token_unknown"},
    "approval_rejected": {"approval": "rejected"},
    "sequence_not_approved": {"approval": "sequence_not_approved"},
    "sequence_changed": {"approval": "sequence_changed"},
    "sequence_expired": {"approval": "sequence_expired"},
    "sequence_message_used": {"approval": "sequence_message_used"},
    "sequence_needs_more_people": {"approval": "sequence_needs_more_people"},
    "approval_lapsed": {"approval": "lapsed"},
    "facts_unknown": {"facts": "unknown"},
    "recipient_mismatch": {"recipient_match": False},
    "opted_out": {"opted_out": "yes"},
    "suppressed": {"suppressed": True},
    "data_contested": {"contested": True},
    "consent_withdrawn": {"consent": "withdrawn"},
    "source_blocked": {"source_policy": "blocked"},
    "opt_out_text_missing": {"opt_out_text": False},
    "sender_identity_missing": {"sender_identity": False},
    "over_daily_cap": {"over_daily_cap": True},
    "over_contact_cap": {"over_contact_cap": True},
    "quiet_hours": {"quiet_hours": True, "connector_mode": "live"},
}


@pytest.mark.parametrize("code", RULES)
@pytest.mark.parametrize("name", ["send_email", "send_whatsapp", "gmail_create_draft"])
def test_a_hard_rule_blocks_even_what_a_person_approved(name: str, code: str) -> None:
    question = spotless(effects()[name])
    assert decide.outcome(ask(question)) is Outcome.GRANTED
    broken = replace(question, **RULES[code])
    assert decide.outcome(ask(broken)) is Outcome.REFUSED
    assert code in codes(broken)


@pytest.mark.parametrize("name", ["send_whatsapp", "trigger_voice_call", "meeting_transcript_read"])
@pytest.mark.parametrize("consent", ["none", "expired", "withdrawn", "", "yes"])
def test_what_needs_consent_needs_an_active_one(name: str, consent: str) -> None:
    assert decide.outcome(ask(spotless(effects()[name], consent=consent))) is Outcome.REFUSED


@pytest.mark.parametrize("consent", ["none", "expired", ""])
def test_live_marketing_needs_consent_and_the_sandbox_does_not(consent: str) -> None:
    question = spotless(effects()["send_email"], consent=consent)
    assert decide.outcome(ask(question)) is Outcome.GRANTED
    live = replace(question, connector_mode="live")
    assert decide.outcome(ask(live)) is Outcome.REFUSED
    assert "marketing_consent_live" in codes(live)


def test_a_doubtful_source_needs_a_person_even_for_a_draft() -> None:
    question = spotless(effects()["gmail_create_draft"], approval="none", source_policy="review")
    assert decide.outcome(ask(question)) is Outcome.PARKED
    assert decide.outcome(ask(replace(question, approval="approved"))) is Outcome.GRANTED


def test_what_leaves_after_a_run_read_many_peoples_data_needs_a_person() -> None:
    question = spotless(effects()["slack_notify"], approval="none", tainted=True)
    assert decide.outcome(ask(question)) is Outcome.PARKED
    assert decide.outcome(ask(replace(question, approval="approved"))) is Outcome.GRANTED


def test_an_effect_that_nobody_registered_is_blocked_whatever_its_name() -> None:
    for name in ("teleport", "summarize"):
        question = replace(spotless(effects()["summarize"]), effect=name, registered=False)
        assert decide.outcome(ask(question)) is Outcome.REFUSED


def test_the_strictest_rule_that_fired_names_the_mode() -> None:
    question = spotless(effects()["send_email"], approval="none", opted_out="yes")
    answer = ask(question)
    assert answer.mode is Mode.BLOCKED
    assert answer.reasons[0].code == "opted_out"
    assert "class_b_needs_approval" in {reason.code for reason in answer.reasons}


# Reasons -------------------------------------------------------------------------------------------------------------------------

ARABIC = re.compile(r"[\u0600-\u06ff]")
POLICY_REASONS = re.findall(r'@reason_en\("([^"]+)"\)\s*@reason_ar\("([^"]+)"\)', TEXT)


def test_every_policy_says_why_in_both_languages() -> None:
    assert len(POLICY_REASONS) == TEXT.count("@id(")
    for english, arabic in POLICY_REASONS:
        assert not ARABIC.search(english)
        assert ARABIC.search(arabic)
        assert english.endswith(".")
        assert arabic.endswith(".")
    assert not re.search(r"[٠-٩]", TEXT), "digits are Latin"


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_every_answer_carries_a_reason_in_both_languages(effect: Effect) -> None:
    for approval in ("none", "approved"):
        reasons = ask(spotless(effect, approval=approval)).reasons
        assert reasons
        assert all(reason.en and ARABIC.search(reason.ar) for reason in reasons)


# The bundle ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("annotation", ["id", "mode", "reason_en", "reason_ar"])
def test_a_policy_that_does_not_explain_itself_is_refused(annotation: str) -> None:
    text = re.sub(rf"@{annotation}\(\"[^\"]*\"\)\n", "", TEXT, count=1)
    with pytest.raises(PolicyInvalid, match=annotation):
        Bundle(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('@mode("blocked")', '@mode("maybe")'),
        ('@id("tenant_mismatch")', '@id("class_c_forbidden")'),
        ("context.registered", "context.no_such_fact"),
        ("context.registered", "context.action_class"),
        ('Action::"gmail_send"', 'Action::"no_such_action"'),
        ("forbid (", "forbid forbid ("),
    ],
)
def test_a_policy_text_that_is_wrong_is_refused(before: str, after: str) -> None:
    assert before in TEXT
    with pytest.raises(PolicyInvalid):
        Bundle(TEXT.replace(before, after, 1))


def test_an_empty_bundle_allows_nothing() -> None:
    answer = Bundle("").ask([spotless(effects()["summarize"])])[0]
    assert (answer.allowed, answer.mode) == (False, Mode.BLOCKED)


def test_a_version_is_the_text() -> None:
    assert Bundle(TEXT).version == BUNDLE.version
    assert Bundle(TEXT + "\n").version != BUNDLE.version


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    first, second = spotless(effects()["send_email"]), spotless(effects()["send_email"], suppressed=True)
    together = Bundle(TEXT).ask([first, second, first])
    assert [answer.allowed for answer in together] == [True, False, True]
    assert together == [Bundle(TEXT).ask([question])[0] for question in (first, second, first)]


@pytest.mark.parametrize("name", ["send_whatsapp", "trigger_voice_call", "meeting_transcript_read"])
@pytest.mark.parametrize("purpose", ["marketing", "partnership", "transcript", "service", ""])
def test_no_row_of_consent_is_no_consent_for_any_purpose(name: str, purpose: str) -> None:
    """A contact without a single consent, whatever the purpose is called and whoever approved."""
    state = ContactState(
        new_id(), "e", "p", "website_form", "no", cold=False, email_valid=True, collected_directly=True
    )
    for channel in ("email", "whatsapp", "phone", "meeting"):
        assert state.consent(channel) == "none"
    asked = spotless(effects()[name], purpose=purpose, consent=state.consent("whatsapp"))
    assert not ask(asked).allowed


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("unknown_provider", "model_not_known"),
        ("data_class", "model_data_class"),
        ("cross_border", "model_cross_border"),
        ("personal_abroad", "model_personal_abroad"),
        ("agent_stopped", "model_agent_stopped"),
    ],
)
@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_a_model_that_may_not_see_a_question_is_not_asked_in_any_mode(call: str, code: str, mode: str) -> None:
    effect = effects()["model_openai"]
    question = spotless(effect, principal_kind="system", approval="none", connector_mode=mode)
    assert ask(replace(question, model_call="fits")).allowed
    assert not ask(replace(question, model_call=call)).allowed and codes(replace(question, model_call=call)) == {code}
