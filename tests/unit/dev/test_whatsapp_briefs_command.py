"""`dealix whatsapp rules/hours/messages` against a hand-written gateway."""

from __future__ import annotations

from tests.unit.dev.fake_gateway import FakeGateway

RULES = {
    "enabled": False,
    "risks": ["low", "medium"],
    "action_types": [],
    "template": "approval_brief",
    "language": "ar",
}
HOURS = {"opens": "08:00", "closes": "20:00", "days": ["sun"]}
SENT = {
    "message_id": "m1",
    "kind": "brief",
    "state": "dropped",
    "detail": "no_number",
    "created_at": "2026-11-21T12:00:00Z",
}


def gateway() -> FakeGateway:
    return FakeGateway(
        {
            "GET /approvals/whatsapp-rules": RULES,
            "PUT /approvals/whatsapp-rules": {**RULES, "enabled": True, "risks": ["low"]},
            "GET /me/whatsapp-hours": HOURS,
            "PUT /me/whatsapp-hours": HOURS,
            "DELETE /me/whatsapp-hours": {},
            "GET /me/whatsapp-messages": {"items": [SENT], "next_cursor": None},
        }
    )


def test_rules_are_shown_and_changed_by_what_was_typed() -> None:
    at = gateway()
    assert "medium" in at.types("whatsapp", "rules").output
    assert not at.bodies("PUT", "/approvals/whatsapp-rules")
    assert at.types("whatsapp", "rules", "--on", "--risk", "low").exit_code == 0
    assert at.bodies("PUT", "/approvals/whatsapp-rules") == [{**RULES, "enabled": True, "risks": ["low"]}]


def test_hours_are_set_shown_and_given_up() -> None:
    at = gateway()
    assert "08:00-20:00" in at.types("whatsapp", "hours").output
    assert at.types("whatsapp", "hours", "08:00-20:00", "--days", "sun,mon").exit_code == 0
    (body,) = at.bodies("PUT", "/me/whatsapp-hours")
    assert body == {"opens": "08:00", "closes": "20:00", "days": ["sun", "mon"]}
    assert at.types("whatsapp", "hours", "--never").exit_code == 0
    assert at.types("whatsapp", "hours", "whenever").exit_code != 0


def test_what_was_sent_is_listed_with_its_reason() -> None:
    result = gateway().types("whatsapp", "messages")
    assert "not sent" in result.output
    assert "no_number" in result.output
