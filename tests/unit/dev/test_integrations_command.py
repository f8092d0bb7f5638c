"""`dealix integrations` against a hand-written gateway."""

from __future__ import annotations

from typing import Any

from tests.unit.dev.fake_gateway import FakeGateway

ONE: dict[str, Any] = {
    "name": "slack", "title": {"en": "Slack", "ar": "سلاك"}, "category": "messaging", "use_case": {"en": "Notices", "ar": "تنبيهات"},
    "state": "connected", "health": "ok", "health_reason": {"en": "The vendor accepts it.", "ar": "قبله المزوّد."}, "risk_level": "low",
    "notes_ar": "تنبيهات داخلية فقط.", "credential": [{"name": "path", "en": "Path", "ar": "المسار"}],
    "scopes": [{"action": "slack_notify", "operation": "post", "rule": "allowed", "en": "Notify the team", "ar": "تنبيه الفريق"}],
}  # fmt: skip


def gateway(**changes: Any) -> FakeGateway:
    one = {**ONE, **changes}
    return FakeGateway(
        {
            "GET /integrations": {"items": [one], "next_cursor": None},
            "GET /integrations/slack": one,
            "POST /integrations/slack/connect": one,
            "POST /integrations/slack/disconnect": {**one, "state": "sandbox"},
        }
    )


def test_the_list_and_one_entry_say_state_health_and_scopes() -> None:
    listed = gateway().types("integrations", "list", "--state", "connected")
    assert listed.exit_code == 0, listed.output
    assert "connected" in listed.output
    shown = gateway().types("integrations", "show", "slack")
    assert "slack_notify" in shown.output
    assert "runs at once" in shown.output


def test_connecting_sends_the_values_and_fails_when_the_vendor_says_no() -> None:
    at = gateway()
    values = '{"path": "/services/AAAAAAAAAAAA"}'
    assert at.types("integrations", "connect", "slack", "-", stdin=values).exit_code == 0
    assert at.bodies("POST", "/integrations/slack/connect") == [{"values": {"path": "/services/AAAAAAAAAAAA"}}]
    assert gateway(health="error").types("integrations", "connect", "slack", "-", stdin=values).exit_code == 1
    assert gateway().types("integrations", "connect", "slack", "-", stdin="[1]").exit_code != 0
    assert gateway().types("integrations", "disconnect", "slack").exit_code == 0
