"""Backups, restores and plugins as pages: what is too old says so, a report that is none is told, outside code shows what it may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.plugins import HookPoint
from libs.contracts.errors import Conflict
from libs.contracts.plugins import PluginHook, PluginInfo, PluginsReply, PluginTask
from libs.contracts.recoveries import RecoveriesReply, Recovery
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
DIGEST = "9f2c" * 16
REPORT = f'{{"digest": "{DIGEST}", "restored_at": "2026-11-21T09:00:00+00:00", "rows": 1200, "leaves": 340}}'
PAGE = "/console/operations/recoveries"


def plugin() -> PluginInfo:
    task = PluginTask(task_type="erp_invoice", effect="erp_invoice", action_class="B", approvers=2, connector="erp")
    hook = PluginHook(point=HookPoint.BEFORE_DISPATCH, order=100, timeout_ms=250)
    return PluginInfo(
        name="erp", version="1.2.0", en="ERP bridge", ar="جسر نظام الموارد", digest=DIGEST, tasks=(task,), connectors=("erp",), hooks=(hook,)
    )  # fmt: skip


def fill(site: Site) -> None:
    """A fresh backup, and a restore of two months ago."""

    def one(kind: Any, days: int) -> Recovery:
        at = site.clock() - timedelta(days=days)
        return Recovery(kind=kind, digest=DIGEST, at=at, rows=1200, leaves=340, by="user:1")

    site.planes.answer(subjects.RECOVERIES, RecoveriesReply(items=(one("backup", 0), one("restore_test", 61))))
    site.planes.answer(subjects.REPORT_RESTORE, one("restore_test", 0))
    site.planes.answer(subjects.PLUGINS, PluginsReply(items=(plugin(),)))


async def test_what_is_too_old_to_rely_on_says_so_and_nothing_says_what_to_do(site: Site) -> None:
    await enter(site, "auditor")
    fill(site)
    page = (await site.client.get(PAGE)).text
    for said in ("استعادة أثبتت اكتمالها", "قبل 61 يومًا", "1,200", "9f2c9f2c…9f2c9f2c"):
        assert said in page, said
    assert "restore-report.json" not in page, "whoever does not operate is offered no form"
    site.planes.answer(subjects.RECOVERIES, RecoveriesReply(items=()))
    empty = (await site.client.get(PAGE)).text
    assert "خذ الأولى من سطر الأوامر" in empty and empty.count("لا يوجد") == 2


async def test_a_restore_is_recorded_from_its_report_and_only_by_who_operates(site: Site) -> None:
    token = await enter(site, "operator")
    fill(site)
    answer = await site.client.post(PAGE, data={"csrf": token, "report": REPORT})
    assert answer.status_code == 303 and "سُجّلت الاستعادة." in (await site.client.get(answer.headers["location"])).text
    (told,) = site.planes.requests(subjects.REPORT_RESTORE)
    assert (told.digest, told.rows, told.leaves) == (DIGEST, 1200, 340)
    wrong = await site.client.post(PAGE, data={"csrf": token, "report": '{"digest": "no"}'})
    assert wrong.status_code == 422 and "ليس هذا تقرير استعادة" in wrong.text and "&#34;no&#34;" in wrong.text
    site.planes.answer(subjects.REPORT_RESTORE, Conflict("not_whole", "Rows are missing.", "تنقصها صفوف."))
    refused = await site.client.post(PAGE, data={"csrf": token, "report": REPORT})
    assert refused.status_code == 409 and "تنقصها صفوف." in refused.text
    other = await enter(site, "member")
    sent = await site.client.post("/api/v1/recoveries", content=REPORT, headers={"Content-Type": "application/json", **await site.bearer("operator")})  # fmt: skip
    assert sent.status_code == 409, sent.text  # it reached the plane, which refuses it as above
    assert (await site.client.post(PAGE, data={"csrf": other, "report": REPORT})).status_code == 403


async def test_a_plugin_shows_its_tasks_who_approves_them_its_hooks_and_its_digest(site: Site) -> None:
    await enter(site, "auditor")
    fill(site)
    page = (await site.client.get("/console/settings/plugins")).text
    for said in ("جسر نظام الموارد", "1.2.0", DIGEST, "erp_invoice", "قبل التنفيذ", "250"):
        assert said in page, said
    site.planes.answer(subjects.PLUGINS, PluginsReply(items=()))
    assert "لا إضافات مثبّتة" in (await site.client.get("/console/settings/plugins")).text


async def test_every_hook_has_a_name() -> None:
    from services.gateway.console.routes.plugins import HOOKS

    assert set(HOOKS) == set(HookPoint)
