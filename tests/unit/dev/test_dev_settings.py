"""A setting is told with its source, and one that makes no sense stops the start with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.messages import BadSetting, pick_lang
from dev.settings import describe, load_settings, operator_environment, read_dotenv


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "eighty"),
        ("HTTP_PORT", "70000"),
        ("HTTP_PORT", "-1"),
        ("NATS_URL", "http://localhost:4222"),
        ("NATS_URL", "nats://"),
        ("NATS_URL", "nats://host:port"),
        ("DATABASE_URL", "mysql://me:pw@host/db"),
        ("DATABASE_URL", "postgresql://me:pw@host"),
        ("SECRET_KEY", "short"),
        ("LANG", "fr"),
        ("START_SECONDS", "0"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name_in_both_languages(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load_settings({f"DEALIX_{name}": value})
    sentence = refused.value.sentence
    assert f"DEALIX_{name}" in sentence.en
    assert f"DEALIX_{name}" in sentence.ar
    assert refused.value.exit_code != 0


def test_a_refused_secret_is_not_repeated() -> None:
    with pytest.raises(BadSetting) as refused:
        load_settings({"DEALIX_DATABASE_URL": "postgresql://me:hunter2@"})
    assert "hunter2" not in refused.value.sentence.en + refused.value.sentence.ar


def test_the_command_line_wins_over_the_environment_and_is_named_when_it_is_wrong() -> None:
    assert load_settings({"DEALIX_HTTP_PORT": "81"}, http_port=82, data_dir=None).http_port == 82
    with pytest.raises(BadSetting, match="--port"):
        load_settings({}, http_port=99999)


def test_an_empty_value_counts_as_not_set() -> None:
    assert load_settings({"DEALIX_HTTP_PORT": "", "DEALIX_NATS_URL": ""}).http_port == 8080


def test_the_environment_wins_over_dotenv(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("DEALIX_HTTP_PORT=81\nDEALIX_LANG=ar\n")
    operator = operator_environment({"DEALIX_HTTP_PORT": "82"}, dotenv)
    assert (operator["DEALIX_HTTP_PORT"], operator["DEALIX_LANG"]) == ("82", "ar")


def test_a_dotenv_that_is_no_text_is_refused(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"DEALIX_LANG=\xff\xfe\n")
    with pytest.raises(BadSetting, match=r"\.env"):
        read_dotenv(dotenv)


def test_the_list_of_settings_says_where_each_comes_from_and_shows_no_secret() -> None:
    environ = {"DEALIX_DATABASE_URL": "postgresql://me:hunter2@host/db", "DEALIX_TRUST_KEYS": "hunter2"}
    rows = {row.name: row for row in describe(environ, {"DEALIX_HTTP_PORT": "81"}, "en")}
    assert rows["DEALIX_HTTP_PORT"].source == ".env"
    assert rows["DEALIX_HTTP_PORT"].value == "81"
    assert rows["DEALIX_DATABASE_URL"].source == "environment"
    assert rows["DEALIX_HTTP_HOST"].source == "default"
    assert all(row.meaning for row in rows.values())
    assert not any("hunter2" in row.value for row in rows.values())


@pytest.mark.parametrize(
    ("explicit", "environ", "lang"),
    [
        (None, {}, "en"),
        (None, {"LANG": "ar_SA.UTF-8"}, "ar"),
        (None, {"LANG": "ar_SA.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        (None, {"LANG": "en_US.UTF-8", "DEALIX_LANG": "ar"}, "ar"),
        ("en", {"DEALIX_LANG": "ar"}, "en"),
    ],
)
def test_the_language_is_the_nearest_choice(explicit: str | None, environ: dict[str, str], lang: str) -> None:
    assert pick_lang(explicit, environ) == lang
