"""Small builders that every manifest uses: names, labels, security contexts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.contracts.message import Plane

Object = dict[str, Any]

PART_OF = "dealix"
USER = 10001
"""Unprivileged account of all our containers."""
HEALTH_PORT = 9090
HTTP_PORT = 8080
SECRETS = "/run/secrets/dealix"
MIGRATOR = "migrator"


def image(plane: str) -> str:
    """The image of a plane; kustomize overlays set registry, tag and digest."""
    return f"dealix/{plane}"


def labels(name: str, component: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": PART_OF,
        "app.kubernetes.io/component": component,
    }


def selector(name: str) -> dict[str, Any]:
    return {"matchLabels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": PART_OF}}


def all_planes() -> dict[str, Any]:
    return {"matchLabels": {"app.kubernetes.io/part-of": PART_OF, "app.kubernetes.io/component": "plane"}}


def make(api: str, kind: str, name: str, component: str, **body: Any) -> Object:
    """One object with our labels. `annotations` goes to its metadata, everything else beside it."""
    metadata: Object = {"name": name, "labels": labels(name, component)}
    if annotations := body.pop("annotations", None):
        metadata["annotations"] = annotations
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **body}


def pod_security(user: int = USER) -> Object:
    """What the Pod Security profile `restricted` asks of a pod."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Object:
    """What the profile asks of a container, and a read-only root besides."""
    return {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def resources(cpu: str, memory: str, memory_limit: str, cpu_limit: str = "2") -> Object:
    return {
        "requests": {"cpu": cpu, "memory": memory, "ephemeral-storage": "256Mi"},
        "limits": {"cpu": cpu_limit, "memory": memory_limit, "ephemeral-storage": "1Gi"},
    }


def http_probe(path: str, port: int | str, **more: int) -> Object:
    return {"httpGet": {"path": path, "port": port}, **more}


def service_account(name: str, component: str) -> Object:
    """An identity without a token: nothing of ours talks to the Kubernetes API."""
    return make("v1", "ServiceAccount", name, component, automountServiceAccountToken=False)


def spread(name: str) -> list[Object]:
    """Replicas on different nodes where there are some, and in different zones."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": selector(name),
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def scratch(name: str, size: str = "256Mi") -> Object:
    return {"name": name, "emptyDir": {"sizeLimit": size}}


def certificate_of(secret: str, volume: str) -> Object:
    """The authority's certificate out of a secret that also holds keys, which stay where they are."""
    return {"name": volume, "secret": {"secretName": secret, "items": [{"key": "ca.crt", "path": "ca.crt"}]}}


def plane_names() -> list[str]:
    return [plane.value for plane in Plane]


def env(values: Mapping[str, str]) -> list[Object]:
    return [{"name": name, "value": value} for name, value in values.items()]
