"""Pods pass the Pod Security profile `restricted`, and a policy linter finds nothing that is not explained."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.deploy import render

ROOT = Path(__file__).resolve().parents[2]
CHECKOV = "checkov==3.3.30"
FORBIDDEN_VOLUMES = {
    "hostPath",
    "nfs",
    "iscsi",
    "rbd",
    "flexVolume",
    "cephfs",
    "gcePersistentDisk",
    "awsElasticBlockStore",
}


@cache
def pods(overlay: str) -> dict[str, dict[str, Any]]:
    out = {}
    for document in render.objects(overlay):
        if document["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
            spec = document["spec"]["jobTemplate"]["spec"] if document["kind"] == "CronJob" else document["spec"]
            out[document["metadata"]["name"]] = spec["template"]["spec"]
    return out


def violations(pod: dict[str, Any]) -> list[str]:
    """What the profile `restricted` (Kubernetes Pod Security Standards) holds against a pod."""
    found = [f"{name} is shared with the host" for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)]
    above = pod.get("securityContext", {})
    for volume in pod.get("volumes", []):
        found += [f"volume of type {kind}" for kind in volume if kind in FORBIDDEN_VOLUMES]
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        own, name = container.get("securityContext", {}), container["name"]
        if own.get("privileged"):
            found.append(f"{name} is privileged")
        if own.get("allowPrivilegeEscalation") is not False:
            found.append(f"{name} may escalate")
        if own.get("capabilities", {}).get("drop") != ["ALL"]:
            found.append(f"{name} keeps capabilities")
        if set(own.get("capabilities", {}).get("add", [])) - {"NET_BIND_SERVICE"}:
            found.append(f"{name} adds capabilities")
        if not own.get("runAsNonRoot", above.get("runAsNonRoot")):
            found.append(f"{name} may run as root")
        if own.get("runAsUser", above.get("runAsUser")) == 0:
            found.append(f"{name} runs as root")
        if own.get("seccompProfile", above.get("seccompProfile", {})).get("type") not in (
            "RuntimeDefault",
            "Localhost",
        ):
            found.append(f"{name} has no seccomp profile")
        if any("hostPort" in port for port in container.get("ports", [])):
            found.append(f"{name} takes a port of the host")
    return found


@pytest.mark.parametrize("overlay", render.OVERLAYS)
def test_every_pod_passes_the_restricted_profile(overlay: str) -> None:
    assert len(pods(overlay)) == 10
    assert {name: violations(pod) for name, pod in pods(overlay).items() if violations(pod)} == {}


@pytest.mark.parametrize("overlay", render.OVERLAYS)
def test_roots_are_read_only_tokens_absent_and_resources_bounded(overlay: str) -> None:
    for name, pod in pods(overlay).items():
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}, name
            assert container["resources"]["limits"].keys() >= {"cpu", "memory"}, name


def test_each_plane_mounts_its_own_secret_alone_and_no_private_key_of_a_server() -> None:
    for name, pod in pods("production").items():
        mounted = {
            volume["secret"]["secretName"]: volume["secret"].get("items")
            for volume in pod["volumes"]
            if "secret" in volume
        }
        if name in ("nats", "collector"):
            continue
        own = {"dealix-migrator" if name == "roll-over" else f"dealix-{name}"}
        assert mounted.keys() == own | {"nats-tls", "postgres-ca"}, name
        for authority in ("nats-tls", "postgres-ca"):
            assert mounted[authority] == [{"key": "ca.crt", "path": "ca.crt"}], name


def test_planted_violations_are_found() -> None:
    good = pods("production")["trust"]
    assert violations(good) == []
    for change in (
        lambda p: p.update(hostNetwork=True),
        lambda p: p["containers"][0]["securityContext"].update(privileged=True),
        lambda p: p["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"),
        lambda p: p["containers"][0]["securityContext"]["capabilities"].update(add=["SYS_ADMIN"]),
        lambda p: p["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
        lambda p: p["containers"][0]["securityContext"].update(runAsUser=0),
    ):
        pod = copy.deepcopy(good)
        change(pod)
        assert len(violations(pod)) == 1


def test_the_policy_linter_finds_nothing_unexplained(tmp_path: Path) -> None:
    checkov = linter()
    manifest = tmp_path / "production.yaml"
    manifest.write_text(render.render("production"))
    findings = run(checkov, manifest)
    explained = yaml.safe_load((ROOT / "deploy" / "k8s" / "policy-exceptions.yaml").read_text())
    unexplained = {
        (check, where)
        for check, where in findings
        if check not in explained or not re.match(explained[check]["where"], where)
    }
    assert unexplained == set()
    assert explained.keys() <= {check for check, _ in findings}, "an exception that nothing needs any more"
    manifest.write_text(manifest.read_text().replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"))
    assert {check for check, _ in run(checkov, manifest)} > {check for check, _ in findings}


def test_the_policy_linter_finds_nothing_in_the_image_recipe(tmp_path: Path) -> None:
    recipe = ROOT / "deploy" / "images" / "Dockerfile"
    assert _recipe_findings(recipe) == set()
    careless = tmp_path / "Dockerfile"
    careless.write_text(recipe.read_text().replace("USER 10001:10001\n", ""))
    assert _recipe_findings(careless), "it looks"


def _recipe_findings(recipe: Path) -> set[str]:
    command = [
        str(linter()),
        "-f",
        str(recipe),
        "--framework",
        "dockerfile",
        "--skip-download",
        "--compact",
        "--quiet",
        "-o",
        "json",
    ]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout)
    return {finding["check_id"] for finding in report.get("results", {}).get("failed_checks", [])}


def linter() -> Path:
    """Checkov in an environment of its own: it pins too much to live beside us. Skips where it cannot be installed."""
    venv = ROOT / ".venv-policy"
    program = venv / "bin" / "checkov"
    if not program.exists():
        uv = Path(sys.executable).parent / "uv"
        for command in (
            [uv, "venv", "-q", venv],
            [uv, "pip", "install", "-q", "--python", venv / "bin" / "python", CHECKOV],
        ):
            done = subprocess.run(
                [str(part) for part in command], capture_output=True, text=True, timeout=240, check=False
            )
            if done.returncode != 0:
                pytest.skip(f"{CHECKOV} cannot be installed here")
    return program


def run(checkov: Path, manifest: Path) -> set[tuple[str, str]]:
    """The linter's findings: (check, resource)."""
    done = subprocess.run(
        [
            str(checkov),
            "-f",
            str(manifest),
            "--framework",
            "kubernetes",
            "--skip-download",
            "--compact",
            "--quiet",
            "-o",
            "json",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["resource_count"] > 80
    assert report["summary"]["parsing_errors"] == 0
    found = {(f["check_id"], f["resource"]) for f in report["results"]["failed_checks"]}
    return {(check, where.replace(".dealix.", ".")) for check, where in found}
