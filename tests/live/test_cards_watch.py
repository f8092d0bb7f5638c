"""Cards of what waits in the records, on real servers: they come by themselves, their buttons act, and they go when nothing waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.business_time import RIYADH
from libs.contracts.dead_letters import DeadLetter, DeadLetterArrived, DeadLetterClosed, LetterCause, LetterState
from libs.contracts.message import Plane, Reason, new_id
from libs.contracts.subjects import DEAD_LETTER_ARRIVED, DEAD_LETTER_CLOSED
from tests.live.served import Served, days_ago, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("watch")) as made:
        yield made


async def create(running: Served, path: str, **values: Any) -> dict[str, Any]:
    answer = await running.http.post(f"{API}/{path}", json=values)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def card_of(running: Served, role: str, event: str, subject: str) -> dict[str, Any]:
    """The open card of an event, once the watch has made it."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = [
            card
            for card in await feed(running, role)
            if card["context"]["event"] == event and card["context"]["subject"] == subject
        ]
        return bool(found)

    await eventually(30, there)
    return found[0]


async def feed(running: Served, role: str) -> list[dict[str, Any]]:
    answer = await running.http.get(f"{API}/cards/feed", params={"role": role})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def press(running: Served, card: dict[str, Any], button: str, note: str = "") -> Any:
    return await running.http.post(f"{API}/cards/{card['card_id']}/decision", json={"button": button, "note": note})


async def stale(running: Served, table: str, id: str, days: int) -> None:
    """Set a record's clock back: nothing else about it changes."""
    import asyncpg

    connection = await asyncpg.connect(running.system.servers.admin_url)
    try:
        column = {"deals": "deal_id", "partners": "partner_id", "tickets": "ticket_id"}[table]
        await connection.execute(
            f"update data.{table} set updated_at = now() - make_interval(days => $2), created_at = now() - make_interval(days => $2) "
            f"where {column} = $1::uuid",
            id, days,
        )  # fmt: skip
    finally:
        await connection.close()


async def test_an_inbound_objection_becomes_a_card_and_goes_once_it_is_answered(running: Served) -> None:
    account = await create(running, "accounts", name="Rimal", name_ar="رمال")
    deal = await create(running, "deals", account_id=account["id"], title="عقد", amount="120000")
    said = await create(
        running, "activities", type="email", direction="inbound", subject="رد", body="السعر غالي علينا",
        at=(datetime.now(UTC) - timedelta(minutes=5)).isoformat(), account_id=account["id"], deal_id=deal["id"],
    )  # fmt: skip
    card = await card_of(running, "sales_manager", "objection_raised", said["id"])
    assert card["type"] == "negotiation" and "السعر" in card["title_ar"]
    refused = await press(running, card, "prepare_reply")
    assert refused.status_code == 409 and refused.json()["code"] == "no_contact"
    await create(
        running, "activities", type="call", direction="outbound", subject="اتصال", at=datetime.now(UTC).isoformat(),
        account_id=account["id"], deal_id=deal["id"],
    )  # fmt: skip

    async def gone() -> bool:
        cards = await feed(running, "sales_manager")
        return all(one["card_id"] != card["card_id"] for one in cards)

    await eventually(60, gone)


async def test_a_quiet_deal_asks_for_a_follow_up_and_its_buttons_change_the_record(running: Served) -> None:
    account = await create(running, "accounts", name="Wadi", name_ar="وادي")
    deal = await create(running, "deals", account_id=account["id"], title="اتفاقية", amount="50000")
    await stale(running, "deals", deal["id"], 12)
    card = await card_of(running, "sales_manager", "deal_stalled", deal["id"])
    no_reason = await press(running, card, "close_lost")
    assert no_reason.status_code == 422 and no_reason.json()["code"] == "note_needed"
    assert (await running.http.get(f"{API}/deals/{deal['id']}")).json()["stage"] == "new"
    done = await press(running, card, "create_task", "يوم الأحد")
    assert done.status_code == 200, done.text
    task = (await running.http.get(f"{API}/tasks/{done.json()['result'].partition(':')[2]}")).json()
    assert task["deal_id"] == deal["id"] and task["title"] == card["title_ar"] and "يوم الأحد" in task["body"]
    again = await press(running, card, "create_task")
    assert again.status_code == 409 and again.json()["code"] == "card_closed"

    other = await create(running, "deals", account_id=account["id"], title="ثانية")
    await stale(running, "deals", other["id"], 10)
    second = await card_of(running, "sales_manager", "deal_stalled", other["id"])
    lost = await press(running, second, "close_lost", "اختاروا جهة أخرى")
    assert lost.status_code == 200, lost.text
    after = (await running.http.get(f"{API}/deals/{other['id']}")).json()
    assert (after["stage"], after["closed_reason"]) == ("lost", "اختاروا جهة أخرى")


async def test_a_follow_up_is_written_from_the_deals_own_lead_and_waits_for_approval(running: Served) -> None:
    account = await create(running, "accounts", name="Nakheel", name_ar="نخيل")
    contact = await create(
        running, "contacts", account_id=account["id"], full_name="نورة العتيبي", email="noura@nakheel.example"
    )
    lead = await create(
        running,
        "leads",
        account_id=account["id"],
        contact_id=contact["id"],
        source="website_form",
        obtained_at=days_ago(12),
    )
    deal = await create(
        running, "deals", account_id=account["id"], contact_id=contact["id"], lead_id=lead["id"], title="عقد نخيل"
    )
    await stale(running, "deals", deal["id"], 9)
    card = await card_of(running, "sales_manager", "deal_stalled", deal["id"])
    done = await press(running, card, "prepare_followup")
    assert done.status_code == 200, done.text
    drafts = (await running.http.get(f"{API}/drafts")).json()["items"]
    draft = next(one for one in drafts if one["purpose"] == f"followup:{deal['id']}")
    assert "نورة" in draft["body"] and f"deal:{deal['id']}" in draft["facts_used"]
    assert next((one["reviewer"], one["verdict"]) for one in draft["reviews"]) == ("qa_reviewer", "pass")
    action = (await running.http.get(f"{API}/actions/{draft['action_id']}")).json()
    assert action["state"] in ("accepted", "awaiting_approval", "refused")
    assert action["state"] != "succeeded"


async def test_partners_and_tickets_are_kept_and_their_cards_move_them(running: Served) -> None:
    partner = await create(
        running, "partners", name="Bayan Agency", name_ar="وكالة بيان", type="marketing_agency", next_step="اتفقوا على الشروط",
        next_step_on=(datetime.now(UTC) - timedelta(days=1)).date().isoformat(),
    )  # fmt: skip
    assert partner["stage"] == "scout"
    card = await card_of(running, "agency_partner", "partner_step", partner["id"])
    assert "اتفقوا على الشروط" in card["recommended_action_ar"]
    assert (await press(running, card, "advance_partner")).status_code == 200
    moved = (await running.http.get(f"{API}/partners/{partner['id']}")).json()
    assert (moved["stage"], moved["next_step_on"]) == ("evaluate", None)

    ticket = await create(running, "tickets", title="تعذّر الدخول", priority="P1")
    waiting = await card_of(running, "support", "ticket_waiting", ticket["id"])
    assert (await press(running, waiting, "escalate_ticket")).status_code == 200
    assert (await running.http.get(f"{API}/tickets/{ticket['id']}")).json()["priority"] == "P0"
    await stale(
        running, "tickets", ticket["id"], 21
    )  # nine days may hold a feast and two weekends, and no hour of work
    late = await card_of(running, "ceo", "ticket_overdue", ticket["id"])
    assert (await press(running, late, "take_ticket")).status_code == 200
    assert (await running.http.get(f"{API}/tickets/{ticket['id']}")).json()["status"] == "in_progress"


async def test_a_won_deal_asks_for_its_beginning_and_a_later_card_is_out_of_sight(running: Served) -> None:
    account = await create(running, "accounts", name="Marsa", name_ar="مرسى")
    deal = await create(running, "deals", account_id=account["id"], title="عقد مرسى", amount="90000")
    assert (await running.http.post(f"{API}/deals/{deal['id']}/move", json={"stage": "won"})).status_code == 200
    card = await card_of(running, "service_delivery", "customer_won", deal["id"])
    assert (await press(running, card, "later")).status_code == 200
    assert all(one["card_id"] != card["card_id"] for one in await feed(running, "service_delivery"))
    other = await card_of(running, "agency_partner", "customer_won", deal["id"])
    done = await press(running, other, "note_done", "بدأنا اليوم")
    assert done.json()["result"].startswith("activity:")


async def test_a_finished_evidence_pack_and_a_paused_channel_reach_those_whom_they_concern(running: Served) -> None:
    today = datetime.now(RIYADH).date().isoformat()

    async def packed() -> bool:
        answer = await running.http.post(f"{API}/evidence-packs", json={"scope": f"period:{today}..{today}"})
        return answer.status_code == 202

    await eventually(30, packed)
    packs = list(await _until_any(running, "service_delivery", "proof_ready"))
    assert packs[0]["type"] == "proof"
    for kind, count in (("sent", 100), ("bounced", 20), ("complained", 1), ("replied", 9)):
        body = {
            "channel": "email",
            "kind": kind,
            "external_ids": [f"{kind}-{n}" for n in range(count)],
            "at": datetime.now(UTC).isoformat(),
        }
        assert (await running.http.post(f"{API}/targeting/reputation/signals", json=body)).status_code == 200
    card = await card_of(running, "ceo", "channel_paused", "email")
    assert card["risk_level"] == "high" and "30" in card["why_now_ar"]
    brief = (await running.http.get(f"{API}/cards/whatsapp-brief", params={"role": "ceo"})).json()
    assert len(brief["text"]) <= 1024 and len(brief["cards"]) <= 3 and "1-1" in brief["text"]
    answering = {"cards": [card["card_id"]], "text": "9"}
    unclear = (await running.http.post(f"{API}/cards/whatsapp-brief/reply", json=answering)).json()
    assert "decided" in unclear, unclear
    assert unclear["decided"] is None and "1-1" in unclear["answer"]["ar"], unclear
    assert await card_of(running, "ceo", "channel_paused", "email") == card, "an unclear answer decides nothing"
    later = [button["action"] for button in card["buttons"]].index("later") + 1
    answered = (
        await running.http.post(f"{API}/cards/whatsapp-brief/reply", json={**answering, "text": f"١-{later}"})
    ).json()
    assert answered["decided"]["card"]["card_id"] == card["card_id"] and "لاحقًا" in answered["answer"]["ar"]
    assert card["card_id"] not in {one["card_id"] for one in await feed(running, "ceo")}


async def _until_any(running: Served, role: str, event: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = [card for card in await feed(running, role) if card["context"]["event"] == event]
        return bool(found)

    await eventually(30, there)
    return found


async def test_the_partner_board_scores_suggests_and_proposes(running: Served) -> None:
    partner = await create(
        running, "partners", name="Sada Agency", name_ar="وكالة صدى", type="marketing_agency", sells_to="businesses", customers=60, city="جدة",
    )  # fmt: skip
    board = (await running.http.get(f"{API}/partners/pipeline")).json()
    scouted = next(stage for stage in board["stages"] if stage["stage"] == "scout")["partners"]
    assert partner["id"] in {one["partner_id"] for one in scouted}
    suggested = (await running.http.get(f"{API}/partners/suggestions")).json()["items"]
    assert partner["id"] in {one["partner_id"] for one in suggested}
    scored = (await running.http.post(f"{API}/partners/score", json={"partner_id": partner["id"]})).json()
    assert scored["fit"] == 85 and scored["offer"] == "co_authored_proof" and scored["missing"] == ["saudi"]
    for language, name in (("ar", "وكالة صدى"), ("en", "Sada Agency")):
        body = {"partner_id": partner["id"], "language": language}
        proposed = (await running.http.post(f"{API}/partners/message-draft", json=body)).json()
        assert name in proposed["body"] and "{" not in proposed["body"]
        assert {one["reviewer"]: one["verdict"] for one in proposed["reviews"]}["qa_reviewer"] == "pass", proposed[
            "reviews"
        ]
    brief = (await running.http.post(f"{API}/partners/meeting-brief", json={"partner_id": partner["id"]})).json()
    assert brief["ask"] == [{"en": "Ask: Saudi", "ar": "اسأل عن: سعودي"}] and brief["last"]
    unknown = await running.http.post(
        f"{API}/partners/score", json={"partner_id": "01930000-0000-7000-8000-000000000001"}
    )
    assert unknown.status_code == 404


async def test_an_objection_is_classified_and_answered_as_a_proposal(running: Served) -> None:
    asked = (await running.http.post(f"{API}/negotiation/classify", json={"text": "هل تضمنون نتائج؟"})).json()
    assert asked["objection"] == "want_guarantee" and asked["evidence"] and asked["next_step"]["ar"]
    nothing = (await running.http.post(f"{API}/negotiation/classify", json={"text": "يتضمن العقد ثلاثة بنود"})).json()
    assert nothing["objection"] is None
    answer = (await running.http.post(f"{API}/negotiation/respond", json={"text": "السعر غالي"})).json()
    assert answer["objection"] == "price" and answer["needs_person"] and "تجربة" in answer["body"]
    unclear = await running.http.post(f"{API}/negotiation/respond", json={"text": "مرحبا"})
    assert unclear.status_code == 409 and unclear.json()["code"] == "no_objection"
    long = await running.http.post(f"{API}/negotiation/classify", json={"text": "غالي" * 5000})
    assert long.status_code == 422
    demo = (await running.http.get(f"{API}/negotiation/demo")).json()["items"]
    assert {one["reading"]["objection"] for one in demo} >= {"price", "timing", "trust", None}


async def test_the_days_plan_names_whom_and_how_far_each_has_come(running: Served) -> None:
    rows = "الشركة,الاسم,البريد,الجوال,ملاحظات\n" + "\n".join(
        f"شركة الأمل {n},سارة علي,sara{n}@amal{n}.example,05012345{n:02d},طلبت عرض سعر" for n in range(3)
    )
    done = await running.imported(rows, source="website_form")
    assert done["state"] == "completed"

    async def planned() -> bool:
        plan = (await running.http.get(f"{API}/growth/daily-plan")).json()
        return len(plan["prospects"]) >= 3 and any(one["draft_id"] for one in plan["prospects"])

    await eventually(60, planned)
    plan = (await running.http.get(f"{API}/growth/daily-plan")).json()
    assert all(one["drafted"] and one["reasons_ar"] for one in plan["prospects"][:3])
    assert plan["ranked"] >= plan["safe"] >= 3 and plan["scorecard"]["drafts_prepared"] >= 1
    assert any(one["state"] for one in plan["prospects"])


async def test_dead_letters_of_one_trouble_are_one_card_until_none_is_open(running: Served) -> None:
    tenant = UUID(str((await running.http.get(f"{API}/me")).json()["tenant_id"]))
    at = datetime.now(UTC)
    letters = [
        DeadLetter(
            dead_letter_id=new_id(), tenant_id=tenant, action_id=new_id(), action_type="slack_notify", connector="slack",
            cause=LetterCause.FAILED, error=Reason(code="gone", en="Slack is away.", ar="سلاك لا يستجيب."), attempts=3, arrived_at=at,
        )
        for _ in range(2)
    ]  # fmt: skip

    async def told(event: Any, message: Any) -> None:
        async with running.system.runtime(Plane.EXECUTION).database.work(tenant) as work:
            work.emit(event, message)

    async def waiting(count: int) -> None:
        async def so() -> bool:
            mine = [c for c in await feed(running, "support") if c["context"]["event"] == "dead_letters_wait"]
            return len(mine) == count

        await eventually(20, so)

    for one in letters:
        await told(DEAD_LETTER_ARRIVED, DeadLetterArrived(tenant_id=tenant, letter=one, aged=False, at=at))
    card = await card_of(running, "support", "dead_letters_wait", "slack:gone")
    assert card["title_ar"] == "لم يُنفّذ: تنبيه الفريق" and "سلاك لا يستجيب" in card["why_now_ar"]
    await waiting(1)
    for still_open, one in ((1, letters[0]), (0, letters[1])):
        done = one.evolve(state=LetterState.REPLAYED, ended_by="user:1")
        await told(DEAD_LETTER_CLOSED, DeadLetterClosed(tenant_id=tenant, letter=done, still_open=still_open, at=at))
    await waiting(0)
    await told(
        DEAD_LETTER_ARRIVED, DeadLetterArrived(tenant_id=tenant, letter=letters[0], aged=True, at=datetime.now(UTC))
    )
    await waiting(1)
