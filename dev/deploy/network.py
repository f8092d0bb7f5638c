"""NetworkPolicies, from the interaction rules.

Planes never talk to each other directly: every call and event travels over NATS, where the same declarations become each plane's
permissions. So what the rules mean for packets is: a plane that may call or publish reaches NATS, a plane with a schema reaches
PostgreSQL, execution alone reaches the world, the gateway alone is reached from it, and nothing else passes.
"""

from __future__ import annotations

from typing import Any

from dev.deploy.objects import HEALTH_PORT, HTTP_PORT, MIGRATOR, Object, all_planes, make, selector
from libs.contracts.message import Plane
from libs.contracts.subjects import MAY_CALL
from libs.runtime.migrate import script_location
from libs.runtime.nats_config import permissions

EGRESS: frozenset[Plane] = frozenset({Plane.EXECUTION})
"""Planes whose connectors leave the cluster: all egress is an execution connector."""
INGRESS: frozenset[Plane] = frozenset({Plane.GATEWAY})
"""The only HTTP surface."""

NATS, POSTGRES, COLLECTOR = "nats", "postgres", "collector"
VENDOR_PORTS = (443, 465, 587)
"""HTTPS, and mail submission (RFC 8314, RFC 6409)."""
NOT_THE_WORLD = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"]
NOT_THE_WORLD_V6 = ["fc00::/7", "fe80::/10", "::1/128"]

Peer = dict[str, Any]


def network_policies() -> list[Object]:
    """Deny everything, then name what may pass."""
    return [
        _policy("default-deny", {}, ingress=[], egress=[]),
        _policy("allow-dns", {}, egress=[{"to": [_dns()], "ports": [_port(53, "UDP"), _port(53)]}]),
        *(_plane(plane) for plane in Plane),
        _migrator(),
        _nats(),
        _postgres(),
        _collector(),
    ]


def _plane(plane: Plane) -> Object:
    egress: list[Object] = [{"to": [_pods(COLLECTOR)], "ports": [_port(4318)]}]
    if permissions(plane).publish or permissions(plane).subscribe:
        egress.append({"to": [_pods(NATS)], "ports": [_port(4222)]})
    if script_location(plane).is_dir():
        egress.append({"to": [_database()], "ports": [_port(5432)]})
    if plane in EGRESS:
        egress.append({"to": _world(), "ports": [_port(number) for number in VENDOR_PORTS]})
    ingress: list[Object] = [{"from": [_namespace("monitoring")], "ports": [_port(HEALTH_PORT)]}]
    if plane in INGRESS:
        ingress.append({"from": [_namespace("ingress")], "ports": [_port(HTTP_PORT)]})
    return _policy(
        plane.value,
        selector(plane.value),
        ingress=ingress,
        egress=egress,
        annotations={
            "dealix.io/may-call": ",".join(sorted(other.value for other in MAY_CALL.get(plane, ()))),
        },
    )


def _migrator() -> Object:
    return _policy(
        MIGRATOR,
        selector(MIGRATOR),
        ingress=[],
        egress=[
            {"to": [_pods(NATS)], "ports": [_port(4222)]},
            {"to": [_database()], "ports": [_port(5432)]},
        ],
    )


def _nats() -> Object:
    clients = [{"podSelector": all_planes()}, _pods(MIGRATOR)]
    return _policy(
        NATS,
        selector(NATS),
        ingress=[
            {"from": clients, "ports": [_port(4222)]},
            {"from": [_pods(NATS)], "ports": [_port(6222)]},
            # Stream and consumer numbers for the autoscaler and for dashboards; no message can be read there.
            {"from": [_namespace("keda"), _namespace("monitoring")], "ports": [_port(8222), _port(7777)]},
        ],
        egress=[{"to": [_pods(NATS)], "ports": [_port(6222)]}],
    )


def _postgres() -> Object:
    return _policy(
        POSTGRES,
        _database()["podSelector"],
        ingress=[
            {"from": [{"podSelector": all_planes()}, _pods(MIGRATOR)], "ports": [_port(5432)]},
            {"from": [_database()], "ports": [_port(5432), _port(8000)]},
            {"from": [_namespace("cnpg-system")], "ports": [_port(8000), _port(5432)]},
            {"from": [_namespace("monitoring")], "ports": [_port(9187)]},
        ],
        egress=[
            {"to": [_database()], "ports": [_port(5432), _port(8000)]},
            # The operator's agent talks to the Kubernetes API, and backups go to the object store: both inside private networks.
            {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [_port(443), _port(6443)]},
        ],
    )


def _collector() -> Object:
    return _policy(
        COLLECTOR,
        selector(COLLECTOR),
        ingress=[
            {"from": [{"podSelector": all_planes()}], "ports": [_port(4318)]},
            {"from": [_namespace("monitoring")], "ports": [_port(8888)]},
        ],
        egress=[{"to": [_namespace("monitoring")], "ports": [_port(4317), _port(4318)]}],
    )


def _policy(name: str, pods: Object, **rules: Any) -> Object:
    annotations = rules.pop("annotations", None)
    kinds = [kind for kind, key in (("Ingress", "ingress"), ("Egress", "egress")) if key in rules]
    spec = {"podSelector": pods, "policyTypes": kinds, **{key: rule for key, rule in rules.items() if rule}}
    return make("networking.k8s.io/v1", "NetworkPolicy", name, "network", annotations=annotations, spec=spec)


def _port(number: int, protocol: str = "TCP") -> Object:
    return {"port": number, "protocol": protocol}


def _pods(name: str) -> Peer:
    return {"podSelector": selector(name)}


def _database() -> Peer:
    return {"podSelector": {"matchLabels": {"cnpg.io/cluster": POSTGRES}}}


def _namespace(name: str) -> Peer:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _dns() -> Peer:
    return {**_namespace("kube-system"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}


def _world() -> list[Peer]:
    """Public addresses. Private ones are excluded, so that a webhook's address cannot reach into the cluster."""
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": NOT_THE_WORLD}},
        {"ipBlock": {"cidr": "::/0", "except": NOT_THE_WORLD_V6}},
    ]
