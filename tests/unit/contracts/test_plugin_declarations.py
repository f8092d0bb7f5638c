"""What a plugin may declare: it adds, and changes nothing that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from libs.contracts.catalogue.actions import core_effects, near_forbidden
from libs.contracts.catalogue.plugins import Manifest, PluginInvalid, merged, package_digest, read_manifest
from libs.contracts.trust import ActionClass

OPEN: dict[str, Any] = {
    "class": "B", "approvals": "A1", "reversibility": "R1", "sensitivity": "S1", "severity": "V1", "connector": "webinar",
    "operation": "open_room", "en": "Open a room", "ar": "فتح قاعة",
}  # fmt: skip
SCORE = {**OPEN, "class": "A", "approvals": "A0", "severity": "V0", "connector": "internal", "operation": "none"}


def manifest(**changes: Any) -> Manifest:
    base: dict[str, Any] = {
        "contract": 1, "name": "webinar", "version": "1", "en": "Webinars", "ar": "ندوات",
        "effects": {"webinar_open": OPEN, "webinar_score": SCORE},
        "tasks": {"webinar_open": "webinar_open", "webinar_score": "webinar_score"},
    }  # fmt: skip
    return Manifest.model_validate({**base, **changes})


def adopt(*manifests: Manifest) -> Any:
    return merged(core_effects(), manifests, near_forbidden)


def test_a_plugins_effect_has_the_class_that_it_was_registered_with() -> None:
    found = adopt(manifest())
    assert found["webinar_open"].action_class is ActionClass.B and found["webinar_open"].approvers == 1
    assert found["webinar_score"].action_class is ActionClass.A


def test_ours_stay_as_they_are() -> None:
    assert {name: found for name, found in adopt(manifest()).items() if name in core_effects()} == core_effects()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"effects": {"send_email": SCORE}, "tasks": {}}, "redefines the effect send_email"),
        ({"tasks": {"slack_notify": "slack_notify"}}, "redefines the task type slack_notify of Dealix"),
        ({"tasks": {"send_email": "webinar_score"}}, "redefines the task type send_email"),
        ({"effects": {"webinar_open": {**OPEN, "connector": "email_smtp"}}, "tasks": {}}, "connector email_smtp, which is not its own"),
        ({"effects": {"webinar_open": {**OPEN, "class": "A"}}, "tasks": {}}, "approved by people"),
        ({"effects": {"webinar_open": {**OPEN, "approvals": "A0"}}, "tasks": {}}, "approved by people"),
        ({"effects": {"webinar_open": {**SCORE, "connector": "webinar", "channel": "email"}}, "tasks": {}}, "can't be of class A"),
        ({"effects": {"webinar_open": {**SCORE, "connector": "webinar", "severity": "V2"}}, "tasks": {}}, "can't be of class A"),
        ({"effects": {"webinar_open": {**OPEN, "class": "C"}}, "tasks": {}}, "is of class C"),
        ({"effects": {"webinar_open": {**OPEN, "system": True}}, "tasks": {}}, "as the system itself"),
        ({"effects": {"webinar_open": {**OPEN, "ar": None}}, "tasks": {}}, "webinar_open of the plugin webinar is wrong: ar"),
        ({"effects": {"bypas_auth": OPEN}, "tasks": {}}, "named like a forbidden one"),
        ({"tasks": {"drop_databases": "webinar_score"}}, "named like a forbidden one"),
        ({"tasks": {"webinar_mail": "send_email"}}, "leaves the system and is not its own"),
        ({"tasks": {"webinar_x": "nothing_such"}}, "unknown effect nothing_such"),
        ({"tasks": {"webinar_score": "webinar_open"}}, "has the name of another effect"),
    ],
)  # fmt: skip
def test_a_declaration_that_would_widen_or_change_anything_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(PluginInvalid, match=says):
        adopt(manifest(**changes))


def test_a_task_may_use_an_internal_effect_of_ours() -> None:
    assert adopt(manifest(tasks={"webinar_tag": "tag"}))


def test_two_plugins_share_neither_effects_nor_connectors_nor_task_types() -> None:
    other = manifest(name="other", effects={"other_open": OPEN}, tasks={})
    with pytest.raises(PluginInvalid, match="connector webinar, which is not its own"):
        adopt(manifest(), other)
    with pytest.raises(PluginInvalid, match="redefines the effect webinar_open"):
        adopt(manifest(), manifest(name="other"))
    with pytest.raises(PluginInvalid, match="redefines the task type webinar_score of webinar"):
        adopt(manifest(), manifest(name="other", effects={}, tasks={"webinar_score": "tag"}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "it is no YAML"),
        ("contract: 2\nname: webinar\nversion: '1'\nen: x\nar: y", "contract"),
        ("contract: 1\nname: webinar\nversion: '1'\nen: x\nar: y\nhook: {}", "hook"),
        ("contract: 1\nname: webinar\nversion: '1'\nen: x\nar: y\nhooks: {before_lunch: {}}", "hooks.before_lunch"),
        ("contract: 1\nname: other\nversion: '1'\nen: x\nar: y", "the names must agree"),
    ],
)
def test_an_unreadable_declaration_is_refused_with_its_name(text: str, says: str) -> None:
    with pytest.raises(PluginInvalid, match=says) as refused:
        read_manifest("webinar", text)
    assert "webinar" in str(refused.value)


def test_the_digest_notices_a_changed_a_renamed_and_an_added_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    first = package_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("compiled")
    assert package_digest(tmp_path) == first
    (tmp_path / "a.py").write_text("x = 2")
    changed = package_digest(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    renamed = package_digest(tmp_path)
    (tmp_path / "c.py").write_text("")
    assert len({first, changed, renamed, package_digest(tmp_path)}) == 4
