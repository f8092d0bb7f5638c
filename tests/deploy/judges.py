"""Who judges an object: the Kubernetes API's schemas, the models that packages make from CRDs, our own closed schemas for the rest."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml
from cloudcoil.models.cert_manager import v1 as cert_manager
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as prometheus

VERSION = "1.37"
Object = dict[str, Any]

_MODELS = {
    "cert-manager.io/v1/Certificate": cert_manager.Certificate,
    "cert-manager.io/v1/Issuer": cert_manager.Issuer,
    "keda.sh/v1alpha1/ScaledObject": keda.ScaledObject,
    "monitoring.coreos.com/v1/PrometheusRule": prometheus.PrometheusRule,
    "monitoring.coreos.com/v1/ServiceMonitor": prometheus.ServiceMonitor,
}


class Refused(Exception):
    """The object is not what its schema says."""


def judge(document: Object) -> str:
    """Who judged it: `kubernetes`, `crd` or `subset`. Raises Refused, and LookupError for a kind that nobody knows."""
    kind = f"{document['apiVersion']}/{document['kind']}"
    try:
        if kind in _MODELS:
            jsonschema.validate(document, _closed_model(kind))
            return "crd"
        if kind in _subsets():
            jsonschema.validate(document["spec"], _subsets()[kind])
            return "subset"
        kubernetes_validate.validate(document, VERSION, strict=True)
        return "kubernetes"
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
        raise Refused(f"{kind} {document['metadata']['name']}: {error}") from error
    except kubernetes_validate.SchemaNotFoundError as error:
        raise LookupError(f"nobody judges {kind}") from error


@cache
def _closed_model(kind: str) -> Object:
    return _closed(_MODELS[kind].model_json_schema(by_alias=True))


@cache
def _subsets() -> dict[str, Object]:
    document = yaml.safe_load((Path(__file__).parent / "crds.yaml").read_text(encoding="utf-8"))
    return {kind: _closed(schema) for kind, schema in document.items()}


def _closed(schema: Any) -> Any:
    """The same schema, refusing fields that it does not name."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _closed(value) for key, value in schema.items()}
    if isinstance(out.get("pattern"), str) and "(?i)" in out["pattern"]:
        # Go takes a flag in the middle of an expression, Python at its beginning.
        out["pattern"] = "(?i)" + out["pattern"].replace("(?i)", "")
    if isinstance(out.get("properties"), dict) and "additionalProperties" not in out and out.get("type") == "object":
        out["additionalProperties"] = False
    return out
