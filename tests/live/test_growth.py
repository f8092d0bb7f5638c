"""Experiments and the weekly report on real servers: counted from rows, drawn by chance, and silent where nothing is known."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from services.decision.growth.domain.trial import drawn
from tests.live.served import Served, days_ago, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
COMPANIES = {"waha": "الواحة", "diyar": "الديار", "nakheel": "النخيل", "marsa": "المرسى"}
FORM = "company,contact,email,phone,sector\n" + "".join(
    f"شركة {ar},سارة القحطاني,sara@{en}.example,,retail\n" for en, ar in COMPANIES.items()
)
PLAN: dict[str, Any] = {
    "hypothesis": "سؤال واحد في الرسالة يأتي بردود أكثر من سؤالين", "metric": "experiment_reply_rate", "varies": "message",
    "arms": ["outreach-2", "outreach-3"], "baseline": 0.05, "detects": 0.5, "sample_size": 30, "max_days": 30,
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("growth")) as made:
        yield made


async def sql(running: Served, text: str, *given: Any) -> list[Any]:
    connection = await asyncpg.connect(running.system.servers.admin_url)
    try:
        return list(await connection.fetch(text, *given))
    finally:
        await connection.close()


async def reach(running: Served, channel: str, reached: int, replied: int, *, days_ago: int = 8) -> None:
    """Contacts of one channel, as people's records have them: of whom some answered two days later. Written at once, for there are many."""
    tenant = (await running.get("/me"))["tenant_id"]
    account = (await running.http.post(f"{API}/accounts", json={"name": channel, "sector": "صحة"})).json()["id"]
    made = await running.http.post(f"{API}/contacts", json={"full_name": "جهة أولى", "account_id": account})
    contact = made.json()["id"]
    await sql(
        running,
        "with made as (insert into data.contacts (tenant_id, contact_id, account_id, opted_out, fields, full_name) select tenant_id, "
        "gen_random_uuid(), account_id, opted_out, fields, 'جهة ' || n from data.contacts, generate_series(1, $4) n where tenant_id = $1 and "
        "contact_id = $2::uuid returning contact_id), numbered as (select contact_id, row_number() over () n from made), "
        "ours as (insert into data.activities (tenant_id, activity_id, type, direction, subject, at, contact_id) select $1, gen_random_uuid(), $3, "
        "'outbound', 's', now() - make_interval(days => $6), contact_id from numbered) "
        "insert into data.activities (tenant_id, activity_id, type, direction, subject, body, at, contact_id) select $1, gen_random_uuid(), "
        "'email', 'inbound', 'رد', 'السعر غالي علينا', now() - make_interval(days => $6 - 2), contact_id from numbered where n <= $5",
        tenant, contact, channel, reached, replied, days_ago,
    )  # fmt: skip


async def test_a_week_without_rows_says_that_nothing_was_tried(running: Served) -> None:
    long_ago = (datetime.now(UTC) - timedelta(weeks=20)).date().isoformat()
    found = await running.get("/growth/weekly-report", week=long_ago)
    assert "Nothing was tried" in found["said"]["en"] and "لم يُجرَّب شيء" in found["said"]["ar"]
    assert found["tried"] == {"drafted": 0, "withheld": [], "refused": 0, "reached": 0, "replied": 0}
    for part in ("segments", "messages", "channels"):
        assert found[part]["enough"] is False and found[part]["best"] is None and "لا تكفي" in found[part]["said"]["ar"]
    assert (found["proposed"], found["stop"], found["objections"], found["experiments"]) == (None, [], [], [])
    assert {one["name"]: one["value"] for one in found["figures"]}["experiment_reply_rate"] is None
    assert found["provenance"]["confidence"] == 0 and "metric:meetings_held" in found["provenance"]["sources"]


async def test_a_week_that_has_not_begun_and_a_look_back_of_nothing_are_refused_in_both_languages(
    running: Served,
) -> None:
    ahead = (datetime.now(UTC) + timedelta(weeks=2)).date().isoformat()
    for query in ({"week": ahead}, {"week": "yesterday"}, {"weeks": 0}):
        refused = await running.http.get(
            f"{API}/growth/weekly-report", params=query, headers={"Accept-Language": "ar"}
        )  # fmt: skip
        assert refused.status_code in (400, 422), refused.text
        assert any("\u0621" <= letter <= "\u064a" for letter in refused.json()["detail"]), refused.text


async def test_the_report_names_what_got_answers_with_counts_leaves_the_young_out_and_stays_once_kept(
    running: Served,
) -> None:
    await reach(running, "whatsapp", 60, 30)
    await reach(running, "email", 60, 3)
    await reach(running, "call", 10, 0, days_ago=1)
    today = days_ago(0)
    now = await running.get("/growth/weekly-report", week=today, weeks=5)
    assert now["final"] is False and now["too_young"] == 10
    channels = now["channels"]
    assert (channels["best"]["key"], channels["worst"]["key"]) == ("whatsapp", "email")
    assert (channels["best"]["reached"], channels["best"]["replied"]) == (60, 30)
    assert channels["best"]["low"] < 0.5 < channels["best"]["high"]
    assert [(one["dimension"], one["key"]) for one in now["stop"]] == [("channel", "email")]
    assert [(one["objection"], one["count"]) for one in now["objections"]] == [("price", 33)]
    assert "33" in now["improve"]["ar"] and now["messages_read"] == 33
    assert now["messages"]["arms"] == [], "what people wrote by themselves is no version of a draft"
    last = await running.get("/growth/weekly-report")
    assert last["final"] is True and last["channels"]["best"]["key"] == "whatsapp"
    await reach(running, "visit", 50, 50)
    assert await running.get("/growth/weekly-report") == last, "a week's report is kept as it was made"
    weak: list[dict[str, Any]] = []

    async def carded() -> bool:
        items = (await running.get("/cards/feed", role="growth_manager"))["items"]
        weak[:] = [one for one in items if one["context"]["event"] == "outreach_weak"]
        return bool(weak)

    await eventually(90, carded)
    assert weak[0]["context"]["week"] == last["week"] and "3 of 60" in weak[0]["why_now_en"]
    said = await running.http.post(f"{API}/cards/{weak[0]['card_id']}/decision", json={"button": "create_task"})
    assert said.status_code == 200, said.text


async def test_an_experiment_without_a_plan_that_is_whole_does_not_start(running: Served) -> None:
    changes: tuple[dict[str, Any], ...] = (
        *({name: None} for name in PLAN), {"sample_size": 3}, {"arms": ["outreach-2", "outreach-2"]}, {"metric": "smiles"},
        {"metric": "win_rate"}, {"arms": ["outreach-2", "outreach-9"]}, {"varies": "sector"}, {"detects": 0.05}, {"max_days": 1},
    )  # fmt: skip
    for change in changes:
        body = {name: value for name, value in {**PLAN, **change}.items() if value is not None}
        refused = await running.http.post(
            f"{API}/growth/experiments", json=body, headers={"Accept-Language": "ar"}
        )  # fmt: skip
        assert refused.status_code in (400, 422), (change, refused.text)
        assert any("\u0621" <= letter <= "\u064a" for letter in refused.json()["detail"]), refused.text
    assert (await running.get("/growth/experiments"))["items"] == []


async def test_an_experiment_draws_accounts_writes_their_drafts_so_and_sends_nothing(running: Served) -> None:
    begun = await running.http.post(f"{API}/growth/experiments", json=PLAN)
    assert begun.status_code == 201, begun.text
    experiment = begun.json()
    assert (experiment["state"], experiment["result"]) == ("running", None) and "Not known yet" in experiment["said"][
        "en"
    ]
    second = await running.http.post(f"{API}/growth/experiments", json=PLAN)
    assert (second.status_code, second.json()["code"]) == (409, "experiment_running")
    await running.imported(FORM, source="website_form")

    async def drafted() -> bool:
        return len((await running.get("/drafts"))["items"]) >= 2

    await eventually(150, drafted)
    rows = await sql(running, "select * from decision.experiment_subjects where action_id is not null")
    assert len(rows) >= 2
    drafts = {one["lead_id"]: one for one in (await running.get("/drafts"))["items"]}
    for row in rows:
        assert row["arm"] == drawn(UUID(experiment["experiment_id"]), row["account_id"], ("outreach-2", "outreach-3"))
        wrote = drafts[str(row["lead_id"])]["provenance"]["prompt_version"]
        assert wrote == {"outreach-2": "outreach-ar-2", "outreach-3": "outreach-3-ar"}[row["arm"]]
        action = await running.get(f"/actions/{row['action_id']}")
        assert action["state"] in ("accepted", "awaiting_approval"), "a person decides, as ever"
    safe = await sql(running, "select lead_id from data.leads where contactability->>'email' = 'safe'")
    assert {row["lead_id"] for row in rows} <= {row["lead_id"] for row in safe}
    shown = await running.get(f"/growth/experiments/{experiment['experiment_id']}")
    assert sum(arm["assigned"] for arm in shown["arms"]) >= 2 and {arm["reached"] for arm in shown["arms"]} == {0}
    early = await running.http.post(
        f"{API}/growth/experiments/{experiment['experiment_id']}/decision", json={"decision": "keep"}
    )
    assert (early.status_code, early.json()["code"]) == (409, "too_early")
    assert (await running.get("/growth/weekly-report", weeks=5))["proposed"] is None


async def test_what_really_went_out_is_counted_and_who_answered_is_told_after_the_stop_rule(running: Served) -> None:
    (experiment,) = (await running.get("/growth/experiments"))["items"]
    path = f"/growth/experiments/{experiment['experiment_id']}"
    (one, *_) = await sql(running, "select * from decision.experiment_subjects where action_id is not null")
    await sql(running, "update decision.experiments set started_at = started_at - interval '20 days'")
    await sql(
        running, "insert into data.sender_signals (tenant_id, external_id, channel, kind, at) values ($1, $2, 'email', 'sent', now() - interval '9 days')",
        one["tenant_id"], f"action:{one['action_id']}",
    )  # fmt: skip
    await sql(
        running, "insert into data.activities (tenant_id, activity_id, type, direction, subject, at, contact_id) "
        "values ($1, gen_random_uuid(), 'email', 'inbound', 'نعم', now() - interval '5 days', $2)", one["tenant_id"], one["contact_id"],
    )  # fmt: skip

    async def reached() -> bool:
        await running.get("/cards/feed", role="growth_manager")
        return any(arm["counted"] == 1 for arm in (await running.get(path))["arms"])

    await eventually(90, reached)
    found = await running.get(path)
    assert [arm["replied"] for arm in found["arms"]] == [None, None] and found["state"] == "running"
    rate = await running.get("/metrics-catalog/experiment_reply_rate/value")
    assert float(rate["value"]) == 1.0 and rate["counted"] == 1
    # Many more, as they would be after weeks: everybody reached, and the second arm answers more.
    for arm, answered in (("outreach-2", 4), ("outreach-3", 24)):
        await sql(
            running, "insert into decision.experiment_subjects (tenant_id, experiment_id, account_id, lead_id, contact_id, arm, assigned_at, action_id, "
            "reached_at, answered, counted) select $1, $2, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), $3, now(), gen_random_uuid(), "
            "now() - interval '9 days', n <= $4, true from generate_series(1, 60) n", one["tenant_id"], one["experiment_id"], arm, answered,
        )  # fmt: skip
    cards: list[dict[str, Any]] = []

    async def ready() -> bool:
        items = (await running.get("/cards/feed", role="growth_manager"))["items"]
        cards[:] = [card for card in items if card["context"]["event"] == "experiment_ended"]
        return bool(cards)

    await eventually(90, ready)
    found = await running.get(path)
    assert found["state"] == "ready" and found["result"]["verdict"] == "better" and found["result"]["low"] > 0
    pressed = await running.http.post(
        f"{API}/cards/{cards[0]['card_id']}/decision", json={"button": "keep_tried", "note": "نعتمدها"}
    )
    assert pressed.status_code == 200, pressed.text
    decided = await running.get(path)
    assert (decided["state"], decided["decision"], decided["note"]) == ("decided", "keep", "نعتمدها")
    again = await running.http.post(f"{API}{path}/decision", json={"decision": "revert"})
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    await sql(running, "update decision.experiment_subjects set answered = true")
    assert (await running.get(path))["arms"] == decided["arms"], "what it was decided on stays"


async def test_an_experiment_is_stopped_early_only_with_a_reason_and_has_no_result_then(running: Served) -> None:
    begun = (
        await running.http.post(
            f"{API}/growth/experiments", json={**PLAN, "varies": "tone", "arms": ["formal", "warm"]}
        )
    ).json()
    path = f"{API}/growth/experiments/{begun['experiment_id']}/decision"
    silent = await running.http.post(path, json={"decision": "stop"})
    assert (silent.status_code, silent.json()["code"]) == (422, "note_needed")
    stopped = await running.http.post(path, json={"decision": "stop", "note": "تغيّر العرض"})
    assert stopped.status_code == 200 and stopped.json()["state"] == "stopped" and stopped.json()["result"] is None
    ledger = json.dumps((await running.get("/proof-ledger", limit=200))["items"])
    for kind in ("experiment.started", "experiment.ended", "experiment.decided"):
        assert kind in ledger, kind
