"""Imports the installed plugins and holds each to its declaration. Execution alone does this.

Anything that does not agree stops the start with one sentence: a plugin that is half there is worse than none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.plugins import INSIDE, Installed
from libs.runtime.settings import SettingsError
from services.execution.connectors.base import Connector
from services.execution.plugins.api import Plugin, Tools
from services.execution.plugins.hooks import Aside, Hooks, Registered
from services.execution.router import TaskRouter


@dataclass(frozen=True, slots=True)
class Loaded:
    installed: Sequence[Installed]
    connectors: list[Connector]
    hooks: Hooks


def load_plugins(installed: Sequence[Installed], router: TaskRouter, tools: Tools) -> Loaded:
    """Register every plugin's task types at `router`, and make its connectors and hooks.

    Raises SettingsError with the first thing that is wrong.
    """
    connectors: list[Connector] = []
    hooks: list[Registered] = []
    for one in installed:
        plugin = _import(one)
        _register(one, plugin, router)
        connectors += _connectors(one, plugin, tools)
        hooks += _hooks(one, plugin)
    return Loaded(tuple(installed), connectors, Hooks(tuple(hooks)))


def _import(one: Installed) -> Plugin:
    module, _, attribute = one.target.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except Exception as error:  # importing somebody else's code may raise anything; the start ends with its sentence
        raise SettingsError(
            f"The plugin {one.manifest.name} can't be loaded: {type(error).__name__}: {error}. Mend or uninstall it."
        ) from error
    if not isinstance(found, Plugin):
        raise SettingsError(f"The plugin {one.manifest.name} hands over no Plugin at {one.target}.")
    return found


def _register(one: Installed, plugin: Plugin, router: TaskRouter) -> None:
    name = one.manifest.name
    inside = {task for task, effect in one.manifest.tasks.items() if effects()[effect].connector == "internal"}
    _agree(name, "a handler for the task type", inside, set(plugin.handlers))
    for task, effect in one.manifest.tasks.items():
        try:
            router.register(task, plugin.handlers.get(task), effect=effect)
        except ValueError as error:
            raise SettingsError(f"The plugin {name} can't register its task types: {error}.") from error
    for task, versions in plugin.versions.items():
        if task not in inside:
            raise SettingsError(f"The plugin {name} hands over versions of {task}, which is no handler of its own.")
        for version, handler in versions.items():
            router.register_version(task, version, handler)


def _connectors(one: Installed, plugin: Plugin, tools: Tools) -> list[Connector]:
    name = one.manifest.name
    try:
        made = [make(tools) for make in plugin.connectors]
    except Exception as error:  # as above, for what its connectors need
        raise SettingsError(f"A connector of the plugin {name} can't be made: {type(error).__name__}.") from error
    used = {effects()[effect].connector for effect in one.manifest.effects} - INSIDE
    _agree(name, "the connector", used, {connector.profile.key for connector in made})
    return made


def _hooks(one: Installed, plugin: Plugin) -> list[Registered]:
    name = one.manifest.name
    _agree(name, "the hook", {point.value for point in one.manifest.hooks}, {point.value for point in plugin.hooks})
    if not plugin.hooks:
        return []
    aside = Aside(name)
    return [Registered(name, point, terms, plugin.hooks[point], aside) for point, terms in one.manifest.hooks.items()]


def _agree(plugin: str, what: str, declared: set[str], handed: set[str]) -> None:
    """Exactly what was declared: nothing is missing, and nothing comes that nobody was told of."""
    if missing := sorted(declared - handed):
        raise SettingsError(f"The plugin {plugin} declares {what} {missing[0]} and does not hand it over.")
    if extra := sorted(handed - declared):
        raise SettingsError(
            f"The plugin {plugin} hands over {what} {extra[0]}, which its plugin.yaml does not declare."
        )
