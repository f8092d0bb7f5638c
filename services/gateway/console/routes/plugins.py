"""Plugins: code from outside that runs in the execution plane, with what each may do, who approves that, and the digest of its files."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from libs.contracts.catalogue.plugins import HookPoint
from libs.contracts.plugins import PluginInfo, PluginsReply, PluginsRequest
from libs.contracts.subjects import PLUGINS
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskPage, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import require

router = APIRouter()
READING = require("read", reading=True)
HOOKS = {
    HookPoint.BEFORE_AUTHORIZE: ("قبل القرار", "Before the decision"), HookPoint.AFTER_DECISION: ("بعد القرار", "After the decision"),
    HookPoint.BEFORE_DISPATCH: ("قبل التنفيذ", "Before it is carried out"), HookPoint.AFTER_OUTCOME: ("بعد النتيجة", "After the outcome"),
    HookPoint.ON_FLOW_TRANSITION: ("عند انتقال مسار", "When a flow moves"),
}  # fmt: skip


@router.get(PATHS["plugins"], dependencies=[READING])
async def plugins(desk: DeskDep) -> Response:
    """Every installed plugin; with none, how one is installed."""
    found: PluginsReply = await desk.call(PLUGINS, PluginsRequest(principal=desk.who))
    sections = [_about(desk, one) for one in found.items]
    if not sections:
        sections = [Section(desk.say("الإضافات المثبّتة", "Installed plugins"), empty=desk.nothing("plugins"))]
    page = DeskPage(
        "connectors", desk.say("الإضافات", "Plugins"), tuple(sections), back=url("connectors"), back_label=desk.say("الموصلات", "Connectors")
    )  # fmt: skip
    return await desk.show(page)


def _about(desk: Desk, one: PluginInfo) -> Section:
    facts = [
        (desk.say("الاسم", "Name"), Cell(one.name, "ltr")), (desk.say("الإصدار", "Version"), Cell(one.version, "ltr")),
        (desk.say("بصمة ملفاتها في الدفتر", "Digest of its files, as in the ledger"), Cell(one.digest, "ltr")),
    ]  # fmt: skip
    if one.connectors:
        facts.append((desk.say("موصلاتها", "Its connectors"), Cell(", ".join(one.connectors), "ltr")))
    for hook in one.hooks:
        said = desk.say(f"الترتيب {hook.order}، والمهلة {hook.timeout_ms} مللي ثانية", f"order {hook.order}, {hook.timeout_ms} ms at most")  # fmt: skip
        facts.append((desk.say(*HOOKS[hook.point]), Cell(said)))
    rows = tuple(
        (
            Cell(task.task_type, "ltr"), Cell(task.effect, "ltr"), Cell(task.action_class, "ltr"),
            Cell(str(task.approvers) if task.approvers else desk.say("دون موافقة", "Without approval")), Cell(task.connector, "ltr"),
        )
        for task in one.tasks
    )  # fmt: skip
    columns = (
        desk.say("المهمة", "Task"), desk.say("الإجراء", "Action"), desk.say("الفئة", "Class"), desk.say("عدد الموافقين", "Approvers"),
        desk.say("الموصل", "Connector"),
    )  # fmt: skip
    return Section(desk.say(one.ar, one.en), facts=tuple(facts), columns=columns, rows=rows, empty=desk.say("لا مهام لها.", "It has no tasks."))  # fmt: skip
