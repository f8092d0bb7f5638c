"""Alerts fire when they should and stay silent when they should: judged by Prometheus' own `promtool`, over written series.

Each file of `tests/deploy/alerts` is in promtool's format and can be run by hand beside the rules:
`python -m dev.deploy.objectives > rules.yaml && promtool test rules FILE`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.deploy import objectives
from tests.deploy import budget_cases

CASES = sorted((Path(__file__).parent / "alerts").glob("*.yaml"))
ROOT = Path(__file__).resolve().parents[2]


def rules() -> list[dict[str, Any]]:
    return [rule for group in objectives.rules()["spec"]["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def promtool() -> str:
    found = os.environ.get("DEALIX_TEST_PROMTOOL") or shutil.which("promtool")
    if not found:
        pytest.skip("promtool is not here (Debian package `prometheus`, or DEALIX_TEST_PROMTOOL)")
    return found


def judged(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool(), *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(objectives.plain(), encoding="utf-8")
    return tmp_path


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    written = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in CASES]
    for document in [*written, budget_cases.document()]:
        for test in document["tests"]:
            for one in test.get("alert_rule_test", []):
                (fires if one.get("exp_alerts") else silent).add(one["alertname"])
    assert fires == alerts().keys(), "each alert, and nothing that is no alert"
    assert silent == alerts().keys()


def test_every_alert_says_in_both_languages_what_is_wrong_and_where_the_runbook_helps() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^## (.+)$", text, re.M)
    }
    for name, rule in alerts().items():
        said = rule["annotations"]
        assert said["summary"] and re.search("[؀-ۿ]", said["summary_ar"]), name
        page, _, anchor = said["runbook"].partition("#")
        assert (page, anchor in anchors) == ("docs/runbook.md", True), said["runbook"]


def test_prometheus_accepts_the_rules(folder: Path) -> None:
    done = judged("check", "rules", "rules.yaml", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules())} rules found" in done.stdout + done.stderr
    broken = yaml.safe_load((folder / "rules.yaml").read_text())
    broken["groups"][0]["rules"][0]["expr"] = "sum(rate(dealix_calls_total))"
    (folder / "broken.yaml").write_text(yaml.safe_dump(broken))
    assert judged("check", "rules", "broken.yaml", cwd=folder).returncode != 0


@pytest.mark.parametrize("file", CASES, ids=lambda file: str(file.stem))
def test_alerts_fire_and_stay_silent_as_written(file: Path, folder: Path) -> None:
    shutil.copy(file, folder)
    done = judged("test", "rules", file.name, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_budgets_alerts_fire_above_what_is_allowed_and_not_below(folder: Path) -> None:
    (folder / "budgets.yaml").write_text(yaml.safe_dump(budget_cases.document(), allow_unicode=True))
    done = judged("test", "rules", "budgets.yaml", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [slo.name for slo in budget_cases.budgets()])
def test_a_wrong_threshold_would_be_found(name: str, folder: Path) -> None:
    """The cases stand close enough to the thresholds that doubling one of them is noticed."""
    document = yaml.safe_load((folder / "rules.yaml").read_text())
    for rule in (rule for group in document["groups"] for rule in group["rules"]):
        if rule.get("labels", {}).get("slo") == name and "alert" in rule:
            rule["expr"] = re.sub(r"> ([0-9.e-]+)", lambda found: f"> {2 * float(found[1]):g}", rule["expr"])
    (folder / "rules.yaml").write_text(yaml.safe_dump(document))
    cases = budget_cases.document()
    cases["tests"] = [one for one in cases["tests"] if f"_{name}_" in one["alert_rule_test"][0]["alertname"]]
    (folder / "budgets.yaml").write_text(yaml.safe_dump(cases, allow_unicode=True))
    assert judged("test", "rules", "budgets.yaml", cwd=folder).returncode != 0
