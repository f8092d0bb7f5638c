"""What a request shows to whoever has to decide, and to whoever decided already."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.contracts import trust
from services.gateway.console import present

GOLDEN = Path(__file__).parents[2] / "contracts/golden/trust.approval.v1.reply.json"
MINE, OTHER = "user:01930000-0000-7000-8000-00000000000a", "user:01930000-0000-7000-8000-00000000000b"


def pending(payload: dict[str, Any], *, approvers: int = 1, approved_by: tuple[str, ...] = ()) -> trust.Approval:
    stored = json.loads(GOLDEN.read_text(encoding="utf-8"))
    approval = trust.Approval.model_validate(stored)
    steps = tuple(
        trust.ApprovalStep(at=approval.requested_at, actor=who, step="approved", note="") for who in approved_by
    )
    view = {
        **approval.view,
        "title_en": "Send",
        "title_ar": "إرسال",
        "reasons": [],
        "resource": {"type": "lead", "id": "1"},
    }
    changed: trust.Approval = approval.evolve(
        state=trust.ApprovalState.PENDING, payload=json.dumps(payload), approvers=approvers, history=steps, view=view,
        value_sar="450000.00",
    )  # fmt: skip
    return changed


def card(approval: trust.Approval, reader: str) -> Any:
    now: datetime = approval.requested_at + timedelta(minutes=1)
    return present.approval_card("en", approval, now, may_decide=True, reader=reader)


def test_who_approved_is_not_asked_again_and_the_next_person_is() -> None:
    approval = pending({"value_sar": "450000.00"}, approvers=2, approved_by=(MINE,))
    assert [button.label for button in card(approval, MINE).buttons] == ["Open the evidence"]
    assert card(approval, OTHER).buttons[0].label == "Approve and execute"
    assert ("Approvals", "1 of 2") in [(fact.label, fact.value) for fact in card(approval, OTHER).facts]


@pytest.mark.parametrize(
    ("payload", "tag"),
    [({"estimated_value_sar": "450000.00"}, "estimated"), ({"value_sar": "450000.00"}, None), ({"amount": "1"}, None)],
)
def test_only_what_a_message_may_be_worth_is_called_an_estimate(payload: dict[str, Any], tag: str | None) -> None:
    (value,) = (fact for fact in card(pending(payload), MINE).facts if fact.label == "Value")
    assert value.tag == tag


def test_a_vote_changes_the_card_so_that_open_pages_take_the_new_one() -> None:
    assert card(pending({}, approvers=2), MINE).rev != card(pending({}, approvers=2, approved_by=(MINE,)), MINE).rev
