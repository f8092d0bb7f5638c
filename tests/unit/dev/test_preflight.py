"""What a deploy changes is found in every area, a break is a break, and what only adds is fine."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, create_model

from dev.release.base import described_here
from dev.release.compare import AREAS, Change, Weight, compare, incomparable, verdict
from dev.release.live import settled
from dev.release.schemas import Schemas
from libs.contracts.message import Text
from tests.unit.dev.fake_gateway import FakeGateway

TENANT = "0198a000-0000-7000-8000-000000000001"
Fields = dict[str, Any]


@pytest.fixture(scope="module")
def release() -> dict[str, Any]:
    return described_here()


def schemas(fields: Fields) -> dict[str, Any]:
    model = create_model("M", __config__=ConfigDict(extra="forbid"), **fields)
    whole = model.model_json_schema(ref_template="#/x/{model}")
    return {"M": whole, **whole.pop("$defs", {})}


class Inner(BaseModel):
    a: int


def compared(old: Fields, new: Fields) -> list[tuple[str, bool]]:
    return [(one.path, one.breaks) for one in Schemas(schemas(old), schemas(new)).compare("M", "M")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": (int, ...)}, {"a": (int, ...)}, []),
        ({"a": (int, ...), "b": (int, 1)}, {"a": (int, ...)}, [(".b", True)]),
        ({"a": (int, ...)}, {"a": (int, ...), "b": (int, ...)}, [(".b", True)]),
        ({"a": (int, ...)}, {"a": (int, ...), "b": (int, 1)}, [(".b", False)]),
        ({"a": (int, 1)}, {"a": (int, ...)}, [(".a", True)]),
        ({"a": (int, ...)}, {"a": (int, 1)}, []),
        ({"a": (int | None, ...)}, {"a": (int, ...)}, [(".a", True)]),
        ({"a": (int, ...)}, {"a": (int | None, ...)}, [(".a", False)]),
        ({"a": (list[Inner], ...)}, {"a": (list[int], ...)}, [(".a[]", True), (".a[]", False)]),
    ],
)  # fmt: skip
def test_a_removed_or_newly_required_field_or_a_narrower_type_breaks(
    old: Fields, new: Fields, expected: object
) -> None:
    assert compared(old, new) == expected


def test_a_choice_that_is_gone_breaks_and_a_new_one_is_for_the_new_release_alone() -> None:
    def choice(*values: str) -> dict[str, Any]:
        return {"M": {"type": "object", "properties": {"a": {"type": "string", "enum": list(values)}}}}

    gone, new = Schemas(choice("x", "y"), choice("x", "z")).compare("M", "M")
    assert (gone.breaks, new.breaks) == (True, False)
    assert "y" in gone.what.en
    assert "z" in new.what.en


def test_a_tighter_bound_breaks_and_a_looser_one_does_not() -> None:
    def bounded(most: int) -> dict[str, Any]:
        return {"M": {"type": "object", "properties": {"a": {"type": "string", "maxLength": most}}}}

    assert [one.breaks for one in Schemas(bounded(9), bounded(5)).compare("M", "M")] == [True]
    assert [one.breaks for one in Schemas(bounded(5), bounded(9)).compare("M", "M")] == [False]


def test_a_message_that_holds_itself_is_compared_once_through() -> None:
    tree: dict[str, Any] = {
        "M": {"type": "object", "properties": {"below": {"type": "array", "items": {"$ref": "#/M"}}}}
    }
    other = copy.deepcopy(tree)
    other["M"]["properties"]["name"] = {"type": "string"}
    assert [one.path for one in Schemas(tree, other).compare("M", "M")] == [".name"]


# -- releases ----------------------------------------------------------------------------------------------------------


def test_a_release_beside_itself_changes_nothing(release: dict[str, Any]) -> None:
    assert compare(release, copy.deepcopy(release)) == []
    assert verdict([]) is Weight.FINE
    assert incomparable(release, release) == []


def _drop(release: dict[str, Any], *path: str) -> None:
    for key in path[:-1]:
        release = release[key]
    del release[path[-1]]


PLANTED: dict[str, tuple[Callable[[Any], object], str, Weight, str]] = {
    "a migration of the past is gone": (lambda new: _drop(new, "migrations", "trust", "trust_0001"), "schemas", Weight.BREAK, "trust_0001"),
    "a migration of the past was edited": (lambda new: new["migrations"]["trust"]["trust_0001"].update(digest="x"), "schemas", Weight.BREAK, "trust_0001"),
    "a migration takes something away": (
        lambda new: new["migrations"]["trust"].update(t9={"digest": "x", "takes_away": "drop column"}), "schemas", Weight.CAREFUL, "t9",
    ),
    "a migration adds": (lambda new: new["migrations"]["trust"].update(t9={"digest": "x", "takes_away": ""}), "schemas", Weight.FINE, "t9"),
    "a call is gone": (lambda new: _drop(new, "subjects", "trust.approve.v1"), "subjects", Weight.BREAK, "trust.approve.v1"),
    "a caller lost its call": (
        lambda new: new["subjects"]["trust.approve.v1"]["peers"].remove("gateway"), "subjects", Weight.BREAK, "trust.approve.v1",
    ),
    "a policy decides otherwise": (lambda new: new["policies"].update(class_c_forbidden="x"), "policies", Weight.CAREFUL, "class_c_forbidden"),
    "a policy is gone": (lambda new: _drop(new, "policies", "class_c_forbidden"), "policies", Weight.CAREFUL, "class_c_forbidden"),
    "a flow changed and kept its version": (lambda new: new["flows"].update({"signature@1": "x"}), "flows", Weight.BREAK, "signature@1"),
    "a flow's version is gone": (lambda new: _drop(new, "flows", "signature@1"), "flows", Weight.BREAK, "signature@1"),
    "a flow has another version": (lambda new: new["flows"].update({"signature@2": "x"}), "flows", Weight.FINE, "signature@2"),
    "a plane lost a right": (
        lambda new: new["permissions"]["gateway"]["publish"].remove("trust.approve.v1"), "permissions", Weight.CAREFUL, "gateway publish trust.approve.v1",
    ),
    "a role may more": (lambda new: new["roles"]["users"].update(member="full"), "permissions", Weight.CAREFUL, "member: users"),
    "an effect needs fewer approvers": (lambda new: new["effects"]["stripe_refund"].update(approvals="A0"), "effects", Weight.CAREFUL, "stripe_refund"),
    "an effect is gone": (lambda new: _drop(new, "effects", "send_email"), "effects", Weight.BREAK, "send_email"),
    "a message needs a field": (
        lambda new: (
            new["messages"]["PingRequest"].setdefault("properties", {}).update(planted={"type": "string"}),
            new["messages"]["PingRequest"].update(required=["planted"]),
        ), "messages", Weight.BREAK, "trust.ping.v1 request.planted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_change_is_found_and_weighed(planted: str, release: dict[str, Any]) -> None:
    change, area, weight, name = PLANTED[planted]
    new = copy.deepcopy(release)
    change(new)
    found = compare(release, new)
    assert [(one.area, one.weight) for one in found if one.name == name] == [(area, weight)], found
    assert verdict(found) is weight
    assert area in AREAS


def test_bytes_of_the_release_before_that_cannot_be_read_any_more_break(release: dict[str, Any]) -> None:
    old = copy.deepcopy(release)
    body = json.loads(old["golden"]["trust.approve.v1.request"])
    old["golden"]["trust.approve.v1.request"] = json.dumps({**body, "of_the_past": 1})
    (found,) = compare(old, release)
    assert (found.area, found.weight, found.name) == ("messages", Weight.BREAK, "trust.approve.v1.request")
    assert "of_the_past" in found.what.en


def test_what_an_older_release_does_not_describe_is_said_and_not_taken_for_equal(release: dict[str, Any]) -> None:
    old = {**copy.deepcopy(release), "flows": None, "golden": {}}
    assert incomparable(old, release) == ["flows", "golden"]


def test_a_flow_version_breaks_only_where_runs_of_it_go_on() -> None:
    gone = Change("flows", "signature@1", Weight.BREAK, Text(en="gone", ar="حُذف"))
    assert settled([gone], "unknown: no system running") == [gone]
    assert settled([gone], [{"flow": "signature@1", "tenant_id": TENANT, "runs": 2, "at_least": False}]) == [gone]
    assert [one.weight for one in settled([gone], [])] == [Weight.CAREFUL]


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(release: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The description of a release that had one more version of a flow than this source."""
    file = tmp_path_factory.mktemp("release") / "release.json"
    file.write_text(json.dumps({**release, "flows": {**release["flows"], "signature@0": "x"}}), encoding="utf-8")
    return file


def flow(version: int) -> dict[str, Any]:
    return {"flow": "signature", "version": version, "tenant_id": TENANT}


def test_live_runs_of_a_version_that_goes_fail_the_command_and_are_counted_by_tenant(kept: Path) -> None:
    page = {"items": [flow(0), flow(0), flow(1)], "next_cursor": None}
    gateway = FakeGateway(
        {
            "GET /flows": lambda request: (
                page if request.url.params["status"] == "running" else {"items": [], "next_cursor": None}
            )
        }
    )
    done = gateway.types("preflight", "--from-file", str(kept), "--json")
    report = json.loads(done.stdout)
    assert (done.exit_code, report["verdict"]) == (1, "break")
    assert report["live_flows"] == [{"flow": "signature@0", "tenant_id": TENANT, "runs": 2, "at_least": False}]
    assert "يعطّل ما يعمل الآن" in gateway.types("preflight", "--from-file", str(kept), "--lang", "ar").stdout


def test_without_live_runs_the_same_deploy_passes_with_care(kept: Path) -> None:
    done = FakeGateway({"GET /flows": {"items": [], "next_cursor": None}}).types(
        "preflight", "--from-file", str(kept), "--json"
    )
    report = json.loads(done.stdout)
    assert (done.exit_code, report["verdict"], report["live_flows"]) == (0, "careful", [])


def test_a_system_that_does_not_answer_leaves_the_break(kept: Path) -> None:
    done = FakeGateway().types("preflight", "--from-file", str(kept), "--json")
    assert (done.exit_code, json.loads(done.stdout)["live_flows"][:8]) == (1, "unknown:")


def test_a_description_is_written_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "release.json"
    assert FakeGateway().types("preflight", "--describe", "-o", str(file)).exit_code == 0
    done = FakeGateway().types("preflight", "--from-file", str(file))
    assert (done.exit_code, "it only adds" in done.stdout) == (0, True)


@pytest.mark.parametrize("text", ["{}", '{"form": 99}', "[]", "no json"])
def test_what_is_no_description_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, encoding="utf-8")
    refused = FakeGateway().types("preflight", "--from-file", str(file))
    assert refused.exit_code == 2
    assert refused.stderr


@pytest.mark.parametrize("name", ["no-such-commit", "--output=/tmp/x", "HEAD; true"])
def test_what_is_no_commit_is_refused(name: str) -> None:
    refused = FakeGateway().types("preflight", f"--from={name}", "--lang", "ar")
    assert refused.exit_code == 2
    assert "لا يسمّي إيداعًا" in refused.stderr
