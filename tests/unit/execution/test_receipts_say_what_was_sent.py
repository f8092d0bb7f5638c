"""What a connector carried stands in its receipt, in words that name nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from libs.contracts.canonical import canonical
from libs.contracts.execution import Receipt
from services.execution.connectors import email_smtp, whatsapp
from services.execution.connectors.base import Sandbox
from services.trust.ledger.domain.commitments import receipt_bytes
from tests.unit.execution.admitting import admitted
from tests.unit.execution.test_email_compose import PAYLOAD

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
ID = UUID("01930000-0000-7000-8000-000000000001")


class NoAccount:
    async def lease(self, _: object) -> None:
        return None


@pytest.mark.parametrize(("url", "said"), [("https://ofoq.example/u/1", "one_click"), ("", "none")])
async def test_a_mails_receipt_says_whose_domain_and_whether_one_click_ends_it(url: str, said: str) -> None:
    connector = email_smtp.EmailSmtp(Sandbox(lambda: AT), NoAccount(), lambda: AT)  # type: ignore[arg-type]  # the sandbox leases nothing
    done = await connector.perform(admitted("send_email", {**PAYLOAD, "opt_out_url": url}))
    assert done.sent == {"sender_domain": "ofoq.example", "unsubscribe": said}


@pytest.mark.parametrize(("template", "said"), [("hello", ("hello", "ar")), (None, ("", ""))])
async def test_a_whatsapp_receipt_names_the_template_and_our_number(
    template: str | None, said: tuple[str, str]
) -> None:
    connector = whatsapp.WhatsApp(Sandbox(lambda: AT), NoAccount(), lambda: AT)
    payload = {"to": "+966501234567", "body": "مرحبًا", **({"template": template} if template else {})}
    done = await connector.perform(admitted("send_whatsapp", payload))
    assert done.sent == {"template": said[0], "language": said[1], "number": "sandbox"}
    assert "966501234567" not in str(done.sent)


def test_a_receipt_from_before_has_the_bytes_that_its_ledger_entry_commits_to() -> None:
    old = {
        "receipt_id": str(ID), "tenant_id": str(ID), "action_id": str(ID), "attempt": 1, "grant_id": str(ID), "connector": "email_smtp",
        "operation": "send", "mode": "sandbox", "vendor_id": "v", "request_digest": "r", "response_digest": "s",
        "started_at": "2026-11-22T06:00:00Z", "finished_at": "2026-11-22T06:00:00Z", "retries": 0, "cost_sar": "0.00",
    }  # fmt: skip
    read = Receipt.model_validate(old)
    assert receipt_bytes(read) == canonical(old)
    assert receipt_bytes(read.evolve(sent={"tls": "TLSv1.3"})) != canonical(old)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"id": "77", "quality_rating": "GREEN"}, ["GREEN"]),
        ({"id": "77", "quality_rating": "RED"}, ["RED"]),
        ({"id": "77", "quality_rating": "UNKNOWN"}, []),
        ({"id": "77"}, []),
        ([], []),
    ],
)
def test_a_probe_of_a_number_learns_its_quality_and_guesses_none(answer: object, said: list[str]) -> None:
    found = whatsapp.quality(httpx.Response(200, json=answer), "77")
    assert [(one.subject, one.quality) for one in found] == [("77/quality", one) for one in said]


def test_an_answer_that_is_no_json_says_nothing_of_quality() -> None:
    assert whatsapp.quality(httpx.Response(200, text="<html>"), "77") == ()
