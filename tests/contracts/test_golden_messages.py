"""The wire as it is agreed on: every message's bytes, field by field. `python -m tests.contracts.regenerate` changes them on purpose."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from libs.contracts.message import Message
from tests.contracts.examples import example, wire_messages
from tests.contracts.golden_files import FOLDER, path_of

MESSAGES = dict(wire_messages())
HINT = "the wire has changed; if that is meant: python -m tests.contracts.regenerate, and look at the difference"


def wire(golden: object) -> bytes:
    """JSON as it travels: no white space, UTF-8."""
    return json.dumps(golden, ensure_ascii=False, separators=(",", ":")).encode()


def test_every_message_has_its_golden_file_and_no_file_is_left_over() -> None:
    expected = {path_of(name).name for name in MESSAGES} | {"grant.json"}
    assert {path.name for path in FOLDER.glob("*.json")} == expected, HINT


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_travels_as_its_golden_bytes(name: str) -> None:
    golden = json.loads(path_of(name).read_bytes())
    assert example(MESSAGES[name]).model_dump_json().encode() == wire(golden), HINT


@pytest.mark.parametrize("name", MESSAGES)
def test_golden_bytes_are_read_as_the_message_that_they_were(name: str) -> None:
    kind = MESSAGES[name]
    assert kind.model_validate_json(wire(json.loads(path_of(name).read_bytes()))) == example(kind)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_field_that_nobody_declared_is_refused(name: str) -> None:
    body = {**json.loads(path_of(name).read_bytes()), "not_a_field": 1}
    with pytest.raises(ValidationError, match="not_a_field"):
        MESSAGES[name].model_validate_json(wire(body))


@pytest.mark.parametrize("kind", sorted({*MESSAGES.values()}, key=lambda kind: kind.__name__))
def test_what_travels_cannot_be_changed(kind: type[Message]) -> None:
    message = example(kind)
    for name in kind.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(message, name, None)
