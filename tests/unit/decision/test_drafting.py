"""What a draft becomes when it is submitted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from libs.contracts.data import Lead, TenantProfile
from libs.contracts.decision import Draft
from libs.contracts.message import Provenance
from services.decision.drafting import payload_of
from tests.contracts.examples import example


@pytest.mark.parametrize(("language", "sender"), [("en", "Ofoq Trading"), ("ar", "شركة أفق")])
def test_the_sender_is_named_in_the_language_of_the_message(language: str, sender: str) -> None:
    """A message that names its sender in another script than the envelope does reads as having no sender (PDPL art. 25)."""
    profile = example(TenantProfile).evolve(name_en="Ofoq Trading", name_ar="شركة أفق", sender_name="شركة أفق")
    draft = Draft(
        draft_id=UUID(int=1), tenant_id=UUID(int=2), lead_id=UUID(int=3), contact_id=UUID(int=4), channel="email",
        language=language, subject="s", body=f"… {sender}", facts_used=(), qa_score=1.0,
        provenance=example(Provenance).evolve(generated_at=datetime(2026, 11, 21, tzinfo=UTC)),
    )  # fmt: skip
    payload = payload_of(draft, example(Lead), profile)
    assert payload["from_name"] == sender
    assert payload["from_name"] in payload["body"]


def test_what_a_lead_may_be_worth_is_told_as_an_estimate_and_raises_no_limit_of_who_may_approve() -> None:
    """A message commits nothing: limits and quorums hold for what an action commits (`value_sar`, `amount`)."""
    draft = Draft(
        draft_id=UUID(int=1), tenant_id=UUID(int=2), lead_id=UUID(int=3), contact_id=UUID(int=4), channel="whatsapp",
        language="ar", subject=None, body="…", facts_used=(), qa_score=1.0,
        provenance=example(Provenance).evolve(generated_at=datetime(2026, 11, 21, tzinfo=UTC)),
    )  # fmt: skip
    payload = payload_of(draft, example(Lead).evolve(estimated_value=Decimal(450_000)), example(TenantProfile))
    assert payload["estimated_value_sar"] == "450000.00"
    assert not {"value_sar", "amount"} & set(payload)
