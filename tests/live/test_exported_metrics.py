"""What dashboards, alerts and the autoscaler name is what running planes export: a panel over a metric that nobody has would stay empty for ever."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from dev.deploy import objectives, render
from libs.contracts.message import Plane
from tests.live.served import served

pytestmark = pytest.mark.live

FOREIGN = {
    "certmanager_certificate_expiration_timestamp_seconds": {"name"},
    "kubelet_volume_stats_available_bytes": {"persistentvolumeclaim"},
    "kubelet_volume_stats_capacity_bytes": {"persistentvolumeclaim"},
}
"""What the cluster's own exporters have, with the labels that we use of it."""
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+$")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def expressions() -> Iterator[tuple[str, str]]:
    """Every PromQL expression that is shipped, and where it stands."""
    for group in objectives.rules()["spec"]["groups"]:
        for rule in group["rules"]:
            yield rule.get("alert") or rule["record"], rule["expr"]
    for text in objectives.dashboards()["data"].values():
        board = json.loads(text)
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{board['title']} / {panel['title']}", target["expr"]
    for text in render.files().values():
        for document in yaml.safe_load_all(text):
            if document["kind"] == "ScaledObject":
                for trigger in document["spec"]["triggers"]:
                    if trigger["type"] == "prometheus":
                        yield f"scaling of {document['metadata']['name']}", trigger["metadata"]["query"]


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The metrics that an expression reads, each with the labels that it asks for."""
    waiting: list[Any] = [promql_parser.parse(expression)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, promql_parser.VectorSelector):
            yield str(node.name), {one.name for one in node.matchers.matchers}
            continue
        for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
            if (child := getattr(node, name, None)) is not None:
                waiting.append(child)
        if isinstance(node, promql_parser.Call):
            waiting += node.args


def exported(text: str) -> dict[str, set[str]]:
    """The metrics of an exposition with the labels of their samples. Raises ValueError for a line that is none."""
    out: dict[str, set[str]] = {}
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        found = _SAMPLE.match(line)
        if found is None:
            raise ValueError(line)
        out.setdefault(found[1], set()).update(name for name, _ in _LABEL.findall(found[2] or ""))
    return out


def missing(named: Iterator[tuple[str, str]], there: dict[str, set[str]]) -> list[str]:
    """What is named and not there, with the place that names it."""
    return [
        f"{where}: {metric} {sorted(labels - there[metric]) if metric in there else ''}".rstrip()
        for where, expression in named
        for metric, labels in selectors(expression)
        if metric not in there or labels - there[metric]
    ]


async def test_every_metric_that_a_panel_or_an_alert_names_is_exported(tmp_path: Path) -> None:
    # Nobody is at that address: a copy that can't be asked has an age all the same.
    os.environ["DEALIX_DATA_READ_DATABASE_URL"] = "postgresql://dealix_data@127.0.0.1:9/dealix"
    async with served(tmp_path, *Plane) as running:
        body = {"action_type": "summarize", "resource": {"type": "lead", "id": "1"}, "payload": {"text": "x"}}
        done = await running.http.post("/api/v1/actions", json=body, headers={"Prefer": "wait=8"})
        assert done.json()["state"] == "succeeded", done.text
        there: dict[str, set[str]] = {}
        for plane in Plane:
            for metric, labels in exported(await running.system.runtime(plane).metrics()).items():
                there.setdefault(metric, set()).update(labels)
    for group in objectives.rules()["spec"]["groups"]:
        for rule in group["rules"]:
            if "record" in rule:
                there.setdefault(rule["record"], set()).update(rule["labels"])
    there |= FOREIGN
    assert missing(expressions(), there) == []
    planted = iter(
        [("a panel", 'sum(rate(dealix_calls_total{subject="a",colour="red"}[5m])) / dealix_nobody_has_this')]
    )
    assert missing(planted, there) == ["a panel: dealix_nobody_has_this", "a panel: dealix_calls_total ['colour']"]
    used = {metric for _, expression in expressions() for metric, _ in selectors(expression)}
    assert len(used) > 20 and FOREIGN.keys() <= used, "what nobody names any more goes"
