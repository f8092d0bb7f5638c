"""A metric is computed in one place: the dictionary's SQL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from libs.contracts.catalogue.metrics import KINDS, MetricRule, metrics
from libs.contracts.message import Plane
from services.gateway.console.routes.metric_rows import KINDS as ROW_KINDS
from services.gateway.http.metrics_catalog import PLACES
from services.gateway.http.site import ROUTERS
from tests.architecture import computing

ROOT = Path(__file__).parents[2]
# Statements that read the rows of a metric by its marks and are no second definition of it, each with why. One that is not there any more fails.
NO_DEFINITION = {
    (
        "services/decision/agents/models/uses.py",
        "schema_adherence",
    ): "by provider and model, which the metric is not cut by: the same runs, the same `unfit`",
    (
        "libs/contracts/catalogue/quality.yaml",
        "rows_accepted",
    ): "a check: rows that were refused, against a goal, with the files to open",
    (
        "services/trust/bundles/violations.py",
        "violation_rate",
    ): "who was refused too often within ten minutes, to stop them",
    (
        "services/trust/bundles/watch.py",
        "violation_rate",
    ): "one policy version's decisions beside another's, to roll it back",
    ("services/trust/statements.py", "approval_sla_compliance"): "one attempt's approval, looked up for its decision",
    ("services/trust/statements.py", "violation_rate"): "one recipient's effects, counted against its cap",
    ("services/trust/scores/factors.yaml", "approval_sla_compliance"): "the score of one agent",
    ("services/trust/statements.py", "drafts_approved"): "one attempt's approval, looked up for its decision",
    ("services/trust/scores/factors.yaml", "drafts_approved"): "the score of one agent",
    ("services/trust/statements.py", "cold_blocked"): "one recipient's effects, counted against its cap",
    ("services/trust/scores/factors.yaml", "cold_blocked"): "the score of one agent or source",
    (
        "services/trust/bundles/violations.py",
        "cold_blocked",
    ): "who was refused too often within ten minutes, to stop them",
    (
        "services/trust/bundles/watch.py",
        "cold_blocked",
    ): "one policy version's decisions beside another's, to roll it back",
    ("services/trust/scores/factors.yaml", "contradictions_open"): "the score of one contact",
    ("services/trust/scores/factors.yaml", "evidence_coverage"): "the score of one agent or tool",
    ("services/trust/scores/factors.yaml", "violation_rate"): "the score of one agent or source",
}
# The same for sums in Python, by file and figure.
FORECASTS = "services/decision/forecasting/domain"
NO_SUM = {
    (f"{FORECASTS}/basis.py", "amount"): "how past revenue was spread over sectors: shares that weigh, never shown",
    (f"{FORECASTS}/predicting.py", "amount"): "one customer's own purchases a year",
    ("services/decision/forecasting/predictive.py", "amount"): "open deals of one stage, at their chance",
    (f"{FORECASTS}/model.py", "amount"): "open deals, to be weighed; what months brought is asked of the metric",
}


def _found_in_sql() -> set[tuple[str, str]]:
    return {
        (path.relative_to(ROOT).as_posix(), metric)
        for path in computing.files()
        for text in computing.texts(path)
        for metric in computing.computed_by(text)
    }


def test_no_code_outside_the_dictionary_computes_a_metric() -> None:
    assert len(list(computing.files())) > 500, "the search saw the code"
    assert _found_in_sql() == set(NO_DEFINITION)


def test_no_python_adds_up_what_a_metric_adds_up() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), word)
        for path in computing.files()
        if path.suffix == ".py"
        for _, word in computing.in_python(path.read_text(encoding="utf-8"))
    }
    assert found == set(NO_SUM)


@pytest.mark.parametrize("rule", metrics().values(), ids=lambda rule: rule.name)
def test_a_second_definition_of_any_metric_would_be_noticed(rule: MetricRule, tmp_path: Path) -> None:
    """Its own SQL, as somebody would copy it into a store: put together from two strings, by an f-string, with other white space."""
    copied = f"select {rule.value} from ({rule.rows}) r"
    planted = tmp_path / "store.py"
    middle = len(copied) // 2
    for source in (
        f"Q = {copied!r}",
        f"Q = ({copied[:middle]!r} {copied[middle:]!r})",
        f"ROWS = {rule.rows!r}\nasync def read(c):\n    return await c.fetch(f{'select ' + rule.value + ' from ({ROWS}) r'!r})",
        f"Q = {chr(10).join(copied.split(' '))!r}",
        f"Q = {copied.upper().replace(rule.rows.upper(), rule.rows)!r}",
    ):
        planted.write_text(source, encoding="utf-8")
        named = {metric for text in computing.texts(planted) for metric in computing.computed_by(text)}
        assert rule.name in named, source


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("select sum(d.amount) from data.deals d where d.closed_at >= $2", "revenue_actual"),
        ("select sum(amount) from deals", "pipeline_value"),
        ("select count(*) filter (where d.stage = 'won')::numeric / count(*) from data.deals d", "win_rate"),
        (
            "select percentile_cont(0.5) within group (order by d.closed_at - d.created_at) from data.deals d",
            "velocity",
        ),
        ("select avg(a.decided_at - a.requested_at) from trust.approvals a", "approval_response_hours"),
        ("select sum(s.amount) from data.spending s", "cac"),
        ("select count(*) filter (where state in ('succeeded', 'failed')) from execution.actions", "tool_reliability"),
        ("select sum(extract(epoch from w.seen_at - w.since)) from operating.watches w where not answering", "mttr"),
        ("select count(*) from operating.releases", "deploys"),
    ],
)
def test_a_definition_in_other_words_would_be_noticed(text: str, metric: str) -> None:
    assert metric in computing.computed_by(text)


@pytest.mark.parametrize(
    "text",
    ["select amount from data.deals where stage = 'won'", "select count(*) from data.contacts", "sum(amount) grows", "select sum(n) from (select 1 n) x"],
)  # fmt: skip
def test_reading_rows_and_counting_others_is_no_definition(text: str) -> None:
    assert computing.computed_by(text) == ()


@pytest.mark.parametrize(
    "source",
    ["total = sum(deal.amount for deal in won)", "for deal in won:\n    total += deal['amount']", "x = fmean(d.closed_at - d.created_at for d in won)"],
)  # fmt: skip
def test_a_sum_in_python_would_be_noticed(source: str) -> None:
    assert list(computing.in_python(source))


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
