"""Signatures of webhooks under the specification's own library and its published vector."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.execution.push.domain.signing import headers, make_secret, read_secret

BODY = '{"type":"approval.requested","data":{"نص":"عربي"}}'.encode()


def test_the_specifications_library_takes_what_we_sign() -> None:
    secret = make_secret()
    made = headers("msg_1", int(time.time()), BODY, [secret])
    assert Webhook(secret).verify(BODY, made)["type"] == "approval.requested"


def test_the_signature_is_the_librarys_own() -> None:
    secret, at = make_secret(), datetime(2026, 11, 21, 12, tzinfo=UTC)
    theirs = Webhook(secret).sign("msg_1", at, BODY.decode())
    assert headers("msg_1", int(at.timestamp()), BODY, [secret])["webhook-signature"] == theirs


def test_the_published_vector_holds() -> None:
    """Of the specification's reference implementations."""
    made = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    )
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("change", ["body", "id", "time", "secret"])
def test_what_was_changed_is_refused(change: str) -> None:
    secret, now = make_secret(), int(time.time())
    made = headers("msg_1", now, BODY, [secret])
    body = BODY + b" " if change == "body" else BODY
    if change == "id":
        made["webhook-id"] = "msg_2"
    if change == "time":
        made["webhook-timestamp"] = str(now - 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(make_secret() if change == "secret" else secret).verify(body, made)


def test_while_a_secret_is_replaced_the_old_and_the_new_both_verify() -> None:
    old, new = make_secret(), make_secret()
    made = headers("msg_1", int(time.time()), BODY, [new, old])
    for known in (old, new):
        assert Webhook(known).verify(BODY, made)
    with pytest.raises(WebhookVerificationError):
        Webhook(make_secret()).verify(BODY, made)


def test_what_nobody_signed_is_not_made() -> None:
    with pytest.raises(ValueError, match="without a secret"):
        headers("msg_1", 0, BODY, [])


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!!", f"whsec_{base64.b64encode(b'short').decode()}", "plain"])
def test_what_is_no_secret_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="not a webhook secret"):
        read_secret(text)
