"""The committed manifests say what the declarations say."""

from __future__ import annotations

import pytest
import yaml

from dev.deploy import network, planes, render
from libs.contracts import subjects
from libs.contracts.message import Plane


def test_committed_manifests_are_what_the_declarations_render() -> None:
    assert render.drift() == [], "run `make manifests` and commit what it changes"


def test_a_changed_interaction_rule_is_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    said = render.files()["network-policies.yaml"]
    monkeypatch.setitem(subjects.MAY_CALL, Plane.DATA, frozenset())
    assert render.files()["network-policies.yaml"] != said
    assert "network-policies.yaml" in render.drift()


def test_another_plane_with_egress_is_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    said = render.files()["network-policies.yaml"]
    monkeypatch.setattr(network, "EGRESS", frozenset({Plane.EXECUTION, Plane.DECISION}))
    assert render.files()["network-policies.yaml"] != said
    assert "network-policies.yaml" in render.drift()


def test_a_file_nobody_generates_is_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {name: text for name, text in render.files().items() if name != "plane-data.yaml"}
    monkeypatch.setattr(render, "files", lambda: wanted)
    assert "plane-data.yaml" in render.drift()


@pytest.mark.parametrize("plane", list(Plane))
def test_each_consumer_of_a_scaled_plane_is_watched(plane: Plane) -> None:
    if planes.needs()[plane].scale == "cpu":
        assert not [event for event in subjects.EVENTS if plane in event.consumers], (
            f"{plane} consumes and scales on CPU alone"
        )
        return
    documents = list(yaml.safe_load_all(render.files()[f"plane-{plane.value}.yaml"]))
    [scaler] = [d for d in documents if d["kind"] == "ScaledObject"]
    watched = {t["metadata"]["consumer"] for t in scaler["spec"]["triggers"] if t["type"] == "nats-jetstream"}
    assert watched == {event.durable(plane) for event in subjects.EVENTS if plane in event.consumers}
