"""The bus speaks two standards: AsyncAPI 3 describes it, CloudEvents 1.0 wraps its events. Both are judged by validators that are not ours."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.v1.event import CloudEvent
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from pydantic import ValidationError

from libs.contracts.message import new_id
from libs.contracts.subjects import EVENTS
from libs.runtime.asyncapi import document
from libs.runtime.delivery import cloud_event
from tests.contracts.examples import example

SPECS = "@asyncapi/specs@6.11.1"
SPECS_SHA256 = "01af8744dc33c0c7eb2e908f6a955319ee58b70ecadc9387d1aeb16c0cd28928"
AT = datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """AsyncAPI's own JSON Schema of version 3.0.0, from its published package, checked against its digest."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm to fetch AsyncAPI's own schema with")
    directory = tmp_path_factory.mktemp("asyncapi")
    try:
        subprocess.run([npm, "pack", SPECS], cwd=directory, check=True, capture_output=True, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("the npm registry does not answer")
    (archive,) = Path(directory).glob("*.tgz")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SPECS_SHA256
    with tarfile.open(archive) as packed:
        member = packed.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        found: dict[str, Any] = json.loads(member.read())
    return found


def _first(table: dict[str, Any]) -> Any:
    return table[next(iter(table))]


def _shouting(wrong: dict[str, Any]) -> None:
    _first(wrong["operations"])["action"] = "shout"


def _untitled(wrong: dict[str, Any]) -> None:
    del wrong["info"]["title"]


def _invented(wrong: dict[str, Any]) -> None:
    _first(wrong["channels"])["nonsense"] = 1


def test_the_document_is_asyncapi_3_by_its_own_schema(schema: dict[str, Any]) -> None:
    judge = jsonschema_rs.validator_for(schema)
    made = json.loads(json.dumps(document()))
    assert [f"{list(e.instance_path)}: {e.message}" for e in judge.iter_errors(made)] == []


@pytest.mark.parametrize("break_it", [_shouting, _untitled, _invented])
def test_the_schema_notices_a_document_that_is_none(
    schema: dict[str, Any], break_it: Callable[[dict[str, Any]], None]
) -> None:
    wrong = copy.deepcopy(json.loads(json.dumps(document())))
    break_it(wrong)
    assert not jsonschema_rs.validator_for(schema).is_valid(wrong)


def test_another_implementation_reads_the_document() -> None:
    """FastStream's model of AsyncAPI 3; needs no network."""
    read = ApplicationSchema.model_validate(document())
    assert set(read.channels) == set(document()["channels"]) and set(read.operations) == set(document()["operations"])
    wrong = copy.deepcopy(document())
    _shouting(wrong)
    with pytest.raises(ValidationError):
        ApplicationSchema.model_validate(wrong)


def _attributes(subject: str) -> dict[str, Any]:
    row = {"id": new_id(), "subject": subject, "headers": '{"traceparent": "00-0-0-01"}', "created_at": AT}
    headers = cloud_event(row)
    found: dict[str, Any] = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}
    found["datacontenttype"] = headers["content-type"]
    found["time"] = datetime.fromisoformat(found["time"])
    return found


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.subject)
def test_every_event_is_a_cloud_event(event: Any) -> None:
    made = CloudEvent(_attributes(event.subject), example(event.message).model_dump_json())
    assert made.get_type() == f"com.dealix.{event.subject}"
    assert (made.get_source(), made.get_time()) == (f"//dealix/{event.plane.value}", AT)


@pytest.mark.parametrize("lacking", ["source", "type"])
def test_an_event_without_a_required_attribute_is_noticed(lacking: str) -> None:
    attributes = _attributes(EVENTS[0].subject)
    del attributes[lacking]
    with pytest.raises(CloudEventValidationError):
        CloudEvent(attributes)
