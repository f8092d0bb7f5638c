"""What surrounds the planes: namespace, door, certificates, telemetry, scraping."""

from __future__ import annotations

from typing import Any

import yaml

from dev.deploy.objects import (
    Object,
    all_planes,
    container_security,
    http_probe,
    make,
    pod_security,
    resources,
    scratch,
    selector,
    service_account,
    spread,
)

COLLECTOR_IMAGE = "otel/opentelemetry-collector-contrib:0.139.0"
HOST = "dealix.example"


def namespace() -> Object:
    """Every pod in it has to pass the Pod Security profile `restricted`."""
    made = make("v1", "Namespace", "dealix", "namespace")
    for mode in ("enforce", "audit", "warn"):
        made["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] = "restricted"
    return made


def edge() -> list[Object]:
    """The gateway's Ingress. TLS ends there; the session cookie is Secure, so plain HTTP would not sign anybody in."""
    return [
        make(
            "networking.k8s.io/v1",
            "Ingress",
            "gateway",
            "edge",
            annotations={
                "cert-manager.io/cluster-issuer": "public",
                "nginx.ingress.kubernetes.io/force-ssl-redirect": "true",
                # Imports are up to 200 MB; live streams stay open.
                "nginx.ingress.kubernetes.io/proxy-body-size": "210m",
                "nginx.ingress.kubernetes.io/proxy-buffering": "off",
                "nginx.ingress.kubernetes.io/proxy-read-timeout": "3600",
            },
            spec={
                "ingressClassName": "nginx",
                "tls": [{"hosts": [HOST], "secretName": "gateway-tls"}],
                "rules": [
                    {
                        "host": HOST,
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "gateway", "port": {"name": "http"}}},
                                }
                            ]
                        },
                    }
                ],
            },
        )
    ]


def certificates() -> list[Object]:
    """An authority of the namespace's own, for what talks inside it."""
    return [
        make("cert-manager.io/v1", "Issuer", "dealix-selfsigned", "certificate", spec={"selfSigned": {}}),
        make(
            "cert-manager.io/v1",
            "Certificate",
            "dealix-internal-ca",
            "certificate",
            spec={
                "isCA": True,
                "commonName": "Dealix internal",
                "secretName": "dealix-internal-ca",
                "duration": "43800h",
                "renewBefore": "8760h",
                "privateKey": {"algorithm": "ECDSA", "size": 256},
                "issuerRef": {"kind": "Issuer", "name": "dealix-selfsigned", "group": "cert-manager.io"},
            },
        ),
        make(
            "cert-manager.io/v1",
            "Issuer",
            "dealix-internal",
            "certificate",
            spec={"ca": {"secretName": "dealix-internal-ca"}},
        ),
    ]


def collector_configuration() -> dict[str, Any]:
    """Receives what planes send, drops what is no id, passes it on to the platform's backend."""
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": "0.0.0.0:4318"}}}},
        "processors": {
            "memory_limiter": {"check_interval": "1s", "limit_percentage": 75, "spike_limit_percentage": 15},
            "batch": {"send_batch_size": 2048, "timeout": "2s"},
        },
        "exporters": {
            "otlp": {
                "endpoint": "${env:OTLP_BACKEND}",
                "tls": {"insecure": False},
                "sending_queue": {"queue_size": 5000},
            }
        },
        "extensions": {"health_check": {"endpoint": "0.0.0.0:13133"}},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                "traces": {"receivers": ["otlp"], "processors": ["memory_limiter", "batch"], "exporters": ["otlp"]},
                "metrics": {"receivers": ["otlp"], "processors": ["memory_limiter", "batch"], "exporters": ["otlp"]},
            },
            "telemetry": {
                "metrics": {
                    "readers": [{"pull": {"exporter": {"prometheus": {"host": "0.0.0.0", "port": 8888}}}}],
                }
            },
        },
    }


def collector() -> list[Object]:
    name = "collector"
    labels = make("v1", "Pod", name, "telemetry")["metadata"]["labels"]
    container = {
        "name": name,
        "image": COLLECTOR_IMAGE,
        "imagePullPolicy": "Always",
        "args": ["--config=/etc/otelcol/config.yaml"],
        "env": [{"name": "OTLP_BACKEND", "value": "tempo.monitoring.svc:4317"}],
        "ports": [
            {"name": "otlp", "containerPort": 4318, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 8888, "protocol": "TCP"},
            {"name": "health", "containerPort": 13133, "protocol": "TCP"},
        ],
        "livenessProbe": http_probe("/", "health", periodSeconds=10, timeoutSeconds=5),
        "readinessProbe": http_probe("/", "health", periodSeconds=5, timeoutSeconds=5),
        "resources": resources("100m", "256Mi", "512Mi", "1"),
        "securityContext": container_security(),
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/otelcol", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    pod = {
        "metadata": {"labels": labels},
        "spec": {
            "serviceAccountName": name,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pod_security(),
            "topologySpreadConstraints": spread(name),
            "containers": [container],
            "volumes": [{"name": "config", "configMap": {"name": "collector-config"}}, scratch("tmp", "64Mi")],
        },
    }
    text = yaml.safe_dump(collector_configuration(), sort_keys=False)
    return [
        service_account(name, "telemetry"),
        make("v1", "ConfigMap", "collector-config", "telemetry", data={"config.yaml": text}),
        make(
            "apps/v1",
            "Deployment",
            name,
            "telemetry",
            spec={"replicas": 2, "selector": selector(name), "template": pod},
        ),
        make(
            "v1",
            "Service",
            name,
            "telemetry",
            spec={
                "ports": [
                    {"name": "otlp", "port": 4318, "targetPort": "otlp"},
                    {"name": "metrics", "port": 8888, "targetPort": "metrics"},
                ],
                "selector": selector(name)["matchLabels"],
            },
        ),
        make(
            "policy/v1",
            "PodDisruptionBudget",
            name,
            "telemetry",
            spec={"maxUnavailable": 1, "selector": selector(name)},
        ),
    ]


def monitors() -> list[Object]:
    """What Prometheus scrapes: every plane's health port, the gateway's own counters, NATS."""
    return [
        make(
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            "planes",
            "monitoring",
            spec={
                "selector": all_planes(),
                "endpoints": [{"port": "health", "path": "/metrics", "interval": "15s", "scrapeTimeout": "10s"}],
            },
        ),
        make(
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            "nats",
            "monitoring",
            spec={
                "selector": {"matchLabels": {"app.kubernetes.io/name": "nats-monitoring"}},
                "endpoints": [{"port": "metrics", "path": "/metrics", "interval": "30s"}],
            },
        ),
    ]
