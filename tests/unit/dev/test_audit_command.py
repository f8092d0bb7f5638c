"""`dealix audit` prints what the audit found and fails on a violation; `dealix audit log` is the trail of a running system."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dev.architecture.coverage import counted
from dev.commands.architecture import shown
from dev.output import Output
from libs.architecture.registries import made
from libs.contracts.architecture import ArchitectureReport, Finding
from libs.contracts.message import Plane
from tests.unit.dev.fake_gateway import FakeGateway

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture
def little(tmp_path: Path) -> Path:
    """A tree that is hardly there: every rule has something to say of it."""
    for plane in Plane:
        (tmp_path / "services" / plane.value).mkdir(parents=True)
    for folder in ("libs/contracts", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def test_a_broken_rule_fails_the_command_and_json_has_every_score(little: Path) -> None:
    gateway = FakeGateway({"GET /launch-readiness": {"score": 61.5}})
    done = gateway.types("audit", "--root", str(little), "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert (report["ok"], report["basis"], report["launch_readiness_score"]) == (False, "tree", 61.5)
    for score in ("frontend", "backend", "safety", "proof", "test", "docs"):
        (share,) = (one for one in report["coverage"] if one["name"] == f"{score}_coverage")
        assert share["value"] == report[f"{score}_coverage"]
        assert share["have"] + len(share["missing"]) == share["of"]
    assert report["next_actions"][0]["first"]


def test_a_system_that_tells_no_readiness_gives_a_reason_and_no_number(little: Path) -> None:
    done = FakeGateway().types("audit", "--root", str(little), "--json")
    assert json.loads(done.stdout)["launch_readiness_score"].startswith("unknown: ")


def test_a_release_keeps_the_report_that_it_printed(little: Path) -> None:
    (little / "services/gateway").mkdir(exist_ok=True)
    done = FakeGateway().types("audit", "--root", str(little), "--release", "--json")
    kept = (little / "services/gateway/release/architecture-audit.json").read_text(encoding="utf-8")
    assert json.loads(kept) == json.loads(done.stdout)


def test_what_is_no_source_is_refused_in_both_languages(tmp_path: Path) -> None:
    refused = FakeGateway().types("audit", "--root", str(tmp_path))
    assert (refused.exit_code, "no source tree" in refused.stderr) == (2, True)
    assert "ليس شجرة مصدر" in FakeGateway().types("audit", "--root", str(tmp_path), "--lang", "ar").stderr


def test_a_person_reads_violations_scores_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    finding = Finding(where="services/x.py", en="It scrapes.", ar="يكشط.")
    report = ArchitectureReport(
        basis="tree", at=AT, version="1", ok=False, checks=(made("a_rule", "A rule", "قاعدة", 3, [finding]),),
        coverage=(counted("docs_coverage", "pages", "صفحات", ["a", "b", "c"], ["b", "c"]),),
    )  # fmt: skip
    for lang, said in (("en", "It scrapes."), ("ar", "يكشط.")):
        Output(lang=lang).show(*shown(report, lang, 1))  # type: ignore[arg-type]  # a Literal of the loop
        text = capsys.readouterr().out
        assert said in text
        assert "services/x.py" in text
        assert "33.3" in text
        assert "1/3" in text
        assert "unknown: no system running" in text


def test_the_trail_is_read_under_its_own_name() -> None:
    entry = {
        "n": 1,
        "kind": "action_decided",
        "actor": "user:1",
        "target": "action:1",
        "at": "2026-11-21T09:00:00Z",
        "data": {},
    }
    gateway = FakeGateway({"GET /audit": {"items": [entry], "next_cursor": None}})
    done = gateway.types("audit", "log", "--kind", "action_decided", "--json")
    assert (done.exit_code, json.loads(done.stdout)["items"][0]["target"]) == (0, "action:1")
    assert gateway.asked[0].url.params["kind"] == "action_decided"
