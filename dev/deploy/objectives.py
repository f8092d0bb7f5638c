"""Recording rules, burn alerts and dashboards from the catalogue of objectives."""

from __future__ import annotations

import json
from collections.abc import Mapping

import yaml

from dev.deploy.objects import Object, make
from libs.contracts.catalogue.slos import BURNS, Burn, Slo, SloKind, slos
from libs.contracts.message import Plane

RUNBOOK = "docs/runbook.md"
READ_COPY_SECONDS = 60
"""A read-only copy that is behind by more is no use; planes stop asking it long before (DEALIX_READ_MAX_AGE_SECONDS)."""


WINDOWS = ("5m", "30m", "1h", "6h", "3d")


def error_ratio(slo: Slo, window: str) -> str:
    """PromQL: the share of events over `window` that count against the objective."""
    if slo.kind is SloKind.RATIO:
        total = f"sum(rate({slo.metric}{_labels(slo)}[{window}]))"
        bad = f"sum(rate({slo.metric}{_labels(slo, slo.bad)}[{window}]))"
        return f"({bad} or vector(0)) / {total}"
    if slo.kind is SloKind.LATENCY:
        good = f"sum(rate({slo.metric}_bucket{_labels(slo, le=f'{slo.seconds:g}')}[{window}]))"
        return f"1 - {good} / sum(rate({slo.metric}_count{_labels(slo)}[{window}]))"
    raise ValueError(f"{slo.name} is a level: it has no budget")


def rules() -> Object:
    """The PrometheusRule."""
    budgets = [slo for slo in slos().values() if slo.kind is not SloKind.LEVEL]
    groups = [
        {
            "name": f"dealix.slo.{slo.name}",
            "interval": "30s",
            "rules": [
                {
                    "record": f"dealix:error_ratio:rate{window}",
                    "labels": {"slo": slo.name},
                    "expr": error_ratio(slo, window),
                }
                for window in WINDOWS
            ],
        }
        for slo in budgets
    ]
    alerts = [_burn_alert(slo, burn) for slo in budgets for burn in BURNS]
    alerts += [_level_alert(slo) for slo in slos().values() if slo.kind is SloKind.LEVEL]
    groups.append({"name": "dealix.alerts", "rules": [*alerts, *_conditions()]})
    return make("monitoring.coreos.com/v1", "PrometheusRule", "dealix", "monitoring", spec={"groups": groups})


def _burn_alert(slo: Slo, burn: Burn) -> Object:
    assert slo.objective is not None
    allowed = f"{burn.rate * (1 - slo.objective):.6g}"
    windows = " and ".join(
        f'dealix:error_ratio:rate{w}{{slo="{slo.name}"}} > {allowed}' for w in (burn.long, burn.short)
    )
    return {
        "alert": f"DealixBudgetBurn_{slo.name}_{burn.long}",
        "expr": windows,
        "for": "2m",
        "labels": {"severity": burn.severity, "slo": slo.name, "owner": slo.owner},
        "annotations": {
            "summary": f"{slo.en}: the error budget burns {burn.rate:g} times too fast",
            "summary_ar": f"{slo.ar}: يُستهلك هامش الخطأ أسرع من المسموح (السرعة ×{burn.rate:g})",
            "runbook": f"{RUNBOOK}#budget-burn",
        },
    }


def _level_alert(slo: Slo) -> Object:
    return {
        "alert": f"DealixLevel_{slo.name}",
        "expr": f"max({slo.metric}{_labels(slo)}) by (plane) > {slo.limit:g}",
        "for": f"{slo.for_minutes}m",
        "labels": {"severity": "ticket", "slo": slo.name, "owner": slo.owner},
        "annotations": {
            "summary": f"{slo.en}: {{{{ $value }}}} waiting at {{{{ $labels.plane }}}}",
            "summary_ar": f"{slo.ar}: {{{{ $value }}}} في الانتظار لدى {{{{ $labels.plane }}}}",
            "runbook": f"{RUNBOOK}#backlog",
        },
    }


def _conditions() -> list[Object]:
    """What is no objective and still must wake somebody."""
    return [
        {
            "alert": "DealixPlaneNotReady",
            "expr": "min(dealix_check) by (plane, check) == 0",
            "for": "2m",
            "labels": {"severity": "page", "owner": "operations"},
            "annotations": {
                "summary": "{{ $labels.plane }}: the check {{ $labels.check }} fails",
                "summary_ar": "{{ $labels.plane }}: يفشل الفحص {{ $labels.check }}",
                "runbook": f"{RUNBOOK}#plane-not-ready",
            },
        },
        {
            "alert": "DealixPlaneAbsent",
            "expr": " or ".join(f'absent(dealix_plane_info{{plane="{plane.value}"}})' for plane in Plane),
            "for": "2m",
            "labels": {"severity": "page", "owner": "operations"},
            "annotations": {
                "summary": "{{ $labels.plane }} reports nothing",
                "summary_ar": "لا ترسل {{ $labels.plane }} أي قياس",
                "runbook": f"{RUNBOOK}#plane-not-ready",
            },
        },
        {
            "alert": "DealixReadCopyOld",
            "expr": f"max(dealix_replica_age_seconds) by (plane) > {READ_COPY_SECONDS}",
            "for": "10m",
            "labels": {"severity": "ticket", "owner": "operations"},
            "annotations": {
                "summary": "{{ $labels.plane }} reads metrics from the primary: its read-only copy is too old",
                "summary_ar": "تقرأ {{ $labels.plane }} المؤشرات من القاعدة الأساسية: نسختها للقراءة متأخرة",
                "runbook": f"{RUNBOOK}#read-only-copy",
            },
        },
        {
            "alert": "DealixCertificateExpires",
            "expr": "min(certmanager_certificate_expiration_timestamp_seconds) by (name) - time() < 7 * 86400",
            "for": "1h",
            "labels": {"severity": "ticket", "owner": "operations"},
            "annotations": {
                "summary": "The certificate {{ $labels.name }} ends within 7 days",
                "summary_ar": "تنتهي الشهادة {{ $labels.name }} خلال 7 أيام",
                "runbook": f"{RUNBOOK}#expired-certificate",
            },
        },
        {
            "alert": "DealixDiskFills",
            "expr": 'kubelet_volume_stats_available_bytes{persistentvolumeclaim=~"(data-nats|postgres).*"} / kubelet_volume_stats_capacity_bytes < 0.15',
            "for": "15m",
            "labels": {"severity": "page", "owner": "operations"},
            "annotations": {
                "summary": "{{ $labels.persistentvolumeclaim }} has less than 15 % left",
                "summary_ar": "بقي أقل من 15٪ في {{ $labels.persistentvolumeclaim }}",
                "runbook": f"{RUNBOOK}#full-disk",
            },
        },
    ]


def dashboards() -> Object:
    """Grafana dashboards, as its sidecar finds them: a labelled ConfigMap."""
    made = make(
        "v1",
        "ConfigMap",
        "dealix-dashboards",
        "monitoring",
        data={"dealix-objectives.json": _json(_objectives()), "dealix-planes.json": _json(_planes())},
    )
    made["metadata"]["labels"]["grafana_dashboard"] = "1"
    return made


def _objectives() -> Object:
    panels = []
    for slo in slos().values():
        if slo.kind is SloKind.LEVEL:
            panels.append(_panel(slo.en, f"max({slo.metric}{_labels(slo)}) by (plane)", "{{plane}}", "short"))
        else:
            assert slo.objective is not None
            left = f'1 - dealix:error_ratio:rate3d{{slo="{slo.name}"}} / {1 - slo.objective:.6g}'
            panels.append(_panel(f"{slo.en}: budget left (3 days)", left, slo.name, "percentunit"))
    return _dashboard("dealix-objectives", "Dealix: objectives", panels)


def _planes() -> Object:
    return _dashboard(
        "dealix-planes",
        "Dealix: planes",
        [
            _panel("Calls answered", "sum(rate(dealix_calls_total[5m])) by (subject)", "{{subject}}", "reqps"),
            _panel(
                "Calls failed",
                'sum(rate(dealix_calls_total{outcome="failed"}[5m])) by (subject)',
                "{{subject}}",
                "reqps",
            ),
            _panel(
                "Calls, 99th percentile",
                "histogram_quantile(0.99, sum(rate(dealix_call_seconds_bucket[5m])) by (le, subject))",
                "{{subject}}",
                "s",
            ),
            _panel("Checks that fail", "sum(1 - dealix_check) by (plane, check) > 0", "{{plane}} {{check}}", "short"),
            _panel("Unpublished events", "max(dealix_outbox_unpublished) by (plane)", "{{plane}}", "short"),
            _panel("Due actions that nobody has in hand", "max(dealix_due_backlog)", "due", "short"),
            _panel("Replicas", "count(dealix_plane_info) by (plane, version)", "{{plane}} {{version}}", "short"),
            _panel("HTTP answers", "sum(rate(dealix_http_requests_total[5m])) by (status)", "{{status}}", "reqps"),
            _panel("Dead letters that wait", "max(dealix_dead_letters_open)", "dead letters", "short"),
            _panel("Dead events that wait", "max(dealix_dead_events_open)", "dead events", "short"),
            _panel("Flows that have not ended", "max(dealix_flows_live)", "flows", "short"),
            _panel("Pages that listen", "sum(dealix_streams_open)", "streams", "short"),
            _panel("Age of the read-only copy", "max(dealix_replica_age_seconds) by (plane)", "{{plane}}", "s"),
            _panel("Metrics read, by source", "sum(rate(dealix_reads_total[5m])) by (source)", "{{source}}", "reqps"),
        ],
    )


def _dashboard(uid: str, title: str, panels: list[Object]) -> Object:
    placed = [
        {**panel, "id": number + 1, "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)}}
        for number, panel in enumerate(panels)
    ]
    return {
        "uid": uid,
        "title": title,
        "schemaVersion": 39,
        "tags": ["dealix"],
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
        "panels": placed,
    }


def _panel(title: str, expr: str, legend: str, unit: str) -> Object:
    return {
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [{"refId": "A", "expr": expr, "legendFormat": legend}],
    }


def _labels(slo: Slo, bad: Mapping[str, str] | None = None, **exact: str) -> str:
    parts = [f"{name}=~{json.dumps(pattern)}" for name, pattern in {**slo.where, **(bad or {})}.items()]
    parts += [f"{name}!~{json.dumps(pattern)}" for name, pattern in slo.without.items()]
    parts += [f'{name}="{value}"' for name, value in exact.items()]
    return "{" + ",".join(parts) + "}" if parts else ""


def _json(document: Object) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def plain() -> str:
    """The rules as a file for a Prometheus without its operator, and for `promtool`."""
    return yaml.safe_dump({"groups": rules()["spec"]["groups"]}, sort_keys=False, allow_unicode=True, width=10**6)


if __name__ == "__main__":
    print(plain(), end="")
