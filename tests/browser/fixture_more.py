"""Pages of what was first on the API and the command line: captured like those of `fixture_real`."""

from __future__ import annotations

from typing import Any

from services.gateway.console.urls import url
from tests.unit.gateway import test_memo_pages as memo_rows
from tests.unit.gateway import test_recoveries_pages as recovery_rows
from tests.unit.gateway import test_sequences_pages as sequence_rows
from tests.unit.gateway import test_tower_pages as tower_rows
from tests.unit.gateway import test_trends_pages as trend_rows
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.filled_site import CONTACT, DEAL

NAMES = (
    "sequences", "sequence", "sequence-who", "sequence-new", "sequence-refused", "services", "service",
    "trends", "trend", "attributions", "attribution",
    "recoveries", "plugins", "memos", "memo", "memo-made",
)  # fmt: skip


async def capture(site: Site, token: str, get: Any, post: Any) -> None:
    """Every page of `NAMES`; the planes answer afterwards as they did before."""
    kept = dict(site.planes.answers)
    sequence_rows.fill(site)
    await get("sequences", url("sequences"))
    await get("sequence", url("sequence", str(sequence_rows.ONE)))
    await get("sequence-who", url("sequence_new"))
    await get("sequence-new", url("sequence_new", contact=str(CONTACT)))
    await post("sequence-refused", url("sequence_new"), sequence_rows.form(token, subject_1=""), 422)
    tower_rows.fill(site)
    await get("services", url("services"))
    await get("service", url("service", "growth_os"))
    trend_rows.fill(site)
    await get("trends", url("trends"))
    await get("trend", url("trends", metric="revenue_actual"))
    await get("attributions", url("attributions"))
    await get("attribution", url("attribution", str(trend_rows.DEAL)))
    recovery_rows.fill(site)
    await get("recoveries", url("recoveries"))
    await get("plugins", url("plugins"))
    memo_rows.fill(site)
    await get("memos", url("memos"))
    await get("memo", url("memo", "stop_loss_policy"))
    await post("memo-made", url("memo", "proposal_pack"), {"deal_id": str(DEAL), "title": "عرض"})
    site.planes.answers.clear()
    site.planes.answers.update(kept)
