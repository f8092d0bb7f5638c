"""Every object of every overlay is what its schema says, and Prometheus, Grafana and NATS can read what we give them."""

from __future__ import annotations

import copy
import json
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from dev.deploy import messaging, render
from dev.deploy.surroundings import collector_configuration
from dev.nats import nats_binary
from dev.secrets import load_or_create
from libs.contracts.message import Plane
from libs.runtime.nats_config import permissions
from tests.deploy.certificates import authority
from tests.deploy.judges import Object, Refused, judge


@cache
def rendered(overlay: str) -> list[Object]:
    return render.objects(overlay)


def one(overlay: str, kind: str, name: str) -> Object:
    [found] = [d for d in rendered(overlay) if d["kind"] == kind and d["metadata"]["name"] == name]
    return found


@pytest.mark.parametrize("overlay", render.OVERLAYS)
def test_every_object_is_judged_and_none_is_refused(overlay: str) -> None:
    judged = Counter(judge(document) for document in rendered(overlay))
    assert judged.total() == len(rendered(overlay)) > 80
    assert judged["kubernetes"] > 50
    # What only our own closed schemas judge stays few: External Secrets and CloudNativePG.
    assert judged["subset"] <= 20


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Deployment", "trust", ["spec", "template", "spec", "containers", 0, "readinesProbe"], {}),
        ("Deployment", "trust", ["spec", "replicas"], "two"),
        ("ScaledObject", "execution", ["spec", "minReplicas"], 1),
        ("PrometheusRule", "dealix", ["spec", "groups", 0, "rules", 0, "expression"], "1"),
        ("ServiceMonitor", "planes", ["spec", "endpoints", 0, "paths"], "/metrics"),
        ("Certificate", "nats-tls", ["spec", "dnsName"], ["nats"]),
        ("Cluster", "postgres", ["spec", "postgresql", "synchronous", "metod"], "any"),
        ("ExternalSecret", "dealix-trust", ["spec", "target", "creationPolicy"], "Sometimes"),
        ("NetworkPolicy", "default-deny", ["spec", "egres"], []),
    ],
)
def test_a_planted_mistake_is_refused(kind: str, name: str, path: list[Any], value: Any) -> None:
    document = copy.deepcopy(one("production", kind, name))
    target = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(Refused):
        judge(document)


def test_overlays_differ_where_they_should() -> None:
    assert one("dev", "Cluster", "postgres")["spec"]["instances"] == 1
    assert one("production", "Cluster", "postgres")["spec"]["instances"] == 3
    namespaces = {
        overlay: {d["metadata"].get("namespace") for d in rendered(overlay)} - {None} for overlay in render.OVERLAYS
    }
    assert namespaces == {"dev": {"dealix-dev"}, "staging": {"dealix-staging"}, "production": {"dealix"}}
    paths = {
        one(o, "ObjectStore", "postgres-backups")["spec"]["configuration"]["destinationPath"] for o in render.OVERLAYS
    }
    assert len(paths) == 3, "environments must not share a backup store"


def test_every_expression_is_promql() -> None:
    rules = one("production", "PrometheusRule", "dealix")["spec"]["groups"]
    expressions = [rule["expr"] for group in rules for rule in group["rules"]]
    boards = one("production", "ConfigMap", "dealix-dashboards")["data"]
    for text in boards.values():
        expressions += [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    assert len(expressions) > 60
    for expression in expressions:
        promql_parser.parse(expression)
    with pytest.raises(ValueError):
        promql_parser.parse(expressions[0] + ")")


def test_each_monitor_finds_a_service_with_the_port_that_it_scrapes() -> None:
    services = [document for document in rendered("production") if document["kind"] == "Service"]
    for monitor in (document for document in rendered("production") if document["kind"] == "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        found = [service for service in services if wanted <= service["metadata"]["labels"].items()]
        assert found, monitor["metadata"]["name"]
        for endpoint in monitor["spec"]["endpoints"]:
            for service in found:
                assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}, service["metadata"][
                    "name"
                ]
    planes = one("production", "ServiceMonitor", "planes")["spec"]["selector"]["matchLabels"].items()
    scraped = {service["metadata"]["name"] for service in services if planes <= service["metadata"]["labels"].items()}
    assert scraped == {plane.value for plane in Plane}


def test_nats_accepts_the_configuration_and_each_plane_has_its_declared_rights(tmp_path: Path) -> None:
    certificates = authority(tmp_path / "tls").issue("nats")
    secrets = load_or_create(tmp_path / "secrets.json")
    keys = "\n".join(f"{messaging.key_variable(user)}: {key}" for user, key in secrets.nats_public_keys().items())
    (tmp_path / "users").mkdir()
    (tmp_path / "users" / "keys.conf").write_text(keys + "\n")
    text = one("production", "ConfigMap", "nats-config")["data"]["nats.conf"]
    text = text.replace("/etc/nats/tls/tls.crt", str(certificates.certificate)).replace(
        "/etc/nats/tls/tls.key", str(certificates.key)
    )
    text = text.replace("/etc/nats/tls/ca.crt", str(certificates.authority)).replace(
        '"/data"', json.dumps(str(tmp_path / "js"))
    )
    (tmp_path / "nats.conf").write_text(text)
    check = [str(nats_binary()), "-t", "-c", str(tmp_path / "nats.conf")]
    done = subprocess.run(check, capture_output=True, text=True, env={"POD_NAME": "nats-0"}, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    for plane in Plane:
        for subject in permissions(plane).publish:
            assert json.dumps(subject) in text
    (tmp_path / "users" / "keys.conf").write_text(keys.replace("NKEY_TRUST", "NKEY_TRUTH") + "\n")
    done = subprocess.run(check, capture_output=True, text=True, env={"POD_NAME": "nats-0"}, timeout=30, check=False)
    assert done.returncode != 0


def test_the_collector_receives_where_planes_send() -> None:
    text = one("production", "ConfigMap", "collector-config")["data"]["config.yaml"]
    document = yaml.safe_load(text)
    assert document == collector_configuration()
    port = document["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rsplit(":", 1)[1]
    env = one("production", "Deployment", "trust")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": f"http://collector:{port}"} in env
    for pipeline in document["service"]["pipelines"].values():
        for part in ("receivers", "processors", "exporters"):
            assert set(pipeline[part]) <= document[part].keys()
