"""What a company keeps on record before it goes live, so that no gate control fails: put through the public API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from libs.contracts.catalogue.targeting import targeting
from services.decision.domain.telling import ranking_fact
from tests.live.control_fixtures import ACTIVITY, PROCESSOR


async def keep_records(http: httpx.AsyncClient, *, source: str, fields: tuple[str, ...]) -> None:
    """Activity, impact assessment, data map, classified dataset, processor, and a report on the ranking's bias."""
    today = datetime.now(UTC).date().isoformat()
    kept: list[tuple[str, dict[str, Any]]] = [
        ("processing-activities", ACTIVITY),
        ("dpias", {"subject": ACTIVITY["name"], "risk": "low", "measures": "m", "assessed_on": today, "approved_by": "DPO", "approved_on": today}),
        *(("data-map", {"field": name, "activity": ACTIVITY["name"], "why": "to write to them"}) for name in fields),
        ("datasets", {"name": "Leads", "sources": [source], "level": "restricted", "classified_on": today, "classified_by": "DPO"}),
        ("processors", {**PROCESSOR, "max_level": "restricted"}),
        ("bias-reports", {"version": ranking_fact(targeting(), 1).version, "result": "fair", "reported_on": today, "evidence_ref": "B-1"}),
    ]  # fmt: skip
    for kind, values in kept:
        answer = await http.post(f"/api/v1/registers/{kind}", json={"values": values})
        assert answer.status_code == 201, answer.text
