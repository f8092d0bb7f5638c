"""What execution says of the plugins it runs."""

from __future__ import annotations

from libs.contracts.catalogue.plugins import HookPoint
from libs.contracts.message import Message, Principal


class PluginTask(Message):
    """A task type of a plugin, and what trust knows of its effect."""

    task_type: str
    effect: str
    action_class: str
    approvers: int
    connector: str


class PluginHook(Message):
    point: HookPoint
    order: int
    timeout_ms: int


class PluginInfo(Message):
    """An installed plugin. `digest` is SHA-256 over its package's files, as the ledger has it since the start."""

    name: str
    version: str
    en: str
    ar: str
    digest: str
    tasks: tuple[PluginTask, ...]
    connectors: tuple[str, ...]
    hooks: tuple[PluginHook, ...]


class PluginsRequest(Message):
    principal: Principal


class PluginsReply(Message):
    items: tuple[PluginInfo, ...]
