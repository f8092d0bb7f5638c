"""A plane in the cluster: identity, Deployment, Service, disruption budget, autoscaler; and the migrator's Job."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dev.deploy.objects import (
    HEALTH_PORT,
    HTTP_PORT,
    MIGRATOR,
    SECRETS,
    Object,
    certificate_of,
    container_security,
    env,
    http_probe,
    image,
    make,
    plane_names,
    pod_security,
    resources,
    scratch,
    selector,
    service_account,
    spread,
)
from libs.contracts.message import Plane
from libs.contracts.subjects import EVENTS

FILE = Path(__file__).resolve().parents[2] / "deploy" / "planes.yaml"
NATS_URL = "tls://nats:4222"
COLLECTOR = "http://collector:4318"
PROMETHEUS = "http://prometheus-operated.monitoring.svc:9090"
LAG_PER_REPLICA = 500


class Needs(BaseModel):
    """What one plane gets: requests and limits, replicas, and what makes more of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: str
    memory: str
    memory_limit: str
    min: Annotated[int, Field(ge=2)]
    max: int
    target_cpu: Annotated[int, Field(ge=10, le=95)]
    scale: Literal["cpu", "events", "backlog"]
    per_replica: int = 0

    @model_validator(mode="after")
    def _sensible(self) -> Needs:
        if self.max < self.min or (self.scale == "backlog") != (self.per_replica > 0):
            raise ValueError("max is at least min, and per_replica belongs to backlog alone")
        return self


@cache
def needs() -> dict[Plane, Needs]:
    """Every plane's needs. Raises pydantic.ValidationError, KeyError when a plane is missing."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {plane: Needs.model_validate(document[plane.value]) for plane in Plane}


def plane_objects(plane: Plane) -> list[Object]:
    """Everything of one plane."""
    name = plane.value
    scaler = horizontal(plane) if needs()[plane].scale == "cpu" else scaled_object(plane)
    return [
        service_account(name, "plane"),
        deployment(plane),
        _service(plane),
        make(
            "policy/v1",
            "PodDisruptionBudget",
            name,
            "plane",
            spec={"maxUnavailable": 1, "selector": selector(name), "unhealthyPodEvictionPolicy": "AlwaysAllow"},
        ),
        scaler,
    ]


def deployment(plane: Plane) -> Object:
    """Without `replicas`: the autoscaler has them."""
    name = plane.value
    return make(
        "apps/v1",
        "Deployment",
        name,
        "plane",
        spec={
            "revisionHistoryLimit": 5,
            "minReadySeconds": 5,
            "progressDeadlineSeconds": 600,
            # A new replica serves before an old one goes.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": selector(name),
            "template": _pod(plane),
        },
    )


def _pod(plane: Plane) -> Object:
    name = plane.value
    body = make("v1", "Pod", name, "plane")
    return {
        "metadata": {"labels": body["metadata"]["labels"]},
        "spec": {
            "serviceAccountName": name,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pod_security(),
            "terminationGracePeriodSeconds": 45,
            "topologySpreadConstraints": spread(name),
            "containers": [_container(plane)],
            "volumes": [
                {"name": "secrets", "secret": {"secretName": f"dealix-{name}", "defaultMode": 0o440}},
                *_authorities(),
                scratch("data"),
                scratch("tmp", "1Gi" if plane is Plane.DATA else "256Mi"),
            ],
        },
    }


def _container(plane: Plane) -> Object:
    wants = needs()[plane]
    settings = {
        "DEALIX_NATS_URL": NATS_URL,
        "DEALIX_NATS_CA": "/etc/dealix/nats/ca.crt",
        "DEALIX_SECRETS_DIR": SECRETS,
        "DEALIX_DATA_DIR": "/var/lib/dealix",
        "DEALIX_HEALTH_PORT": str(HEALTH_PORT),
        "DEALIX_TRACE_RATIO": "0.01",
        "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR,
        "OTEL_SERVICE_NAME": f"dealix-{plane.value}",
    }
    ports = [{"name": "health", "containerPort": HEALTH_PORT, "protocol": "TCP"}]
    if plane is Plane.GATEWAY:
        settings |= {"DEALIX_HTTP_HOST": "0.0.0.0", "DEALIX_HTTP_PORT": str(HTTP_PORT)}
        ports.append({"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"})
    return {
        "name": plane.value,
        "image": image(plane.value),
        "imagePullPolicy": "Always",
        "env": env(settings),
        "ports": ports,
        # Waiting for migrations is no failure to live: the start may take as long as they do.
        "startupProbe": http_probe("/healthz", "health", periodSeconds=2, failureThreshold=60),
        "livenessProbe": http_probe("/healthz", "health", periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
        "readinessProbe": http_probe("/readyz", "health", periodSeconds=5, timeoutSeconds=5, failureThreshold=2),
        "resources": resources(wants.cpu, wants.memory, wants.memory_limit),
        "securityContext": container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts(),
    }


def mounts() -> list[Object]:
    return [
        {"name": "secrets", "mountPath": SECRETS, "readOnly": True},
        {"name": "nats-ca", "mountPath": "/etc/dealix/nats", "readOnly": True},
        {"name": "postgres-ca", "mountPath": "/etc/dealix/postgres", "readOnly": True},
        {"name": "data", "mountPath": "/var/lib/dealix"},
        {"name": "tmp", "mountPath": "/tmp"},
    ]


def _authorities() -> list[Object]:
    return [certificate_of("nats-tls", "nats-ca"), certificate_of("postgres-ca", "postgres-ca")]


def _service(plane: Plane) -> Object:
    ports = [{"name": "health", "port": HEALTH_PORT, "targetPort": "health"}]
    if plane is Plane.GATEWAY:
        ports.insert(0, {"name": "http", "port": 80, "targetPort": "http"})
    return make(
        "v1", "Service", plane.value, "plane", spec={"ports": ports, "selector": selector(plane.value)["matchLabels"]}
    )


def horizontal(plane: Plane) -> Object:
    wants = needs()[plane]
    return make(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        plane.value,
        "plane",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": plane.value},
            "minReplicas": wants.min,
            "maxReplicas": wants.max,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": wants.target_cpu},
                    },
                }
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    )


def scaled_object(plane: Plane) -> Object:
    """KEDA: one trigger a durable consumer of the plane, one for the backlog where it has one, one for CPU."""
    wants = needs()[plane]
    triggers: list[Object] = [
        {
            "type": "nats-jetstream",
            "name": event.durable(plane),
            "metadata": {
                "natsServerMonitoringEndpoint": "nats-monitoring:8222",
                "account": "$G",
                "stream": event.stream,
                "consumer": event.durable(plane),
                "lagThreshold": str(LAG_PER_REPLICA),
                "activationLagThreshold": "1",
            },
        }
        for event in EVENTS
        if plane in event.consumers
    ]
    if wants.scale == "backlog":
        triggers.append(
            {
                "type": "prometheus",
                "name": "due-backlog",
                "metadata": {
                    "serverAddress": PROMETHEUS,
                    "query": f'max(dealix_due_backlog{{plane="{plane.value}"}})',
                    "threshold": str(wants.per_replica),
                },
            }
        )
    triggers.append({"type": "cpu", "metricType": "Utilization", "metadata": {"value": str(wants.target_cpu)}})
    return make(
        "keda.sh/v1alpha1",
        "ScaledObject",
        plane.value,
        "plane",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": plane.value},
            "minReplicaCount": wants.min,
            "maxReplicaCount": wants.max,
            "pollingInterval": 15,
            "cooldownPeriod": 300,
            # With the metrics' source away, keep what runs instead of shrinking in the middle of a backlog.
            "fallback": {
                "failureThreshold": 4,
                "replicas": max(wants.min, wants.max // 2),
            },
            "triggers": triggers,
        },
    )


def migration() -> list[Object]:
    """The Job that brings roles, schemas, streams and consumers to this version, and the daily one that makes the next months' partitions.

    Planes refuse to serve on an older schema.
    """
    job = make(
        "batch/v1",
        "Job",
        MIGRATOR,
        "job",
        annotations={
            "argocd.argoproj.io/hook": "PreSync",
            "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        },
        spec={
            "backoffLimit": 6,
            "activeDeadlineSeconds": 1800,
            "ttlSecondsAfterFinished": 86400,
            "template": _migrator(),
        },
    )
    daily = make(
        "batch/v1",
        "CronJob",
        "roll-over",
        "job",
        spec={
            "schedule": "17 0 * * *",
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 43200,
            "jobTemplate": {
                "spec": {"backoffLimit": 6, "activeDeadlineSeconds": 600, "template": _migrator("--roll-over")}
            },
        },
    )
    return [service_account(MIGRATOR, "job"), job, daily]


def _migrator(*arguments: str) -> Object:
    """The migrator's pod: it alone has the administrator's login."""
    return {
        "metadata": {"labels": make("v1", "Pod", MIGRATOR, "job")["metadata"]["labels"]},
        "spec": {
            "serviceAccountName": MIGRATOR,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "securityContext": pod_security(),
            "containers": [
                {
                    "name": MIGRATOR,
                    "image": image(MIGRATOR),
                    **({"args": list(arguments)} if arguments else {}),
                    "imagePullPolicy": "Always",
                    "env": env(
                        {
                            "DEALIX_NATS_URL": NATS_URL,
                            "DEALIX_NATS_CA": "/etc/dealix/nats/ca.crt",
                            "DEALIX_SECRETS_DIR": SECRETS,
                            "DEALIX_STREAM_REPLICAS": "3",
                        }
                    ),
                    "resources": resources("100m", "256Mi", "512Mi", "1"),
                    "securityContext": container_security(),
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "volumeMounts": mounts(),
                }
            ],
            "volumes": [
                {"name": "secrets", "secret": {"secretName": f"dealix-{MIGRATOR}", "defaultMode": 0o440}},
                *_authorities(),
                scratch("data"),
                scratch("tmp"),
            ],
        },
    }


def secrets() -> list[Object]:
    """One ExternalSecret a plane and one for the migrator: each names its own entry of the store, and no other's."""
    return [
        make(
            "external-secrets.io/v1",
            "ExternalSecret",
            f"dealix-{name}",
            "secret",
            spec={
                "refreshInterval": "1h",
                "secretStoreRef": {"kind": "SecretStore", "name": "dealix"},
                "target": {"name": f"dealix-{name}", "creationPolicy": "Owner", "deletionPolicy": "Retain"},
                "dataFrom": [{"extract": {"key": name}}],
            },
        )
        for name in (*plane_names(), MIGRATOR, "nats")
    ]
