"""There is no way to what must never happen: not as an effect that is carried out, not in a connector, not in a library."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dev.architecture.forbidden import automation, blocked_operations, private_files, secrets
from dev.architecture.tree import Tree, here
from libs.architecture.registries import NEVER, UNATTENDED
from libs.contracts.architecture import Check
from libs.contracts.catalogue.actions import effects, near_forbidden, normalise
from libs.contracts.catalogue.flags import flags
from libs.contracts.catalogue.models import LOCAL, models
from libs.contracts.trust import ActionClass
from tests.architecture.test_imports import _imported

ROOT = Path(__file__).resolve().parents[2]

CLASS_C = (
    "exfiltrate_secrets",
    "delete_data_without_audit",
    "bypass_auth",
    "publish_without_approval",
    "destructive_unchecked",
)


@pytest.mark.parametrize("effect", NEVER)
def test_a_blocked_effect_stays_blocked_in_the_catalogue(effect: str) -> None:
    assert effects()[effect].blocked


@pytest.mark.parametrize("effect", CLASS_C)
def test_a_class_c_effect_has_no_connector_that_could_carry_it_out(effect: str) -> None:
    assert effects()[effect].action_class is ActionClass.C
    assert (effects()[effect].connector, effects()[effect].operation) == ("none", "none")


@pytest.mark.parametrize(
    "label",
    [
        "Exfiltrate_Secrets",
        "exfiltrate-secrets",
        "ｅxfiltrate_secrets",
        "exfiltratesecret",
        "delete_all_leads",
        "bypas_auth",
    ],
)
def test_another_spelling_of_a_forbidden_effect_is_forbidden(label: str) -> None:
    assert near_forbidden(label)


def test_no_harmless_effect_is_mistaken_for_a_forbidden_one() -> None:
    mistaken = [
        name for name, effect in effects().items() if effect.action_class is not ActionClass.C and near_forbidden(name)
    ]
    assert mistaken == []
    assert all(normalise(name) == name for name in effects())


def test_no_two_effects_leave_by_a_connector_without_naming_its_operation() -> None:
    assert [name for name, effect in effects().items() if effect.external and effect.operation == "none"] == []


def test_every_effect_that_leaves_the_system_needs_at_least_one_approver_or_is_internal_notice() -> None:
    unattended = {name for name, effect in effects().items() if effect.external and effect.approvers == 0}
    # A model is asked for an agent under what people set up; what it may see is trust's to say, question by question.
    asking = {one.effect for one in models().providers.values() if one.key != LOCAL}
    assert unattended == set(UNATTENDED) | asking
    assert asking == {name for name, effect in effects().items() if effect.model}
    assert all(effects()[name].system for name in unattended)


@pytest.mark.parametrize(
    "rule", [automation, blocked_operations, private_files, secrets], ids=lambda rule: rule.__name__
)
def test_this_tree_breaks_no_rule_of_the_audit(rule: Callable[[Tree], Check]) -> None:
    assert rule(here()).findings == ()


def test_no_live_flag_is_on_out_of_the_box_and_every_leaving_connector_has_one() -> None:
    live = {name: flag for name, flag in flags().items() if name.startswith("live.")}
    assert [name for name, flag in live.items() if flag.default] == []
    assert {f"live.{effect.connector}" for effect in effects().values() if effect.external} <= set(live)


def test_egress_leaves_through_execution_alone() -> None:
    """HTTP and SMTP clients are imported by execution's connectors; the gateway may reach the configured OIDC issuer only."""
    clients = {"httpx", "aiohttp", "requests", "aiosmtplib", "smtplib", "urllib3"}
    for plane in (ROOT / "services").iterdir():
        if plane.is_dir() and plane.name != "execution":
            found = clients & (_imported(plane) | _standard(plane))
            assert found <= ({"httpx"} if plane.name == "gateway" else set()), plane.name


def _standard(directory: Path) -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in directory.rglob("*.py"))
    return {"smtplib"} if re.search(r"^\s*(import|from) smtplib", text, re.MULTILINE) else set()


def test_signing_keys_are_read_by_trust_alone() -> None:
    readers = [
        path.relative_to(ROOT).as_posix()
        for package in ("libs", "services")
        for path in (ROOT / package).rglob("*.py")
        if "DEALIX_TRUST_KEYS" in path.read_text(encoding="utf-8")
    ]
    assert [reader for reader in readers if not reader.startswith("services/trust/")] == []
