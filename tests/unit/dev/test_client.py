"""The client: one sentence for whatever goes wrong, and the key only where it belongs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.client import ApiError, Client, NoAccess, Target, locate
from dev.directory import running_lock, write_json
from dev.messages import BadSetting, NotRunning
from dev.state import SystemState, write_state
from tests.unit.dev.fake_gateway import BASE, FakeGateway, Several, problem


def test_a_problem_becomes_its_own_sentence_with_code_and_trace() -> None:
    gateway = FakeGateway({"GET /me": problem(409, "stale_hash", "The request has changed.", trace_id="abc")})
    with pytest.raises(ApiError) as refused:
        gateway.client().get("/me")
    assert refused.value.sentence.en == "The request has changed."
    assert refused.value.details == {"status": 409, "code": "stale_hash", "trace_id": "abc"}
    assert refused.value.exit_code == 1


def test_an_unexpected_fault_names_its_trace_so_that_it_can_be_found() -> None:
    gateway = FakeGateway({"GET /me": problem(500, "fault", "Something broke.", trace_id="abc")})
    with pytest.raises(ApiError, match="abc"):
        gateway.client().get("/me")


def test_the_fields_at_fault_are_named() -> None:
    errors = [{"field": "payload.to", "message": "must be an address"}, {"loc": ["body", "n"], "msg": "too long"}]
    gateway = FakeGateway({"POST /actions": problem(422, "invalid", "The request is not valid.", errors=errors)})
    with pytest.raises(ApiError, match=r"payload\.to: must be an address; body\.n: too long"):
        gateway.client().post("/actions", {})


@pytest.mark.parametrize("body", [b"<html>bad gateway</html>", b"", b"[1]", b'{"detail": null}'])
def test_a_refusal_that_is_no_problem_document_is_still_a_sentence(body: bytes) -> None:
    gateway = FakeGateway({"GET /me": httpx.Response(502, content=body)})
    with pytest.raises(ApiError) as refused:
        gateway.client().get("/me")
    assert "502" in refused.value.sentence.en
    assert "502" in refused.value.sentence.ar


def test_what_is_not_json_is_not_taken_for_dealix() -> None:
    gateway = FakeGateway({"GET /me": httpx.Response(200, content=b"<html>")})
    with pytest.raises(ApiError, match="not Dealix"):
        gateway.client().get("/me")


def test_without_a_key_a_401_says_how_to_get_one() -> None:
    gateway = FakeGateway({"GET /me": problem(401, "unauthenticated", "Sign in.")})
    with pytest.raises(NoAccess, match="DEALIX_API_KEY"):
        gateway.client(api_key=None).get("/me")
    with pytest.raises(NoAccess, match="Sign in"):
        gateway.client(api_key="expired").get("/me")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("refused"), "dealix up"),
        (httpx.ReadTimeout("slow"), "in time"),
        (httpx.RemoteProtocolError("cut"), "broke"),
    ],
)
def test_a_connection_that_fails_is_a_sentence_in_both_languages(error: Exception, words: str) -> None:
    def fails(_: httpx.Request) -> httpx.Response:
        raise error

    client = Client(Target(BASE), transport=httpx.MockTransport(fails))
    with pytest.raises((ApiError, NotRunning)) as raised:
        client.get("/me")
    assert words in raised.value.sentence.en
    assert BASE in raised.value.sentence.ar


def test_every_post_has_an_idempotency_key_of_its_own() -> None:
    gateway = FakeGateway({"POST /actions": {}})
    client = gateway.client()
    client.post("/actions", {})
    client.post("/actions", {})
    client.post("/actions", {}, key="mine", wait=5)
    keys = [request.headers["Idempotency-Key"] for request in gateway.asked]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"
    assert gateway.asked[2].headers["Prefer"] == "wait=5"


def test_the_language_and_the_key_travel() -> None:
    gateway = FakeGateway({"GET /me": {}})
    gateway.client("ar").get("/me")
    assert gateway.asked[0].headers["Accept-Language"] == "ar"
    assert gateway.asked[0].headers["Authorization"] == "Bearer key"


def test_a_list_is_read_page_by_page_up_to_the_limit() -> None:
    pages = Several(
        {"items": [{"n": n} for n in range(200)], "next_cursor": "c1"},
        {"items": [{"n": n} for n in range(200, 250)], "next_cursor": "c2"},
    )
    gateway = FakeGateway({"GET /actions": pages})
    assert [item["n"] for item in gateway.client().items("/actions", 250, state=None)] == list(range(250))
    asked = [dict(request.url.params) for request in gateway.asked]
    assert asked == [{"limit": "200"}, {"limit": "50", "cursor": "c1"}]


# -- where the gateway is, and whose key is used -----------------------------------------------------------------


@pytest.fixture
def running(tmp_path: Path) -> Any:
    """A data directory on which a system runs, with the key that the gateway left there."""
    (tmp_path / "run").mkdir()
    (tmp_path / "secrets").mkdir()
    write_json(tmp_path / "secrets" / "cli.json", {"api_key": "local"})
    with running_lock(tmp_path):
        write_state(SystemState("ready", str(tmp_path), os.getpid(), "0", console="http://127.0.0.1:8080"))
        yield tmp_path


def test_the_running_system_is_found_with_its_key(running: Path) -> None:
    assert locate(None, running, {}) == Target("http://127.0.0.1:8080", "local")
    assert locate("http://localhost:8080/", running, {}) == Target("http://localhost:8080", "local")


@pytest.mark.parametrize(
    "elsewhere", ["https://dealix.example", "http://127.0.0.1:8081", "http://127.0.0.1.evil.example:8080"]
)
def test_the_key_of_this_machine_goes_to_no_other_system(running: Path, elsewhere: str) -> None:
    assert locate(elsewhere, running, {}).api_key is None
    assert locate(None, running, {"DEALIX_BASE_URL": elsewhere}).api_key is None
    assert locate(elsewhere, running, {"DEALIX_API_KEY": "theirs"}).api_key == "theirs"


def test_a_key_is_not_shown_where_targets_are_printed() -> None:
    assert "secret" not in repr(Target(BASE, "secret"))


def test_with_nothing_running_one_sentence_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="dealix up"):
        locate(None, tmp_path, {})


@pytest.mark.parametrize("nonsense", ["dealix.example", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, nonsense: str) -> None:
    with pytest.raises(BadSetting):
        locate(nonsense, tmp_path, {})
