"""What a plane says of its credentials: weak ones by the name of their setting, and never a value."""

from __future__ import annotations

import secrets

import pytest

from libs.runtime.own_credentials import is_weak, plain_addresses, weak_secrets


@pytest.mark.parametrize(
    "secret",
    ["", "short", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "change-me-change-me-change-me-1234", "dealix-dealix-0123456789abcdef",
     "postgres0123456789abcdef", "0123012301230123012301230123", "this-is-the-default-key-for-now"],
)  # fmt: skip
def test_what_could_be_guessed_is_weak(secret: str) -> None:
    assert is_weak(secret)


def test_what_was_drawn_by_chance_is_not() -> None:
    assert not any(is_weak(secrets.token_hex(16)) for _ in range(200))
    assert not any(is_weak(secrets.token_urlsafe(32)) for _ in range(200))


def test_settings_are_named_and_values_are_not() -> None:
    good = secrets.token_urlsafe(32)
    environ = {
        "DEALIX_SECRET_KEY": "change-me-change-me-change-me-1234",
        "DEALIX_TRUST_NATS_SEED": good,
        "DEALIX_TRUST_DATABASE_URL": "postgresql://trust:trust@db/dealix",
        "DEALIX_DATA_DATABASE_URL": f"postgresql://data:{good}@db/dealix",
        "DEALIX_LANG": "ar",
        "HOME": "/root",
    }
    assert weak_secrets(environ) == (4, ("DEALIX_SECRET_KEY", "DEALIX_TRUST_DATABASE_URL"))


@pytest.mark.parametrize(
    ("environ", "plain"),
    [
        ({}, ()),
        ({"DEALIX_HTTP_HOST": "0.0.0.0"}, ("http://0.0.0.0",)),
        ({"DEALIX_GATEWAY_PUBLIC_URL": "https://app.ofoq.sa", "DEALIX_HTTP_HOST": "0.0.0.0"}, ()),
        ({"DEALIX_GATEWAY_PUBLIC_URL": "http://app.ofoq.sa"}, ("http://app.ofoq.sa",)),
        ({"DEALIX_GATEWAY_PUBLIC_URL": "http://127.0.0.1:8080", "DEALIX_HTTP_HOST": "10.0.0.4"}, ("http://10.0.0.4",)),
    ],
)
def test_where_browsers_go_without_tls(environ: dict[str, str], plain: tuple[str, ...]) -> None:
    assert plain_addresses(environ) == plain
