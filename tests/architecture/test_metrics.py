"""A metric is computed in one place: the dictionary's SQL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from libs.contracts.catalogue.metrics import KINDS, metrics
from libs.contracts.message import Plane
from services.gateway.console.routes.metric_rows import KINDS as ROW_KINDS
from services.gateway.http.metrics_catalog import PLACES
from services.gateway.http.site import ROUTERS

ROOT = Path(__file__).parents[2]
_COMPUTING = re.compile(
    r"(sum|avg)\(\s*(\w+\.)?amount\b|stage\s*=\s*'won'|stage\s+in\s*\(\s*'(won|lost|open|negotiating)'|closed_at\s*-\s*(\w+\.)?created_at"
    r"|decided_at\s*-\s*(\w+\.)?(requested_at|opened_at|created_at)|decided_at\s*<=\s*(\w+\.)?due_at|closed_at\s*-\s*(\w+\.)?received_at"
    r"|spent_on\s*>=|paid_on\s*>=|seen_at\s*-\s*(\w+\.)?since"
    r"|filter\s*\(\s*where\s+(state|outcome)\s*(=|in)\s*\(?\s*'succeeded'",
    re.I,
)


def _computes(text: str) -> bool:
    return _COMPUTING.search(text) is not None


def test_no_code_outside_the_dictionary_computes_a_metric() -> None:
    files = [file for folder in ("libs", "services", "dev") for file in (ROOT / folder).rglob("*.py")]
    assert files
    assert [str(file.relative_to(ROOT)) for file in files if _computes(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    [
        "select sum(d.amount) from data.deals d",
        "where stage = 'won'",
        "stage in ('won', 'lost')",
        "avg(closed_at - created_at)",
        "a.decided_at - a.requested_at",
        "count(*) filter (where state in ('succeeded', 'failed'))",
        "select sum(s.amount) from data.spending s",
        "sum(extract(epoch from seen_at - since))",
    ],
)
def test_a_planted_second_definition_would_be_noticed(text: str) -> None:
    assert _computes(text)


def test_every_named_metric_is_defined_once_in_both_languages() -> None:
    tracks = {
        "revenue": {"revenue_actual", "pipeline_value", "win_rate", "cac", "velocity", "lift", "cac_payback", "forecast_accuracy"},
        "intelligence": {"action_p95_seconds", "schema_adherence", "arabic_quality", "tool_reliability", "cost_per_workflow"},
        "compliance": {"consent_coverage", "control_pass_rate", "complaint_time", "audit_completeness"},
        "expansion": {"partner_revenue_share", "markets"},
        "operations": {"uptime", "connector_health", "deploys", "mttr"},
        "trust": {"approval_sla_compliance", "contradictions_open", "evidence_coverage", "violation_rate", "contradiction_hours"},
    }  # fmt: skip
    for track, named in tracks.items():
        assert named <= {name for name, rule in metrics().items() if rule.track == track}, track
    assert all(rule.definition_en and rule.definition_ar for rule in metrics().values())


def test_each_metric_reads_the_rows_of_its_own_plane_alone() -> None:
    for rule in metrics().values():
        others = [plane.value for plane in Plane if plane is not rule.plane]
        assert not re.search(rf"\b({'|'.join(others)})\.[a-z_]+", rule.sql), rule.name


def test_every_number_leads_to_records_that_people_can_open_or_that_the_list_shows_whole() -> None:
    """Each kind of row has words in the console; a kind with a page of its own has a path in the API too."""
    for rule in metrics().values():
        assert {
            *re.findall(r"'([a-z_]+)' as kind", rule.rows),
            *re.findall(r"union all select '([a-z_]+)'", rule.rows),
        } == set(rule.of), rule.name
    kinds = {kind for rule in metrics().values() for kind in rule.of}
    assert kinds == set(ROW_KINDS) == set(KINDS)
    for kind, (ar, en, page) in ROW_KINDS.items():
        assert ar and en, kind
        assert not page or kind in PLACES, kind
    served = {
        route.path
        for route in (route for router in ROUTERS for route in router.routes)
        if isinstance(route, APIRoute) and "GET" in (route.methods or ())
    }
    shape = {re.sub(r"\{[a-z_]+\}", "{}", path) for path in served}
    for kind, place in PLACES.items():
        assert re.sub(r"/lineage/draft/", "/lineage/{}/", f"/api/v1{place}").replace("{id}", "{}") in shape, kind


def test_a_metric_that_names_one_that_is_not_there_stops_the_start() -> None:
    planted = metrics()["cac_payback"].evolve(rows="select 1 from data.deals where {nothing}")
    with pytest.raises(KeyError):
        assert planted.sql
    with pytest.raises(ValueError, match="another plane"):
        assert planted.evolve(rows="select 1 from data.deals where {mttr}").sql
