"""A payload is shown whole, field by field: what is inside lists of messages too."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from libs.contracts.canonical import canonical
from libs.contracts.trust import Approval, ApprovalState
from services.gateway.console.present import payload_of

ID, AT = UUID(int=1), datetime(2026, 11, 22, tzinfo=UTC)


def fields(payload: dict[str, object]) -> dict[str, str]:
    asked = Approval(
        approval_id=ID, tenant_id=ID, action_id=ID, action_type="sequence_approve", state=ApprovalState.PENDING, role="sales_manager",
        risk="medium", reason="", requester="user:1", value_sar=None, payload=canonical(payload).decode(), payload_hash="a" * 64, view={},
        view_hash="b" * 64, policy_version="v", requested_at=AT, due_at=AT, expires_at=AT, compensation="",
    )  # fmt: skip
    return {one.path: one.value for one in payload_of("en", asked).fields}


def test_every_field_of_every_message_of_a_sequence_is_shown_by_itself() -> None:
    messages = [{"channel": "email", "payload": {"subject": f"رسالة {n}", "body": "نص"}} for n in (1, 2)]
    assert fields({"contact_id": "c-1", "messages": messages}) == {
        "contact_id": "c-1",
        "messages[0].channel": "email", "messages[0].payload.body": "نص", "messages[0].payload.subject": "رسالة 1",
        "messages[1].channel": "email", "messages[1].payload.body": "نص", "messages[1].payload.subject": "رسالة 2",
    }  # fmt: skip


def test_a_list_of_plain_values_stays_one_field_and_an_empty_one_is_not_lost() -> None:
    assert fields({"attendees": ["a", "b"], "tags": []}) == {"attendees": '["a", "b"]', "tags": "[]"}
