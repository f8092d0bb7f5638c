"""The architecture audit finds what is planted, says where, and has nothing to say of this tree."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dev.architecture import coverage
from dev.architecture.catalogues import catalogue_check
from dev.architecture.forbidden import forbidden_checks, secrets
from dev.architecture.policies import policy_check
from dev.architecture.report import audit, next_actions, services_check
from dev.architecture.surface import declared_routes, routers, routes_of, surface_checks
from dev.architecture.tree import NotASource, Tree, here
from libs.architecture.registries import BUTTONS, duplicates, registry_checks
from libs.contracts.architecture import NO_SYSTEM, Check

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 21, tzinfo=UTC)
CATALOGUE = "libs/contracts/catalogue"
KEY = "gh" + "p_" + "16C7e42F292c6912E7710c838347Ae178B4a"
CARD = """
  planted:
    type: proof
    proof_impact: planted_work
    buttons: [{action: a}, {action: b}, {action: c}, {action: d}]
"""
EFFECT = "  planted_send: {class: A, approvals: A0, connector: pigeon, operation: fly, en: Send, ar: إرسال}\n"
INTEGRATION = "\n  planted: {status: planned, category: crm, phase: 9, default: off, en: Planted, ar: مزروع}\n"
PERMIT = """
@id("planted_permit")
@mode("approved_execute")
@reason_en("Planted.")
@reason_ar("مزروعة.")
permit (principal, action, resource) when { context.connector_mode == "live" };
"""
ROUTE = """
from fastapi import APIRouter
router = APIRouter(prefix="/api/v1/planted")
@router.get("")
def planted(): ...
@router.get("")
def again(): ...
"""

APPENDED = {
    f"{CATALOGUE}/cards.yaml": CARD,
    f"{CATALOGUE}/integrations.yaml": INTEGRATION,
    f"{CATALOGUE}/flags.yaml": "\nlive.pigeon: {kind: live, default: true, owner: owner, en: Fly, ar: طيران}\n",
    f"{CATALOGUE}/services.yaml": "services:\n  planted: {price: 1}\n  other: {proof_metric: no_such_metric}\n",
    "services/trust/policies/platform.cedar": PERMIT,
    "services/gateway/http/planted.py": ROUTE,
    "services/data/planted.py": "import playwright\n",
    "services/execution/connectors/linkedin_dm.py": '"""Planted."""\n',
    "services/execution/connectors/moyasar.py": 'OPERATIONS = ("charge",)\n',
    "docs/negative-tests.md": "\n| a planted danger | `test_that_nobody_wrote` |\n",
    "docs/planted.md": f"Use {KEY} to come in.\n",
    ".env": "DEALIX_SECRET_KEY=planted\n",
}
REPLACED = (
    (f"{CATALOGUE}/actions.yaml", "\neffects:\n", f"\neffects:\n{EFFECT}"),
    (f"{CATALOGUE}/actions.yaml", "whatsapp_cold_send:", "whatsapp_cold_sending:"),
    ("services/gateway/console/urls.py", '"policy": ', '"planted": "/console/planted",\n    "policy": '),
    ("services/gateway/console/navigation.py", 'Destination("policy"', 'Destination("nowhere"'),
    ("services/operating/app.py", "bus.serve(subjects.PLANES, health.planes)", "pass"),
    (
        "services/trust/policies/platform.cedar",
        '!= "open") } unless { context.approval == "approved" };',
        '!= "open") } unless { context.registered };',
    ),
    ("deploy/planes.yaml", "decision: ", "cognition: "),
)
EXPECTED = {
    "planes_present": ["services/operating/errors.py", "deploy/planes.yaml: decision"],
    "modules_used": ["services/data/planted.py"],
    "routers_registered": ["services/gateway/http/planted.py"],
    "duplicate_routes": ["GET /api/v1/planted"],
    "pages_present": ["services/gateway/console/urls.py: planted", "services/gateway/console/navigation.py: nowhere"],
    "no_scraping": ["services/data/planted.py", "services/execution/connectors/linkedin_dm.py"],
    "no_blocked_operation": ["services/execution/connectors/moyasar.py"],
    "no_private_file": [".env"],
    "no_secret": ["docs/planted.md:1"],
    "negative_tests": ["docs/negative-tests.md: a planted danger"],
    "never_effects": [f"{CATALOGUE}/actions.yaml: whatsapp_cold_send"],
    "live_flags_off": [f"{CATALOGUE}/flags.yaml: live.pigeon"],
    "card_buttons": [f"{CATALOGUE}/cards.yaml: planted"],
    "external_actions_governed": [f"{CATALOGUE}/actions.yaml: planted_send"],
    "integrations_described": [f"{CATALOGUE}/integrations.yaml: planted", f"{CATALOGUE}/actions.yaml: planted_send"],
    "policies_refuse": [
        "services/trust/policies/platform.cedar: planted_send",
        "services/trust/policies/platform.cedar: send_email",
    ],
    "services_proven": ["services: planted", "services: other"],
    "catalogue_entries_tested": [f"{CATALOGUE}/cards.yaml: planted"],
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A copy of what the rules look at, with one violation of each."""
    root = tmp_path_factory.mktemp("planted")
    ignored = shutil.ignore_patterns("__pycache__", "vendor", "static", "locale")
    for package in ("libs", "services"):
        shutil.copytree(ROOT / package, root / package, ignore=ignored)
    for folder in ("deploy", "docs", "tests"):
        (root / folder).mkdir()
    shutil.copy(ROOT / "deploy/planes.yaml", root / "deploy")
    shutil.copy(ROOT / "docs/negative-tests.md", root / "docs")
    (root / "tests/test_little.py").write_text("def test_little():\n    assert 'send_email'\n", encoding="utf-8")
    for path, text in APPENDED.items():
        with (root / path).open("a", encoding="utf-8") as file:
            file.write(text)
    for path, before, after in REPLACED:
        file_path = root / path
        text = file_path.read_text(encoding="utf-8")
        assert before in text, f"{path} does not have {before!r} any more: plant it elsewhere"
        file_path.write_text(text.replace(before, after, 1), encoding="utf-8")
    (root / "services/operating/errors.py").unlink()
    return Tree(root)


@pytest.fixture(scope="module")
def found(planted: Tree) -> dict[str, Check]:
    said = {"send_email"}
    checks = (
        *surface_checks(planted), *forbidden_checks(planted), *registry_checks(planted.catalogue), policy_check(planted),
        services_check(planted), catalogue_check(planted, said),
    )  # fmt: skip
    return {check.name: check for check in checks}


@pytest.mark.parametrize("rule", EXPECTED)
def test_a_planted_violation_is_found_and_its_place_named(rule: str, found: dict[str, Check]) -> None:
    places = {finding.where for finding in found[rule].findings}
    assert set(EXPECTED[rule]) <= places, places


def test_every_rule_has_a_planted_violation(found: dict[str, Check]) -> None:
    assert set(found) == set(EXPECTED)


def test_every_finding_is_said_in_both_languages(found: dict[str, Check]) -> None:
    for check in found.values():
        for finding in check.findings:
            assert re.search(r"[a-z]", finding.en), finding
            assert re.search(r"[\u0600-\u06ff]", finding.ar), finding


def test_a_rule_that_had_nothing_to_look_at_does_not_pass(tmp_path: Path) -> None:
    for folder in ("libs/contracts", "services", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    empty = Tree(tmp_path)
    assert routers(empty).findings
    assert secrets(empty).findings
    assert all(check.findings for check in registry_checks(lambda _: {}))


def test_a_directory_without_the_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotASource) as refused:
        audit(Tree(tmp_path), now=NOW, readiness=NO_SYSTEM)
    assert refused.value.sentence.ar


def test_the_running_application_has_every_route_that_a_decorator_declares() -> None:
    """The rule over another tree reads decorators; it must not see less than there is, nor something that nobody serves."""
    running = set(routes_of(here()))
    assert set(declared_routes(here())) <= running
    assert len(running) > 500


def test_a_route_that_is_there_twice_is_named_with_how_often() -> None:
    (finding,) = duplicates([("GET", "/a"), ("GET", "/b"), ("GET", "/a"), ("POST", "/b")]).findings
    assert (finding.where, "2 times" in finding.en) == ("GET /a", True)


@pytest.mark.parametrize("count", [0, BUTTONS + 1])
def test_a_card_without_a_button_or_with_too_many_is_a_violation(count: int) -> None:
    document = {"events": {"one": {"buttons": [{"action": str(at)} for at in range(count)]}}}
    check = next(
        c for c in registry_checks(lambda name: document if name == "cards.yaml" else {}) if c.name == "card_buttons"
    )
    assert [finding.where for finding in check.findings] == [f"{CATALOGUE}/cards.yaml: one"]


# -- this tree ---------------------------------------------------------------------------------------------------------


def test_this_tree_breaks_no_rule_of_planes_routes_and_pages() -> None:
    assert {check.name: check.findings for check in surface_checks(here()) if check.findings} == {}


def test_this_tree_breaks_no_rule_of_catalogues_and_policies() -> None:
    checks = (*registry_checks(here().catalogue), policy_check(here()))
    assert {check.name: check.findings for check in checks if check.findings} == {}


# -- scores ------------------------------------------------------------------------------------------------------------


def test_a_score_is_what_was_counted_and_names_the_rest() -> None:
    share = coverage.counted("proof_coverage", "x", "س", ["a", "b", "c"], ["b"])
    assert (share.value, share.have, share.of, share.missing) == (66.7, 2, 3, ("b",))
    assert coverage.counted("proof_coverage", "x", "س", [], []).value is None


def _lacks(share: Callable[[Tree], object], planted: Tree, what: str) -> None:
    before, after = share(here()), share(planted)
    assert what not in before.missing, what  # type: ignore[attr-defined]  # a Coverage
    assert what in after.missing, after  # type: ignore[attr-defined]  # a Coverage


def test_a_call_that_nobody_serves_any_more_lowers_the_backend(planted: Tree) -> None:
    _lacks(lambda tree: coverage.backend(tree, []), planted, "operating.planes.v1 served")


def test_an_operation_that_was_promised_and_is_not_answered_is_missing() -> None:
    routes = [one for one in routes_of(here()) if one != ("GET", "/api/v1/flags")]
    assert "GET /api/v1/flags" in coverage.backend(here(), routes).missing
    assert "GET /api/v1/flags" not in coverage.backend(here(), routes_of(here())).missing


def test_a_danger_without_its_test_lowers_safety(planted: Tree) -> None:
    assert "negative: a planted danger" in coverage.safety(planted, set()).missing
    assert "policy: planted_permit" in coverage.safety(planted, set()).missing
    assert "policy: planted_permit" not in coverage.safety(planted, {"planted_permit"}).missing


def test_a_service_without_a_metric_and_a_card_of_uncounted_work_lower_proof(planted: Tree) -> None:
    missing = coverage.proof(planted).missing
    assert {"service: planted", "card: planted"} <= set(missing)


def test_a_command_that_no_document_names_lowers_the_documents() -> None:
    missing = coverage.docs(here(), ["up", "no-such-command"]).missing
    assert "dealix no-such-command" in missing
    assert "dealix up" not in missing


def test_a_page_that_makes_no_call_of_the_api_is_missing_from_the_console() -> None:
    share = coverage.frontend(here())
    assert share.value is not None
    assert 0 < share.have < share.of
    assert "APPROVE" not in share.missing


def test_violations_come_before_scores_and_the_lowest_score_first(found: dict[str, Check]) -> None:
    low, high = (coverage.counted(name, "x", "س", "abcd", missing) for name, missing in (("a", "abc"), ("b", "a")))
    actions = next_actions(found.values(), (high, low))
    assert [action.about for action in actions[-2:]] == ["a", "b"]
    assert {action.about for action in actions[:-2]} == set(found)
    assert actions[0].count >= actions[1].count
