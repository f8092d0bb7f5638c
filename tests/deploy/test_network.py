"""What the NetworkPolicies let pass, evaluated as a cluster would: only what the interaction rules say."""

from __future__ import annotations

import ipaddress
from functools import cache
from itertools import product
from typing import Any

import pytest

from dev.deploy import render
from dev.deploy.network import EGRESS, INGRESS
from libs.contracts.message import Plane

PUBLIC = "93.184.216.34"
PUBLIC_V6 = "2606:2800:220:1::1"
METADATA_SERVICE = "169.254.169.254"
PORTS = (22, 25, 53, 80, 443, 465, 587, 4222, 4318, 5432, 6222, 7777, 8000, 8080, 8222, 9090, 9187)


@cache
def policies() -> list[dict[str, Any]]:
    return [d["spec"] for d in render.objects("production") if d["kind"] == "NetworkPolicy"]


@cache
def pods() -> dict[str, dict[str, str]]:
    """Labels of each workload's pods, as the Deployments, StatefulSets and Jobs of both kinds give them."""
    out = {"postgres": {"cnpg.io/cluster": "postgres"}}
    for document in render.objects("production"):
        if document["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
            spec = document["spec"]["jobTemplate"]["spec"] if document["kind"] == "CronJob" else document["spec"]
            out[document["metadata"]["name"]] = spec["template"]["metadata"]["labels"]
    return out


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def allowed(direction: str, labels: dict[str, str], peer: dict[str, Any], port: int) -> bool:
    """Whether the policies let a pod speak (`egress`) to, or hear (`ingress`) from, `peer` on a TCP port.

    `peer` is {"labels": …} for a pod of the namespace, {"namespace": …} for another one, {"address": …} outside.
    """
    side = "to" if direction == "egress" else "from"
    selected = [
        p for p in policies() if matches(p["podSelector"], labels) and direction.capitalize() in p["policyTypes"]
    ]
    if not selected:
        return True
    for policy in selected:
        for rule in policy.get(direction, []):
            ports = rule.get("ports", [{"port": port}])
            if any(p["port"] == port and p.get("protocol", "TCP") == "TCP" for p in ports) and any(
                _is(one, peer) for one in rule[side]
            ):
                return True
    return False


def _is(rule: dict[str, Any], peer: dict[str, Any]) -> bool:
    if "ipBlock" in rule:
        block = rule["ipBlock"]
        return (
            "address" in peer
            and _inside(peer["address"], block["cidr"])
            and not any(_inside(peer["address"], hole) for hole in block.get("except", []))
        )
    if "namespaceSelector" in rule:
        wanted = rule["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        return peer.get("namespace") == wanted
    return "labels" in peer and matches(rule["podSelector"], peer["labels"])


def _inside(address: str, cidr: str) -> bool:
    network = ipaddress.ip_network(cidr)
    return ipaddress.ip_address(address).version == network.version and ipaddress.ip_address(address) in network


def connects(client: str, server: str, port: int) -> bool:
    one, other = pods()[client], pods()[server]
    return allowed("egress", one, {"labels": other}, port) and allowed("ingress", other, {"labels": one}, port)


@pytest.mark.parametrize("client", list(Plane))
def test_no_plane_reaches_another_plane_except_over_the_bus(client: Plane) -> None:
    for server, port in product(Plane, PORTS):
        assert not connects(client.value, server.value, port), f"{client} → {server}:{port}"


@pytest.mark.parametrize("plane", list(Plane))
def test_every_plane_reaches_the_bus_its_database_and_the_collector_and_no_other_port_of_them(plane: Plane) -> None:
    for server, open_port in (("nats", 4222), ("postgres", 5432), ("collector", 4318)):
        assert [port for port in PORTS if connects(plane.value, server, port)] == [open_port], server


@pytest.mark.parametrize("plane", list(Plane))
def test_only_execution_reaches_the_world_and_not_what_is_private(plane: Plane) -> None:
    for address in (PUBLIC, PUBLIC_V6):
        reached = [port for port in PORTS if allowed("egress", pods()[plane.value], {"address": address}, port)]
        assert reached == ([443, 465, 587] if plane in EGRESS else []), plane
    for private in (METADATA_SERVICE, "10.0.0.1", "172.20.1.1", "192.168.1.1", "127.0.0.1", "100.64.1.1", "fd00::1"):
        assert not [port for port in PORTS if allowed("egress", pods()[plane.value], {"address": private}, port)], (
            private
        )


@pytest.mark.parametrize("plane", list(Plane))
def test_only_the_gateway_is_reached_from_outside(plane: Plane) -> None:
    labels = pods()[plane.value]
    door = [port for port in PORTS if allowed("ingress", labels, {"namespace": "ingress"}, port)]
    assert door == ([8080] if plane in INGRESS else [])
    assert [port for port in PORTS if allowed("ingress", labels, {"namespace": "monitoring"}, port)] == [9090]
    assert not [port for port in PORTS if allowed("ingress", labels, {"namespace": "default"}, port)]
    assert not [port for port in PORTS if allowed("ingress", labels, {"address": PUBLIC}, port)]


def test_nothing_else_of_ours_reaches_the_world() -> None:
    for name, labels in pods().items():
        if name not in {plane.value for plane in EGRESS}:
            assert not [port for port in PORTS if allowed("egress", labels, {"address": PUBLIC}, port)], name


def test_servers_form_their_clusters_and_the_migrator_reaches_both() -> None:
    assert connects("nats", "nats", 6222)
    assert connects("postgres", "postgres", 5432)
    assert connects("migrator", "nats", 4222)
    assert connects("migrator", "postgres", 5432)
    assert not connects("collector", "nats", 4222)
    assert not connects("nats", "postgres", 5432)
    assert allowed("ingress", pods()["nats"], {"namespace": "keda"}, 8222)
    assert not allowed("ingress", pods()["nats"], {"namespace": "keda"}, 4222)


def test_a_pod_that_no_policy_names_may_do_nothing() -> None:
    stranger = {"app": "stranger"}
    assert not [p for p in PORTS if p != 53 and allowed("egress", stranger, {"address": PUBLIC}, p)]
    assert not [p for p in PORTS if allowed("egress", stranger, {"labels": pods()["nats"]}, p)]
    assert not [p for p in PORTS if allowed("ingress", stranger, {"labels": pods()["trust"]}, p)]
