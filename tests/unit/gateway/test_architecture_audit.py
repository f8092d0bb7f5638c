"""The audit over HTTP says what it rests on, and never shows another build's report as its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.contracts.architecture import ArchitectureReport
from services.gateway.reporting.architecture import ASK_READINESS, NOT_HERE, released, running
from tests.unit.gateway.fake_site import Site

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
PATH = "/api/v1/architecture-audit"


def kept(tmp_path: Path, digest: str) -> Path:
    report = ArchitectureReport(
        basis="tree", at=AT, version="0.1.0", digest=digest, ok=True, checks=(), backend_coverage=97.5
    )
    file = tmp_path / "architecture-audit.json"
    file.write_text(report.model_dump_json(), encoding="utf-8")
    return file


async def test_without_a_report_of_its_build_it_answers_from_its_own_registries(site: Site) -> None:
    answer = (await site.client.get(PATH, headers=await site.bearer("auditor"))).json()
    assert (answer["basis"], answer["ok"], answer["launch_readiness_score"]) == ("running", True, ASK_READINESS)
    assert answer["backend_coverage"] is None
    assert set(answer["not_computed"]) == set(NOT_HERE)
    assert {check["name"] for check in answer["checks"]} & set(NOT_HERE) == set()
    (routes,) = (check for check in answer["checks"] if check["name"] == "duplicate_routes")
    assert routes["looked_at"] > 500


async def test_nobody_reads_the_audit_without_signing_in(site: Site) -> None:
    assert (await site.client.get(PATH)).status_code == 401


def test_the_report_of_this_very_build_is_served_as_that_with_its_time(tmp_path: Path) -> None:
    report = released(kept(tmp_path, "d" * 64), is_of=lambda: "d" * 64)
    assert report is not None
    assert (report.basis, report.at, report.backend_coverage) == ("release", AT, 97.5)
    assert report.launch_readiness_score == ASK_READINESS, "that was of the system which was asked then"


@pytest.mark.parametrize("text", ["", "{}", "not json"])
def test_a_report_of_other_files_or_none_that_can_be_read_is_not_shown(tmp_path: Path, text: str) -> None:
    assert released(kept(tmp_path, "d" * 64), is_of=lambda: "e" * 64) is None
    broken = tmp_path / "broken.json"
    broken.write_text(text, encoding="utf-8")
    assert released(broken, is_of=lambda: "d" * 64) is None
    assert released(tmp_path / "none.json") is None


def test_two_routes_alike_are_found_by_the_running_gateway_too() -> None:
    report = running([("GET", "/a"), ("GET", "/a")], now=AT)
    assert not report.ok
    assert [action.about for action in report.next_actions] == ["duplicate_routes"]
