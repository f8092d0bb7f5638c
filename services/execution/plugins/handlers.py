"""Which plugins run here: asked by people, and told to the ledger at the start."""

from __future__ import annotations

from collections.abc import Sequence

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.plugins import INSIDE, Installed
from libs.contracts.message import PLATFORM, Plane, new_id
from libs.contracts.plugins import PluginHook, PluginInfo, PluginsReply, PluginsRequest, PluginTask
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime.plane import Runtime


class Plugins:
    def __init__(self, installed: Sequence[Installed]) -> None:
        self._installed = installed

    async def listed(self, _: PluginsRequest) -> PluginsReply:
        return PluginsReply(items=tuple(info(one) for one in self._installed))

    async def record(self, runtime: Runtime) -> None:
        """One ledger entry a plugin and start: which code runs beside the credentials from now on."""
        if not self._installed:
            return
        async with runtime.database.batch(PLATFORM) as work:
            for one in self._installed:
                entry = AuditRecorded(
                    entry_id=new_id(), tenant_id=PLATFORM, kind="plugin.loaded", actor="system:execution",
                    target=f"plugin:{one.manifest.name}", at=runtime.now(),
                    data={"version": one.manifest.version, "digest": one.digest},
                )  # fmt: skip
                work.emit(AUDITED[Plane.EXECUTION], entry)


def info(one: Installed) -> PluginInfo:
    manifest = one.manifest
    tasks = tuple(
        PluginTask(
            task_type=task,
            effect=name,
            action_class=effects()[name].action_class.value,
            approvers=effects()[name].approvers,
            connector=effects()[name].connector,
        )
        for task, name in manifest.tasks.items()
    )
    return PluginInfo(
        name=manifest.name,
        version=manifest.version,
        en=manifest.en,
        ar=manifest.ar,
        digest=one.digest,
        tasks=tasks,
        connectors=tuple(sorted({effects()[name].connector for name in manifest.effects} - INSIDE)),
        hooks=tuple(PluginHook(point=p, order=t.order, timeout_ms=t.timeout_ms) for p, t in manifest.hooks.items()),
    )
