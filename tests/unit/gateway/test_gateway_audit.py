"""The audit trail over HTTP: its filters, and the files that it gives."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from libs.contracts import subjects, trust
from libs.contracts.message import new_id
from tests.unit.gateway.fake_site import Site, problem

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)


def entry(actor: str, seq: int) -> trust.LedgerEntry:
    return trust.LedgerEntry(
        entry_id=new_id(),
        tenant_id=new_id(),
        kind="login",
        actor=actor,
        target="session:1",
        at=AT,
        data={"ص": 1},
        seq=seq,
    )


def pages(request: trust.LedgerRequest) -> trust.LedgerReply:
    if request.page.cursor is None:
        return trust.LedgerReply(items=(entry("=cmd()", 1),), next_cursor="more")
    return trust.LedgerReply(items=(entry("user:2", 0),))


async def test_the_filters_go_to_trust(site: Site) -> None:
    site.planes.answer(subjects.LEDGER, trust.LedgerReply(items=()))
    where = "actor=user:1&kind=login&from=2026-11-01T00:00:00%2B03:00&to=2026-11-02T00:00:00Z"
    await site.client.get(f"/api/v1/audit?{where}", headers=await site.bearer("auditor"))
    (asked,) = site.planes.requests(subjects.LEDGER)
    assert (asked.actor, asked.kind, asked.until) == ("user:1", "login", datetime(2026, 11, 2, tzinfo=UTC))
    assert asked.since == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert asked.export == ""


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_holds_every_page_and_is_an_entry_once(site: Site, form: str) -> None:
    site.planes.answer(subjects.LEDGER, pages)
    response = await site.client.get(f"/api/v1/audit/export?format={form}", headers=await site.bearer("auditor"))
    assert response.status_code == 200
    assert [r.export for r in site.planes.requests(subjects.LEDGER)] == [form, ""]
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))
        assert [row["actor"] for row in rows] == ["'=cmd()", "user:2"]
        assert json.loads(rows[0]["data"]) == {"ص": 1}
    else:
        assert [json.loads(line)["seq"] for line in response.text.splitlines()] == [1, 0]


async def test_a_time_without_a_zone_and_an_unknown_form_are_refused(site: Site) -> None:
    auditor = await site.bearer("auditor")
    problem(await site.client.get("/api/v1/audit?from=2026-11-01T00:00:00", headers=auditor), 422, "no_time_zone")
    assert (await site.client.get("/api/v1/audit/export?format=xml", headers=auditor)).status_code == 422
    assert (await site.client.get("/api/v1/audit/export", headers=await site.bearer("member"))).status_code == 403
