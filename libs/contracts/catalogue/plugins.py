"""What installed plugins declare: effects with their classes, task types, hooks. Data, read without running a line of a plugin.

A plugin is a Python distribution with an entry point in the group `dealix.plugins` and a `plugin.yaml` in the package that the entry
point names. Every plane reads the file; execution alone imports the package, because it runs beside credentials and trust beside keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from libs.contracts.catalogue.effect import Effect
from libs.contracts.message import Message
from libs.contracts.trust import ActionClass

GROUP = "dealix.plugins"
MANIFEST = "plugin.yaml"
INSIDE = frozenset({"internal", "manual", "none"})
"""Connectors that are no vendor: anybody's effect may name them."""
DEFAULTS: Mapping[str, str] = {
    "class": "B", "approvals": "A2", "reversibility": "R2", "sensitivity": "S2", "severity": "V2", "connector": "none",
    "operation": "none",
}  # fmt: skip

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=60)]


class HookPoint(StrEnum):
    """Where a plugin may look on. The first three come before anything is sent and may hold an action; the others only hear."""

    BEFORE_AUTHORIZE = "before_authorize"
    AFTER_DECISION = "after_decision"
    BEFORE_DISPATCH = "before_dispatch"
    AFTER_OUTCOME = "after_outcome"
    ON_FLOW_TRANSITION = "on_flow_transition"


class HookTerms(Message):
    """When among the hooks of one point a plugin is asked (low first, then by name), and how long it may take."""

    order: Annotated[int, Field(ge=0, le=1000)] = 100
    timeout_ms: Annotated[int, Field(ge=1, le=5000)] = 250


class Manifest(Message):
    """A plugin's `plugin.yaml`. `tasks` maps task types to effects: its own, or internal ones of the catalogue."""

    contract: Literal[1]
    name: Name
    version: Annotated[str, Field(min_length=1, max_length=40)]
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    effects: dict[Name, dict[str, Any]] = {}
    tasks: dict[Name, Name] = {}
    hooks: dict[HookPoint, HookTerms] = {}


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin on this machine: what it declares, the object that its entry point names, SHA-256 over all its files."""

    manifest: Manifest
    target: str
    digest: str


class PluginInvalid(ValueError):
    """A plugin that must not run here; the message is a sentence for the operator and names it."""


@cache
def installed() -> tuple[Installed, ...]:
    """All plugins by name.

    Raises PluginInvalid for one whose declaration is missing or unreadable, and for two of one name.
    """
    found = sorted((_read(point) for point in entry_points(group=GROUP)), key=lambda one: one.manifest.name)
    names = [one.manifest.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise PluginInvalid(f"The plugin {name} is installed twice; uninstall one of the two.")
    return tuple(found)


def _read(point: EntryPoint) -> Installed:
    # A submodule's parent would be imported by looking for it: only the top package is looked up, and it is not imported.
    spec = find_spec(point.module.partition(".")[0])
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    file = next((Path(folder) / MANIFEST for folder in folders if (Path(folder) / MANIFEST).is_file()), None)
    if file is None:
        raise PluginInvalid(f"The plugin {point.name} has no {MANIFEST} in the package {point.module}.")
    manifest = read_manifest(point.name, file.read_text(encoding="utf-8"))
    return Installed(manifest, point.value, package_digest(file.parent))


def read_manifest(entry: str, text: str) -> Manifest:
    """A manifest from its text. `entry` is the entry point's name, which must be the plugin's.

    Raises PluginInvalid.
    """
    try:
        manifest = Manifest.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        where = (
            "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
            if isinstance(error, ValidationError)
            else "it is no YAML"
        )
        raise PluginInvalid(f"The {MANIFEST} of the plugin {entry} is wrong: {where}.") from error
    if manifest.name != entry:
        raise PluginInvalid(f"The plugin {entry} calls itself {manifest.name} in its {MANIFEST}; the names must agree.")
    return manifest


def package_digest(folder: Path) -> str:
    """SHA-256 over the paths and contents of a package's files; compiled files are left out."""
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        content = file.read_bytes()
        total.update(f"{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def merged(
    core: Mapping[str, Effect], manifests: Iterable[Manifest], near_forbidden: Callable[[str], bool]
) -> dict[str, Effect]:
    """Our effects and the plugins'.

    A plugin adds and changes nothing: it can't redefine an effect or a task type, take a name close to a forbidden one, give a vendor
    of ours a class of its own, or let something leave for a person without asking people. Raises PluginInvalid.
    """
    out = dict(core)
    ours = {effect.connector for effect in core.values()} - INSIDE
    tasks = dict.fromkeys(core, "Dealix")
    for manifest in manifests:
        theirs: set[str] = set()
        for name, fields in manifest.effects.items():
            if name in out:
                raise PluginInvalid(f"The plugin {manifest.name} redefines the effect {name}; choose another name.")
            effect = _effect(manifest.name, name, fields, near_forbidden)
            if effect.connector in ours:
                raise PluginInvalid(
                    f"The effect {name} of the plugin {manifest.name} uses the connector {effect.connector}, which is not its own."
                )
            theirs.add(effect.connector)
            out[name] = effect
        ours |= theirs - INSIDE
        for task, effect_name in manifest.tasks.items():
            _task(manifest, task, effect_name, tasks, out, near_forbidden)
            tasks[task] = manifest.name
    return out


def _effect(plugin: str, name: str, fields: dict[str, Any], near_forbidden: Callable[[str], bool]) -> Effect:
    if near_forbidden(name):
        raise PluginInvalid(f"The effect {name} of the plugin {plugin} is named like a forbidden one.")
    try:
        effect = Effect.model_validate({"name": name, **DEFAULTS, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        raise PluginInvalid(
            f"The effect {name} of the plugin {plugin} is wrong: {'.'.join(map(str, first['loc']))}: {first['msg']}."
        ) from error
    problem = None
    if effect.action_class is ActionClass.C:
        problem = "is of class C, which is for what nobody may do"
    elif effect.system:
        problem = "asks to run as the system itself"
    elif (effect.action_class is ActionClass.B) != (effect.approvers > 0):
        problem = "must be approved by people (A1 to A3) exactly when its class is B"
    elif effect.action_class is ActionClass.A and effect.external and (effect.channel or effect.severity != "V0"):
        problem = "leaves the system for a person, or is more severe than V0, and so can't be of class A"
    if problem:
        raise PluginInvalid(f"The effect {name} of the plugin {plugin} {problem}.")
    return effect


def _task(
    manifest: Manifest,
    task: str,
    effect_name: str,
    taken: Mapping[str, str],
    known: Mapping[str, Effect],
    near_forbidden: Callable[[str], bool],
) -> None:
    if task in taken:
        raise PluginInvalid(f"The plugin {manifest.name} redefines the task type {task} of {taken[task]}.")
    if near_forbidden(task):
        raise PluginInvalid(f"The task type {task} of the plugin {manifest.name} is named like a forbidden one.")
    effect = known.get(effect_name)
    if effect is None:
        raise PluginInvalid(
            f"The task type {task} of the plugin {manifest.name} names the unknown effect {effect_name}."
        )
    if task in known and task != effect_name:
        raise PluginInvalid(f"The task type {task} of the plugin {manifest.name} has the name of another effect.")
    if effect_name not in manifest.effects and effect.connector != "internal":
        raise PluginInvalid(
            f"The task type {task} of the plugin {manifest.name} uses {effect_name}, which leaves the system and is not its own."
        )
